"""Rows of one record type over one connection. The only place where records become SQL.

SQLAlchemy writes each statement once for every *shape* (which columns are compared how, in which order); after that the driver gets
the kept text and fresh parameters. Building anew and looking up the compiled form costs ten times what SQLite needs to answer.
Values are always parameters; listeners of SQLAlchemy's `before_cursor_execute` hear every statement as usual.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import (
    Boolean,
    ClauseElement,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import pysqlite

from hub.store.mapping import INSERTED, SEAL, Mapping
from hub.store.seals import Seals

R = TypeVar("R")
_Shape = tuple[tuple[str, str, int], ...]
"""(column, comparison, number of values) for each condition."""
_DIALECTS: dict[str, Dialect] = {"sqlite": pysqlite.dialect(), "postgresql": psycopg.dialect()}  # type: ignore[no-untyped-call]  # SQLAlchemy has not typed it
_OPERATORS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "": operator.eq, "not": operator.ne, "le": operator.le, "ge": operator.ge,
    "lt": operator.lt, "gt": operator.gt,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Statement:
    """SQL as the driver wants it, the names of its positional parameters (None: the driver takes names), and SQLAlchemy's own ones."""

    sql: str
    names: tuple[str, ...] | None
    fixed: dict[str, Any]

    def run(self, connection: Connection, values: dict[str, Any]) -> Any:
        cursor = connection.connection.cursor()
        if self.fixed:
            values = self.fixed | values
        given = values if self.names is None else [values[n] for n in self.names]
        for hear in connection.dispatch.before_cursor_execute:
            hear(connection, cursor, self.sql, given, None, False)
        cursor.execute(self.sql, given)
        return cursor


class Rows(Generic[R]):
    """See `hub.actions.ports.Rows`. Rows come in the wanted order, and in the order of their insertion where that leaves a choice.

    Conditions: `name=value`, and `name__not`, `__le`, `__lt`, `__ge`, `__gt`, `__in`, `__notin`. None means NULL, and NULL differs
    from every value, so `name__not="x"` finds NULL too; comparing order with None finds nothing.
    """

    def __init__(self, connection: Connection, mapping: Mapping[R]) -> None:
        self._connection = connection
        self._mapping = mapping

    def get(self, key: Any) -> R | None:
        """The record with this primary key, or None."""
        return self.one(**{self._mapping.key: key})

    def one(self, *, order: str | None = None, **where: Any) -> R | None:
        """The first record that matches, or None."""
        found = self.all(order=order, limit=1, **where)
        return found[0] if found else None

    def all(self, *, order: str | None = None, limit: int | None = None, **where: Any) -> list[R]:
        """Every record that matches, in the order of the column `order` (`-name` for descending)."""
        shape, values = self._conditions(where)
        if limit is not None:
            values["limit"] = limit
        statement = _select(self._mapping, self._dialect, shape, order, limit is not None)
        return [self._read(row) for row in statement.run(self._connection, values).fetchall()]

    def count(self, **where: Any) -> int:
        """How many records match."""
        shape, values = self._conditions(where)
        return int(_count(self._mapping, self._dialect, shape).run(self._connection, values).fetchone()[0])

    def add(self, row: R) -> None:
        """A new record."""
        _insert(self._mapping, self._dialect).run(self._connection, self._sealed(self._mapping.new_row(row)))

    def put(self, row: R) -> None:
        """Replace the record with the same key. Raises LookupError when there is none: a change must not vanish unseen."""
        values = self._sealed(self._mapping.to_row(row))
        changed = _update(self._mapping, self._dialect).run(self._connection, values | {"at_key": values[self._mapping.key]}).rowcount
        if changed != 1:
            raise LookupError(f"no such row in `{self._mapping.table.name}`")

    def delete(self, key: Any) -> None:
        """Remove the record with this key, if there is one."""
        shape, values = self._conditions({self._mapping.key: key})
        _delete(self._mapping, self._dialect, shape).run(self._connection, values)

    def next(self, column: str) -> int:
        """One more than the largest value of a numeric column: positions in an order, rows of a chain."""
        return int(_largest(self._mapping, self._dialect, column).run(self._connection, {}).fetchone()[0]) + 1

    def _sealed(self, values: dict[str, Any]) -> dict[str, Any]:
        """What is written; whoever has no seals (a tool, a test) leaves rows behind that no hub will believe."""
        return values | {SEAL: b""} if self._mapping.vouched else values

    def _read(self, row: Any) -> R:
        return self._mapping.from_row(row[:-1] if self._mapping.vouched else row)

    @property
    def _dialect(self) -> str:
        return self._connection.dialect.name

    def _conditions(self, where: dict[str, Any]) -> tuple[_Shape, dict[str, Any]]:
        shape: list[tuple[str, str, int]] = []
        values: dict[str, Any] = {}
        for number, (word, value) in enumerate(where.items()):
            name, _, how = word.partition("__")
            if how in ("in", "notin"):
                items = [self._mapping.out(name, item) for item in value]
                values |= {f"w{number}_{i}": item for i, item in enumerate(items)}
                shape.append((name, how, len(items)))
            elif (stored := self._mapping.out(name, value)) is None:
                shape.append((name, f"{how}null", 0))
            else:
                values[f"w{number}"] = stored
                shape.append((name, how, 1))
        return tuple(shape), values


