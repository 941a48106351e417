"""R14 for what issue 4 brought: a copy made before wakes no closed room, no ended grant, no emergency that is over, no version that was replaced."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from hub.actions import answer, coordination, legal_basis, withdraw
from hub.actions.living_bases import living_bases
from hub.actions.peers import link_id
from hub.actions.protocols_now import forget
from hub.actions.restart import Restart, restart
from hub.testing import Twin
from tests.actions import road
from tests.actions.road import CEM, CSMC, HOGAR, Net, held, raw
from tests.coordination.bench import meeting
from tests.fields.road import VALUES, begun, fresh
from tests.fields.test_glass import broken
from tests.fields.test_onward import granted, passed, row
from tests.governance import agreement

BOTH = (CSMC, HOGAR)
BASIS = legal_basis.Wish(basis="court_order", recipients=(CSMC,), why="lo manda el juzgado inventado")


@dataclass(frozen=True)
class Copy:
    """A hub's two databases as they were."""

    twin: Twin
    made: datetime
    data: sqlite3.Connection
    keys: sqlite3.Connection


def copied(net: Net, name: str) -> Copy:
    twin = net[name]
    assert twin.keys_database is not None
    return Copy(twin, net.clock.now(), net._copy(twin.store._database), net._copy(twin.keys_database))


def came_back(copy: Copy, *, proven: bool = True) -> None:
    """The machine is lost; another begins with the copy and with the journal of the lost one (none of it, unless `proven`)."""
    twin = copy.twin
    assert twin.keys_database is not None
    buried = twin.run(lambda unit: {tombstone.id for tombstone in unit.tombstones.all()}) if proven else set()
    copy.data.backup(raw(twin.store._database))
    copy.keys.backup(raw(twin.keys_database))
    buried |= twin.run(lambda unit: {tombstone.id for tombstone in unit.tombstones.all()})
    for owner in buried:
        twin.store.given.keys.destroy(owner)
    now = twin.clock.now()
    given = Restart(buried=frozenset(buried), made_at=copy.made, known_until=now, proven=proven)
    twin.run(restart, given)
    twin.post()


# ---- coordination rooms


@pytest.mark.parametrize("proven", [True, False], ids=["proven", "in doubt"])
@pytest.mark.parametrize("who", [CEM, CSMC])
def test_r14_a_restored_hub_stands_in_no_coordination_room(who: str, proven: bool) -> None:
    """What was closed, who was put out, what the aggressor's affiliation was found to be since: the copy knows nothing of it."""
    m = meeting(opened_with=BOTH)
    copy = copied(m.net, who)
    room = m.room()
    m.cem.run(lambda unit: coordination.remove_institution(unit, m.cem.person("ana"), room, HOGAR))
    m.settle()
    assert HOGAR not in {seat.institution for seat in m.cem.run(lambda unit: unit.seats.all(state__not="out"))}
    came_back(copy, proven=proven)
    assert m.net[who].run(lambda unit: unit.coordinations.count(state__in=("open", "proposed"))) == 0
    m.settle()
    m.net.clock.advance(timedelta(minutes=11))
    for twin in m.net.twins.values():
        twin.ring()
    m.settle()
    for twin in m.net.twins.values():
        here = twin.run(lambda unit: [seat.institution for seat in unit.seats.all(state__not="out")])
        assert HOGAR not in here, twin.id
        assert who not in here, twin.id
    assert not m.net[who].refused
    assert not m.cem.refused


# ---- passing on


def since(net: Net, copy: Copy) -> None:
    came_back(copy)
    net.settle(20)


@pytest.mark.parametrize("proven", [True, False], ids=["proven", "in doubt"])
def test_r14_a_grant_that_ended_since_lets_nothing_out_of_a_restored_holder(proven: bool) -> None:
    net = fresh()
    case, referral = begun(net)
    onward, child = granted(net, referral)
    copy = copied(net, CSMC)
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, HOGAR, ()))
    net.settle(10)
    assert row(net.cem, onward).state == "ended"
    came_back(copy, proven=proven)
    net.settle(20)
    assert held(net.hogar, child) == {}
    assert row(net.csmc, onward).state in ("called_back", "ended")


