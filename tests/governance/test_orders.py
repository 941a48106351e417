"""Whatever order the words of a protocol come in, however often, with some late for ever: the hubs agree, and none counts what not all signed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.actions import protocols
from hub.actions.hear_protocol import hear_proposal, hear_word
from hub.actions.ports import Unit
from hub.actions.protocol_state import said_of
from hub.base.errors import Refused
from hub.cases.protocol_life import NEXT, WHOLE, Facts, Stage, stage_of
from hub.exchange import wire
from hub.exchange.records import Peer
from tests.actions.road import Net
from tests.governance.agreement import CEM, HOGAR, PARTIES, RED, date, fresh, propose, sign, text_of

Said = wire.ProposeProtocol | wire.ProtocolSays


def _bodies(unit: Unit) -> list[Said]:
    found: list[Said] = [wire.ProposeProtocol(statement=p.statement, document=p.document) for p in unit.papers.all()]
    return [*found, *(wire.ProtocolSays(word=w.kind, statement=w.data) for w in unit.protocol_words.all())]


@cache
def corpus(story: str) -> tuple[Said, ...]:
    """What three institutions said, as it would travel: all signed it; or one refused; or two documents under one number."""
    net = fresh()
    name = propose(net)
    net[RED].run(protocols.comment, "ada", name, "Que sea con su permiso.")
    net[HOGAR].run(protocols.comment, "ada", name, "Nos sirve.")
    net.settle(3)
    for number in (1, 2):
        net[CEM].run(protocols.answer, "ada", name, number, f"Así es ({number}).")
    net.settle(3)
    if story == "refused":
        net[HOGAR].run(protocols.refuse, "ada", name, "No lo necesitamos.")
    elif story == "contested":
        net.spoil = lambda parcel: []
        net[HOGAR].run(protocols.propose, "ada", text_of(3, "weapons: withhold"), _terms(net))
        net[RED].run(protocols.propose, "ada", text_of(3, "weapons: presence"), _terms(net))
    else:
        sign(net, name, RED, HOGAR, CEM)
    return tuple(dict.fromkeys(body for twin in net.twins.values() for body in twin.run(_bodies)))


def _terms(net: Net) -> protocols.Terms:
    today = net.clock.now().date()
    return protocols.Terms(parties=PARTIES, seat=RED, starts=today, consulted=today, why="Otra.")


def _hear(unit: Unit, peer: str, body: Said) -> None:
    link = unit.links.one(peer=peer)
    assert link is not None
    (hear_proposal if isinstance(body, wire.ProposeProtocol) else hear_word)(unit, link, body)  # type: ignore[arg-type]


def _knows(unit: Unit, body: Said) -> bool:
    return isinstance(body, wire.ProtocolSays) and any(word.data == body.statement for word in unit.protocol_words.all())


def _state(unit: Unit) -> dict[str, tuple[str, frozenset[str], int]]:
    return {p.id: (p.stage, said_of(unit, p.id).signed, unit.protocol_words.count(proposal=p.id)) for p in unit.proposals.all()}


def _lawful(unit: Unit) -> None:
    """No party's hub ever counts a version that not every party has signed, as far as it knows."""
    for row in unit.proposals.all():
        whole = set(row.parties) <= said_of(unit, row.id).signed
        assert (row.stage in WHOLE) == whole
    for each in unit.pack.signed:
        assert each.parties == set(PARTIES)


@pytest.mark.parametrize(("story", "ends"), [("signed", {"active"}), ("refused", {"refused"}), ("contested", {"contested", "proposed"})])
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_all_parties_agree_in_the_end_whatever_the_order(story: str, ends: set[str], seed: int) -> None:
    said, dice, net = corpus(story), random.Random(seed), fresh()
    for name in PARTIES:
        road = [*said, *dice.choices(said, k=4)]
        dice.shuffle(road)
        for body in road:
            net[name].run(_hear, dice.choice([peer for peer in PARTIES if peer != name]), body)
            if dice.random() < 0.2:
                net[name].run(_lawful)
        for body in said:  # what came before its proposal was not kept: it is asked for, and said again
            if not net[name].run(_knows, body):
                net[name].run(_hear, dice.choice([peer for peer in PARTIES if peer != name]), body)
        net[name].run(_lawful)
    states = [twin.run(_state) for twin in net.twins.values()]
    assert states[0] == states[1] == states[2]
    assert {stage for stage, _, _ in states[0].values()} == ends


