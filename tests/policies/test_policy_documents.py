# ruff: noqa: E501 - the tables of cases read as tables
"""Documents: every finding has its code and the exact line and column; the same words in another order are the same protocol."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import document, findings, marked, packs, spans, validator, vocabulary
from policies.decision import Outcome
from policies.errors import DocumentError
from policies.findings import Finding

WORDS = packs.load("pe").vocabulary
HEAD = """\
protocol: sample
version: 2
title: {es: Ejemplo, en: Sample}
purposes:
  mental_health_care: {retention: P5Y}
needs: [mental_health]
from_kinds: [emergency_centre]
to_kinds: [mental_health_centre]
parties: [emergency_centre, mental_health_centre, community_organisation]
community_seat: community_organisation
effective: 2026-01-01
expires: 2027-01-01
respond_within: {routine: P3D, priority: P1D, urgent: PT4H}
offer:
  need: release
  territory: generalise:province
legal_basis: [vital_interest]
auto_accept: {when: {urgency: [urgent]}, on_duty: true}
duty: {roles: [on_duty], ring_every: PT1H}
rules:
"""
RULES = """\
  social_name: release
  district: generalise:province
"""
TEXT = HEAD + RULES


def place(text: str, needle: str) -> tuple[int, int]:
    """Line and column of a piece of text, counted from 1, by plain searching: a second opinion about positions."""
    at = text.index(needle)
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def found(text: str, code: str) -> Finding:
    """The only finding of a code; fails when there is none or more than one."""
    (one,) = [item for item in validator.check(text, WORDS) if item.code == code]
    return one


# Each row: what to replace, by what, the code expected, where (a piece of the new text), the suggestion.
CASES = [
    ("needs: [mental_health]", "needs: [mental_helth]", "unknown_word", "mental_helth]", "mental_health"),
    ("to_kinds: [mental_health_centre]", "to_kinds: [mental_health_center]", "unknown_word", "mental_health_center]", "mental_health_centre"),
    ("  district: generalise:province", "  distrct: generalise:province", "unknown_key", "distrct", "district"),
    ("expires: 2027-01-01", "expire: 2027-01-01", "unknown_key", "expire:", "expires"),
    ("  social_name: release", "  social_name: relase", "unknown_outcome", "relase", "release"),
    ("district: generalise:province", "district: generalise:provnce", "bad_generalisation", "generalise:provnce", "province"),
    ("social_name: release", "social_name: generalise:initials", "bad_generalisation", "generalise:initials", None),
    ("{retention: P5Y}", "{}", "purpose_without_retention", "mental_health_care:", None),
    ("{retention: P5Y}", "{retention: 5 años}", "bad_duration", "5 años", None),
    ("urgent: PT4H", "urgent: PT", "bad_duration", "PT}", None),
    (", urgent: PT4H", "", "urgency_without_time", "{routine", None),
    (
        "legal_basis: [vital_interest]\n",
        "legal_basis: [vital_interest]\nbreak_glass: {fields: [address], roles: [supervisor], risk: [high], lasts: PT8H}\n",
        "break_glass_watch", "{fields: [address]", None,
    ),
    ("legal_basis: [vital_interest]\n", "legal_basis: [vital_interest]\nonward: yes_please\n", "expected", "yes_please", "grant"),
    ("routine: P3D", "routine: P1M", "bad_duration", "P1M", None),
    ("effective: 2026-01-01", "effective: 01/02/2026", "bad_date", "01/02/2026", None),
    ("expires: 2027-01-01", "expires: 2026-01-01", "dates_reversed", "2026-01-01\nrespond", None),
    ("version: 2", "version: 0", "bad_version", "0\n", None),
    ("version: 2", "version: dos", "bad_version", "dos", None),
    ("territory: generalise", "phone: release\n  territory: generalise", "offer_personal", "phone", None),
    ("{urgency: [urgent]}", "{risk: [high]}", "auto_accept_dimension", "risk: [high]", None),
    (", community_organisation]", "]", "community_seat_absent", "community_organisation\neffective", None),
    ("[emergency_centre, mental", "[mental", "party_absent", "[mental_health_centre, comm", None),
    ("needs: [mental_health]", "needs: [mental_health, shelter]", "need_without_purpose", "shelter]", None),
    ("version: 2\n", "version: 2\nversion: 3\n", "duplicate_key", "version: 3", None),
    ("  social_name: release", "  social_name: &x release", "alias", "&x release", None),
    ("  social_name: release", "  social_name: [release, release]", "duplicate_rule", "release]", None),
    ("  social_name: release", "  social_name: {share: release, when: {risk: [hihg]}}", "unknown_word", "hihg", "high"),
    ("  social_name: release", "  social_name: {share: release, when: {rsk: [high]}}", "unknown_key", "rsk", "risk"),
    ("  social_name: release", "  social_name: {share: release, legal_basis: [court_order]}", "unknown_word", "court_order", None),
    ("  social_name: release", "  social_name: {share: withhold, legal_basis: [vital_interest]}", "basis_on_withhold", "[vital_interest]}\n  d", None),
    ("  social_name: release", "  social_name: {share: release, when: {aggressor_affiliation: [unknown]}}", "unknown_word", "unknown]", None),
    ("  social_name: release", "  social_name: [release, withhold]", "contradiction", "release, withhold", None),
    ("  social_name: release", "  social_name: [release, presence]", "unreachable", "presence]", None),
    ("  social_name: release", "  legal_name: release", "identity_released", "release\n  district", None),
    ("roles: [on_duty]", "roles: [boss]", "unknown_word", "boss", None),
    ("  social_name: release\n  district: generalise:province", "  social_name: {share: release, when: {need: [shelter]}}\n  district: withhold", "need_without_rule", "mental_health]", None),
    ("  social_name: release\n  district: generalise:province", "  social_name: {share: release, when: {need: [shelter]}}", "unreachable", "{share: release, when", None),
    ("  social_name: release\n  district: generalise:province", "  social_name: withhold", "purpose_without_rule", "mental_health_care: {ret", None),
    ("to_kinds: [mental_health_centre]", "to_kinds: [mental_health_centre, community_organisation]", "recipient_without_need", "community_organisation]\nparties", None),
    ("to_kinds: [mental_health_centre]\nparties: [emergency_centre, mental_health_centre, ", "to_kinds: [court]\nparties: [emergency_centre, court, ", "need_unserved", "mental_health]", None),
    ("  mental_health_care: {retention: P5Y}", "  mental_health_care: {retention: P5Y}\n  statistics: {retention: P1Y}", "purpose_without_need", "statistics:", None),
    ("parties: [emergency_centre, ", "parties: [emergency_centre, court, ", "party_idle", "court, ", None),
    ("priority: P1D", "priority: P9D", "urgent_slower", "priority: P9D", None),
    ("legal_basis: [vital_interest]", "legal_basis: [court_order]", "basis_unused", "court_order]", None),
    ("  district: generalise:province", "  district: {share: release, when: {aggressor_affiliation: [health]}}", "unreachable", "{share: release, when", None),
    ("on_duty: true", "on_duty: yes", "expected", "yes", None),
    ("title: {es: Ejemplo, en: Sample}", "title: Ejemplo", "expected", "Ejemplo\n", None),
    ("title: {es: Ejemplo, en: Sample}", "title: {es: Ejemplo}", "missing_key", "{es: Ejemplo}", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "code", "where", "suggestion"), CASES, ids=[f"{row[2]}-{n}" for n, row in enumerate(CASES)]
)
def test_finding_has_code_place_and_suggestion(old: str, new: str, code: str, where: str, suggestion: str | None) -> None:
    assert TEXT.count(old) == 1, "the case would change more than it says"
    text = TEXT.replace(old, new)
    item = found(text, code)
    assert (item.line, item.column) == place(text, where)
    assert item.suggestion == suggestion
    assert "" != item.message("es") != item.message("en") != ""


def test_the_sample_itself_is_clean() -> None:
    assert {item.code for item in validator.check(TEXT, WORDS)} == {"field_unmentioned", "basis_unused"}


def test_every_field_without_a_rule_is_named() -> None:
    items = [item for item in validator.check(TEXT, WORDS) if item.code == "field_unmentioned"]
    assert len(items) == len(WORDS.fields) - 2
    assert {(item.line, item.column) for item in items} == {place(TEXT, "rules:")}


def test_every_finding_code_of_a_protocol_is_exercised() -> None:
    elsewhere = {"not_yaml", "too_large", "field_unmentioned", "too_many_atoms", "duplicate_id", "expired"}
    # What only a vocabulary can get wrong: test_policy_conflict.
    elsewhere |= {"affiliation_owns_nothing", "affiliation_private_owner", "kind_without_affiliation"}
    assert {row[2] for row in CASES} | elsewhere == findings.codes()


def test_a_missing_key_is_reported_for_each_required_key() -> None:
    for key in (
        "protocol",
        "version",
        "purposes",
        "needs",
        "from_kinds",
        "to_kinds",
        "parties",
        "community_seat",
        "respond_within",
        "offer",
    ):
        text = re.sub(rf"^{key}:.*\n(  .*\n)*", "", TEXT, flags=re.MULTILINE)
        assert f"`{key}` is missing" in {item.message_en for item in validator.check(text, WORDS)}


def test_a_version_that_has_expired_is_said_to_have_from_that_very_day() -> None:
    day = date(2027, 1, 1)
    assert "expired" not in {item.code for item in validator.check(TEXT, WORDS, day - timedelta(days=1))}
    (item,) = [item for item in validator.check(TEXT, WORDS, day) if item.code == "expired"]
    assert (item.line, item.column) == place(TEXT, "2027-01-01")
    assert not item.is_error


def test_too_many_atoms() -> None:
    risks, bands = ["low", "medium", "high", "critical"], ["0-11", "12-17", "18-29", "30-44", "45-59", "60+"]
    atoms = (
        [f"risk: [{risk}]" for risk in risks]
        + [f"age_band: ['{band}']" for band in bands]
        + [f"urgency: [{u}]" for u in ("routine", "urgent")]
    )
    rules = [f"    - {{share: release, when: {{{atom}}}}}\n" for atom in atoms]
    twelve = HEAD + "  social_name:\n" + "".join(rules)
    assert "too_many_atoms" not in {item.code for item in validator.check(twelve, WORDS)}
    thirteen = twelve + "    - {share: release, when: {urgency: [priority]}}\n"
    assert found(thirteen, "too_many_atoms").is_error


def test_a_rule_that_only_the_law_reaches_is_not_unreachable() -> None:
    text = HEAD + "  phone:\n    - release\n    - {share: presence, legal_basis: [vital_interest]}\n"
    assert "unreachable" not in {item.code for item in validator.check(text, WORDS)}


def test_a_rule_behind_two_that_cover_everything_together_is_unreachable() -> None:
    text = HEAD + (
        "  account:\n"
        "    - {share: withhold, when: {risk: [low, medium]}}\n"
        "    - {share: withhold, when: {risk: [high, critical]}}\n"
        "    - {share: presence, when: {risk: [low, critical]}}\n"
    )
    assert found(text, "contradiction").line == place(text, "{share: presence")[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "\t",
        "- 1\n- 2\n",
        "just words",
        "a: b: c",
        "? [x]\n: y\n",
        "%YAML 9\n---\na",
        "\x00",
        "a: !!python/object:x {}",
    ],
)
def test_what_is_not_a_protocol_gives_errors_and_never_raises(text: str) -> None:
    assert any(item.is_error for item in validator.check(text, WORDS))
    with pytest.raises(DocumentError):
        document.parse(text, WORDS)


def test_a_huge_document_is_refused_before_it_is_read() -> None:
    (item,) = validator.check("a" * (marked.MAX_BYTES + 1), WORDS)
    assert item.code == "too_large"


def test_a_deep_document_is_refused() -> None:
    assert any(item.code == "not_yaml" for item in validator.check("[" * 20_000, WORDS))


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=120), st.integers(min_value=0, max_value=len(TEXT)))
def test_noise_anywhere_never_raises_and_places_are_inside_the_text(noise: str, at: int) -> None:
    text = TEXT[:at] + noise + TEXT[at:]
    lines = text.count("\n") + len(re.findall("[\r\x85\u2028\u2029]", text)) + 1
    for item in validator.check(text, WORDS):
        assert 1 <= item.line <= lines
        assert item.column >= 1


def test_the_error_names_file_line_and_column() -> None:
    text = TEXT.replace("social_name: release", "social_name: relase")
    with pytest.raises(DocumentError, match=r"sample\.yaml:21:16 `relase` is not a decision"):
        document.parse(text, WORDS, source="sample.yaml")


def test_the_order_of_the_text_is_not_part_of_the_protocol() -> None:
    one = document.parse(
        HEAD
        + "  social_name: release\n  district:\n    - generalise:province\n    - {share: release, when: {risk: [high, critical]}}\n",
        WORDS,
    )
    two = document.parse(
        HEAD
        + "  district:\n    - {when: {risk: [critical, high]}, share: release}\n    - generalise:province\n  social_name: release\n",
        WORDS,
    )
    assert one == two


def test_what_a_protocol_says_of_itself() -> None:
    protocol = document.parse(TEXT, WORDS)
    assert (protocol.id, protocol.version, protocol.purpose) == ("sample", 2, "mental_health_care")
    assert protocol.respond_within["urgent"] == timedelta(hours=4)
    assert protocol.keep_until("mental_health_care", date(2024, 2, 29)) == date(2029, 2, 28)
    assert protocol.duty is not None
    assert protocol.duty.ring_every == timedelta(hours=1)
    assert [rule.outcome for rule in protocol.rules] == [Outcome.GENERALISE, Outcome.RELEASE]
    assert protocol.purpose_of("mental_health") == "mental_health_care"
    assert [protocol.in_force(day) for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1))] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "months", "exact"),
    [("PT4H", 0, timedelta(hours=4)), ("P5Y", 60, timedelta()), ("P1Y6M2W3DT4H5M", 18, timedelta(days=17, hours=4, minutes=5))],
)
def test_durations(text: str, months: int, exact: timedelta) -> None:
    span = spans.parse(text)
    assert span is not None
    assert (span.months, span.exact, span.text) == (months, exact, text)


@pytest.mark.parametrize("text", ["", "P", "PT", "P0D", "5Y", "P-1D", "P1.5D", "PT5S", "p1d", "P1DT", "P\u0661D"])
def test_what_is_not_a_duration(text: str) -> None:
    assert spans.parse(text) is None


def test_vocabulary_findings_have_places_too() -> None:
    text = packs.vocabulary_text("pe")
    broken = text.replace("{id: routine, es: Sin prisa", "{id: urgent, es: Sin prisa")
    with pytest.raises(DocumentError) as caught:
        vocabulary.parse(broken)
    (item,) = [one for one in caught.value.findings if one.code == "duplicate_id"]
    assert item.line == place(broken, "{id: urgent, es: Urgente")[0]
