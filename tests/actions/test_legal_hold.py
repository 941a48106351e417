"""A legal hold: what a law obliges to keep stays sealed and unseen, is signed for as `retained`, and dies the day after (R72, P12–P14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from hub.actions import legal_hold, receipts, withdraw, work
from hub.actions.ports import Unit
from hub.actions.who_knows import who_knows
from hub.base.errors import Refused
from hub.cases.records import Case, LegalHold, Referral
from keys.receipt import Outcome, verify_receipt
from tests.actions.road import CANARY, CSMC, Net, code_of, held, owners, there, well, working


def until(net: Net, days: int) -> date:
    return (net.clock.now() + timedelta(days=days)).date()


def hold(net: Net, referral: Referral, days: int = 30, basis: str = "court_order") -> None:
    net.csmc.run(lambda unit: legal_hold.place_hold(unit, "administrator", referral.code, basis, until(net, days)))


def taken_back(net: Net, case: Case) -> None:
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.code, CSMC))
    net.settle()


def states(net: Net, referral: Referral) -> set[str]:
    """How both sides see its disclosures."""
    return {d.state for hub in (net.cem, net.csmc) for d in hub.run(lambda unit: unit.disclosures.all(referral=referral.id))}


def confirm_with(unit: Unit, referral: Referral, disclosure: str, kept: LegalHold) -> None:
    """The holder signs `retained` of its own making."""
    receipts.confirm(unit, referral, [disclosure], receipts.make_receipt(unit, referral, [disclosure], kept))


def received(net: Net) -> tuple[Case, Referral]:
    """A referral as its holder knows it: with the code that its people see."""
    case, referral = working(net)
    return case, there(net.csmc, referral)


def test_withdrawn_under_a_hold_is_retained_and_signed_with_basis_and_day(net: Net) -> None:
    case, referral = received(net)
    hold(net, referral)
    taken_back(net, case)
    assert states(net, referral) == {"retained"}
    mine = net.cem.run(lambda unit: unit.disclosures.one(referral=referral.id))
    receipt = verify_receipt(mine.receipt, CSMC, (net.csmc.store.given.hand.signer.public,))
    assert (receipt.outcome, receipt.legal_basis, receipt.until) == (Outcome.RETAINED, "court_order", until(net, 30))
    known = net.cem.type("ana", f"!tk quién sabe {case.code}")
    assert "lo conserva por ley" in known
    assert "lo ordena un juzgado" in known
    told = net.cem.find("firmó que conserva")
    assert "lo ordena un juzgado" in told.body
    assert told.ring == (net.cem.person("ana"), net.cem.person("sara"))


@pytest.mark.parametrize("room", ["desk", "direct"])
def test_under_a_hold_nobody_is_told_to_hand_her_the_sheet_and_it_promises_nothing_that_the_law_forbids(net: Net, room: str) -> None:
    case, referral = received(net)
    assert "hablarlo con ella" not in net.cem.type("ana", f"!tk quién sabe {case.code} para ella", room=room)
    assert "pedimos que lo borren" in net.cem.find("Quién sabe qué de usted").body
    hold(net, referral)
    taken_back(net, case)
    assert "Dígaselo" not in net.cem.find("firmó que conserva").body
    said = net.cem.type("ana", f"!tk quién sabe {case.code} para ella", room=room)
    assert "Una ley obliga a Csmc Comas" in said
    assert "supervisión" in said
    assert "llevárselo" not in said
    sheet = net.cem.find("Quién sabe qué de usted").body
    assert "tiene que guardar" in sheet
    assert "pedimos que lo borren" not in sheet


def test_nobody_there_sees_it_any_more(net: Net) -> None:
    case, referral = received(net)
    hold(net, referral)
    taken_back(net, case)
    assert not any(CANARY in s.body for s in net.csmc.said)
    assert held(net.csmc, referral) == {}
    for words in (f"ver {referral.code}", f"ver {referral.code} porque lo pide el juzgado"):
        assert CANARY not in net.csmc.type("ana", words, room="direct")
    assert "destruy" not in net.csmc.find("aquí terminó").body.split(":")[1], "nobody is told that it was destroyed"
    assert referral.id not in owners(net.csmc), "no more can arrive"


def test_not_even_supervision_opens_it_in_the_chat_and_nothing_says_that_it_is_gone(net: Net) -> None:
    case, referral = received(net)
    hold(net, referral)
    taken_back(net, case)
    said = net.csmc.type("sara", f"ver {referral.code} porque lo pide el juzgado", room="direct")
    assert CANARY not in said
    assert "sellados" in said
    assert "sellados" in net.csmc.find(f"{referral.code}\nRetirada").body


def test_placed_again_it_moves_what_is_retained_already_and_tells_the_owner(net: Net) -> None:
    """A longer order, and a shorter one, reach also what was withdrawn before; part withdrawn, part not, changes nothing in that."""
    case, referral = received(net)
    hold(net, referral, days=5)
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.code, CSMC, ("phone",)))
    net.settle()
    assert states(net, referral) == {"retained", "active"}
    hold(net, referral, days=20)
    net.settle()
    shown = [d for d in net.cem.run(lambda unit: unit.disclosures.all(referral=referral.id)) if d.state == "retained"]
    assert {d.until.date() for d in shown} == {until(net, 21)}, "the end of that day in Lima is the next one in UTC"
    taken_back(net, case)
    net.wait(days=6)
    assert states(net, referral) == {"retained"}
    hold(net, referral, days=4)
    net.settle()
    net.wait(days=6)
    assert states(net, referral) == {"destroyed"}
    assert net.csmc.run(lambda unit: unit.holds.count()) == 0
    well(net)


def test_retained_before_anybody_had_to_destroy_anything_is_not_believed(net: Net) -> None:
    """A holder may not take itself off the list by signing early, or for a thousand years."""
    _, referral = received(net)
    mine = net.cem.run(lambda unit: unit.disclosures.one(referral=referral.id))
    for days in (30, 9000):
        far = LegalHold(id=referral.id, basis="court_order", until=net.clock.now() + timedelta(days=days), by="x", at=net.clock.now())
        net.csmc.run(confirm_with, referral, mine.id, far)
        net.settle()
    assert states(net, referral) == {"active"}


def test_a_reason_that_is_none_of_the_law_is_not_believed(net: Net) -> None:
    """A peer that signs "retained" on a basis of its own making has not confirmed anything."""
    case, referral = received(net)
    hold(net, referral)
    net.csmc.run(lambda unit: unit.holds.put(replace(unit.holds.get(referral.id), basis="just_because")))
    taken_back(net, case)
    assert net.cem.run(lambda unit: unit.disclosures.one(referral=referral.id)).state == "recalled"
    assert "record_refused" in net.alarms(net.cem)


def test_the_day_after_it_is_destroyed_and_confirmed(net: Net) -> None:
    case, referral = received(net)
    hold(net, referral, days=3)
    taken_back(net, case)
    net.wait(days=3)
    assert states(net, referral) == {"retained"}
    net.wait(days=1)
    assert states(net, referral) == {"destroyed"}
    assert not owners(net.csmc) & {d.id for d in net.csmc.run(lambda unit: unit.disclosures.all(referral=referral.id))}
    well(net)


def test_lifted_it_is_destroyed_at_once(net: Net) -> None:
    case, referral = received(net)
    hold(net, referral)
    taken_back(net, case)
    net.csmc.run(lambda unit: legal_hold.lift_hold(unit, "administrator", referral.code))
    net.wait(minutes=1)
    assert states(net, referral) == {"destroyed"}


def test_a_hold_that_ended_before_keeps_nothing(net: Net) -> None:
    case, referral = received(net)
    hold(net, referral, days=1)
    net.wait(days=3)
    taken_back(net, case)
    assert states(net, referral) == {"destroyed"}


def test_it_outlives_the_end_of_the_term_and_giving_back(net: Net) -> None:
    for end in ("term", "back"):
        net.again()
        _, referral = received(net)
        hold(net, referral, days=2000)
        if end == "term":
            net.wait(days=1900)
        else:
            net.csmc.run(work.give_back, net.csmc.person("ana"), referral.code, "she_asked")
            net.settle()
        assert states(net, referral) == {"retained"}, end


def test_not_confirmed_after_the_last_day_it_is_overdue(net: Net) -> None:
    """Who put it off is asked again: at the owner it turns overdue and supervision is rung."""
    case, referral = received(net)
    hold(net, referral, days=3)
    taken_back(net, case)
    net.spoil = lambda parcel: []
    net.wait(days=30)
    mine = net.cem.run(lambda unit: who_knows(unit, net.cem.person("ana"), case.code))
    assert [h.state for h in mine.holdings] == ["overdue"]


@pytest.mark.parametrize(
    ("basis", "days", "code"),
    [("vital_interest", 30, "unknown_basis"), ("court_order", -2, "date_past"), ("court_order", 9000, "hold_too_long")],
)
def test_refused(net: Net, basis: str, days: int, code: str) -> None:
    _, referral = received(net)
    with pytest.raises(Refused) as refused:
        hold(net, referral, days, basis)
    assert code_of(refused) == code


def test_nothing_to_hold_once_it_is_destroyed(net: Net) -> None:
    case, referral = received(net)
    taken_back(net, case)
    with pytest.raises(Refused) as refused:
        hold(net, referral)
    assert code_of(refused) == "nothing_to_hold"
