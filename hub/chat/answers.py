"""Reading one answer of a dialogue: words → the value to keep, or a kind sentence that says what would be understood."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hub.base.i18n import text
from hub.cases.commands import When
from hub.chat.consent_line import all_but, leaves_out, less, read_fields
from hub.chat.context import Context
from hub.chat.fold import clean, fold, words
from hub.chat.names import Found, alike, find, find_all, numbers_in, split_list
from hub.chat.questions import Question, options_of, table_of
from hub.chat.when import Misread

LONGEST_NAME = 80
LONGEST_TEXT = 4000


@dataclass(frozen=True, kw_only=True)
class Understood:
    """The value to keep (JSON), and what to echo of it."""

    value: Any
    echo: str = ""


@dataclass(frozen=True, kw_only=True)
class Misunderstood:
    """Why the answer cannot be kept, as a sentence for the person.

    `near`: it looks like an answer all the same; without it, words that address nobody are left alone as chatter. `guess` is the whole answer with
    the one thing that was suggested in it, for «sí».
    """

    sentence: str
    near: bool = False
    guess: str = ""


Reading = Understood | Misunderstood


Holds = Mapping[str, tuple[str, ...]]
"""What the protocol asks, by the names that can be left out of it (`Context.as_asked`)."""


def read_answer(question: Question, said: str, context: Context, first: int, holds: Holds | None = None) -> Reading:
    """What `said` means as an answer to `question`; a number chooses among its numbered options, counted from `first`."""
    if not fold(said):
        return Misunderstood(sentence=text(context.language, "No leí ninguna respuesta."))
    if question.reads == "name":
        return _name(said, context)
    if question.reads == "text":
        return _text(said, context)
    if question.reads in ("when", "until"):
        return _time(question, said, context)
    if question.reads == "yes":
        return _yes(question, said, context, first)
    if question.reads == "fields" and all_but(said) is not None:
        return _all_but(question, said, context, holds or {})
    return _listed(question, said, context, first)


_NO_NAMES = frozenset(["no", "si", "ninguno", "nada", "no se", "no sabe", "no quiere", "anonima"])


def _name(said: str, context: Context) -> Reading:
    name = re.sub(r"\s+", " ", clean(said)).strip(" \"'“”«»")
    if not name or fold(name) in _NO_NAMES:
        return Misunderstood(sentence=text(context.language, "Escriba un nombre para llamarla; vale uno inventado."))
    if len(name) > LONGEST_NAME:
        return Misunderstood(sentence=text(context.language, "Es muy largo para un nombre. Basta uno corto."))
    return Understood(value=name)


def _text(said: str, context: Context) -> Reading:
    value = said.strip().replace("\0", "")
    if len(value) > LONGEST_TEXT:
        return Misunderstood(sentence=text(context.language, "Es muy largo. Escriba lo más importante."))
    return Understood(value=value)


def _time(question: Question, said: str, context: Context) -> Reading:
    found = context.when(said) if question.reads == "when" else context.until(said)
    if isinstance(found, When):
        echo = text(context.language, "Entendí: {when}.", when=found.echo)
        return Understood(value={"at": found.at.isoformat(), "echo": found.echo}, echo=echo)
    return Misunderstood(sentence=time_problem(found, context.language), near=found is not Misread.UNKNOWN and is_short(said))


def time_problem(problem: Misread, language: str) -> str:
    """The sentence for a time that gave no instant."""
    if problem is Misread.PAST:
        return text(language, "Esa fecha ya pasó. Escriba una que venga.")
    if problem is Misread.FAR:
        return text(language, "Esa fecha queda demasiado lejos. Escriba una más cercana.")
    return text(language, "No entendí la fecha. Por ejemplo: mañana a las 10, el lunes a las 3 de la tarde, 23/11 10:00.")


def agrees(said: str) -> bool:
    """Whether the whole of it is a plain yes to what was just suggested."""
    return fold(said) in ("si", "yes", "si por favor", "si gracias", "si eso")


def is_short(said: str) -> bool:
    """What somebody answers, rather than tells a colleague: few words and no question."""
    return len(words(said)) <= MOST_WORDS and not set(said) & set("?¿")


MOST_WORDS = 6
_YES = frozenset(["si", "s", "yes", "y", "si le explique", "explicado", "claro", "ok", "listo", "ya"])
_NO = frozenset(["no", "n", "todavia no", "aun no", "not yet", "no aun"])


def _yes(question: Question, said: str, context: Context, first: int) -> Reading:
    chosen = _numbers(question, said, context, first)
    if chosen == ["yes"] or fold(said) in _YES:
        return Understood(value=True)
    if chosen == ["no"] or fold(said) in _NO:
        calm = text(context.language, "Está bien. Léale el aviso con calma; cuando lo haya entendido, responda «sí».")
        return Misunderstood(sentence=calm, near=True)
    return Misunderstood(sentence=text(context.language, "No le entendí. Responda con un número, o «sí» o «no»."), near=_number_like(said))


def _listed(question: Question, said: str, context: Context, first: int) -> Reading:
    several = question.reads in ("institutions", "purposes", "fields") or question.field in context.several
    ids: tuple[str, ...] | list[str] | None = _numbers(question, said, context, first)
    unknown: tuple[str, Found] | None = None
    if ids is None and question.reads == "fields":
        ids, unknown = read_fields(said, context)
    elif ids is None:
        ids, unknown = _named(question, said, context, several)
    if unknown is not None:
        return _not_known(said, unknown, question, context)
    if not several and len(ids) != 1:
        return Misunderstood(sentence=text(context.language, "Aquí elija solo una."), near=True)
    if question.reads == "code" and ids:
        return Understood(value=",".join(ids))
    return Understood(value=ids[0]) if question.reads in ("mode", "teller", "how", "language", "basis") else Understood(value=list(ids))


def _all_but(question: Question, said: str, context: Context, holds: Holds) -> Reading:
    """`todo menos X`: what the protocol asks, less X. When X is not in it she may mean something else: what it holds is read to her."""
    ids, unknown = read_fields(said, context)
    slip = _not_known(said, unknown, question, context) if unknown is not None else None
    if slip is not None and slip.guess:
        return replace(slip, near=True)
    fields = less(ids, holds) if unknown is None else None
    without, shown = (re.sub(r"\s+", " ", clean(words_)).strip()[:LONGEST_NAME] for words_ in (all_but(said) or "", said))
    named = ", ".join(context.fields[name][0] if context.fields.get(name) else name for name in fields or holds if name in context.fields)
    if fields is None:
        sentence = text(context.language, "No sé qué quitar con «{given}». El protocolo pide: {fields}.", given=without or shown, fields=named or "—")
        return Misunderstood(sentence=sentence, near=True)
    return Understood(value=list(fields), echo=text(context.language, "Entendí todo lo que el protocolo pide, menos: {given}.", given=without))


def _named(question: Question, said: str, context: Context, several: bool) -> tuple[tuple[str, ...], tuple[str, Found] | None]:
    table = table_of(question, context)
    if not table and question.reads == "code":  # a vocabulary without codes for this field: her words are kept
        return (said.strip(),), None
    if several:
        return find_all(said, table)
    found = find(said, table, forgive=question.reads in ("code", "mode", "teller", "how", "language"))
    return ((found.id,), None) if found.id is not None else ((), (said.strip(), found))


def _numbers(question: Question, said: str, context: Context, first: int) -> list[str] | None:
    """The ids of `2` or `1, 3`, when every part is the number of an option; else `None`: they are words."""
    shown = options_of(question, context)
    numbers = [number - first for number in numbers_in(said)] if shown else []
    if not numbers:
        return None
    return list(dict.fromkeys(shown[n][0] for n in numbers)) if all(0 <= n < len(shown) for n in numbers) else None


def _number_like(said: str) -> bool:
    return all(part.isdecimal() for part in map(fold, split_list(said)))


def _not_known(said: str, unknown: tuple[str, Found], question: Question, context: Context) -> Misunderstood:
    given, found = unknown
    table = table_of(question, context)
    offered = [table[i][0] if table.get(i) else i for i in found.suggestions]
    shown = re.sub(r"\s+", " ", clean(given)).strip()[:LONGEST_NAME]
    slips = [i for i in found.suggestions if alike(given, i, table)]
    near = _number_like(said) or (question.reads == "fields" and leaves_out(said)) or (bool(slips) and is_short(said))
    if len(offered) == len(slips) == 1 and said.count(given) == 1:
        sentence = text(context.language, "No conozco «{given}». ¿Quiso decir: {names}? Si es eso, responda «sí».", given=shown, names=offered[0])
        return Misunderstood(sentence=sentence, near=near, guess=said.replace(given, offered[0]))
    if offered:
        sentence = text(context.language, "No conozco «{given}». ¿Quiso decir: {names}?", given=shown, names=", ".join(offered))
        return Misunderstood(sentence=sentence, near=near)
    sentence = text(context.language, "No conozco «{given}». Pruebe con otra palabra o con un número de la lista.", given=shown)
    return Misunderstood(sentence=sentence, near=near)
