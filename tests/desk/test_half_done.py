"""What was begun and left for something else is told, and how to take it up again; its numbers act on nothing (X34, R51)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.actions.ports import Unit
from tests.desk.test_numbers import consents, numbers
from tests.desk.test_words import ONE_LINE, Desk, code_in, pick


def dialogues(desk: Desk) -> set[str]:
    return {row.kind for row in desk.cem.run(lambda unit: unit.dialogues.all())}


@pytest.mark.parametrize("room", ["desk", "direct"])
def test_what_is_left_half_done_is_named_with_the_way_back_and_nothing_of_hers(desk: Desk, room: str) -> None:
    desk.ana("!tk abrir", thread=False, room=room)
    desk.ana("Mar Inventada", thread=False, room=room)
    said = desk.ana(f"!tk consentimiento {desk.code}", thread=False, room=room)
    assert "Quedó a medias: abrir un caso; no se guardó nada" in said
    assert "le explicó" in said.lower()
    assert "Mar" not in said
    again = desk.ana("!tk abrir", thread=False, room=room)
    assert f"Quedó a medias: consentimiento de {desk.code}" in again
    assert f"«!tk consentimiento {desk.code}»" in again
    assert dialogues(desk) == {"open_case"}
    assert "Quedó a medias" in desk.ana(f"!tk consentimiento {desk.code}", thread=False, room=room)
    assert "A qué instituciones" in desk.ana("sí", thread=False, room=room)


def test_x34_the_numbers_of_what_was_left_never_answer_what_came_after(desk: Desk) -> None:
    """Also those of the steps that she had answered, and several at once: in free text any of them would be taken for a name."""
    first = desk.ana(f"!tk consentimiento {desk.code}", thread=False)
    second = desk.ana("sí", thread=False)
    desk.ana("!tk abrir", thread=False)
    some, more = min(numbers(first)), sorted(numbers(second))
    for words in (str(some), str(more[0]), f"opción {more[0]}", f"{some} y {more[0]}", f"!tk {more[0]}"):
        assert f"Quedó a medias: consentimiento de {desk.code}" in desk.ana(words, thread=False), words
    assert "próximo contacto" in desk.ana("Mar Inventada", thread=False), "the name was still waited for"
    assert consents(desk) == 0
    assert "Quedó a medias" in desk.ana(str(some)), "in another thread too"


def test_x34_the_numbers_of_another_open_question_are_no_name(desk: Desk) -> None:
    asked = desk.ana("consentimiento")
    asked = desk.ana(pick(asked, "Sí"))
    desk.ana("!tk abrir", thread=False)
    said = desk.ana(", ".join(map(str, [*numbers(asked), *numbers(asked)])), thread=False)
    assert desk.code in said
    assert "No hice nada" in said
    assert "próximo contacto" in desk.ana("Mar Inventada", thread=False)
    assert "Para qué" in desk.ana(pick(asked, "Csmc Comas"))


def test_a_dialogue_in_another_thread_goes_on(desk: Desk) -> None:
    step = desk.ana("consentimiento")
    said = desk.ana("!tk abrir", thread=False)
    assert "Quedó a medias" not in said
    assert dialogues(desk) == {"consent", "open_case"}
    assert "próximo contacto" in desk.ana("Mar Inventada", thread=False)
    assert "A qué instituciones" in desk.ana("sí")
    assert "Quedó a medias" not in desk.ana(str(min(numbers(step))))
    assert "Listo" in [desk.ana(words, thread=False) for words in ("mañana a las 12", *["saltar"] * 6)][-1]


def test_what_is_said_in_one_line_ends_nothing(desk: Desk) -> None:
    desk.ana(f"!tk consentimiento {desk.code}", thread=False)
    opened = desk.ana("!tk abrir Mar Inventada, mañana a las 10", thread=False)
    assert "Quedó a medias" not in opened
    desk.ana(f"!tk consentimiento {code_in(opened, 'C')} {ONE_LINE}", thread=False)
    assert "A qué instituciones" in desk.ana("sí", thread=False)


def test_what_is_begun_again_is_not_called_half_done(desk: Desk) -> None:
    old = desk.ana("consentimiento")
    new = desk.ana("consentimiento")
    assert "Quedó a medias" not in new
    assert "Quedó a medias" in desk.ana(pick(old, "Sí"))
    assert "A qué instituciones" in desk.ana(pick(new, "Sí"))


def test_a_number_of_an_earlier_step_is_told_every_time(desk: Desk) -> None:
    first = desk.ana("consentimiento")
    desk.ana(pick(first, "Sí"))
    for _ in range(2):
        assert "No conozco" in desk.ana(pick(first, "Sí"))


def test_a_number_typed_twice_is_no_answer_of_what_was_begun_in_between(desk: Desk) -> None:
    number = pick(desk.ana(f"!tk control {desk.code}", thread=False), ".*")
    desk.ana(number, thread=False)
    desk.ana("!tk abrir", thread=False)
    assert "Cómo quiere que la llamen" in desk.ana(number, thread=False)
    assert dialogues(desk) == {"open_case"}
    assert "próximo contacto" in desk.ana("Mar Inventada", thread=False)


MINUTES = timedelta(minutes=1)


def rings_late(desk: Desk) -> str:
    """A dialogue of which the first numbers have rested out, still waiting for its fields; and a check-in that rings with those numbers."""
    due = desk.cem.run(lambda unit: unit.checkins.all()[0].due_at)
    desk.net.clock.advance(due - desk.net.clock.now() - 59 * MINUTES)
    desk.ana(f"!tk consentimiento {desk.code}", thread=False)
    for words in ("sí", "csmc-comas", "salud mental", "telefno", "telefno ", "telefno  "):
        desk.net.clock.advance(9 * MINUTES)
        desk.ana(words, thread=False)
    desk.net.clock.advance(due - desk.net.clock.now())
    desk.cem.ring()
    assert dialogues(desk) == {"consent"}, "it still runs"
    return desk.cem.find("toca el contacto").body


@pytest.mark.parametrize(("words", "thread"), [("{}", True), ("!tk {}", False)])
def test_x34_what_is_left_takes_no_number_back_from_a_check_in_that_rings(desk: Desk, words: str, *, thread: bool) -> None:
    ring = rings_late(desk)
    rose = pick(ring, "el riesgo subió")
    assert int(rose) < 5, "numbers of the dialogue's first steps"
    desk.ana("!tk abrir", thread=False)
    assert "Avisé a supervisión" in desk.ana(words.format(rose), thread=thread)
    taken_back = desk.cem.run(lambda unit: [q.first for q in unit.questions.all(state="left") if q.first <= 4])
    assert taken_back == []


def test_x34_a_number_of_what_was_left_that_has_an_owner_now_is_its_owners(desk: Desk) -> None:
    """It cannot come to be that both have it; were it so, the one that waits for an answer is not passed over."""
    due = desk.cem.run(lambda unit: unit.checkins.all()[0].due_at)
    desk.net.clock.advance(due - desk.net.clock.now())
    desk.cem.ring()
    rose = pick(desk.cem.find("toca el contacto").body, "el riesgo subió")
    desk.ana("!tk abrir", thread=False)

    def same_numbers(unit: Unit) -> None:
        ring = unit.questions.one(kind="checkin", state="open")
        assert ring is not None
        unit.questions.add(replace(ring, id="q_left", asked=desk.cem.person("ana"), kind="step", ref="consent", state="left"))

    desk.cem.run(same_numbers)
    assert "Avisé a supervisión" in desk.ana(f"!tk {rose}")


def test_x34_the_numbers_of_what_nobody_answered_in_time_rest_too(desk: Desk) -> None:
    """Typed late, `1` would answer what was asked in between."""
    asked = numbers(desk.ana(f"!tk consentimiento {desk.code}", thread=False))
    desk.net.clock.advance(11 * MINUTES)
    later = numbers(desk.ana(f"!tk control {desk.code}", thread=False))
    assert later
    assert not asked & later
    desk.net.clock.advance(31 * MINUTES)
    assert numbers(desk.ana("consentimiento")) == asked
