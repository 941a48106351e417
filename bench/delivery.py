"""Does a burst, and an outage, arrive whole and in order, and how long does that take beside as many plain messages, paced?

A homeserver throws a room's inbound queue away at 100 staged events, and one that was away gets the newest only (`performance.md` §5):
so the limit is paced too, with as many messages under way as our window lets. Both hubs' desks are quiet meanwhile. What arrived is
proven by the sequence numbers at both sides and by the words themselves, in their order.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, distinct, event, func, select

from bench.rows import Row, compare
from bench.stage import Raw, Whole, account, pair, until
from deploy.demo.network import PLANS
from deploy.demo.synapse import Homeserver, Synapses
from hub.actions import answer, work
from hub.actions.open_case import open_case
from hub.actions.ports import Unit
from hub.actions.record_consent import Terms, record_consent
from hub.actions.refer import draft, refer
from hub.cases.events import MessageArrived
from hub.exchange.pacing import WINDOW
from hub.store.tables import OUTBOX

NEED = "mental_health"
BURST, OUTAGE = 400, 300
WITHIN = 240.0
ROUNDS = 3
_OUT = OUTBOX.table.c
_UNDER_WAY = select(func.count(distinct(_OUT.parcel))).where(_OUT.state == "dispatched", _OUT.parcel != "").group_by(_OUT.link)


@dataclass(kw_only=True)
class Line:
    """Two paired hubs with an accepted referral between them. `heard`: the words that took effect at the recipient, in their order."""

    servers: Synapses
    sender: Whole
    recipient: Whole
    referral: str = ""
    heard: list[str] = field(default_factory=list)
    heard_at: list[float] = field(default_factory=list)
    most_under_way: int = 0
    said: int = 0

    async def say(self, count: int) -> None:
        """So many words in one commit: they are all due at once."""
        first, self.said = self.said, self.said + count
        user = await self.sender.house.store.run(lambda unit: unit.staff.all()[0].id, quiet=True)

        def words(unit: Unit) -> None:
            for number in range(first, first + count):
                work.say(unit, user, self.referral, f"palabra {number}")

        await self.sender.house.store.run(words)

    async def all_heard(self, within: float = WITHIN) -> None:
        """Wait until as many words took effect as were said and each is signed for. Raises AssertionError, also for an order that is not theirs."""
        await until(lambda: len(self.heard) >= self.said, f"{self.said} words ({len(self.heard)} so far)", within)
        await until(self._signed, "every receipt", within)
        await self.check()

    async def check(self) -> None:
        """Every word once and in order; the numbers of both sides agree; never more under way than the window."""
        if self.heard != [f"palabra {number}" for number in range(self.said)]:
            raise AssertionError("the words did not arrive whole, once, and in their order")
        sent = await self.sender.house.store.run(lambda unit: [(r.seq, r.digest) for r in unit.outbox.all(seq__ge=1, order="seq")], quiet=True)
        seen = await self.recipient.house.store.run(lambda unit: [(r.seq, r.digest) for r in unit.seen.all(order="seq")], quiet=True)
        if sent != seen or [number for number, _ in sent] != list(range(1, len(sent) + 1)):
            raise AssertionError("the numbers of the two sides differ")
        if not 0 < self.most_under_way <= WINDOW:
            raise AssertionError(f"{self.most_under_way} under way, and the window is {WINDOW}")

    async def _signed(self) -> bool:
        return not await self.sender.house.store.run(lambda unit: unit.outbox.count(state__in=("ready", "dispatched")), quiet=True)

    def _note(self, unit: Unit, event: Any) -> None:
        if isinstance(event, MessageArrived):
            self.heard.append(event.text)
            self.heard_at.append(time.monotonic())

    def _watch(self, connection: Connection) -> None:
        """Between a unit's work and its commit: in how many events a link's records are under way."""
        for (under_way,) in connection.execute(_UNDER_WAY):
            self.most_under_way = max(self.most_under_way, under_way)


@contextlib.asynccontextmanager
async def line(servers: Synapses, folder: Path) -> AsyncIterator[Line]:
    """Built with an accepted referral, the desks quiet; and taken down."""
    plans = {plan.id: plan for plan in PLANS}
    async with contextlib.AsyncExitStack() as stack:
        hubs = []
        for server, institution in ((servers[0], "cem-lima"), (servers[1], "csmc-comas")):
            hub = Whole(plans[institution], server, folder, await account(server, institution))
            hubs.append(await stack.enter_async_context(hub.running()))
            user = await account(server, "persona")
            await hub.ask("staff.add", user_id=user, display="Persona Ejemplo", role="caseworker", language="es", on_duty=True)
            hub.house.store._tell = lambda unit, event: None
        await pair(*hubs)
        found = Line(servers=servers, sender=hubs[0], recipient=hubs[1])
        found.recipient.house.store._tell = found._note
        found.referral = await _accepted(found)
        event.listen(found.sender.house.database.engine, "commit", found._watch)
        yield found


async def _accepted(on: Line) -> str:
    user = await on.sender.house.store.run(lambda unit: unit.staff.all()[0].id, quiet=True)
    peer = on.recipient.plan

    def make(unit: Unit) -> str:
        protocol = unit.pack.protocol_for(NEED, on.sender.plan.kind, peer.kind)
        assert protocol is not None
        case = open_case(unit, user, "!desk", "Luz Inventada", unit.now + timedelta(days=1), {"mental_health_summary": "insomnio (inventado)"})
        terms = Terms(
            recipients=(peer.id,), purposes=(protocol.purpose_of(NEED),), fields=("social_name", "mental_health_summary"),
            until=unit.now + timedelta(days=90), mode="oral", explained=True,
        )  # fmt: skip
        record_consent(unit, user, case.id, terms)
        return refer(unit, user, "!desk", draft(unit, user, case.id, peer.id, NEED).referral.id).id

    referral = await on.sender.house.store.run(make)
    store = on.recipient.house.store
    await until(lambda: store.run(lambda unit: unit.referrals.get(referral), quiet=True), "the offer")
    await store.run(lambda unit: answer.accept(unit, unit.staff.all()[0].id, referral))
    await until(lambda: store.run(lambda unit: unit.disclosures.count(referral=referral), quiet=True), "the disclosure")
    return referral


# ---- what is done to it ----------------------------------------------------------------------------------------------------


async def burst(on: Line, count: int = BURST) -> float:
    """Seconds from the commit until all of it took effect."""
    began = time.monotonic()
    await on.say(count)
    await on.all_heard()
    return on.heard_at[-1] - began


async def outage(on: Line, count: int = OUTAGE, *, away: float = 6.0) -> tuple[float, float]:
    """The peer's homeserver is killed, words are said, it returns: seconds from its first answer until the first word, and until the last."""
    server, before = on.servers[1], len(on.heard)
    server.kill()
    await on.say(count)
    await asyncio.sleep(away)
    if len(on.heard) != before:
        raise AssertionError("heard although the homeserver was away: this would measure nothing")
    server.launch()
    await server.ready()
    back = time.monotonic()
    await on.all_heard()
    return on.heard_at[before] - back, on.heard_at[-1] - back


