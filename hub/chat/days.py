"""The day part of a spoken time: `pasado mañana`, `el próximo lunes`, `23 de noviembre` → the days it may mean, in order.

One table (`DAYS`): a pattern, and the reading that turns its match into dates. The first of them still to come counts.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from hub.chat.clocks import DAY, named
from hub.chat.timewords import MONTH, MONTH_OF, UNIT, UNIT_OF, WEEKDAY, WEEKDAY_OF


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What a reading stands on: the moment, the zone, the language, the hour of a bare day, the offset an echo carried."""

    now: datetime
    zone: ZoneInfo
    language: str
    default: time
    offset: timezone | None

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def instant(self, day: date, clock: time) -> datetime:
        """UTC of a wall time here (rule 5)."""
        wall = datetime.combine(day, clock)
        if self.offset is not None:
            return wall.replace(tzinfo=self.offset).astimezone(UTC)
        first = wall.replace(tzinfo=self.zone).astimezone(UTC)
        second = wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        return first if first > self.now or second < first else second


Reading = Callable[["re.Match[str]", Frame], list[date]]


def _shift(days: int) -> Reading:
    return lambda _found, frame: [frame.today + days * DAY]


def _span_of_days(found: re.Match[str], frame: Frame) -> list[date]:
    n, unit = int(found["n"]) if found["n"].isdigit() else 1, UNIT_OF[found["unit"]]
    if unit in ("day", "week", "fortnight"):
        return [frame.today + n * {"day": 1, "week": 7, "fortnight": 15}[unit] * DAY]
    return [_months_later(frame.today, n * (12 if unit == "year" else 1))] if unit in ("month", "year") else []


def _months_later(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _weekday(found: re.Match[str], frame: Frame) -> list[date]:
    ahead = (WEEKDAY_OF[named(found, "w")] - frame.today.weekday()) % 7
    this = bool(named(found, "this"))
    return [frame.today + d * DAY for d in ((ahead,) if this and ahead else (0, 7) if this else (ahead or 7,))]


def _weekday_next_week(found: re.Match[str], frame: Frame) -> list[date]:
    return [_monday(frame, 1) + WEEKDAY_OF[named(found, "w")] * DAY]


def _monday(frame: Frame, weeks: int) -> date:
    return frame.today - frame.today.weekday() * DAY + 7 * weeks * DAY


def _calendar_day(found: re.Match[str], frame: Frame) -> list[date]:
    """Day, maybe month, maybe year. Without a year the next one; a weekday beside it must agree with that very day.

    `20/11` said on 21/11 is a date that just passed, not one next year: it is refused as past.
    """
    day = 1 if named(found, "ord") else int(named(found, "d"))
    month, year = int(named(found, "mm") or MONTH_OF.get(named(found, "mon"), 0)), named(found, "y")
    if year:
        candidates = [date(int(year) + (2000 if len(year) == 2 else 0), month, day)]
    elif month:
        every = [d for y in range(frame.today.year, frame.today.year + 9) if (d := _date(y, month, day))]
        recent = [d for d in every if timedelta(0) <= frame.today - d <= timedelta(days=30)]
        candidates = recent or [d for d in every if d > frame.today]
    else:
        firsts = (_months_later(frame.today.replace(day=1), n) for n in range(13))
        candidates = [d for first in firsts if (d := _date(first.year, first.month, day)) and d >= frame.today]
    weekday = named(found, "w")
    return [d for d in candidates[:1] if d.weekday() == WEEKDAY_OF[weekday]] if weekday else candidates


def _month_first(found: re.Match[str], frame: Frame) -> list[date]:
    """`nov 23`. In Spanish `mar 24` is a Tuesday, in English a day in March."""
    return [] if named(found, "mon") == "mar" and frame.language == "es" else _calendar_day(found, frame)


def _weekday_and_day(found: re.Match[str], frame: Frame) -> list[date]:
    return [] if named(found, "w") == "mar" and frame.language == "en" else _calendar_day(found, frame)


def _date(year: int, month: int, day: int) -> date | None:
    return date(year, month, day) if 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1] else None


def _month_end(found: re.Match[str], frame: Frame) -> list[date]:
    month = MONTH_OF.get(named(found, "mon"))
    years = (frame.today.year, frame.today.year + 1) if month else (frame.today.year,)
    return [date(y, month or frame.today.month, calendar.monthrange(y, month or frame.today.month)[1]) for y in years]


