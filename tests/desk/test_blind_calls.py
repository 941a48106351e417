"""A telephone that goes without the safe way to call her is warned of wherever it is let out, before that is confirmed (R29)."""

from __future__ import annotations

import pytest

from tests.desk.test_words import CANARIES, Desk, code_in, open_desk, pick

WARNING = "sin la forma segura de contactarla"
FEW = "oral a csmc-comas para salud mental campos {fields} hasta 3 meses explicado"


@pytest.fixture
def desk() -> Desk:
    """A desk of one's own."""
    return open_desk()


def referred(desk: Desk, fields: str, *, accept: bool = True) -> str:
    """The thread of an offer under a consent to these fields, accepted unless it is left to wait."""
    desk.ana(f"consentimiento {desk.code} {FEW.format(fields=fields)}")
    _, offer = desk.refers()
    if accept:
        desk.bea("aceptar", thread=offer.event)
        desk.net.settle()
    return offer.event


def asked_for(desk: Desk, thread: str, field: str) -> str:
    desk.bea(f"pedir {field} para su atención", thread=thread)
    desk.net.settle()
    return desk.cem.find("pide un dato más").body


def granted(desk: Desk) -> int:
    return int(desk.cem.run(lambda unit: unit.asks.count(state="granted")))


def test_a_telephone_that_is_asked_for_later_is_warned_of_before_it_is_granted(desk: Desk) -> None:
    thread = referred(desk, "riesgo")
    card = asked_for(desk, thread, "teléfono")
    assert WARNING in card
    assert not any(canary in card for canary in CANARIES)
    desk.ana(pick(card, "dar permiso"))
    assert granted(desk) == 1, "once it was said, one number is enough"
    assert WARNING not in asked_for(desk, thread, "edad"), "only a way to reach her"


def test_one_who_holds_the_safe_way_is_not_warned_of(desk: Desk) -> None:
    thread = referred(desk, "riesgo, contacto seguro")
    card = asked_for(desk, thread, "teléfono")
    assert WARNING not in card
    desk.ana(pick(card, "dar permiso"))
    assert granted(desk) == 1


def test_what_was_taken_back_since_the_card_is_warned_of_before_anything_is_granted(desk: Desk) -> None:
    card = asked_for(desk, referred(desk, "riesgo, contacto seguro"), "teléfono")
    desk.ana(pick(desk.ana(f"retirar {desk.code} a csmc-comas contacto seguro"), "retirar"))
    desk.net.settle()
    again = desk.ana(pick(card, "dar permiso"))
    assert WARNING in again
    assert granted(desk) == 0
    assert "no es de ninguna pregunta" in desk.ana(pick(card, "dar permiso"))
    desk.ana(pick(again, "dar permiso"))
    assert granted(desk) == 1


@pytest.mark.parametrize(("fields", "warned"), [("teléfono", True), ("teléfono, contacto seguro", False), ("riesgo", False)])
def test_a_telephone_that_is_noted_while_an_offer_waits_is_warned_of(desk: Desk, fields: str, *, warned: bool) -> None:
    """It goes with the rest once they accept, and the preview that was confirmed did not show it."""
    other = code_in(desk.ana("!tk abrir Mar Inventada, mañana a las 10", thread=False), "C")
    desk.card = desk.cem.find(f"{other} · Mar").event
    desk.code = other
    for words in ("riesgo: alto", "contacto seguro: solo de día"):
        desk.ana(f"anotar {words}")
    referred(desk, f"riesgo, {fields}", accept=False)
    said = desk.ana("anotar teléfono: 900000124")
    assert "Anotado" in said
    assert (WARNING in said) is warned
    assert WARNING not in desk.ana("anotar edad: 30")


def test_a_telephone_that_was_granted_before_it_was_known_is_warned_of_when_it_is_noted(desk: Desk) -> None:
    card = asked_for(desk, referred(desk, "riesgo, correo"), "correo")
    desk.ana(pick(card, "dar permiso"))
    assert WARNING in desk.ana("anotar correo: inventada@example.org")
