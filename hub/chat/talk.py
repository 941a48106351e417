"""Running dialogues: kept sealed between messages, one for each person in each room, gone after a while or with `cancelar`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hub.actions.ports import Unit
from hub.base.i18n import text
from hub.base.ids import new_id
from hub.cases.commands import Back, Cancel, Choose, Command, Skip, Unclear
from hub.cases.records import Dialogue
from hub.chat import dialogue, grammar
from hub.chat.context import Context
from hub.chat.fold import fold
from hub.chat.here import Here
from hub.chat.plain import message, paragraph
from hub.chat.posting import put

LIFE = timedelta(minutes=10)
"""Short on purpose: a forgotten dialogue must not take a colleague's chatter for an answer."""
_PLACE = "dialogues|sealed"


def running(unit: Unit, here: Here) -> Dialogue | None:
    """The dialogue this person is in, here, in this thread."""
    found = unit.dialogues.all(room=here.room, user=here.person.id)
    return next((d for d in found if d.expires_at > unit.now and d.thread == here.place.thread), None)


def is_answer(said: str, context: Context) -> bool:
    """Whether addressed words go on with the dialogue rather than begin something else: no verb of ours, or one of its own words."""
    return isinstance(grammar.parse(said, context), Unclear | Choose | Skip | Back | Cancel)


def takes(unit: Unit, here: Here, said: str) -> bool:
    """Whether words that address nobody may answer the dialogue. That she understood is never taken from chatter like "ok"."""
    row = running(unit, here)
    if row is None:
        return False
    state = dialogue.State.from_json(unit.vault.open("hub", f"{_PLACE}|{row.id}", row.sealed).decode())
    return state.step != "explained" or fold(said) in ("si", "yes", "saltar", "atras", "cancelar") or said.strip().isdecimal()


def begin(unit: Unit, here: Here, turn: dialogue.Turn, case: str | None = None) -> tuple[Command, ...]:
    """Start (or finish at once) a dialogue. Returns the commands to carry out when it is done."""
    for old in unit.dialogues.all(room=here.room, user=here.person.id):
        unit.dialogues.delete(old.id)
    if isinstance(turn, dialogue.Done):
        return turn.commands
    state, prompt = turn
    row = Dialogue(
        id=new_id("dlg"), room=here.room, user=here.person.id, thread=here.place.thread, case=case, kind=state.kind,
        sealed=b"", expires_at=unit.now + LIFE,
    )  # fmt: skip
    unit.dialogues.add(_kept(unit, row, state))
    put(unit, here.place, prompt.message())
    return ()


def go_on(unit: Unit, here: Here, said: str) -> tuple[Command, ...]:
    """Give an answer to the running dialogue. Returns the commands to carry out when it is done."""
    row = running(unit, here)
    if row is None:
        return ()
    state = dialogue.State.from_json(unit.vault.open("hub", f"{_PLACE}|{row.id}", row.sealed).decode())
    turn = dialogue.answer(state, said, here.context)
    if isinstance(turn, dialogue.Done):
        unit.dialogues.delete(row.id)
        if turn.commands == (Cancel(),):
            put(unit, here.place, message(paragraph(text(here.lang, "De acuerdo, lo dejamos. No se guardó nada."))))
            return ()
        return turn.commands
    state, prompt = turn
    unit.dialogues.put(_kept(unit, replace(row, expires_at=unit.now + LIFE), state))
    put(unit, here.place, prompt.message())
    return ()


def stop(unit: Unit, here: Here) -> bool:
    """Leave every dialogue of this person in this room. True when there was one."""
    found = unit.dialogues.all(room=here.room, user=here.person.id)
    for row in found:
        unit.dialogues.delete(row.id)
    return bool(found)


def _kept(unit: Unit, row: Dialogue, state: dialogue.State) -> Dialogue:
    return replace(row, sealed=unit.vault.seal("hub", f"{_PLACE}|{row.id}", state.to_json().encode()))


