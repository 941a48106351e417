# ruff: noqa: E501 - the tables of cases read as tables
"""Where decisions meet values: generalisations, preview and view, offers, holding, explaining."""

from __future__ import annotations

import importlib
import inspect
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import engine, explain, generalise, holding, meaning, packs, preview
from policies.decision import Decision, Facts, FieldDecision, Outcome, Reason, Request
from policies.engine import Compiled

PACK = packs.load("pe")
COUNTRY = PACK.vocabulary.country
READABILITY = importlib.import_module("textstat").textstat  # ships no types
TODAY = date(2026, 6, 1)
MENTAL = PACK.compiled["mental-health"]


def ask(compiled: Compiled = MENTAL, *, need: str = "mental_health", kind: str = "mental_health_centre", consented: frozenset[str] | None = None,
        state: str = "active", **facts: object) -> Decision:  # fmt: skip
    fields = frozenset(compiled.protocol.universe) if consented is None else consented
    return compiled.decide(Request(
        purpose=compiled.protocol.purpose, recipient_kind=kind, recipient_id="ejemplo-1", facts=Facts(need=need, **facts),
        consented=fields, consent_state=state,
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("age_band", "1995-03-02", "30-44"), ("age_band", "2008-06-01", "18-29"), ("age_band", "2008-06-02", "12-17"), ("age_band", "0", "0-11"),
        ("age_band", "120", "60+"), ("age_band", "121", None), ("age_band", "-1", None), ("age_band", "1995-02-30", None), ("age_band", "treinta", None),
        ("age_band", "2026-06-02", None), ("age_band", "٣٠", None), ("adult_or_minor", "17", "minor"), ("adult_or_minor", "18", "adult"),
        ("year_only", "1995-03-02", "1995"), ("year_only", "95", None), ("province", "Comas", "Lima"), ("province", "COMAS ", "Lima"),
        ("province", "Breña", "Lima"), ("region", "Comas", "Lima Metropolitana"), ("province", "Calle Inventada 123, Comas", None),
        ("province", "Miraflores", "Lima"), ("province", "Miraflores, Arequipa", "Arequipa"), ("region", "Ventanilla", "Callao"),
        ("first_contact_only", "900 000 000; 900 000 001", "900 000 000"), ("first_contact_only", "; x", None), ("count", "a, b;c", "3"), ("count", "4", "4"),
        ("present", "x", "present"), ("present", "   ", None), ("national_or_foreign", "Peruana", "national"), ("national_or_foreign", "venezolana", "foreign"),
        ("national_or_foreign", "no sabe", None), ("summary", "Todo el relato.", None), ("summary", "relato\nResumen: lo justo", "lo justo"),
        ("summary", "resumen:   ", None), ("initials", "Luz Inventada", None), ("", "x", None),
    ],
)  # fmt: skip
def test_generalisation(name: str, value: str, expected: str | None) -> None:
    assert generalise.generalise(name, value, TODAY, COUNTRY) == expected


@pytest.mark.parametrize("name", sorted(generalise.GENERALISATIONS))
@given(value=st.text(max_size=300), today=st.dates())
def test_generalisations_are_total(name: str, value: str, today: date) -> None:
    shown = generalise.generalise(name, value, today, COUNTRY)
    assert shown is None or shown.strip()


@given(st.dates(min_value=date(1930, 1, 1), max_value=TODAY))
def test_an_age_band_depends_on_nothing_finer(born: date) -> None:
    assert generalise.generalise("age_band", born.isoformat(), TODAY) in generalise.AGE_BANDS


def test_initials_are_no_generalisation() -> None:
    assert "initials" not in generalise.GENERALISATIONS


def test_an_overlong_value_is_not_generalised() -> None:
    assert generalise.generalise("present", "x" * (generalise.MAX_VALUE + 1), TODAY) is None


def test_every_field_generalisation_can_work() -> None:
    for item in PACK.vocabulary.fields.values():
        assert set(item.generalisations) <= set(generalise.GENERALISATIONS), item.id


@given(st.text(max_size=60))
def test_places_are_total(text: str) -> None:
    COUNTRY.place_of(text)


VALUES = {
    "social_name": "Luz Inventada", "legal_name": "Nombre Legal Inventado", "birth_date": "1995-03-02", "account": "relato inventado",
    "district": "Distrito Inexistente", "phone": "900 000 000", "pronouns": "  ", "not_a_field": "x",
}  # fmt: skip


