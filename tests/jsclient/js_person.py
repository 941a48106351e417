"""Drive `client.mjs` from Python; what it needs is installed when it is missing (`node`)."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.demo.transcript import Message
from tests.jsclient.node import install

HERE = Path(__file__).parent
LINE_LIMIT = 16 * 1024 * 1024
"""Bytes of one JSON line; a transcript of a long room is one line."""


class JsClientError(AssertionError):
    """The JavaScript client refused a request, waited in vain, or ended: the text says which."""


class JsPerson:
    """One person on one strict matrix-js-sdk device; the same verbs as `Person`, and `Message` values back.

    `shield` of a message is the reason that the SDK gives (`UNSIGNED_DEVICE`, `UNVERIFIED_IDENTITY` …), `clear`, or None.
    """

    def __init__(
        self, *, url: str, user_id: str, password: str, hubs: Iterable[str] = (), strict: bool = True, unsigned: bool = False,
        recovery: str | None = None,
    ) -> None:
        self.user_id = user_id
        self.device_id = ""
        self.fingerprint = ""
        self._login = {"url": url, "user": user_id, "password": password, "strict": strict, "accept": sorted(hubs)}
        if recovery:
            self._login["recovery"] = recovery
        self._unsigned = unsigned
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._errors = bytearray()

    async def start(self) -> Self:
        """Log in, publish and sign keys (unless `unsigned`), and be in sync. Raises JsClientError."""
        node = await asyncio.to_thread(install, HERE)
        self._process = await asyncio.create_subprocess_exec(
            *node.node,
            str(HERE / "client.mjs"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
        )
        readers = (self._read_answers(self._process), self._read_errors(self._process))
        self._readers = [asyncio.create_task(reader) for reader in readers]
        try:
            self.device_id = (await self.call("login", **self._login))["device_id"]
            if not self._unsigned:
                self.fingerprint = (await self.call("bootstrap"))["fingerprint"]
            await self.call("sync")
        except BaseException:
            await self.stop()
            raise
        return self

    async def stop(self) -> None:
        """End the process; the device stays on the account."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def log_out(self) -> None:
        """Remove the device from the account and stop."""
        await self.call("logout")
        await self.stop()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    async def call(self, method: str, **params: Any) -> Any:
        """One request to the client. Raises JsClientError with its sentence."""
        if self._process is None or self._process.stdin is None:
            raise JsClientError("the JavaScript client is not running")
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        self._process.stdin.write(json.dumps({"id": number, "method": method, "params": params}).encode() + b"\n")
        # The client keeps its own time limits; this one only catches a client that hangs.
        return await asyncio.wait_for(self._answers[number], params.get("timeout", 60) + 30)

    @property
    def errors(self) -> str:
        """What the SDK wrote to standard error, for a failing test."""
        return self._errors.decode(errors="replace")

    # -- the verbs of `Person` -------------------------------------------------------------------------------------

    async def accept_from(self, user_id: str) -> None:
        """From now on join the rooms to which this user invites."""
        await self.call("accept", user=user_id)

    async def rooms(self) -> list[str]:
        """Ids of the rooms this client has joined."""
        return [room["id"] for room in await self.call("rooms") if room["membership"] == "join"]

    async def create_room(self, *, invite: Iterable[str] = ()) -> str:
        """A private encrypted room; returns its id once this client sees it."""
        room = str(await self.call("create", invite=list(invite)))
        await self.in_room(room)
        return room

    async def join(self, room: str, *, via: Iterable[str] = ()) -> None:
        await self.call("join", room=room, via=list(via))

    async def in_room(self, room: str, *, with_members: Iterable[str] = (), within: float = 30.0) -> None:
        """Wait until the room is known, encrypted, and joined by those people."""
        await self.call("in_room", room=room, members=list(with_members), timeout=within)

    async def say(
        self,
        room: str,
        text: str,
        *,
        thread: Message | str | None = None,
        reply_to: Message | str | None = None,
        mention: str | None = None,
    ) -> str:
        """Send a message and return its event id."""
        return str(await self.call("send", room=room, body=text, thread=_id(thread), reply_to=_id(reply_to), mention=mention))

    async def edit(self, message: Message | str, text: str, *, room: str) -> str:
        return str(await self.call("edit", room=room, event=_id(message), body=text))

    async def redact(self, message: Message | str, *, room: str) -> None:
        await self.call("redact", room=room, event=_id(message))

    async def expect(
        self,
        pattern: str | re.Pattern[str],
        *,
        room: str | None = None,
        thread: Message | str | None = None,
        sender: str | None = None,
        within: float = 30.0,
    ) -> Message:
        """The first matching message of somebody else that no earlier `expect` has returned; JsClientError when none comes.

        The pattern is read by JavaScript, ignoring case. `UNREADABLE: <code>` is the body of what could not be decrypted.
        """
        text = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
        found = await self.call("wait", pattern=text, room=room, sender=sender, thread=_id(thread), timeout=within)
        return _message(found)

    async def transcript(self, room: str) -> list[Message]:
        """What stands in the room now, edits and redactions applied, in the order of arrival."""
        return [_message(each) for each in await self.call("transcript", room=room)]

    async def shield(self, message: Message) -> str | None:
        """The shield on that message as the SDK sees it now."""
        shield = await self.call("shield", room=message.room, event=message.event_id)
        return None if shield is None else str(shield)

    async def identity(self, user_id: str) -> dict[str, Any]:
        """`devices` (id -> signed by its owner), `needs_approval`, `was_verified`, `verified` of that user as this client sees them."""
        return dict(await self.call("identity", user=user_id))

    # -- verification by emoji -------------------------------------------------------------------------------------

    async def verify(self, user_id: str, room: str) -> int:
        """"Verify user" in that room; the number of this verification."""
        return int(await self.call("verify", user=user_id, room=room))

    async def emoji(self, verification: int, within: float = 30.0) -> list[str]:
        """"Verify by emoji" once the other side is ready: the English names of the seven, as the SDK gives them."""
        return [str(one["name"]) for one in await self.call("emoji", id=verification, timeout=within)]

    async def match(self, verification: int) -> None:
        await self.call("match", id=verification)

    async def mismatch(self, verification: int) -> None:
        await self.call("mismatch", id=verification)

    async def phase(self, verification: int, wanted: str | None = None, within: float = 30.0) -> str:
        """`Requested`, `Ready`, `Started`, `Done` or `Cancelled m.…`; waits for one that begins with `wanted`."""
        return str(await self.call("phase", id=verification, wanted=wanted, timeout=within))

    # -- within ----------------------------------------------------------------------------------------------------

    async def _read_answers(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        async for line in process.stdout:
            answer = json.loads(line)
            future = self._answers.pop(answer["id"])
            if future.cancelled():
                continue
            if "error" in answer:
                future.set_exception(JsClientError(f"{self.user_id}: {answer['error']}"))
            else:
                future.set_result(answer["result"])
        for future in self._answers.values():
            if not future.done():
                future.set_exception(JsClientError(f"the JavaScript client ended\n{self.errors[-2000:]}"))

    async def _read_errors(self, process: asyncio.subprocess.Process) -> None:
        # Always drained, or the client would stop when the pipe is full; only the end is kept.
        while process.stderr and (chunk := await process.stderr.read(65536)):
            self._errors += chunk
            del self._errors[:-200_000]


def _id(message: Message | str | None) -> str | None:
    return message.event_id if isinstance(message, Message) else message


def _message(found: dict[str, Any]) -> Message:
    time = datetime.fromtimestamp(found["time"] / 1000, UTC)
    return Message(**(found | {"time": time, "mentions": frozenset(found["mentions"])}))
