"""The clock part of a spoken time: `a las 4 de la tarde`, `9 y media`, `18h`, `al mediodía` → time after midnight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

_PART = (
    r"(?:(?:de|por|en) (?:la )?(?P<part>manana|tarde|noche|madrugada)|in the (?P<part2>morning|afternoon|evening)"
    r"|at (?P<part3>night)|(?P<part4>am|pm)|del (?P<part5>mediodia|dia))"
)
_AT = r"(?:a eso de las?|a las?|al|desde las?|tipo|a partir de las?|las|at|from|@|a)"
_HOURS = r"(?:h|hs|hrs?|horas)"
_CLOCKS: tuple[str, ...] = (
    rf"(?:{_AT} )?(?P<word>mediodia|medianoche|noon|midday|midnight|medio dia|media noche)",
    rf"(?:{_AT} )?(?P<h>\d{{1,2}}) ?(?::|h) ?(?P<m>\d{{2}})(?::00)?(?: ?{_HOURS})?(?: (?:en punto|o'clock))?(?: ?{_PART})?",
    rf"{_AT} (?P<h>\d{{1,2}})\.(?P<m>\d{{2}})(?: ?{_HOURS})?(?: ?{_PART})?",
    rf"(?:{_AT} )(?P<h>\d{{1,2}}) (?P<frac>y media|y cuarto|menos cuarto|y \d{{1,2}})(?: ?{_PART})?",
    rf"(?:{_AT} )?(?P<h>\d{{1,2}}) ?{_HOURS}(?: ?{_PART})?",
    rf"(?:{_AT} )?(?P<h>\d{{1,2}}) ?{_PART}",
    rf"{_AT} (?P<h>\d{{1,2}})(?: (?:en punto|o'clock))?",
    r"(?:por|en|a|de) la (?P<vague>manana|tarde|noche)|in the (?P<vague2>morning|afternoon|evening)",
    r"(?P<first>a primera hora|temprano|first thing)",
)
_FRACTIONS = {"y media": 30, "y cuarto": 15, "menos cuarto": -15}
VAGUE = {"manana": 9, "morning": 9, "tarde": 15, "afternoon": 15, "noche": 20, "evening": 19, "night": 20}
DAY = timedelta(days=1)


def clocks(phrase: str) -> Iterator[tuple[str, timedelta]]:
    """Every way to cut a clock time off either end: (what remains, time after midnight), longest clock first."""
    for pattern in _CLOCKS:
        for whole in (rf"(?P<rest>.*?)(?: |^)(?:{pattern})$", rf"(?:{pattern})(?: (?:del?|of|on) | |$)(?P<rest>.*)"):
            found = re.fullmatch(whole, phrase)
            clock = _clock(found) if found is not None else None
            if found is not None and clock is not None:
                yield found["rest"].strip(), clock


def _clock(found: re.Match[str]) -> timedelta | None:
    """The time after midnight that a match of `_CLOCKS` says; 24 h is the midnight that ends the day."""
    vague, word, fraction = named(found, "vague"), named(found, "word"), named(found, "frac")
    if named(found, "first"):
        return timedelta(hours=8)
    if vague:
        return timedelta(hours=VAGUE[vague])
    if word:
        return timedelta(hours=24 if word in ("medianoche", "midnight", "media noche") else 12)
    hour = hour_of(named(found, "h"), named(found, "part"))
    minute = _FRACTIONS.get(fraction, int(fraction[2:] if fraction[2:].isdigit() else named(found, "m") or 0))
    return None if hour is None or minute > 59 else timedelta(hours=hour, minutes=minute)


def named(found: re.Match[str], name: str) -> str:
    """What the group `name`, or its further spellings `name2`, `name3` …, caught; empty when none did."""
    return next((v for k, v in found.groupdict().items() if v and k.rstrip("0123456789") == name), "")


_LATE = ("tarde", "noche", "pm", "afternoon", "evening", "night", "mediodia", "dia")


def hour_of(written: str, part: str) -> int | None:
    """The hour of the day (rule 3), or `None` when the two halves contradict each other (`15 de la mañana`)."""
    hour = int(written)
    if hour > 24 or (hour > 12 and part in ("manana", "madrugada", "am", "morning")):
        return None
    if part in _LATE:
        return 24 if hour == 12 and part in ("noche", "night") else hour if hour >= 12 else hour + 12
    if part:
        return 0 if hour == 12 and part in ("am", "madrugada") else hour
    return hour + 12 if 1 <= hour <= 6 and not written.startswith("0") else hour
