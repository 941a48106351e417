"""The client of one person: one device, its keys in memory, always in sync. What she does with it stands in `person`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import aiohttp
from nio import (
    ErrorResponse,
    Event,
    LoginError,
    MatrixRoom,
    MegolmEvent,
    Response,
    RoomMessagesResponse,
    SyncResponse,
    UnknownToDeviceEvent,
)
from nio.exceptions import EncryptionError

from deploy.demo.identity import Identity
from deploy.demo.transcript import Message, Transcript, render
from deploy.demo.trusting_client import SYNC_FILTER, TrustingClient

KEYS = "/_matrix/client/v3/keys"
LONG_POLL = 10_000
"""Milliseconds a sync request waits for news."""
PATIENCE = 3.0
"""Seconds after which a waiting person scrolls back."""
PAUSE = 0.3
"""Seconds between two tries while the homeserver is away."""


class PersonError(RuntimeError):
    """Her client could not do something: the text says what."""


class NotSeen(AssertionError):
    """She waited for something in vain; the text ends with what she saw instead."""


class Session:
    """One person on one device. `identity` gives her a second device under the identity she already has."""

    def __init__(
        self,
        *,
        url: str,
        user_id: str,
        password: str,
        hubs: Iterable[str] = (),
        unsigned: bool = False,
        identity: Identity | None = None,
    ) -> None:
        self.user_id = user_id
        self.password = password
        self.hubs = set(hubs)
        """User ids whose invitations she accepts; may grow while she runs."""
        self.identity = None if unsigned else identity or Identity()
        self.client = TrustingClient(url, user_id)
        self.withheld: list[dict[str, Any]] = []
        """Contents of `m.room_key.withheld` notes: who refused her a room key and with which code."""
        self._transcript = Transcript()
        self._consumed: set[int] = set()
        self._unread: dict[str, tuple[str, MegolmEvent]] = {}
        self._news = asyncio.Condition()
        self._sending = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> Self:
        """Log in as a new device, publish and sign keys before any room is joined, and keep in sync from then on."""
        logging.getLogger("nio").setLevel(logging.CRITICAL)  # it writes decrypted content into its warnings
        try:
            await self._enter()
        except BaseException:
            await self.client.close()
            raise
        self._task = asyncio.create_task(self._live(), name=f"person {self.user_id}")
        return self

    async def stop(self) -> None:
        """Leave the device as it is (it stays published) and close the connection."""
        await self._end_sync()
        await self.client.close()

    async def log_out(self) -> None:
        """Remove the device from the account, then stop."""
        await self._end_sync()
        await self.request("POST", "/_matrix/client/v3/logout", {})
        await self.client.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    @property
    def device_id(self) -> str:
        return str(self.client.device_id)

    @property
    def fingerprint(self) -> str:
        """Her public master key, for pinning at enrolment."""
        if self.identity is None:
            raise PersonError(f"{self.user_id} has no cross-signing identity")
        return self.identity.fingerprint

    async def until(self, condition: Callable[[], bool], *, within: float, what: str) -> None:
        """Wait until `condition` holds; it is asked again after every sync. Raises NotSeen after `within` seconds."""
        try:
            async with asyncio.timeout(within):
                while not await self._holds(condition, patience=PATIENCE):
                    await self._scroll_back()
        except TimeoutError:
            seen = render(self.transcript[-12:])
            raise NotSeen(f"{self.user_id} waited {within:.0f} s for {what}. She saw:\n{seen or '(nothing)'}") from None

    async def own_devices(self) -> list[str]:
        """Ids of the devices that have published keys on her account."""
        answer = await self.request("POST", f"{KEYS}/query", {"device_keys": {self.user_id: []}})
        return list(answer["device_keys"].get(self.user_id, {}))

    async def sign_device(self, device_id: str) -> None:
        """Sign another device of hers, as approving a new log-in does. She must have looked at it: the served keys are signed."""
        if self.identity is None:
            raise PersonError(f"{self.user_id} has no cross-signing identity")
        answer = await self.request("POST", f"{KEYS}/query", {"device_keys": {self.user_id: [device_id]}})
        await self._upload_signature(self.identity, answer["device_keys"][self.user_id][device_id])

    @property
    def transcript(self) -> list[Message]:
        """Everything she saw, in the order of arrival, edits and redactions applied, shields judged with what is known now."""
        return [self._judged(message) for message in self._transcript.messages]

    async def request(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One authenticated call to her homeserver. Raises PersonError on any answer but 200."""
        headers = {"Authorization": f"Bearer {self.client.access_token}"}
        timeout = aiohttp.ClientTimeout(total=60)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.request(method, self.client.homeserver + path, json=body, headers=headers) as answer,
        ):
            content = await answer.json(content_type=None)
            if answer.status != 200:
                raise PersonError(f"{method} {path.partition('?')[0]} answered {answer.status}: {content}")
            return dict(content)

    async def _enter(self) -> None:
        answer = await self.client.login(self.password, device_name="caseworker")
        if isinstance(answer, LoginError):
            raise PersonError(f"log-in of {self.user_id} failed: {answer.message}")
        checked(await self.client.keys_upload())
        if self.identity:
            # Our own master is pinned from our own keys, never from the homeserver's first answer.
            self.client.masters[self.user_id] = self.identity.fingerprint
            await self._publish(self.identity)
        self.client.add_event_callback(self._on_event, None)  # None: every event
        self.client.add_to_device_callback(self._on_to_device, UnknownToDeviceEvent)
        checked(await self.client.sync(timeout=0, sync_filter=SYNC_FILTER, full_state=True))

    async def _publish(self, identity: Identity) -> None:
        # The first upload, and an identical one later, need no password; another identity would (and gets) one.
        who = {"type": "m.id.user", "user": self.user_id}
        auth = {"type": "m.login.password", "identifier": who, "password": self.password}
        await self.request("POST", f"{KEYS}/device_signing/upload", identity.publication(self.user_id) | {"auth": auth})
        await self._upload_signature(identity, self.client.own_device_document())

    async def _upload_signature(self, identity: Identity, device: dict[str, Any]) -> None:
        body = {self.user_id: {device["device_id"]: identity.sign_device(device)}}
        answer = await self.request("POST", f"{KEYS}/signatures/upload", body)
        if answer.get("failures"):  # a 200 can hide them
            raise PersonError(f"the homeserver refused the device signature of {self.user_id}")

    async def _end_sync(self) -> None:
        """Cancel until it ends: a request that times out in the same moment turns its cancellation into a time-out and goes on."""
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1)

    async def _live(self) -> None:
        try:
            while True:
                await self._once()
        finally:
            async with self._news:
                self._news.notify_all()

    async def _holds(self, condition: Callable[[], bool], *, patience: float) -> bool:
        try:
            async with asyncio.timeout(patience), self._news:
                while not condition():
                    self._raise_if_dead()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def _scroll_back(self) -> None:
        """Read the last hundred events of every room again, as somebody does who waits and scrolls.

        What a homeserver missed while it was away it fetches as history: such events never come down /sync.
        """
        for room in list(self.client.rooms.values()):
            page = await self.client.room_messages(room.room_id, None, limit=100)
            if isinstance(page, RoomMessagesResponse):
                for event in reversed(page.chunk):
                    await self._on_event(room, event)

    async def _once(self) -> None:
        """One sync and what follows from it, in order: keys out, keys asked, invitations, late decryption."""
        try:
            answer = await self.client.sync(timeout=LONG_POLL, sync_filter=SYNC_FILTER)
            if not isinstance(answer, SyncResponse):
                await asyncio.sleep(PAUSE)
                return
            await self._housekeeping()
        except (aiohttp.ClientError, TimeoutError):
            await asyncio.sleep(PAUSE)
        async with self._news:
            self._retry_unread()
            self._news.notify_all()

    async def _housekeeping(self) -> None:
        client = self.client
        await client.send_to_device_messages()
        if client.should_upload_keys:
            await client.keys_upload()
        if client.should_query_keys:
            await client.keys_query()
        if client.should_claim_keys:
            await client.keys_claim(client.get_users_for_key_claiming())
        for room, invitation in list(client.invited_rooms.items()):
            if invitation.inviter in self.hubs and room not in client.rooms:
                await client.join(room)

    async def _on_event(self, room: MatrixRoom, event: Event) -> None:
        if isinstance(event, MegolmEvent):
            self._unread[event.event_id] = (room.room_id, event)
        self._take(room, event)

    def _take(self, room: MatrixRoom, event: Event) -> None:
        source = event.source
        if "origin_server_ts" not in source:  # stripped state of an invitation
            return
        clear = room.encrypted and not event.decrypted
        key = str(event.sender_key) if event.decrypted else None
        self._transcript.take(room.room_id, source, sender_key=key, shield="clear" if clear else None)

    async def _on_to_device(self, event: UnknownToDeviceEvent) -> None:
        if event.type == "m.room_key.withheld":
            self.withheld.append(dict(event.source["content"]))

    def _retry_unread(self) -> None:
        for event_id, (room_id, event) in list(self._unread.items()):
            try:
                readable = self.client.decrypt_event(event)
            except EncryptionError:
                continue
            del self._unread[event_id]
            if isinstance(readable, Event):
                self._take(self.client.rooms[room_id], readable)

    def _judged(self, message: Message) -> Message:
        if message.shield or message.sender_key is None or message.sender == self.user_id:
            return message
        return replace(message, shield=self._device_shield(message.sender, message.sender_key))

    def _device_shield(self, sender: str, key: str) -> str | None:
        device = next((d for d in self.client.device_store.active_user_devices(sender) if d.curve25519 == key), None)
        if device is None:
            return "unknown-device"
        return None if self.client.is_signed(device) else "unsigned-device"

    def _raise_if_dead(self) -> None:
        if self._task and self._task.done():
            cause = None if self._task.cancelled() else self._task.exception()
            raise PersonError(f"the client of {self.user_id} is not running") from cause


def checked(answer: Response | ErrorResponse) -> Response:
    if isinstance(answer, ErrorResponse):
        raise PersonError(f"the homeserver answered {answer.status_code}: {answer.message}")
    return answer