_AFTER = r"en|dentro de|de aqui a|de aca a|in|within|after"
_TH = r"st|nd|rd|th"
_THIS_MONTH = r" de este mes| del mes"
_NEXT = r"(?:proxim[oa]|siguiente|next)"
_COMING = r"(?:que viene|proxim[oa]|siguiente|entrante)"
_WD = rf"(?:(?:el |la |este |esta |on |this |the )?(?P<w>{WEEKDAY}) )?(?:el |dia |el dia |on |the )?"
_YEAR = r"(?:(?: de| del|,)?(?: ano)? (?P<y>\d{4}))?"
DAYS: tuple[tuple[str, Reading], ...] = (
    (r"hoy(?: dia| mismo)?(?: (?P<bare>\d{1,2}))?|today(?: (?:at )?(?P<bare2>\d{1,2}))?", _shift(0)),
    (r"esta (?P<tonight>tarde|noche|manana)|(?P<tonight2>tonight)|this (?P<tonight3>morning|afternoon|evening)", _shift(0)),
    (r"pasado manana(?: (?P<bare>\d{1,2}))?|the day after tomorrow|day after tomorrow", _shift(2)),
    (r"manana(?: mismo)?(?: (?P<bare>\d{1,2}))?|tomorrow", _shift(1)),
    (rf"(?:{_AFTER})? ?(?P<n>\d{{1,5}}) ?(?P<unit>{UNIT})(?: mas)?(?: from now| later)?", _span_of_days),
    (rf"(?:(?:el|la|the|on) )?(?:(?P<this>este|esta|this) )?(?P<w>{WEEKDAY})", _weekday),
    (rf"(?:(?:el|la|este|the|this) )?(?:{_NEXT} )?(?P<w>{WEEKDAY})(?: {_COMING})?", _weekday),
    (rf"(?:el )?(?P<w>{WEEKDAY}) de (?:la )?(?:{_NEXT} semana|semana {_COMING})", _weekday_next_week),
    (rf"(?P<w>{WEEKDAY}) (?:of )?next week", _weekday_next_week),
    (rf"(?:(?:la|the) )?(?:{_NEXT} (?:semana|week)|semana {_COMING})", lambda _m, frame: [_monday(frame, 1)]),
    (rf"(?:(?:el|the) )?(?:{_NEXT} (?:mes|month)|mes {_COMING})", lambda _m, f: [_months_later(f.today.replace(day=1), 1)]),
    (rf"(?:(?:el|the) )?(?:{_NEXT} (?:ano|year)|ano {_COMING})", lambda _m, frame: [date(frame.today.year + 1, 1, 1)]),
    (rf"(?:a )?(?:fin|fines|finales) de (?:(?:este )?mes|(?P<mon>{MONTH}))", _month_end),
    (rf"(?:the )?end of (?:the month|(?P<mon>{MONTH}))", _month_end),
    (r"(?:a )?(?:fin|fines|finales) de ano|(?:the )?end of the year", lambda _m, frame: [date(frame.today.year, 12, 31)]),
    (r"(?P<y>\d{4})[-/.](?P<mm>\d{1,2})[-/.](?P<d>\d{1,2})t?", _calendar_day),
    (_WD + r"(?P<d>\d{1,2})[-/.](?P<mm>\d{1,2})(?:[-/.](?P<y>\d{4}|\d{2}))?", _calendar_day),
    (rf"{_WD}(?P<d>\d{{1,2}})(?:ro|do|er|{_TH})? (?:de |of )?(?P<mon>{MONTH}){_YEAR}", _calendar_day),
    (rf"{_WD}(?P<ord>primero|first) (?:de |of )?(?P<mon>{MONTH}){_YEAR}", _calendar_day),
    (rf"(?:(?P<w>{WEEKDAY}) )?(?P<mon>{MONTH}) (?P<d>\d{{1,2}})(?:{_TH})?{_YEAR}", _month_first),
    (rf"(?:el |dia |el dia |the |on the )(?P<d>\d{{1,2}})(?:{_TH})?(?:{_THIS_MONTH})?", _calendar_day),
    (rf"(?:el )?(?P<w>{WEEKDAY}) (?P<d>\d{{1,2}})(?:{_TH})?(?:{_THIS_MONTH})?", _weekday_and_day),
)
