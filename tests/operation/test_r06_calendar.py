"""R06: local rules to instants, over every zone there is; working days and contact windows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hub.schedule.calendar import Window, WorkingCalendar, in_working_days, next_inside, next_working, to_utc

ZONES = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("posix/", "right/")))
YEARS = range(2015, 2035)
WALLS = st.times().map(lambda wall: wall.replace(second=0, microsecond=0))
LIMA = "America/Lima"


@cache
def changes(zone: str) -> tuple[tuple[datetime, timedelta, timedelta], ...]:
    """(instant, offset before, offset after) of every change of the wall clock, found by walking: a referee of its own."""
    place, found = ZoneInfo(zone), []
    instant = datetime(YEARS[0], 1, 1, tzinfo=UTC)
    before = instant.astimezone(place).utcoffset()
    while instant.year < YEARS[-1]:
        later = instant + timedelta(days=2)
        after = later.astimezone(place).utcoffset()
        if after != before:
            low, high = instant, later
            while high - low > timedelta(minutes=1):
                middle = low + timedelta(minutes=(high - low) // timedelta(minutes=2))
                low, high = (middle, high) if middle.astimezone(place).utcoffset() == before else (low, middle)
            found.append((high, before or timedelta(), after or timedelta()))
        instant, before = later, after
    return tuple(found)


def test_r06_every_change_of_every_zone() -> None:
    """For each change in some 500 zones over 20 years: a wall time inside the gap gives the instant of the change, which is the
    first minute that exists; inside an overlap the first passing; just outside, the plain one."""
    gaps = overlaps = 0
    assert len(ZONES) >= 400
    for zone in ZONES:
        for instant, before, after in changes(zone):
            first = (instant + min(before, after)).replace(tzinfo=None)
            last = (instant + max(before, after)).replace(tzinfo=None)
            inside = [first, first + (last - first) / 2, last - timedelta(minutes=1)]
            for wall in (each.replace(second=0, microsecond=0) for each in inside):
                got = to_utc(wall.date(), wall.time(), zone)
                if after > before:
                    assert got == instant, (zone, wall)
                    gaps += 1
                else:
                    assert got == (wall - before).replace(tzinfo=UTC), (zone, wall)
                    assert got < instant
                    overlaps += 1
            outside = last + timedelta(minutes=1)
            assert to_utc(outside.date(), outside.time(), zone) == (outside - after).replace(tzinfo=UTC)
    assert gaps > 1000
    assert overlaps > 1000


@given(st.sampled_from(ZONES), st.dates(date(2015, 1, 1), date(2034, 12, 31)), WALLS)
@hypothesis_settings(deadline=None)
def test_r06_an_existing_wall_time_comes_back(zone: str, day: date, wall: time) -> None:
    instant = to_utc(day, wall, zone)
    assert instant.tzinfo is UTC
    local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    asked = datetime.combine(day, wall)
    assert local >= asked
    if local != asked:
        assert any(at == instant and after > before for at, before, after in changes(zone))


@given(st.sampled_from(ZONES), st.dates(date(2015, 1, 2), date(2034, 12, 30)), WALLS, WALLS)
@hypothesis_settings(deadline=None)
def test_r06_a_day_never_runs_backwards(zone: str, day: date, one: time, other: time) -> None:
    low, high = sorted((one, other))
    assert to_utc(day, low, zone) <= to_utc(day, high, zone)


def test_lima_is_five_hours_behind_all_year() -> None:
    assert to_utc(date(2026, 1, 15), time(10), LIMA) == datetime(2026, 1, 15, 15, tzinfo=UTC)
    assert to_utc(date(2026, 7, 15), time(10), LIMA) == datetime(2026, 7, 15, 15, tzinfo=UTC)


@given(st.datetimes(datetime(2015, 1, 2), datetime(2034, 12, 30), timezones=st.just(UTC)), WALLS, WALLS, st.sampled_from(ZONES))
@hypothesis_settings(deadline=None)
def test_next_inside_is_inside_and_never_early(instant: datetime, start: time, end: time, zone: str) -> None:
    window = Window(start=start, end=end)
    got = next_inside(instant, window, zone)
    assert got >= instant
    assert got - instant <= timedelta(hours=27)
    local = got.astimezone(ZoneInfo(zone)).time().replace(tzinfo=None)
    if instant.astimezone(ZoneInfo(zone)).time().replace(tzinfo=None) in window:
        assert got == instant
    elif not any(abs(at - got) < timedelta(hours=25) for at, _, _ in changes(zone)):
        assert local in window
        assert local == start


@pytest.mark.parametrize(
    ("start", "end", "wall", "inside"),
    [
        (8, 20, time(8), True),
        (8, 20, time(20), False),
        (8, 20, time(7, 59), False),
        (22, 6, time(23), True),
        (22, 6, time(6), False),
        (22, 6, time(5, 59), True),
        (0, 0, time(12), True),
    ],
)
def test_window_ends(start: int, end: int, wall: time, inside: bool) -> None:
    assert (wall in Window(start=time(start), end=time(end))) is inside


PERU = WorkingCalendar(zone=LIMA)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 7, 27), True),
        (date(2026, 7, 28), False),
        (date(2026, 7, 29), False),
        (date(2026, 7, 30), True),
        (date(2026, 4, 3), False),
        (date(2026, 12, 25), False),
        (date(2026, 8, 1), False),
        (date(2026, 8, 3), True),
    ],
)
def test_perus_holidays(day: date, works: bool) -> None:
    assert PERU.works_on(day) is works


def test_next_working_skips_the_national_days_and_the_week_end() -> None:
    monday_evening = to_utc(date(2026, 7, 27), time(18), LIMA)
    assert next_working(monday_evening, PERU) == to_utc(date(2026, 7, 30), time(8), LIMA)
    inside = to_utc(date(2026, 7, 30), time(11, 30), LIMA)
    assert next_working(inside, PERU) == inside
    early = to_utc(date(2026, 7, 30), time(6), LIMA)
    assert next_working(early, PERU) == to_utc(date(2026, 7, 30), time(8), LIMA)


def test_in_working_days_counts_only_those_and_knows_regional_days() -> None:
    assert in_working_days(date(2026, 7, 27), 1, PERU) == date(2026, 7, 30)
    assert in_working_days(date(2026, 7, 28), 0, PERU) == date(2026, 7, 30)
    regional = WorkingCalendar(zone=LIMA, closed=frozenset({date(2026, 7, 30)}))
    assert in_working_days(date(2026, 7, 27), 2, regional) == date(2026, 8, 3)


def test_a_calendar_that_never_works_is_an_error_and_not_a_hang() -> None:
    never = WorkingCalendar(zone=LIMA, weekdays=frozenset())
    with pytest.raises(ValueError, match="no day"):
        next_working(datetime(2026, 1, 1, tzinfo=UTC), never)
    with pytest.raises(ValueError, match="no day"):
        in_working_days(date(2026, 1, 1), 3, never)
