"""ISO 8601 durations as data: `PT4H` for answering, `P5Y` for keeping."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_PATTERN = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?)?", re.ASCII
)


@dataclass(frozen=True, kw_only=True)
class Span:
    """A length of time in calendar months and exact time; `text` is the form the document wrote."""

    text: str
    months: int
    exact: timedelta

    def after(self, day: date) -> date:
        """The date this span ends when it starts on `day`; the 31st falls back to the month's last day."""
        month_index = day.year * 12 + day.month - 1 + self.months
        year, month = divmod(month_index, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return date(year, month + 1, min(day.day, last)) + self.exact


def parse(text: str) -> Span | None:
    """Read an ISO 8601 duration without seconds or fractions; None when it is not one, or is zero."""
    match = _PATTERN.fullmatch(text)
    if match is None or text.endswith("T"):
        return None
    years, months, weeks, days, hours, minutes = (int(part or 0) for part in match.groups())
    span = Span(text=text, months=years * 12 + months, exact=timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes))
    return span if span.months or span.exact else None
