"""Dialogues: each step, the ways out, what is never asked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cases import commands as c
from hub.chat import dialogue as d
from hub.chat.person_texts import consent_notice
from hub.chat.questions import CONSENT, OPEN_CASE
from tests.chat.conftest import CASE, CONTEXT, ENGLISH


def play(turn: d.Turn, *answers: str) -> d.Turn:
    for said in answers:
        assert not isinstance(turn, d.Done), said
        state, prompt = turn
        assert d.State.from_json(state.to_json()) == state
        assert prompt.message().body
        turn = d.answer(state, counted(state, said), CONTEXT)
    return turn


def counted(state: d.State, said: str) -> str:
    """`2` is here the second option of the question, whatever its number."""
    if not re.fullmatch(r"[0-9, y]+", said):
        return said
    return re.sub(r"[0-9]+", lambda number: str(int(number[0]) + state.first - 1), said)


def test_a_number_that_arrives_twice_does_not_answer_the_next_question() -> None:
    """On a bad network `1` goes twice: the second one may not choose who receives her data."""
    state, _ = at(d.start_consent(CONTEXT, c.RecordConsent(case=CASE)))
    following, _ = at(d.answer(state, "1", CONTEXT))
    again, prompt = at(d.answer(following, "1", CONTEXT))
    assert (following.step, again.answers) == ("recipients", following.answers)
    assert prompt.notice


def at(turn: d.Turn) -> tuple[d.State, d.Prompt]:
    assert not isinstance(turn, d.Done)
    return turn


def done(turn: d.Turn) -> tuple[c.Command, ...]:
    assert isinstance(turn, d.Done)
    return turn.commands


def test_a_case_with_a_name_and_a_date_only() -> None:
    commands = done(play(d.start_open(CONTEXT), "Luz", "el lunes a las 10", *["saltar"] * 6))
    assert len(commands) == 1
    assert isinstance(commands[0], c.OpenCase)
    assert commands[0].name == "Luz"
    assert commands[0].next_contact is not None
    assert commands[0].next_contact.echo == "lun 23 nov 10:00 (Lima)"


def test_a_case_with_everything() -> None:
    answers = ("Luz", "mañana", "solo de mañana,\npor mensaje", "3", "1, 2", "quechua y español", "rampa", "policia")
    commands = done(play(d.start_open(CONTEXT), *answers))
    noted = {x.field: x.value for x in commands[1:] if isinstance(x, c.SetField) and x.case is None}
    assert noted == {
        "safe_contact": "solo de mañana,\npor mensaje",
        "risk_level": "high",
        "needs": "mental_health,shelter",
        "languages": "qu,es",
        "accessibility": "rampa",
        "aggressor_affiliation": "police",
    }


def test_what_one_line_said_is_not_asked() -> None:
    when = CONTEXT.when("el lunes a las 10")
    assert isinstance(when, c.When)
    assert at(d.start_open(CONTEXT, c.OpenCase(name="Luz")))[0].step == "next"
    assert done(d.start_open(CONTEXT, c.OpenCase(name="Luz", next_contact=when))) == (c.OpenCase(name="Luz", next_contact=when),)


def test_a_full_consent() -> None:
    turn = play(
        d.start_consent(CONTEXT, c.RecordConsent(case=CASE)),
        "sí",
        "1 y 3",
        "salud mental, refugio",
        "teléfono, relato",
        "3 meses",
        "verbal",
    )
    (command,) = done(turn)
    assert isinstance(command, c.RecordConsent)
    assert (command.case, command.recipients, command.purposes) == (CASE, ("csmc-comas", "defensa"), ("mental_health", "shelter"))
    assert (command.fields, command.mode, command.explained) == (("phone", "account"), "oral", True)


def test_what_the_protocol_asks() -> None:
    turn = play(d.start_consent(CONTEXT, c.RecordConsent(case=CASE)), "1", "csmc-comas", "1", "1", "un año", "1")
    (command,) = done(turn)
    assert isinstance(command, c.RecordConsent)
    assert command.fields == c.AS_ASKED


def test_a_consent_that_was_complete_asks_nothing() -> None:
    until = CONTEXT.until("3 meses")
    assert isinstance(until, c.When)
    whole = c.RecordConsent(
        case=CASE, recipients=("cem-lima",), purposes=("shelter",), fields=("phone",), until=until, mode="oral", explained=True
    )
    assert done(d.start_consent(CONTEXT, whole)) == (whole,)
    assert at(d.start_consent(CONTEXT, replace(whole, explained=False)))[0].step == "explained"
    assert at(d.start_consent(CONTEXT, replace(whole, until=None)))[0].step == "until"


def test_without_an_explanation_there_is_no_consent() -> None:
    state, prompt = at(d.start_consent(CONTEXT, c.RecordConsent(case=CASE)))
    assert prompt.read_aloud == consent_notice("es")
    for said in ("no", "2", "todavía no", "quizás"):
        again, told = at(d.answer(state, said, CONTEXT))
        assert replace(again, guess="") == state
        assert told.notice


WAYS = [(kind, q.key) for kind, script in (("open_case", OPEN_CASE), ("consent", CONSENT)) for q in script]


@pytest.mark.parametrize(("kind", "step"), WAYS)
def test_the_ways_out_work_at_every_step(kind: str, step: str) -> None:
    state = d.State(kind=kind, step=step, case=CASE)
    for said in ("cancelar", "Cancelar.", "cancel", "mejor no"):
        assert d.answer(state, said, CONTEXT) == d.Done(commands=(c.Cancel(),))
    question = next(q for script in (OPEN_CASE, CONSENT) for q in script if q.key == step)
    skipped, prompt = at(d.answer(state, "saltar", CONTEXT)) if not _last(kind, step) else (state, d.prompt(state, CONTEXT, "x"))
    assert (skipped.answers.get(step, "") is None) == (question.optional and not _last(kind, step))
    assert question.optional or prompt.notice
    assert at(d.answer(state, "ayuda", CONTEXT))[0] == state


def _last(kind: str, step: str) -> bool:
    return (kind, step) == ("open_case", "affiliation")


def test_back_asks_the_question_before_again() -> None:
    state, _ = at(play(d.start_open(CONTEXT), "Luz", "mañana", "saltar", "atrás"))
    assert state.step == "safe_contact"
    state, _ = at(play((state, d.prompt(state, CONTEXT)), "atrás", "volver"))
    assert (state.step, state.answers) == ("name", {})
    same, prompt = at(d.answer(state, "atrás", CONTEXT))
    assert same == state
    assert prompt.notice == "Es la primera pregunta."


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("name", "no sabe"),
        ("name", "x" * 81),
        ("name", "…"),
        ("next", "ayer"),
        ("next", "1/1/2020"),
        ("next", "en 40 años"),
        ("risk", "muchísimo"),
        ("risk", "1, 2"),
        ("risk", "9"),
        ("needs", "salud mental, bailar"),
        ("affiliation", "polisia nacional"),
        ("languages", ""),
    ],
)
def test_an_answer_that_is_not_understood_is_asked_again(step: str, said: str) -> None:
    state = d.State(kind="open_case", step=step)
    again, prompt = at(d.answer(state, said, CONTEXT))
    assert replace(again, guess="") == state
    assert prompt.notice.endswith((".", "?"))


def test_an_inexact_institution_is_never_guessed() -> None:
    state = d.State(kind="consent", step="recipients", case=CASE)
    again, prompt = at(d.answer(state, "csmc coma", CONTEXT))
    assert replace(again, guess="") == state
    assert "CSMC Comas" in prompt.notice


def test_numbers_begin_where_the_room_says() -> None:
    state, prompt = at(d.start_consent(CONTEXT, c.RecordConsent(case=CASE), first=40))
    assert [n for n, _ in prompt.options] == [40, 41]
    assert at(d.answer(state, "40", CONTEXT))[0].step == "recipients"
    assert replace(at(d.answer(state, "1", CONTEXT))[0], guess="") == state


def test_every_question_says_why_in_both_languages() -> None:
    for kind, step in WAYS:
        spanish, english = (d.prompt(d.State(kind=kind, step=step), context) for context in (CONTEXT, ENGLISH))
        assert spanish.why
        assert english.why
        assert spanish.question != english.question


def test_r2_r4_legal_name_and_documents_are_never_asked() -> None:
    for question in (*OPEN_CASE, *CONSENT):
        assert question.field not in ("legal_name", "document_type", "document_number")
        assert not re.search(r"DNI|documento|carné|pasaporte|apellido", question.asks, re.IGNORECASE)
    assert not [q.key for q in OPEN_CASE if not q.optional and q.key not in ("name", "next")]


def test_a_field_that_the_vocabulary_lacks_is_not_asked() -> None:
    without = replace(CONTEXT, fields={k: v for k, v in CONTEXT.fields.items() if k != "safe_contact"})
    state, _ = at(d.start_open(without, c.OpenCase(name="Luz")))
    assert at(d.answer(state, "mañana", without))[0].step == "risk"


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "[]",
        "{}",
        '{"kind":"x","step":"name","case":null,"first":1,"answers":{},"guess":"","told":""}',
        '{"kind":"open_case","step":"x","case":null,"first":1,"answers":{},"guess":"","told":""}',
        '{"kind":"open_case","step":"name","case":null,"first":1,"answers":{}}',
    ],
)
def test_a_foreign_state_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        d.State.from_json(raw)


@given(
    st.sampled_from(WAYS),
    st.text() | st.sampled_from(["1", "2", "1,2", "saltar", "atrás", "mañana", "3 meses", "lo necesario", "csmc-comas"]),
)
def test_any_answer_gives_a_turn(way: tuple[str, str], said: str) -> None:
    turn = d.answer(d.State(kind=way[0], step=way[1], case=CASE, answers=_answers(way)), said, CONTEXT)
    if not isinstance(turn, d.Done):
        assert d.State.from_json(turn[0].to_json()) == turn[0]
        assert turn[1].message().body


def _answers(way: tuple[str, str]) -> dict[str, object]:
    when = {"at": "2026-11-23T15:00:00+00:00", "echo": "lun 23 nov 10:00 (Lima)"}
    full: dict[str, object] = {
        "name": "Luz",
        "next": when,
        "explained": True,
        "recipients": ["cem-lima"],
        "purposes": ["shelter"],
        "fields": ["phone"],
        "until": when,
        "mode": "oral",
    }
    return {k: v for k, v in full.items() if k != way[1]}
