"""A stopped link: whoever takes something back reads, before and after, who does not know of it yet, and that a call is needed now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.actions.ports import Unit
from tests.desk.test_words import Desk, open_desk, pick

UNHEARD = "Csmc Comas todavía NO se entera"


@pytest.fixture
def desk() -> Desk:
    """A desk of one's own."""
    return open_desk()


def stop(desk: Desk, why: str | None = "people") -> None:
    def run(unit: Unit) -> None:
        unit.links.put(replace(unit.links.one(peer="csmc-comas"), frozen=why))

    desk.cem.run(run)


def warned(said: str) -> bool:
    return UNHEARD in said and "administración" in said and "teléfono" in said


@pytest.mark.parametrize("fields", ["", " teléfono"])
def test_preview_and_answer_of_a_withdrawal_name_who_cannot_hear_of_it(desk: Desk, fields: str) -> None:
    desk.accepted()
    stop(desk)
    preview = desk.ana(f"retirar {desk.code}{fields}")
    assert warned(preview)
    assert "seguir leyendo" in preview
    answer = desk.ana(pick(preview, "retirar"))
    assert "retirado aquí" in answer
    assert warned(answer)


def test_an_open_link_frightens_nobody(desk: Desk) -> None:
    desk.accepted()
    preview = desk.ana(f"retirar {desk.code}")
    assert UNHEARD not in preview
    assert UNHEARD not in desk.ana(pick(preview, "retirar"))


def test_an_offer_that_left_is_cancelled_here_only(desk: Desk) -> None:
    desk.consents()
    code, _ = desk.refers()
    stop(desk)
    preview = desk.ana(f"retirar {code}")
    assert warned(preview)
    answer = desk.ana(pick(preview, "cancelar la derivación"))
    assert warned(answer)
    assert "Se lo digo" not in answer


def test_an_offer_that_never_left_leaves_nobody_to_be_called(desk: Desk) -> None:
    desk.consents()
    desk.ana(pick(desk.ana("derivar a csmc-comas por salud mental"), "enviar"))
    stop(desk)
    assert UNHEARD not in desk.ana(f"retirar {desk.code}")


def test_a_withdrawal_over_a_stopped_link_leaves_when_it_is_opened(desk: Desk) -> None:
    desk.accepted()
    stop(desk)
    desk.ana(pick(desk.ana(f"retirar {desk.code}"), "retirar"))
    desk.net.settle()
    assert desk.csmc.run(lambda unit: unit.held.count()) > 0
    stop(desk, None)
    desk.net.settle()
    assert desk.csmc.run(lambda unit: unit.held.count()) == 0


def test_giving_it_back_over_a_stopped_link_says_that_they_do_not_know(desk: Desk) -> None:
    _, offer = desk.accepted()

    def run(unit: Unit) -> None:
        unit.links.put(replace(unit.links.one(peer="cem-lima"), frozen="people"))

    desk.csmc.run(run)
    said = desk.bea(pick(desk.bea("devolver", thread=offer.event), "No se la pudo ubicar"), thread=offer.event)
    line = next(s.body for s in reversed(desk.csmc.said) if "devuelta a" in s.body)
    assert "Cem Lima todavía NO se entera" in line
    assert "seguir leyendo" not in line
    assert said
