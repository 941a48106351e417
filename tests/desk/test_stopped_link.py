"""A stopped link: whoever takes something back reads, before and after, who does not know of it yet, and that a call is needed now."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.actions.ports import Unit
from hub.testing.twin import Said, Twin
from tests.desk.test_standing import second
from tests.desk.test_words import Desk, pick

UNHEARD = "Csmc Comas todavía NO se entera"


def stop(twin: Twin, peer: str, why: str | None = "people") -> None:
    def run(unit: Unit) -> None:
        link = unit.links.one(peer=peer)
        assert link is not None
        unit.links.put(replace(link, frozen=why))

    twin.run(run)


def warned(said: str) -> bool:
    return UNHEARD in said and "administración" in said and "teléfono" in said


@pytest.mark.parametrize("fields", ["", " teléfono"])
def test_preview_and_answer_of_a_withdrawal_name_who_cannot_hear_of_it(desk: Desk, fields: str) -> None:
    desk.accepted()
    stop(desk.cem, "csmc-comas")
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
    stop(desk.cem, "csmc-comas")
    preview = desk.ana(f"retirar {code}")
    assert warned(preview)
    answer = desk.ana(pick(preview, "cancelar la derivación"))
    assert warned(answer)
    assert "Se lo digo" not in answer


def test_an_offer_that_never_left_leaves_nobody_to_be_called(desk: Desk) -> None:
    desk.consents()
    desk.ana(pick(desk.ana("derivar a csmc-comas por salud mental"), "enviar"))
    stop(desk.cem, "csmc-comas")
    assert UNHEARD not in desk.ana(f"retirar {desk.code}")


def test_a_withdrawal_over_a_stopped_link_leaves_when_it_is_opened(desk: Desk) -> None:
    desk.accepted()
    stop(desk.cem, "csmc-comas")
    desk.ana(pick(desk.ana(f"retirar {desk.code}"), "retirar"))
    desk.net.settle()
    assert desk.csmc.run(lambda unit: unit.held.count()) > 0
    stop(desk.cem, "csmc-comas", None)
    desk.net.settle()
    assert desk.csmc.run(lambda unit: unit.held.count()) == 0


def test_giving_it_back_over_a_stopped_link_says_that_they_do_not_know(desk: Desk) -> None:
    _, offer = desk.accepted()
    stop(desk.csmc, "cem-lima")
    said = desk.bea(pick(desk.bea("devolver", thread=offer.event), "No se la pudo ubicar"), thread=offer.event)
    line = next(s.body for s in reversed(desk.csmc.said) if "devuelta a" in s.body)
    assert "Cem Lima todavía NO se entera" in line
    assert "seguir leyendo" not in line
    assert said


# --- the other side of it: nothing says that the link was stopped there, only that nothing is acknowledged

DEAF = "aún no lo recibe Csmc Comas"


def silence(desk: Desk, minutes: int, *, looked: int = 1) -> None:
    """Time passes, and the clock of the hub rings as often as it would."""
    for _ in range(looked):
        desk.net.clock.advance(timedelta(minutes=minutes / looked))
        for twin in desk.net.twins.values():
            twin.ring()
        desk.net.settle(2)


def lines(twin: Twin, words: str) -> list[Said]:
    twin.post()
    return [said for said in twin.said if words in said.body]


def test_x12_words_that_nobody_acknowledges_are_told_where_they_were_said_once(desk: Desk) -> None:
    code, _ = desk.accepted()
    desk.net.spoil = lambda parcel: []
    assert "Enviado a Csmc Comas" in desk.ana("decir: la cita es mañana a las 9")
    silence(desk, 14)
    assert not lines(desk.cem, DEAF)
    silence(desk, 2)
    (line,) = lines(desk.cem, DEAF)
    assert (code in line.body, "sin acuse desde hace 16 minutos" in line.body, "si urge, llame" in line.body) == (True, True, True)
    assert line.thread == desk.card
    assert line.ring == (desk.cem.person("ana"),)
    said = desk.ana("decir: la cita cambió a las 10")
    assert "Enviado a Csmc Comas" in said
    assert "no da acuse de lo anterior" in said, "what is said into a silence that is known says so at once"
    silence(desk, 14 * 60, looked=40)
    assert len(lines(desk.cem, DEAF)) == 1, "once a silence"


def test_x12_a_silence_that_ended_and_a_new_one_are_two(desk: Desk) -> None:
    desk.accepted()
    desk.net.spoil = lambda parcel: []
    desk.ana("decir uno")
    silence(desk, 16)
    desk.net.spoil = lambda parcel: [parcel]
    silence(desk, 31)
    assert "acuse" not in desk.ana("decir dos")
    desk.net.settle()
    desk.net.spoil = lambda parcel: []
    desk.ana("decir tres")
    silence(desk, 32, looked=4)
    assert len(lines(desk.cem, DEAF)) == 2


def test_x12_the_recipient_is_told_that_its_acceptance_was_not_heard_and_a_withdrawal_too(desk: Desk) -> None:
    desk.consents()
    code, offer = desk.refers()
    desk.net.spoil = lambda parcel: []
    desk.bea("aceptar", thread=offer.event)
    silence(desk, 16)
    (line,) = lines(desk.csmc, "aún no lo recibe Cem Lima")
    assert line.thread == offer.event
    assert line.ring == (desk.csmc.person("bea"),)
    assert code in line.body


def test_x12_a_whole_withdrawal_ends_the_reminders_of_a_referral_but_not_this_one(desk: Desk) -> None:
    desk.accepted()
    desk.net.spoil = lambda parcel: []
    desk.ana(pick(desk.ana(f"retirar {desk.code}"), "retirar"))
    silence(desk, 16)
    assert len(lines(desk.cem, DEAF)) == 1


def test_x12_what_is_said_while_another_waits_is_told_in_its_own_time(desk: Desk) -> None:
    """One clock a link, and a quarter of an hour for each referral's own words."""
    desk.accepted()
    other, thread = second(desk)
    preview = desk.cem.type("ana", "derivar a csmc-comas por salud mental", thread=thread)
    desk.cem.type("ana", pick(preview, "enviar"), thread=thread)
    desk.net.settle()
    desk.net.spoil = lambda parcel: []
    desk.ana("decir: uno")
    silence(desk, 10)
    desk.cem.type("ana", pick(desk.cem.type("ana", f"retirar {other}", thread=thread), "retirar"), thread=thread)
    silence(desk, 6)
    assert [line.thread for line in lines(desk.cem, DEAF)] == [desk.card]
    silence(desk, 10)
    assert [line.thread for line in lines(desk.cem, DEAF)] == [desk.card, thread]
    assert desk.cem.run(lambda unit: unit.timers.count(kind="unheard", done_at=None)) == 1


def test_x12_what_is_acknowledged_is_told_to_nobody(desk: Desk) -> None:
    desk.accepted()
    assert "acuse" not in desk.ana("decir hola")
    desk.net.settle()
    silence(desk, 60, looked=4)
    assert not lines(desk.cem, "aún no lo recibe") + lines(desk.csmc, "aún no lo recibe")
    assert desk.cem.run(lambda unit: unit.timers.count(kind="unheard", done_at=None)) == 0, "and no clock runs on"
