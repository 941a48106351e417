"""The laws of a decision, as properties over generated protocols and requests (design §6; P02, P03 at the engine level).

The generated world is the shipped vocabulary with random rules: few fields, all dimensions, so that rules meet each other often.
"""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from policies import conflict, engine, meaning, packs, preview
from policies.conditions import DIMENSIONS, MAX_ATOMS, Atom
from policies.decision import CONSENT_STATES, Facts, Outcome, Request
from policies.protocol import Protocol, Rule

T = TypeVar("T")
PACK = packs.load("pe")
BASE = PACK.protocols["emergency-centre"]
PURPOSES = tuple(BASE.purposes)
KINDS = ("emergency_centre", "police_station", "police_internal_affairs", "health_facility")
FIELDS = ("district", "account", "social_name", "birth_date", "legal_name")
WORDS = {dimension: sorted(BASE.domain[dimension] - {"unknown"})[:6] for dimension in DIMENSIONS} | {
    "need": ["emergency_care", "legal_aid", "protection"],
    "aggressor_affiliation": ["none", "partner", "police", "health", "armed_forces", "other_private"],
}
BASES = tuple(WORDS["legal_basis"])
laws = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def subsets(values: tuple[str, ...] | list[str], smallest: int = 0) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values), min_size=smallest)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    name = draw(st.sampled_from(FIELDS))
    outcome = draw(st.sampled_from(list(Outcome)))
    ways = PACK.vocabulary.fields[name].generalisations
    how = None
    if outcome is Outcome.GENERALISE:
        if not ways:
            outcome = Outcome.PRESENCE
        else:
            how = draw(st.sampled_from(ways))
    forbids = outcome is Outcome.WITHHOLD
    picked = draw(st.lists(st.sampled_from(DIMENSIONS), max_size=2, unique=True))
    when = frozenset(Atom(dimension=d, values=draw(subsets(WORDS[d], 1)), forbids=forbids) for d in picked)
    return Rule(
        field=name,
        outcome=outcome,
        generalisation=how,
        when=when,
        purposes=draw(st.one_of(st.just(frozenset()), subsets(PURPOSES, 1))),
        to_kinds=draw(st.one_of(st.just(frozenset()), subsets(KINDS, 1))),
        legal_basis=frozenset() if forbids else draw(st.one_of(st.just(frozenset()), subsets(BASES, 1))),
    )


def protocol_of(some: tuple[Rule, ...]) -> Protocol:
    return dataclasses.replace(BASE, to_kinds=frozenset(KINDS), universe=(*FIELDS, "phone"), rules=some)


@st.composite
def protocols(draw: st.DrawFn, largest: int = 6) -> Protocol:
    protocol = protocol_of(tuple(draw(st.lists(rules(), max_size=largest, unique_by=lambda rule: rule.id))))
    assume(len(protocol.atoms) <= MAX_ATOMS)
    return protocol


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    def maybe(dimension: str) -> str | None:
        return draw(st.one_of(st.none(), st.sampled_from(WORDS[dimension])))

    affiliations = draw(subsets([*WORDS["aggressor_affiliation"], "unknown", "institution:ejemplo-1", "institution:ejemplo-2"]))
    return Facts(
        need=draw(st.sampled_from(WORDS["need"])),
        risk=maybe("risk"),
        urgency=maybe("urgency"),
        age_band=maybe("age_band"),
        aggressor_affiliation=affiliations,
        legal_basis=draw(subsets(BASES)),
    )


@st.composite
def requests(draw: st.DrawFn) -> Request:
    return Request(
        purpose=draw(st.sampled_from(PURPOSES)),
        recipient_kind=draw(st.sampled_from(KINDS)),
        recipient_id=draw(st.sampled_from(["ejemplo-1", "ejemplo-3"])),
        facts=draw(facts()),
        consented=draw(st.one_of(st.just(frozenset(FIELDS)), subsets(FIELDS))),
        consent_state=draw(st.sampled_from(CONSENT_STATES)),
    )


def changed(value: T, name: str, to: object) -> T:
    """A copy with one field set to anything at all."""
    replace: Any = dataclasses.replace
    copy: T = replace(value, **{name: to})
    return copy


