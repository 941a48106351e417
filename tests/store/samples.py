"""Invented records for the storage tests, and a strategy for every record type."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

from hub.cases import records as c
from hub.store import tables
from hub.store.mapping import Mapping

START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
MAPPINGS: list[Mapping[Any]] = [m for m in vars(tables).values() if isinstance(m, Mapping)]


class StillClock:
    """It is always START."""

    def now(self) -> datetime:
        return START


def timer(name: str, *, kind: str = "checkin", ref: str = "case_x", at: int = 0, done: int | None = None) -> c.Timer:
    """A timer that is due `at` seconds after START."""
    due = START + timedelta(seconds=at)
    return c.Timer(id=name, kind=kind, ref=ref, due_at=due, done_at=None if done is None else START + timedelta(seconds=done))


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    bytes: st.binary(max_size=60),
    datetime: st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
}


def _of(hint: Any) -> st.SearchStrategy[Any]:
    if isinstance(hint, types.UnionType):
        return st.none() | _of(next(part for part in typing.get_args(hint) if part is not type(None)))
    origin = typing.get_origin(hint) or hint
    if origin is tuple:
        return st.lists(_of(typing.get_args(hint)[0]), max_size=4).map(tuple)
    if origin is dict:
        return st.dictionaries(TEXT, TEXT if typing.get_args(hint)[1] is str else _JSON, max_size=4)
    if isinstance(origin, type) and issubclass(origin, StrEnum):
        return st.sampled_from(list(origin))
    return _PLAIN[origin]


def records(record: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of a record type."""
    hints = typing.get_type_hints(record)
    return st.builds(record, **{f.name: _of(hints[f.name]) for f in dataclasses.fields(record)})
