"""Where and by whom something was said: what every command needs to act and to answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.actions.ports import Unit
from hub.cases.records import Post, Staff
from hub.chat.context import Context
from hub.chat.plain import Message
from hub.chat.posting import Place, put


@dataclass(frozen=True, kw_only=True)
class Here:
    """Where and by whom a command was given, and what the thread is about (`subject`: a case or referral id).

    `card` is what the message points at: words that the other institution said (`message`), another card of ours by `reply`, or a
    card's `thread`. A pointer that a homeserver may have made or bent is `loose`: then `subject` and `replied` are None, a code is needed,
    and what the message says counts as said to nobody.
    """

    person: Staff
    room: str
    purpose: str
    place: Place
    lang: str
    context: Context
    subject: str | None
    replied: Post | None
    card: Literal["message", "reply", "thread"] | None
    loose: bool
    event: str

    @property
    def direct(self) -> Place:
        """This person's direct chat: the only place where values are shown."""
        return Place(purpose=f"direct:{self.person.id}")


def answer(unit: Unit, here: Here, message: Message, *, owner: str = "hub", key: str | None = None) -> None:
    """Answer where the person asked."""
    put(unit, here.place, message, owner=owner, key=key)
