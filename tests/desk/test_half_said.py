"""What is said by halves about her, or in the wrong thread, is asked back: it neither acts nor meets silence (X34, R51)."""

from __future__ import annotations

import pytest

from tests.desk.test_numbers import numbers
from tests.desk.test_words import Desk, code_in, open_desk, pick


def rung(desk: Desk) -> str:
    """The check-in of her case, that rings in its thread."""
    desk.net.clock.advance(desk.cem.run(lambda unit: unit.checkins.all()[0].due_at) - desk.net.clock.now())
    desk.cem.ring()
    return desk.cem.find("toca el contacto").body


def results(desk: Desk) -> set[str]:
    return {one.state for one in desk.cem.run(lambda unit: unit.checkins.all())}


def test_contacted_is_not_yet_safe(desk: Desk) -> None:
    """Nobody said that she is safe, and the alarm must not stop for it."""
    ring = rung(desk)
    said = desk.ana("contactada")
    assert "quiso decir «contactada y a salvo»" in said
    assert results(desk) == {"ringing"}
    assert "a salvo" in desk.ana(pick(ring, "contactada"))


@pytest.mark.parametrize("said", ["subio el riesgo", "{risk} porque el marido volvio", "no la ubique, el riesgo subió"])
def test_a_risk_that_is_told_in_other_words_is_never_met_with_silence(desk: Desk, said: str) -> None:
    ring = rung(desk)
    answer = desk.ana(said.format(risk=pick(ring, "el riesgo subió")))
    assert "no lo tomé como respuesta" in answer
    assert numbers(answer) == numbers(ring)
    assert results(desk) == {"ringing"}
    assert desk.ana("ya le avisé a la doctora") == "", "what is about something else is left alone"


def test_x34_a_number_in_another_womans_thread_is_asked_back(desk: Desk) -> None:
    ring = rung(desk)
    hers = desk.card
    opened = desk.ana("!tk abrir Mar Inventada, mañana a las 10", thread=False)
    desk.net.settle()
    other = desk.cem.find(f"{code_in(opened, 'C')} · Mar").event
    safe = pick(ring, "contactada")
    said = desk.cem.type("ana", safe, thread=other)
    assert desk.code in said
    assert "No hice nada" in said
    assert "ringing" in results(desk)
    assert "a salvo" in desk.cem.type("ana", safe, thread=hers)


def test_cancel_beside_cancel_the_referral_is_asked_back(desk: Desk) -> None:
    """«No salió nada» would be untrue: it has left, and stays."""
    desk.consents()
    code, _ = desk.refers()
    asked = desk.ana("deshacer")
    assert "cancelar la derivación" in asked
    said = desk.ana("cancelar")
    assert code in said
    assert pick(asked, "cancelar la derivación") in said
    assert "No salió nada" not in said
    assert desk.cem.run(lambda unit: unit.referrals.all()[0].state.value) in ("requested", "received")
    desk.ana(pick(asked, "cancelar la derivación"))
    assert desk.cem.run(lambda unit: unit.referrals.all()[0].state.value) == "cancelled"


def test_a_part_of_a_reason_declines_nothing(desk: Desk) -> None:
    desk.consents()
    _, offer = desk.refers()
    desk.bea("rechazar", thread=offer.event)
    assert "quiso decir «No hay cupo" in desk.bea("no hay", thread=offer.event)
    assert desk.csmc.run(lambda unit: unit.referrals.all()[0].state.value) == "received"


WHOLE = ["el riesgo subió", "El riesgo subio!!", "no la ubiqué", "contactada y a salvo"]


@pytest.mark.parametrize("said", WHOLE)
@pytest.mark.parametrize("where", ["room", "loose thread", "another thread", "room dialogue", "thread dialogue"])
def test_x34_the_whole_answer_to_a_check_in_is_never_met_with_silence(said: str, where: str) -> None:
    """Typed in the room, by a client whose relation a homeserver could have made up, or into a dialogue: it is asked back, and acts on nothing."""
    desk = open_desk()
    ring = rung(desk)
    thread = None if where.startswith("room") else desk.card
    if where == "another thread":
        opened = desk.ana("!tk abrir Mar Inventada, mañana a las 10", thread=False)
        desk.net.settle()
        thread = desk.cem.find(f"{code_in(opened, 'C')} · Mar").event
    if where.endswith("dialogue"):
        desk.cem.type("ana", "!tk abrir", thread=thread)
    answer = desk.cem.type("ana", said, thread=thread, firm=where != "loose thread")
    assert "Responda con su número" in answer
    assert desk.code in answer
    number = pick(answer, ".*")
    assert number in map(str, numbers(ring))
    assert not {"safe", "risk_rose", "not_reached"} & results(desk)
    desk.cem.type("ana", "sí", thread=thread)
    assert not {"safe", "risk_rose", "not_reached"} & results(desk), "and no yes takes it"
    assert f"{desk.code}: anotado" in desk.ana(f"!tk {number}")


def test_two_that_ring_are_named_each_by_its_code(desk: Desk) -> None:
    other = code_in(desk.ana("!tk abrir Mar Inventada, mañana a las 10", thread=False), "C")
    desk.net.clock.advance(max(one.due_at for one in desk.cem.run(lambda unit: unit.checkins.all())) - desk.net.clock.now())
    desk.cem.ring()
    answer = desk.ana("el riesgo subió", thread=False)
    assert desk.code in answer
    assert other in answer
    assert len(numbers(answer)) == 2


@pytest.mark.parametrize("said", ["dicen que el riesgo subió en el distrito", "riesgo", "subió", "a salvo", "ya almorcé", "¿la ubicaron?"])
def test_ordinary_talk_in_the_room_while_a_check_in_rings_is_left_alone(desk: Desk, said: str) -> None:
    rung(desk)
    assert desk.ana(said, thread=False) == ""


def test_where_nothing_rings_the_same_words_are_ordinary_talk(desk: Desk) -> None:
    assert desk.ana("el riesgo subió", thread=False) == ""
