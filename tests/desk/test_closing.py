"""Before a case is closed one reads what that ends and who still holds something of hers; and for a minute it can be undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.actions.ports import Unit
from tests.desk.test_words import Desk, code_in, pick


def state(desk: Desk) -> str:
    return str(desk.cem.run(lambda unit: unit.cases.one(code=desk.code).state))


def waiting(desk: Desk) -> int:
    return int(desk.cem.run(lambda unit: unit.checkins.count(state__in=("planned", "ringing"))))


def served(desk: Desk) -> str:
    """A referral that came to its end: the recipient still holds what it was given."""
    code, offer = desk.accepted()
    desk.bea(pick(desk.bea("resultado", thread=offer.event), "Se atendió lo que pidió"), thread=offer.event)
    desk.net.settle()
    return code


def test_an_outcome_that_was_typed_is_confirmed_after_what_it_ends_was_read(desk: Desk) -> None:
    served(desk)
    said = desk.ana("cerrar se atendió lo que pidió")
    assert state(desk) == "open"
    for words in ("«Se atendió lo que pidió»", "se cancela", "(Lima)", "Todavía tienen datos de ella", "Csmc Comas", f"retirar {desk.code}"):
        assert words in said
    assert "deshacer" in desk.ana(pick(said, "cerrar el caso"))
    assert state(desk) == "closed"
    assert waiting(desk) == 0


def test_the_list_of_outcomes_says_it_too(desk: Desk) -> None:
    served(desk)
    said = desk.ana("cerrar")
    assert "Csmc Comas" in said
    assert "se cancela" in said
    desk.ana(pick(said, "Ella decidió parar"))
    assert state(desk) == "closed"


def test_who_destroyed_it_and_signed_for_it_is_not_named(desk: Desk) -> None:
    served(desk)
    desk.ana(pick(desk.ana(f"retirar {desk.code}"), "retirar"))
    desk.net.settle()
    assert "Csmc Comas" not in desk.ana("cerrar")


def test_it_may_be_left_open(desk: Desk) -> None:
    assert "sigue abierto" in desk.ana(pick(desk.ana("cerrar she_stopped"), "dejarlo abierto"))
    assert state(desk) == "open"
    assert waiting(desk) == 1


def test_a_word_never_closes_it_and_ten_minutes_later_neither_a_number(desk: Desk) -> None:
    said = desk.ana("cerrar she_stopped")
    desk.ana("cerrar el caso")
    assert state(desk) == "open"
    desk.net.clock.advance(timedelta(minutes=11))
    desk.ana(pick(said, "cerrar el caso"))
    assert state(desk) == "open"


def test_what_was_closed_by_mistake_is_open_again_with_its_contacts(desk: Desk) -> None:
    before = desk.cem.run(lambda unit: unit.checkins.one(state="planned"))
    desk.ana("control en 3 días")
    desk.net.clock.advance(timedelta(minutes=2))
    desk.ana(pick(desk.ana("cerrar"), "Ella decidió parar"))
    assert waiting(desk) == 0
    said = desk.ana("deshacer")
    assert desk.code in said
    assert state(desk) == "open"
    assert waiting(desk) == 2
    desk.net.clock.advance(before.due_at - desk.net.clock.now())
    desk.cem.ring()
    assert "toca el contacto" in desk.cem.said[-1].body
    assert "Anotado" in desk.ana("anotar riesgo: medio")


def test_a_contact_that_came_due_in_between_rings_at_once(desk: Desk) -> None:
    due = desk.cem.run(lambda unit: unit.checkins.one(state="planned")).due_at
    desk.net.clock.advance(due - desk.net.clock.now() - timedelta(seconds=20))
    desk.ana(pick(desk.ana("cerrar"), "Ella decidió parar"))
    desk.net.clock.advance(timedelta(seconds=40))
    desk.cem.ring()
    assert "toca el contacto" not in desk.cem.said[-1].body, "a closed case does not ring"
    desk.ana("deshacer")
    desk.cem.ring()
    assert "toca el contacto" in desk.cem.said[-1].body


def test_after_a_minute_and_by_another_hand_it_stays_closed(desk: Desk) -> None:
    desk.ana(pick(desk.ana("cerrar"), "Ella decidió parar"))
    assert "nada que deshacer" in desk.cem.type("luis", "deshacer")
    desk.net.clock.advance(timedelta(seconds=61))
    assert "nada que deshacer" in desk.ana("deshacer")
    assert state(desk) == "closed"


def test_a_dialogue_about_a_closed_case_asks_nothing_more(desk: Desk) -> None:
    step = desk.ana("consentimiento")
    desk.ana(pick(desk.ana("!tk cerrar"), "Ella decidió parar"))
    assert "no es de ninguna pregunta" in desk.ana(pick(step, "Sí"))


# --- an outcome that is never taken from a slip


BACK = "siempre se puede abrir otro"


def test_the_answer_repeats_the_outcome(desk: Desk) -> None:
    said = desk.ana(pick(desk.ana("cerrar"), "Ella decidió parar"))
    assert "cerrado: «Ella decidió parar»" in said
    assert BACK in said


@pytest.mark.parametrize("typed", [True, False])
def test_her_death_is_asked_twice_however_it_was_said(desk: Desk, typed: bool) -> None:
    said = desk.ana("cerrar falleció") if typed else desk.ana(pick(desk.ana("cerrar"), "Falleció"))
    assert "¿Seguro?" in said
    assert "«Falleció»" in said
    assert state(desk) == "open"
    desk.ana("sí")
    assert state(desk) == "open", "a word is no number"
    assert "sigue abierto" in desk.ana(pick(said, "dejarlo abierto"))
    assert state(desk) == "open"


def test_her_death_is_asked_even_where_nothing_ends_with_it(desk: Desk) -> None:
    desk.ana(pick(desk.ana("cerrar"), "Ella decidió parar"))
    desk.net.clock.advance(timedelta(minutes=2))
    desk.code = code_in(desk.ana("!tk abrir Rosa, mañana a las 10", thread=False), "C")
    desk.net.clock.advance(timedelta(minutes=2))
    desk.cem.run(cancel_all)
    said = desk.ana(f"!tk cerrar {desk.code} falleció", thread=False)
    assert "¿Seguro?" in said
    assert state(desk) == "open"


def cancel_all(unit: Unit) -> None:
    for checkin in unit.checkins.all():
        unit.checkins.put(replace(checkin, state="cancelled"))


def test_after_her_death_the_answer_says_what_is_done_and_who_holds_something(desk: Desk) -> None:
    served(desk)
    said = desk.ana(pick(desk.ana(pick(desk.ana("cerrar"), "Falleció")), "cerrar el caso"))
    assert state(desk) == "closed"
    assert "cerrado: «Falleció»" in said
    assert "Se cancel" in said
    assert "Todavía tienen datos de ella" in said
    assert "Csmc Comas" in said
    assert BACK not in said
    assert "vuelve" not in said
    assert "deshacer" in said


def test_a_second_thought_ends_the_first_question(desk: Desk) -> None:
    first = desk.ana("cerrar falleció")
    desk.ana("cerrar she_stopped")
    desk.ana(pick(first, "cerrar el caso"))
    assert state(desk) == "open"
