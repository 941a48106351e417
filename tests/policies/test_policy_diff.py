"""A diff is exact both ways: empty when no request can tell two versions apart, and every entry has a request that does, a minimal one."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from policies import diff, document, meaning, packs
from policies.conditions import Atom
from policies.cover import Cover, holds
from policies.decision import Decision, Facts, Outcome, Request
from policies.enumeration import Space
from policies.protocol import Protocol, Rule, atoms_of
from policies.verdicts import CONSENTS, HOME, Level
from tests.policies.worlds import DOMAIN, FACTS, FIELDS, KINDS, PACK, PURPOSES, ask, is_cut, protocols, rules

laws = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large])


@st.composite
def versions(draw: st.DrawFn) -> tuple[Protocol, Protocol]:
    """Two versions that differ in little: a rule more, a rule less, another need, recipient or purpose; or in everything."""
    was = draw(protocols())
    if draw(st.integers(0, 3)) == 0:
        return was, draw(protocols())
    kept = tuple(rule for rule in was.rules if draw(st.integers(0, 3)))
    added = tuple(draw(st.lists(rules(), max_size=1)))
    now = dataclasses.replace(was, rules=tuple({rule.id: rule for rule in (*kept, *added)}.values()))
    if draw(st.integers(0, 3)) == 0:
        now = dataclasses.replace(now, needs=now.needs | {"shelter"}, to_kinds=frozenset(draw(st.sampled_from([KINDS, KINDS[:1]]))))
    assume(len(now.atoms) <= 12)
    return was, now


def level(protocol: Protocol, request: Request, field: str) -> Level:
    return level_of(meaning.decide(protocol, request), field)


def level_of(decision: Decision, field: str) -> Level:
    item = decision.field(field)
    return Level(outcome=item.outcome, generalisation=item.generalisation)


@laws
@given(versions(), st.randoms(use_true_random=False))
def test_a_request_tells_two_versions_apart_exactly_where_an_entry_says_so(pair: tuple[Protocol, Protocol], chance: random.Random) -> None:
    was, now = pair
    found = diff.diff(was, now).visible
    for facts, purpose, kind in product(chance.sample(FACTS, 25), PURPOSES, KINDS):
        for consent in CONSENTS:
            request = ask(facts, purpose, kind, consent)
            before, after = meaning.decide(was, request), meaning.decide(now, request)
            if facts.need not in was.needs | now.needs or is_cut(kind, facts):  # neither version speaks about it
                assert not before.discloses
                assert not after.discloses
                continue
            for field in FIELDS:
                one, other = level_of(before, field), level_of(after, field)
                place = purpose, kind
                said = [(c.was, c.now) for c in found if (c.field, c.consent) == (field, consent) and place in c.cells and holds(c.when, facts)]
                assert said == ([] if one == other else [(one, other)])


def fewer(request: Request) -> Iterator[Request]:
    """The same question with one fact less; the need stays, for it is never unknown."""
    facts = request.facts
    shorter = [dataclasses.replace(facts, **{name: None}) for name in ("risk", "urgency", "age_band") if getattr(facts, name) is not None]
    for name in ("aggressor_affiliation", "legal_basis"):
        shorter += [dataclasses.replace(facts, **{name: getattr(facts, name) - {value}}) for value in getattr(facts, name)]
    yield from (dataclasses.replace(request, facts=some) for some in shorter)


@laws
@given(versions())
def test_every_entry_has_a_witness_and_no_fact_of_it_is_idle(pair: tuple[Protocol, Protocol]) -> None:
    was, now = pair
    for change in diff.diff(was, now).visible:
        witness = change.witness
        assert (witness.purpose, witness.recipient_kind) in change.cells
        assert (level(was, witness, change.field), level(now, witness, change.field)) == (change.was, change.now)
        assert change.was != change.now
        for less in fewer(witness):
            assert (level(was, less, change.field), level(now, less, change.field)) != (change.was, change.now)


@laws
@given(protocols())
def test_a_version_does_not_differ_from_itself_however_its_rules_stand(protocol: Protocol) -> None:
    turned = dataclasses.replace(protocol, rules=tuple(reversed(protocol.rules)))
    assert diff.diff(protocol, turned).empty


@laws
@given(versions())
def test_forward_and_backward_say_the_same(pair: tuple[Protocol, Protocol]) -> None:
    def told(some: diff.Difference, *, back: bool) -> set[tuple[object, ...]]:
        return {(c.field, *((c.now, c.was) if back else (c.was, c.now)), c.consent, c.cells) for c in some.visible}

    assert told(diff.diff(*pair), back=False) == told(diff.diff(*reversed(pair)), back=True)


@laws
@given(protocols(), st.sampled_from([frozenset(), frozenset({"police"}), frozenset({"court", "police"})]), st.integers(min_value=0))
def test_states_are_all_told_apart_and_alternatives_make_exactly_their_states(protocol: Protocol, closed: frozenset[str], seed: int) -> None:
    atoms = atoms_of(protocol.rules)
    space = Space(atoms, DOMAIN, protocol.needs)
    states = [space.view().facts(n) for n in range(space.size)]
    rows = [tuple(atom.holds(facts) for atom in atoms) for facts in states]
    assert len(set(rows)) == len(rows) == space.size
    for place, atom in enumerate(atoms):
        assert space.where(frozenset({atom})) == sum(1 << n for n, row in enumerate(rows) if row[place])
    kept = [facts for facts in FACTS if facts.need in protocol.needs and not facts.aggressor_affiliation & closed]
    possible = {tuple(atom.holds(facts) for atom in atoms) for facts in kept}
    view = space.view(closed)
    reached = {n for n in range(space.size) if view.reached >> n & 1}
    assert possible <= {rows[n] for n in reached}  # FACTS holds at most two affiliations at once, the space any number
    for n in reached:
        facts = view.facts(n)
        assert not facts.aggressor_affiliation & closed
        assert tuple(atom.holds(facts) for atom in atoms) == rows[n]
    wanted = seed % (space.all + 1)
    said = Cover(space).of(wanted)
    assert [holds(said, facts) for facts in states] == [bool(wanted >> n & 1) for n in range(space.size)]


SHELTER = PACK.protocols["shelter"]


def edited(*pairs: tuple[str, str]) -> Protocol:
    text = packs.protocol_text("pe", "shelter")
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return document.parse(text, PACK.vocabulary)


@pytest.mark.parametrize(
    ("old", "new", "kind", "field", "was", "now"),
    [
        ("  document_type: withhold", "  document_type: release", "appears", "document_type", "withhold", "release"),
        ("  pregnancy: release", "  pregnancy: presence", "narrower", "pregnancy", "release", "presence"),
        ("  pregnancy: release", "  pregnancy: withhold", "disappears", "pregnancy", "release", "withhold"),
        ("  support_network: presence", "  support_network: release", "wider", "support_network", "presence", "release"),
        ("  age: generalise:age_band", "  age: generalise:adult_or_minor", "narrower", "age", "generalise:age_band", "generalise:adult_or_minor"),
    ],
)
def test_one_changed_line_is_one_entry(old: str, new: str, kind: str, field: str, was: str, now: str) -> None:
    found = diff.diff(SHELTER, edited((old, new)))
    (change,) = found.visible
    assert (change.kind, change.field, change.was.text, change.now.text) == (kind, field, was, now)
    assert change.cells == (("shelter_protection", "shelter"),)
    assert change.when == ((),)
    assert not found.document
    assert not found.reworded


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("version: 1", "version: 2", "version"),
        ("{retention: P2Y}", "{retention: P3Y}", "purposes.shelter_protection.retention"),
        ("urgent: PT30M", "urgent: PT15M", "respond_within.urgent"),
        ("onward: {to: [health_facility, ", "onward: {to: [", "onward_to"),
        ("on_duty: true", "on_duty: false", "auto_accept.on_duty"),
        ("ring_every: PT15M", "ring_every: PT20M", "duty.ring_every"),
        ("expires: 2029-01-01", "expires: 2028-01-01", "expires"),
        ("community_seat: community_organisation", "community_seat: ngo", "community_seat"),
        ("  languages: release\n  accessibility", "  languages: withhold\n  accessibility", "offer.languages.outcome"),
        ("  es: Ingreso a un hogar de refugio", "  es: Ingreso", "title.es"),
    ],
)
def test_every_key_of_the_document_is_compared(old: str, new: str, key: str) -> None:
    found = diff.diff(SHELTER, edited((old, new)))
    assert [change.key for change in found.document] == [key]
    assert not found.visible


def test_a_list_says_what_came_and_what_went() -> None:
    found = diff.diff(SHELTER, dataclasses.replace(SHELTER, parties=SHELTER.parties - {"court"} | {"police_station"}))
    (change,) = found.document
    assert (change.key, change.came, change.went) == ("parties", ("police_station",), ("court",))


def test_no_key_of_a_protocol_is_left_out() -> None:
    """A key that is added to the type tomorrow is compared without a line here: only the rules, seen by their effect, are told apart."""
    keys = set(diff._written(SHELTER)) | set(diff._SEEN_BY_THE_RULES)
    assert keys == {field.name for field in dataclasses.fields(Protocol)}


def test_the_same_said_otherwise_is_said_to_be_the_same() -> None:
    found = diff.diff(SHELTER, edited(("  pregnancy: release", "  pregnancy: [release, presence]")))
    assert found.reworded == ("pregnancy",)
    assert not found.visible
    other = diff.diff(SHELTER, edited(("Las notas del equipo no salen de aquí.", "Las notas se quedan.")))
    assert other.reasons == ("notes",)
    assert not other.reworded


def test_words_of_another_vocabulary_are_told() -> None:
    words = PACK.vocabulary
    fields = {name: field for name, field in words.fields.items() if name != "email"} | {
        "phone": dataclasses.replace(words.fields["phone"], sensitivity="low")
    }
    other = dataclasses.replace(words, fields=fields)
    found = diff.diff(SHELTER, SHELTER, words, other)
    keys = {change.key for change in found.vocabulary}
    assert "fields.phone.sensitivity" in keys
    assert any(key.startswith("fields.email") for key in keys)
    assert not found.empty
    narrower = dataclasses.replace(SHELTER, domain={**SHELTER.domain, "risk": SHELTER.domain["risk"] - {"low"}})
    assert {change.key for change in diff.diff(SHELTER, narrower).vocabulary} == {"domain.risk"}


def test_a_recipient_that_is_added_sees_what_the_rules_let_it_see() -> None:
    now = dataclasses.replace(SHELTER, to_kinds=SHELTER.to_kinds | {"emergency_centre"})
    found = diff.diff(SHELTER, now)
    assert {change.cells for change in found.visible} == {(("shelter_protection", "emergency_centre"),)}
    assert {change.kind for change in found.visible} == {"appears"}
    assert {change.field for change in found.visible} == {rule.field for rule in now.rules if rule.outcome is not Outcome.WITHHOLD}


def test_what_a_conflict_of_interest_cuts_is_no_difference() -> None:
    """A rule that speaks only of the recipient's own people can never apply, so adding it changes nothing (R61-R62)."""
    when = frozenset({Atom(dimension="aggressor_affiliation", values=frozenset({"shelter", "women_ministry"}))})
    now = dataclasses.replace(SHELTER, rules=(*SHELTER.rules, Rule(field="email", outcome=Outcome.RELEASE, when=when)))
    found = diff.diff(SHELTER, now)
    assert not found.visible
    assert found.reworded == ("email",)
    facts = Facts(need="shelter", aggressor_affiliation=frozenset({"shelter"}))
    assert level(now, ask(facts, "shelter_protection", "shelter", "yes"), "email") == HOME
