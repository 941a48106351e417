"""`/health/live`: the loop turns. `/health/ready`: what people send would be handled; if not, which check failed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from hub.base import logs
from hub.web.facts import Facts, FactsProvider

SYNC_FRESH_SECONDS = 90.0
"""A long poll lasts 30 s; three of them missed is more than a slow homeserver."""
ANSWER_SECONDS = 5.0
_log = logs.get("web")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One named condition of readiness."""

    name: str
    ok: bool
    code: str = ""
    """Why not: `sync.stale`, `sync.never`, `database.away`, `device.untrusted`, `facts.unavailable`."""


def readiness(facts: Facts) -> tuple[Check, ...]:
    """Pure: what these facts say. Not knowing is not being ready."""
    age = facts.sync_age_seconds
    stale = "sync.never" if age is None else "" if age <= SYNC_FRESH_SECONDS else "sync.stale"
    return (
        Check(name="database", ok=facts.database, code="" if facts.database else "database.away"),
        Check(name="sync", ok=not stale, code=stale),
        Check(name="device", ok=facts.device_trusted, code="" if facts.device_trusted else "device.untrusted"),
    )


async def checks_now(provider: FactsProvider) -> tuple[Check, ...]:
    """Ask for facts, with a time limit; a failure to answer is itself a failed check."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return readiness(await provider())
    except Exception as error:
        _log.warning("web.facts_failed", error=error)
        return (Check(name="facts", ok=False, code="facts.unavailable"),)


def routes(provider: FactsProvider) -> list[web.RouteDef]:
    """The three probes; `/health/leader` answers 200 on the server that acts."""

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def ready(_: web.Request) -> web.Response:
        checks = await checks_now(provider)
        well = all(check.ok for check in checks)
        shown = {check.name: {"ok": check.ok} | ({"code": check.code} if check.code else {}) for check in checks}
        return web.json_response({"status": "ready" if well else "not_ready", "checks": shown}, status=200 if well else 503)

    async def leader(_: web.Request) -> web.Response:
        try:
            role = (await provider()).role
        except Exception as error:
            _log.warning("web.facts_failed", error=error)
            role = "unknown"
        return web.json_response({"role": role}, status=200 if role in ("alone", "leader") else 503)

    return [web.get("/health/live", live), web.get("/health/ready", ready), web.get("/health/leader", leader)]
