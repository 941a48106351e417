"""`/metrics` for Prometheus, in a registry of our own. No label ever names a case, a person or a room."""

from __future__ import annotations

import math
from importlib.metadata import PackageNotFoundError, version

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from hub.base import logs
from hub.web.facts import Facts, FactsProvider
from hub.web.health import readiness

OUTBOX_STATES = ("ready", "sent", "held")
_log = logs.get("web")
_NUMBERS = {
    "sync_age_seconds": "Seconds since the last completed sync; +Inf before the first.",
    "undecryptable": "Events that could not be decrypted yet.",
    "outbox_oldest_seconds": "Age of the oldest intent that has not left.",
    "unacked": "Messages that left and are not acknowledged.",
    "overdue_checkins": "Check-ins past due, neither rung nor escalated.",
    "quarantined": "Malformed events set aside.",
    "unsigned": "Messages not read because nobody whom we trust signed their device.",
    "one_time_keys": "One-time keys the homeserver holds for us; NaN when not known.",
    "links_stopped": "Links over which nothing goes until people open them again.",
    "protocols_waiting": "Versions of protocols that wait for this institution.",
    "protocols_blocked": "Versions that this institution signed and others did not yet.",
    "protocol_days_left": "Days until the first protocol that counts here ends; NaN when none counts.",
    "rooms_drifted": "Rooms in which something is not as it should be, and not mended yet.",
    "room_strangers": "Accounts in rooms of ours where they may not be.",
    "devices_in_doubt": "Devices and keys that get nothing from us until people have looked.",
    "rate_limited": "Answers 429 of the homeserver since start.",
    "clock_skew_seconds": "Our clock minus the homeserver's; NaN when not known.",
    "backup_age_seconds": "Since the last finished backup; +Inf when there is none.",
    "manifest_days_left": "Days until the first of our own and our peers' manifests expires; NaN when not known.",
    "told_again": "Times in 90 days that somebody was asked again for what she had told once.",
    "emergencies": "Withheld fields that an emergency opened in 90 days.",
    "emergencies_unreviewed": "Emergencies of ours that supervision did not review in time.",
    "loop_lag_seconds": "Longest recent stall of the event loop.",
}
_ABSENT = {"sync_age_seconds": math.inf, "backup_age_seconds": math.inf}


class Metrics:
    """Gauges filled from one reading of the facts at each scrape."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._numbers = {name: Gauge(f"tinkuy_{name}", text, registry=self.registry) for name, text in _NUMBERS.items()}
        self._outbox = Gauge("tinkuy_outbox", "Outbox rows by state.", ["state"], registry=self.registry)
        self._guard = Gauge("tinkuy_guard_seen", "What the language guard saw since the first start, by class.", ["class"], registry=self.registry)
        self._bases = Gauge("tinkuy_legal_bases", "Legal bases in place of a consent in 90 days, by code.", ["basis"], registry=self.registry)
        self._ready = Gauge("tinkuy_ready", "1 when every readiness check passes.", registry=self.registry)
        self._device = Gauge("tinkuy_device_trusted", "1 when our device is served cross-signed.", registry=self.registry)
        self._leads = Gauge("tinkuy_leads", "1 when this server acts: it is alone, or the one that leads.", registry=self.registry)
        build = Gauge("tinkuy_build_info", "Constant 1; the label says which version runs.", ["version"], registry=self.registry)
        build.labels(version=release()).set(1)

    def show(self, facts: Facts) -> bytes:
        """Set every gauge and give the exposition text. An outbox state that we do not know never becomes a label."""
        for name, gauge in self._numbers.items():
            value = getattr(facts, name)
            gauge.set(_ABSENT.get(name, math.nan) if value is None else value)
        for state in OUTBOX_STATES:
            self._outbox.labels(state=state).set(facts.outbox.get(state, 0))
        for name, seen in facts.guard_seen.items():
            self._guard.labels(name).set(seen)
        for name, seen in facts.legal_bases.items():
            self._bases.labels(name).set(seen)
        self._ready.set(all(check.ok for check in readiness(facts)))
        self._device.set(facts.device_trusted)
        self._leads.set(facts.role != "standby")
        return generate_latest(self.registry)

    def names(self) -> frozenset[str]:
        """Every metric name, so that rules and boards can be checked against it."""
        return frozenset(metric.name for metric in self.registry.collect())


def release() -> str:
    """The version of Tinkuy that runs."""
    try:
        return version("tinkuy")
    except PackageNotFoundError:
        return "unreleased"


def routes(provider: FactsProvider) -> list[web.RouteDef]:
    """The scrape; 503 when facts cannot be had, so that Prometheus sees `up == 0` and not old numbers."""
    metrics = Metrics()

    async def scrape(_: web.Request) -> web.Response:
        try:
            text = metrics.show(await provider())
        except Exception as error:
            _log.warning("web.facts_failed", error=error)
            return web.json_response({"code": "facts.unavailable"}, status=503)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/metrics", scrape)]
