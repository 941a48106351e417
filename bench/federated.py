"""How long does a referral travel between two hubs on two homeservers, beside a plain message on the same road?

    confirmed ── refer, dispatch ──> PUT ── federation ──> /sync ── guard, open, policy, store ──> handled
                                     acknowledged <── /sync ── federation ── PUT <── sign ── (nothing else waits)

The limit is one client that PUTs clear text on one server and another that reads it from /sync on the other; for the way there and
back, one message in each direction. Beside that, two hubs' Matrix rooms alone: what is left over them is envelope, policy, ledger, receipt.
Both desks have a caseworker with an encrypted device, and the hubs post their cards meanwhile: that load is part of the road. Her client is
shut during the measurement, for it would share our process. At the end every referral must stand at the other hub once, and be shown as
delivered here.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from bench.desks import desks
from bench.rows import Row, compare, percentile
from bench.stage import Lone, Raw, Whole, account, until
from deploy.demo.person import Person
from deploy.demo.synapse import Synapses
from hub.actions.open_case import open_case
from hub.actions.ports import Unit
from hub.actions.record_consent import Terms, record_consent
from hub.actions.refer import draft, refer

ROUNDS, EACH = 5, 6
NEED = "mental_health"
QUIET_S = 0.3
"""Between two measurements, so that a late edit of a card is not counted into the next."""


@dataclass(kw_only=True)
class Stage:
    """Two paired hubs on two homeservers, a caseworker at each desk, and a plain client beside each hub."""

    sender: Whole
    recipient: Whole
    ana: Person
    bea: Person
    here: Raw
    there: Raw
    room: str
    """Where the plain clients talk."""


@contextlib.asynccontextmanager
async def stage(servers: Synapses, folder: Path) -> AsyncIterator[Stage]:
    """Build it, and take it down."""
    async with desks(servers, folder, Whole) as found:
        (sender, recipient), (ana, bea), (here, there) = found.hubs, found.people, found.plain
        for raw in found.plain:
            await raw.listen()
        yield Stage(sender=sender, recipient=recipient, ana=ana, bea=bea, here=here, there=there, room=found.room)


class Watch:
    """When a hub passes its named points (`hub.base.faults`): the moments right after its commits."""

    def __init__(self, hub: Whole) -> None:
        self.passed: dict[str, list[float]] = {}
        before = hub.house.faults.reach

        def reach(point: str) -> None:
            self.passed.setdefault(point, []).append(time.perf_counter())
            before(point)

        hub.house.faults.reach = reach  # type: ignore[method-assign]  # the one instance that all parts of this hub share

    def after(self, point: str, start: float) -> float | None:
        """The first time after `start`."""
        return next((at for at in self.passed.get(point, []) if at > start), None)


@dataclass(frozen=True, kw_only=True)
class Trip:
    """Seconds of one referral, or of one plain message each way."""

    there: float
    """From the PUT to its effect."""
    whole: float
    """From the confirmation to the signed receipt; for plain messages the way there and back."""


async def run(on: Stage, *, rounds: int = ROUNDS, each: int = EACH) -> list[Row]:
    """Latencies in ms; each round is the median of `each` trips. Afterwards nobody is at the desks any more."""
    for person in (on.ana, on.bea):
        await person.stop()
    async with _bare(on) as bare:
        return await _run(on, bare, rounds=rounds, each=each)


@dataclass(frozen=True, kw_only=True)
class Bare:
    """Two hubs' Matrix rooms with nothing above them, and their link: what encryption alone costs on this road."""

    here: Lone
    there: Lone
    room: str


@contextlib.asynccontextmanager
async def _bare(on: Stage) -> AsyncIterator[Bare]:
    lones = []
    try:
        for hub, name in ((on.sender, "desnuda-a"), (on.recipient, "desnuda-b")):
            server = hub.setup.server
            lones.append(await Lone(server, await account(server, name), hub.setup.folder / "bare.db").start())
        bare = Bare(here=lones[0], there=lones[1], room=await lones[0].link_to(lones[1]))
        await _sealed(bare, "llaves")  # the room keys travel once, with the first message each way
        yield bare
    finally:
        for lone in lones:
            await lone.stop()
            await lone.close()


