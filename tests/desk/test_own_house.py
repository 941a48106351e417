"""The aggressor works here (R62): what he himself, who bears the noted name, may still do with her case. Nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.actions import staff
from tests.coordination.bench import key_of
from tests.desk.test_words import PHONE, STORY, Desk, open_desk, pick

NAMED = "anotar Nombre de la persona agresora: {name}"
OURS = "anotar A qué institución pertenece la persona agresora: Cem Lima"


@pytest.fixture
def desk() -> Desk:
    return open_desk()


def noted(desk: Desk, name: str = "Luis Ejemplo") -> Desk:
    desk.ana(NAMED.format(name=name))
    desk.ana(OURS)
    return desk


def luis(desk: Desk, words: str, room: str = "desk") -> str:
    return desk.cem.type("luis", words, room=room, thread=desk.card if room == "desk" else None)


@pytest.mark.parametrize(
    "words",
    [
        "quién sabe", "quién sabe para ella", "derivar a csmc-comas por salud mental", "retirar", "reunir con csmc-comas", "cerrar", "ver", "rutas",
        "anotar riesgo: bajo", "anotar Nombre de la persona agresora: Otro", "anotar A qué institución pertenece la persona agresora: ninguna",
        "consentimiento oral a csmc-comas para salud mental campos nombre hasta 3 meses explicado",
    ],
)
def test_for_him_there_is_no_such_case(desk: Desk, words: str) -> None:
    desk.accepted()
    noted(desk)
    said = luis(desk, words)
    assert "No encuentro el código" in said
    assert not {"Csmc", "Luz", "Alto", PHONE, STORY} & set(said.split())


def test_a_colleague_without_part_in_it_is_told_who_sees_it(desk: Desk) -> None:
    desk.accepted()
    noted(desk, "Otra Persona Inventada")
    assert "restringido" in luis(desk, "quién sabe")
    assert "Csmc" in desk.ana("quién sabe")


def test_he_does_not_answer_for_her(desk: Desk) -> None:
    noted(desk)
    desk.net.clock.advance(timedelta(hours=25))
    desk.cem.ring()
    asked = [said for said in desk.cem.said if "¿Cómo fue?" in said.body][-1]
    assert "No encuentro" in luis(desk, pick(asked.body, "contactada y a salvo"))
    assert not desk.cem.run(lambda unit: [one for one in unit.checkins.all() if one.answered_by])


def test_another_colleague_does(desk: Desk) -> None:
    noted(desk, "Otra Persona Inventada")
    desk.net.clock.advance(timedelta(hours=25))
    desk.cem.ring()
    asked = [said for said in desk.cem.said if "¿Cómo fue?" in said.body][-1]
    luis(desk, pick(asked.body, "contactada y a salvo"))
    assert desk.cem.run(lambda unit: [one.answered_by for one in unit.checkins.all() if one.answered_by]) == [desk.cem.person("luis")]


def test_he_sits_in_no_room_about_her(desk: Desk) -> None:
    for twin, who in ((desk.cem, "ana"), (desk.cem, "luis"), (desk.csmc, "bea")):
        twin.run(staff.repin_staff, twin.person(who), key_of(twin.person(who)))
    desk.accepted()
    desk.ana(pick(desk.ana("reunir con csmc-comas"), "abrir la sala"))
    desk.net.settle()

    def seated() -> set[str]:
        return desk.cem.run(lambda unit: {user for seat in unit.seats.all(institution="cem-lima", state__not="out") for user in seat.people})

    luis(desk, "entrar")
    assert desk.cem.person("luis") in seated()
    noted(desk)
    desk.net.settle()
    assert seated() == {desk.cem.person("ana")}
    assert "No encuentro" in luis(desk, "entrar")
    assert seated() == {desk.cem.person("ana")}


def test_he_never_leads_nor_is_rung(desk: Desk) -> None:
    noted(desk, "Sofia Ejemplo")
    desk.cem.run(staff.remove_staff, desk.cem.person("ana"))
    assert desk.cem.run(lambda unit: unit.cases.one(code=desk.code).lead) == desk.cem.person("luis")
    before = len(desk.cem.said)
    for _ in range(12):
        desk.net.clock.advance(timedelta(hours=6))
        desk.cem.ring()
    rung = {user for said in desk.cem.said[before:] if desk.code in said.body for user in said.ring}
    assert desk.cem.person("luis") in rung
    assert desk.cem.person("sofia") not in rung