@pytest.mark.parametrize("who", [CEM, CSMC, HOGAR])
def test_r14_what_was_passed_on_and_called_back_since_does_not_come_back(who: str) -> None:
    net = fresh()
    case, _, onward, child = passed(net)
    copy = copied(net, who)
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, HOGAR, ()))
    net.settle(16)
    assert held(net.hogar, child) == {}
    since(net, copy)
    assert held(net.hogar, child) == {}
    assert row(net.csmc, onward).state == "ended"
    assert row(net.cem, onward).state == "ended", "by the third's own signed word"


def test_r14_a_holder_whose_owner_has_not_answered_its_restore_passes_nothing_on() -> None:
    net = fresh()
    _, referral = begun(net)
    _, child = granted(net, referral)
    copy = copied(net, CSMC)
    came_back(copy)
    net.mute.add(CEM)
    road.taken(net, child, HOGAR)
    net.settle(20)
    assert held(net.hogar, child) == {}


# ---- emergencies and legal bases


@pytest.mark.parametrize("proven", [True, False], ids=["proven", "in doubt"])
def test_r14_an_emergency_whose_end_passed_dies_as_the_copy_starts(proven: bool) -> None:
    net = fresh()
    _, referral = begun(net, shelter=False)
    broken(net, referral)
    copy = copied(net, CSMC)
    assert held(net.csmc, referral)["address"] == ("release", VALUES["address"])
    net.clock.advance(timedelta(hours=9))
    came_back(copy, proven=proven)
    net.csmc.ring()
    assert "address" not in held(net.csmc, referral)
    net.settle(20)
    assert "address" not in held(net.csmc, referral)


def test_r14_a_legal_basis_that_ended_since_stays_ended() -> None:
    net = fresh()
    case, _ = begun(net, shelter=False)
    who = net.cem.person("sara")
    made = net.cem.run(lambda unit: legal_basis.record_basis(unit, who, case.id, BASIS))
    net.cem.run(lambda unit: legal_basis.confirm_basis(unit, who, made.id, agreed=True))
    assert len(net.cem.run(lambda unit: living_bases(unit, case.id, CSMC))) == 1
    copy = copied(net, CEM)
    net.cem.run(lambda unit: legal_basis.end_basis(unit, who, made.id))
    came_back(copy)
    assert net.cem.run(lambda unit: living_bases(unit, case.id, CSMC)) == ()


# ---- versions


def test_r14_a_version_that_was_replaced_since_decides_nothing_after_a_restore() -> None:
    """The shelter accepted while the machine was away: its word waits, and what all have signed since comes before it."""
    net = agreement.fresh()
    cem, hogar = net[CEM], net[agreement.HOGAR]
    case = road.opened(cem, {"social_name": "Luz Inventada", "age": "34"})
    road.consented(cem, case, recipients=(HOGAR,), purposes=("shelter_protection",), fields=("social_name", "age"))
    referral = road.offered(net, case, HOGAR, "shelter")
    copy = copied(net, CEM)
    agreement.agree(net, agreement.text_of(2, "social_name: withhold"))
    assert cem.run(agreement.version_here, HOGAR) == 2
    net.mute.add(HOGAR)
    hogar.run(lambda unit: answer.accept(unit, hogar.person("ana"), referral.id))
    came_back(copy)
    forget()
    assert cem.run(agreement.version_here, HOGAR) == 1
    net.mute.clear()
    net.settle(20)
    assert cem.run(agreement.version_here, HOGAR) == 2
    given = cem.run(lambda unit: unit.disclosures.all(referral=referral.id))
    assert [(d.protocol_version, "social_name" in d.fields) for d in given] == [(2, False)]
    said = hogar.run(lambda unit: unit.outbox.all(link=link_id(CEM, HOGAR), kind__in=("standing", "protocol.word", "accept"), seq__not=None))
    kinds = [row.kind for row in sorted(said, key=lambda row: (row.epoch, row.seq)) if row.epoch == max(one.epoch for one in said)]
    assert kinds[-2:] == ["standing", "accept"], "its line is open again when everything that was signed is there, not before"
    assert len(kinds) > 2


def test_r14_a_room_that_the_copy_of_its_owner_does_not_know_is_over_for_the_guests() -> None:
    m = meeting()
    copy = copied(m.net, CEM)
    m.opens(*BOTH)
    m.settle()
    assert m.csmc.run(lambda unit: unit.coordinations.count(state="open")) == 1
    came_back(copy)
    m.settle()
    assert m.csmc.run(lambda unit: unit.coordinations.count(state="open")) == 0
