"""Whatever the road does: once it heals, every record took effect exactly once and in order, all is acknowledged, and the ledgers hold."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from hub.actions import work
from hub.actions.dispatch import Parcel, dispatch, mark_sent
from hub.actions.keep_ledger import verify_ledger
from hub.actions.ports import Unit
from hub.cases.records import Referral
from hub.exchange.pacing import RECORDS, WINDOW
from hub.testing import Twin
from keys.chunks import CHUNK_SIZE
from tests.actions.road import CEM, CSMC, Net, consented, fresh, held, offered, opened, owners, taken, there, well, working


class Road:
    """A road with a mind of its own, from one seed: drops, doubles, holds back, reorders and damages."""

    def __init__(self, seed: int, badness: float) -> None:
        self.rand, self.badness = random.Random(seed), badness
        self.kept: list[Parcel] = []

    def __call__(self, parcel: Parcel) -> list[Parcel]:
        passing = [parcel]
        if self.rand.random() < self.badness:
            how = self.rand.choice(("drop", "double", "hold", "corrupt", "cut"))
            passing = {"drop": [], "double": [parcel, parcel], "hold": [], "corrupt": [self._damaged(parcel)], "cut": [self._cut(parcel)]}[how]
            if how in ("hold", "double"):
                self.kept.append(parcel)
        if self.kept and self.rand.random() < 0.3:
            late = [p for p in self.kept if p.room == parcel.room]
            self.kept = [p for p in self.kept if p.room != parcel.room]
            self.rand.shuffle(late)
            passing = [*late, *passing] if self.rand.random() < 0.5 else [*passing, *late]
        return passing

    def _damaged(self, parcel: Parcel) -> Parcel:
        data = bytearray(parcel.sealed)
        data[self.rand.randrange(len(data))] ^= 1 << self.rand.randrange(8)
        return replace(parcel, sealed=bytes(data))

    def _cut(self, parcel: Parcel) -> Parcel:
        return replace(parcel, sealed=parcel.sealed[: self.rand.randrange(len(parcel.sealed))])


def say(net: Net, at: Twin, referral: Referral, words: str) -> None:
    at.run(lambda unit: work.say(unit, at.person("ana"), referral.id, words))


def heard(twin: Twin) -> list[str]:
    """The words that arrived, in the order in which they took effect."""
    found = []
    for said in twin.said:
        found += [line for line in said.body.splitlines() if line.lstrip("> ").startswith("mensaje-")]
    return [line.lstrip("> ") for line in found]


def heal(net: Net) -> None:
    net.spoil = lambda parcel: [parcel]
    for _ in range(6):
        net.clock.advance(timedelta(minutes=31))
        net.settle(4)


@given(seed=st.integers(0, 2**32), badness=st.floats(0, 0.9), turns=st.lists(st.sampled_from((CEM, CSMC)), min_size=1, max_size=45))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_word_once_and_in_order_whatever_the_road_does(seed: int, badness: float, turns: list[str]) -> None:
    net = fresh()
    _, referral = working(net)
    net.spoil = Road(seed, badness)
    said: dict[str, list[str]] = {CEM: [], CSMC: []}
    for number, name in enumerate(turns):
        words = f"mensaje-{number}"
        say(net, net[name], referral, words)
        said[name].append(words)
        if net.spoil.rand.random() < 0.6:
            net.settle(net.spoil.rand.randint(1, 3))
    heal(net)
    assert heard(net.csmc) == said[CEM]
    assert heard(net.cem) == said[CSMC]
    well(net)


def test_d04_more_records_than_may_be_under_way_leave_in_turns(net: Net) -> None:
    """200 words at once: never more than RECORDS of them under way, several in one event, all there in order."""
    _, referral = working(net)
    before = net.cem.run(lambda unit: unit.links.one(peer=CSMC))
    for number in range(200):
        say(net, net.cem, referral, f"mensaje-{number}")
    parcels = net.cem.run(dispatch)
    link = net.cem.run(lambda unit: unit.links.one(peer=CSMC))
    assert link.next_out - before.next_out == RECORDS
    assert net.cem.run(dispatch)[-1].rows, "nothing acknowledged: the same rows, and no new ones"
    assert net.cem.run(lambda unit: unit.links.one(peer=CSMC)).next_out == link.next_out
    assert 1 <= len(parcels) < WINDOW, "bundled"
    assert max(len(p.rows) for p in parcels) > 1
    net.settle(40)
    assert heard(net.csmc) == [f"mensaje-{n}" for n in range(200)]
    well(net)


def test_d04_one_word_at_a_time_fills_the_window_with_events(net: Net) -> None:
    """A peer that is away, and words said one by one: 32 events go, a homeserver prunes at 100, and the others wait, in order."""
    _, referral = working(net)
    net.cem.run(_put)  # acknowledgements of the beginning
    put = 0
    for number in range(WINDOW + 10):
        say(net, net.cem, referral, f"mensaje-{number}")
        put += net.cem.run(_put)
    assert put == WINDOW
    assert net.cem.run(_put) == 0, "nothing more goes while nothing is acknowledged"
    net.clock.advance(timedelta(seconds=25))  # the peer is back: what was put is put again, then the rest
    net.settle(40)
    assert heard(net.csmc) == [f"mensaje-{n}" for n in range(WINDOW + 10)]
    well(net)


def _put(unit: Unit) -> int:
    """One turn of the dispatcher whose events reach the homeserver and nobody else; how many they were."""
    parcels = [one for one in dispatch(unit) if one.rows]
    for one in parcels:
        mark_sent(unit, one)
    return len(parcels)


def test_a_gap_is_asked_for(net: Net) -> None:
    _, referral = working(net)
    lost: list[Parcel] = []
    net.spoil = lambda parcel: lost.append(parcel) or [] if parcel.rows and not lost else [parcel]
    say(net, net.cem, referral, "mensaje-1")
    net.deliver(net.cem)
    say(net, net.cem, referral, "mensaje-2")
    net.deliver(net.cem)
    assert net.csmc.run(lambda unit: unit.early.count()) == 1
    asked = _at(net)
    net.settle(6)
    assert net.clock.now() - asked < timedelta(seconds=20), "by resend, long before the retry"
    assert heard(net.csmc) == ["mensaje-1", "mensaje-2"]
    well(net)


def _at(net: Net):
    return net.clock.now()


def _lose(net: Net, kinds: Callable[[Parcel], bool]) -> None:
    net.spoil = lambda parcel: [] if kinds(parcel) else [parcel]


def test_a_message_whose_key_died_is_skipped_by_signature(net: Net) -> None:
    """Withdrawn before the peer had it: the number comes as a signed skip, the line goes on, her data was never there."""
    from hub.actions import answer, withdraw

    case = opened(net.cem)
    consented(net.cem, case)
    referral = offered(net, case)
    net.csmc.run(lambda unit: answer.accept(unit, net.csmc.person("ana"), referral.id))
    net.spoil = lambda parcel: [] if parcel.rows and net.cem.run(lambda u: u.outbox.get(parcel.rows[0])) else [parcel]
    net.settle(3)
    assert net.cem.run(lambda unit: unit.disclosures.count(state="active")) == 1
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, None))
    heal(net)
    assert held(net.csmc, referral) == {}
    assert net.csmc.run(lambda unit: unit.held.count()) == 0
    assert "peer_skipped" in net.alarms(net.csmc)
    assert "false_ack" not in net.alarms(net.cem)
    well(net)


def test_a_skip_that_is_the_last_of_its_line_is_acknowledged(net: Net) -> None:
    """The digest of a skip is not that of the message it stands for: its acknowledgement must still count."""
    from hub.actions.erase import shred

    _, referral = working(net)
    _lose(net, lambda parcel: bool(parcel.rows))
    say(net, net.cem, referral, "mensaje-1")
    net.settle(2)
    row = net.cem.run(lambda unit: unit.outbox.one(kind="say"))
    net.cem.run(lambda unit: shred(unit, row.owner, "test"))
    heal(net)
    assert heard(net.csmc) == []
    assert "false_ack" not in net.alarms(net.cem)
    well(net)


def test_a_message_that_arrives_after_its_skip_freezes_nothing(net: Net) -> None:
    from hub.actions.erase import shred

    _, referral = working(net)
    late: list[Parcel] = []
    net.spoil = lambda parcel: late.append(parcel) or [] if parcel.rows else [parcel]
    say(net, net.cem, referral, "mensaje-1")
    net.deliver(net.cem)
    row = net.cem.run(lambda unit: unit.outbox.one(kind="say"))
    net.cem.run(lambda unit: shred(unit, row.owner, "test"))
    heal(net)
    net.hand(net.cem, late[0])
    net.settle()
    assert heard(net.csmc) == []
    well(net)


def test_the_acknowledgement_of_the_message_counts_when_a_skip_followed(net: Net) -> None:
    """It arrived, its acknowledgement was lost, its key died, the skip came after: either digest proves that the number was taken."""
    from hub.actions.erase import shred

    _, referral = working(net)
    say(net, net.cem, referral, "mensaje-1")
    for parcel in net.cem.run(dispatch):
        net.hand(net.cem, parcel)
        net.cem.run(mark_sent, parcel)
    row = net.cem.run(lambda unit: unit.outbox.one(kind="say"))
    net.cem.run(lambda unit: shred(unit, row.owner, "test"))
    net.clock.advance(timedelta(seconds=25))
    net.settle()
    net.csmc.post()
    assert heard(net.csmc) == ["mensaje-1"]
    assert "false_ack" not in net.alarms(net.cem)
    well(net)


def big(size: int) -> dict[str, str]:
    """Fields that the mental-health protocol releases, together about `size` bytes."""
    names = ("medication", "mental_health_summary", "appointment_limits", "account_source", "self_harm_risk", "pronouns", "phone", "safe_contact")
    return {"social_name": "Marisol"} | {name: "ñ" * (size // len(names) // 2) for name in names}


@pytest.mark.parametrize("size", [20_000, 40_000, 60_000])
def test_a_disclosure_larger_than_one_envelope_travels_in_pieces(net: Net, size: int) -> None:
    _, referral = working(net, big(size))
    values = held(net.csmc, referral)
    assert sum(len(v.encode()) for _, v in values.values()) > size * 0.9
    pieces = net.cem.run(lambda unit: unit.outbox.count(kind="chunk"))
    assert (pieces > 0) == (size > CHUNK_SIZE)
    assert net.cem.run(lambda unit: unit.ledger.count()) > 0
    well(net)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_pieces_survive_a_bad_road(seed: int) -> None:
    net = fresh()
    net.spoil = Road(seed, 0.5)
    case = opened(net.cem, big(60_000))
    consented(net.cem, case)
    referral = offered(net, case)
    heal(net)
    net.spoil = Road(seed + 1, 0.5)
    taken(net, referral)
    say(net, net.cem, there(net.cem, referral), "mensaje-1") if there(net.cem, referral).their_key else None
    heal(net)
    assert len(held(net.csmc, referral)) == 9
    well(net)


def test_a_withdrawal_between_two_pieces_leaves_nothing(net: Net) -> None:
    from hub.actions import answer, withdraw

    case = opened(net.cem, big(60_000))
    consented(net.cem, case)
    referral = offered(net, case)
    net.csmc.run(lambda unit: answer.accept(unit, net.csmc.person("ana"), referral.id))
    net.deliver(net.csmc)
    parcels = [p for p in net.cem.run(dispatch) if p.rows]
    assert len(parcels) > 1
    net.hand(net.cem, parcels[0])
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, None))
    heal(net)
    assert net.csmc.run(lambda unit: unit.held.count()) == 0
    well(net)


class Two(RuleBasedStateMachine):
    """Two hubs that talk over a road the machine plays with, one parcel at a time."""

    @initialize()
    def begin(self) -> None:
        self.net = fresh()
        _, self.referral = working(self.net)
        self.said: dict[str, list[str]] = {CEM: [], CSMC: []}
        self.road: list[tuple[Twin, Parcel]] = []
        self.number = 0

    @rule(name=st.sampled_from((CEM, CSMC)), many=st.integers(1, 5))
    def says(self, name: str, many: int) -> None:
        for _ in range(many):
            self.number += 1
            say(self.net, self.net[name], self.referral, f"mensaje-{self.number}")
            self.said[name].append(f"mensaje-{self.number}")

    @rule(name=st.sampled_from((CEM, CSMC)), marked=st.booleans())
    def dispatches(self, name: str, marked: bool) -> None:
        """`marked` false: the hub died between PUT and its mark, so the rows go out again (D01)."""
        twin = self.net[name]
        for parcel in twin.run(dispatch):
            self.road.append((twin, parcel))
            if marked:
                twin.run(mark_sent, parcel)

    @precondition(lambda self: self.road)
    @rule(data=st.data(), how=st.sampled_from(("deliver", "deliver", "deliver", "double", "drop", "corrupt")))
    def carries(self, data: st.DataObject, how: str) -> None:
        at = data.draw(st.integers(0, len(self.road) - 1))
        twin, parcel = self.road[at]
        if how == "corrupt":
            bad = bytearray(parcel.sealed)
            bad[data.draw(st.integers(0, len(bad) - 1))] ^= 1
            self.net.hand(twin, replace(parcel, sealed=bytes(bad)))
            return
        if how != "double":
            del self.road[at]
        if how != "drop":
            self.net.hand(twin, parcel)

    @rule(seconds=st.sampled_from((0.3, 3, 30, 4000)))
    def waits(self, seconds: float) -> None:
        self.net.clock.advance(timedelta(seconds=seconds))

    @invariant()
    def in_order_so_far(self) -> None:
        if not hasattr(self, "net"):
            return
        for sender, receiver in ((CEM, CSMC), (CSMC, CEM)):
            self.net[receiver].post()
            got = heard(self.net[receiver])
            assert got == self.said[sender][: len(got)]

    def teardown(self) -> None:
        if hasattr(self, "net"):
            heal(self.net)
            assert heard(self.net.csmc) == self.said[CEM]
            assert heard(self.net.cem) == self.said[CSMC]
            well(self.net)


def test_two_hubs_and_a_road_that_is_played_with() -> None:
    run_state_machine_as_test(Two, settings=settings(max_examples=20, stateful_step_count=25, deadline=None))


def test_nothing_of_what_was_delivered_stays_in_the_outbox(net: Net) -> None:
    """The sealed form and the key of spoken words die with their acknowledgement."""
    _, referral = working(net)
    say(net, net.cem, referral, "mensaje-1")
    net.settle()
    row = net.cem.run(lambda unit: unit.outbox.one(kind="say"))
    assert (row.state, row.sealed) == ("acked", b"")
    assert row.owner not in owners(net.cem)
    net.cem.run(verify_ledger)
