"""The desk: one message heard → at most one command → one action → an answer, all in one unit of work (I01–I03, X34).

The road: is the sender enrolled and the room ours → is it addressed to us (or an answer she owes us) → a command → `do.py` / `choose.py`.
A refusal rolls the action back, is answered kindly, and the event counts as handled.
"""

from __future__ import annotations

from typing import Literal

from hub.actions.ports import Unit
from hub.base.errors import Refused, TinkuyError
from hub.cases.records import Handled, Post
from hub.chat import do, guarding, in_room, wording
from hub.chat.heard import Heard
from hub.chat.here import Here, answer
from hub.chat.posting import Place
from hub.chat.refusals import refusal
from hub.chat.understand import meaning
from keys.errors import KeyDestroyed


def hear(unit: Unit, heard: Heard, own_user: str) -> bool:
    """Act on one message, once. Returns whether it was for us. The whole effect is in this unit."""
    if unit.handled.get(heard.event) is not None:
        return False
    place = unit.rooms.get(heard.room)
    if place is not None and place.purpose.startswith(in_room.PREFIX):
        return in_room.hear_in_room(unit, heard, place, own_user)
    unit.handled.add(Handled(id=heard.event, at=unit.now))
    here = _here(unit, heard)
    if here is None or heard.type != "m.room.message":
        return False
    act = meaning(unit, heard, here, own_user)
    guarding.overhear(unit, here, heard, act)
    if act is None:
        return False
    try:
        unit.attempt(lambda: do.perform(unit, here, act))
    except TinkuyError as error:
        bent = here.loose and error.code in ("no_code", "no_referral_code")
        answer(unit, here, refusal(unit, here.lang, Refused("loose_thread") if bent else error))
    except KeyDestroyed:
        answer(unit, here, refusal(unit, here.lang, Refused("withdrawn", code="")))
    return True


def _here(unit: Unit, heard: Heard) -> Here | None:
    person = unit.staff.get(heard.sender)
    room = unit.rooms.get(heard.room)
    if person is None or person.removed_at is not None or room is None:
        return None
    if room.purpose not in ("desk", "admin") and room.purpose != f"direct:{person.id}":
        return None
    direct = room.purpose.startswith("direct:")
    lang = person.language if direct else unit.me.language
    thread = _ours(unit, heard.thread)
    replied = _ours(unit, heard.reply)
    subject = _subject(thread) or _subject(replied)
    place = Place(purpose=room.purpose, thread=heard.thread, reply=None if heard.thread else heard.event)
    return Here(
        person=person,
        room=heard.room,
        purpose=room.purpose,
        place=place,
        lang=lang,
        context=wording.context(unit, lang),
        subject=subject if heard.firm else None,
        replied=replied if heard.firm else None,
        card=_card(replied, subject),
        loose=not heard.firm and (heard.thread is not None or heard.reply is not None),
        event=heard.event,
    )


def _ours(unit: Unit, event: str | None) -> Post | None:
    return unit.posts.one(event=event) if event else None


def _card(replied: Post | None, subject: str | None) -> Literal["message", "reply", "thread"] | None:
    if replied is not None:
        return "message" if (replied.key or "").startswith("msg:") else "reply"
    return "thread" if subject else None


def _subject(post: Post | None) -> str | None:
    """The case or referral id a message of ours is about, by its own name or its thread's."""
    name = (post.key or post.thread) if post else None
    if name and name.startswith("msg:") and post:
        name = f"ref:{name.split(':')[1]}"
    return name.split(":")[1] if name and name.startswith(("case:", "ref:")) else None
