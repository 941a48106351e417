"""From a frozen record type to its table and back: one rule for all of them, so that record and table cannot drift apart.

Times are whole microseconds since 1970 UTC, so both databases order and compare them alike; tuples and dicts are JSON text;
enumerations are their words. Every table has one column more than its record, `inserted`: a number that only grows, so that rows
of one moment come back in the order in which they were written, on PostgreSQL too, whose rows have no order of their own.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import threading
import time
import types
import typing
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.types import TypeEngine

from hub.base.errors import Refused

R = TypeVar("R")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
INSERTED = "inserted"
SEAL = "seal"
_numbers = itertools.count(time.time_ns())
_turn = threading.Lock()


def _next_number() -> int:
    """Larger than every number before it, in this process and (by the clock) in those before it."""
    with _turn:
        return next(_numbers)


def _same(value: Any) -> Any:
    return value


def _text(value: str) -> str:
    """Text that both databases keep: PostgreSQL has no NUL, neither has lone surrogates. Raises Refused `text_not_storable`."""
    if "\0" in value or not (value.isascii() or _is_utf8(value)):
        raise Refused("text_not_storable")
    return value


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _time_out(value: datetime) -> int:
    return (value - _EPOCH) // _TICK


def _time_in(value: int) -> datetime:
    return _EPOCH + value * _TICK


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Codec:
    sql: type[TypeEngine[Any]]
    out: Callable[[Any], Any] = _same
    back: Callable[[Any], Any] = _same


_CODECS: dict[Any, _Codec] = {
    str: _Codec(sql=Text, out=_text),
    int: _Codec(sql=BigInteger),
    bool: _Codec(sql=Boolean, back=bool),
    bytes: _Codec(sql=LargeBinary),
    datetime: _Codec(sql=BigInteger, out=_time_out, back=_time_in),
    tuple: _Codec(sql=Text, out=lambda value: _json(list(value)), back=lambda text: tuple(json.loads(text))),
    dict: _Codec(sql=Text, out=_json, back=json.loads),
}


def _codec(hint: Any) -> tuple[_Codec, bool]:
    """The codec of a type hint and whether it may be NULL."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        inner = [part for part in typing.get_args(hint) if part is not type(None)]
        return _codec(inner[0])[0], True
    plain = typing.get_origin(hint) or hint
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return _Codec(sql=Text, out=str, back=plain), False
    return _CODECS[plain], False


class Mapping(Generic[R]):
    """A record type and its table. The first field of the record is the primary key. `vouched` rows carry the hub's seal (`seals.py`)."""

    def __init__(
        self, record: type[R], name: str, metadata: MetaData, *, indexes: Iterable[tuple[str, ...]] = (), vouched: bool = False
    ) -> None:
        self.record = record
        self.vouched = vouched
        hints = typing.get_type_hints(record)
        self.names = [f.name for f in dataclasses.fields(record)]  # type: ignore[arg-type]  # every record is a dataclass
        self._codecs = {n: _codec(hints[n]) for n in self.names}
        self.key = self.names[0]
        columns = [
            Column(n, codec.sql(), primary_key=n == self.key, nullable=null, autoincrement=False)
            for n, (codec, null) in self._codecs.items()
        ]
        self._back = [(n, None if codec.back is _same else codec.back) for n, (codec, _) in self._codecs.items()]
        columns.append(Column(INSERTED, BigInteger, nullable=False))
        if vouched:
            columns.append(Column(SEAL, LargeBinary, nullable=False))
        self.table = Table(name, metadata, *columns)
        for parts in indexes:
            unique = parts[0] == "unique"
            kept = parts[1:] if unique else parts
            Index(f"{'uq' if unique else 'ix'}_{name}_{'_'.join(kept)}", *(self.table.c[p] for p in kept), unique=unique)

    def nullable(self, name: str) -> bool:
        """Whether the column may be NULL."""
        return self._codecs[name][1]

    def out(self, name: str, value: Any) -> Any:
        """A Python value as the column holds it. Raises Refused `text_not_storable`, and KeyError for a column that does not exist."""
        codec = self._codecs[name][0]
        return None if value is None else codec.out(value)

    def to_row(self, record: R) -> dict[str, Any]:
        """A record as a row."""
        return {name: self.out(name, getattr(record, name)) for name in self.names}

    def new_row(self, record: R) -> dict[str, Any]:
        """A record as a row that does not exist yet."""
        return self.to_row(record) | {INSERTED: _next_number()}

    def from_row(self, row: Any) -> R:
        """A row (the columns of `names`, in that order, as the driver gives them) as a record."""
        values = {n: v if v is None or back is None else back(v) for (n, back), v in zip(self._back, row, strict=True)}
        return self.record(**values)
