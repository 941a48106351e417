"""R07, R09: the ticker wakes in time, after downtime, after a failure, and keeps nothing that could be lost or planted."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from hub.base.clock import ShiftedClock
from hub.schedule.ticker import Ticker
from tests.operation.samples import ROOT

LONG = timedelta(hours=1)
PATIENCE = 30.0
"""Seconds until a test gives up; never what it measures."""


class Woken:
    """Counts wakes, and lets a test wait for the nth."""

    def __init__(self, due: Callable[[int], datetime | None]) -> None:
        self.count = 0
        self._due = due
        self._news = asyncio.Condition()

    async def __call__(self) -> datetime | None:
        async with self._news:
            self.count += 1
            self._news.notify_all()
        return self._due(self.count)

    async def reach(self, count: int) -> None:
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: self.count >= count), PATIENCE)


@pytest.fixture
async def started() -> AsyncIterator[Callable[[Ticker], Ticker]]:
    running: list[Ticker] = []

    def start(ticker: Ticker) -> Ticker:
        ticker.start()
        running.append(ticker)
        return ticker

    yield start
    for ticker in running:
        await asyncio.wait_for(ticker.stop(), PATIENCE)


async def test_wakes_at_once_and_then_at_the_due_time(started: Callable[[Ticker], Ticker]) -> None:
    woken = Woken(lambda count: datetime.now(UTC) + timedelta(milliseconds=20) if count < 4 else None)
    started(Ticker(woken, at_least_every=LONG))
    await woken.reach(4)


async def test_r07_what_is_long_overdue_wakes_at_once(started: Callable[[Ticker], Ticker]) -> None:
    woken = Woken(lambda count: datetime.now(UTC) - timedelta(days=3) if count == 1 else None)
    started(Ticker(woken, at_least_every=LONG))
    await woken.reach(2)


async def test_wakes_at_least_every_so_often(started: Callable[[Ticker], Ticker]) -> None:
    woken = Woken(lambda _: datetime.now(UTC) + timedelta(days=300))
    started(Ticker(woken, at_least_every=timedelta(milliseconds=20)))
    await woken.reach(3)


async def test_poke_wakes_now(started: Callable[[Ticker], Ticker]) -> None:
    woken = Woken(lambda _: None)
    ticker = started(Ticker(woken, at_least_every=LONG))
    await woken.reach(1)
    ticker.poke()
    await woken.reach(2)


async def test_a_poke_during_a_wake_is_followed_by_one_more_and_wakes_never_overlap(started: Callable[[Ticker], Ticker]) -> None:
    inside, begun, go = 0, asyncio.Event(), asyncio.Event()
    seen: list[int] = []

    async def wake() -> None:
        nonlocal inside
        inside += 1
        seen.append(inside)
        begun.set()
        await go.wait()
        inside -= 1

    ticker = started(Ticker(wake, at_least_every=LONG))
    await begun.wait()
    begun.clear()
    for _ in range(5):
        ticker.poke()
    go.set()
    await asyncio.wait_for(begun.wait(), PATIENCE)
    assert seen == [1, 1]


async def test_a_failing_wake_does_not_end_the_clock(started: Callable[[Ticker], Ticker]) -> None:
    woken = Woken(lambda count: 1 / 0 if count == 1 else None)
    started(Ticker(woken, at_least_every=timedelta(milliseconds=20)))
    await woken.reach(3)


async def test_due_by_a_shifted_clock(started: Callable[[Ticker], Ticker]) -> None:
    clock = ShiftedClock(datetime(2030, 1, 1, tzinfo=UTC))
    woken = Woken(lambda count: clock.now() + timedelta(hours=2) if count < 2 else None)
    ticker = started(Ticker(woken, at_least_every=timedelta(hours=3), clock=clock))
    await woken.reach(1)
    clock.advance(timedelta(hours=2))
    ticker.poke()
    await woken.reach(2)


async def test_r07_stop_waits_for_the_wake_in_progress() -> None:
    begun, go, done = asyncio.Event(), asyncio.Event(), []

    async def wake() -> None:
        begun.set()
        await go.wait()
        done.append(True)

    ticker = Ticker(wake, at_least_every=LONG)
    ticker.start()
    await begun.wait()
    stopping = asyncio.create_task(ticker.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    go.set()
    await asyncio.wait_for(stopping, PATIENCE)
    assert done == [True]
    await ticker.stop()


def test_r09_nothing_of_ours_can_unpickle() -> None:
    """Also no SQL job store, which pickles."""
    forbidden = {"pickle", "shelve", "marshal", "dill", "apscheduler.jobstores.sqlalchemy"}
    files = [path for root in ("hub", "keys", "policies", "adapters") for path in (ROOT / root).rglob("*.py")]
    assert len(files) > 20
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not forbidden & set(names), path.name
