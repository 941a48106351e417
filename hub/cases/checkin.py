"""When a follow-up may ring: inside the hours in which contacting her is safe (`design.md` §5.7, R29).

The window binds contact with *her*, so the caseworker's prompt is timed for it. Escalation never asks here: it does not wait.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_HOUR = r"(\d{1,2})(?::(\d{2}))?\s*(?:h|hs|hrs|horas)?\s*(am|pm|a\.m\.|p\.m\.|de la manana|de la tarde|de la noche)?"
_SPAN = re.compile(rf"(?<!\d){_HOUR}\s*(?:-|–|—|a|y|hasta|to|and|until)\s*(?:las\s+)?{_HOUR}(?!\d)")
_FROM = re.compile(rf"(?:despues de|desde|a partir de|after|from)\s+(?:las?\s+)?{_HOUR}(?!\d)")
_UNTIL = re.compile(rf"(?:antes de|hasta|before|until)\s+(?:las?\s+)?{_HOUR}(?!\d)")
_PARTS = (
    (re.compile(r"\b(mananas?|mornings?)\b"), (time(8), time(12))),
    (re.compile(r"\b(tardes?|afternoons?)\b"), (time(13), time(18))),
    (re.compile(r"\b(noches?|evenings?|nights?)\b"), (time(18), time(21))),
)
_PM = ("pm", "p.m.", "de la tarde", "de la noche")
_NEVER = re.compile(r"\b(no|nunca|never|not)\b")


@dataclass(frozen=True, kw_only=True)
class Window:
    """Hours of the day, local, in which contact is safe. `start` after `end` reaches over midnight."""

    start: time
    end: time

    def holds(self, at: time) -> bool:
        """Whether a local time of day is inside, the end excluded."""
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


def window_in(text: str) -> Window | None:
    """The window that a safe-contact rule names in words: «de 9 a 13», «9:00-13:00», «después de las 18», «por las tardes».

    None for a rule without hours, for one that says when *not* to call, and for one that could be read in two ways: then the
    institution's own hours hold, and the caseworker reads the rule on the card as always.
    """
    plain = _plain(text)
    if _NEVER.search(plain):
        return None
    spans = [_window(found) for found in _SPAN.finditer(plain)]
    if spans:
        return spans[0] if len(spans) == 1 else None
    if found := _FROM.search(plain):
        start = _hour(*found.groups())
        return Window(start=start, end=time(21)) if start and start < time(21) else None
    if found := _UNTIL.search(plain):
        end = _hour(*found.groups())
        return Window(start=time(8), end=end) if end and end > time(8) else None
    parts = [span for word, span in _PARTS if word.search(plain)]
    return Window(start=parts[0][0], end=parts[0][1]) if len(parts) == 1 else None


def fit(at: datetime, zone: str, window: Window) -> datetime:
    """`at` itself when it is inside the window of its local day, else the next moment at which the window opens. Never earlier."""
    place = ZoneInfo(zone)
    local = at.astimezone(place)
    if window.start == window.end or window.holds(local.timetz().replace(tzinfo=None)):
        return at
    opening = datetime.combine(local.date(), window.start, place)
    if opening.astimezone(at.tzinfo) < at:
        opening = datetime.combine(local.date() + timedelta(days=1), window.start, place)
    return opening.astimezone(at.tzinfo)


def _window(found: re.Match[str]) -> Window | None:
    first, second = found.groups()[:3], found.groups()[3:]
    start = _hour(*first)
    end = _hour(*second) or (_hour(second[0], second[1], "pm") if not second[2] else None)  # «de 9 a 1»
    if start and end and end <= start and not second[2] and end.hour < 12:
        end = end.replace(hour=end.hour + 12)  # «de 9 a 8»
    return Window(start=start, end=end) if start and end and start < end else None


def _hour(hour: str, minute: str | None, half: str | None) -> time | None:
    number = int(hour) + (12 if half in _PM and int(hour) < 12 else 0)
    if not 6 <= number <= 23 or int(minute or 0) > 59:  # «1 a 2 veces» is no window
        return None
    return time(number, int(minute or 0))


def _plain(text: str) -> str:
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in split if not unicodedata.combining(c))
