"""Numbers and dates in words, as a voice dictates them: «nueve doble cero», «el tres de mayo del noventa y uno»."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.guard.folding import Token, listed
from policies.guard.shapes import MONTHS, Day, dated, full_year

_UNITS = {word: str(n) for n, word in enumerate(listed("cero uno dos tres cuatro cinco seis siete ocho nueve"))} | {"una": "1", "un": "1"}
_TEENS = {
    word: str(n)
    for n, word in enumerate(
        listed(
            "diez once doce trece catorce quince dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro "
            "veinticinco veintiseis veintisiete veintiocho veintinueve"
        ),
        start=10,
    )
}
_TENS = {word: str(n) for n, word in enumerate(listed("treinta cuarenta cincuenta sesenta setenta ochenta noventa"), start=3)}
_HUNDREDS = {
    word: str(n)
    for n, words in enumerate(
        listed(
            "cien|ciento doscientos|doscientas trescientos|trescientas cuatrocientos|cuatrocientas quinientos|quinientas seiscientos|seiscientas "
            "setecientos|setecientas ochocientos|ochocientas novecientos|novecientas"
        ),
        start=1,
    )
    for word in words.split("|")
}
_TIMES = {"doble": 2, "triple": 3}


def spoken(tokens: Sequence[Token], place: int) -> tuple[str, int] | None:
    """A number in words below a thousand, and the place after it: «nueve», «cincuenta y seis», «ciento veintitrés», «doble cero»."""
    word, following = tokens[place], place + 1
    if word.text in _TIMES:
        digit = _digit(tokens[following].text) if following < len(tokens) and tokens[following].start - word.end == 1 else None
        return (digit * _TIMES[word.text], following + 1) if digit else None
    if word.text not in _HUNDREDS:
        return _below_hundred(tokens, place)
    beside = following < len(tokens) and tokens[following].start - word.end == 1
    rest = _below_hundred(tokens, following) if beside else None
    return (_HUNDREDS[word.text] + rest[0].zfill(2), rest[1]) if rest else (f"{_HUNDREDS[word.text]}00", following)


def _below_hundred(tokens: Sequence[Token], place: int) -> tuple[str, int] | None:
    word = tokens[place].text
    if word in _UNITS or word in _TEENS:
        return _UNITS.get(word) or _TEENS[word], place + 1
    if word not in _TENS:
        return None
    with_unit = place + 2 < len(tokens) and tokens[place + 1].text == "y" and tokens[place + 2].text in _UNITS
    return (_TENS[word] + _UNITS[tokens[place + 2].text], place + 3) if with_unit else (f"{_TENS[word]}0", place + 1)


def _digit(word: str) -> str | None:
    return _UNITS.get(word) or (word if len(word) == 1 and word in "0123456789" else None)


def spelt_days(tokens: Sequence[Token]) -> Iterator[Day]:
    """Every date with its day or its year in words."""
    for at in range(1, len(tokens) - 1):
        if tokens[at].text == "de" and tokens[at + 1].text in MONTHS:
            day, first, told = _day(tokens, at - 1)
            year, last, said = _year(tokens, at + 2)
            if day and (told or said):
                full = full_year(year)
                yield Day(
                    start=tokens[first].start, end=tokens[last - 1].end, on=dated(full, MONTHS[tokens[at + 1].text], int(day)), year=full,
                )  # fmt: skip


def _day(tokens: Sequence[Token], last: int) -> tuple[str | None, int, bool]:
    """The day whose last word this is, the place of its first, and whether it is in words."""
    if tokens[last].text.isdecimal():
        return (tokens[last].text, last, False) if len(tokens[last].text) <= 2 else (None, last, False)
    if tokens[last].text in ("primero", "primer"):
        return "1", last, True
    for first in (last - 2, last):  # «treinta y uno», «tres»
        said = _below_hundred(tokens, first) if first >= 0 else None
        if said and said[1] == last + 1 and 1 <= int(said[0]) <= 31:
            return said[0], first, True
    return None, last, False


def _year(tokens: Sequence[Token], at: int) -> tuple[str | None, int, bool]:
    """The year that may follow a month, the place after it, and whether it is in words."""
    first = at
    while first < len(tokens) and first - at < 3 and tokens[first].text in ("de", "del", "ano"):
        first += 1
    if first < len(tokens) and tokens[first].text.isdecimal() and len(tokens[first].text) in (2, 4):
        return tokens[first].text, first + 1, False
    said = _thousands(tokens, first) if at < first < len(tokens) else None
    return (said[0], said[1], True) if said else (None, at, False)


def _thousands(tokens: Sequence[Token], at: int) -> tuple[str, int] | None:
    """«noventa y uno», «mil novecientos noventa y uno», «dos mil uno»."""
    head = {"mil": "1", "dos": "2"}.get(tokens[at].text)
    rest = at + (1 if head == "1" else 2)
    if head == "2" and (rest > len(tokens) or tokens[rest - 1].text != "mil"):
        return None
    if head is None:
        short = _below_hundred(tokens, at)
        return short if short and len(short[0]) == 2 else None
    more = spoken(tokens, rest) if rest < len(tokens) else None
    return (head + more[0].zfill(3), more[1]) if more else (f"{head}000", rest)
