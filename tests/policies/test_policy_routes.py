"""Routing rules as data (R36, R53, R61-R69), over every pack; and their findings have places."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import conflict, packs, routes
from policies.errors import DocumentError
from policies.generalise import AGE_BANDS
from policies.packs import Pack
from policies.routing import RouteFacts

PE = packs.load("pe")
every_pack = pytest.mark.parametrize("pack", [pytest.param(packs.load(name), id=name) for name in packs.shipped()])


def ask(need: str, *affiliations: str, **facts: str) -> RouteFacts:
    return RouteFacts(need=need, affiliations=frozenset(affiliations), **facts)


def all_facts(pack: Pack) -> st.SearchStrategy[RouteFacts]:
    lists = pack.vocabulary.lists

    def one(name: str) -> st.SearchStrategy[str | None]:
        return st.none() | st.sampled_from(sorted(lists[name]))

    named = st.sampled_from([*sorted(lists["affiliations"]), "institution:ejemplo-1", "¿?"])
    return st.builds(
        RouteFacts, need=st.sampled_from(sorted(lists["needs"])), level=one("levels"), affiliations=st.frozensets(named, max_size=3),
        risk=one("risks"), urgency=one("urgencies"), situation=one("situation_classes"), age_band=st.none() | st.sampled_from(AGE_BANDS),
    )  # fmt: skip


def test_r61_a_police_aggressor_leaves_court_prosecutor_and_internal_affairs_only() -> None:
    for need in ("file_complaint", "complaint_against_officials"):
        assert set(PE.route(ask(need, "police")).kinds) == {"court", "prosecutor", "police_internal_affairs"}
        assert "police_station" not in PE.route(ask(need, "police", risk="critical", urgency="urgent", level="local")).kinds


def test_r61_no_rule_puts_the_police_first() -> None:
    for need in PE.vocabulary.needs:
        for risk in (None, "low", "critical"):
            kinds = PE.route(RouteFacts(need=need, risk=risk)).kinds
            assert kinds[:1] != ("police_station",), need


def test_r62_other_state_aggressors_go_to_who_looks_into_them() -> None:
    assert PE.route(ask("file_complaint", "municipality")).kinds[:2] == ("prosecutor", "ombudsman")
    assert PE.route(ask("file_complaint", "prosecutor")).kinds == ("prosecutor_oversight", "court", "ombudsman")
    assert PE.route(ask("complaint_against_officials", "court")).kinds == ("court_oversight", "prosecutor", "ombudsman")
    assert PE.route(ask("service_complaint", "health")).kinds[0] == "health_oversight"


def test_r63_legal_aid_against_the_state_never_goes_to_the_accused_body() -> None:
    assert PE.route(ask("legal_aid", "police")).kinds == ("public_defence", "ombudsman", "ngo")
    assert PE.route(ask("legal_aid", "public_defence")).kinds == ("ngo", "ombudsman")


def test_r36_trafficking_routes_to_protection_first_and_never_to_the_police() -> None:
    for need in ("trafficking_protection", "trafficking_complaint", "shelter", "file_complaint", "protection"):
        found = PE.route(ask(need, situation="trafficking"))
        assert found.kinds[0] in ("shelter", "victim_protection_unit"), need
        assert "police_station" not in found.kinds
        assert not [item for item in found.emergency if item.kind == "police_station"], "not by its number either"


@every_pack
def test_r35_sex_work_changes_no_route(pack: Pack) -> None:
    for need in pack.vocabulary.needs:
        for affiliation in pack.vocabulary.bodies.affiliations:
            plain, named = pack.route(ask(need, affiliation)), pack.route(ask(need, affiliation, situation="sex_work"))
            assert (plain.steps, plain.rights, plain.emergency) == (named.steps, named.rights, named.emergency)


def test_r53_serious_cases_go_to_shelter_and_justice_within_a_day() -> None:
    found = PE.route(ask("protection", risk="critical"))
    assert found.kinds[:2] == ("shelter", "emergency_centre")
    assert {"court", "prosecutor"} <= set(found.kinds)
    assert next(step for step in found.steps if step.kind == "court").within == timedelta(hours=24)
    assert next(step for step in PE.route(ask("protection")).steps if step.kind == "court").within == timedelta(hours=48)


def test_r57_first_aid_is_at_once_and_accompaniment_takes_its_time() -> None:
    first, longer = PE.route(ask("first_psychological_aid")), PE.route(ask("accompaniment"))
    assert {step.within for step in first.steps} == {timedelta(hours=1)}
    assert {step.within for step in longer.steps} == {None}


def test_r64_a_migration_office_is_offered_for_papers_and_for_nothing_else() -> None:
    for need in PE.vocabulary.needs:
        assert ("migration_office" in PE.route(ask(need)).kinds) == (need == "documents")


def test_r69_the_level_of_government_orders_and_never_adds() -> None:
    local, plain = PE.route(ask("food", level="local")), PE.route(ask("food"))
    assert local.kinds[0] == "municipality"
    assert set(local.kinds) == set(plain.kinds)


@every_pack
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_r61_r62_no_route_ever_reaches_an_excluded_kind(pack: Pack, data: st.DataObject) -> None:
    facts = data.draw(all_facts(pack))
    words = pack.vocabulary
    found = pack.route(facts)
    out = conflict.excluded_kinds(facts.affiliations, words.bodies, words.kinds)
    assert not out & set(found.kinds)
    assert not out & {item.kind for item in found.emergency}
    assert len(set(found.kinds)) == len(found.kinds)
    known = facts.affiliations <= words.bodies.affiliations | {"institution:ejemplo-1"}
    assert found.kinds or not known or len(facts.affiliations) > 1, "one aggressor never leaves her without anybody"


@every_pack
def test_every_step_speaks_and_every_law_is_known(pack: Pack) -> None:
    laws = set(pack.vocabulary.lists["laws"])
    used = {law for rule in pack.routes.rules for law in rule.cite} | {law for right in pack.routes.rights.values() for law in right.cite}
    used |= {law for protocol in pack.protocols.values() for law in protocol.citations}
    assert used <= laws
    assert all(right.cite for right in pack.routes.rights.values()), "a right without a law is a promise"
    assert pack.routes.emergency
    assert {right for rule in pack.routes.rules for right in rule.rights} == set(pack.routes.rights), "a right nobody is told"


GOOD = packs.routes_text("pe")


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("only: [court, prosecutor, police_internal_affairs]", "only: [court, prosecuter]", "unknown_word"),
        ("within: PT48H\n    rights: [complain_elsewhere, oral", "within: pronto\n    rights: [complain_elsewhere, oral", "bad_duration"),
        ("  - id: police-aggressor-complaint\n    when: {affiliation", "  - id: police-aggressor-complaint\n    when: {occupation", "unknown_key"),
        ("rights: [free, no_document", "rights: [fre, no_document", "unknown_word"),
        ("  - id: first-aid\n", "  - id: urgent\n", "duplicate_id"),
        ("kind: helpline", "kind: helplines", "unknown_word"),
        ("    es: No tiene que ir a la comisaría.\n", "", "missing_key"),
        ("    cite: [belem_do_para, rm_952_2018_in]\n", "    cite: [ley_00000]\n", "unknown_word"),
    ],
)
def test_what_is_wrong_in_routes_is_told_at_its_place(before: str, after: str, code: str) -> None:
    assert GOOD.count(before) == 1
    with pytest.raises(DocumentError) as caught:
        routes.parse(GOOD.replace(before, after), PE.vocabulary)
    found = [item for item in caught.value.findings if item.code == code]
    assert found
    start = GOOD[: GOOD.index(before)].count("\n") + 1
    assert any(start - 12 <= item.line <= start + 40 and item.column >= 1 for item in found)
