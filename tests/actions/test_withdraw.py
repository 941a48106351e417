"""Withdraw: part or all, what it says it stops stops, holders sign, and no receipt counts that is not theirs for this (R71, R72, P12, P14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.actions import answer, withdraw
from hub.actions.common import intend
from hub.actions.dispatch import dispatch
from hub.actions.who_knows import who_knows
from hub.base.errors import Refused
from hub.cases.lifecycle import State
from hub.cases.records import Case, Referral
from keys.primitives import SigningKey
from keys.receipt import Outcome, Receipt, sign_receipt
from tests.actions.road import (
    CANARY,
    CSMC,
    HOGAR,
    Net,
    code_of,
    consented,
    everything,
    held,
    offered,
    opened,
    owners,
    taken,
    there,
    well,
    working,
)


def taken_back(net: Net, case: Case, recipient: str | None = None, fields: tuple[str, ...] = ()) -> withdraw.Stops:
    stops = net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.code, recipient, fields))
    net.settle()
    return stops


def state_of(net: Net, referral: Referral) -> list[str]:
    return net.cem.run(lambda unit: [d.state for d in unit.disclosures.all(referral=referral.id, order="at")])


def test_all_of_it(net: Net) -> None:
    case, referral = working(net)
    disclosure = net.csmc.run(lambda unit: unit.disclosures.one(referral=referral.id))
    stops = taken_back(net, case)
    assert (stops.recipients, len(stops.disclosures), stops.checkins) == ((CSMC,), 1, 2)
    assert held(net.csmc, referral) == {}
    assert not owners(net.csmc) & {referral.id, disclosure.id}
    assert there(net.csmc, referral).state is there(net.cem, referral).state is State.CANCELLED
    assert there(net.csmc, referral).note == "withdrawn"
    assert state_of(net, referral) == ["destroyed"]
    assert net.cem.run(lambda unit: unit.disclosures.one(referral=referral.id)).receipt
    assert referral.id not in owners(net.cem), "all receipts are here: nothing more is expected for that key"
    assert not any(CANARY in s.body for s in net.csmc.said)
    assert CANARY.encode() not in everything(net.csmc)
    well(net)


def test_some_fields(net: Net) -> None:
    case, referral = working(net)
    before = held(net.csmc, referral)
    taken_back(net, case, None, ("phone", "safe_contact"))
    assert held(net.csmc, referral) == {f: v for f, v in before.items() if f not in ("phone", "safe_contact")}
    assert state_of(net, referral) == ["destroyed", "active"]
    assert there(net.csmc, referral).state is State.ACCEPTED
    fields = net.cem.run(lambda unit: unit.consents.one(case=case.id, withdrawn_at=None)).fields
    assert "phone" not in fields
    assert "social_name" in fields
    well(net)


def test_one_recipient_of_two(net: Net) -> None:
    case = opened(net.cem)
    consented(net.cem, case, recipients=(CSMC, HOGAR), purposes=("mental_health_care", "shelter_protection"))
    one, two = taken(net, offered(net, case)), taken(net, offered(net, case, HOGAR, "shelter"), HOGAR)
    taken_back(net, case, CSMC)
    assert held(net.csmc, one) == {}
    assert held(net.hogar, two)
    well(net)


@pytest.mark.parametrize("answered", ["not", "declined"])
def test_before_anything_was_disclosed(net: Net, answered: str) -> None:
    """An offer under way is cancelled; one that was declined stands in nobody's way."""
    case = opened(net.cem)
    consented(net.cem, case)
    referral = offered(net, case)
    if answered == "declined":
        net.csmc.run(lambda unit: answer.decline(unit, net.csmc.person("ana"), referral.id, "no_capacity"))
        net.settle()
    taken_back(net, case)
    assert there(net.csmc, referral).state is (State.REJECTED if answered == "declined" else State.CANCELLED)
    assert net.cem.run(lambda unit: unit.consents.count(case=case.id, withdrawn_at=None)) == 0


def test_accepted_and_withdrawn_before_the_disclosure_left(net: Net) -> None:
    case = opened(net.cem)
    consented(net.cem, case)
    referral = offered(net, case)
    net.csmc.run(lambda unit: answer.accept(unit, net.csmc.person("ana"), referral.id))
    net.deliver(net.csmc)
    taken_back(net, case)
    assert there(net.csmc, referral).state is State.CANCELLED
    assert CANARY.encode() not in everything(net.csmc)
    assert referral.id not in owners(net.cem) | owners(net.csmc)
    well(net)


def test_twice_is_once(net: Net) -> None:
    case, _ = working(net)
    taken_back(net, case)
    with pytest.raises(Refused) as refused:
        taken_back(net, case)
    assert code_of(refused) == "nothing_to_withdraw"


def test_nothing_to_withdraw_is_said(net: Net) -> None:
    case = opened(net.cem)
    with pytest.raises(Refused) as refused:
        taken_back(net, case)
    assert code_of(refused) == "nothing_to_withdraw"


def test_a_silent_holder_is_shown_as_overdue_and_rings_the_supervisor_p14(net: Net) -> None:
    case, referral = working(net)
    net.spoil = lambda parcel: []
    taken_back(net, case)
    assert state_of(net, referral) == ["recalled"]
    net.wait(hours=23)
    assert state_of(net, referral) == ["recalled"]
    net.wait(hours=2)
    assert state_of(net, referral) == ["overdue"]
    assert net.mentioned(net.cem) == (net.cem.person("sara"),)
    assert referral.id in owners(net.cem)
    net.spoil = lambda parcel: [parcel]
    net.wait(hours=1)
    net.settle()
    assert state_of(net, referral) == ["destroyed"]
    well(net)


