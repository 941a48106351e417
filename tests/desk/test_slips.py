"""In a thread of ours, a slip in a verb or in an answer is asked back and acts on nothing; talk among colleagues is left alone."""

from __future__ import annotations

import pytest

from hub.chat.fold import words
from hub.chat.verbs import VERBS, slips
from tests.desk.test_numbers import numbers
from tests.desk.test_words import Desk, open_desk, pick


@pytest.fixture(scope="module")
def quiet() -> Desk:
    """A desk where nothing waits for an answer, and nothing is done."""
    return open_desk()


@pytest.fixture(scope="module")
def previewed() -> Desk:
    """A desk with a preview that waits in the thread of the case."""
    desk = open_desk()
    desk.consents()
    desk.ana("derivar a csmc-comas por salud mental")
    return desk


@pytest.fixture(scope="module")
def offered() -> tuple[Desk, str]:
    """A desk with an offer that waits in its thread."""
    desk = open_desk()
    desk.consents()
    return desk, desk.refers()[1].event


@pytest.fixture(scope="module")
def taking_back() -> Desk:
    """A desk where a withdrawal waits for its number in the thread, another in the room, and two requests for one more field."""
    desk = open_desk()
    _, offer = desk.accepted()
    for asked in ("pedir teléfono: para llamar", "pedir dirección: para visitar"):
        desk.bea(asked, thread=offer.event)
    desk.net.settle()
    desk.ana("retirar")
    desk.ana(f"!tk retirar {desk.code} teléfono", thread=False)
    return desk


def sent(desk: Desk) -> int:
    return int(desk.cem.run(lambda unit: unit.referrals.count(state__not="draft")))


TALK = [
    "gracias", "ok", "ya la llamé", "abril", "pasos", "la derivo mañana", "derivo", "derivará la doctora", "aceptan mañana", "aceptada", "derivado",
    "cáncer", "decía que viene", "medir la presión", "pedía informe", "volverá", "viene con su hermana", "¿drivar?", "drivar a la señora",
    "anotr\nnada", "retirado", "enviemos mañana", "no sé", "voy yo",
    "¿sí?", "sí, mañana la veo", "no, todavía no llega", "ya le di permiso a la señora para salir", "permiso, ya vuelvo", "ok gracias", "dale nomás",
    "deriva la doctora", "la doctora anota todo", "cierra la puerta", "cierra a las 6 la comisaría", "retira sus cosas mañana", "retira su denuncia",
    "dile que venga?", "¿dile a la señora?", "anoté que no vino", "derivarla mañana sería bueno", "derivamos mañana", "anotado",
    "ya anoté", "anoto yo",
    "ojo: mañana no hay guardia", "recordatorio para todas: reunión a las 5", "ella no quiere venir", "no quiere que la llamen de noche",
    "nos equivocamos de puerta", "registra ingreso a las 3", "hora: 10", "la tomamos con calma",
    "retirarse temprano no se puede", "ya se retiró la señora", "el sí lo dio ella", "no creo que venga", "claro que sí colega",
]  # fmt: skip


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("drivar", "derivar"), ("drivar a csmc-comas por salud mental", "derivar"), ("acpetar", "aceptar"), ("anotr riesgo bajo", "anotar"),
        ("consentimineto", "consentimiento"), ("cerar", "cerrar"), ("retirra", None), ("decr hola", "decir"), ("Contrl, gracias", "control"),
    ],
)  # fmt: skip
def test_a_slip_in_the_verb_is_asked_back(quiet: Desk, slip: str, meant: str | None) -> None:
    said = quiet.ana(slip)
    if meant is None:
        assert said == ""
        return
    assert f"«{meant}»" in said
    assert "No hice nada" in said
    quiet.ana("gracias")  # what was suggested is over
    assert not quiet.cem.run(lambda unit: unit.questions.count(state="open", kind__not="checkin"))


@pytest.mark.parametrize("said", TALK)
def test_what_colleagues_say_to_each_other_is_left_alone(quiet: Desk, said: str) -> None:
    assert quiet.ana(said) == ""


@pytest.mark.parametrize("said", TALK)
def test_also_while_an_offer_waits(offered: tuple[Desk, str], said: str) -> None:
    desk, thread = offered
    assert desk.bea(said, thread=thread) == ""


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("envair", 0), ("enviar ya", 0), ("sí, enviar", 0), ("uno", 0), ("la primera", 0), ("opción {0} porfa", 0), ("{0} gracias", 0), ("sí", 0),
        ("dos", 1), ("opción dos", 1), ("quitr", 1), ("canselar", 2), ("la tercera, por favor", 2),
    ],
)  # fmt: skip
def test_an_answer_with_a_slip_is_asked_back_with_its_number(previewed: Desk, said: str, place: int) -> None:
    (question,) = previewed.cem.run(lambda unit: unit.questions.all(state="open", kind="refer"))
    answer = previewed.ana(said.format(question.first))
    assert f"con su número: {question.first + place}." in answer
    assert "No hice nada" in answer
    assert sent(previewed) == 0


@pytest.mark.parametrize(
    "said", ["acpetar", "aseptar", "acepto la derivacion porfa", "sí, aceptamos", "ok, la aceptamos", "uno", "opcion 1 porfa", "rechasar sin cupo"]
)
def test_an_offer_is_neither_taken_nor_refused_by_a_slip_nor_met_with_silence(offered: tuple[Desk, str], said: str) -> None:
    desk, thread = offered
    assert "No hice nada" in desk.bea(said, thread=thread)
    assert desk.csmc.run(lambda unit: unit.referrals.all()[0].state.value) == "received"


@pytest.mark.parametrize("said", TALK)
@pytest.mark.parametrize("thread", [False, True])
def test_also_while_what_is_taken_back_is_shown(taking_back: Desk, said: str, *, thread: bool) -> None:
    assert taking_back.ana(said, thread=thread) == ""


def test_where_nobody_asked_a_count_is_chatter(quiet: Desk) -> None:
    for said in ("dos", "la primera", "uno", "3 gracias", "sí"):
        assert quiet.ana(said) == ""


def test_two_lists_are_not_counted_by_place(desk: Desk) -> None:
    lists = [desk.ana("control"), desk.ana("derivar")]
    own = numbers(lists[0])
    assert 2 in own
    assert "o 2. No hice nada" in desk.ana("dos")
    assert desk.ana("la primera") == ""


def test_a_slip_in_a_verb_is_told_while_a_dialogue_waits_for_a_choice(desk: Desk) -> None:
    desk.ana("consentimiento")
    asked = desk.ana("sí")
    assert "«derivar»" in desk.ana("drivar")
    assert "Para qué" in desk.ana(pick(asked, "Csmc Comas"))


def test_in_a_dialogue_a_number_in_words_is_its_number(desk: Desk) -> None:
    first = desk.ana("consentimiento")
    assert pick(first, "Sí") == "1"
    asked = desk.ana("sí")
    assert pick(asked, "Csmc Comas") == "3"
    assert "Para qué" in desk.ana("opción tres")


def test_no_firm_form_is_a_slip_for_another_verb() -> None:
    every = {form for verb in VERBS for form in verb.forms if " " not in form}
    assert not {form for form in every if slips(words(form)[0].folded if words(form) else form, "es")}
