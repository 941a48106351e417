"""The shipped packs: their words, protocols and examples; a new pack is covered by adding data. Every corpus is asserted to be non-empty."""

from __future__ import annotations

import re
from datetime import date, timedelta
from importlib import resources

import pytest

from policies import examples, packs, validator, vocabulary
from policies.decision import Outcome
from policies.errors import DocumentError, PackError
from policies.findings import Severity
from policies.packs import Pack
from policies.protocol import OFFER_FIELDS

PACK = packs.load("pe")
WORDS = PACK.vocabulary
PACKS = {name: packs.load(name) for name in packs.shipped()}
CORPUS = [
    pytest.param(pack, protocol, expectation, name, text, id=f"{pack}-{protocol}-{expectation}-{name}")
    for pack, held in PACKS.items()
    for protocol in sorted(held.protocols)
    for expectation in examples.EXPECTATIONS
    for name, text in packs.example_texts(pack, protocol, expectation).items()
]
PROTOCOLS = [pytest.param(held, protocol, id=f"{name}-{protocol}") for name, held in PACKS.items() for protocol in sorted(held.protocols)]
every_pack = pytest.mark.parametrize("pack", [pytest.param(held, id=name) for name, held in PACKS.items()])
every_protocol = pytest.mark.parametrize(("pack", "protocol"), PROTOCOLS)
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


@pytest.mark.parametrize(("pack", "protocol", "expectation", "name", "text"), CORPUS)
def test_example(pack: str, protocol: str, expectation: str, name: str, text: str) -> None:
    compiled = PACKS[pack].compiled[protocol]
    assert examples.misses(examples.parse(text, compiled, source=name), compiled, expectation, PACKS[pack].compiled) == ()


def test_no_corpus_is_empty() -> None:
    assert set(PACKS) >= {"pe", "ec"}
    assert set(PACK.protocols) >= {
        "public-defence", "prosecutor", "court", "measure-execution", "shelter", "health", "sti-hiv", "mental-health", "migration", "ombudsman",
        "community-accompaniment", "emergency-centre", "child-protection", "interpreter", "internal-affairs", "police-complaint", "helpline",
    }  # fmt: skip


@every_protocol
def test_examples_show_what_leaves_and_every_way_in_which_it_stays(pack: Pack, protocol: str) -> None:
    """Conflict of interest, no, withdrawn, expired and partial consent, never-fields, another purpose; and a legal basis where one is named."""
    compiled = pack.compiled[protocol]
    told = {side: packs.example_texts(pack.id, protocol, side) for side in examples.EXPECTATIONS}
    assert told["RELEASE"], "no example of what leaves"
    staying = [examples.parse(text, compiled, source=name) for name, text in told["WITHHOLD"].items()]
    shown = {code for item in staying for code in item.expect.values()}
    assert {"conflict_of_interest", "consent_missing", "consent_withdrawn", "consent_expired", "withheld_by_rule", "purpose_not_covered"} <= shown
    assert any(item.request.consent_state == "none" for item in staying)
    assert any(item.request.consent_state == "active" and "consent_missing" in item.expect.values() for item in staying), "no partial consent"
    leaving = [examples.parse(text, compiled, source=name) for name, text in told["RELEASE"].items()]
    bases = {basis for item in leaving if item.request.consent_state == "none" for basis in item.request.facts.legal_basis}
    used = {basis for rule in compiled.protocol.rules for basis in rule.legal_basis}
    assert bases == used, "each legal basis that opens something is shown opening it"
    if compiled.protocol.break_glass is not None:
        assert any(item.glass for item in leaving)
        assert {"glass_refused", "glass_forbidden"} <= shown
    if compiled.protocol.onward:
        assert any(item.onward for item in leaving)
        assert {"onward_protocol", "onward_nothing"} <= shown


def test_an_example_that_is_wrong_is_seen() -> None:
    compiled = PACK.compiled["mental-health"]
    text = packs.example_texts("pe", "mental-health", "RELEASE")["with-consent.yaml"]
    example = examples.parse(text.replace("social_name: Luz Inventada", "social_name: Otra Inventada", 1), compiled)
    assert [miss.field for miss in examples.misses(example, compiled, "RELEASE")] == ["social_name"]
    with pytest.raises(DocumentError):
        examples.parse(re.sub(r"expect:\n.*", "expect: {}\n", text, flags=re.DOTALL), compiled)


@every_protocol
def test_shipped_protocols_have_no_finding_but_unmentioned_fields(pack: Pack, protocol: str) -> None:
    found = validator.check(packs.protocol_text(pack.id, protocol), pack.vocabulary)
    assert {item.code for item in found} <= {"field_unmentioned"}
    assert all(item.severity is Severity.NOTE for item in found), "silence withholds, which is no oversight"


