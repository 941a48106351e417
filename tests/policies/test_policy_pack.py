"""The Peru pack: its words, its protocols, its examples. Every corpus is asserted to be non-empty."""

from __future__ import annotations

import re
from datetime import date, timedelta
from importlib import resources

import pytest

from policies import examples, packs, validator, vocabulary
from policies.decision import Outcome
from policies.errors import DocumentError, PackError
from policies.findings import Severity
from policies.protocol import OFFER_FIELDS, Protocol

PACK = packs.load("pe")
WORDS = PACK.vocabulary
CORPUS = [
    pytest.param(protocol, expectation, name, text, id=f"{protocol}-{expectation}-{name}")
    for protocol in sorted(PACK.protocols)
    for expectation in examples.EXPECTATIONS
    for name, text in packs.example_texts("pe", protocol, expectation).items()
]
REQUIRED_FIELDS = [
    "social_name",
    "legal_name",
    "pronouns",
    "gender_identity",
    "document_type",
    "document_number",
    "birth_date",
    "age",
    "phone",
    "safe_contact",
    "address",
    "district",
    "nationality",
    "migration_status",
    "languages",
    "accessibility",
    "interpreter_needed",
    "needs",
    "risk_level",
    "urgency",
    "violence_type",
    "situation_class",
    "occupation",
    "aggressor_affiliation",
    "aggressor_name",
    "account",
    "health_summary",
    "mental_health_summary",
    "hiv_status",
    "pregnancy",
    "dependants",
    "support_network",
    "measures",
    "prior_complaints",
    "notes",
]


@pytest.mark.parametrize(("protocol", "expectation", "name", "text"), CORPUS)
def test_example(protocol: str, expectation: str, name: str, text: str) -> None:
    compiled = PACK.compiled[protocol]
    assert examples.misses(examples.parse(text, compiled, source=name), compiled, expectation) == ()


def test_no_corpus_is_empty() -> None:
    assert set(PACK.protocols) == {"mental-health", "shelter", "emergency-centre", "community-accompaniment"}
    for protocol in PACK.protocols:
        for expectation in examples.EXPECTATIONS:
            assert packs.example_texts("pe", protocol, expectation), f"{protocol} has no {expectation} example"


def test_an_example_that_is_wrong_is_seen() -> None:
    compiled = PACK.compiled["mental-health"]
    text = packs.example_texts("pe", "mental-health", "RELEASE")["with-consent.yaml"]
    example = examples.parse(text.replace("social_name: Luz Inventada", "social_name: Otra Inventada", 1), compiled)
    assert [miss.field for miss in examples.misses(example, compiled, "RELEASE")] == ["social_name"]
    with pytest.raises(DocumentError):
        examples.parse(re.sub(r"expect:\n.*", "expect: {}\n", text, flags=re.DOTALL), compiled)


@pytest.mark.parametrize("protocol", sorted(PACK.protocols))
def test_shipped_protocols_have_no_finding_but_unmentioned_fields(protocol: str) -> None:
    found = validator.check(packs.protocol_text("pe", protocol), WORDS)
    assert {item.code for item in found} <= {"field_unmentioned"}
    assert all(item.severity is Severity.WARNING for item in found)


@pytest.mark.parametrize("protocol", [pytest.param(one, id=name) for name, one in sorted(PACK.protocols.items())])
def test_shipped_protocols_keep_the_promises_of_the_pack(protocol: Protocol) -> None:
    assert protocol.community_seat == "community_organisation"
    assert not protocol.onward
    assert set(protocol.offer) <= set(OFFER_FIELDS)
    released = {rule.field for rule in protocol.rules if rule.outcome is not Outcome.WITHHOLD}
    # R31, R36, R64 and R1-R4: off by default wherever a person is referred.
    assert not released & {
        "occupation",
        "notes",
        "document_type",
        "document_number",
        "migration_status",
        "situation_class",
        "hiv_status",
    }
    assert all(rule.when for rule in protocol.rules if rule.field == "legal_name" and rule.outcome is not Outcome.WITHHOLD)
    assert "police_station" not in protocol.to_kinds
    for urgency, within in protocol.respond_within.items():
        assert timedelta() < within <= protocol.respond_within["routine"], urgency


