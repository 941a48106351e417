"""One request to the homeserver: capped in time and size, bounded under rate limits, and an error is an exception (N14, N19)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import threading
from typing import Any, Protocol

import aiohttp

from hub.matrix.errors import HomeserverAway, HomeserverRefused, LoginLost

MAX_BYTES = 32 * 1024 * 1024
MAX_WAIT = 60.0
"""Seconds that a rate limit may make us wait at once, whatever the homeserver asks for."""
MAX_LIMITED = 5
"""Rate-limit answers to one request before we give up."""
TIMEOUT = 30.0
DEEP_LEVELS = 100_000
"""More than a 64 KiB event can nest."""
DEEP_STACK = 512 * 1024 * 1024
"""Bytes of address space, used only as far as the nesting goes."""
_deep = threading.Lock()


class SendsHttp(Protocol):
    """What is needed of a nio `AsyncClient`: ours, or a plain one that has logged in."""

    user_id: str
    device_id: str
    access_token: str
    olm: Any

    async def send(
        self,
        method: str,
        path: str,
        data: Any = None,
        headers: Any = None,
        trace_context: Any = None,
        timeout: float | None = None,  # noqa: ASYNC109 - nio's signature
    ) -> aiohttp.ClientResponse: ...


class TooMuch(HomeserverAway):
    """the answer is longer than we read; ask for less."""


async def call(client: SendsHttp, method: str, path: str, body: Any = None, *, seconds: float = TIMEOUT) -> tuple[int, dict[str, Any]]:
    """Status and JSON object (anything else counts as an empty one). Errors as `fetch`."""
    status, value = await fetch(client, method, path, body, seconds=seconds)
    return status, value if isinstance(value, dict) else {}


async def post_as_owner(client: SendsHttp, path: str, body: dict[str, Any], password: str | None, *, refused: str) -> None:
    """POST; where the server asks who we are (user-interactive authentication), once more with the password.

    Raises HomeserverRefused with the words `refused`, also for a password that is wrong or missing; errors of `fetch`.
    """
    status, answer = await call(client, "POST", path, body)
    if status == 401 and "flows" in answer and password is not None:
        who = {"type": "m.id.user", "user": client.user_id}
        auth = {"type": "m.login.password", "identifier": who, "password": password, "session": answer.get("session")}
        status, answer = await call(client, "POST", path, {**body, "auth": auth})
    if status != 200:
        raise HomeserverRefused(refused, status=status, errcode=errcode(answer))


async def fetch(client: SendsHttp, method: str, path: str, body: Any = None, *, seconds: float = TIMEOUT) -> tuple[int, Any]:
    """Status and JSON value. The token travels in a header, never in the address.

    Raises HomeserverAway when no answer came within `seconds`, TooMuch when it is longer than 32 MiB.
    """
    headers = {"Content-Type": "application/json"}
    if client.access_token:
        headers["Authorization"] = f"Bearer {client.access_token}"
    data = None if body is None else json.dumps(body, separators=(",", ":"))
    try:
        async with asyncio.timeout(seconds):
            answer = await client.send(method, path, data, headers, timeout=seconds)
            try:
                raw = await _read(answer)
            finally:
                answer.release()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise HomeserverAway("matrix.away", f"the homeserver did not answer ({type(error).__name__})") from error
    return answer.status, await _parse(raw)


async def answers(client: SendsHttp, *, seconds: float = 2.0) -> bool:
    """Whether anybody is there: the one question that costs a homeserver nothing and needs no login."""
    try:
        status, _ = await fetch(client, "GET", "/_matrix/client/versions", seconds=seconds)
    except HomeserverAway:
        return False
    return status == 200


limited = {"count": 0}
"""Answers 429 since the start, for `tinkuy doctor`: a homeserver with default limits makes a hub mute."""


async def request(client: SendsHttp, method: str, path: str, body: Any = None, *, seconds: float = TIMEOUT) -> dict[str, Any]:
    """The JSON object of a 200 answer; waits out rate limits, at most five times and never over a minute at once.

    Raises HomeserverAway (no answer, or a 5xx), LoginLost (our token is dead; no request mends that) or HomeserverRefused (any other).
    """
    answer = await request_any(client, method, path, body, seconds=seconds)
    return answer if isinstance(answer, dict) else {}


async def request_list(client: SendsHttp, method: str, path: str) -> list[Any]:
    """The JSON list of a 200 answer. Errors as `request`."""
    answer = await request_any(client, method, path)
    return answer if isinstance(answer, list) else []


async def request_any(client: SendsHttp, method: str, path: str, body: Any = None, *, seconds: float = TIMEOUT) -> Any:
    """The JSON value of a 200 answer. Errors as `request`."""
    for _ in range(MAX_LIMITED + 1):
        status, value = await fetch(client, method, path, body, seconds=seconds)
        if status == 200:
            return value
        answer = value if isinstance(value, dict) else {}
        if status != 429:
            break
        limited["count"] += 1
        await asyncio.sleep(_pause(answer))
    if status >= 500 or status == 429:
        raise HomeserverAway("matrix.away", f"the homeserver answered {status}", status=status)
    if status == 401 and errcode(answer) == "M_UNKNOWN_TOKEN":
        raise LoginLost("matrix.token_dead", "the homeserver does not accept our login any more")
    raise HomeserverRefused(f"the homeserver answered {status} {errcode(answer)}", status=status, errcode=errcode(answer))


def errcode(answer: dict[str, Any]) -> str:
    """The error code, when it looks like one; never the free text, which may repeat what was sent."""
    code = answer.get("errcode", "")
    return code if isinstance(code, str) and code.isascii() and code.replace("_", "").replace(".", "").isalnum() else "unknown"


def _pause(answer: dict[str, Any]) -> float:
    wait = answer.get("retry_after_ms", 1000)
    return min(MAX_WAIT, max(0.05, wait / 1000)) if isinstance(wait, int | float) else 1.0


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in answer.content.iter_chunked(256 * 1024):
        size += len(part)
        if size > MAX_BYTES:
            answer.close()
            raise TooMuch("matrix.too_much", f"the homeserver's answer is longer than {MAX_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


async def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else {}
    except RecursionError:
        # A stranger's to-device message, nested as deep as the homeserver just lets through, would else stop every sync (N1).
        return await asyncio.to_thread(_parse_deep, raw)
    except ValueError as error:
        raise HomeserverAway("matrix.not_json", "the homeserver's answer is not JSON") from error


def _parse_deep(raw: bytes) -> Any:
    """Parse with room for far deeper nesting, in a thread whose stack is large enough for it; cut off, it is no answer."""
    found: list[Any] = []

    def work() -> None:
        with contextlib.suppress(ValueError, RecursionError):
            found.append(json.loads(raw))

    with _deep:
        size, limit = threading.stack_size(DEEP_STACK), sys.getrecursionlimit()
        sys.setrecursionlimit(DEEP_LEVELS)
        try:
            thread = threading.Thread(target=work, daemon=True)
            thread.start()
            thread.join()
        finally:
            sys.setrecursionlimit(limit)
            threading.stack_size(size)
    if not found:
        raise HomeserverAway("matrix.not_json", "the homeserver's answer is not JSON")
    return found[0]
