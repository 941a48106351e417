"""Probes, metrics and what every answer keeps to."""

from __future__ import annotations

import dataclasses
import io
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.base.sections import Web
from hub.web.app import WebServer
from hub.web.facts import Facts
from hub.web.health import SYNC_FRESH_SECONDS, readiness
from hub.web.metrics import Metrics
from tests.operation.samples import CANARY

WELL = Facts(database=True, sync_age_seconds=2.0, device_trusted=True)


class Source:
    """A provider whose answer the test chooses."""

    def __init__(self) -> None:
        self.facts: Facts | Exception = WELL

    async def __call__(self) -> Facts:
        if isinstance(self.facts, Exception):
            raise self.facts
        return self.facts


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
async def server(source: Source, tmp_path: Path) -> AsyncIterator[WebServer]:
    running = WebServer(Web(), source, address_file=tmp_path / "web.address")
    await running.start()
    yield running
    await running.stop()


async def get(server: WebServer, path: str, **headers: str) -> tuple[int, str, Any]:
    async with aiohttp.ClientSession() as session, session.get(server.address + path, headers=headers) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_live_and_ready(server: WebServer, source: Source, tmp_path: Path) -> None:
    assert (await get(server, "/health/live"))[0] == 200
    assert (await get(server, "/health/ready"))[0] == 200
    assert (tmp_path / "web.address").read_text().strip() == server.address
    assert (tmp_path / "web.address").stat().st_mode & 0o777 == 0o600
    source.facts = dataclasses.replace(WELL, database=False)
    status, text, _ = await get(server, "/health/ready")
    assert status == 503
    assert '"database": {"ok": false, "code": "database.away"}' in text
    assert (await get(server, "/health/live"))[0] == 200


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"database": False}, "database.away"),
        ({"sync_age_seconds": None}, "sync.never"),
        ({"sync_age_seconds": SYNC_FRESH_SECONDS + 1}, "sync.stale"),
        ({"sync_age_seconds": math.nan}, "sync.stale"),
        ({"device_trusted": False}, "device.untrusted"),
    ],
)
def test_each_condition_alone_makes_us_not_ready(changed: dict[str, Any], code: str) -> None:
    assert all(check.ok for check in readiness(WELL))
    failed = [check for check in readiness(dataclasses.replace(WELL, **changed)) if not check.ok]
    assert [check.code for check in failed] == [code]


async def test_r16_a_failing_provider_is_told_without_its_text(server: WebServer, source: Source, told: io.StringIO) -> None:
    source.facts = RuntimeError(CANARY)
    seen = [await get(server, path) for path in ("/health/ready", "/metrics")]
    assert [status for status, _, _ in seen] == [503, 503]
    assert CANARY not in "".join(text for _, text, _ in seen) + told.getvalue()


async def test_r16_error_pages_and_headers(server: WebServer, told: io.StringIO) -> None:
    status, text, headers = await get(server, f"/nothing/{CANARY}?q={CANARY}")
    assert (status, text) == (404, '{"code": "web.http_404"}')
    assert headers["Server"] == "tinkuy"
    assert headers["Cache-Control"] == "no-store"
    assert CANARY not in told.getvalue()
    assert (await get(server, "/metrics", Host="evil.example"))[0] == 421
    assert (await get(server, "/health/live", Host="localhost:1"))[0] == 200


async def test_metrics_say_what_the_facts_say(server: WebServer, source: Source) -> None:
    source.facts = dataclasses.replace(WELL, outbox={"ready": 2, CANARY: 9}, unacked=3, overdue_checkins=1, sync_age_seconds=None)
    _, text, _ = await get(server, "/metrics")
    samples = {
        (sample.name, tuple(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert samples["tinkuy_outbox", (("state", "ready"),)] == 2
    assert samples["tinkuy_unacked", ()] == 3
    assert samples["tinkuy_overdue_checkins", ()] == 1
    assert samples["tinkuy_ready", ()] == 0
    assert samples["tinkuy_sync_age_seconds", ()] == math.inf
    assert samples["tinkuy_backup_age_seconds", ()] == math.inf
    assert CANARY not in text


def test_every_number_of_the_facts_is_a_metric() -> None:
    numbers = {field.name for field in dataclasses.fields(Facts)} - {"database", "role"}
    assert {f"tinkuy_{name}" for name in numbers} | {"tinkuy_leads"} <= Metrics().names()


async def test_another_machines_address_cannot_even_be_configured() -> None:
    with pytest.raises(ValueError, match=r"solo|only"):
        Web(host="192.0.2.1")
