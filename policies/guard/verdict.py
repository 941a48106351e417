"""What the guard saw: classes and places in the text, never the text itself, so that no log, error or metric can repeat it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Sort = Literal["known", "pattern", "words"]
"""`known`: a value of the case that the readers may not have. `pattern`: it has the shape of an identifier. `words`: how it is said."""

IDENTIFIERS = (
    "mxid", "email", "url", "card", "account", "ruc", "passport", "ce", "ptp", "foreign", "record", "dni", "phone", "birth_date", "address", "name",
)  # fmt: skip
"""Every class of identifier, the surest first: where two claim the same characters, the earlier has them."""
UNREAD = "unread"
"""Text beyond what is read."""
WORDS = ("stigma", "blame", "looks", "conflation", "conciliation")
"""Every class of words (R31, R31, R17, R35, R24)."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """One thing seen, from `start` to `end` in the text as typed. `what`: a class, or for a known value its field; `rule`: a rule of words."""

    sort: Sort
    what: str
    start: int
    end: int
    rule: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Everything seen in one text, in its order. `urgent`: its words say that somebody is in danger now."""

    found: tuple[Found, ...] = ()
    urgent: bool = False

    @property
    def values(self) -> tuple[Found, ...]:
        """What leads to a person."""
        return tuple(one for one in self.found if one.sort != "words")

    @property
    def words(self) -> tuple[Found, ...]:
        """What is said unkindly, or against her."""
        return tuple(one for one in self.found if one.sort == "words")


def settle(found: Iterable[Found]) -> tuple[Found, ...]:
    """One claim for each character: a known value before a pattern, a surer class before another; words of a rule stand beside them."""
    values, words = _Claims(), _Claims()
    for one in sorted(found, key=_rank):
        (words if one.sort == "words" else values).claim(one)
    return tuple(sorted((*values.kept, *words.kept), key=lambda one: (one.start, one.end)))


class _Claims:
    """Stretches that do not overlap, in their order: whether one more fits is seen from its two neighbours."""

    def __init__(self) -> None:
        self.kept: list[Found] = []

    def claim(self, one: Found) -> None:
        place = bisect_left(self.kept, one.start, key=lambda other: other.start)
        free_before = place == 0 or self.kept[place - 1].end <= one.start
        if free_before and (place == len(self.kept) or one.end <= self.kept[place].start):
            self.kept.insert(place, one)


def _rank(one: Found) -> tuple[int, int, int]:
    place = IDENTIFIERS.index(one.what) if one.what in IDENTIFIERS else len(IDENTIFIERS)
    return ({"known": 0, "pattern": 1, "words": 2}[one.sort], place, one.start - one.end)


def without(text: str, found: Iterable[Found], instead: str) -> str:
    """The text with `instead` wherever something was found."""
    for one in sorted(found, key=lambda one: one.start, reverse=True):
        text = text[: one.start] + instead + text[one.end :]
    return text
