"""«todo menos X» in a consent: what the protocol asks, less X; in doubt it is asked back, and never more than she said (R12, R72, P03)."""

from __future__ import annotations

import pytest

from tests.desk.test_numbers import consents
from tests.desk.test_words import Desk, open_desk

LINE = "consentimiento {code} oral a csmc-comas para salud mental campos {fields} hasta 3 meses explicado"


@pytest.fixture(scope="module")
def calm_desk() -> Desk:
    """One desk where nothing is ever recorded."""
    return open_desk()


def fields(desk: Desk) -> list[set[str]]:
    """What each consent lets out, the oldest first."""
    return [set(one.fields) for one in desk.cem.run(lambda unit: unit.consents.all(order="at"))]


def to_fields(desk: Desk) -> str:
    for words in (f"!tk consentimiento {desk.code}", "sí", "csmc-comas"):
        desk.ana(words)
    return desk.ana("salud mental")


def test_everything_but_is_what_the_protocol_asks_less_that(desk: Desk) -> None:
    desk.ana(LINE.format(code=desk.code, fields="lo necesario"))
    desk.ana(LINE.format(code=desk.code, fields="todo menos teléfono y riesgo"))
    desk.ana(LINE.format(code=desk.code, fields="todo menos datos de contacto"))
    whole, some, far = fields(desk)
    assert {"phone", "risk_level"} <= whole
    assert some == whole - {"phone", "risk_level"}
    assert far < whole - {"phone"}


@pytest.mark.parametrize(
    "said",
    [
        "todo menos el teléfono", "Todo, menos teléfono.", "todo salvo telefono", "lo necesario excepto el celular", "todo pero sin teléfono",
        "everything but phone", "all except the phone", "Everything except for phone",
    ],
)  # fmt: skip
def test_it_is_understood_in_the_dialogue_too(desk: Desk, said: str) -> None:
    to_fields(desk)
    assert "Entendí todo lo que el protocolo pide, menos" in desk.ana(said)
    desk.ana("3 meses")
    assert "consentimiento anotado" in desk.ana("oral")
    (kept,) = fields(desk)
    assert "phone" not in kept
    assert "risk_level" in kept


@pytest.mark.parametrize(
    ("said", "told"),
    [
        *((f"todo menos {what}", "Teléfono") for what in ("marte", "", "teléfono y marte", "número de documento", "nada", "lo necesario")),
        ("ella da todo menos el teléfono", "ella da todo menos"), ("todo", "Qué datos"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_list_is_asked_back_and_never_taken_for_more(calm_desk: Desk, said: str, told: str) -> None:
    desk = calm_desk
    asked = to_fields(desk)
    assert "Qué datos" in asked
    answer = desk.ana(said)
    assert "Qué datos" in answer, "the question stands, and is said again"
    assert told in answer, "with what the list holds, where she seems to mean it"
    desk.ana("!tk cancelar")
    line = desk.ana(LINE.format(code=desk.code, fields=said))
    assert "consentimiento anotado" not in line
    assert line
    assert "«»" not in line
    assert consents(desk) == 0


def test_a_slip_in_what_is_left_out_is_suggested_and_taken_by_yes(desk: Desk) -> None:
    to_fields(desk)
    assert "¿Quiso decir: Teléfono?" in desk.ana("todo menos el telefonno y el riesgo")
    desk.ana("sí")
    desk.ana("3 meses")
    desk.ana("oral")
    (kept,) = fields(desk)
    assert not {"phone", "risk_level"} & kept
    assert kept


def test_before_it_is_said_for_whom_it_is_asked_at_its_own_step(desk: Desk) -> None:
    asked = desk.ana(f"consentimiento {desk.code} oral campos todo menos teléfono hasta 3 meses explicado")
    assert "A qué instituciones" in asked
    desk.ana("csmc-comas")
    assert "Qué datos" in desk.ana("salud mental")
    assert "consentimiento anotado" in desk.ana("todo menos teléfono")
    assert "phone" not in fields(desk)[0]


def test_two_ways_to_say_it_in_one_line_are_asked_back(desk: Desk) -> None:
    said = desk.ana(LINE.format(code=desk.code, fields="teléfono campos todo menos teléfono"))
    assert "No anoté nada" in said
    assert consents(desk) == 0


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("oral a csmc-comas para salud mental campos todo menos el teléfono a csmc-comas hasta 3 meses explicado", "«csmc-comas»"),
        ("oral para salud mental campos todo menos el teléfono a csmc-comas hasta 3 meses explicado", "«csmc-comas»"),
        ("oral a csmc-comas campos todo menos el teléfono para salud mental hasta 3 meses explicado", "«salud mental»"),
        ("oral a csmc-comas para salud mental campos todo menos el teléfono hasta 3 meses a csmc-comas explicado", "«csmc-comas»"),
        ("oral campos todo menos el teléfono a csmc-comas", "«csmc-comas»"),
    ],
)
def test_p03_who_or_what_for_behind_everything_but_is_asked_back(calm_desk: Desk, line: str, told: str) -> None:
    """«todo menos el teléfono a Y»: she may have said that the telephone is not for Y, and nobody may make Y a recipient of the rest."""
    said = calm_desk.ana(f"consentimiento {calm_desk.code} {line}")
    assert "No anoté nada" in said
    assert told in said
    assert "campos todo menos …»" in said, "how to write it so that it means one thing"
    assert consents(calm_desk) == 0
    assert calm_desk.ana("sí") == "", "nothing is begun either"
