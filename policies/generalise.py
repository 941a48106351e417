"""Named generalisations: what a value becomes when a protocol lets only its outline leave.

Every one is total: text and `today` in, text or None out. None means "this cannot be generalised", and the field is withheld.
Initials are not among them on purpose: in a small district two letters and an age are a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from policies.places import NOWHERE, Country, plain

MAX_VALUE = 8000
"""Characters; a longer value is neither generalised nor held (P05)."""

_BANDS = ((0, "0-11"), (12, "12-17"), (18, "18-29"), (30, "30-44"), (45, "45-59"), (60, "60+"))
AGE_BANDS = tuple(name for _, name in _BANDS)

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_SUMMARY = re.compile(r"^\s*(?:resumen|summary)\s*:\s*(\S.*)$", re.IGNORECASE | re.MULTILINE)


def _born(value: str) -> date | None:
    match = _DATE.fullmatch(value)
    return date(*(int(part) for part in match.groups())) if match else None


def _years(value: str, today: date) -> int | None:
    born = _born(value)
    if born is not None:
        age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    elif value.isascii() and value.isdigit() and len(value) <= 3:
        age = int(value)
    else:
        return None
    return age if 0 <= age <= 120 else None


def _age_band(value: str, today: date, country: Country) -> str | None:
    years = _years(value, today)
    return None if years is None else next(name for start, name in reversed(_BANDS) if years >= start)


def _adult_or_minor(value: str, today: date, country: Country) -> str | None:
    years = _years(value, today)
    return None if years is None else ("adult" if years >= 18 else "minor")


def _year_only(value: str, today: date, country: Country) -> str | None:
    born = _born(value)
    return str(born.year) if born is not None else None


def _province(value: str, today: date, country: Country) -> str | None:
    place = country.place_of(value)
    return place.province if place else None


def _region(value: str, today: date, country: Country) -> str | None:
    place = country.place_of(value)
    return place.region if place else None


def _first(value: str, today: date, country: Country) -> str | None:
    parts = [part.strip() for part in re.split(r"[;\n]", value)]
    return parts[0] if parts and parts[0] else None


def _count(value: str, today: date, country: Country) -> str | None:
    if value.isascii() and value.isdigit() and len(value) <= 2:
        return str(int(value))
    parts = [part for part in re.split(r"[,;\n]", value) if part.strip()]
    return str(len(parts)) if parts else None


def _present(value: str, today: date, country: Country) -> str | None:
    return "present" if value else None


def _national_or_foreign(value: str, today: date, country: Country) -> str | None:
    word = plain(value)
    if not country.nationals or word in ("", "unknown", "desconocida", "no sabe"):
        return None
    return "national" if word in country.nationals else "foreign"


def _summary(value: str, today: date, country: Country) -> str | None:
    # A machine that cuts a text cannot know what it left in; only a line that a person wrote as a summary is one.
    match = _SUMMARY.search(value)
    return match.group(1).strip()[:600] if match else None


@dataclass(frozen=True, kw_only=True)
class Generalisation:
    """One named way to say less. `openness` orders them when two rules name different ones: higher shows more."""

    name: str
    openness: int
    es: str
    en: str
    apply: Callable[[str, date, Country], str | None]


def _named(name: str, openness: int, es: str, en: str, apply: Callable[[str, date, Country], str | None]) -> tuple[str, Generalisation]:
    return name, Generalisation(name=name, openness=openness, es=es, en=en, apply=apply)


GENERALISATIONS: dict[str, Generalisation] = dict((
    _named("present", 10, "solo si hay o no", "only whether there is any", _present),
    _named("adult_or_minor", 20, "solo si es mayor de edad", "only whether adult", _adult_or_minor),
    _named("national_or_foreign", 20, "solo si es nacional o extranjera", "only whether national or foreign", _national_or_foreign),
    _named("count", 30, "solo cuántas", "only how many", _count),
    _named("region", 30, "solo la región", "only the region", _region),
    _named("age_band", 40, "solo el grupo de edad", "only the age band", _age_band),
    _named("province", 40, "solo la provincia", "only the province", _province),
    _named("year_only", 50, "solo el año", "only the year", _year_only),
    _named("summary", 60, "solo el resumen", "only the summary", _summary),
    _named("first_contact_only", 70, "solo el primer contacto", "only the first contact", _first),
))  # fmt: skip


def generalise(name: str, value: str, today: date, country: Country = NOWHERE) -> str | None:
    """Apply the generalisation `name`, with the places and nationality of `country`.

    None (withhold) for an unknown name, an empty or overlong value, or one it cannot read."""
    how = GENERALISATIONS.get(name)
    if how is None or not value.strip() or len(value) > MAX_VALUE:
        return None
    try:
        return how.apply(value.strip(), today, country)
    except (ValueError, OverflowError, TypeError):
        return None