NEVER = {"occupation", "notes", "document_number", "migration_status", "situation_class", "sexual_orientation", "ethnicity"}
"""R31, R35, R36, R64 and R1-R4: what no protocol lets out, to nobody, for nothing."""
ONLY = {"hiv_status": {"sti_hiv_centre"}, "document_type": {"migration_office", "refugee_commission", "international_agency", "ngo"}}
"""What leaves for these kinds alone (R66, R64)."""

NEXT_STEPS = {
    "emergency_centre", "shelter", "health_facility", "friendly_health_centre", "mental_health_centre", "public_defence", "community_organisation",
    "ngo", "first_reception_room", "protection_service",
}  # fmt: skip
GLASS_AT = {
    "emergency_centre", "shelter", "health_facility", "friendly_health_centre", "mental_health_centre", "first_reception_room", "protection_service",
    "hiv_unit", "ngo",
}  # fmt: skip


@every_protocol
def test_shipped_protocols_keep_the_promises_of_the_pack(pack: Pack, protocol: str) -> None:
    held = pack.protocols[protocol]
    assert held.community_seat == "community_organisation"
    # R71: on to a next step that is named, and to nobody who polices, judges or guards.
    assert held.onward == bool(held.onward_to)
    assert held.onward_to <= NEXT_STEPS
    assert all(any(kind in other.to_kinds for other in pack.protocols.values()) for kind in held.onward_to)
    # R76: only where a life may depend on it, only what finds her or keeps her alive.
    if (glass := held.break_glass) is not None:
        assert held.to_kinds <= GLASS_AT
        assert glass.fields <= {"address", "phone", "safe_contact", "medication"}
        assert glass.risks <= {"high", "critical"}
        assert timedelta() < glass.lasts <= timedelta(hours=8)
    assert held.citations, "no law is named"
    assert set(held.offer) <= set(OFFER_FIELDS)
    permitting = [rule for rule in held.rules if rule.outcome is not Outcome.WITHHOLD]
    assert not {rule.field for rule in permitting} & NEVER
    for rule in permitting:
        assert rule.field not in ONLY or (rule.to_kinds or held.to_kinds) <= ONLY[rule.field], rule.id
        assert rule.field != "legal_name" or rule.when, "a legal name leaves under a condition or not at all (R2)"
    # R64: nothing but her word opens the road to a migration office, and no hub answers for it.
    if "migration_office" in held.to_kinds:
        assert not held.legal_basis
        assert held.auto_accept is None
    # R36: what is about trafficking never reaches the police.
    if "police_station" in held.to_kinds:
        assert not {need for need in held.needs if "trafficking" in need}
    for urgency, within in held.respond_within.items():
        assert timedelta() < within <= held.respond_within["routine"], urgency


@every_protocol
def test_each_protocol_has_a_page_in_both_languages(pack: Pack, protocol: str) -> None:
    page = (resources.files("policies.packs") / pack.id / "protocols" / protocol / "README.md").read_text(encoding="utf-8")
    title = pack.protocols[protocol].title
    assert page.index(f"# {title.es}") < page.index(f"## {title.en}")


@every_pack
def test_every_need_has_a_protocol_to_a_kind_that_serves_it(pack: Pack) -> None:
    """A need that no protocol covers would be offered in chat, and nothing would ever leave for it."""
    reached = {(need, kind) for protocol in pack.protocols.values() for need in protocol.needs for kind in protocol.to_kinds}
    for need, term in pack.vocabulary.needs.items():
        assert any((need, kind) in reached for kind in term.served_by), need


def test_the_vocabulary_of_peru_is_complete() -> None:
    assert set(REQUIRED_FIELDS) <= set(WORDS.fields)
    assert len(WORDS.fields) >= 60
    # The institution types of requirements.md 3.1.
    assert set(WORDS.kinds) >= {
        "emergency_centre", "shelter", "health_facility", "mental_health_centre", "public_defence", "prosecutor", "court", "police_station",
        "police_internal_affairs", "municipal_security", "ombudsman", "migration_office", "helpline", "ngo", "community_organisation",
        "international_agency", "coordination_table",
    }  # fmt: skip
    # R8, R45, R54, R57, R83.
    assert set(WORDS.needs) >= {
        "measure_execution", "measure_effectiveness", "interpreter", "first_psychological_aid", "accompaniment", "eviction_mediation", "custody",
        "child_care",
    }  # fmt: skip
    assert "none" in WORDS.lists["documents"]


