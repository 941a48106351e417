"""What every command may do: answer with a sentence or a message, and refuse the wrong room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.i18n import text
from hub.cases import commands as c
from hub.chat.here import Here
from hub.chat.plain import Message, message, paragraph
from hub.chat.posting import put

Doers = Mapping[type[c.Command], Callable[[Unit, Here, Any], None]]
"""Command → the function that carries it out."""


def say(unit: Unit, here: Here, msgid: str, **params: object) -> None:
    """Answer with one sentence."""
    put(unit, here.place, message(paragraph(text(here.lang, msgid, **params))))


def reply(unit: Unit, here: Here, words: Message, owner: str = "hub") -> None:
    """Answer with a message."""
    put(unit, here.place, words, owner=owner)


def desk_only(here: Here) -> None:
    """Work on cases is done at the desk or in the direct chat, never in the admin room."""
    if here.purpose == "admin":
        raise Refused("wrong_room")
