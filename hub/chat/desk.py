"""The desk: one message heard → at most one command → one action → an answer, all in one unit of work (I01–I03, X34).

The road: is the sender enrolled and the room ours → is it addressed to us (or an answer she owes us) → a command → `do.py` / `choose.py`.
A refusal rolls the action back, is answered kindly, and the event counts as handled.
"""

from __future__ import annotations

from typing import Literal

from hub.actions.ports import Unit
from hub.base.errors import Refused, TinkuyError
from hub.cases.commands import BadArgument, BentPointer, Cancel, Choose, Command, Help, ListCases, LooseNumber, Relay, Unclear
from hub.cases.lifecycle import State
from hub.cases.records import Handled, Post
from hub.chat import address, do, talk, wording
from hub.chat.fold import fold, words
from hub.chat.heard import Heard
from hub.chat.here import Here, answer
from hub.chat.options import by_words
from hub.chat.posting import Place, find_question, open_questions
from hub.chat.refusals import refusal
from hub.chat.verbs import labels, match_verb
from keys.errors import KeyDestroyed


def hear(unit: Unit, heard: Heard, own_user: str) -> bool:
    """Act on one message, once. Returns whether it was for us. The whole effect is in this unit."""
    if unit.handled.get(heard.event) is not None:
        return False
    unit.handled.add(Handled(id=heard.event, at=unit.now))
    here = _here(unit, heard)
    if here is None or heard.type != "m.room.message":
        return False
    act = _meaning(unit, heard, here, own_user)
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


def _meaning(unit: Unit, heard: Heard, here: Here, own_user: str) -> Command | str | None:
    """A command; or a text, which answers the running dialogue; or None: not for us."""
    card: Literal["reply", "thread"] | None = "reply" if here.card == "message" else here.card
    found = address.addressed(
        heard.content, sender=heard.sender, own_user=own_user, own_names=("Tinkuy",), direct=here.purpose.startswith("direct:"),
        on_our_card=card,
    )  # fmt: skip
    body = heard.content.get("body")
    plain = address.without_quotes(body).strip() if isinstance(body, str) and heard.content.get("msgtype") == "m.text" else ""
    if heard.edits is not None or address.is_edit(heard.content) or heard.sender == own_user:
        return None
    bent = here.loose and (found is None or found.how in ("thread", "reply"))
    running = None if here.loose and here.place.thread else talk.running(unit, here)
    if plain.isdecimal() and len(plain) < 5 and (_owes(unit, here, int(plain)) or (not running and _awaits(unit, here))):
        return Choose(number=int(plain))  # one that fits nothing is answered with those that do
    to_us = found is not None and not bent
    chosen = None if running or not plain else by_words(unit, here, found.text if found else plain, to_us=to_us)
    if chosen is not None:
        return Choose(number=chosen)
    if running is not None and plain and (found is None or found.how in ("direct", "thread", "reply")) and not _interrupts(unit, here, found):
        return plain if to_us or talk.takes(unit, here, plain) else None
    if found is None:
        if fold(plain) in WAYS_OUT and _awaits(unit, here):
            return Cancel()
        return LooseNumber(number=int(plain)) if _fits_everybody(unit, here, plain) else None
    if running is not None and talk.is_answer(found.text, here.context):
        return found.text
    command = address.command_of(found, here.context)
    if here.card == "message" and found.how == "reply" and isinstance(command, Unclear | BadArgument):
        command = Relay(text=found.text)
    if command is None and _wavers(unit, here, found.text):
        command = Unclear(suggestions=labels(("accept", "decline"), here.lang))
    return BentPointer() if bent and command is not None and not _names(command) else command


def _wavers(unit: Unit, here: Here, said: str) -> bool:
    """`acepto` in the thread of an offer that waits: not firm enough to take it, and silence would let her believe that she did."""
    referral = unit.referrals.get(here.subject or "")
    matched = match_verb(words(said.split("\n", 1)[0][:200]))
    return bool(referral and referral.state is State.RECEIVED and matched and matched[0].key in ("accept", "decline"))


WAYS_OUT = ("cancelar", "cancel", "atras", "back")
"""What leaves a list of choices that is on her screen, said to nobody in particular."""


def _names(command: Command) -> bool:
    """Whether a command says by itself which case or referral it means, or only shows how things are done."""
    return isinstance(command, Help | ListCases) or any(getattr(command, name, None) for name in ("case", "referral", "code"))


def _interrupts(unit: Unit, here: Here, found: address.Addressed | None) -> bool:
    """A running dialogue takes every plain answer; only an explicit prefix or mention begins something else."""
    return found is not None and found.how in ("prefix", "mention")


def _fits_everybody(unit: Unit, here: Here, plain: str) -> bool:
    return plain.isdecimal() and len(plain) < 5 and find_question(unit, here.room, here.person.id, int(plain)) is not None


def _awaits(unit: Unit, here: Here) -> bool:
    """Whether this very person was just asked something here."""
    return any(question.asked == here.person.id for question in open_questions(unit, here.room))


def _owes(unit: Unit, here: Here, number: int) -> bool:
    question = find_question(unit, here.room, here.person.id, number)
    return question is not None and question.asked == here.person.id


