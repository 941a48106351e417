"""The language guard in a coordination room: our own people are advised, alone; a message goes only where the owner's room is set so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.actions.guard import set_mode
from hub.actions.ports import Unit
from hub.chat.desk import hear
from hub.chat.heard import Heard
from hub.testing import Twin
from tests.actions.road import CSMC, HOGAR
from tests.coordination.bench import LUZ, Meeting, meeting

BOTH = (CSMC, HOGAR)
DNI = "45600089"


@pytest.fixture
def m() -> Meeting:
    return meeting(opened_with=BOTH)


def said_in(m: Meeting, twin: Twin, words: str, by: str = "ana") -> None:
    """Somebody of this institution writes in the room, and every hub in it hears it."""
    for each in (m.cem, m.csmc, m.hogar):
        each.in_room(m.room().id, twin.person(by), words)


def advice(m: Meeting) -> list[tuple[str, str]]:
    """Everything that any hub said because of it: where, and what."""
    said = [one for twin in (m.cem, m.csmc, m.hogar) for one in twin.said]
    return [(one.room, one.body) for one in said if "Solo para usted" in one.body or "Retiré de" in one.body]


def test_whoever_wrote_it_is_advised_alone_by_her_own_hub_and_by_class(m: Meeting) -> None:
    said_in(m, m.csmc, f"su dni es {DNI} y llegó un travelo")
    ((room, body),) = advice(m)
    assert room == f"!csmc-comas.direct:{m.csmc.person('ana')}"
    assert "Solo para usted: en la sala de coordinación escribió un número de DNI, una palabra que hiere o estigmatiza." in body
    assert "No todas las instituciones presentes pueden saberlo. Nombre el caso por su código." in body
    assert DNI not in body
    assert "travelo" not in body
    said_in(m, m.csmc, f"otra vez: {DNI}")
    assert len(advice(m)) == 1, "of the same she is not told again for a while"


def test_what_everybody_present_may_see_is_no_news_and_what_one_may_not_is(m: Meeting) -> None:
    said_in(m, m.cem, f"{LUZ['social_name']} viene el martes")
    assert advice(m) == []
    said_in(m, m.cem, f"{LUZ['legal_name']} viene el martes")
    ((room, body),) = advice(m)
    assert room == f"!cem-lima.direct:{m.cem.person('ana')}"
    assert "nombre legal" in body
    assert LUZ["legal_name"] not in body


def test_what_was_entrusted_to_a_guest_it_does_not_spread(m: Meeting) -> None:
    """The guest's hub judges by what it holds: the telephone came to it alone."""
    said_in(m, m.csmc, f"la llamé al {LUZ['phone']}")
    ((room, body),) = advice(m)
    assert room == f"!csmc-comas.direct:{m.csmc.person('ana')}"
    assert LUZ["phone"] not in body


def test_where_the_room_says_so_the_owner_takes_its_own_peoples_message_out(m: Meeting) -> None:
    for twin in (m.cem, m.csmc):
        twin.run(set_mode, "admin", "coordination", "redact")
    said_in(m, m.cem, f"su dni es {DNI}")
    ((room, body),) = advice(m)
    assert room == f"!cem-lima.direct:{m.cem.person('ana')}"
    assert "Retiré de la sala de coordinación su mensaje: tenía un número de DNI." in body
    assert len(m.cem.taken_out) == 1
    said_in(m, m.csmc, "su dni es 45600090")
    assert (len(m.csmc.taken_out), len(m.cem.taken_out)) == (0, 1), "a guest's hub has no power there, and nobody takes out another's words"
    assert "Solo para usted" in advice(m)[-1][1]


@pytest.mark.parametrize("words", [f"> su dni es {DNI}", f"\n> {LUZ['legal_name']}\nasí dice su ficha", "a " * 10_001 + DNI])
def test_no_form_of_a_message_hides_its_words(m: Meeting, words: str) -> None:
    m.cem.run(set_mode, "admin", "coordination", "redact")
    said_in(m, m.cem, words)
    assert len(m.cem.taken_out) == 1


def test_an_edit_in_the_room_is_read_and_is_no_command(m: Meeting) -> None:
    m.cem.run(set_mode, "admin", "coordination", "redact")
    content = {"msgtype": "m.text", "body": "* x", "m.new_content": {"msgtype": "m.text", "body": f"!tk ayuda su dni es {DNI}"}}
    edit = Heard(room=f"!{m.room().id}", event="$edit", sender=m.cem.person("ana"), content=content, edits="$old")
    assert not m.cem.run(lambda unit: hear(unit, edit, m.cem.user))
    m.cem.post()
    assert len(m.cem.taken_out) == 1


def test_an_emergency_is_never_taken_out(m: Meeting) -> None:
    m.cem.run(set_mode, "admin", "coordination", "redact")
    said_in(m, m.cem, f"la está golpeando ahora, su dni es {DNI}, corran")
    assert m.cem.taken_out == []
    assert "Solo para usted" in advice(m)[-1][1]


def test_it_is_silent_where_it_is_off_and_for_whoever_is_not_ours(m: Meeting) -> None:
    m.csmc.run(set_mode, "admin", "coordination", "off")
    said_in(m, m.csmc, f"su dni es {DNI}")
    assert advice(m) == [], "her own hub is silent, and no other speaks to her"
    for twin in (m.cem, m.csmc, m.hogar):
        twin.in_room(m.room().id, "@nadie:otra.example", f"su dni es {DNI}")
    assert advice(m) == []


def test_nothing_of_what_was_said_is_kept(m: Meeting) -> None:
    m.cem.run(set_mode, "admin", "coordination", "redact")
    said_in(m, m.cem, f"{LUZ['legal_name']}, dni {DNI}, un travelo, cel 900 111 222")
    said_in(m, m.csmc, f"dni {DNI}, un travelo, cel 900 111 222")

    def rows(unit: Unit) -> str:
        tables = (unit.posts, unit.questions, unit.advice, unit.guard_counts, unit.log, unit.timers, unit.outbox, unit.handled, unit.coordinations)
        return "\n".join(repr(row) for one in tables for row in one.all())

    for twin in (m.cem, m.csmc, m.hogar):
        assert not any(word in twin.run(rows) for word in (LUZ["legal_name"], DNI, "travelo", "900 111 222"))
    counts = m.cem.run(lambda unit: {row.id: row.seen for row in unit.guard_counts.all()})
    assert counts == {"known": 1, "dni": 1, "stigma": 1, "phone": 1}


def test_a_room_that_is_closed_is_not_overheard(m: Meeting) -> None:
    room = m.room()
    m.cem.run(lambda unit: unit.coordinations.put(replace(room, state="closed")))
    m.cem.in_room(room.id, m.cem.person("ana"), f"su dni es {DNI}")
    assert advice(m) == []
