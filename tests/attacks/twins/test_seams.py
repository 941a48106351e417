"""Attacks on what joins the parts of the fourth issue: rooms, grants, emergencies, versions, conflict of interest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.actions import open_case
from hub.actions.handle import handle
from hub.base.errors import PeerFault
from hub.exchange import wire
from tests.actions import road
from tests.actions.road import CEM, CSMC, HOGAR, held
from tests.coordination.bench import meeting
from tests.fields import road as fields
from tests.fields.test_glass import ASKED_HER, broken, row
from tests.fields.test_onward import row as onward_row
from tests.fields.test_onward import wished

BOTH = (CSMC, HOGAR)


# ---- rooms: a guest obeys the owner alone


@pytest.mark.parametrize("whom", [HOGAR, CEM])
def test_a_fellow_guest_puts_nobody_out(whom: str) -> None:
    m = meeting(opened_with=BOTH)
    room = m.room(m.hogar).id

    def lie(unit: Any) -> None:
        handle(unit, unit.links.one(peer=CSMC), wire.RoomOut(room=room, institution=whom))

    with pytest.raises(PeerFault, match="room_not_theirs"):
        m.hogar.run(lie)
    assert (m.room(m.hogar).state, m.seat(whom, m.hogar).state) == ("open", "present")


# ---- emergencies


def test_her_no_outlives_the_term_of_her_yes() -> None:
    """She left the telephone out; the consent ran out: nobody may say that she never spoke of it."""
    net = fields.fresh()
    case = road.opened(net.cem, fields.VALUES)
    road.consented(net.cem, case, fields=ASKED_HER)
    referral = road.taken(net, road.offered(net, case))
    first = broken(net, referral, "phone")
    assert row(net.csmc, first).why_not == "glass_refused"
    net.clock.advance(timedelta(days=91))
    for twin in net.twins.values():
        twin.ring()
    net.settle(10)
    broken(net, referral, "phone")
    assert "phone" not in held(net.csmc, referral)


def test_an_emergency_of_namesakes_is_answered() -> None:
    net = fields.fresh()
    _, referral = fields.begun(net, shelter=False)
    for name in ("ana", "berta"):
        net.csmc.run(lambda unit, name=name: unit.staff.put(replace(unit.staff.get(net.csmc.person(name)), display="María Quispe")))
    broken(net, referral)
    assert held(net.csmc, referral)["address"][1] == fields.VALUES["address"]


def test_whoever_broke_the_glass_hears_that_nothing_comes() -> None:
    """The answer waited for the owner's homeserver until the emergency was over: the asker must not wait for ever."""
    net = fields.fresh()
    _case, referral = fields.begun(net, shelter=False)
    with pytest.MonkeyPatch.context() as patch:
        deliver = net.deliver
        patch.setattr(net, "deliver", lambda twin: None if twin is net.cem else deliver(twin))
        glass = broken(net, referral)
        net.clock.advance(timedelta(hours=9))
    net.settle(10)
    net.wait(hours=1)
    net.wait(hours=30)
    assert row(net.csmc, glass).state != "asked"


def test_a_holder_does_not_learn_by_asking_that_there_is_a_conflict_of_interest() -> None:
    told = set()
    for affiliation in ("police", "shelter"):
        net = fields.fresh()
        case = road.opened(net.cem, fields.VALUES)
        road.consented(net.cem, case)
        referral = road.taken(net, road.offered(net, case))
        net.cem.run(open_case.set_field, net.cem.person("ana"), case.id, "aggressor_affiliation", affiliation)
        told.add(onward_row(net.csmc, wished(net, referral, ("social_name",))).reason)
    assert len(told) == 1