def widths(protocol: Protocol, request: Request) -> dict[str, tuple[int, int]]:
    """How much each field shows."""
    found = {}
    for name, item in meaning.decide(protocol, request).fields.items():
        rule = Rule(field=name, outcome=item.outcome, generalisation=item.generalisation)
        found[name] = rule.width
    return found


@laws
@given(protocols(), requests())
def test_engine_equals_meaning(protocol: Protocol, request: Request) -> None:
    compiled = engine.compile(protocol)
    expected = meaning.decide(protocol, request)
    assert compiled.decide(request) == expected
    assert compiled.decide(request) == expected  # and again, from memory
    assert compiled.decide_afresh(request) == expected


@laws
@given(requests())
def test_nothing_is_released_by_default(request: Request) -> None:
    assert not meaning.decide(protocol_of(()), request).discloses


@laws
@given(protocols(), requests())
def test_every_decision_names_every_field_with_a_reason(protocol: Protocol, request: Request) -> None:
    decision = engine.compile(protocol).decide(request)
    assert tuple(decision.fields) == protocol.universe
    for name, item in decision.fields.items():
        assert item.field == name
        assert item.reason.code
        assert (item.generalisation is not None) == (item.outcome is Outcome.GENERALISE)


@laws
@given(protocols(), requests(), st.sampled_from(FIELDS))
def test_forbid_wins(protocol: Protocol, request: Request, name: str) -> None:
    forbidden = dataclasses.replace(protocol, rules=(*protocol.rules, Rule(field=name, outcome=Outcome.WITHHOLD)))
    assert engine.compile(forbidden).decide(request).field(name).outcome is Outcome.WITHHOLD


@laws
@given(protocols(), requests(), st.randoms(use_true_random=False))
def test_order_never_matters(protocol: Protocol, request: Request, chance: object) -> None:
    shuffled = list(protocol.rules)
    chance.shuffle(shuffled)
    assert engine.compile(dataclasses.replace(protocol, rules=tuple(shuffled))).decide(request) == engine.compile(
        protocol
    ).decide(request)


@laws
@given(protocols(), requests(), rules())
def test_adding_a_prohibition_never_releases(protocol: Protocol, request: Request, other: Rule) -> None:
    atoms = frozenset(dataclasses.replace(atom, forbids=True) for atom in other.when)
    prohibition = dataclasses.replace(other, outcome=Outcome.WITHHOLD, generalisation=None, when=atoms, legal_basis=frozenset())
    before, after = (
        widths(protocol, request),
        widths(dataclasses.replace(protocol, rules=(*protocol.rules, prohibition)), request),
    )
    assert all(after[name] <= before[name] for name in before)


@laws
@given(protocols(), requests(), st.data())
def test_narrowing_or_removing_a_permission_never_releases(protocol: Protocol, request: Request, data: st.DataObject) -> None:
    permissions = [rule for rule in protocol.rules if rule.outcome is not Outcome.WITHHOLD]
    assume(permissions)
    rule = data.draw(st.sampled_from(permissions))
    rest = tuple(other for other in protocol.rules if other is not rule)
    dimension = data.draw(st.sampled_from(DIMENSIONS))
    atom = Atom(dimension=dimension, values=data.draw(subsets(WORDS[dimension], 1)))
    before = widths(protocol, request)
    for fewer in (rest, (*rest, dataclasses.replace(rule, when=rule.when | {atom}))):
        after = widths(dataclasses.replace(protocol, rules=fewer), request)
        assert all(after[name] <= before[name] for name in before)


@laws
@given(protocols(), requests())
def test_forgetting_a_fact_never_releases(protocol: Protocol, request: Request) -> None:
    before = widths(protocol, request)
    known = request.facts
    assume(not conflict.excluded(request.recipient_kind, request.recipient_id, known.aggressor_affiliation, PACK.vocabulary.bodies))
    forgotten = [
        dataclasses.replace(known, risk=None),
        dataclasses.replace(known, urgency=None),
        dataclasses.replace(known, age_band=None),
        dataclasses.replace(known, aggressor_affiliation=frozenset()),
        dataclasses.replace(known, legal_basis=frozenset()),
    ]
    for fewer in forgotten:
        after = widths(protocol, dataclasses.replace(request, facts=fewer))
        assert all(after[name] <= before[name] for name in before)


