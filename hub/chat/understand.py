"""What somebody means: the road from words to a command, or to an answer, in the order in which they are tried (I01–I03, X34).

A number (or the words of an option) of an open question → the running dialogue → chatter, left alone → a command. A number belongs to one
question, wherever it is typed: what a dialogue asks, what she was asked, or what waits for anybody; a dialogue takes no number of another one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from hub.actions.ports import Unit
from hub.cases.commands import (
    BadArgument,
    BentPointer,
    Cancel,
    Choose,
    CloseCase,
    Command,
    Decline,
    Finish,
    GiveBack,
    HalfDone,
    Help,
    ListCases,
    LooseNumber,
    Nearly,
    Relay,
    Stray,
    Unclear,
    Unsure,
    Which,
)
from hub.cases.lifecycle import State
from hub.cases.records import Dialogue, Question
from hub.chat import address, admin, grammar, suggested, talk, verifying
from hub.chat.by_number import asked_back, shown_already
from hub.chat.fold import fold, words
from hub.chat.heard import Heard
from hub.chat.here import Here
from hub.chat.in_words import about_check_in, by_words, elsewhere, nearly, of_check_ins
from hub.chat.names import numbers_in
from hub.chat.options import codes_of
from hub.chat.posting import find_question, open_questions, resting
from hub.chat.verbs import labels, match_verb
from hub.chat.wishes import wish


def meaning(unit: Unit, heard: Heard, here: Here, own_user: str) -> Command | str | None:
    """A command; or a text, which answers the running dialogue; or None: not for us."""
    if heard.edits is not None or address.is_edit(heard.content) or heard.sender == own_user:
        return None
    said = _said(heard, here, own_user)
    governs = admin.asked(here, said.found, said.plain) if said.to_us or said.found is None else None
    if governs is not None:
        return governs
    agreed = suggested.taken(unit, here, said.found.text if said.found and said.to_us else said.plain)
    if agreed is not None:
        return agreed
    running = None if here.loose and here.place.thread else talk.running(unit, here)
    running = None if _to_a_card(here) else running
    chosen = _rested(unit, here, said, running) or _number(unit, here, said, in_dialogue=running is not None)
    if chosen is not None:
        return chosen
    how = said.found.how if said.found else None
    if running is not None and said.plain and how not in ("prefix", "mention"):  # only those begin something else
        return _in_dialogue(unit, here, said, running)
    if said.found is None:
        return _said_to_nobody(unit, here, said.plain)
    if running is not None and talk.is_answer(said.found.text, here.context):
        return said.found.text
    return _ordered(unit, here, said.found, bent=said.bent)


def _to_a_card(here: Here) -> bool:
    """A reply to what the other institution said, or in the room to a card of ours: it is about that, not for the dialogue."""
    key = here.replied.key if here.replied else None
    return here.card == "message" or (not here.place.thread and (key or "").startswith(("case:", "ref:")))


def _in_dialogue(unit: Unit, here: Here, said: Said, running: Dialogue) -> Command | str | None:
    """An answer; or, at a question with choices, a whole command in a thread; or chatter, which is met once with what is expected."""
    if said.to_us and said.found and said.found.how != "thread":
        return said.plain
    if talk.takes(unit, here, running, said.plain):
        return said.plain
    command = _ordered(unit, here, said.found, bent=said.bent) if said.found else None
    if command is not None:
        return command
    return Stray(said=said.plain)


@dataclass(frozen=True, kw_only=True)
class Said:
    """The words without what they quote, and how far they are meant for us. `bent`: only a pointer that a homeserver may have made says so."""

    plain: str
    found: address.Addressed | None
    bent: bool

    @property
    def to_us(self) -> bool:
        return self.found is not None and not self.bent


def _said(heard: Heard, here: Here, own_user: str) -> Said:
    card: Literal["reply", "thread"] | None = "reply" if here.card == "message" else here.card
    found = address.addressed(
        heard.content, sender=heard.sender, own_user=own_user, own_names=("Tinkuy",), direct=here.purpose.startswith("direct:"),
        on_our_card=card,
    )  # fmt: skip
    body = heard.content.get("body")
    plain = address.without_quotes(body).strip() if isinstance(body, str) and heard.content.get("msgtype") == "m.text" else ""
    return Said(plain=plain, found=found, bent=here.loose and (found is None or found.how in ("thread", "reply")))


def _number(unit: Unit, here: Here, said: Said, *, in_dialogue: bool) -> Choose | LooseNumber | Nearly | Unsure | Which | None:
    """The number that was chosen, by itself or by the words of its option. One that fits nothing is answered with those that do."""
    words_ = said.found.text if said.found and said.to_us else said.plain
    number = grammar.number_of(words_) if said.to_us else int(words_) if words_.isdecimal() and len(words_) < 5 else None
    owner = find_question(unit, here.room, here.person.id, number) if number is not None else None
    if number is not None and owner is not None:
        return _owned(unit, here, said, owner, number, in_dialogue=in_dialogue)
    if number is not None and not in_dialogue and _awaits(unit, here):
        return Choose(number=number)
    if in_dialogue:
        return _rings(unit, here, said.plain)
    if not said.plain:
        return None
    plain = said.found.text if said.found else said.plain
    chosen = by_words(unit, here, plain, to_us=said.to_us)
    if chosen is not None:
        return Choose(number=chosen)
    half = _half_said(unit, here, said, plain) if isinstance(grammar.parse(plain, here.context), Unclear) else None
    return half or _by_number(unit, here, said, plain)


def _by_number(unit: Unit, here: Here, said: Said, plain: str) -> Nearly | Which | None:
    """The words of what is answered by its number, unless they are a command of their own."""
    command = address.command_of(said.found, here.context) if said.found else None
    if command is None or isinstance(command, Unclear):
        return None if fold(plain) in WAYS_OUT else asked_back(unit, here, plain)
    return shown_already(unit, here, plain, command)


def _rested(unit: Unit, here: Here, said: Said, running: Dialogue | None) -> HalfDone | LooseNumber | Stray | None:
    """Numbers, and nothing else, that belong to another question than the one she is in: whatever is asked now, they are no answer to it."""
    given = numbers_in(said.found.text if said.found and said.to_us else said.plain)
    for number in given:
        old = resting(unit, here.room, here.person.id, number)
        owner = find_question(unit, here.room, here.person.id, number)
        if old is not None and owner is None and old.state == talk.LEFT:
            return HalfDone(number=number)
        if running is not None and old is not None and owner is None and old.ref != running.id:  # its own earlier steps it knows itself
            return Stray(said=said.plain)
        if running is not None and owner is not None and owner.ref != running.id and len(given) > 1:
            return LooseNumber(number=number)
    return None


def _half_said(unit: Unit, here: Here, said: Said, plain: str) -> Nearly | Unsure | Which | None:
    """What is no command, and may be meant for an answer."""
    standing = elsewhere(unit, here, plain)
    if standing:
        return Which(numbers=standing) if len(standing) > 1 else Nearly(number=standing[0])
    rings = _rings(unit, here, plain)
    if rings is not None:
        return rings
    near = nearly(unit, here, plain, to_us=said.to_us)
    if near is not None:
        return Nearly(number=near)
    ringing = about_check_in(unit, here, plain)
    return Unsure(number=ringing.first) if ringing else None


def _rings(unit: Unit, here: Here, plain: str) -> Which | None:
    """Words that are the whole answer to a check-in, and stand where they answer none: by its number alone, for no «sí» says whose it is."""
    numbers = of_check_ins(unit, here, plain)
    return Which(numbers=numbers) if numbers else None


def _owned(unit: Unit, here: Here, said: Said, owner: Question, number: int, *, in_dialogue: bool) -> Choose | LooseNumber | None:
    """A number that one open question owns. It is hers, or said to us: an answer. Put to everybody and said to nobody: asked back, never taken
    for an answer of the dialogue that she is in. A message that a homeserver may have moved answers no dialogue. In the thread of another
    case it is asked back too, unless it is written out to us: a key beside the one she meant is another woman's.
    """
    about = codes_of(unit, here) if here.subject is not None else None
    firm = said.found is not None and said.found.how in ("prefix", "mention")
    if about and owner.code and owner.code not in about and owner.kind not in verifying.OPTIONS and not firm:
        return LooseNumber(number=number)
    if owner.kind == talk.STEP and here.loose and here.place.thread:
        return None
    if owner.asked == here.person.id or owner.kind in verifying.OPTIONS or said.to_us:
        return Choose(number=number)
    return LooseNumber(number=number) if in_dialogue else None


def _said_to_nobody(unit: Unit, here: Here, plain: str) -> Command | None:
    """Chatter, but for the way out of a list on her screen, and for a number that fits a question put to everybody."""
    if fold(plain) in WAYS_OUT and _awaits(unit, here):
        return Cancel()
    return LooseNumber(number=int(plain)) if _fits_everybody(unit, here, plain) else None


def _ordered(unit: Unit, here: Here, found: address.Addressed, *, bent: bool) -> Command | None:
    """The command of words that are for us."""
    command = address.command_of(found, here.context)
    if isinstance(command, Unclear | BadArgument | Decline | Finish | GiveBack | CloseCase):
        command = replace(command, said=found.text)
    if here.card == "message" and found.how == "reply" and isinstance(command, Unclear | BadArgument):
        command = Relay(text=found.text)
    if command is None and _wavers(unit, here, found.text):
        command = Unclear(suggestions=labels(("accept", "decline"), here.lang))
    if command is None and found.how == "thread" and not bent:
        command = wish(unit, here, found.text)
    return BentPointer() if bent and command is not None and not _names(command) else command


def _wavers(unit: Unit, here: Here, said: str) -> bool:
    """`acepto` in the thread of an offer that waits: not firm enough to take it, and silence would let her believe that she did."""
    referral = unit.referrals.get(here.subject or "")
    line = re.sub(r"(?i)^(?:(?:s[ií]|ok|claro|bueno|listo|yes|la|lo|nosotras|nosotros)\b[\s,]+)+", "", said.split("\n", 1)[0][:200].strip())
    if referral is None or referral.state is not State.RECEIVED or "?" in line:
        return False
    matched, whole = match_verb(words(line)), words(re.sub(r"(?i)[\s,]+(?:nosotras|nosotros|ya)[\s.!]*$", "", said.strip()))
    exact = match_verb(whole)  # `la tomamos nosotras`, and not `la tomamos con calma`
    return bool((matched and matched[0].key in _TAKING) or (exact and exact[0].key in _TAKING and exact[1] == len(whole)))


_TAKING = ("accept", "decline")
WAYS_OUT = ("cancelar", "cancel", "atras", "back")
"""What leaves a list of choices that is on her screen, said to nobody in particular."""


def _names(command: Command) -> bool:
    """Whether a command says by itself which case or referral it means, or only shows how things are done."""
    return isinstance(command, Help | ListCases) or any(getattr(command, name, None) for name in ("case", "referral", "code"))


def _fits_everybody(unit: Unit, here: Here, plain: str) -> bool:
    return plain.isdecimal() and len(plain) < 5 and find_question(unit, here.room, here.person.id, int(plain)) is not None


def _awaits(unit: Unit, here: Here) -> bool:
    """Whether this very person was just asked something here."""
    return any(question.asked == here.person.id for question in open_questions(unit, here.room))

