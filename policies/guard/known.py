"""Values of the case that the readers may not have: found in another order, with other spelling, spacing and signs, and with one slip of the finger.

A name is looked for as two of its parts beside each other, in any order, or as one part that is no word of every day; a number as its digits,
wherever the groups are cut or spelt out; an address as its street and its number. At most one edit is forgiven for each, found by halves: one of
two halves of what has one edit stands in it unchanged. So the search is as long as the text, not as its square.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import permutations

from rapidfuzz.distance import OSA

from policies.guard.folding import Folded, Token, listed, plain
from policies.guard.lexicon import Lexicon
from policies.guard.numbers import rows
from policies.guard.shapes import Day, days
from policies.guard.spelt import spelt_days, spoken
from policies.guard.verdict import Found

MOST_PARTS = 6
SHORTEST_DIGITS, SHORTEST_FUZZY, SHORTEST_ALONE = 6, 7, 4
MOST_BETWEEN = 3
"""Signs between two letters of a word that is spelt."""
_PARTICLES = frozenset(listed("de del la las los el y e da do dos"))
_ADDRESS_NOISE = frozenset(
    listed(
        "jr jiron av avda avenida psje pje pasaje calle ca cl mz mza manzana lt lte lote urb urbanizacion aahh aa hh asentamiento humano nro "
        "no num numero n dpto departamento int interior piso block de del la las los el "
        "al altura puerta casa"
    )
)
_PIECE = re.compile(r"[^\W_]")
_SEPARATED = re.compile(r"\d(?:[\W_]{0,3}[a-z]?[\W_]{0,3}\d)*")
_ROUND = re.compile(r"(?<![^\W_])\d[\doli]*(?:[ ._-][\doli]+)+(?![^\W_])")
"""«4O.OOO.O17»: groups of digits, some of them letters that look so."""
_ROUND_DIGITS = str.maketrans("oli", "011")


@dataclass(frozen=True, kw_only=True)
class Known:
    """One value of one field. Never shown: it stands in nothing that is printed."""

    field: str
    value: str = dataclasses.field(repr=False)


def known_values(folded: Folded, values: Sequence[Known], lexicon: Lexicon) -> Iterator[Found]:
    """Where any of these values stands, by the form that its field has."""
    if not values:
        return
    page = _Page(folded)
    for known in values:
        look = _FORMS.get(lexicon.fields.get(known.field, ""))
        for start, end in look(page, known.value, lexicon) if look else ():
            first, last = folded.span(start, end)
            yield Found(sort="known", what=known.field, start=first, end=last)


@dataclass(frozen=True, kw_only=True)
class _Squashed:
    """Only the letters and digits of a text, and where each stood."""

    text: str
    at: tuple[int, ...]

    @classmethod
    def of(cls, text: str, places: Iterator[int]) -> _Squashed:
        kept = tuple(places)
        return cls(text="".join(text[place] for place in kept), at=kept)

    def span(self, start: int, end: int) -> tuple[int, int]:
        return self.at[start], self.at[end - 1] + 1


class _Page:
    """The text as each form reads it, made once for all the values: in a coordination room there are hundreds."""

    def __init__(self, folded: Folded) -> None:
        self.folded = folded

    @cached_property
    def letters(self) -> _Squashed:
        """Only letters and digits."""
        return _Squashed.of(self.folded.text, (place for place, sign in enumerate(self.folded.text) if sign.isalnum()))

    @cached_property
    def places(self) -> _Squashed:
        """Without «jr.», «nro.» and the like."""
        kept = (token for token in self.folded.tokens if token.text not in _ADDRESS_NOISE)
        return _Squashed.of(self.folded.text, (place for token in kept for place in range(token.start, token.end)))

    @cached_property
    def spelt_places(self) -> _Squashed:
        """The same with its numbers in digits: «claveles cuatrocientos cincuenta y ocho»."""
        tokens, text, at, place = self.folded.tokens, "", list[int](), 0
        while place < len(tokens):
            token, said = tokens[place], spoken(tokens, place)
            if said:
                text, place = text + said[0], said[1]
                at += [token.start] * (len(said[0]) - 1) + [tokens[place - 1].end - 1]
                continue
            place += 1
            if token.text not in _ADDRESS_NOISE:
                text += token.text
                at += range(token.start, token.end)
        return _Squashed(text=text, at=tuple(at))

    @cached_property
    def lone_letters(self) -> tuple[_Squashed, ...]:
        """Words spelt letter by letter: «y e s e n i a»."""
        rows: list[list[int]] = []
        last: Token | None = None
        for token in self.folded.tokens:
            if len(token.text) == 1 and token.text.isalpha():
                if last is None or token.start - last.end > MOST_BETWEEN:
                    rows.append([])
                rows[-1].append(token.start)
            last = token if len(token.text) == 1 and token.text.isalpha() else None
        return tuple(_Squashed.of(self.folded.text, iter(row)) for row in rows if len(row) >= SHORTEST_ALONE)

    @cached_property
    def digits(self) -> tuple[_Squashed, ...]:
        """Digits with hardly anything between them; and spelt ones."""
        return tuple(row for row in _digit_rows(self.folded) if len(row.text) >= SHORTEST_DIGITS - 1)

    @cached_property
    def days(self) -> tuple[Day, ...]:
        """Every date."""
        return (*days(self.folded.text), *spelt_days(self.folded.tokens))


def _near(text: str, wanted: str, edits: int) -> Iterator[tuple[int, int]]:
    """Where `wanted` stands in `text` with at most one edit (a letter too many, too few, another, or two swapped)."""
    if not edits:
        yield from _exact(text, wanted)
        return
    middle, seen = len(wanted) // 2, set[int]()
    for half, offset in ((wanted[:middle], 0), (wanted[middle:], middle)):
        for start, _ in _exact(text, half):
            first = max(0, start - offset)
            if first not in seen:
                seen.add(first)
                yield from _best(text, wanted, first)
    # two letters swapped across the middle leave neither half whole
    swapped = wanted[: middle - 1] + wanted[middle] + wanted[middle - 1] + wanted[middle + 1 :]
    yield from _exact(text, swapped)


def _exact(text: str, wanted: str) -> Iterator[tuple[int, int]]:
    start = text.find(wanted)
    while start >= 0:
        yield start, start + len(wanted)
        start = text.find(wanted, start + 1)


def _best(text: str, wanted: str, first: int) -> Iterator[tuple[int, int]]:
    """The stretch about `first` that is nearest to `wanted`, if it is near enough."""
    size = len(wanted)
    stretches = [(first + shift, first + shift + size + longer) for shift in (0, -1, 1) for longer in (0, 1, -1)]
    fitting = [(OSA.distance(text[a:b], wanted, score_cutoff=1), a, b) for a, b in stretches if 0 <= a < b <= len(text)]
    distance, start, end = min(fitting, key=lambda one: one[0], default=(2, 0, 0))
    if distance <= 1:
        yield start, end


# --- names


def _names(page: _Page, value: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    parts = [part for part in re.findall(r"[^\W\d_]+", plain(value)) if part not in _PARTICLES and len(part) > 1][:MOST_PARTS]
    for one, other in permutations(parts, 2):
        wanted = one + other
        if len(wanted) >= 5:
            yield from (
                page.letters.span(start, end)
                for start, end in _near(page.letters.text, wanted, 1 if len(wanted) >= SHORTEST_FUZZY else 0)
                if _at_words(page.folded.text, *page.letters.span(start, end))
            )
    yield from _one_part(page.folded, parts, lexicon)
    long = [part for part in parts if len(part) > SHORTEST_ALONE]
    yield from (row.span(*span) for row in page.lone_letters for part in long for span in _exact(row.text, part))


def _at_words(text: str, start: int, end: int) -> bool:
    """Whether it begins or ends as a word does; the other end may carry the slip."""
    begins = start == 0 or not text[start - 1].isalnum() or (start > 1 and not text[start - 2].isalnum())
    ends = end >= len(text) or not text[end].isalnum() or end + 1 >= len(text) or not text[end + 1].isalnum()
    return begins and ends


def _one_part(folded: Folded, parts: list[str], lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """A part alone: unless it is a word of every day, or a name that half the country bears and stands in small letters."""
    for token in folded.tokens:
        for part in parts:
            if token.text == part and len(part) >= SHORTEST_ALONE:
                capital = folded.capital(token.start) and not folded.opens_sentence(token.start)
                if part not in lexicon.ordinary or capital:
                    yield token.start, token.end
            elif _slipped(folded, token, part, lexicon):
                yield token.start, token.end


def _slipped(folded: Folded, token: Token, part: str, lexicon: Lexicon) -> bool:
    """A long part with one slip, written with a capital: in small letters too many words are that near to a name."""
    if len(part) < 6 or abs(len(token.text) - len(part)) > 1 or not folded.capital(token.start):
        return False
    return token.text not in lexicon.ordinary and token.text not in lexicon.names and OSA.distance(token.text, part, score_cutoff=1) <= 1


# --- numbers, codes, accounts


def _digits(page: _Page, value: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    wanted = re.sub(r"\D", "", plain(value))
    forms = {wanted, wanted[-9:]} if len(wanted) > 9 else {wanted}
    for row in page.digits:
        for form in forms:
            if len(form) >= SHORTEST_DIGITS:
                yield from (row.span(start, end) for start, end in _near(row.text, form, 1 if len(form) >= SHORTEST_FUZZY else 0))
    if not wanted.isdigit() or re.search(r"[^\W\d_]", value):
        yield from _code(page, value, lexicon)


def _digit_rows(folded: Folded) -> Iterator[_Squashed]:
    """Digits with hardly anything between them; and spelt ones."""
    text = folded.text
    for m in _SEPARATED.finditer(text):
        yield _Squashed.of(text, (place for place in range(m.start(), m.end()) if text[place].isdigit()))
    for m in _ROUND.finditer(text):
        kept = tuple(place for place in range(m.start(), m.end()) if text[place].isalnum())
        yield _Squashed(text="".join(text[place] for place in kept).translate(_ROUND_DIGITS), at=kept)
    for row in rows(text, folded.tokens):
        if any(group.spelt for group in row):
            places = [group.start if at == 0 else group.end - 1 for group in row for at in range(len(group.digits))]
            yield _Squashed(text="".join(group.digits for group in row), at=tuple(places))


def _code(page: _Page, value: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    wanted = "".join(_PIECE.findall(plain(value)))
    if len(wanted) >= SHORTEST_DIGITS:
        near = _near(page.letters.text, wanted, 1 if len(wanted) > 7 else 0)
        yield from (page.letters.span(start, end) for start, end in near if _at_words(page.folded.text, *page.letters.span(start, end)))


def _email(page: _Page, value: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    user, _, host = plain(value).strip().partition("@")
    house = host.partition(".")[0]
    for middle, dot in (("", ""), ("arroba", ""), ("arroba", "punto"), ("", "punto"), ("at", "")):
        wanted = "".join(_PIECE.findall(user)) + middle + house + dot + "".join(_PIECE.findall(host.partition(".")[2]))
        yield from (page.letters.span(*span) for span in _near(page.letters.text, wanted, 1))
    account = "".join(_PIECE.findall(user))
    if len(account) >= 8:
        yield from (page.letters.span(*span) for span in _near(page.letters.text, account, 0))


# --- places and days


def _address(page: _Page, value: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Its words without «jr.», «nro.» and the like, up to the first number; in the text the same are passed over."""
    parts = [part for part in re.findall(r"[^\W\d_]+|\d+", plain(value)) if part not in _ADDRESS_NOISE]
    number = next((place for place, part in enumerate(parts) if part.isdigit() and place > 0), len(parts) - 1)
    whole = "".join(parts[: number + 1])
    wanted = {whole} | {"".join(parts[place : number + 1]) for place in range(1, number) if len(parts[place]) > 3}
    for form in wanted:
        if len(form) >= SHORTEST_DIGITS:
            for words in (page.places, page.spelt_places):
                yield from (words.span(*span) for span in _near(words.text, form, 1 if len(form) > 7 else 0))


def _date(page: _Page, value: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    wanted = _iso(value) or next((day.on for day in days(plain(value)) if day.on), None)
    yield from ((day.start, day.end) for day in page.days if day.on is not None and day.on == wanted)


def _iso(value: str) -> date | None:
    try:
        return date.fromisoformat(value.strip()[:10])
    except ValueError:
        return None


def _free(page: _Page, value: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """A text that names somebody and how to reach them («Julia, su hermana, 987…»): its names and its numbers."""
    for digits in re.findall(r"\d[\d .-]{4,}\d", value):
        yield from _digits(page, digits, lexicon)
    name = re.match(r"\s*((?:[A-ZÁÉÍÓÚÑ][\w']+(?:\s+(?:de|la|del|los)\s+|\s+)?){1,5})", value)
    if name and len(name[1].split()) > 1:
        yield from _names(page, name[1], lexicon)


_FORMS = {"name": _names, "digits": _digits, "code": _code, "email": _email, "address": _address, "date": _date, "free": _free}