def receipt(net: Net, referral: Referral, disclosure: str, *, by: str = CSMC, signer: SigningKey | None = None, **more: object) -> bytes:
    given = Receipt(institution=by, referral=referral.id, disclosures=(disclosure,), outcome=Outcome.DESTROYED, at=net.clock.now())
    return sign_receipt(replace(given, **more), signer or net.csmc.store.given.hand.signer)


@pytest.mark.parametrize("forgery", ["another key", "another institution", "another referral", "garbage"])
def test_a_receipt_that_is_not_theirs_for_this_is_refused(net: Net, forgery: str) -> None:
    case, referral = working(net)
    _, other = working(net)
    disclosure = net.cem.run(lambda unit: unit.disclosures.one(referral=referral.id)).id
    data = {
        "another key": lambda: receipt(net, referral, disclosure, signer=SigningKey.generate()),
        "another institution": lambda: receipt(net, referral, disclosure, by=HOGAR, signer=net.hogar.store.given.hand.signer),
        "another referral": lambda: receipt(net, other, disclosure),
        "garbage": lambda: b"{}",
    }[forgery]()
    net.csmc.run(lambda unit: intend(unit, "cem-lima", "erased", referral=referral.id, disclosures=[disclosure], receipt=data.hex()))
    net.settle()
    assert state_of(net, referral) == ["active"]
    assert "record_refused" in net.alarms(net.cem)
    assert case
    well(net)


def test_a_receipt_covers_only_what_it_is_about(net: Net) -> None:
    """Signed by the right hand for its own referral, and naming a disclosure of another one: that one is untouched."""
    _, referral = working(net)
    _, other = working(net)
    foreign = net.cem.run(lambda unit: unit.disclosures.one(referral=other.id)).id
    data = receipt(net, referral, foreign)
    net.csmc.run(lambda unit: intend(unit, "cem-lima", "erased", referral=referral.id, disclosures=[foreign], receipt=data.hex()))
    net.settle()
    assert state_of(net, other) == ["active"]


def test_who_knows_what(net: Net) -> None:
    case, referral = working(net)
    waiting = offered(net, case, need="first_psychological_aid")
    known = net.cem.run(lambda unit: who_knows(unit, net.cem.person("berta"), case.code))
    (holding,) = known.holdings
    assert holding.institution == CSMC
    assert set(holding.fields) == set(held(net.csmc, referral))
    assert holding.disclosure.protocol == "mental-health"
    assert holding.disclosure.protocol_version == 1
    assert holding.disclosure.consent is not None
    assert holding.since <= net.clock.now() < holding.until
    assert [r.id for r in known.waiting] == [waiting.id]
    assert net.cem.run(lambda unit: unit.log.one(about=case.id, what="read.who_knows")).actor == net.cem.person("berta")
    assert CANARY not in str(known)


def test_what_is_held_dies_in_its_time_without_anybody_asking_p13(net: Net) -> None:
    """Five years of retention, with the hub down when it ends: destroyed at the next start, and the owner has the receipt."""
    case, referral = working(net, until=net.clock.now() + timedelta(days=4000))
    net.clock.advance(timedelta(days=5 * 366 + 30))
    net.csmc.ring()
    assert held(net.csmc, referral) == {}
    assert CANARY.encode() not in everything(net.csmc)
    net.settle()
    assert state_of(net, referral) == ["destroyed"]
    assert net.moved(net.csmc, "retention")
    assert case


def test_over_shared_fields_are_dropped_before_storage_and_reported_by_name_p01(net: Net) -> None:
    """A peer that sends thirty fields it may not: none is stored, and its own administrators read their names."""
    from unittest import mock

    from hub.actions import compose

    extra = {f"inventado_{n}": {"outcome": "release", "value": f"PROHIBIDO {n}"} for n in range(25)}
    extra |= {name: {"outcome": "release", "value": f"PROHIBIDO {name}"} for name in ("legal_name", "hiv_status", "notes", "address", "occupation")}
    real = compose._disclose

    def oversharing(unit: object, row: object, referral: object) -> compose.Letter:
        letter = real(unit, row, referral)
        body = letter.body
        return replace(letter, body=replace(body, fields=body.fields | extra))

    with mock.patch.dict(compose._WRITERS, {"disclose": oversharing}):
        _, referral = working(net)
    assert set(held(net.csmc, referral)).isdisjoint(extra)
    assert b"PROHIBIDO" not in everything(net.csmc)
    assert not any("PROHIBIDO" in s.body for s in net.csmc.said)
    alarm = next(e for e in net.events[net.cem.id] if getattr(e, "code", "") == "fields_dropped")
    assert "legal_name" in str(alarm.params)
    assert "PROHIBIDO" not in str(alarm.params)
    assert net.csmc.run(lambda unit: unit.log.one(what="disclosure.received")).detail["dropped"] == 30


def test_a_withdrawal_that_overtakes_the_disclosure_still_ends_the_key_that_would_open_it(net: Net) -> None:
    """The homeserver kept the disclosure back and delivers the withdrawal first: a copy of what it kept must open nowhere."""
    case = opened(net.cem)
    consented(net.cem, case)
    referral = offered(net, case)
    net.csmc.run(lambda unit: answer.accept(unit, net.csmc.person("ana"), referral.id))
    net.deliver(net.csmc)
    lost = net.cem.run(dispatch)
    assert lost
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.code, CSMC))
    net.wait(minutes=2)
    assert state_of(net, referral) == ["destroyed"]
    assert referral.id not in owners(net.csmc)
    well(net)
