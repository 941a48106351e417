"""A value as plain data and as a flat table of leaves: so that two documents compare key by key, whatever keys they have.

Nothing here knows the name of a key. One that is added to a protocol tomorrow is compared tomorrow.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import date, timedelta
from enum import Enum
from typing import Any

from policies.conditions import Atom
from policies.spans import Span


def plain(value: Any) -> Any:
    """A JSON value that says the same; sets are sorted, spans and dates are text."""
    if isinstance(value, Atom):
        return value.text
    if isinstance(value, Span):
        return value.text
    if isinstance(value, Enum):
        return value.name.lower()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value) if field.compare}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=str)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def _duration(value: timedelta) -> str:
    minutes = int(value.total_seconds()) // 60
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock or not days else "") + ("0M" if not days and not clock else "")


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Path → leaf. Lists are leaves: their members are compared as a whole, and said by what came and what went."""
    if isinstance(value, dict) and value:
        found: dict[str, Any] = {}
        for key, item in value.items():
            found |= leaves(item, f"{path}.{key}" if path else str(key))
        return found
    return {path: None if value == {} else value}


@dataclasses.dataclass(frozen=True, kw_only=True)
class KeyChange:
    """One key that differs. For lists `came` and `went` say by what; None is "not there"."""

    key: str
    was: Any
    now: Any
    came: tuple[Any, ...] = ()
    went: tuple[Any, ...] = ()


def changes(was: Any, now: Any) -> tuple[KeyChange, ...]:
    """Every leaf in which two plain values differ, in the order of the first, then of the second."""
    old, new = leaves(was), leaves(now)
    found = []
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        if before != after or (key in old) != (key in new):
            found.append(KeyChange(key=key, was=before, now=after, came=_beside(after, before), went=_beside(before, after)))
    return tuple(found)


def _beside(some: Any, others: Any) -> tuple[Any, ...]:
    return tuple(item for item in some if item not in others) if isinstance(some, list) and isinstance(others, list) else ()
