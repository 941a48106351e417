"""«sí» takes what was just suggested: the one suggestion there was, said next by the same person in the same place, within two minutes.

What was meant is kept sealed, as it would have been typed. It is offered for a choice in a list that she opened herself, and for commands that stay
here or ask for a number before anything leaves. Never for what lets anything of hers out, says words to another institution, or ends or destroys
something: that is typed, or confirmed by a number of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from hub.actions.common import forget_reminders, remind
from hub.actions.ports import Unit
from hub.base.ids import new_id
from hub.cases import commands as c
from hub.cases.records import Dialogue
from hub.chat import grammar, talk, verbs
from hub.chat.answers import agrees
from hub.chat.context import Context
from hub.chat.fold import words
from hub.chat.here import Here
from hub.chat.names import Names, alike

KIND = "suggested"
LIFE = timedelta(minutes=2)
HARMLESS = (c.Help, c.ListCases, c.OpenCase, c.SetField, c.RecordConsent, c.Refer, c.PlanCheckIn, c.WhoKnows, c.Withdraw, c.Show, c.CloseCase)
"""What stays here, or shows everything first and asks for a number before anything leaves or ends."""
ANSWERS = frozenset({"decline", "hold_back", "where", "progress", "plan", "checkin"})
"""Questions whose answer may be taken by «sí»: none of them lets anything of hers out."""
_PLACE = "dialogues|sealed"


def corrected(command: c.Unclear | c.BadArgument, context: Context) -> str | None:
    """The words as they were probably meant, when there is exactly one suggestion and they make a whole, harmless command."""
    if len(command.suggestions) != 1 or not command.said:
        return None
    meant = _with_verb(command.said, command.suggestions[0]) if isinstance(command, c.Unclear) else _with_part(command, context)
    return meant if meant is not None and isinstance(grammar.parse(meant, context), HARMLESS) else None


def offer(unit: Unit, here: Here, meant: str | None) -> bool:
    """Keep it for her «sí». Not while a dialogue of hers runs here, where «sí» is an answer, nor in a thread that may be made up."""
    if meant is None or talk.running(unit, here) is not None or (here.loose and here.place.thread):
        return False
    forget(unit, here)
    row = Dialogue(
        id=new_id("dlg"), room=here.room, user=here.person.id, thread=here.place.thread, case=None, kind=KIND, sealed=b"",
        expires_at=unit.now + LIFE,
    )  # fmt: skip
    unit.dialogues.add(replace(row, sealed=unit.vault.seal("hub", f"{_PLACE}|{row.id}", meant.encode())))
    remind(unit, "dialogue", row.id, row.expires_at)
    return True


def only_by_number(unit: Unit, here: Here, numbers: Iterable[int]) -> None:
    """What was asked back with its number: a «sí» to it is answered with the number once more, never with silence."""
    offer(unit, here, _NUMBERS + ",".join(map(str, numbers)))


def only_whole(unit: Unit, here: Here, command: c.Unclear | c.BadArgument, names: Iterable[str]) -> None:
    """What was suggested and no «sí» takes: then it is said what to type."""
    (name, *others), given = tuple(names) or ("",), command.given if isinstance(command, c.BadArgument) else ""
    if name:
        one = given and not others and command.said.count(given) == 1 and "\n" not in command.said
        offer(unit, here, _WHOLE + (command.said.replace(given, name) if one else ""))


_NUMBERS, _WHOLE = "?n:", "?w:"
"""How what «sí» does not take is kept; nothing that is typed for a command begins like that."""


def _not_taken(meant: str) -> c.Command | None:
    if meant.startswith(_WHOLE):
        return c.Whole(example=meant.removeprefix(_WHOLE))
    numbers = tuple(map(int, meant.removeprefix(_NUMBERS).split(",")))
    return c.Nearly(number=numbers[0]) if len(numbers) == 1 else c.Which(numbers=numbers)


def taken(unit: Unit, here: Here, said: str) -> c.Command | None:
    """What her «sí» means. Whatever else she says in this room, the suggestion is over."""
    row = next((d for d in _kept(unit, here) if d.expires_at > unit.now and d.thread == here.place.thread), None)
    meant = unit.vault.open("hub", f"{_PLACE}|{row.id}", row.sealed).decode() if row and agrees(said) and not _bent(here) else None
    forget(unit, here)
    if meant is not None and meant.startswith((_NUMBERS, _WHOLE)):
        return _not_taken(meant)
    command = grammar.parse(meant, here.context) if meant is not None else None
    return command if isinstance(command, (*HARMLESS, c.Choose)) else None


def forget(unit: Unit, here: Here) -> None:
    """No suggestion waits for this person in this room."""
    for row in _kept(unit, here):
        forget_reminders(unit, row.id)
        unit.dialogues.delete(row.id)


def _kept(unit: Unit, here: Here) -> list[Dialogue]:
    return unit.dialogues.all(room=here.room, user=here.person.id, kind=KIND)


def _bent(here: Here) -> bool:
    return here.loose and here.place.thread is not None


def _with_verb(said: str, label: str) -> str | None:
    found = verbs.skip_polite(words(said))
    size = verbs.size_like(found, label)
    return f"{label}{said[found[size - 1].end :]}" if size else None


def _with_part(command: c.BadArgument, context: Context) -> str | None:
    given, (meant,) = command.given, command.suggestions
    if not given or command.said.count(given) != 1 or not any(alike(given, meant, table) for table in _tables(command.what, context)):
        return None
    return command.said.replace(given, meant)


def _tables(what: str, context: Context) -> Iterable[Names]:
    known = {
        "institution": context.institutions, "field": context.fields, "need": context.needs, "purpose": context.purposes or context.needs,
        "mode": context.consent_modes,
    }  # fmt: skip
    return context.options.values() if what == "value" else [known.get(what, {})]
