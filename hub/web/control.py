"""The control socket: how the other commands speak to the one process that owns the database and the Olm machine.

JSON lines over a Unix socket of mode 0600: `{"command", "args"}` → `{"ok": true, "result"}` or
`{"ok": false, "error": {code, message, hint, params}}`. The checks, in order: (1) the kernel's word for the peer's user id, not
the file mode alone: a socket that somebody re-chmodded must not hand over the hub; (2) size and time; (3) an object with a known
command; (4) the handler, whose unforeseen errors are logged by class and answered without their text.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hub.base import logs
from hub.base.errors import Stopped, TinkuyError
from keys.errors import KeysError

REQUEST_BYTES = 1 << 20
"""Room for a manifest in base64, several times over."""
ANSWER_BYTES = 8 << 20
IDLE_SECONDS = 10.0
WORK_SECONDS = 120.0
CONNECTIONS = 16

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]
"""Takes the arguments, gives a JSON value; raises `ControlError` (or another `TinkuyError`) to refuse."""
_log = logs.get("control")


class ControlError(TinkuyError):
    """The running hub refused, or could not be asked. `message`: what and why; `hint`: what to do (Spanish first)."""

    def __init__(self, code: str, message: str = "", hint: str = "") -> None:
        super().__init__(code)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message or self.code


class HubAway(ControlError):
    """Nobody answers at the socket: the hub is not running, or another user runs it."""


class ControlServer:
    """Serves the commands that the composition root registers."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler] | None = None) -> None:
        self._path = path
        self._handlers = dict(handlers or {})
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    def register(self, command: str, handler: Handler) -> None:
        """Add one command; a name is given once."""
        if command in self._handlers:
            raise ValueError(command)
        self._handlers[command] = handler

    async def start(self) -> None:
        """Create the socket, replacing one that nobody answers at.

        Raises:
            Stopped: `control.in_use`, another hub answers there.
        """
        if await _answers(self._path):
            raise Stopped("control.in_use")
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)  # born 0600: a chmod after bind would leave a moment open
        try:
            listener.bind(str(self._path))
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(self._connected, sock=listener, limit=REQUEST_BYTES)

    async def stop(self) -> None:
        """Take no more requests and end the open ones."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None
        self._path.unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        try:
            if len(self._open) <= CONNECTIONS and _is_ours(writer):  # (1)
                await self._converse(reader, writer)
        except (OSError, TimeoutError, ValueError):
            _log.info("control.dropped")  # (2) too long, too slow, or gone
        except asyncio.CancelledError:
            pass  # only `stop` cancels this task, and it waits for it
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(IDLE_SECONDS):
                line = await reader.readline()
            if not line.endswith(b"\n"):
                return
            answer = await self._answer(line)
            writer.write(answer if len(answer) <= ANSWER_BYTES else _error_line(ControlError("control.too_large")))
            async with asyncio.timeout(IDLE_SECONDS):
                await writer.drain()

    async def _answer(self, line: bytes) -> bytes:
        try:
            command, args = _request(line)  # (3)
            handler = self._handlers.get(command)
            if handler is None:
                raise ControlError("control.unknown_command")
            async with asyncio.timeout(WORK_SECONDS):
                answer = _line({"ok": True, "result": await handler(args)})  # (4)
        except TinkuyError as refusal:
            _log.info("control.refused", error=refusal)
            return _error_line(refusal)
        except KeysError as refusal:
            _log.info("control.refused", error=refusal)
            return _error_line(ControlError(refusal.code))  # its text is for whoever reads the code; people read `hub/key_words.py`
        except Exception as error:
            _log.error("control.failed", error=error)
            return _error_line(ControlError("control.internal"))
        _log.info("control.done", command=command)
        return answer


async def call(path: Path, command: str, args: Mapping[str, Any] | None = None, *, timeout: float = WORK_SECONDS) -> Any:  # noqa: ASYNC109
    """Ask the running hub; gives its result.

    Raises:
        HubAway: nobody answers at `path`, or not in time.
        ControlError: it refused; code, message and hint are its own.
    """
    line = json.dumps({"command": command, "args": dict(args or {})}).encode() + b"\n"
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=ANSWER_BYTES + 1)
            try:
                writer.write(line)
                await writer.drain()
                answer = json.loads(await reader.readline() or b"null")
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError) as error:
        raise HubAway("control.away") from error
    if not isinstance(answer, dict):
        raise HubAway("control.away")
    if answer.get("ok") is True:
        return answer.get("result")
    told = answer.get("error") or {}
    params = {str(name): value for name, value in (told.get("params") or {}).items() if isinstance(value, str | int)}
    refusal = ControlError(str(told.get("code", "control.internal")), str(told.get("message", "")), str(told.get("hint", "")))
    refusal.params = params  # set, not passed: a parameter may have the name of an argument
    raise refusal


def _request(line: bytes) -> tuple[str, dict[str, Any]]:
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ControlError("control.not_json") from error
    if not isinstance(asked, dict) or set(asked) - {"command", "args"} or not isinstance(asked.get("command"), str):
        raise ControlError("control.bad_request")
    args = asked.get("args", {})
    if not isinstance(args, dict):
        raise ControlError("control.bad_request")
    return asked["command"], args


def _line(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode() + b"\n"


def _error_line(refusal: TinkuyError) -> bytes:
    message, hint = (refusal.message, refusal.hint) if isinstance(refusal, ControlError) else ("", "")
    return _line({"ok": False, "error": {"code": refusal.code, "message": message, "hint": hint, "params": refusal.params}})


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    """Only our own user and root; a system that cannot say who calls gets no answer."""
    if not hasattr(socket, "SO_PEERCRED"):
        return False
    peer = writer.get_extra_info("socket")
    _pid, uid, _gid = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return permitted(uid)


def permitted(uid: int) -> bool:
    """Whether a process of this user id may command the hub."""
    return uid in {os.getuid(), 0}


async def _answers(path: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(str(path))
    except OSError:
        return False
    writer.close()
    return True
