"""R11, P06: an offer that the hub there refuses is told to who waits for an answer; nobody can end anything else with that word."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest

from hub.actions.not_taken import MOST
from hub.actions.ports import Unit
from hub.actions.receive_offer import MOST_WAITING
from hub.cases.codes import REFERRAL, new_code
from hub.cases.lifecycle import State
from hub.exchange import wire
from hub.exchange.wire import encode
from tests.attacks.twins.bench import CEM, CSMC, Road, alarms, craft, found, link, send


@pytest.fixture
def road() -> Road:
    road = Road()
    road.cem.enrol("jefa", role="administrator")
    road.csmc.enrol("jefe", role="administrator")
    return road


def buried(road: Road) -> None:
    """As many offers of this peer's wait there as may."""
    road.offer()

    def copy(unit: Unit) -> None:
        one = unit.referrals.one(code=road.referral)
        assert one
        for _ in range(MOST_WAITING - 1):
            unit.referrals.add(replace(one, id="ref_" + secrets.token_hex(12), code=new_code(REFERRAL, secrets.randbelow)))

    road.csmc.run(copy)


def state(road: Road) -> State:
    row = road.cem.run(lambda unit: unit.referrals.one(code=road.referral))
    assert row
    return row.state


def test_r11_an_offer_that_the_hub_there_refuses_is_said_to_its_lead_at_once(road: Road) -> None:
    buried(road)
    road.offer()
    assert state(road) is State.CANCELLED
    said = road.cem.find("NO la tomó")
    assert road.referral in said.body
    assert "demasiadas ofertas nuestras" in said.body
    assert "ningún dato de ella salió" in said.body
    assert road.cem.person("ana") in said.ring
    name = road.referral_id()
    assert road.cem.run(lambda unit: unit.timers.count(ref=name, done_at=None)) == 0
    shown = road.cem.type("ana", f"!tk derivar {road.code} a csmc-comas por salud mental")
    assert found(r"(\d+)[.)]? +enviar", shown), "she may be offered again, or elsewhere"


def not_taken(road: Road, **other: Any) -> None:
    body = encode(wire.NotTaken(**{"referral": road.referral_id(), "why": "no_protocol"} | other))
    send(road.csmc, road.cem, craft(road.csmc, CEM, "not-taken", body))


@pytest.mark.parametrize("accepted", [True, False])
def test_p06_a_peer_ends_no_referral_with_it_but_an_offer_that_it_has_and_has_not_answered(road: Road, accepted: bool) -> None:
    if accepted:
        road.disclosed()
    else:  # confirmed here, and not acknowledged yet
        road.open()
        road.referral = found(r"R-\w{5}", road.cem.type("ana", road.preview()[0]))
    before = state(road)
    not_taken(road)
    assert state(road) is before
    assert "(not_offered)" in alarms(road.cem) or "(move_not_allowed)" in alarms(road.cem)


def test_p06_a_reason_that_is_no_code_of_ours_is_refused(road: Road) -> None:
    road.offer()
    not_taken(road, why="llame al 999 999 999")
    assert state(road) is State.REQUESTED
    assert "999" not in "".join(said.body for said in road.cem.said)


def test_p06_an_offer_said_twice_ends_nothing(road: Road) -> None:
    """A hub with a defect says its offer again: the one that lives there is not disowned."""
    road.offer()
    row = road.csmc.run(lambda unit: unit.referrals.one(code=road.referral))
    assert row
    moment = road.net.clock.now()
    twice = wire.Offer(
        referral=row.id, code=row.code, need=row.need, purpose=row.purpose, protocol=row.protocol, version=row.protocol_version,
        urgency=row.urgency, territory="", languages=(), accessibility=(), opened_at=moment, respond_by=moment, key=row.their_key,
    )  # fmt: skip
    send(road.cem, road.csmc, craft(road.cem, CSMC, "offer", encode(twice)))
    assert "(referral_exists)" in alarms(road.csmc)
    assert road.csmc.run(lambda unit: unit.outbox.count(kind="not-taken")) == 0
    assert state(road) is State.REQUESTED


def test_p06_nonsense_is_answered_so_often_and_no_more(road: Road) -> None:
    line = link(road.cem, CSMC)
    for number in range(MOST + 5):
        body = b'{"referral":"ref_%024x"}' % number
        record = craft(road.cem, CSMC, "offer", body, sequence=line.next_out, previous=line.head_out)
        send(road.cem, road.csmc, record)
        line = replace(line, next_out=line.next_out + 1, head_out=record.digest)
    assert road.csmc.run(lambda unit: unit.outbox.count(kind="not-taken")) == MOST
