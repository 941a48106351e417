"""What is said by halves about her, or in the wrong thread, is asked back: it neither acts nor meets silence (X34, R51)."""

from __future__ import annotations

import pytest

from tests.desk.test_numbers import numbers
from tests.desk.test_words import Desk, code_in, open_desk, pick


@pytest.fixture
def desk() -> Desk:
    """A desk of one's own."""
    return open_desk()


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
