"""Consent: recorded only when it is one, and never used for anything else than what she said (R12, R72, P03)."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.actions import answer, record_consent, withdraw
from hub.actions.decide import releases, rule
from hub.actions.withdraw import shrink_consents
from hub.base.errors import Refused
from hub.cases.lifecycle import State
from tests.actions.road import (
    CANARY,
    CSMC,
    HOGAR,
    NEED,
    PURPOSE,
    SHARED,
    Net,
    code_of,
    consented,
    drafted,
    everything,
    fresh,
    held,
    offered,
    opened,
    taken,
    terms,
    there,
    working,
)


@pytest.mark.parametrize(("how", "code"), [
    ({"explained": False}, "not_explained"),
    ({"recipients": ()}, "consent_empty"),
    ({"purposes": ()}, "consent_empty"),
    ({"fields": ()}, "consent_empty"),
    ({"mode": "por señas"}, "unknown_mode"),
    ({"fields": ("phone", "inventado")}, "unknown_field"),
    ({"until": datetime.fromisoformat("2020-01-01T00:00:00+00:00")}, "date_past"),
])  # fmt: skip
def test_what_is_no_consent_is_refused(net: Net, how: dict[str, object], code: str) -> None:
    case = opened(net.cem)
    with pytest.raises(Refused) as refused:
        consented(net.cem, case, **how)
    assert code_of(refused) == code
    assert net.cem.run(lambda unit: unit.consents.count()) == 0


def test_a_purpose_nobody_knows_is_refused(net: Net) -> None:
    case = opened(net.cem)
    with pytest.raises(Refused) as refused:
        consented(net.cem, case, purposes=("curiosidad",))
    assert code_of(refused) == "unknown_purpose"


def test_what_was_recorded_can_be_answered_for(net: Net) -> None:
    case = opened(net.cem)
    given_ = consented(net.cem, case, mode="representative", language="qu", notice="3")
    kept = net.cem.run(lambda unit: unit.consents.get(given_.id))
    assert (kept.explained_by, kept.mode, kept.language, kept.notice) == (net.cem.person("ana"), "representative", "qu", "3")
    line = net.cem.run(lambda unit: unit.log.one(about=case.id, what="consent.recorded"))
    assert line.actor == net.cem.person("ana")
    assert line.detail["consent"] == given_.id


FAULTS = ("fine", "other_case", "other_recipient", "other_purpose", "other_field", "expired", "withdrawn", "not_explained")


@given(
    faults=st.lists(st.sampled_from(FAULTS[1:]), min_size=1, max_size=4, unique=True),
    fields=st.sets(st.sampled_from(SHARED), min_size=1),
    good=st.booleans(), good_fields=st.sets(st.sampled_from(SHARED), min_size=1),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_p03_another_consent_never_releases(faults: list[str], fields: set[str], good: bool, good_fields: set[str]) -> None:
    """Any number of consents that are of another case, expired, withdrawn, for another recipient or purpose add nothing to the one that holds."""
    net = fresh()
    case, other = opened(net.cem), opened(net.cem)
    for fault in faults:
        _spoilt(net, fault, case.id, other.id, fields)
    net.clock.advance(timedelta(hours=2))
    if good:
        consented(net.cem, case, fields=good_fields)

    def seen(unit: object) -> set[str]:
        ruling = rule(unit, case, CSMC, NEED)
        assert not good or ruling.consent_state == "active"
        return {f for f in ruling.values if ruling.decision.field(f).outcome.word != "withhold"}

    released = net.cem.run(seen)
    assert released <= (good_fields if good else set())
    if not good:
        draft = drafted(net.cem, case)
        assert not draft.ready


def _spoilt(net: Net, fault: str, case: str, other: str, fields: set[str]) -> None:
    how = {
        "other_recipient": {"recipients": (HOGAR,)}, "other_purpose": {"purposes": ("statistics", "legal_aid")},
        "expired": {"until": net.clock.now() + timedelta(hours=1)}, "other_field": {"fields": ("occupation",)},
    }.get(fault, {})  # fmt: skip
    wanted = terms(net.cem, **({"fields": fields} | how))
    about = other if fault == "other_case" else case

    def run(unit: object) -> None:
        consent = record_consent.record_consent(unit, net.cem.person("ana"), about, wanted)
        from dataclasses import replace

        if fault == "withdrawn":
            unit.consents.put(replace(consent, withdrawn_at=unit.now))
        if fault == "not_explained":
            unit.consents.put(replace(consent, explained=False))

    net.cem.run(run)


@pytest.mark.parametrize("faults", list(itertools.combinations(FAULTS[1:], 2)))
def test_p03_and_through_the_whole_road(net: Net, faults: tuple[str, ...]) -> None:
    """The same through confirm, dispatch and the recipient: accepted with a good consent, the good one replaced before disclosure."""
    case, other = opened(net.cem), opened(net.cem)
    consented(net.cem, case)
    referral = offered(net, case)
    net.cem.run(lambda unit: shrink_consents(unit, case.id, None, ()))
    for fault in faults:
        _spoilt(net, fault, case.id, other.id, set(SHARED))
    net.clock.advance(timedelta(hours=2))
    taken(net, referral)
    assert held(net.csmc, referral) == {}
    assert CANARY.encode() not in everything(net.csmc)
    assert net.moved(net.cem, "nothing_disclosed")[-1].ring, "and the lead is told"


def test_two_consents_add_up_and_each_ends_in_its_own_time(net: Net) -> None:
    """The phone was agreed to for ten days, the name for ninety: after ten days the holder has the name alone."""
    case = opened(net.cem)
    consented(net.cem, case, fields=("phone",), until=net.clock.now() + timedelta(days=10))
    consented(net.cem, case, fields=("social_name",))
    referral = taken(net, offered(net, case))
    assert set(held(net.csmc, referral)) == {"phone", "social_name"}
    disclosure = net.csmc.run(lambda unit: unit.disclosures.one(referral=referral.id))
    assert disclosure.until <= net.clock.now() + timedelta(days=10)
    net.wait(days=10)
    assert set(held(net.csmc, referral)) == {"social_name"}
    states = net.cem.run(lambda unit: {tuple(d.fields): d.state for d in unit.disclosures.all(referral=referral.id)})
    assert states[("social_name",)] == "active"
    assert set(states.values()) == {"active", "destroyed"}


def test_when_consent_ends_what_was_held_on_it_ends(net: Net) -> None:
    case, referral = working(net, until=net.clock.now() + timedelta(days=10))
    assert held(net.csmc, referral)
    net.wait(days=10)
    assert held(net.csmc, referral) == {}
    assert net.cem.run(lambda unit: unit.disclosures.one(referral=referral.id)).state == "destroyed"
    assert there(net.cem, referral).state is State.ACCEPTED, "the referral itself goes on"
    assert not releases(net.cem.run(lambda unit: rule(unit, case, CSMC, NEED)))


def test_a_silent_holder_is_overdue_after_consent_ended_p14(net: Net) -> None:
    _, referral = working(net, until=net.clock.now() + timedelta(days=10))
    net.spoil = lambda parcel: [] if parcel.room.endswith("cem-lima.csmc-comas") else [parcel]
    net.wait(days=10)
    found = net.cem.run(lambda unit: unit.disclosures.one(referral=referral.id))
    assert found.state == "recalled"
    assert found.due_at is not None
    net.wait(days=1, hours=1)
    assert net.cem.run(lambda unit: unit.disclosures.one(referral=referral.id)).state == "overdue"
    assert net.mentioned(net.cem) == (net.cem.person("sara"),)


def test_a_consent_that_was_cut_down_still_ends_in_its_time(net: Net) -> None:
    case, referral = working(net, until=net.clock.now() + timedelta(days=10), recipients=(CSMC, HOGAR))
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, HOGAR))
    net.settle()
    assert held(net.csmc, referral)
    net.wait(days=10)
    assert held(net.csmc, referral) == {}


def test_granting_a_field_needs_her_consent_too(net: Net) -> None:
    _, referral = working(net, fields=("social_name",))
    net.csmc.run(lambda unit: answer.ask_field(unit, net.csmc.person("ana"), referral.id, "phone", "para llamarla"))
    net.settle()
    ask = net.cem.run(lambda unit: unit.asks.one(state="open"))
    net.cem.run(lambda unit: answer.answer_ask(unit, net.cem.person("ana"), ask.id, granted=True))
    net.settle()
    assert "phone" not in held(net.csmc, referral)
    assert referral.purpose == PURPOSE
