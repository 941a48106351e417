"""`ver`: by assignment or with a reason, every reading logged, nothing after a withdrawal (P08)."""

from __future__ import annotations

import pytest

from hub.actions import show_value, withdraw
from hub.actions.show_value import Values
from hub.base.errors import Refused
from hub.testing import Twin
from tests.actions.road import CANARY, VALUES, Net, code_of, opened, working


def seen(twin: Twin, by: str, code: str | None, field: str | None = None, reason: str | None = None) -> Values:
    return twin.run(lambda unit: show_value.show_values(unit, twin.person(by), code, field, reason))


def test_the_lead_reads_and_it_is_logged(net: Net) -> None:
    case = opened(net.cem)
    assert seen(net.cem, "ana", case.code, "phone").values == {"phone": ("release", VALUES["phone"])}
    line = net.cem.run(lambda unit: unit.log.one(about=case.id, what="read.values"))
    assert (line.actor, line.detail["fields"], line.detail["reason"]) == (net.cem.person("ana"), ["phone"], False)


@pytest.mark.parametrize("side", ["sender", "recipient"])
def test_anybody_else_gives_a_reason_and_that_is_logged_too(net: Net, side: str) -> None:
    case, referral = working(net)
    twin, code, about = (net.cem, case.code, case.id) if side == "sender" else (net.csmc, referral.code, referral.id)
    with pytest.raises(Refused) as refused:
        seen(twin, "berta", code)
    assert code_of(refused) == "reason_needed"
    assert twin.run(lambda unit: unit.log.count(about=about, what="read.values")) == 0
    assert seen(twin, "berta", code, reason="la cubro hoy").values
    line = twin.run(lambda unit: unit.log.one(about=about, what="read.values"))
    assert (line.actor, line.detail["reason"]) == (twin.person("berta"), True)
    assert "cubro" not in str(line)
    assert CANARY not in str(line)


def test_whoever_accepted_reads_what_was_disclosed_and_no_more(net: Net) -> None:
    _, referral = working(net)
    values = seen(net.csmc, "ana", referral.code).values
    assert "social_name" in values
    assert not {"legal_name", "document_number", "address", "notes"} & set(values)
    with pytest.raises(Refused) as refused:
        seen(net.csmc, "ana", referral.code, "legal_name")
    assert code_of(refused) == "nothing_to_show"


@pytest.mark.parametrize(("code", "wanted"), [(None, "no_code"), ("", "no_code"), ("C-22222", "unknown_code"), ("R-22222", "unknown_code")])
def test_nobody_is_guessed(net: Net, code: str | None, wanted: str) -> None:
    with pytest.raises(Refused) as refused:
        seen(net.cem, "ana", code)
    assert code_of(refused) == wanted


def test_p11_a_referral_of_ours_is_no_window_into_the_other_side(net: Net) -> None:
    _, referral = working(net)
    with pytest.raises(Refused) as refused:
        seen(net.cem, "ana", referral.code)
    assert code_of(refused) == "unknown_code"


def test_after_a_withdrawal_there_is_nothing(net: Net) -> None:
    case, referral = working(net)
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, None))
    net.settle()
    with pytest.raises(Refused) as refused:
        seen(net.csmc, "ana", referral.code)
    assert code_of(refused) == "withdrawn"
    assert seen(net.cem, "ana", case.code).values, "her own institution's record stays hers"
