"""Answers in words: which option of an open question somebody names, nearly names, or counts (X34).

The whole name of one option acts, where its question stands; everything less, and every doubt about which one, is asked back with its number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.actions.ports import Unit
from hub.cases.records import Question
from hub.chat import talk
from hub.chat.answers import agrees
from hub.chat.fold import fold, words
from hub.chat.here import Here
from hub.chat.names import NUMBER_WORDS, PLACE_WORDS
from hub.chat.options import BY_NUMBER_ONLY, codes_of, labels, option_names, part_of
from hub.chat.posting import open_questions
from hub.chat.verbs import one_slip, skip_polite, without_thanks

WHOLE = frozenset({"checkin", "decline"})
"""What others hear at once, or what says how she is: in words only by the whole of an option. «contactada» does not say that she is safe."""
HARMLESS = ("cancel", "keep")
"""Options that leave everything as it was: they may be said in words."""


def by_words(unit: Unit, here: Here, said: str, *, to_us: bool) -> int | None:
    """The number that an answer in words means: the start of exactly one option (`aceptar`, `enviar`, `no la ubiqué`) that is open for her, here.

    What she herself was asked stands where it was asked: in another thread it is asked back (`elsewhere`), and in the room too when more than one
    waits for the same word. Words that do not address us (`to_us` false) count only for questions that she herself was asked; in a thread or a
    reply, only for those about its case. Words in reply to what the other institution said are for them, and answer nothing here.
    """
    found, about = _named(unit, here, said, to_us=to_us), codes_of(unit, here)
    standing = [(q, number) for q, number in found if (about is None or q.code in about) and _stands_here(q, here)]
    alone = here.place.thread is not None or len([q for q, _ in found if q.asked]) <= 1
    return standing[0][1] if len(standing) == 1 and alone else None


def elsewhere(unit: Unit, here: Here, said: str) -> tuple[int, ...]:
    """The numbers of what she was asked, anywhere in this room, and that these words are the whole answer to; none of them is acted on."""
    return tuple(number for question, number in _named(unit, here, said, to_us=False) if question.asked)


def of_check_ins(unit: Unit, here: Here, said: str) -> tuple[int, ...]:
    """The numbers of every check-in that rings in this room and that these words are a whole answer to, wherever and to whomever they were said.

    Her client may say nowhere, or in the clear alone, which thread she writes in: silence would let her believe that a risk was heard.
    """
    return tuple(number for question, number in _named(unit, here, said, to_us=True) if question.kind == "checkin")


def _stands_here(question: Question, here: Here) -> bool:
    return question.asked is None or question.thread == here.place.thread


def _named(unit: Unit, here: Here, said: str, *, to_us: bool) -> list[tuple[Question, int]]:
    """Every option in this room that these words name, with its question."""
    wanted = fold(said)
    if len(wanted) < 4 or here.card == "message":
        return []
    asked = (here.person.id, None) if to_us else (here.person.id,)
    return [
        (question, question.first + place)
        for question in open_questions(unit, here.room)
        if question.asked in asked and question.kind != talk.STEP
        for place, (label, *others) in enumerate(option_names(unit, question, here.lang))
        if question.kind not in BY_NUMBER_ONLY or question.options[place] in HARMLESS
        if label == wanted or wanted in others or (label.startswith(f"{wanted} ") and question.kind not in WHOLE)
    ]


def nearly(unit: Unit, here: Here, said: str, *, to_us: bool = False) -> int | None:
    """The number of the one option, of what she was asked, that these few words are a part of, a slip for, or count: too little to act on
    (`by_words`).
    """
    if not 2 <= len(fold(said)) <= LONGEST or set(said) & set("?¿") or here.card == "message":
        return None
    people, about = (here.person.id, None) if to_us else (here.person.id,), codes_of(unit, here)
    asked = [q for q in open_questions(unit, here.room) if q.asked in people and q.kind != talk.STEP and (about is None or q.code in about)]
    found = [question.first + place for question in asked for place in part_of(unit, question, said, here.lang)] if _is_short(said) else []
    found = found or _counted(asked, said) or [q.first + place for q in asked for place in _slip_for(unit, q, said, here.lang)]
    if to_us and agrees(said):  # believed sent, if nobody said that it was not; beside two questions it may mean either
        found = [q.first for q in asked if len(asked) == 1 and q.kind == "refer"]
    return found[0] if len(found) == 1 else None


def _counted(asked: Sequence[Question], said: str) -> list[int]:
    """`dos`, `opción 2 porfa`: the option with this number; else, of the only list there is, the one in this place."""
    spoken = re.fullmatch(r"(?:la |el |the )?(?:opcion |option |numero |number )?([0-9]{1,4}|[a-z]+)", _bare(said))
    word = spoken[1] if spoken else ""
    number = int(word) if word.isdecimal() else NUMBER_WORDS.get(word, 0)
    owned = [number for q in asked if q.first <= number < q.first + len(q.options)]
    place = 0 if word.isdecimal() else number or PLACE_WORDS.get(word, 0)
    return owned or [q.first + place - 1 for q in asked if len(asked) == 1 and 1 <= place <= len(q.options)]


def _slip_for(unit: Unit, question: Question, said: str, lang: str) -> list[int]:
    """`envair`, `sí, enviar`: the options that begin with this very word, or with one that is a slip away from it."""
    first, *more = _bare(said).split() or [""]
    heads = [fold(label).split()[0] for label in labels(unit, question, lang)]
    if len(more) > MOST_MORE:
        return []
    return [place for place, head in enumerate(heads) if one_slip(first, head) or (first == head and len(head) > TELLING)]


MOST_MORE = 2


def _bare(said: str) -> str:
    """Without a yes and kind words around it."""
    return " ".join(word.folded for word in without_thanks(skip_polite(words(re.sub(r"^(?:s[ií]|ok|ya|yes)\b[\s,]+", "", said.strip(), flags=re.I)))))


def about_check_in(unit: Unit, here: Here, said: str) -> Question | None:
    """The check-in that rings in this thread and that these few words seem to answer: they begin with its number, or name what it asks."""
    about = codes_of(unit, here)
    if not about or not _is_short(said):
        return None
    heard = {word.folded for word in words(said)}
    for question in open_questions(unit, here.room):
        if question.kind == "checkin" and question.asked in (None, here.person.id) and question.code in about:
            known = {word.folded for label in labels(unit, question, here.lang) for word in words(label) if len(word.folded) >= TELLING}
            numbers = {str(question.first + place) for place in range(len(question.options))}
            if heard & (known | numbers):
                return question
    return None


TELLING = 5
"""Letters of a word that says what an answer is about."""


def _is_short(said: str) -> bool:
    return 4 <= len(fold(said)) <= LONGEST


LONGEST = 40
"""Characters of what may be a part of an option."""