async def _run(on: Stage, bare: Bare, *, rounds: int, each: int) -> list[Row]:
    sender, recipient = Watch(on.sender), Watch(on.recipient)
    codes, ours, limits, sealed = [], [], [], []
    for number in range(rounds):
        drafts = [await _draft(on) for _ in range(each)]
        await _quiet(on)
        for index, (referral, code) in enumerate(drafts):
            ours.append(await _refer(on, sender, recipient, referral))
            codes.append(code)
            await _quiet(on)
            limits.append(await _plain(on, f"{number}/{index}"))
            sealed.append(await _sealed(bare, f"{number}/{index}"))
    await check(on, codes)

    def rows(name: str, others: list[Trip], pick: Callable[[Trip], float]) -> list[Row]:
        mine, least = [pick(trip) * 1000 for trip in ours], [pick(trip) * 1000 for trip in others]

        def middles(times: list[float]) -> list[float]:
            return [percentile(times[start : start + each], 0.5) for start in range(0, len(times), each)]

        return [
            compare(f"{name}, p50", "ms", middles(mine), middles(least)),
            compare(f"{name}, p95", "ms", [percentile(mine, 0.95)], [percentile(least, 0.95)]),
        ]

    return [
        *rows("envelope sent → handled by the peer, beside a plain message", limits, lambda trip: trip.there),
        *rows("referral confirmed → signed receipt, beside two plain messages", limits, lambda trip: trip.whole),
        *rows("envelope sent → handled by the peer, beside an encrypted message of a bare hub", sealed, lambda trip: trip.there),
        *rows("referral confirmed → signed receipt, beside two encrypted messages of bare hubs", sealed, lambda trip: trip.whole),
    ]


async def _draft(on: Stage) -> tuple[str, str]:
    """A case with consent and the draft of its referral: its id and code."""
    user, peer = on.ana.user_id, on.recipient.plan.id

    def make(unit: Unit) -> tuple[str, str]:
        protocol = unit.pack.protocol_for(NEED, on.sender.plan.kind, on.recipient.plan.kind)
        assert protocol is not None
        case = open_case(unit, user, "!desk", "Luz Inventada", unit.now + timedelta(days=1), {"mental_health_summary": "insomnio (inventado)"})
        fields = ("social_name", "mental_health_summary")
        terms = Terms(
            recipients=(peer,), purposes=(protocol.purpose_of(NEED),), fields=fields, until=unit.now + timedelta(days=90), mode="oral", explained=True
        )  # fmt: skip
        record_consent(unit, user, case.id, terms)
        made = draft(unit, user, case.id, peer, NEED).referral
        return made.id, made.code

    return await on.sender.house.store.run(make)


async def _refer(on: Stage, sender: Watch, recipient: Watch, referral: str) -> Trip:
    store, user = on.sender.house.store, on.ana.user_id
    start = time.perf_counter()
    await store.run(lambda unit: refer(unit, user, "!desk", referral))
    await until(lambda: sender.after("inbox.handled", start), "the receipt")
    sent, handled, answered = (
        watch.after(point, start) for watch, point in ((sender, "dispatch.committed"), (recipient, "inbox.handled"), (sender, "inbox.handled"))
    )
    if sent is None or handled is None or answered is None:
        raise AssertionError("the receipt came before the envelope")
    acked = await store.run(lambda unit: unit.referrals.get(referral).delivered_at is not None, quiet=True)
    if not acked:
        raise AssertionError("something else than the receipt was handled: this would measure the wrong thing")
    return Trip(there=handled - sent, whole=answered - start)


async def _plain(on: Stage, name: str) -> Trip:
    start = time.perf_counter()
    await on.here.put(on.room, f"{name} ida")
    await until(lambda: f"{name} ida" in on.there.arrived, "a plain message")
    there = on.there.arrived[f"{name} ida"] - start
    start = time.perf_counter()
    await on.there.put(on.room, f"{name} vuelta")
    await until(lambda: f"{name} vuelta" in on.here.arrived, "a plain answer")
    return Trip(there=there, whole=there + on.here.arrived[f"{name} vuelta"] - start)


def _quiet_desk(unit: Unit) -> bool:
    return not unit.posts.count(state__in=("ready", "sending"))


def _heard_more(reader: Lone, before: int) -> bool:
    return len(reader.heard) > before


async def _sealed(bare: Bare, name: str) -> Trip:
    """The same with encryption and the hub's own sync loop, checks and commits, and no envelope, policy or receipt."""
    times = []
    for sender, reader in ((bare.here, bare.there), (bare.there, bare.here)):
        before, start = len(reader.heard), time.perf_counter()
        await sender.send(bare.room, name)
        await until(partial(_heard_more, reader, before), "an encrypted message")
        times.append(reader.heard[before] - start)
    return Trip(there=times[0], whole=sum(times))


async def _quiet(on: Stage) -> None:
    """Wait until both desks have their cards and nothing is under way."""
    for hub in (on.sender, on.recipient):
        await until(partial(hub.house.store.run, _quiet_desk, quiet=True), "a quiet desk")
    await asyncio.sleep(QUIET_S)


async def check(on: Stage, codes: list[str]) -> None:
    """Raise AssertionError unless every referral stands on both sides, once, and is shown as delivered."""
    theirs = await on.recipient.house.store.run(lambda unit: [row.code for row in unit.referrals.all()], quiet=True)
    ours = await on.sender.house.store.run(lambda unit: [row.code for row in unit.referrals.all() if row.delivered_at], quiet=True)
    if sorted(theirs) != sorted(codes) or sorted(ours) != sorted(codes):
        raise AssertionError(f"of {len(codes)} referrals {len(theirs)} arrived and {len(ours)} are shown as delivered")