class VouchedRows(Rows[R]):
    """Rows that the hub seals as it writes them, and believes only with its seal. Reading another raises Forged (C08)."""

    def __init__(self, connection: Connection, mapping: Mapping[R], seals: Seals) -> None:
        super().__init__(connection, mapping)
        self._seals = seals

    def _sealed(self, values: dict[str, Any]) -> dict[str, Any]:
        return values | {SEAL: self._seals.of(self._mapping.table.name, [values[name] for name in self._mapping.names])}

    def _read(self, row: Any) -> R:
        *values, seal = row
        self._seals.check(self._mapping.table.name, values[0], values, seal)
        return self._mapping.from_row(values)


# ---- one statement for each shape ------------------------------------------------------------------------------------------


@lru_cache(maxsize=2048)
def _select(mapping: Mapping[Any], dialect: str, shape: _Shape, order: str | None, limited: bool) -> _Statement:
    query = select(*(mapping.table.c[n] for n in _columns(mapping))).where(*_where(mapping, shape))
    if order:
        column = mapping.table.c[order.lstrip("-")]
        query = query.order_by(column.desc() if order.startswith("-") else column)
    if (mapping.key, "", 1) not in shape and (order or "").lstrip("-") != mapping.key:
        query = query.order_by(mapping.table.c[INSERTED].desc() if order and order.startswith("-") else mapping.table.c[INSERTED])
    return _compiled(query.limit(bindparam("limit", type_=Integer)) if limited else query, dialect)


@lru_cache(maxsize=512)
def _count(mapping: Mapping[Any], dialect: str, shape: _Shape) -> _Statement:
    return _compiled(select(func.count()).select_from(mapping.table).where(*_where(mapping, shape)), dialect)


@lru_cache(maxsize=512)
def _insert(mapping: Mapping[Any], dialect: str) -> _Statement:
    return _compiled(insert(mapping.table).values(_parameters(mapping, (*_columns(mapping), INSERTED))), dialect)


@lru_cache(maxsize=512)
def _update(mapping: Mapping[Any], dialect: str) -> _Statement:
    key = mapping.table.c[mapping.key] == bindparam("at_key", type_=mapping.table.c[mapping.key].type)
    return _compiled(update(mapping.table).where(key).values(_parameters(mapping, _columns(mapping))), dialect)


@lru_cache(maxsize=512)
def _delete(mapping: Mapping[Any], dialect: str, shape: _Shape) -> _Statement:
    return _compiled(delete(mapping.table).where(*_where(mapping, shape)), dialect)


@lru_cache(maxsize=512)
def _largest(mapping: Mapping[Any], dialect: str, column: str) -> _Statement:
    return _compiled(select(func.coalesce(func.max(mapping.table.c[column]), literal_column("0"))), dialect)


def _columns(mapping: Mapping[Any]) -> tuple[str, ...]:
    return (*mapping.names, SEAL) if mapping.vouched else tuple(mapping.names)


def _compiled(statement: ClauseElement, dialect: str) -> _Statement:
    made: Any = statement.compile(dialect=_DIALECTS[dialect])
    fixed = {name: value for name, value in made.params.items() if value is not None}  # SQLite wants `OFFSET 0` beside a LIMIT
    return _Statement(sql=str(made), names=tuple(made.positiontup) if made.positional else None, fixed=fixed)


def _parameters(mapping: Mapping[Any], names: Iterable[str]) -> dict[str, Any]:
    return {n: bindparam(n, type_=mapping.table.c[n].type) for n in names}


def _where(mapping: Mapping[Any], shape: _Shape) -> list[ColumnElement[bool]]:
    return [_condition(mapping, f"w{number}", *part) for number, part in enumerate(shape)]


def _condition(mapping: Mapping[Any], parameter: str, name: str, how: str, size: int) -> ColumnElement[bool]:
    column = mapping.table.c[name]
    if how in ("in", "notin") and not size:
        return literal_column("1 = 0" if how == "in" else "1 = 1", Boolean)
    if how in ("in", "notin"):
        items = [bindparam(f"{parameter}_{i}", type_=column.type) for i in range(size)]
        return column.in_(items) if how == "in" else column.not_in(items)
    if how.endswith("null"):
        return {"null": column.is_(None), "notnull": column.is_not(None)}.get(how, column.is_(None) & column.is_not(None))
    value = bindparam(parameter, type_=column.type)
    if how == "not" and mapping.nullable(name):
        return column.is_distinct_from(value)
    return _OPERATORS[how](column, value)
