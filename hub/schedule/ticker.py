"""Wakes one callable at the time that it named itself, and at least every so often. Holds no state worth keeping.

APScheduler with its memory store only: its SQL store pickles jobs (R09), and its default grace of one second silently drops
what is late (R07). Here nothing can be dropped, because a wake carries no meaning: whoever is woken reads the rows due *now*.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from hub.base import logs
from hub.base.clock import Clock, SystemClock

Wake = Callable[[], Awaitable[datetime | None]]
"""Does all that is due and gives the next due time (aware), or None when nothing waits."""
_log = logs.get("schedule")


class Ticker:
    """One wake at a time; a poke during a wake is followed by another wake, so a row written meanwhile is never missed."""

    def __init__(self, wake: Wake, *, at_least_every: timedelta = timedelta(seconds=60), clock: Clock | None = None) -> None:
        self._wake = wake
        self._longest = at_least_every
        self._clock = clock or SystemClock()
        self._scheduler = AsyncIOScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": AsyncIOExecutor()},
            timezone=UTC,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._poked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin with a wake at once: after downtime what is overdue comes first."""
        self._scheduler.start()
        self._poked.set()
        self._task = asyncio.create_task(self._turn(), name="ticker")

    def poke(self) -> None:
        """Wake now, or as soon as the wake in progress ends. Several pokes are one."""
        self._poked.set()

    async def stop(self) -> None:
        """Let a wake in progress finish (it may be inside a unit of work), then stop."""
        if self._task is None:
            return
        self._scheduler.shutdown(wait=False)
        task, self._task = self._task, None
        self._poked.set()
        await task

    async def _turn(self) -> None:
        while True:
            await self._poked.wait()
            self._poked.clear()
            if self._task is None:
                return
            due = self._next(await self._woken())
            self._scheduler.add_job(self._ring, "date", run_date=due, id="next", replace_existing=True)

    async def _ring(self) -> None:
        """`poke` for the scheduler: a plain function it would run in a thread, where an asyncio event may not be set."""
        self.poke()

    async def _woken(self) -> datetime | None:
        """A wake that fails must not end the clock: it is told, and the next one comes in due time."""
        try:
            return await self._wake()
        except Exception as error:
            _log.error("schedule.wake_failed", error=error)
            return None

    def _next(self, due: datetime | None) -> datetime:
        """Machine time of the next wake: when the caller's clock says `due`, within the longest pause, never in the past."""
        if due is not None and due.tzinfo is None:
            raise ValueError("a due time needs a zone")
        pause = self._longest if due is None else min(max(due - self._clock.now(), timedelta(0)), self._longest)
        return datetime.now(UTC) + pause