def test_a_prohibition_that_asks_for_a_legal_basis_holds_while_none_is_recorded() -> None:
    """Found by the law above: forgetting the basis must not open what the basis forbade."""
    atom = Atom(dimension="legal_basis", values=frozenset({BASES[0]}), forbids=True)
    assert atom.holds(Facts(need="mental_health"))
    assert atom.holds(Facts(need="mental_health", legal_basis=frozenset({BASES[0]})))
    assert not atom.holds(Facts(need="mental_health", legal_basis=frozenset({BASES[1]})))
    assert not dataclasses.replace(atom, forbids=False).holds(Facts(need="mental_health"))


@laws
@given(
    protocols(),
    requests(),
    st.sampled_from(["need", "risk", "urgency", "age_band", "aggressor_affiliation", "legal_basis", "consent"]),
)
def test_an_error_withholds_everything(protocol: Protocol, request: Request, broken: str) -> None:
    assume(not conflict.excluded(request.recipient_kind, request.recipient_id, request.facts.aggressor_affiliation, PACK.vocabulary.bodies))
    if broken == "consent":
        wrong = dataclasses.replace(request, consent_state="perhaps")
    else:
        wrong = dataclasses.replace(request, facts=changed(request.facts, broken, "not-a-word"))
    compiled = engine.compile(protocol)
    compiled.decide(request)
    decision = compiled.decide(wrong)
    assert not decision.discloses
    assert decision == meaning.decide(protocol, wrong)


@pytest.mark.parametrize("broken", [None, "text", 7, object()])
def test_a_request_that_is_none_withholds_everything(broken: object) -> None:
    compiled = PACK.compiled["mental-health"]
    for decision in (compiled.decide(broken), compiled.decide_afresh(broken), meaning.decide(compiled.protocol, broken)):
        assert not decision.discloses
        assert tuple(decision.fields) == compiled.protocol.universe
        assert {item.reason.code for item in decision.fields.values()} == {"error"}


@laws
@given(protocols(), requests())
def test_a_conflict_of_interest_cannot_be_overridden(protocol: Protocol, request: Request) -> None:
    """R61-R62: whatever the rules, consents and legal bases, the aggressor's body gets nothing, and only it is `excluded`."""
    out = conflict.excluded(request.recipient_kind, request.recipient_id, request.facts.aggressor_affiliation, PACK.vocabulary.bodies)
    everything = dataclasses.replace(
        protocol, rules=tuple(Rule(field=name, outcome=Outcome.RELEASE, legal_basis=frozenset(BASES)) for name in FIELDS)
    )
    for one in (protocol, everything):
        decision = engine.compile(one).decide(dataclasses.replace(request, consented=frozenset(FIELDS), consent_state="active"))
        assert decision.excluded == out
        if out:
            assert not decision.discloses
            assert not preview.view(decision, dict.fromkeys(FIELDS, "x"), date(2026, 6, 1))


@laws
@given(protocols(), requests())
def test_p03_without_living_consent_only_a_named_legal_basis_releases(protocol: Protocol, request: Request) -> None:
    """P03: none, expired, withdrawn, or given for other fields."""
    decision = engine.compile(protocol).decide(request)
    for name, item in decision.fields.items():
        if item.outcome is Outcome.WITHHOLD:
            continue
        if request.consent_state == "active" and name in request.consented:
            assert item.reason.code == "consent"
            continue
        assert item.reason.code == "legal_basis"
        rule = next(rule for rule in protocol.rules if rule.id == item.reason.rule_id)
        assert rule.legal_basis & request.facts.legal_basis


@laws
@given(protocols(), requests(), subsets(FIELDS))
def test_giving_less_consent_never_releases_more(protocol: Protocol, request: Request, kept: frozenset[str]) -> None:
    before = widths(protocol, request)
    after = widths(protocol, dataclasses.replace(request, consented=request.consented & kept))
    assert all(after[name] <= before[name] for name in before)


