"""Step-by-step dialogues, pure: a frozen state and an answer give the next state and prompt, or the finished commands.

`start_open`/`start_consent` begin, `answer` goes on. `saltar`, `atrás`, `cancelar` and `ayuda` work at every step; a step that
is needed says so kindly. An answer that is not understood repeats the question with a sentence that says what would be.
The legal name and documents are never asked (R2, R4). Every question says why it is asked (R14).

A state holds values of a person: it is stored sealed (`records.Dialogue`) and never logged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from hub.base.i18n import mark, text
from hub.cases.commands import (
    AS_ASKED,
    Cancel,
    Command,
    OpenCase,
    RecordBasis,
    RecordConsent,
    SetField,
    TellAccount,
    When,
)
from hub.chat import verbs
from hub.chat.answers import Misunderstood, Reading, agrees, is_short, read_answer
from hub.chat.context import Context
from hub.chat.fold import fold, words
from hub.chat.person_texts import consent_notice
from hub.chat.plain import Block, Message, choices, em, message, paragraph, quote
from hub.chat.questions import ACCOUNT, BASIS, CONSENT, OPEN_CASE, Question, options_of

_SCRIPTS: Mapping[str, tuple[Question, ...]] = {"open_case": OPEN_CASE, "consent": CONSENT, "account": ACCOUNT, "basis": BASIS}
KINDS = frozenset(_SCRIPTS)


@dataclass(frozen=True, kw_only=True)
class State:
    """Where a dialogue stands. `answers` maps a question's key to what was understood, as JSON values."""

    kind: str
    step: str
    case: str | None = None
    first: int = 1
    """The number of the first choice that a prompt shows: the room's open questions never share numbers."""
    answers: Mapping[str, Any] = field(default_factory=dict)
    guess: str = ""
    """The answer that was suggested for the last one; «sí» takes it."""
    told: str = ""
    """The step at which words that were no answer were already met with what is expected: once is enough."""

    def to_json(self) -> str:
        """The state as text; `from_json` gives an equal one back."""
        return json.dumps({**vars(self), "answers": dict(self.answers)}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, raw: str) -> State:
        """The state that `to_json` wrote. Raises `ValueError` for anything else."""
        data = json.loads(raw)
        if not isinstance(data, dict) or set(data) != {"kind", "step", "case", "first", "answers", "guess", "told"}:
            raise ValueError("not a dialogue state")
        if data["kind"] not in _SCRIPTS or data["step"] not in {q.key for q in _SCRIPTS[data["kind"]]}:
            raise ValueError("unknown dialogue step")
        return cls(**data)


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One question as it is shown. `notice` comes first: what was understood before, or why the answer was not."""

    question: str
    why: str = ""
    hint: str = ""
    notice: str = ""
    read_aloud: tuple[str, ...] = ()
    options: tuple[tuple[int, str], ...] = ()

    def message(self) -> Message:
        """The prompt as one short message."""
        blocks: list[Block] = [paragraph(self.notice)] if self.notice else []
        blocks += [quote("\n".join(self.read_aloud))] if self.read_aloud else []
        blocks.append(paragraph([self.question, " ", em(self.why)] if self.why else self.question))
        blocks += [choices(self.options)] if self.options else []
        blocks += [paragraph(em(self.hint))] if self.hint else []
        return message(*blocks)

    def in_short(self, notice: str) -> Prompt:
        """Only the question and its numbers."""
        return Prompt(notice=notice, question=self.question, options=self.options)

    def counted_from(self, first: int) -> Prompt:
        """The same with its choices numbered from `first`."""
        return replace(self, options=tuple((first + place, label) for place, (_, label) in enumerate(self.options)))


@dataclass(frozen=True, kw_only=True)
class Done:
    """The dialogue is over: what to carry out, in order. `SetField.case is None` means the case just opened."""

    commands: tuple[Command, ...]


Turn = tuple[State, Prompt] | Done


def start_open(context: Context, command: OpenCase | None = None, *, first: int = 1) -> Turn:
    """Begin opening a case; what `command` already holds is not asked. Name and next date first, all else can be skipped."""
    answers: dict[str, Any] = {}
    if command is not None and command.name:
        answers["name"] = command.name
    if command is not None and command.next_contact is not None:
        answers["next"] = _kept_when(command.next_contact)
    if len(answers) == 2:  # one line said both: open at once, the rest can be noted later
        return Done(commands=_finish("open_case", None, answers))
    return _go_on(State(kind="open_case", step=OPEN_CASE[0].key, first=first, answers=answers), context)


def start_consent(context: Context, command: RecordConsent, *, first: int = 1) -> Turn:
    """Begin recording a consent; what `command` already holds is not asked. Done at once when it holds everything."""
    answers: dict[str, Any] = {
        key: list(given)
        for key, given in (("recipients", command.recipients), ("purposes", command.purposes), ("fields", command.fields))
        if given
    }
    answers |= {"mode": command.mode} if command.mode else {}
    answers |= {"explained": True} if command.explained else {}
    answers |= {"until": _kept_when(command.until)} if command.until is not None else {}
    return _go_on(State(kind="consent", step=CONSENT[0].key, case=command.case, first=first, answers=answers), context)


def start_account(context: Context, command: TellAccount, *, first: int = 1) -> Turn:
    """Begin to keep what she told: who told it, how, in which language, and last her words."""
    answers = {"words": command.words} if command.words else {}
    return _go_on(State(kind="account", step=ACCOUNT[0].key, case=command.case, first=first, answers=answers), context)


def start_basis(context: Context, command: RecordBasis, *, first: int = 1) -> Turn:
    """Begin to record a legal basis; what `command` already holds is not asked. Until when is never asked: there is a usual time."""
    answers: dict[str, Any] = {"recipients": list(command.recipients)} if command.recipients else {}
    answers |= {key: given for key, given in (("basis", command.basis), ("why", command.why)) if given}
    answers |= {"until": _kept_when(command.until)} if command.until is not None else {}
    return _go_on(State(kind="basis", step=BASIS[0].key, case=command.case, first=first, answers=answers), context)


def answer(state: State, said: str, context: Context) -> Turn:
    """The next turn after `said`. Never raises; a state whose vocabulary has changed asks again."""
    question = _question(state)
    word = _word(said)
    if word == "cancel":
        return Done(commands=(Cancel(),))
    if word in ("back", "undo"):
        return _back(state, context)
    if word == "help":
        return state, prompt(state, context)
    if word == "skip":
        return _skip(state, question, context)
    understood = _read(state, said, context)
    if isinstance(understood, Misunderstood):
        again = replace(state, guess=understood.guess)
        return again, prompt(again, context, notice=understood.sentence)
    following = state.first + len(options_of(question, context))  # a number that arrives twice must not answer the next question too
    kept = replace(state, first=following, guess="", answers={**state.answers, question.key: understood.value})
    return _go_on(kept, context, notice=understood.echo)


def remind(state: State, context: Context) -> tuple[State, Prompt]:
    """Words that were no answer are met with what is expected; it is remembered that they were."""
    notice = text(context.language, "No lo tomé como respuesta. Si sigue con esto, espero:")
    return replace(state, guess="", told=state.step), prompt(state, context, notice=notice)


_PLAIN = ("si", "yes", "si le explique", "explicado", "todavia no", "not yet")


def is_for(state: State, said: str, context: Context) -> bool:
    """Whether words that nobody addressed to us outright are an answer, or a slip in one, rather than chatter; free text is always one.

    That she understood is taken from a plain yes only, never from an "ok" (P03).
    """
    question = _question(state)
    if question.reads in ("name", "text") or _word(said) is not None:
        return True
    if question.reads == "yes":
        return fold(said) in _PLAIN
    understood = _read(state, said, context)
    return not isinstance(understood, Misunderstood) or understood.near


_TALK = re.compile(r"(?:hola|hello|hi|buen[oa]s|(?:muchas )?gracias|thanks|voy|vamos|te|nos|oye|oigan|mira|ahorita vuelvo|ja(?:ja)*j?|je(?:je)+)\b")


def may_be_meant(said: str) -> bool:
    """Whether words that are no answer may have been meant for one: few, no question, and not what plainly begins talk with a colleague."""
    return is_short(said) and "\n" not in said and not _TALK.match(fold(said))


def _read(state: State, said: str, context: Context) -> Reading:
    question = _question(state)
    told = state.answers
    holds = context.as_asked(told.get("recipients") or (), told.get("purposes") or ()) if question.reads == "fields" else None
    return read_answer(question, _agreed(state, said), context, state.first, holds)


def _agreed(state: State, said: str) -> str:
    return state.guess if state.guess and agrees(said) else said


def prompt(state: State, context: Context, notice: str = "") -> Prompt:
    """The question of this state, as it is shown (again)."""
    question, language = _question(state), context.language
    shown = options_of(question, context)
    return Prompt(
        notice=notice,
        question=text(language, question.asks),
        why=text(language, question.why) if question.why else "",
        hint=_hint(question, language, first=not _before(state, context)),
        read_aloud=consent_notice(language) if question.key == "explained" and not notice else (),
        options=tuple((state.first + n, label) for n, (_, label) in enumerate(shown)),
    )


_WAYS_OUT = {
    (True, False): mark("Puede escribir: saltar, atrás o cancelar."),
    (False, False): mark("Puede escribir: atrás o cancelar."),
    (True, True): mark("Puede escribir: saltar o cancelar."),
    (False, True): mark("Puede escribir: cancelar."),
}
"""By (may be skipped, is the first)."""


def _hint(question: Question, language: str, *, first: bool) -> str:
    way_out = text(language, _WAYS_OUT[question.optional, first])
    return " ".join(filter(None, (text(language, question.hint) if question.hint else "", way_out)))


def _question(state: State) -> Question:
    return next(q for q in _SCRIPTS[state.kind] if q.key == state.step)


def _word(said: str) -> str | None:
    """`cancel`, `back`, `skip` or `help` when the whole answer is one of their forms."""
    found = words(said)
    matched = verbs.match_verb(found) if len(found) <= 4 and "\n" not in said.strip() else None
    if matched is None or matched[1] != len(found):
        return None
    return matched[0].key if matched[0].key in ("cancel", "back", "skip", "help") and not _greeting(said) else None


def _greeting(said: str) -> bool:
    return fold(said) in ("hola", "hello")


def _go_on(state: State, context: Context, notice: str = "") -> Turn:
    """To the first question without an answer that this vocabulary knows, or to the end."""
    for question in _SCRIPTS[state.kind]:
        if question.key not in state.answers and _applies(question, context):
            onward = replace(state, step=question.key)
            return onward, prompt(onward, context, notice)
    return Done(commands=_finish(state.kind, state.case, state.answers))


def _applies(question: Question, context: Context) -> bool:
    return question.field is None or not context.fields or question.field in context.fields


def _back(state: State, context: Context) -> Turn:
    """To the question before this one; its answer is forgotten and asked again."""
    before = _before(state, context)
    if not before:
        return state, prompt(state, context, notice=text(context.language, "Es la primera pregunta."))
    earlier = replace(state, step=before[-1], guess="", answers={k: v for k, v in state.answers.items() if k != before[-1]})
    return earlier, prompt(earlier, context)


def _before(state: State, context: Context) -> list[str]:
    """The questions before this one, by key."""
    keys = [q.key for q in _SCRIPTS[state.kind] if _applies(q, context)]
    return keys[: keys.index(state.step)] if state.step in keys else []


def _skip(state: State, question: Question, context: Context) -> Turn:
    if not question.optional:
        sentence = text(context.language, "Este dato sí hace falta para seguir. Si prefiere dejarlo, escriba «cancelar».")
        return state, prompt(state, context, notice=sentence)
    return _go_on(replace(state, guess="", answers={**state.answers, question.key: None}), context)


# --- the end: answers → commands


def _kept_when(when: When) -> dict[str, str]:
    return {"at": when.at.isoformat(), "echo": when.echo}


def _when(kept: Mapping[str, str]) -> When:
    return When(at=datetime.fromisoformat(kept["at"]), echo=kept["echo"])


def _finish(kind: str, case: str | None, answers: Mapping[str, Any]) -> tuple[Command, ...]:
    if kind == "consent":
        fields = tuple(answers["fields"])
        return (
            RecordConsent(
                case=case,
                recipients=tuple(answers["recipients"]),
                purposes=tuple(answers["purposes"]),
                fields=AS_ASKED if fields == AS_ASKED else fields,
                until=_when(answers["until"]),
                mode=answers["mode"],
                explained=answers["explained"],
            ),
        )
    if kind == "basis":
        until = _when(answers["until"]) if "until" in answers else None
        recipients = tuple(answers["recipients"])
        return (RecordBasis(case=case, basis=str(answers["basis"]), recipients=recipients, why=str(answers["why"]), until=until),)
    if kind == "account":
        told = {key: str(answers[key]) for key in ("teller", "language", "words")}
        return (TellAccount(case=case, mode=str(answers["how"]), **told),)
    noted = (SetField(case=None, field=q.field, value=answers[q.key]) for q in OPEN_CASE if q.field and answers.get(q.key))
    return (OpenCase(name=answers["name"], next_contact=_when(answers["next"])), *noted)
