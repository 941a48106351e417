"""Kills hubs and brings them back: at named points, one after another, or at random moments."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from deploy.demo.network import HubProcess


@dataclass(kw_only=True)
class Guardian:
    """Keeps one hub alive. Each of its `points` kills it once, in their order; it is restarted at once, armed with the next."""

    hub: HubProcess
    points: list[str] = field(default_factory=list)
    died_at: list[str] = field(default_factory=list)
    _armed: str | None = None

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[Guardian]:
        """Arm the first point and watch; at the end the hub runs unarmed."""
        await self._begin_armed()
        watcher = asyncio.create_task(self._watch())
        try:
            yield self
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
            await self._disarm()

    async def all_died(self, within: float = 60.0) -> None:
        """Wait until every point was reached."""
        async with asyncio.timeout(within):
            while True:
                if not self.points and not self._armed:
                    return
                await asyncio.sleep(0.1)

    async def strike(self) -> None:
        """`kill -9` now; the watcher restarts it."""
        self._armed = "now"
        self.hub.kill()

    async def _begin_armed(self) -> None:
        if self.points:
            await self.hub.stop()
            await self._start()

    async def _watch(self) -> None:
        while True:
            assert self.hub.process is not None
            code = await self.hub.process.wait()
            assert code == -signal.SIGKILL, f"{self.hub.plan.id} ended by itself with {code}"
            self._died()
            await self._start()

    async def _start(self) -> None:
        """Start armed with the next point. It may be reached before the hub answers: then the one after that is armed."""
        while True:
            self._armed = self.points.pop(0) if self.points else None
            arm(self.hub, [self._armed] if self._armed else [])
            try:
                await self.hub.start()
            except RuntimeError:
                assert self.hub.process
                assert self.hub.process.returncode == -signal.SIGKILL, (self.hub.folder / "output.txt").read_text()[-800:]
                self._died()
            else:
                return

    def _died(self) -> None:
        if self._armed:
            self.died_at.append(self._armed)
        self._armed = None

    async def _disarm(self) -> None:
        arm(self.hub, [])
        if self._armed or self.hub.process is None or self.hub.process.returncode is not None:
            await self.hub.stop()
            await self.hub.start()
        await self.hub.answers()


def arm(hub: HubProcess, points: Iterable[str]) -> None:
    """Write, or take away, `[faults]` in the hub's configuration; it is read at the next start."""
    plain = hub.config.read_text().partition("\n[faults]")[0]
    named = ", ".join(f'"{point}"' for point in points)
    hub.config.write_text(plain + (f"\n[faults]\nkill_at = [{named}]\n" if named else ""))


async def strike_at_random(guardians: list[Guardian], seed: int, *, blows: int, pause: tuple[float, float] = (0.1, 2.5)) -> None:
    """Kill a hub chosen by `seed`, `blows` times, at moments chosen by `seed`; also one that is only just starting."""
    dice = random.Random(seed)
    for _ in range(blows):
        await asyncio.sleep(dice.uniform(*pause))
        await dice.choice(guardians).strike()
