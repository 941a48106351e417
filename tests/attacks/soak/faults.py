"""The menu of faults. Each bites once and is over when its coroutine returns: the line healed, the process started again."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from hub.base.faults import POINTS
from hub.web.control import ControlError, HubAway
from tests.attacks.soak.proxy import FaultProxy
from tests.attacks.soak.stage import KeptHub, Stage

LONGEST = 3.0
"""Seconds that a line is away at most; hubs and homeservers take their own time to come back."""
WITHIN = 12.0
"""Seconds that an armed point has to be reached, before the hub is simply killed: what is shown at a desk is one referral in ten."""
RARE = {"timer.rung"}
"""Points that only time reaches."""


@dataclass(kw_only=True)
class Menu:
    """Draws faults by `seed` and counts those that bit, by kind."""

    stage: Stage
    seed: int
    only: tuple[str, ...] = ()
    """These kinds and no other; all when there are none."""
    bitten: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    def _turn(self, thing: object) -> asyncio.Lock:
        """Several faults may be under way, but one at a time of each thing: else nobody could say which of them bit."""
        return self._turns[id(thing)]

    def draw(self, count: int) -> list[str]:
        """So many kinds in the order of their turn: each as often as every other, give or take one."""
        kinds = [kind for kind in self.kinds() if not self.only or kind in self.only]
        drawn = [kinds[number % len(kinds)] for number in range(count)]
        self._dice.shuffle(drawn)
        return drawn

    def kinds(self) -> dict[str, Callable[[], Awaitable[str | None]]]:
        """Every kind, and what it does."""
        found: dict[str, Callable[[], Awaitable[str | None]]] = {
            "hub": self._kill_hub, "synapse": self._kill_synapse,
            "cut": lambda: self._line(lambda line: line.cut()), "hold": lambda: self._line(lambda line: line.hold()),
            "one_way": lambda: self._line(lambda line: line.one_way("up")), "slow": lambda: self._line(lambda line: line.slow(0.3)),
            "loss": lambda: self._line(lambda line: line.lose(0.3)),
            "client_cut": lambda: self._client(lambda line: line.cut()), "client_one_way": lambda: self._client(lambda line: line.one_way("up")),
            "client_double": lambda: self._client(self._doubled),
        }  # fmt: skip
        found |= {f"at {point}": partial(self._kill_at, point) for point in POINTS if point not in RARE}
        if self.stage.postgres:
            found["postgres"] = lambda: self._end_postgres(signal.SIGKILL)
            found["postgres, restarted"] = lambda: self._end_postgres(signal.SIGINT)
        return found

    async def strike(self, kind: str) -> str:
        """One fault of this kind, from its beginning to its end. Which one bit: a point that nobody reached is a kill at any moment."""
        bit = await self.kinds()[kind]() or kind
        self.bitten[bit] += 1
        return bit

    # ---- processes -----------------------------------------------------------------------------------------------------------

    def _hub(self) -> KeptHub:
        return self._dice.choice(self.stage.kept)

    async def _kill_hub(self) -> None:
        """At any moment; every other time once more while it is starting."""
        hub, again, pause = self._hub(), self._dice.random() < 0.5, self._dice.uniform(0.5, 3)
        async with self._turn(hub):
            hub.kill()
            if again:
                await asyncio.sleep(pause)
                hub.kill()
                self.bitten["hub, starting"] += 1
            await hub.back()

    async def _kill_at(self, point: str) -> str | None:
        """Between a commit and the effect that follows it (D01–D03)."""
        hub, nth = self._hub(), 1 if point.startswith("post.") else self._dice.randint(1, 2)
        async with self._turn(hub):
            with contextlib.suppress(HubAway, ControlError):
                await hub.ask("desk.arm", points=[f"{point}:{nth}"])
            reached = await hub.dies(WITHIN)
            hub.kill()
            await hub.back()
        return None if reached else "hub"

    async def _kill_synapse(self) -> None:
        server, pause = self._dice.choice(self.stage.synapses.servers), self._dice.uniform(0, LONGEST / 2)
        async with self._turn(server):
            server.kill()
            await asyncio.sleep(pause)
            await server.restart()

    async def _end_postgres(self, how: signal.Signals) -> None:
        """The hub on it stops, for its lock is gone, and is started again until the database is back (R02)."""
        assert self.stage.postgres
        hub, pause = self.stage.kept[0], self._dice.uniform(0, LONGEST / 2)
        async with self._turn(hub):
            self.stage.postgres.end(how)
            await asyncio.sleep(pause)
            await self.stage.postgres.restart()
            await hub.back()

    # ---- lines ---------------------------------------------------------------------------------------------------------------

    async def _line(self, breaks: Callable[[FaultProxy], None]) -> None:
        await self._for_a_while(self._dice.choice(self.stage.lines), breaks)

    async def _client(self, breaks: Callable[[FaultProxy], None]) -> None:
        await self._for_a_while(self._dice.choice(self.stage.clients), breaks)

    async def _for_a_while(self, line: FaultProxy, breaks: Callable[[FaultProxy], None]) -> None:
        pause = self._dice.uniform(0.5, LONGEST)
        async with self._turn(line):
            breaks(line)
            await asyncio.sleep(pause)
            line.heal()

    def _doubled(self, line: FaultProxy) -> None:
        line.double()
        line.drop()  # what is said next is said on new connections