def test_preview_sorts_what_has_a_value() -> None:
    shown = preview.preview(ask(risk="low", consented=frozenset(PACK.vocabulary.fields) - {"phone"}), VALUES, TODAY)
    assert [(line.field, line.value) for line in shown.seen] == [("social_name", "Luz Inventada")]
    assert [(line.field, line.value) for line in shown.generalised] == [("birth_date", "30-44")]
    assert [(line.field, line.value) for line in shown.presence] == [("account", None)]
    assert {line.field: line.reason.code for line in shown.withheld} == {
        "legal_name": "withheld_by_rule", "district": "cannot_generalise", "phone": "consent_missing", "not_a_field": "unknown_field",
    }  # fmt: skip
    assert shown.consent_missing == ("phone",)
    assert "pronouns" in shown.empty
    assert "social_name" not in shown.empty
    assert all(line.value is None for line in shown.withheld)


def test_view_is_exactly_what_the_preview_showed() -> None:
    decision = ask(risk="high")
    shown, travelling = preview.preview(decision, VALUES, TODAY), preview.view(decision, VALUES, TODAY)
    assert {name: item.value for name, item in travelling.items()} == {
        line.field: line.value for line in (*shown.seen, *shown.generalised, *shown.presence)
    }
    assert not {line.field for line in shown.withheld} & set(travelling)


@given(
    st.dictionaries(st.sampled_from(sorted(PACK.vocabulary.fields)), st.text(min_size=1, max_size=40)),
    st.sampled_from(["low", "critical"]),
)
def test_a_generalised_or_withheld_value_never_travels(values: dict[str, str], risk: str) -> None:
    decision = ask(risk=risk)
    for name, item in preview.view(decision, values, TODAY).items():
        outcome = decision.field(name).outcome
        assert item.outcome is outcome is not Outcome.WITHHOLD
        assert (item.value is None) == (outcome is Outcome.PRESENCE)
        if outcome is Outcome.GENERALISE:
            assert item.value == generalise.generalise(decision.field(name).generalisation or "", values[name], TODAY, COUNTRY)


def test_a_decision_whose_generalisation_is_unknown_withholds() -> None:
    item = FieldDecision(field="district", outcome=Outcome.GENERALISE, generalisation="no-such", reason=Reason(code="consent"))
    decision = Decision(protocol_id="x", version=1, fields={"district": item})
    assert preview.view(decision, {"district": "Comas"}, TODAY) == {}


def test_an_overlong_value_stays_home() -> None:
    """P05: length caps hold on the way out too."""
    shown = preview.preview(ask(), {"social_name": "x" * (generalise.MAX_VALUE + 1)}, TODAY)
    assert [(line.field, line.value, line.reason.code) for line in shown.withheld] == [("social_name", None, "too_long")]
    assert preview.view(ask(), {"social_name": "x" * generalise.MAX_VALUE}, TODAY).keys() == {"social_name"}


def test_an_offer_holds_no_person() -> None:
    values = VALUES | {
        "need": "mental_health",
        "territory": "Comas",
        "urgency": "urgent",
        "languages": "qu",
        "accessibility": "wheelchair",
    }
    shown = preview.offer(MENTAL.protocol, values, TODAY)
    assert shown == {
        "need": "mental_health",
        "territory": "Lima",
        "urgency": "urgent",
        "languages": "qu",
        "accessibility": "wheelchair",
    }
    assert "territory" not in preview.offer(MENTAL.protocol, values | {"territory": "Distrito Inexistente"}, TODAY)


def test_disclosed_goes_to_the_wire_and_back() -> None:
    for item in preview.view(ask(risk="high"), VALUES, TODAY).values():
        assert preview.Disclosed.from_wire(item.to_wire()) == item


@pytest.mark.parametrize(
    "body",
    [None, "x", [], {}, {"outcome": "release"}, {"outcome": "presence", "value": "x"}, {"outcome": "withhold", "value": "x"}, {"outcome": "release", "value": ""},
     {"outcome": "release", "value": 7}, {"outcome": "RELEASE", "value": "x"}, {"outcome": "release", "value": "x", "extra": "y"}, {"outcome": ["release"], "value": "x"},
     {"outcome": "release", "value": "x" * 8001}, {"outcome": "release", "value": {"nested": "x"}}],
)  # fmt: skip
def test_what_is_not_a_disclosed_field_is_refused(body: object) -> None:
    assert preview.Disclosed.from_wire(body) is None


def released(value: str) -> preview.Disclosed:
    return preview.Disclosed(outcome=Outcome.RELEASE, value=value)


def test_p01_what_we_may_not_hold_is_dropped_and_named() -> None:
    """P01: over-shared and unknown fields, and forms wider than the protocol ever lets out."""
    fields = {
        "social_name": released("Luz Inventada"),
        "legal_name": released("x"),
        "occupation": released("x"),
        "birth_date": released("1995-03-02"),
        "age": preview.Disclosed(outcome=Outcome.GENERALISE, value="30-44"),
        "account": preview.Disclosed(outcome=Outcome.PRESENCE, value=None),
        "mental_health_summary": released("x" * 8001),
        "unknown_thing": released("x"),
        "socіal_name": released("homoglyph"),
        "weapons": released("x"),
    }
    kept, dropped = holding.may_hold(MENTAL.protocol, "mental_health_centre", fields)
    assert set(kept) == {"social_name", "age", "account"}
    assert set(dropped) == set(fields) - set(kept)