@every_pack
def test_every_vocabulary_says_what_and_why(pack: Pack) -> None:
    words = pack.vocabulary
    assert set(words.lists) == set(vocabulary.LISTS)
    assert all(words.lists[name] for name in vocabulary.LISTS)
    assert set(words.lists["risks"]) == {"low", "medium", "high", "critical"}
    assert set(words.lists["consent_modes"]) == {"oral", "written", "representative"}
    assert all(item.why.es and item.why.en and item.label.es and item.label.en for item in words.fields.values())
    for listed in ("situation_classes", "violence_types"):  # R34
        assert all(term.definition and term.source for term in words.lists[listed].values())
    assert all(term.source for term in words.lists["measures"].values())
    assert all(term.served_by and term.purpose for term in words.needs.values())
    assert all(term.levels for term in words.kinds.values()), "R69: a kind without a level of government"
    assert {item.field_class for item in words.fields.values()} == set(vocabulary.FIELD_CLASSES)


@every_pack
def test_r35_sex_work_never_implies_trafficking(pack: Pack) -> None:
    """No condition, no rule, no generalisation and no word leads from one to the other."""
    words = pack.vocabulary
    assert "situation_class" in words.fields
    assert "occupation" in words.fields
    for name in ("situation_class", "occupation"):
        assert words.fields[name].generalisations == ()
    for protocol in pack.protocols.values():
        assert not {"situation_class", "occupation", "situation"} & set(protocol.domain), "a condition could ask for it"
        assert not any(rule.field in ("situation_class", "occupation") and rule.outcome is not Outcome.WITHHOLD for rule in protocol.rules)
    for rule in pack.routes.rules:
        assert not any("sex_work" in values for values in rule.when.values())
    sex_work = {word for word, term in words.spoken("situation_classes") if term.id == "sex_work"}
    others = {word for listed in ("situation_classes", "violence_types", "needs") for word, term in words.spoken(listed) if term.id != "sex_work"}
    assert not sex_work & others


@every_pack
def test_r32_reasons_are_closed_lists_and_none_is_custom_or_religion(pack: Pack) -> None:
    for listed in ("decline_reasons", "give_back_reasons"):
        words = {word for word, _ in pack.vocabulary.spoken(listed)}
        assert not any(bad in word for word in words for bad in ("costumbre", "tradicion", "religi", "cultur"))
        assert not {"other", "otro", "otra", "otro motivo"} & words, "an open word would be the door to all of them"


def test_no_field_can_be_marked_required() -> None:
    """R1-R4: the vocabulary has no such word, so no document can be demanded by data."""
    assert not any("required" in name for name in vocabulary.Field.__dataclass_fields__)
    text = (resources.files("policies.packs") / "pe" / "vocabulary.yaml").read_text(encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        vocabulary.parse(text.replace("{id: legal_name, class", "{id: legal_name, required: true, class"))
    assert [item.code for item in caught.value.findings] == ["unknown_key"]


@every_pack
def test_r24_no_word_of_any_list_suggests_conciliation_with_the_aggressor(pack: Pack) -> None:
    spoken = {word for name in vocabulary.LISTS for word, _ in pack.vocabulary.spoken(name)}
    assert not any(bad in word for word in spoken for bad in ("concilia", "mediacion con", "arreglo con"))


@pytest.mark.parametrize(
    ("text", "need"),
    [("salud mental", "mental_health"), ("Psicóloga", "mental_health"), ("PSICOLOGO", "mental_health"), ("refugio", "shelter"),
     ("abogada", "legal_aid"), ("shelter", "shelter"), ("mental health", "mental_health"), ("VIH", "sti_hiv_care")],
)  # fmt: skip
def test_people_can_name_a_need_in_their_words(text: str, need: str) -> None:
    found = WORDS.match("needs", text)
    assert found is not None
    assert found.id == need


@every_pack
@pytest.mark.parametrize("name", [name for name in vocabulary.LISTS if name != "purposes"])
def test_no_word_means_two_things(pack: Pack, name: str) -> None:
    meant: dict[str, str] = {}
    for word, term in pack.vocabulary.spoken(name):
        assert meant.setdefault(word, term.id) == term.id, word


def test_finding_a_protocol() -> None:
    found = PACK.protocol_for("mental_health", "emergency_centre", "mental_health_centre")
    assert found is not None
    assert found.id == "mental-health"
    assert PACK.protocol_for("mental_health", "police_station", "mental_health_centre") is None
    assert PACK.protocol_for("trafficking_complaint", "emergency_centre", "police_station") is None
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
