"""Running dialogues: kept sealed between messages, one for each person in each thread (or the room itself), gone after a while or with `cancelar`.

What is said in a thread is for the dialogue of that thread. A new one takes the place only of one that stood in the same thread, says so, and how
to take it up again; the numbers of what was left answer nothing any more, and say the same.

A step with numbered choices stands among the open questions of the room like every other: its numbers are nobody else's while it is open,
and rest once it was answered. Whether a card came first or the dialogue, a number means one thing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hub.actions.common import forget_reminders, remind
from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.base.ids import new_id
from hub.cases.commands import Back, Cancel, Choose, Command, Skip, Unclear
from hub.cases.records import Dialogue
from hub.chat import dialogue, grammar
from hub.chat.context import Context
from hub.chat.here import Here
from hub.chat.plain import message, paragraph
from hub.chat.posting import NUMBER_REST, Place, ask, close_questions, find_question, numbers_are_its_own, put

LIFE = timedelta(minutes=10)
"""Short on purpose: a forgotten dialogue must not take a colleague's chatter for an answer."""
STEP = "step"
"""The kind of question that a numbered step of a dialogue is; its `ref` is the dialogue."""
_PLACE = "dialogues|sealed"


def running(unit: Unit, here: Here) -> Dialogue | None:
    """The dialogue this person is in, here, in this thread."""
    return next((d for d in _hers(unit, here) if d.expires_at > unit.now and d.thread == here.place.thread), None)


def is_answer(said: str, context: Context) -> bool:
    """Whether addressed words go on with the dialogue rather than begin something else: no verb of ours, or one of its own words."""
    return isinstance(grammar.parse(said, context), Unclear | Choose | Skip | Back | Cancel)


def takes(unit: Unit, here: Here, row: Dialogue, said: str) -> bool:
    """Whether words that nobody addressed to us outright are an answer of the dialogue, rather than chatter among colleagues."""
    return dialogue.is_for(_state(unit, row), said, here.context)


def expect(unit: Unit, here: Here, said: str) -> None:
    """Words that were no answer are not tried as one. What is expected is said, once at each step in full and then, to what may have been meant
    for an answer, in short; what was suggested before is over.
    """
    row = running(unit, here)
    if row is None:
        return
    before = _state(unit, row)
    state, prompt = dialogue.remind(before, here.context)
    unit.dialogues.put(_kept(unit, row, state))
    if before.told != before.step:
        put(unit, here.place, prompt.message())
    elif dialogue.may_be_meant(said):
        put(unit, here.place, prompt.in_short(text(here.lang, "Sigo esperando:")).message())


def begin(unit: Unit, here: Here, turn: dialogue.Turn, case: str | None = None) -> tuple[Command, ...]:
    """Start a dialogue, in place of the one that stood here; or finish at once, which ends nothing. Returns what to carry out when it is done."""
    if isinstance(turn, dialogue.Done):
        return turn.commands
    left = _leave(unit, here, turn[0].kind, case)
    row = Dialogue(
        id=new_id("dlg"), room=here.room, user=here.person.id, thread=here.place.thread, case=case, kind=turn[0].kind,
        sealed=b"", expires_at=unit.now + LIFE,
    )  # fmt: skip
    state, prompt = _numbered(unit, here, row, *turn)
    unit.dialogues.add(_kept(unit, row, state))
    remind(unit, "dialogue", row.id, row.expires_at)
    put(unit, here.place, replace(prompt, notice=" ".join(filter(None, (left, prompt.notice)))).message())
    return ()


LEFT = "left"
"""The state of a question whose dialogue was left half done: its `ref` is the kind of that dialogue."""
_LEFT = {
    "consent": mark("Quedó a medias: consentimiento de {code}; no se guardó nada. Para retomarlo: «!tk consentimiento {code}»."),
    "basis": mark("Quedó a medias: base legal de {code}; no se guardó nada. Para retomarlo: «!tk base legal {code}»."),
    "account": mark("Quedó a medias: el relato de {code}; no se guardó nada. Para retomarlo: «relato {code}»."),
    "open_case": mark("Quedó a medias: abrir un caso; no se guardó nada. Para retomarlo: «!tk abrir»."),
}


def half_done(lang: str, kind: str, code: str) -> str:
    """What was left half done, and how to take it up again: the command and a case code, never what she had answered."""
    return text(lang, _LEFT[kind], code=code)