async def killed_in_mid_burst(on: Line, server: Homeserver, count: int = BURST) -> None:
    """A homeserver is killed when a tenth has arrived, and comes back."""
    before = len(on.heard)
    await on.say(count)
    await until(lambda: len(on.heard) >= before + count // 10, "the first tenth")
    server.kill()
    if len(on.heard) >= before + count:
        raise AssertionError("the burst was over before the kill: this proves nothing")
    await asyncio.sleep(1)
    await server.restart()
    await on.all_heard()


async def paced(here: Raw, there: Raw, room: str, count: int, name: str) -> float:
    """Seconds for as many plain messages, at most `WINDOW` on their way, eight PUTs at once."""
    gate, under_way = asyncio.Semaphore(8), asyncio.Semaphore(WINDOW)

    async def one(number: int) -> None:
        async with under_way:
            async with gate:
                await here.put(room, f"{name} {number}")
            await until(lambda: f"{name} {number}" in there.arrived, "a plain message")

    began = time.monotonic()
    await asyncio.gather(*(one(number) for number in range(count)))
    return time.monotonic() - began


async def run(servers: Synapses, folder: Path, *, rounds: int = ROUNDS) -> list[Row]:
    """Seconds, each beside the plain messages of the same round. The homeservers are restarted."""
    async with line(servers, folder) as on:
        bursts, limits = [], []
        async with _plain(servers) as plain:
            for number in range(rounds):
                bursts.append(await burst(on))
                limits.append(await plain(BURST, f"ráfaga {number}"))
        after, firsts = [], []
        for _ in range(rounds):
            first, last = await outage(on)
            firsts.append(first)
            after.append(last)
        least = [limit * OUTAGE / BURST for limit in limits]
    return [
        compare(f"burst of {BURST} words, whole and in order, beside plain ones paced", "s", bursts, limits),
        compare(f"{OUTAGE} said into an outage, from the peer's return to the last, beside plain ones paced", "s", after, least),
        compare("first word after the peer's return, beside one second", "s", firsts, [1.0] * rounds),
    ]


@contextlib.asynccontextmanager
async def _plain(servers: Synapses) -> AsyncIterator[Callable[[int, str], Awaitable[float]]]:
    """Two plain clients on the two homeservers."""
    async with contextlib.AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(Raw(server, await account(server, "plain"))) for server in (servers[0], servers[1])]
        room = await here.room_with(there)
        await there.listen()
        yield lambda count, name: paced(here, there, room, count, name)
