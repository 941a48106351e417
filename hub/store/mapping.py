"""From a frozen record type to its table and back: one rule for all of them, so that record and table cannot drift apart.

Times are whole microseconds since 1970 UTC, so both databases order and compare them alike; tuples and dicts are JSON text;
enumerations are their words.
"""

from __future__ import annotations

import dataclasses
import json
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

R = TypeVar("R")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def _same(value: Any) -> Any:
    return value


def _time_out(value: datetime) -> int:
    return (value - _EPOCH) // _TICK


def _time_in(value: int) -> datetime:
    return _EPOCH + value * _TICK


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Codec:
    sql: type[TypeEngine[Any]]
    out: Callable[[Any], Any] = _same
    back: Callable[[Any], Any] = _same


_CODECS: dict[Any, _Codec] = {
    str: _Codec(sql=Text),
    int: _Codec(sql=BigInteger),
    bool: _Codec(sql=Boolean),
    bytes: _Codec(sql=LargeBinary, back=bytes),
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
    """A record type and its table. The first field of the record is the primary key."""

    def __init__(self, record: type[R], name: str, metadata: MetaData, *, indexes: Iterable[tuple[str, ...]] = ()) -> None:
        self.record = record
        hints = typing.get_type_hints(record)
        self.names = [f.name for f in dataclasses.fields(record)]  # type: ignore[arg-type]  # every record is a dataclass
        self._codecs = {n: _codec(hints[n]) for n in self.names}
        self.key = self.names[0]
        columns = [
            Column(n, codec.sql(), primary_key=n == self.key, nullable=null, autoincrement=False)
            for n, (codec, null) in self._codecs.items()
        ]
        self.table = Table(name, metadata, *columns)
        for parts in indexes:
            unique = parts[0] == "unique"
            kept = parts[1:] if unique else parts
            Index(f"{'uq' if unique else 'ix'}_{name}_{'_'.join(kept)}", *(self.table.c[p] for p in kept), unique=unique)

    def out(self, name: str, value: Any) -> Any:
        """A Python value as the column holds it."""
        return None if value is None else self._codecs[name][0].out(value)

    def to_row(self, record: R) -> dict[str, Any]:
        """A record as a row."""
        return {name: self.out(name, getattr(record, name)) for name in self.names}

    def from_row(self, row: Any) -> R:
        """A row as a record."""
        values = {n: None if v is None else self._codecs[n][0].back(v) for n, v in zip(self.names, row, strict=True)}
        return self.record(**values)
