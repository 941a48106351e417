"""The words of dates and times in Spanish and English, folded, and the first tidying of a phrase."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta, timezone

from hub.chat.fold import fold

NUMBERS = {
    "un": 1, "una": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7, "ocho": 8, "nueve": 9,
    "diez": 10, "once": 11, "doce": 12, "trece": 13, "catorce": 14, "quince": 15, "veinte": 20, "treinta": 30,
    "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "noventa": 90, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5,
    "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20,
    "thirty": 30, "sixty": 60, "ninety": 90,
}  # fmt: skip
WEEKDAYS = [
    ("lunes", "lun", "monday", "mon"), ("martes", "mar", "tuesday", "tue", "tues"), ("miercoles", "mie", "wednesday", "wed"),
    ("jueves", "jue", "thursday", "thu", "thurs"), ("viernes", "vie", "friday", "fri"),
    ("sabado", "sab", "saturday", "sat"), ("domingo", "dom", "sunday", "sun"),
]  # fmt: skip
MONTHS = [
    ("enero", "ene", "january", "jan"), ("febrero", "feb", "february"),
    ("marzo", "mar", "march"), ("abril", "abr", "april", "apr"),
    ("mayo", "may"), ("junio", "jun", "june"), ("julio", "jul", "july"), ("agosto", "ago", "august", "aug"),
    ("septiembre", "setiembre", "set", "sep", "sept", "september"), ("octubre", "oct", "october"),
    ("noviembre", "nov", "november"),
    ("diciembre", "dic", "december", "dec"),
]  # fmt: skip
WEEKDAY_OF = {name: index for index, names in enumerate(WEEKDAYS) for name in names}
MONTH_OF = {name: index + 1 for index, names in enumerate(MONTHS) for name in names}
UNITS = {
    "minute": ("minuto", "minutos", "min", "mins", "minute", "minutes"),
    "hour": ("hora", "horas", "hr", "hrs", "h", "hour", "hours"),
    "day": ("dia", "dias", "day", "days"),
    "week": ("semana", "semanas", "week", "weeks"),
    "fortnight": ("quincena", "quincenas"),
    "month": ("mes", "meses", "month", "months"),
    "year": ("ano", "anos", "year", "years"),
}
UNIT_OF = {name: unit for unit, names in UNITS.items() for name in names}


def _any(names: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(names, key=len, reverse=True)) + ")"


WEEKDAY, MONTH, UNIT = _any(WEEKDAY_OF), _any(MONTH_OF), _any(UNIT_OF)


def tidy(text: str) -> tuple[str, timezone | None]:
    """Folded words with digits for number words, without the `(Lima)` of an echo; its offset when it has one."""
    phrase = fold(text.replace("ª", "").replace("º", ""))
    inside = re.search(r"\(?[^()]*,? ?utc([+-])(\d\d):(\d\d)\)?$", phrase)
    offset = None
    if inside is not None:
        span = timedelta(hours=int(inside[2]), minutes=int(inside[3]))
        offset = timezone(-span if inside[1] == "-" else span) if span < timedelta(hours=24) else None
    phrase = re.sub(r"\([^()]*\)?$", "", phrase)
    phrase = re.sub(r"\b([ap])\.? ?m\b\.?", r"\1m", re.sub(r"(?<=\d)t(?=\d)", " ", phrase))
    phrase = re.sub(r"(?<=[a-z])[.,]|[,;!?¡¿]+(?= |$)", " ", phrase)
    phrase = re.sub(r"\b(veinti|treinta y |cuarenta y |cincuenta y )(\w+)\b", _compound, phrase)
    phrase = re.sub(r"\b(?:a|an) (?=" + UNIT + r"\b)", "1 ", phrase)
    phrase = re.sub(r"\b[a-z]+\b", lambda m: str(NUMBERS[m[0]]) if m[0] in NUMBERS else m[0], phrase)
    return re.sub(r"\s+", " ", phrase).strip(" .,;-"), offset


def _compound(match: re.Match[str]) -> str:
    tens = {"veinti": 20, "treinta y ": 30, "cuarenta y ": 40, "cincuenta y ": 50}[match[1]]
    ones = NUMBERS.get(match[2], 0)
    return str(tens + ones) if 0 < ones < 10 else match[0]
