"""`política …` in the administration room, and what the hub says of its own cases: codes and names of fields, never a value; every reading logged."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import typer

from hub.actions import record_consent, simulate_protocol
from hub.actions.ports import Unit
from hub.app.policy_commands import explained, simulated
from hub.base.errors import Refused
from hub.chat import admin
from hub.cli import app
from hub.testing.twin import Twin, TwinNetwork
from policies import packs

VALUE = "987 654 321"
NAME = "Persona Inventada"
TEXT = packs.protocol_text("pe", "shelter")


@pytest.fixture(scope="module")
def cem() -> Twin:
    net = TwinNetwork(("cem-lima", "emergency_centre"), ("hogar-luz", "shelter"))
    cem = net["cem-lima"]
    cem.enrol("rosa")
    cem.enrol("ana", role="administrator")
    cem.type("rosa", "!tk abrir Luz, mañana a las 10")
    for what in ("riesgo: alto", f"teléfono: {VALUE}", f"nombre legal: {NAME}", "qué necesita: refugio"):
        cem.type("rosa", f"!tk anotar {code(cem)} {what}")
    cem.run(_consents)
    return cem


def _consents(unit: Unit) -> None:
    (case,) = unit.cases.all()
    terms = record_consent.Terms(
        recipients=("hogar-luz",), purposes=("shelter_protection",), fields=("phone", "risk_level", "legal_name"),
        until=unit.now + timedelta(days=90), mode="oral", explained=True, language="es", notice="1",
    )  # fmt: skip
    record_consent.record_consent(unit, case.lead, case.id, terms)


def code(cem: Twin) -> str:
    found = cem.run(lambda unit: unit.cases.all())
    return str(found[0].code)


def asked(cem: Twin, words: str, person: str = "ana", room: str = "admin") -> str:
    told = cem.type(person, f"!tk {words}", room=room)
    assert VALUE not in told
    assert NAME not in told
    return told


def log(cem: Twin, what: str) -> list[object]:
    return [line for line in cem.run(lambda unit: unit.log.all()) if line.what == what]


def test_the_matrix_of_one_field_and_of_a_whole_protocol(cem: Twin) -> None:
    told = asked(cem, "política matriz refugio teléfono")
    assert "teléfono: sí; y sin su permiso si consta que su vida está en peligro" in told
    assert "Nada sale si quien agrede es de la misma entidad" in told
    assert len(asked(cem, "politica matriz refugio").splitlines()) < 24
    columns, _, beside = asked(cem, "política matriz emergency-centre número de expediente").partition("La oferta muestra antes de aceptar")
    assert "Defensa Pública" not in columns
    assert "Puede pasarse a otra institución, si la dueña lo concede cada vez: " in beside


def test_the_matrix_says_what_an_emergency_opens(cem: Twin) -> None:
    assert "En una emergencia (una persona, con aviso y revisión en 24 h) puede abrirse: teléfono." in asked(cem, "política matriz refugio teléfono")
    assert "En una emergencia" not in asked(cem, "política matriz refugio nombre legal")


def test_checks_comparisons_and_examples(cem: Twin) -> None:
    assert "shelter@1: 0 errores" in asked(cem, "política revisar refugio")
    told = asked(cem, "política comparar shelter mental-health")
    assert told.startswith("shelter@1 → mental-health@1")
    assert len(told.splitlines()) < 24
    assert "En una emergencia ya no podrá abrirse: medicinas que toma." in told, "what opens beside the rules is not what a long list loses"
    assert "Quien recibe ya no podrá pasarlo a otra institución." in told
    assert "Dicen lo mismo." in asked(cem, "política comparar shelter@1 refugio")
    count = sum(len(packs.example_texts("pe", "shelter", way)) for way in ("RELEASE", "WITHHOLD"))
    assert f"shelter@1: {count} ejemplos, 0 fallan." in asked(cem, "política probar refugio")


def test_p08_explaining_a_case_names_fields_and_reasons_and_is_logged(cem: Twin) -> None:
    before = len(log(cem, "read.explained"))
    told = asked(cem, f"política explicar {code(cem)} hogar-luz")
    assert re.search(r"nombre legal: No se comparte\.", told)
    assert "nivel de riesgo" in told
    assert len(log(cem, "read.explained")) == before + 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("política", "Escriba «política» y: revisar"),
        ("política bailar", "Escriba «política» y: revisar"),
        ("política matriz", "Faltan nombres"),
        ("política matriz shelter zapato", "«zapato» no es un dato"),
        ("política matriz zapatos", "No conozco un protocolo"),
        ("política matriz zapatos", "Ingreso a un hogar de refugio (shelter)"),
        ("política matriz zapatos 2 teléfono", "No conozco un protocolo"),
        ("política matriz mental-health@2 ocupación", "No tengo la versión 2 de «mental-health». Las que hay: mental-health@1."),
        ("política matriz mental-health 2 ocupación", "No tengo la versión 2 de «mental-health». Las que hay: mental-health@1."),
        ("política comparar shelter", "Faltan nombres"),
        ("política comparar shelter@1 shelter@9", "No tengo la versión 9"),
        ("política explicar C-XXXXX nadie", "No conozco la institución «nadie»"),
        ("política explicar C-7QK4M hogar-luz", "No encuentro el código"),
    ],
)
def test_what_is_not_understood_is_answered_kindly(cem: Twin, words: str, said: str) -> None:
    assert said in asked(cem, words)


def test_a_version_may_be_written_with_a_space_or_an_at(cem: Twin) -> None:
    for words in ("política comparar shelter 1 refugio", "política comparar Shelter @ 1 con shelter@1", "política comparar shelter v1 refugio"):
        assert "Dicen lo mismo." in asked(cem, words)
    assert "(shelter@1)" in asked(cem, "política matriz refugio 1 teléfono")


def test_findings_are_counted_in_words_and_name_the_code_and_its_word(cem: Twin) -> None:
    assert re.search(r"shelter@1: 0 errores; 0 avisos; [0-9]+ datos sin regla, que no se comparten\.", asked(cem, "política revisar shelter"))
    text = TEXT.replace("needs: [shelter]", "needs: [shelter, file_complaint]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packs, "protocol_text", lambda pack, name: text)
        told = asked(cem, "política revisar shelter")
    assert re.search(r"0 errores; 1 aviso; |`file_complaint` \(", told), told
    assert "1 avisos" not in told
    assert "`file_complaint` (" in told


@pytest.mark.parametrize("words", ["politca revisar", "política revisr", "poltica", "salas reprar", "tinkuy doctor", "tinkuy staff list", "status"])
def test_what_was_nearly_an_order_is_answered_in_the_admin_room(cem: Twin, words: str) -> None:
    told = cem.type("ana", words, room="admin")
    assert "«política», «protocolo», «salas» y «ayuda»" in told
    assert cem.type("ana", words) == "", "at the desk people talk"


@pytest.mark.parametrize("words", [
    "salas muy lindas", "política de la casa: hoy se come sopa", "gracias", "¿quién está de turno?", "Tinkuy no contesta", "sala revisar",
    "el doctor llegó",
])  # fmt: skip
def test_people_who_talk_there_are_left_alone(cem: Twin, words: str) -> None:
    assert cem.type("ana", words, room="admin") == ""


def test_what_the_admin_room_takes_for_the_terminal_is_what_the_terminal_knows() -> None:
    assert set(typer.main.get_command(app).commands) == admin.COMMANDS  # type: ignore[attr-defined]


def test_both_kinds_of_guard_are_named(cem: Twin) -> None:
    told = cem.type("ana", "!tk guardia", room="admin")
    assert "«guardia sí» o «guardia no»" in told
    assert "tinkuy guard show" in told


def test_p08_only_administrators_in_their_room(cem: Twin) -> None:
    for room in ("desk", "direct"):
        assert "sala de administración" in asked(cem, "política revisar", room=room)
    assert "solo quien administra" in asked(cem, "política revisar", person="rosa")
    assert cem.type("rosa", "política de la casa: hoy se come sopa") == ""


def test_help_in_that_room_names_the_verb(cem: Twin) -> None:
    assert "• política —" in cem.type("ana", "!tk ayuda", room="admin")


def test_p08_of_a_draft_over_the_own_cases_only_counts_are_shown(cem: Twin) -> None:
    text = TEXT.replace("version: 1", "version: 2").replace("  phone: {share: release, legal_basis: [vital_interest]}", "  phone: presence")
    assert text.count("phone: presence") == 1
    before = len(log(cem, "read.simulated"))
    told = cem.run(simulated, text)
    assert (told["looked_at"], told["named"]) == (0, False)
    assert (told["count"], told["changed"]) == (0, [])
    assert cem.run(simulated, TEXT)["count"] == 0
    assert len(log(cem, "read.simulated")) == before
    with pytest.raises(Refused) as refused:
        cem.run(simulated, "protocol: x\n")
    assert refused.value.code == "policy.errors"


def test_a_version_that_takes_the_need_away_takes_everything_away(cem: Twin) -> None:
    text = TEXT.replace("needs: [shelter]", "needs: [housing]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulate_protocol, "is_known", lambda unit, proposed: True)
        (changed,) = cem.run(simulated, text)["changed"]
    assert (changed["case"], changed["recipient"], changed["need"]) == (code(cem), "hogar-luz", "shelter")
    assert {field["kind"] for field in changed["fields"]} == {"disappears"}


def test_for_auditors_rule_version_and_consent(cem: Twin) -> None:
    (ruling,) = cem.run(explained, code(cem), "hogar-luz", None)
    assert (ruling["protocol"], ruling["version"], ruling["consent_state"]) == ("shelter", 1, "active")
    assert ruling["consent"]
    phone = next(field for field in ruling["fields"] if field["field"] == "phone")
    assert (phone["outcome"], phone["reason"], phone["rule"]) == ("release", "consent", "phone.release[basis=vital_interest]")
    assert VALUE not in str(ruling)
    with pytest.raises(Refused) as refused:
        cem.run(explained, code(cem), "hogar-luz", "food")
    assert refused.value.code == "no_protocol"
