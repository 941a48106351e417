"""The very words that were offered, or a yes or no, for what is answered by its number: asked back with that number, and acted on by nothing (X34).

Silence would look like «done». What may be ordinary talk is left alone: a yes or a no counts only where its question stands, and only while it is
fresh; the words of an option count wherever this person could answer it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

from hub.actions.ports import Unit
from hub.cases.commands import Command, Nearly, Which, Withdraw
from hub.cases.records import Question
from hub.chat import talk, verifying
from hub.chat.fold import fold, words
from hub.chat.here import Here
from hub.chat.in_words import WHOLE
from hub.chat.options import ANSWERED_WITHIN, BY_NUMBER_ONLY, CONFIRMED_WITHIN, codes_of, option_names
from hub.chat.posting import QUESTION_LIFE, open_questions
from hub.chat.verbs import without_thanks

TWO_WAYS = frozenset({"relay", "withdraw", "take_back", "close_as", "refer", "offer", "ask"})
"""Questions whose first answer is the yes, and the last one the no."""
FRESH = timedelta(minutes=10)
"""How long after its question a bare «sí» is for it, rather than for a colleague."""
MOST_MORE = 2
_YES = re.compile(r"(?:si|sip|yes)(?:,? (?:por favor|porfa|porfis|claro|dale|esta bien|please|gracias))?")
_NO = re.compile(r"(?:no|nop)(?:,? (?:por favor|porfa|gracias|todavia|please|thanks))?")
_PERMIT = re.compile(r"(?:si,? )?(?:le |les )?(?:dar|darle|da|dale|dele|denle|doy|damos|demos) (?:el )?permiso|(?:grant|give) (?:the )?permission")


def asked_back(unit: Unit, here: Here, said: str) -> Nearly | Which | None:
    """The one number that these words are asked back with, or the several."""
    if "\n" in said or set(said) & set("?¿") or here.card == "message":
        return None
    found = _agreed(unit, here, fold(said)) or _offered(unit, here, said)
    if not found:
        return None
    return Nearly(number=found[0]) if len(found) == 1 else Which(numbers=tuple(found))


def shown_already(unit: Unit, here: Here, said: str, command: Command) -> Nearly | Which | None:
    """`retirar`, typed below the preview that offers that word: its number, instead of one more preview. With a code or a part it is a new order."""
    if not isinstance(command, Withdraw) or command.case or command.recipient or command.fields:
        return None
    about, bare = codes_of(unit, here), len(words(said)) == 1
    found = [q.first for q in _hers(unit, here) if q.kind == "withdraw" and about and q.code in about and (bare or q.ref.endswith("||"))]
    return Nearly(number=found[0]) if len(found) == 1 else None


def _hers(unit: Unit, here: Here) -> list[Question]:
    return [q for q in open_questions(unit, here.room) if q.asked in (None, here.person.id) and q.kind != talk.STEP]


def _agreed(unit: Unit, here: Here, said: str) -> list[int]:
    """The yes, or the no, of what was just asked in this very place."""
    yes = _YES.fullmatch(said) is not None
    if not yes and not _NO.fullmatch(said):
        return []
    asked = (q for q in _hers(unit, here) if yes or q.asked)  # «no» beside a card for everybody is talk: it leaves all as it was
    standing = [q for q in asked if q.kind in TWO_WAYS and _stands_here(unit, here, q) and q.expires_at - _life(q) + FRESH > unit.now]
    return [q.first if yes else q.first + len(q.options) - 1 for q in standing]


def _stands_here(unit: Unit, here: Here, question: Question) -> bool:
    if question.asked is not None:
        return question.thread == here.place.thread
    return question.code in (codes_of(unit, here) or ())


def _life(question: Question) -> timedelta:
    if question.asked is None:
        return QUESTION_LIFE
    return CONFIRMED_WITHIN if question.kind in BY_NUMBER_ONLY else ANSWERED_WITHIN


def _offered(unit: Unit, here: Here, said: str) -> list[int]:
    """The options that these words name: by the whole of one, by two of its first words or more, or with a word or two after the whole."""
    plain = " ".join(word.folded for word in without_thanks(words(said)))
    if len(plain) < 4:
        return []
    about = codes_of(unit, here)
    return [
        question.first + place
        for question in _hers(unit, here)
        if question.kind not in verifying.OPTIONS and (question.kind != "offer" or about is None or question.code in about)
        for place, names in enumerate(option_names(unit, question, here.lang))
        if _names(plain, names, question.kind) or (question.kind == "ask" and place == 0 and _PERMIT.fullmatch(plain))
    ]


def _names(plain: str, names: Sequence[str], kind: str) -> bool:
    more = len(plain.split()) > 1 and kind not in WHOLE
    longer = kind in BY_NUMBER_ONLY
    return any(
        plain == name or (more and name.startswith(f"{plain} ")) or (longer and len(name) > 4 and _a_little_more(plain, name)) for name in names
    )


def _a_little_more(plain: str, name: str) -> bool:
    return plain.startswith(f"{name} ") and len(plain[len(name) :].split()) <= MOST_MORE
