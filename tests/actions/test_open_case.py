"""Open, write, undo and close a case: nothing formal is required, a lead and a next date always are (R1-R4, R18, R51)."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest

from hub.actions import close_case, open_case, plan_check_in, undo
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.codes import parse_code
from hub.cases.records import Undoable
from tests.actions.road import (
    CANARY,
    CSMC,
    VALUES,
    Net,
    code_of,
    confirmed,
    consented,
    drafted,
    everything,
    fresh,
    offered,
    opened,
    owners,
    taken,
    working,
)

DESK = "!cem-lima.desk"


def undone(net: Net, *, room: str = DESK, by: str = "ana") -> Undoable:
    return net.cem.run(lambda unit: undo.undo(unit, net.cem.person(by), room))


def test_a_name_and_a_date_are_enough(net: Net) -> None:
    case = opened(net.cem, {"social_name": "  La Flaca  "})
    assert parse_code(case.code) == case.code
    assert case.lead == net.cem.person("ana")
    assert case.next_contact_at == net.clock.now() + timedelta(days=2)
    fields = net.cem.run(lambda unit: [f.field for f in unit.fields.all(case=case.id)])
    assert fields == ["social_name"]
    assert net.cem.run(lambda unit: unit.checkins.count(case=case.id, state="planned")) == 1


@pytest.mark.parametrize(("name", "days", "fields", "code"), [
    ("   ", 2, {}, "name_missing"),
    ("Marisol", 0, {}, "date_past"),
    ("Marisol", -1, {}, "date_past"),
    ("Marisol", 2, {"dni_obligatorio": "1"}, "unknown_field"),
    ("Marisol", 2, {"notes": "a" * 4001}, "value_too_long"),
])  # fmt: skip
def test_what_cannot_be_opened(net: Net, name: str, days: float, fields: dict[str, str], code: str) -> None:
    def run(unit: Unit) -> object:
        return open_case.open_case(unit, net.cem.person("ana"), DESK, name, unit.now + timedelta(days=days), fields)

    with pytest.raises(Refused) as refused:
        net.cem.run(run)
    assert code_of(refused) == code
    assert net.cem.run(lambda unit: unit.cases.count()) == 0


def test_every_value_is_sealed_under_the_case(net: Net) -> None:
    case = opened(net.cem)
    assert CANARY.encode() not in everything(net.cem)
    assert case.id in owners(net.cem)


def test_undo_within_a_minute_destroys_the_key(net: Net) -> None:
    case = opened(net.cem)
    net.clock.advance(timedelta(seconds=60))
    assert undone(net).kind == "open_case"
    assert case.id not in owners(net.cem)
    assert f"led_{case.id}" not in owners(net.cem)
    assert net.cem.run(lambda unit: unit.cases.get(case.id)).state == "undone"
    net.wait(days=3)
    assert not net.rung(net.cem), "an undone case does not ring"
    with pytest.raises(Refused) as refused:
        undone(net)
    assert code_of(refused) == "nothing_to_undo"


def test_undo_has_its_time_its_room_and_its_author(net: Net) -> None:
    opened(net.cem)
    for how in ({"room": "!otra"}, {"by": "berta"}):
        with pytest.raises(Refused) as refused:
            undone(net, **how)
        assert code_of(refused) == "nothing_to_undo"
    net.clock.advance(timedelta(seconds=61))
    with pytest.raises(Refused) as refused:
        undone(net)
    assert code_of(refused) == "nothing_to_undo"


def test_a_referral_can_be_undone_until_it_left(net: Net) -> None:
    case = opened(net.cem)
    consented(net.cem, case)
    confirmed(net.cem, drafted(net.cem, case))
    assert undone(net).kind == "refer"
    net.settle()
    assert net.csmc.run(lambda unit: unit.referrals.count()) == 0
    confirmed(net.cem, drafted(net.cem, case))
    net.settle(1)
    with pytest.raises(Refused) as refused:
        undone(net)
    assert code_of(refused) == "already_left"


def test_opening_cannot_be_undone_once_she_was_referred(net: Net) -> None:
    case = opened(net.cem)
    consented(net.cem, case)
    confirmed(net.cem, drafted(net.cem, case))
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: open_case.undo_open(unit, net.cem.person("ana"), case.id))
    assert code_of(refused) == "already_left"


def test_a_field_is_replaced_and_goes_nowhere_by_itself(net: Net) -> None:
    case, referral = working(net)
    net.cem.run(lambda unit: open_case.set_field(unit, net.cem.person("ana"), case.code, "phone", " 999 111 222 "))
    net.settle()
    assert net.cem.run(lambda unit: unit.fields.count(case=case.id, field="phone")) == 1
    from hub.actions.common import value_of
    from tests.actions.road import held

    assert net.cem.run(lambda unit: value_of(unit, case.id, "phone")) == "999 111 222"
    assert held(net.csmc, referral)["phone"][1] == VALUES["phone"]


@pytest.mark.parametrize(("code", "wanted"), [("C-ZZZZZ", "unknown_code"), ("", "no_code"), (None, "no_code")])
def test_a_code_is_never_guessed(net: Net, code: str | None, wanted: str) -> None:
    opened(net.cem)
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: open_case.set_field(unit, net.cem.person("ana"), code, "phone", "9"))
    assert code_of(refused) == wanted


def closed(net: Net, code: str, outcome: str = "needs_met") -> object:
    return net.cem.run(lambda unit: close_case.close_case(unit, net.cem.person("ana"), code, outcome))


def test_closing_waits_for_open_referrals_and_names_them(net: Net) -> None:
    case = opened(net.cem)
    consented(net.cem, case)
    referral = offered(net, case)
    with pytest.raises(Refused) as refused:
        closed(net, case.code)
    assert code_of(refused) == "referrals_open"
    assert refused.value.params["referrals"] == referral.code
    taken(net, referral)
    with pytest.raises(Refused) as refused:
        closed(net, case.code)
    assert code_of(refused) == "referrals_open"
    from hub.actions import work

    net.csmc.run(lambda unit: work.finish(unit, net.csmc.person("ana"), referral.id, "needs_met"))
    net.settle()
    closed(net, case.code)


def test_a_closed_case_stays_readable_rings_no_more_and_blocks_nothing(net: Net) -> None:
    case = opened(net.cem)
    closed(net, case.code)
    net.wait(days=5)
    assert not net.rung(net.cem)
    for act in (
        lambda unit: open_case.set_field(unit, "x", case.code, "phone", "9"),
        lambda unit: plan_check_in.plan_check_in(unit, "x", case.code, unit.now + timedelta(days=1)),
        lambda unit: close_case.close_case(unit, "x", case.code, "needs_met"),
    ):
        with pytest.raises(Refused) as refused:
            net.cem.run(act)
        assert code_of(refused) == "case_closed"
    assert opened(net.cem).code != case.code


def test_an_outcome_comes_from_the_list(net: Net) -> None:
    case = opened(net.cem)
    with pytest.raises(Refused) as refused:
        closed(net, case.code, "se aburrió")
    assert code_of(refused) == "unknown_outcome"


def test_codes_do_not_collide(net: Net) -> None:
    with mock.patch("secrets.randbelow", side_effect=[1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8]):
        one, two = opened(net.cem), opened(net.cem)
    assert one.code.startswith("C-345")
    assert two.code.startswith("C-789")


def test_csmc_is_the_default() -> None:
    assert fresh().csmc.id == CSMC
