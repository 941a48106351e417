"""A worker: woken by pokes, never by two at once, and not stopped by one failure."""

from __future__ import annotations

import asyncio

from hub.base import logs
from hub.base.errors import Forged

_log = logs.get("worker")
LONGEST_PAUSE = 30.0


class Worker:
    """Runs `turn` whenever it was poked or the pause that the last turn asked for is over. A failing turn backs off 1 → 30 s."""

    name = "worker"

    def __init__(self, poked: asyncio.Event | None = None) -> None:
        self._poked = poked or asyncio.Event()
        self._poked.set()

    def poke(self) -> None:
        """There may be work."""
        self._poked.set()

    async def turn(self) -> float:
        """Do what there is to do; the seconds until the next turn without a poke."""
        raise NotImplementedError

    async def run(self) -> None:
        """Turn after turn, for ever."""
        failures = 0
        while True:
            self._poked.clear()
            try:
                pause = await self.turn()
                failures = 0
            except Forged:
                raise
            except Exception as error:
                failures += 1
                pause = min(2.0 ** min(failures - 1, 5), LONGEST_PAUSE)
                _log.warning("worker.failed", action=self.name, error=error, count=failures)
                await asyncio.sleep(min(pause, 2.0))
            try:
                async with asyncio.timeout(pause):
                    await self._poked.wait()
            except TimeoutError:
                pass
