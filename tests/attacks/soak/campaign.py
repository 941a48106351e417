"""Steady referrals in both directions, faults at random moments of them, rest, and the auditor's verdict."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from hub.web.control import ControlError, HubAway
from tests.attacks.soak.audit import Verdict, audit, owed, unsigned
from tests.attacks.soak.faults import Menu
from tests.attacks.soak.stage import PLANS, KeptHub, Stage

UNDER_WAY = 40
"""Records of one hub that nobody signed for yet, sent or not, at most: caseworkers do not outrun their hub for ever, however slow the machine."""
AT_ONCE = 5
LANES = 2
"""Faults at the same time."""
REST = 60.0
"""Seconds after the last fault in which nothing may be left unacknowledged."""
PATIENCE = 240.0
"""Seconds after which we give up waiting for the desks' own messages; what is unacknowledged was judged long before."""
_AWAY = (HubAway, ControlError, OSError)


@dataclass(kw_only=True)
class Campaign:
    """`referrals` in all, half in each direction; `faults` spread over them by `seed`."""

    stage: Stage
    referrals: int
    faults: int
    seed: int
    only: tuple[str, ...] = ()
    """Kinds of faults; all when there are none."""
    say: Callable[[str], None] = lambda words: None
    promised: dict[str, list[str]] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    async def play(self) -> dict[str, Any]:
        """The figures, and the verdict under `verdict`."""
        self._done, self._ahead = 0, [0.0] if self.faults else []
        self._menu = Menu(stage=self.stage, seed=self.seed, only=self.only)
        self._working = True
        people = [asyncio.create_task(self._work(hub)) for hub in self.stage.kept]
        try:
            await asyncio.gather(self._strike(), *(self._send(hub) for hub in self.stage.kept))
            self._last = time.monotonic()
            rested, left = await self._rest()
        finally:
            self._working = False
            ends = await asyncio.gather(*people, return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end  # a desk that nobody worked at would have made this a lesser trial than it says
        verdict = await asyncio.to_thread(audit, self.stage.kept, self.promised)
        verdict.unacked += left
        verdict.wrong += self._strange_ends()
        return self._figures(verdict, rested)

    # ---- people --------------------------------------------------------------------------------------------------------------

    @property
    def sent(self) -> int:
        return sum(len(ids) for ids in self.promised.values())

    async def _send(self, hub: KeptHub) -> None:
        """Draft and confirm until this hub's half is promised, asking again whatever was not answered."""
        mine = self.promised.setdefault(hub.plan.id, [])
        other = next(plan for plan in PLANS if plan.id != hub.plan.id)
        while (left := self.referrals // 2 - len(mine)) > 0:
            try:
                # Nobody outruns the faults either: they are to meet traffic.
                if (self._ahead and self.sent > self._ahead[0] + AT_ONCE) or await self._under_way(hub) > UNDER_WAY:
                    await asyncio.sleep(0.2)
                    continue
                drafts = await hub.ask("desk.draft", count=min(left, AT_ONCE), to=other.id, kind=other.kind)
            except _AWAY:
                await asyncio.sleep(0.2)
                continue
            await self._confirm(hub, drafts)
            mine += drafts

    async def _under_way(self, hub: KeptHub) -> int:
        try:
            return (await self._owed(hub)).get("outbox", 0)
        except psycopg.OperationalError:
            raise HubAway("hub.away") from None  # with its database

    async def _confirm(self, hub: KeptHub, drafts: list[str]) -> None:
        while True:
            try:
                await hub.ask("desk.send", referrals=drafts)
            except _AWAY:
                await asyncio.sleep(0.2)
            else:
                return

    async def _work(self, hub: KeptHub) -> None:
        while self._working:
            done = 0
            with contextlib.suppress(*_AWAY):
                done = await hub.ask("desk.work")
            hub.rss()
            await asyncio.sleep(0.1 if done else 0.5)

    # ---- faults --------------------------------------------------------------------------------------------------------------

    async def _strike(self) -> None:
        """Each at a moment of the traffic that the seed chose, at most `LANES` at a time."""
        dice = random.Random(self.seed + 1)
        moments = sorted(dice.uniform(0, self.referrals * 0.95) for _ in range(self.faults))
        self._coming = iter(zip(moments, self._menu.draw(self.faults), strict=True))
        self._ahead = moments[LANES:]
        await asyncio.gather(*(self._lane() for _ in range(LANES)))
        self._ahead = []

    async def _lane(self) -> None:
        for moment, kind in self._coming:
            await self._until(moment)
            began = time.monotonic()
            bit = await self._menu.strike(kind)
            self._ahead = self._ahead[1:]
            self._done += 1
            took = time.monotonic() - began
            what = kind if bit == kind else f"{kind}, not reached: {bit}"
            self.say(f"{self._clock()} fault {self._done}/{self.faults} {what} ({took:.1f} s), {self.sent} of {self.referrals} sent")

    async def _until(self, moment: float) -> None:
        while True:
            if self.sent >= moment:
                return
            await asyncio.sleep(0.05)

    def _clock(self) -> str:
        return f"{time.monotonic() - self.began:7.1f} s"

    async def _rest(self) -> tuple[float, list[str]]:
        """Seconds until nothing was owed any more, and what was older than `REST` and unsigned when the last fault was as long ago."""
        left: list[str] = []
        while True:
            passed = time.monotonic() - self._last
            owing = {hub.plan.id: await self._owed(hub) for hub in self.stage.kept}
            if passed > REST and not left:
                late = {hub.plan.id: await asyncio.to_thread(unsigned, hub, time.time() - REST) for hub in self.stage.kept}
                left = [f"{name}: {count} after {REST:.0f} s" for name, count in late.items() if count]
            if not any(owing.values()) and not await self._todo():
                return passed, left
            if passed > PATIENCE:
                return passed, [*left, *(f"{name}: {what} never came to rest" for name, what in owing.items() if what)]
            self.say(f"{self._clock()} resting: {owing}")
            await asyncio.sleep(1)

    async def _owed(self, hub: KeptHub) -> dict[str, int]:
        return await asyncio.to_thread(owed, hub)

    async def _todo(self) -> int:
        """What the people still do; answering it begins the rest anew for that little."""
        try:
            return sum([await hub.ask("desk.work") for hub in self.stage.kept])
        except _AWAY:
            return 1

    # ---- the result ----------------------------------------------------------------------------------------------------------

    def _strange_ends(self) -> list[str]:
        """A hub ends by itself only when its database is gone under it."""
        on_files = [hub for hub in self.stage.kept if not self.stage.postgres or hub.plan.id != PLANS[0].id]
        return [f"{hub.plan.id} ended by itself with {code}" for hub in on_files for code in hub.ends if code != -9]

    def _figures(self, verdict: Verdict, rested: float) -> dict[str, Any]:
        bitten = dict(sorted(self._menu.bitten.items()))
        return {
            "seed": self.seed, "referrals": self.sent, "faults": sum(bitten.values()), "faults_by_kind": bitten,
            **verdict.figures(), "unacked_after_60_s": len(verdict.unacked), "seconds_to_rest": round(rested, 1),
            "seconds": round(time.monotonic() - self.began, 1),
            "rss_mib": {hub.plan.id: {"now": hub.rss() // 1024, "most": hub.most_rss // 1024} for hub in self.stage.kept},
            "sender_on": "postgresql" if self.stage.postgres else "sqlite", "verdict": verdict.say(),
        }  # fmt: skip
