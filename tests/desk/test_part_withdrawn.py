"""A part is taken back: every line, on both sides, says which part, that the rest goes on, and what was lost with it."""

from __future__ import annotations

import pytest

from hub.actions import emergency
from hub.testing.twin import Twin
from tests.desk.test_words import Desk, open_desk, pick


@pytest.fixture
def desk() -> Desk:
    """A desk of one's own, with an appointment that was said to the other side."""
    made = open_desk()
    made.accepted()
    made.ana("decir: la cita es el martes a las 9")
    made.net.settle()
    return made


def after(twin: Twin, start: int) -> list[str]:
    twin.post()
    return [said.body for said in twin.said[start:] if not said.redacted]


def withdraw_phone(desk: Desk) -> tuple[str, list[str], list[str]]:
    """The preview, and what was said afterwards here and there."""
    preview = desk.ana(f"retirar {desk.code} teléfono")
    here, there = len(desk.cem.said), len(desk.csmc.said)
    desk.ana(pick(preview, "retirar"))
    desk.net.settle()
    return preview, after(desk.cem, here), after(desk.csmc, there)


def test_the_preview_says_what_is_lost_with_it_and_that_the_rest_goes_on(desk: Desk) -> None:
    preview = desk.ana(f"retirar {desk.code} teléfono")
    assert "se retira Teléfono" in preview
    assert "Lo demás sigue" in preview
    assert "como una cita" in preview


def test_the_sender_reads_what_was_withdrawn_delivered_anew_and_destroyed_once(desk: Desk) -> None:
    _, here, _ = withdraw_phone(desk)
    said = "\n".join(here)
    assert "retirado Teléfono; lo demás sigue" in said
    assert "se le retira Teléfono; lo demás sigue" in said
    assert "se entregó de nuevo lo demás, sin Teléfono" in said
    assert said.count("confirmó con firma") == 1
    assert "destruyó Teléfono; lo demás lo sigue teniendo" in said
    assert ": retirada." not in said, "as if all of it were"


def test_the_holder_reads_that_it_was_the_phone_and_which_words_went_with_it(desk: Desk) -> None:
    _, _, there = withdraw_phone(desk)
    said = "\n".join(there)
    assert "retira una parte de los datos" in said
    assert "se borró de este hilo 1 mensaje de Cem Lima" in said
    assert "como una cita" in said
    assert "ya no se comparte: Teléfono. Lo demás sigue" in said
    assert ": retirado. Los datos" not in said


def test_nothing_is_said_of_messages_where_none_was(desk: Desk) -> None:
    withdraw_phone(desk)
    preview = desk.ana(f"retirar {desk.code} riesgo")
    start = len(desk.csmc.said)
    desk.ana(pick(preview, "retirar"))
    desk.net.settle()
    said = "\n".join(after(desk.csmc, start))
    assert "retira una parte" in said
    assert "se borr" not in said
    assert "ya no se comparte: " in said
    assert "Teléfono" not in said, "what went before is told before"


def test_who_knows_names_nothing_twice(desk: Desk) -> None:
    before = desk.ana(f"quién sabe {desk.code}")
    assert before.count("Teléfono") == 2, "held, and agreed to"
    withdraw_phone(desk)
    start = len(desk.cem.said)
    desk.ana(f"quién sabe {desk.code}")
    known = "\n".join(after(desk.cem, start))
    assert known.count("Se destruyó: Teléfono") == 1
    assert known.count("Teléfono") == 1
    assert known.count("Datos: ") == 1


def test_a_whole_withdrawal_is_told_as_before_with_one_confirmation(desk: Desk) -> None:
    start = len(desk.cem.said)
    desk.ana(pick(desk.ana(f"retirar {desk.code}"), "retirar"))
    desk.net.settle()
    said = "\n".join(after(desk.cem, start))
    assert ": retirada. Espero" in said
    assert said.count("confirmó con firma que destruyó los datos") == 1


def test_a_field_of_what_ended_takes_all_of_it_along_and_the_preview_says_so(desk: Desk) -> None:
    code = desk.csmc.run(lambda unit: unit.referrals.all()[0].code)
    desk.bea(pick(desk.bea(f"!tk resultado {code}"), "Se atendió lo que pidió"))
    desk.net.settle()
    preview, here, _ = withdraw_phone(desk)
    assert "ya terminó: allá se destruye todo" in preview
    assert "Lo demás sigue" not in preview
    assert desk.csmc.run(lambda unit: unit.held.count()) == 0
    assert "lo demás lo sigue teniendo" not in "\n".join(here)


@pytest.mark.parametrize("says_no", [True, False])
def test_r72_her_no_to_what_nobody_had_asked_her_about_is_not_lifted_by_an_emergency(says_no: bool) -> None:
    """«retirar dirección»: the protocol never let it out, so no consent of hers held it; still it is hers to refuse."""
    desk = open_desk()
    desk.csmc.enrol("berta")
    desk.accepted()
    if says_no:
        desk.ana(pick(desk.ana("retirar dirección de csmc-comas"), "retirar"))
        desk.net.settle()
    desk.ana("anotar riesgo: crítico")
    desk.net.settle()
    referral = desk.csmc.run(lambda unit: unit.referrals.all()[0].id)
    asked = desk.csmc.run(lambda unit: emergency.break_glass(unit, desk.csmc.person("bea"), referral, "address", "life_in_danger", "no contesta"))
    desk.csmc.run(lambda unit: emergency.confirm_glass(unit, desk.csmc.person("berta"), asked.id, agreed=True))
    desk.net.settle(10)
    found = desk.cem.run(lambda unit: unit.glasses.get(asked.id))
    assert (found.state, found.why_not) == (("refused", "glass_refused") if says_no else ("open", ""))