@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_road_that_loses_doubles_and_turns_around_only_delays(seed: int) -> None:
    net, dice = fresh(), random.Random(seed)
    net.spoil = lambda parcel: [parcel] * dice.choice((0, 1, 1, 1, 2))
    name = net[CEM].run(protocols.propose, "ada", text_of(2), _terms(net)).id
    for hub in (RED, HOGAR, CEM):
        _in_time(net, lambda hub=hub: _signs(net, hub, name))  # type: ignore[misc]
    net.spoil = lambda parcel: [parcel]
    _in_time(net, lambda: {twin.run(_state)[name][0] for twin in net.twins.values()} == {"active"})


def _signs(net: Net, hub: str, name: str) -> bool:
    """Whether this hub has heard all that it must have heard before it may sign; then it did."""
    try:
        net[hub].run(protocols.sign, "ada", name)
    except Refused as refused:
        if refused.code not in ("protocol.unknown", "protocol.consulting"):
            raise
        return False
    return True


def _in_time(net: Net, done: Callable[[], bool]) -> None:
    """Within ten minutes: what is lost again and again is asked about with patience."""
    for _ in range(60):
        net.settle(10)
        if done():
            return
    raise AssertionError("not after ten minutes")


_FACTS = st.builds(
    Facts, parties=st.just(frozenset("abc")), signed=st.frozensets(st.sampled_from("abc")), refused=st.frozensets(st.sampled_from("abc")),
    starts=st.dates(date(2027, 1, 1), date(2027, 1, 9)), closes=st.dates(date(2027, 1, 9), date(2027, 1, 20)),
    expires=st.dates(date(2027, 1, 10), date(2027, 2, 1)), rival=st.booleans(), overtaken=st.booleans(), replaced=st.booleans(),
)  # fmt: skip


@given(_FACTS, st.dates(date(2026, 12, 20), date(2027, 2, 10)))
def test_it_counts_only_when_all_signed_and_between_its_dates(facts: Facts, today: date) -> None:
    stage = stage_of(facts, today)
    assert (stage in WHOLE) == (facts.signed == facts.parties)
    assert (stage is Stage.ACTIVE) == (facts.signed == facts.parties and facts.starts <= today < facts.expires and not facts.replaced)


@given(_FACTS, st.frozensets(st.sampled_from("abc")), st.integers(0, 40), st.dates(date(2026, 12, 20), date(2027, 2, 10)))
def test_every_move_that_facts_and_days_can_make_stands_in_the_table(facts: Facts, more: frozenset[str], days: int, today: date) -> None:
    later = Facts(**{**vars(facts), "signed": facts.signed | more, "replaced": facts.replaced or days > 20})
    before, after = stage_of(facts, today), stage_of(later, date.fromordinal(today.toordinal() + days))
    assert after is before or after in NEXT[before]


def test_a_party_that_is_told_nothing_by_the_proposer_hears_it_from_the_others() -> None:
    net = fresh()
    name = propose(net)
    net.spoil = lambda parcel: [] if f"{CEM}.{HOGAR}" in parcel.room else [parcel]
    sign(net, name, RED)
    assert RED in net[HOGAR].run(lambda unit: said_of(unit, name).signed)


def test_an_unpaired_party_cannot_be_believed_and_is_named() -> None:
    net = fresh()
    name = propose(net)
    net[HOGAR].run(lambda unit: unit.peers.put(_unconfirmed(unit, RED)))
    sign(net, name, RED, CEM)
    assert net[HOGAR].run(lambda unit: said_of(unit, name).signed) == {CEM}
    net[HOGAR].type("ada", "protocolo ver shelter 2", room="admin")
    assert "Red Apoyo: no es par nuestra: aquí no se puede comprobar su firma" in net[HOGAR].said[-1].body


def _unconfirmed(unit: Unit, name: str) -> Peer:
    peer = unit.peers.get(name)
    assert peer is not None
    return replace(peer, state="added")