@pytest.mark.parametrize("protocol", sorted(PACK.protocols))
def test_each_protocol_has_a_page_in_both_languages(protocol: str) -> None:
    page = (resources.files("policies.packs") / "pe" / "protocols" / protocol / "README.md").read_text(encoding="utf-8")
    title = PACK.protocols[protocol].title
    assert page.index(f"# {title.es}") < page.index(f"## {title.en}")


def test_the_vocabulary_is_complete() -> None:
    assert set(REQUIRED_FIELDS) <= set(WORDS.fields)
    assert len(WORDS.kinds) >= 17
    assert set(WORDS.lists) == set(vocabulary.LISTS)
    assert all(WORDS.lists[name] for name in vocabulary.LISTS)
    assert "none" in WORDS.lists["documents"]
    assert set(WORDS.lists["risks"]) == {"low", "medium", "high", "critical"}
    assert set(WORDS.lists["consent_modes"]) == {"oral", "written", "representative"}
    assert all(item.why.es and item.why.en and item.label.es and item.label.en for item in WORDS.fields.values())
    assert all(term.definition and term.source for term in WORDS.lists["situation_classes"].values())
    assert all(term.served_by and term.purpose for term in WORDS.needs.values())
    assert {item.field_class for item in WORDS.fields.values()} == set(vocabulary.FIELD_CLASSES)


def test_no_field_can_be_marked_required() -> None:
    """R1-R4: the vocabulary has no such word, so no document can be demanded by data."""
    assert not any("required" in name for name in vocabulary.Field.__dataclass_fields__)
    text = (resources.files("policies.packs") / "pe" / "vocabulary.yaml").read_text(encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        vocabulary.parse(text.replace("{id: legal_name, class", "{id: legal_name, required: true, class"))
    assert [item.code for item in caught.value.findings] == ["unknown_key"]


def test_r24_no_need_suggests_conciliation_with_the_aggressor() -> None:
    spoken = {word for word, _ in WORDS.spoken("needs")}
    assert not any("concilia" in word for word in spoken)


@pytest.mark.parametrize(
    ("text", "need"),
    [("salud mental", "mental_health"), ("Psicóloga", "mental_health"), ("PSICOLOGO", "mental_health"), ("refugio", "shelter"),
     ("abogada", "legal_aid"), ("shelter", "shelter"), ("mental health", "mental_health"), ("VIH", "sti_hiv_care")],
)  # fmt: skip
def test_people_can_name_a_need_in_their_words(text: str, need: str) -> None:
    found = WORDS.match("needs", text)
    assert found is not None
    assert found.id == need


@pytest.mark.parametrize("name", [name for name in vocabulary.LISTS if name not in ("purposes", "measures")])
def test_no_word_means_two_things(name: str) -> None:
    meant: dict[str, str] = {}
    for word, term in WORDS.spoken(name):
        assert meant.setdefault(word, term.id) == term.id, word


def test_finding_a_protocol() -> None:
    found = PACK.protocol_for("mental_health", "emergency_centre", "mental_health_centre")
    assert found is not None
    assert found.id == "mental-health"
    assert PACK.protocol_for("mental_health", "police_station", "mental_health_centre") is None
    assert PACK.protocol_for("file_complaint", "emergency_centre", "police_station") is None
    assert PACK.protocol_for("shelter", "community_organisation", "shelter", date(2026, 6, 1)) is PACK.protocols["shelter"]
    assert PACK.protocol_for("shelter", "community_organisation", "shelter", date(2029, 1, 1)) is None
    assert PACK.protocol_for("shelter", "community_organisation", "shelter", date(2025, 12, 31)) is None


def test_the_shelter_accepts_by_itself_only_when_urgent_and_somebody_is_on_duty() -> None:
    shelter = PACK.protocols["shelter"]
    assert shelter.accepts_itself(need="shelter", urgency="urgent", on_duty=True)
    assert not shelter.accepts_itself(need="shelter", urgency="urgent", on_duty=False)
    assert not shelter.accepts_itself(need="shelter", urgency="routine", on_duty=True)
    assert not shelter.accepts_itself(need="shelter", urgency=None, on_duty=True)
    assert not shelter.accepts_itself(need="mental_health", urgency="urgent", on_duty=True)
    assert not PACK.protocols["mental-health"].accepts_itself(need="mental_health", urgency="urgent", on_duty=True)


def test_an_unknown_pack_is_an_error() -> None:
    for name in ("nowhere", "../pe", "pe/protocols"):
        with pytest.raises(PackError):
            packs.load(name)
