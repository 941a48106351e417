"""Calendars, as pure functions: local wall time to UTC, working days, and the hours in which she may be contacted.

A due time is kept as the *local rule* (date, wall time, zone) and reckoned to UTC from it, so that a zone whose rules change
moves the instant and not the appointment. R06: a wall time inside a gap means the first minute that exists; one inside an
overlap happens once, the first time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

LONGEST_PAUSE = timedelta(days=366)
"""No calendar of ours closes for a whole year; a search that long is an error in the calendar."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Daily hours of local wall time, `start` included and `end` not. `start > end` runs over midnight; equal means all day."""

    start: time
    end: time

    def __contains__(self, wall: time) -> bool:
        """Whether a wall time lies inside."""
        if self.start == self.end:
            return True
        if self.start < self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end


@dataclass(frozen=True, kw_only=True)
class WorkingCalendar:
    """When an institution works."""

    zone: str
    country: str = "PE"
    hours: Window = Window(start=time(8), end=time(17))
    weekdays: frozenset[int] = frozenset(range(5))
    """Monday is 0."""
    closed: frozenset[date] = frozenset()
    """Regional or own days off beside the national ones."""

    def works_on(self, day: date) -> bool:
        """Whether the institution works on this local date."""
        return day.weekday() in self.weekdays and day not in self.closed and day not in _national(self.country, day.year)


def to_utc(day: date, wall: time, zone: str) -> datetime:
    """The instant of a wall time on a local date; a gap gives the first minute that exists, an overlap its first passing.

    Raises:
        zoneinfo.ZoneInfoNotFoundError: the zone is not known.
    """
    place = ZoneInfo(zone)
    local = datetime.combine(day, wall.replace(tzinfo=None, fold=0), tzinfo=place)
    instant = local.astimezone(UTC)
    if instant.astimezone(place).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    return _after_gap(local, place)


def _after_gap(local: datetime, place: ZoneInfo) -> datetime:
    """First minute after the gap that swallowed `local`.

    PEP 495: inside a gap `fold=0` reckons with the offset before it and `fold=1` with the one after, so the two instants enclose
    the change. Between them the wall clock jumps exactly once; bisection over whole seconds finds where.
    """
    early = int(local.replace(fold=1).timestamp()) - 1
    late = int(local.replace(fold=0).timestamp()) + 1
    before = datetime.fromtimestamp(early, place).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, place).utcoffset() == before:
            early = middle
        else:
            late = middle
    first = datetime.fromtimestamp(late, place)
    return (first + timedelta(seconds=-first.second % 60)).astimezone(UTC)


def next_inside(instant: datetime, window: Window, zone: str) -> datetime:
    """The first moment at or after `instant` that lies inside the daily window: the instant itself when it is inside already."""
    local = instant.astimezone(ZoneInfo(zone))
    if local.time().replace(tzinfo=None) in window:
        return instant.astimezone(UTC)
    return _first(instant, local.date(), window.start, zone)


def next_working(instant: datetime, calendar: WorkingCalendar) -> datetime:
    """The first moment at or after `instant` in which the institution works.

    Raises:
        ValueError: it works on no day of a whole year.
    """
    local = instant.astimezone(ZoneInfo(calendar.zone))
    if calendar.works_on(local.date()) and local.time().replace(tzinfo=None) in calendar.hours:
        return instant.astimezone(UTC)
    day = local.date()
    while day - local.date() < LONGEST_PAUSE:
        opens = to_utc(day, calendar.hours.start, calendar.zone)
        if calendar.works_on(day) and opens >= instant:
            return opens
        day += timedelta(days=1)
    raise ValueError("calendar works on no day of a year")


def in_working_days(day: date, count: int, calendar: WorkingCalendar) -> date:
    """The date `count` working days after `day`; with 0 the day itself or, when it is none, the next working day."""
    left = count
    for ahead in range(LONGEST_PAUSE.days + 2 * count):
        candidate = day + timedelta(days=ahead)
        if calendar.works_on(candidate) and (ahead > 0 or count == 0):
            left -= 1
            if left <= 0:
                return candidate
    raise ValueError("calendar works on no day of a year")


def _first(instant: datetime, day: date, wall: time, zone: str) -> datetime:
    """The next passing of a wall time, today or tomorrow."""
    today = to_utc(day, wall, zone)
    return today if today >= instant else to_utc(day + timedelta(days=1), wall, zone)


@lru_cache(maxsize=64)
def _national(country: str, year: int) -> frozenset[date]:
    """Public holidays of one year; the library knows Peru's by law, movable ones included."""
    return frozenset(holidays.country_holidays(country, years=year))