@laws
@given(protocols(), requests(), st.sampled_from(["purpose", "recipient_kind", "need"]))
def test_p02_what_the_protocol_does_not_cover_gets_nothing(protocol: Protocol, request: Request, broken: str) -> None:
    """P02: another purpose, another recipient kind, another need."""
    other = {"purpose": "statistics", "recipient_kind": "ngo"}
    if broken == "need":
        asked = dataclasses.replace(request, facts=dataclasses.replace(request.facts, need="food"))
    else:
        asked = changed(request, broken, other[broken])
    decision = engine.compile(protocol).decide(asked)
    assert not decision.discloses
    assert decision == meaning.decide(protocol, asked)


@pytest.mark.parametrize("protocol_id", sorted(PACK.protocols))
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_engine_equals_meaning_on_the_shipped_protocols(protocol_id: str, data: st.DataObject) -> None:
    compiled = PACK.compiled[protocol_id]
    protocol = compiled.protocol
    known = facts().map(lambda one: dataclasses.replace(one, need=sorted(protocol.needs)[0]))
    request = Request(
        purpose=data.draw(st.sampled_from(sorted(protocol.purposes))),
        recipient_kind=data.draw(st.sampled_from(sorted(protocol.to_kinds))),
        recipient_id="ejemplo-1",
        facts=data.draw(known),
        consented=data.draw(st.one_of(st.just(frozenset(protocol.universe)), subsets(protocol.universe))),
        consent_state=data.draw(st.sampled_from(CONSENT_STATES)),
    )
    assert compiled.decide(request) == compiled.decide_afresh(request) == meaning.decide(protocol, request)


def test_p03_two_hundred_combinations_of_consent() -> None:
    """P03 as a table: every consent state x every subset of a few fields x three facts; only active and agreed leaves."""
    compiled = PACK.compiled["community-accompaniment"]
    checked = 0
    for state in CONSENT_STATES:
        for bits in range(32):
            given_fields = frozenset(
                name for place, name in enumerate(("social_name", "phone", "district", "needs", "age")) if bits >> place & 1
            )
            for risk in (None, "low", "critical"):
                request = Request(
                    purpose="accompaniment", recipient_kind="community_organisation", recipient_id="ejemplo-1",
                    facts=Facts(need="accompaniment", risk=risk), consented=given_fields, consent_state=state,
                )  # fmt: skip
                leaving = {n for n, item in compiled.decide(request).fields.items() if item.outcome is not Outcome.WITHHOLD}
                assert leaving == (given_fields if state == "active" else set())
                checked += 1
    assert checked >= 200


@pytest.mark.parametrize(
    "affiliations", [set(), {"unknown"}, {"unknown", "partner"}, {"partner"}, {"armed_forces"}, {"institution:ejemplo-2"}]
)
def test_an_unknown_aggressor_counts_against_release(affiliations: set[str]) -> None:
    """Not asked and not known are the same doubt, whatever else is known; an institution named by id is knowledge."""
    forbids = Atom(dimension="aggressor_affiliation", values=frozenset({"armed_forces"}), forbids=True)
    allows = Atom(dimension="aggressor_affiliation", values=frozenset({"partner"}))
    protocol = protocol_of((
        Rule(field="account", outcome=Outcome.WITHHOLD, when=frozenset({forbids})),
        Rule(field="account", outcome=Outcome.PRESENCE),
        Rule(field="district", outcome=Outcome.RELEASE, when=frozenset({allows})),
    ))  # fmt: skip
    request = Request(
        purpose=PURPOSES[0],
        recipient_kind="emergency_centre",
        recipient_id="ejemplo-1",
        facts=Facts(need="emergency_care", aggressor_affiliation=frozenset(affiliations)),
        consented=frozenset(FIELDS),
        consent_state="active",
    )
    decision = engine.compile(protocol).decide(request)
    assert decision == meaning.decide(protocol, request)
    doubt = not affiliations or "unknown" in affiliations
    assert (decision.field("account").outcome is Outcome.PRESENCE) == (not doubt and "armed_forces" not in affiliations)
    assert (decision.field("district").outcome is Outcome.RELEASE) == (not doubt and "partner" in affiliations)
