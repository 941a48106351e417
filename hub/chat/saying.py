"""What every command may do: answer with a sentence or a message, and refuse the wrong room."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.i18n import text
from hub.cases import commands as c
from hub.chat.fold import words
from hub.chat.here import Here
from hub.chat.plain import Message, message, paragraph
from hub.chat.posting import put
from hub.chat.rest import first_line
from hub.chat.verbs import match_verb

Doers = Mapping[type[c.Command], Callable[[Unit, Here, Any], None]]
"""Command → the function that carries it out."""


def say(unit: Unit, here: Here, msgid: str, **params: object) -> None:
    """Answer with one sentence."""
    put(unit, here.place, message(paragraph(text(here.lang, msgid, **params))))


def reply(unit: Unit, here: Here, words: Message, owner: str = "hub") -> None:
    """Answer with a message."""
    put(unit, here.place, words, owner=owner)


_CODE = re.compile(r"\b[CcRr]-?[0-9A-Za-z]{5}\b")


def given(said: str) -> str:
    """What was said with a verb beside its code: a reason or an outcome that was not understood. Empty when there was nothing more."""
    line = _CODE.sub(" ", first_line(said))
    found = words(line)
    matched = match_verb(found)
    return line[found[matched[1] - 1].end :].strip(" ,;:.") if matched else ""


def desk_only(here: Here) -> None:
    """Work on cases is done at the desk or in the direct chat, never in the admin room."""
    if here.purpose == "admin":
        raise Refused("wrong_room")