def _leave(unit: Unit, here: Here, kind: str, case: str | None) -> str:
    """End her dialogue in this very place. What to tell her about it: nothing when she only begins the same again."""
    told = ""
    for row in _hers(unit, here):
        if row.thread != here.place.thread:
            continue
        if row.expires_at > unit.now and (row.kind, row.case) != (kind, case):
            told = half_done(here.lang, row.kind, _code(unit, here, row))
        steps = [step for step in unit.questions.all(ref=row.id, kind=STEP) if numbers_are_its_own(unit, step)]
        _end(unit, row)
        for step in steps:  # those that she answered too: in free text, a number that comes twice must not be taken for a name
            unit.questions.put(replace(step, ref=row.kind, state=LEFT, expires_at=unit.now + NUMBER_REST))
    return told


def go_on(unit: Unit, here: Here, said: str) -> tuple[Command, ...]:
    """Give an answer to the dialogue: to the one whose number it is, else to the one that runs here. Returns what to carry out when it is done."""
    row = _meant(unit, here, said)
    if row is None:
        return ()
    before = _state(unit, row)
    turn = dialogue.answer(before, said, here.context)
    if isinstance(turn, dialogue.Done):
        _end(unit, row)
        if turn.commands == (Cancel(),):
            put(unit, here.place, message(paragraph(text(here.lang, "De acuerdo, lo dejamos. No se guardó nada."))))
            return ()
        return turn.commands
    row = replace(row, expires_at=unit.now + LIFE)
    if turn[0].step == before.step:
        _prolong(unit, row)
        state, prompt = turn
    else:
        close_questions(unit, row.id)
        state, prompt = _numbered(unit, here, row, *turn)
    unit.dialogues.put(_kept(unit, row, state))
    put(unit, here.place if row.thread == here.place.thread else Place(purpose=here.purpose, thread=row.thread), prompt.message())
    return ()


def stop(unit: Unit, here: Here) -> bool:
    """Leave every dialogue of this person in this room. True when there was one."""
    found = _hers(unit, here)
    for row in found:
        _end(unit, row)
    return bool(found)


def _hers(unit: Unit, here: Here) -> list[Dialogue]:
    return unit.dialogues.all(room=here.room, user=here.person.id, kind__in=tuple(dialogue.KINDS))


NO_LONGER_ASKED = mark("{code}: el consentimiento ya quedó anotado; dejo la pregunta que estaba abierta aquí. Si es otro: «consentimiento {code}».")


def consent_is_in(unit: Unit, case: str, code: str) -> None:
    """A consent of this case was recorded: a dialogue that still asks for one ends, wherever and with whomever, and says so there."""
    for row in unit.dialogues.all(case=case, kind="consent"):
        room, person = unit.rooms.get(row.room), unit.staff.get(row.user)
        if room is not None and person is not None and row.expires_at > unit.now:
            lang = person.language if room.purpose.startswith("direct:") else unit.me.language
            put(unit, Place(purpose=room.purpose, thread=row.thread), message(paragraph(text(lang, NO_LONGER_ASKED, code=code))))
        _end(unit, row)


def case_is_over(unit: Unit, case: str) -> None:
    """The case was closed: nothing more is asked about it."""
    for row in unit.dialogues.all(case=case):
        _end(unit, row)


def _meant(unit: Unit, here: Here, said: str) -> Dialogue | None:
    question = find_question(unit, here.room, here.person.id, int(said)) if said.strip().isdecimal() and len(said) < 5 else None
    return unit.dialogues.get(question.ref) if question and question.kind == STEP else running(unit, here)


def _numbered(unit: Unit, here: Here, row: Dialogue, state: dialogue.State, prompt: dialogue.Prompt) -> tuple[dialogue.State, dialogue.Prompt]:
    """The step with numbers that are free in this room, which are its own from now on."""
    if not prompt.options:
        return state, prompt
    labels = tuple(label for _, label in prompt.options)
    question = ask(unit, here.room, STEP, row.id, labels, _code(unit, here, row), asked=here.person.id)
    unit.questions.put(replace(question, expires_at=row.expires_at))
    return replace(state, first=question.first), prompt.counted_from(question.first)


def _code(unit: Unit, here: Here, row: Dialogue) -> str:
    case = unit.cases.get(row.case) if row.case else None
    return case.code if case else text(here.lang, "abrir")


def _prolong(unit: Unit, row: Dialogue) -> None:
    for question in unit.questions.all(ref=row.id, kind=STEP, state="open"):
        unit.questions.put(replace(question, expires_at=row.expires_at))


def _end(unit: Unit, row: Dialogue) -> None:
    close_questions(unit, row.id)
    forget_reminders(unit, row.id)
    unit.dialogues.delete(row.id)


def _state(unit: Unit, row: Dialogue) -> dialogue.State:
    return dialogue.State.from_json(unit.vault.open("hub", f"{_PLACE}|{row.id}", row.sealed).decode())


def _kept(unit: Unit, row: Dialogue, state: dialogue.State) -> Dialogue:
    return replace(row, sealed=unit.vault.seal("hub", f"{_PLACE}|{row.id}", state.to_json().encode()))
