"""When a prompt may ring: in the hours in which contacting her is safe (R29)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cases.checkin import Window, fit, window_in

LIMA = "America/Lima"


@pytest.mark.parametrize(("rule", "start", "end"), [
    ("de 9 a 13", time(9), time(13)),
    ("9:00-13:00, puede contestar su hermana", time(9), time(13)),
    ("De 9:30 a 12", time(9, 30), time(12)),
    ("llamar entre las 10 y las 12", time(10), time(12)),
    ("de 9 a 1", time(9), time(13)),
    ("de 3 pm a 6 pm", time(15), time(18)),
    ("de 8 de la mañana a 2 de la tarde", time(8), time(14)),
    ("después de las 18", time(18), time(21)),
    ("antes de las 10", time(8), time(10)),
    ("solo por la mañana, puede contestar su hermana", time(8), time(12)),
    ("por las TARDES", time(13), time(18)),
    ("only in the evening", time(18), time(21)),
    ("9 to 12", time(9), time(12)),
])  # fmt: skip
def test_a_window_in_words(rule: str, start: time, end: time) -> None:
    assert window_in(rule) == Window(start=start, end=end)


@pytest.mark.parametrize("rule", [
    "", "por WhatsApp, sin decir quién es", "no llamar por la noche", "nunca de 9 a 12", "1 a 2 veces por semana", "999-888-777",
    "por la mañana o por la tarde", "de 9 a 10 o de 15 a 16", "de 25 a 30", "de 9:75 a 12",
])  # fmt: skip
def test_no_window_when_there_is_none_or_more_than_one_reading(rule: str) -> None:
    assert window_in(rule) is None


@given(rule=st.text(max_size=80))
def test_any_words_are_read_without_harm(rule: str) -> None:
    found = window_in(rule)
    assert found is None or found.start < found.end


@given(
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    start=st.times(), end=st.times(), zone=st.sampled_from((LIMA, "Europe/Madrid", "UTC")),
)  # fmt: skip
def test_never_earlier_always_inside_at_most_a_day_later(at: datetime, start: time, end: time, zone: str) -> None:
    window = Window(start=start, end=end)
    found = fit(at, zone, window)
    assert found >= at
    assert found - at < timedelta(hours=26)
    if start != end and found != at:
        local = found.astimezone(ZoneInfo(zone))
        assert window.holds(local.time()) or local.time() >= start  # an hour that a clock change skips
    if window.holds(at.astimezone(ZoneInfo(zone)).time()):
        assert found == at


def test_evening_moves_to_the_morning_after_and_early_morning_to_the_same_day() -> None:
    window = Window(start=time(9), end=time(13))
    monday = datetime(2026, 11, 23, tzinfo=ZoneInfo(LIMA))
    assert fit(monday.replace(hour=22), LIMA, window) == monday.replace(day=24, hour=9)
    assert fit(monday.replace(hour=13), LIMA, window) == monday.replace(day=24, hour=9)
    assert fit(monday.replace(hour=3), LIMA, window) == monday.replace(hour=9)
    assert fit(monday.replace(hour=9), LIMA, window) == monday.replace(hour=9)
