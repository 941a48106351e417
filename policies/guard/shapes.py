"""Signs with a shape of their own: e-mail, Matrix accounts, links, dates. Each is taken out before numbers are read."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from policies.guard.folding import Folded
from policies.guard.lexicon import Lexicon

_MXID = re.compile(r"(?<![\w@.])@[a-z0-9][\w.=+/-]{0,63}:(?:localhost|(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,24})(?::\d{1,5})?")
_DOMAIN = r"(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,12}"
_EMAIL = re.compile(rf"(?<![\w.+%-])[\w+%-](?:[\w.+%'-]{{0,62}}[\w+-])?@{_DOMAIN}(?![\w@])")
_HOUSES = "gmail|hotmail|outlook|yahoo|icloud|live|proton|protonmail"
_AT = rf"(?: ?@ ?| arroba | ?[(\[]{{1}}(?:at|arroba)[)\]] ?| at (?=(?:{_HOUSES})\b))"
_DOT = r"(?:\.| ?punto ?| ?[(\[]dot[)\]] ?| dot )"
_SPOKEN = re.compile(
    rf"(?<![\w.])[\w+-]{{1,40}}(?:(?:\.| punto | guion bajo | guion )[\w+-]{{1,40}}){{0,4}}{_AT}"
    rf"(?:(?:{_HOUSES})(?:{_DOT}[a-z]{{2,6}}){{0,2}}|[a-z0-9-]{{1,40}}(?:{_DOT}(?:com|pe|org|net|es|edu|gob|ve|co|ec|bo|cl|ar|mx)){{1,3}})(?!\w)"
)
_LINK = re.compile(r"(?<![\w@.])(?:https?://|www\.)?((?:[a-z0-9-]{1,40}\.){1,4}[a-z]{2,10})(?::\d{1,5})?(/[^\s<>\"«»]{0,300})?")
_POINT = re.compile(r"(?<![\d.])-?\d{1,2}\.\d{4,12}\s?[,;]\s?-?\d{2,3}\.\d{4,12}(?!\d)")
_HANDLE = re.compile(r"(?<![\w@.])@[a-z0-9_][\w.]{2,30}(?![\w:@])")
_LONG_DIGITS = re.compile(r"\d{7}")
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "enero ene january", "febrero feb february", "marzo mar march", "abril abr april", "mayo may", "junio jun june", "julio jul july",
            "agosto ago august", "setiembre septiembre set sep sept september", "octubre oct october", "noviembre nov november",
            "diciembre dic december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_DAY = re.compile(
    rf"(?<![\w/.-])(?:(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}})"
    rf"|(?P<d2>\d{{1,2}}) ?[-/.] ?(?P<m2>\d{{1,2}}|[a-z]{{3,10}}) ?[-/.] ?(?P<y2>\d{{4}}|\d{{2}})"
    rf"|(?P<d3>\d{{1,2}}|primero)(?:\.?o)?(?: de)? (?P<m3>{'|'.join(MONTHS)})\b(?:\.?,? (?:de |del )?(?:ano )?(?P<y3>\d{{4}}|\d{{2}}))?)(?![\w/])"
)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A sign, by its place in the folded text."""

    what: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Day:
    """A date as written; `on` is None when the year is not, or when there is no such day."""

    start: int
    end: int
    on: date | None
    year: int | None


def signs(folded: Folded, lexicon: Lexicon) -> Iterator[Shape]:
    """E-mail, Matrix accounts, links that name somebody, points on a map, accounts on social networks."""
    text = folded.text
    for what, pattern in (("mxid", _MXID), ("email", _EMAIL), ("email", _SPOKEN), ("address", _POINT)):
        found = (Shape(what=what, start=m.start(), end=m.end()) for m in pattern.finditer(text))
        yield from (one for one in found if what != "email" or not _of_office(text[one.start : one.end], lexicon))
    if "." in text:
        yield from (Shape(what="url", start=m.start(), end=m.end()) for m in _LINK.finditer(text) if _names_somebody(m, lexicon))
    if "@" in text:
        social = sorted(folded.tokens[last - 1].end for _, last in lexicon.cues["social"].occurrences(folded)) if "social" in lexicon.cues else []
        for m in _HANDLE.finditer(text):
            if _any_in(social, m.start() - 25, m.start()) or _any_in(social, m.end(), m.end() + 30):
                yield Shape(what="url", start=m.start(), end=m.end())


def _any_in(ends: Sequence[int], least: int, most: int) -> bool:
    place = bisect_left(ends, least)
    return place < len(ends) and ends[place] <= most


def _of_office(address: str, lexicon: Lexicon) -> bool:
    host = address.rpartition("@")[2]
    return any(host == one or host.endswith(f".{one}") for one in lexicon.public_domains)


def links(text: str) -> Iterator[tuple[int, int]]:
    """Every link, whoever it names: no number in it is read as somebody's."""
    yield from (m.span() for m in _LINK.finditer(text) if m[2] or m[0].startswith(("http", "www.")))


def _names_somebody(found: re.Match[str], lexicon: Lexicon) -> bool:
    host, path = found[1], (found[2] or "").strip("/.,;)")
    known = any(host == one or host.endswith(f".{one}") for one in lexicon.identity_hosts)
    return bool(path) and (known or "@" in path or _LONG_DIGITS.search(path) is not None)


def days(text: str) -> Iterator[Day]:
    """Every date."""
    for m in _DAY.finditer(text):
        year, month, day = (m["y"] or m["y2"] or m["y3"]), (m["m"] or m["m2"] or m["m3"]), (m["d"] or m["d2"] or m["d3"])
        number = int(month) if month.isdecimal() else MONTHS.get(month)
        if number is None or not 1 <= number <= 12:
            continue
        full = full_year(year)
        yield Day(start=m.start(), end=m.end(), on=dated(full, number, 1 if day == "primero" else int(day)), year=full)


def full_year(written: str | None) -> int | None:
    """The year of two digits or four."""
    if written is None:
        return None
    number = int(written)
    return number if len(written) == 4 else (1900 + number if number > 30 else 2000 + number)


def dated(year: int | None, month: int, day: int) -> date | None:
    """That day, if there is one."""
    try:
        return date(year, month, day) if year is not None else None
    except ValueError:
        return None
