"""The very word that was offered, and a plain yes, are never met with silence: silence looks like «done». They act on nothing (X34)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.desk.test_words import Desk, pick


def state(desk: Desk) -> str:
    return str(desk.cem.run(lambda unit: unit.referrals.all()[0].state.value))


def withdrawals(desk: Desk) -> int:
    return int(desk.cem.run(lambda unit: unit.questions.count(state="open", kind="withdraw")))


# --- a withdrawal


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize("words", ["retirar", "Retirar todo", "retirar por favor", "sí", "si porfa"])
def test_the_word_of_a_withdrawal_is_asked_back_with_its_number(desk: Desk, words: str, *, thread: bool) -> None:
    desk.accepted()
    number = pick(desk.ana("retirar" if thread else f"!tk retirar {desk.code}", thread=thread), "retirar")
    for _ in range(2):
        said = desk.ana(words, thread=thread)
        assert f"su número: {number}. No hice nada" in said
    assert withdrawals(desk) == 1, "no second preview"
    assert state(desk) == "accepted"
    assert f"su número: {int(number) + 1}. No hice nada" in desk.ana("no", thread=thread)
    assert "retirado" in desk.ana(number, thread=thread)


def test_two_withdrawals_are_asked_apart_and_a_new_order_is_still_one(desk: Desk) -> None:
    desk.accepted()
    part = pick(desk.ana("retirar teléfono"), "retirar")
    assert "se retira todo" in desk.ana("retirar todo"), "more than what is shown is another order"
    whole = str(int(part) + 2)
    assert withdrawals(desk) == 2
    said = desk.ana("retirar", thread=False)
    assert pick(said, desk.code) == part
    assert f"\n{whole}. " in said
    assert "No hice nada" in said
    assert "su número" in desk.ana("retirar todo")
    assert state(desk) == "accepted"


def test_a_yes_counts_only_where_its_question_stands_and_while_it_is_fresh(desk: Desk) -> None:
    desk.accepted()
    desk.ana("retirar")
    assert desk.ana("sí", thread=False) == ""
    assert desk.cem.type("luis", "sí", thread=desk.card) == "", "it is hers"
    assert "su número" in desk.ana("sí")
    desk.net.clock.advance(timedelta(minutes=11))
    assert desk.ana("sí") == ""


# --- a reply that may be meant for the other institution


@pytest.mark.parametrize(("words", "place"), [("si", 0), ("Sí.", 0), ("sí, por favor", 0), ("enviarlo", 0), ("no", 1), ("no gracias", 1)])
def test_a_yes_or_no_to_a_relay_is_asked_back(desk: Desk, words: str, place: int) -> None:
    _, offer = desk.accepted()
    desk.bea("decir: ya la vimos", thread=offer.event)
    desk.net.settle()
    asked = desk.cem.type("ana", "gracias, qué bueno", reply=desk.cem.find("ya la vimos").event)
    number = int(pick(asked, "enviarlo")) + place
    before = desk.cem.run(lambda unit: unit.outbox.count())
    assert f"su número: {number}. No hice nada" in desk.ana(words, thread=False)
    assert desk.cem.run(lambda unit: unit.outbox.count()) == before


# --- one more field


@pytest.mark.parametrize("thread", [False, True])
@pytest.mark.parametrize("words", ["dar permiso", "dale permiso", "si, doy permiso", "le damos permiso"])
def test_with_two_requests_it_is_asked_which(desk: Desk, words: str, *, thread: bool) -> None:
    _, offer = desk.accepted()
    for asked in ("pedir teléfono: para llamar", "pedir embarazo: para su cita"):
        desk.bea(asked, thread=offer.event)
    desk.net.settle()
    said = desk.ana(words, thread=thread)
    assert "¿Cuál de estas?" in said
    assert "Teléfono: dar permiso" in said
    assert "Embarazo: dar permiso" in said
    assert {one.state for one in desk.cem.run(lambda unit: unit.asks.all())} == {"open"}


def test_with_one_request_other_words_for_the_permission_are_asked_back(desk: Desk) -> None:
    _, offer = desk.accepted()
    desk.bea("pedir teléfono: para llamar", thread=offer.event)
    desk.net.settle()
    number = pick(desk.cem.find("pide un dato más").body, "dar permiso")
    for words in ("dale permiso", "sí"):
        assert f"su número: {number}. No hice nada" in desk.ana(words)
    assert f"su número: {number}. No hice nada" in desk.ana("dar permiso", thread=False)
    assert "permiso dado" in desk.ana("dar permiso")


# --- a yes after what was asked back


def test_a_yes_to_what_was_asked_back_is_told_the_number_again(desk: Desk) -> None:
    desk.consents()
    _, offer = desk.refers()
    first = desk.bea("acpetar", thread=offer.event)
    assert "su número" in first
    for _ in range(2):
        assert desk.bea("si", thread=offer.event) == first
    assert desk.csmc.run(lambda unit: unit.referrals.all()[0].state.value) == "received"


def test_a_yes_that_takes_no_suggestion_is_told_what_to_type(desk: Desk) -> None:
    assert "¿Quiso decir" in desk.ana("anotar riesgo: alt")
    assert "No hice nada" in desk.ana("si")
    assert desk.ana("si") == "", "told once"
    assert "¿Quiso decir «aceptar»" in desk.ana("!tk aceptr", thread=False)
    assert "No hice nada" in desk.ana("sí", thread=False)
    desk.ana("anotar riesgo: alt")
    desk.ana("gracias")
    assert desk.ana("sí") == "", "something else was said"


# --- a date that was not understood


def test_a_case_whose_date_was_not_understood_is_not_opened_and_takes_the_date_next(desk: Desk) -> None:
    before = desk.cem.run(lambda unit: unit.cases.count())
    said = desk.ana("!tk abrir Rosita Inventada, mnn a las diez y pico", thread=False)
    assert "Todavía no abrí ningún caso" in said
    assert desk.cem.run(lambda unit: unit.cases.count()) == before
    assert "Todavía no" not in desk.ana("mañana a las 10", thread=False)
    for _ in range(9):
        if desk.cem.run(lambda unit: unit.cases.count()) > before:
            break
        desk.ana("saltar", thread=False)
    desk.net.settle()
    assert "Rosita Inventada" in desk.cem.find("· Rosita").body


def test_a_date_that_is_past_is_asked_again_too(desk: Desk) -> None:
    said = desk.ana("abrir Rosita Inventada, 3/1/2020", room="direct")
    assert "Todavía no abrí ningún caso" in said
    assert "«3/1/2020»" in said


# --- what she left out


def test_what_she_left_out_is_not_asked_for_again(desk: Desk) -> None:
    desk.ana(f"consentimiento {desk.code} oral a csmc-comas para salud mental campos todo menos el relato hasta 3 meses explicado")
    said = desk.ana("derivar a csmc-comas por salud mental")
    assert "Relato: No está en lo que ella aceptó." in said
    assert "Falta que ella diga" not in said
    assert "Si ella también" not in said


@pytest.mark.parametrize("word", ["fono", "celu", "celular"])
def test_the_phone_goes_by_the_words_of_peru(desk: Desk, word: str) -> None:
    assert "Anotado" in desk.ana(f"anotar {word}: 900000111")
