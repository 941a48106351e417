"""`python -m bench.standby [KILLS [REFERRALS]]`: how soon does the other server act when the one that leads is killed, and is anything lost?

Two servers of one hub on one PostgreSQL, and a hub at another institution; referrals go both ways all the time. Whoever leads is ended
with SIGKILL, every other time right at a named point between a commit and its effect, and started again when the other one works.
Afterwards the soak's auditor reads both databases and both signed ledgers. Written to `bench/results/standby.json`; about nine minutes on
two cores. What people see of it in their rooms is proven by `tests/store/test_standby.py`. Exit status 1 when a promise was not kept.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.counting import Count, keep_counts, show_counts
from bench.stage import until
from hub.base.faults import POINTS
from hub.web.control import ControlError, HubAway
from tests.attacks.soak.campaign import Campaign
from tests.attacks.soak.faults import RARE, WITHIN
from tests.attacks.soak.stage import PLANS, KeptHub, Stage
from tests.store.second import second

KILLS, REFERRALS = 20, 160
PROMISED = 10.0
"""Seconds in which the other server has taken over."""
PATIENCE = 60.0
_AWAY = (HubAway, ControlError, OSError)


class Either:
    """The two servers as one hub: what is asked goes to the one that acts. The audit reads the database that both share."""

    def __init__(self, servers: list[KeptHub]) -> None:
        self.servers = servers
        self.plan, self.folder, self.config = servers[0].plan, servers[0].folder, servers[0].config
        self.ends: list[int] = []

    async def ask(self, command: str, **args: Any) -> Any:
        """One command, answered by the server that leads. Raises HubAway while none does."""
        return await (await self.leader()).ask(command, **args)

    async def leader(self) -> KeptHub:
        """Whoever leads at this moment. Raises HubAway."""
        for server in self.servers:
            if await role(server) == "leader":
                return server
        raise HubAway("hub.away")

    def rss(self) -> int:
        """KiB of both; the most stands in `most_rss`."""
        return sum(server.rss() for server in self.servers)

    @property
    def most_rss(self) -> int:
        return max(server.most_rss for server in self.servers)


async def role(server: KeptHub) -> str:
    """What it says it does; nothing when it does not answer."""
    try:
        return str((await server.ask("status"))["role"])
    except _AWAY:
        return ""


class TwoServers(Stage):
    """The soak's stage with a second server of the first institution; nobody starts the two again but the trial."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, postgres=True)
        self.extras = {PLANS[0].id: self.extras[PLANS[0].id] + 'server = "uno"\n'}
        self.either: Either | None = None

    async def start(self) -> None:
        """As always, then the second server beside the first."""
        await super().start()
        first = self.kept[0]
        assert first._keeper is not None
        first._keeper.cancel()
        other = second(first, "dos")
        self.either = Either([first, other])
        await launch(other)

    @property
    def kept(self) -> list[Any]:
        """The hubs as the campaign knows them."""
        return super().kept if self.either is None else [self.either, *super().kept[1:]]

    async def stop(self) -> None:
        if self.either is not None:
            await self.either.servers[1].stop()
        await super().stop()


async def launch(server: KeptHub) -> None:
    """Run it; it stands by."""
    await server._launch()
    await server.answers(PATIENCE)
    if await role(server) != "standby":
        raise AssertionError("who comes back takes nothing from the one that leads")


@dataclass(kw_only=True)
class Falls(Campaign):
    """The campaign with one kind of fault: whoever leads is killed. `leads` and `acts`: seconds from its end to the other one's."""

    leads: list[float] = field(default_factory=list)
    acts: list[float] = field(default_factory=list)

    async def _strike(self) -> None:
        dice = random.Random(self.seed)
        points = [point for point in POINTS if point not in RARE]
        moments = sorted(dice.uniform(0, self.referrals * 0.95) for _ in range(self.faults))
        self._ahead = list(moments)
        for number, moment in enumerate(moments):
            await self._until(moment)
            await self._fall(f"{dice.choice(points)}:{dice.randint(1, 3)}" if number % 2 else "")
            self._ahead = self._ahead[1:]
            self.say(f"{self._clock()} kill {number + 1}/{self.faults}: leads after {self.leads[-1]:.2f} s, acts after {self.acts[-1]:.2f} s")

    async def _fall(self, point: str) -> None:
        """Kill the one that leads, at that point when there is one; time the other; start the fallen one again."""
        either = self.stage.kept[0]
        assert isinstance(either, Either)
        await until(lambda: _led(either), "a server that leads", PATIENCE)
        fallen = await either.leader()
        other = next(server for server in either.servers if server is not fallen)
        kind = "leader"
        if point:
            await fallen.ask("desk.arm", points=[point])
            if await fallen.dies(WITHIN):
                kind = f"leader at {point.partition(':')[0]}"
        began = time.monotonic()
        fallen.kill()
        self.leads.append(await self._timed(began, lambda: _leads(other)))
        self.acts.append(await self._timed(began, lambda: _acts(other)))
        assert fallen.process is not None
        either.ends.append(await fallen.process.wait())
        self._menu.bitten[kind] += 1
        await launch(fallen)

    async def _timed(self, began: float, there: Callable[[], Awaitable[bool]]) -> float:
        await until(there, "the other server", PATIENCE)
        return time.monotonic() - began


async def _led(either: Either) -> bool:
    return "leader" in [await role(server) for server in either.servers]


async def _leads(server: KeptHub) -> bool:
    return await role(server) == "leader"


async def _acts(server: KeptHub) -> bool:
    """Whether it commits: a draft that nobody confirms harms nobody."""
    try:
        return bool(await server.ask("desk.draft", count=1, to=PLANS[1].id, kind=PLANS[1].kind))
    except _AWAY:
        return False


def counts(falls: Falls, told: dict[str, Any]) -> list[Count]:
    """The promises: seconds, and what must not be."""
    if any(end != -9 for end in falls.stage.kept[0].ends):
        raise AssertionError("a server ended by itself")
    kills, referrals = len(falls.leads), told["referrals"]
    seconds = {"the other one leads": falls.leads, "the other one has committed": falls.acts}
    return [
        Count(name=f"leader killed → {what}, {which}", tried=kills, value=round(of(times), 2), unit="s", limit=PROMISED)
        for what, times in seconds.items()
        for which, of in (("p50", statistics.median), ("max", max))
    ] + [
        Count(name=f"referrals both ways under the kills: {name}", tried=referrals, value=told[key], unit="found", limit=0)
        for name, key in (("lost", "lost"), ("doubled", "doubled"), ("unacknowledged 60 s after", "unacked_after_60_s"), ("otherwise wrong", "wrong"))
    ]  # fmt: skip


async def play(folder: Path, kills: int, referrals: int) -> list[Count]:
    """One network, so many kills, the auditor."""
    async with TwoServers(folder) as stage:
        falls = Falls(stage=stage, referrals=referrals, faults=kills, seed=1, say=lambda words: print(words, flush=True))
        told = await falls.play()
    print(told["verdict"], told["faults_by_kind"], flush=True)
    return counts(falls, told)


def main(wanted: list[str]) -> int:
    """0 when every promise was kept."""
    kills, referrals = [int(each) for each in wanted] + [KILLS, REFERRALS][len(wanted) :]
    with tempfile.TemporaryDirectory(prefix="standby") as folder:
        found = asyncio.run(play(Path(folder), kills, referrals))
    keep_counts("standby", found)
    show_counts(found)
    return 0 if all(one.kept for one in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
