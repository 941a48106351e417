"""The loopback listener: assembles the routes and holds what every answer must keep to.

No access log (paths and addresses are nobody's business), no exception text in an answer, and only requests whose Host is this
machine: a page in the operator's browser could otherwise read us through a name that resolves to 127.0.0.1.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from hub.base import logs
from hub.base.config import Web, is_loopback
from hub.web import health, metrics
from hub.web.facts import FactsProvider

_log = logs.get("web")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build(provider: FactsProvider, more: Iterable[web.AbstractRouteDef] = ()) -> web.Application:
    """The application with probes, metrics and `more` routes."""
    app = web.Application(middlewares=[_contained], client_max_size=64 * 1024)
    app.add_routes([*health.routes(provider), *metrics.routes(provider), *more])
    app.on_response_prepare.append(_headers)
    return app


@web.middleware
async def _contained(request: web.Request, handler: _Handler) -> web.StreamResponse:
    if not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
        return web.json_response({"code": "web.foreign_host"}, status=421)
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        return web.json_response({"code": f"web.http_{refusal.status}"}, status=refusal.status)
    except Exception as error:
        _log.error("web.failed", error=error)
        return web.json_response({"code": "web.internal"}, status=500)


async def _headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(
        {
            "Server": "tinkuy",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'",
            "Referrer-Policy": "no-referrer",
        }
    )


class WebServer:
    """The listener's life: start, its real address, stop."""

    def __init__(
        self, config: Web, provider: FactsProvider, *, more: Iterable[web.AbstractRouteDef] = (), address_file: Path | None = None
    ) -> None:
        self._config = config
        self._runner = web.AppRunner(build(provider, more), access_log=None)
        self._address_file = address_file
        self.address = ""
        """`http://127.0.0.1:<port>` once started."""

    async def start(self) -> None:
        """Listen; with port 0 the system chooses and `address_file` (0600) says which.

        Raises:
            OSError: the port is taken.
        """
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._config.host, self._config.port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        if self._address_file is not None:
            descriptor = os.open(self._address_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(self.address + "\n")
        _log.info("web.listening", address=self.address.removeprefix("http://"))

    async def stop(self) -> None:
        """Stop listening and forget the address."""
        await self._runner.cleanup()
        if self._address_file is not None:
            self._address_file.unlink(missing_ok=True)