def test_a_kind_outside_the_protocol_may_hold_nothing() -> None:
    kept, dropped = holding.may_hold(MENTAL.protocol, "police_station", {"social_name": released("x")})
    assert (kept, dropped) == ({}, ("social_name",))


def test_holding_depends_on_the_purpose() -> None:
    protocol = PACK.protocols["emergency-centre"]
    fields = {"case_file_number": released("x")}
    assert holding.may_hold(protocol, "emergency_centre", fields, purpose="legal_aid")[1] == ()
    assert holding.may_hold(protocol, "emergency_centre", fields, purpose="mental_health_care")[1] == ("case_file_number",)
    assert holding.may_hold(protocol, "emergency_centre", fields, purpose="statistics")[1] == ("case_file_number",)


@given(
    st.sampled_from(sorted(PACK.protocols)),
    st.sampled_from([None, "low", "high", "critical"]),
    st.sampled_from(["active", "none"]),
    st.booleans(),
)
def test_an_honest_view_is_always_held_whole(protocol_id: str, risk: str | None, state: str, danger: bool) -> None:
    compiled = PACK.compiled[protocol_id]
    kind, need = sorted(compiled.protocol.to_kinds)[0], sorted(compiled.protocol.needs)[0]
    decision = ask(
        compiled, need=need, kind=kind, risk=risk, state=state, legal_basis=frozenset(["vital_interest"] if danger else [])
    )
    travelling = preview.view(decision, dict.fromkeys(PACK.vocabulary.fields, "2"), TODAY)
    kept, dropped = holding.may_hold(compiled.protocol, kind, travelling, purpose=compiled.protocol.purpose)
    assert kept == travelling
    assert dropped == ()


def test_every_reason_has_a_sentence_in_both_languages() -> None:
    source = "".join(inspect.getsource(module) for module in (engine, meaning, preview)) + inspect.getsource(Decision)
    for code in explain.SENTENCES:
        assert f'"{code}"' in source, f"`{code}` is a sentence for no reason"
    for state in ("active", "none", "expired", "withdrawn"):
        for item in ask(state=state).fields.values():
            assert item.reason.code in explain.SENTENCES


def test_sentences_speak_both_languages_and_prefer_the_protocols_own_words() -> None:
    decision = ask()
    assert explain.explain(decision.field("document_number").reason) == "La atención no depende de un documento."
    assert explain.explain(decision.field("document_number").reason, "en") == "Care does not depend on a document."
    assert (
        explain.describe(decision.field("birth_date"))
        == "Se comparte solo el grupo de edad. Ella dijo que sí y el protocolo lo permite."
    )
    assert explain.describe(decision.field("social_name"), "en").startswith("It is shared.")
    danger = ask(state="none", risk="critical", legal_basis=frozenset({"vital_interest"}))
    assert explain.explain(danger.field("phone").reason, "es", PACK.vocabulary).endswith("su vida está en peligro.")
    assert explain.explain(danger.field("phone").reason, "en", PACK.vocabulary).endswith("her life is in danger.")
    assert explain.explain(Reason(code="never heard of")) == explain.SENTENCES["error"][0]


def spoken_sentences() -> dict[str, str]:
    """Every Spanish sentence of this room that a caseworker may read aloud."""
    said = {code: spanish.format(basis="su vida está en peligro") for code, (spanish, _) in explain.SENTENCES.items()}
    said |= {f"why {item.id}": item.why.es for item in PACK.vocabulary.fields.values()}
    return said | {f"{p.id} {r.id}": r.because.es for p in PACK.protocols.values() for r in p.rules if r.because}


def test_sentences_are_easy_to_read() -> None:
    """R9: Fernández-Huerta of at least 60 (standard) for each of them."""
    READABILITY.set_lang("es")
    hard = {name: text for name, text in spoken_sentences().items() if READABILITY.fernandez_huerta(text) < 60}
    assert hard == {}
    assert len(spoken_sentences()) > 80


def test_remembered_answers_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_REMEMBERED", 8)
    compiled = Compiled(MENTAL.protocol)
    for number in range(50):
        request = Request(
            purpose="mental_health_care",
            recipient_kind="mental_health_centre",
            recipient_id=f"ejemplo-{number}",
            facts=Facts(need="mental_health"),
        )
        assert not compiled.decide(request).discloses
        assert len(compiled._remembered) <= 8


def test_a_decision_cannot_be_changed_by_who_holds_it() -> None:
    decision = ask()
    with pytest.raises(TypeError):
        decision.fields["legal_name"] = decision.fields["social_name"]
    with pytest.raises(AttributeError):
        decision.fields["legal_name"].outcome = Outcome.RELEASE
