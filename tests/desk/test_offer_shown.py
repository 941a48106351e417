"""The preview shows everything that the offer carries, and an urgency that nobody noted is not said as if somebody had."""

from __future__ import annotations

import pytest

from hub.actions.ports import Unit
from tests.desk.test_words import Desk, open_desk


@pytest.fixture
def desk() -> Desk:
    """A desk of one's own, with her consent."""
    made = open_desk()
    made.consents()
    return made


def forget(desk: Desk, field: str) -> None:
    def run(unit: Unit) -> None:
        row = unit.fields.one(field=field)
        assert row is not None
        unit.fields.delete(row.id)

    desk.cem.run(run)


def carried(said: str) -> str:
    return next(line for line in said.splitlines() if "Lleva: " in line)


def test_need_urgency_and_zone_are_shown_as_they_leave(desk: Desk) -> None:
    line = carried(desk.ana("derivar a csmc-comas por salud mental"))
    _, offer = desk.refers()
    assert "salud mental; urgencia: Pronto" in line, "the risk is high"
    assert "Urgencia: Pronto" in offer.body
    zone = next(row.removeprefix("Zona: ") for row in offer.body.splitlines() if row.startswith("Zona: "))
    assert f"zona: {zone}" in line
    assert "no indicada" not in line


def test_an_urgency_that_was_noted_is_said(desk: Desk) -> None:
    forget(desk, "risk_level")
    desk.ana("anotar urgencia: urgente")
    assert "urgencia: Urgente" in carried(desk.ana("derivar a csmc-comas por salud mental"))


def test_one_that_nobody_noted_is_not_indicated(desk: Desk) -> None:
    forget(desk, "risk_level")
    line = carried(desk.ana("derivar a csmc-comas por salud mental"))
    assert "urgencia: no indicada" in line
    assert "«Sin prisa»" in line
