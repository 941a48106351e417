"""Time as people say it, in Spanish and English: `el viernes a las 4 de la tarde` → an instant and a reading to echo.

Pure: `now` and the zone come in. Two halves: what the *clock* part says (`clocks.py`) and what the *day* part says
(`days.py`), each one table of patterns. Rules where speech is open, all of them visible in the echo:

1. A day without an hour means 09:00 (23:59 when a last day is asked, as in "consent until").
2. A day without a year, a weekday, an hour without a day: the next one. A weekday never means today; `este lunes` may.
3. `a las 3` with nothing else is 15:00 (1 to 6 are afternoon hours in an office); `03:00` with its zero is what it says.
4. `23/11` is day, then month, in both languages.
5. A past instant is refused, never moved. A wall time that a clock change skips moves forward by the gap; of one that
   happens twice the first still to come is taken, and the echo carries the offset.

Own patterns rather than a library: `dateparser` fails on "pasado mañana" and "el lunes a las 10" (`dependencies.md` §3).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from hub.base import i18n
from hub.cases.commands import When
from hub.chat.clocks import DAY, VAGUE, clocks, hour_of, named
from hub.chat.days import DAYS, Frame
from hub.chat.fold import fold
from hub.chat.timewords import UNIT, UNIT_OF, tidy

START_OF_DAY = time(9, 0)
END_OF_DAY = time(23, 59)
_FARTHEST = timedelta(days=366 * 20)
_LONGEST = 120


class Misread(Enum):
    """Why no instant came out of the words."""

    UNKNOWN = "unknown"
    """Not understood, or it may mean two things."""
    PAST = "past"
    """Understood, but it is over."""
    FAR = "far"
    """More than twenty years ahead."""


def understand(text: str, *, now: datetime, zone: ZoneInfo, language: str = "es", default: time = START_OF_DAY) -> When | None:
    """The instant that `text` names, strictly after `now`, or `None`; see `read` for the reason."""
    found = read(text, now=now, zone=zone, language=language, default=default)
    return found if isinstance(found, When) else None


def understand_until(text: str, *, now: datetime, zone: ZoneInfo, language: str = "es") -> When | Misread:
    """The end of a span: `3 meses`, `hasta el 31 de diciembre`, `un año`. A day counts to its end (23:59)."""
    bare = re.sub(r"^(?:(?:hasta|por|durante|until|till|for|up to|the next|los proximos|las proximas) )+", "", fold(text))
    return read(bare, now=now, zone=zone, language=language, default=END_OF_DAY)


def read(text: str, *, now: datetime, zone: ZoneInfo, language: str = "es", default: time = START_OF_DAY) -> When | Misread:
    """The instant that `text` names, with the reading to echo (weekday, date, time, city), or why there is none.

    `now` is aware; the instant is UTC, to the minute, strictly after `now`.
    """
    if len(text) > _LONGEST:
        return Misread.UNKNOWN
    phrase, offset = tidy(text)
    frame = Frame(now=now, zone=zone, language=i18n.language(language), default=default, offset=offset)
    try:
        at = _exact_span(phrase, frame) or _wall_time(phrase, frame)
    except (OverflowError, ValueError):  # 31/02, or a span longer than the calendar: not a time
        return Misread.UNKNOWN
    if not isinstance(at, datetime):
        return at
    if at <= now:
        return Misread.PAST
    return Misread.FAR if at - now > _FARTHEST else When(at=at, echo=i18n.date(frame.language, at, zone, now=now))


# --- spans counted from now: `en 2 horas`


_SPAN = r"(?:en|dentro de|de aqui a|de aca a|in|within|after)? ?"


def _exact_span(phrase: str, frame: Frame) -> datetime | None:
    """`en 2 horas y media`: from this very minute on, as a person counts who looks at the clock: at 10:00:42 `en 1 minuto` is 10:01."""
    start = math.floor(frame.now.timestamp() / 60) * 60
    half = re.fullmatch(_SPAN + r"(?:media hora|half 1 hour|half an hour)", phrase)
    if half is not None:
        return datetime.fromtimestamp(start + 1800, UTC)
    more = r"( y media| y (?:cuarto|15)| and a half)?(?: y (\d{1,4}) ?(?:min|minutos?))?"
    found = re.fullmatch(rf"{_SPAN}(\d{{1,6}}) ?({UNIT}){more}", phrase)
    if found is None or UNIT_OF[found[2]] not in ("minute", "hour") or re.fullmatch(r"\d+ ?h", phrase):  # `18h`: the clock
        return None
    scale = 60 if UNIT_OF[found[2]] == "minute" else 3600
    part = {None: 0, " y cuarto": scale // 4, " y 15": scale // 4}.get(found[3], scale // 2)
    return datetime.fromtimestamp(start + int(found[1]) * scale + part + int(found[4] or 0) * 60, UTC)


# --- a day and a clock, in either order


def _wall_time(phrase: str, frame: Frame) -> datetime | Misread:
    """Day and clock, in either order; a day alone takes the default hour, a clock alone the next such hour."""
    past = False
    for rest, clock in (*clocks(phrase), (phrase, None)):
        for days in _days(re.sub(r"(?: a| at| desde| on| @| -)$", "", rest).strip(" ,-"), frame, clock):
            chosen = [at for at in days if at > frame.now]
            if chosen:
                return chosen[0]
            past = past or bool(days)
    return Misread.PAST if past else Misread.UNKNOWN


def _days(rest: str, frame: Frame, clock: timedelta | None) -> Iterator[list[datetime]]:
    """For each reading of the day: its instants in order, the first one still to come counts."""
    if not rest:
        if clock is not None:
            yield [_at(frame, frame.today + n * DAY, clock) for n in (0, 1)]
        return
    for pattern, reading in DAYS:
        found = re.fullmatch(pattern, rest)
        if found is not None:
            forced = _clock_of_day(found) if clock is None else clock
            dates = reading(found, frame)
            if dates:
                yield [_at(frame, day, forced) for day in dates]


def _clock_of_day(found: re.Match[str]) -> timedelta | None:
    """The clock that a day phrase itself carries: `esta noche`, `hoy 18`."""
    part, bare = named(found, "tonight"), named(found, "bare")
    if part:
        return timedelta(hours=VAGUE.get(part, 20))
    hour = hour_of(bare, "") if bare else None
    return timedelta(hours=hour) if hour is not None else None


def _at(frame: Frame, day: date, clock: timedelta | None) -> datetime:
    if clock is None:
        return frame.instant(day, frame.default)
    return frame.instant(day + clock // DAY * DAY, (datetime.min + clock % DAY).time())


def echo_again(when: When, *, now: datetime, zone: ZoneInfo, language: str) -> When:
    """The same instant, with its reading in another language or zone."""
    return replace(when, echo=i18n.date(language, when.at, zone, now=now))
