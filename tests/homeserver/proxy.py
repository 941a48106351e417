"""A hostile homeserver: an HTTP proxy in front of a real one that edits client-API JSON on its way (`attacks.md` B.0).

async with HostileProxy(synapse.url) as proxy:
    proxy.on_answer("/sync", lambda body: {**body, "presence": 5})
    proxy.fail("/keys/claim", times=1)
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web

Edit = Callable[[Any], Any]
_HOP = {"content-length", "transfer-encoding", "content-encoding", "connection", "date", "server"}


@dataclass(kw_only=True)
class Request:
    """What the hub asked for."""

    method: str
    path: str
    body: Any = field(repr=False)


@dataclass(kw_only=True)
class _Failure:
    part: str
    times: int
    status: int | None
    after: bool
    answer: dict[str, Any] | None = None


class HostileProxy:
    """Passes everything on, except what it was told to do otherwise."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._edits: list[tuple[str, Edit]] = []
        self._failures: list[_Failure] = []
        self.requests: list[Request] = []
        self.before: Callable[[Request], None] = lambda _: None
        """Called with every request before it is passed on."""
        self.rewrite: Callable[[bytes], bytes] = lambda body: body
        """Edits the bytes of every answer, for what cannot be said as JSON values."""
        self.delay = 0.0
        self.at_once: dict[str, int] = {}
        """Highest number of requests under way at the same time, by kind (`send`, `sync` …)."""
        self._now: dict[str, int] = {}
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self.url = ""

    def on_answer(self, part: str, edit: Edit) -> None:
        """Edit the JSON of answers to paths that contain `part`. The edit may return anything, also no JSON object."""
        self._edits.append((part, edit))

    def honest(self) -> None:
        """Stop editing and failing."""
        self._edits.clear()
        self._failures.clear()

    def fail(
        self, part: str, *, times: int = 1, status: int | None = None, after: bool = False, answer: dict[str, Any] | None = None
    ) -> None:
        """Answer the next `times` such requests with `status` (and `answer`), or (None) cut the line; with `after`, once they took effect."""
        self._failures.append(_Failure(part=part, times=times, status=status, after=after, answer=answer))

    def asked(self, part: str) -> list[Request]:
        return [one for one in self.requests if part in one.path]

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=True)
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session
        assert self._runner
        await self._session.close()
        await self._runner.cleanup()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        kind = next((part for part in ("/send/", "/sync", "/keys/", "/sendToDevice/") if part in request.path), "other")
        self._now[kind] = self._now.get(kind, 0) + 1
        self.at_once[kind] = max(self.at_once.get(kind, 0), self._now[kind])
        try:
            return await self._forward(request)
        finally:
            self._now[kind] -= 1

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        seen = Request(method=request.method, path=request.path, body=_json(data))
        self.requests.append(seen)
        self.before(seen)
        failure = self._failure(request.path)
        if failure is not None and not failure.after:
            return await _break(request, failure)
        if self.delay:
            await asyncio.sleep(self.delay)
        assert self._session
        headers = {key: value for key, value in request.headers.items() if key.lower() not in {"host", "content-length", "accept-encoding"}}
        async with self._session.request(request.method, self._upstream + request.raw_path, data=data, headers=headers) as answer:
            body = await answer.read()
        if failure is not None:
            return await _break(request, failure)
        for part, edit in self._edits:
            if part in request.path and answer.status == 200:
                body = json.dumps(edit(json.loads(body))).encode()
        body = self.rewrite(body)
        kept = {key: value for key, value in answer.headers.items() if key.lower() not in _HOP}
        return web.Response(status=answer.status, body=body, headers=kept)

    def _failure(self, path: str) -> _Failure | None:
        for failure in self._failures:
            if failure.part in path and failure.times > 0:
                failure.times -= 1
                return failure
        return None


async def _break(request: web.Request, failure: _Failure) -> web.StreamResponse:
    if failure.status is not None:
        return web.json_response(failure.answer or {"errcode": "M_UNKNOWN", "error": "broken on purpose"}, status=failure.status)
    assert request.transport
    request.transport.close()
    raise asyncio.CancelledError


def _json(data: bytes) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None
