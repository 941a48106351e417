"""Rows of one record type over one connection. The only place where records become SQL."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from hub.store.mapping import Mapping

R = TypeVar("R")
_OPERATORS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {"": operator.eq, "not": operator.ne, "le": operator.le, "ge": operator.ge}


class Rows(Generic[R]):
    """See `hub.actions.ports.Rows`."""

    def __init__(self, connection: Connection, mapping: Mapping[R]) -> None:
        self._connection = connection
        self._mapping = mapping

    def get(self, key: Any) -> R | None:
        """The record with this primary key, or None."""
        return self.one(**{self._mapping.key: key})

    def one(self, *, order: str | None = None, **where: Any) -> R | None:
        """The first record that matches (in this order), or None."""
        found = self.all(limit=1, order=order, **where)
        return found[0] if found else None

    def all(self, *, order: str | None = None, limit: int | None = None, **where: Any) -> list[R]:
        """Every record that matches, in the order of the column `order` (`-name` for descending)."""
        query = select(self._mapping.table).where(*self._conditions(where))
        if order:
            column = self._mapping.table.c[order.lstrip("-")]
            query = query.order_by(column.desc() if order.startswith("-") else column)
        rows = self._connection.execute(query.limit(limit) if limit is not None else query)
        return [self._mapping.from_row(row) for row in rows]

    def count(self, **where: Any) -> int:
        """How many records match."""
        query = select(func.count()).select_from(self._mapping.table).where(*self._conditions(where))
        return int(self._connection.execute(query).scalar_one())

    def add(self, row: R) -> None:
        """A new record."""
        self._connection.execute(insert(self._mapping.table).values(self._mapping.to_row(row)))

    def put(self, row: R) -> None:
        """Replace the record with the same key."""
        values = self._mapping.to_row(row)
        key = self._mapping.table.c[self._mapping.key] == values[self._mapping.key]
        self._connection.execute(update(self._mapping.table).where(key).values(values))

    def delete(self, key: Any) -> None:
        """Remove the record with this key, if there is one."""
        self._connection.execute(delete(self._mapping.table).where(*self._conditions({self._mapping.key: key})))

    def next(self, column: str) -> int:
        """One more than the largest value of a numeric column: positions in an order, rows of a chain."""
        return 1 + int(self._connection.execute(select(func.coalesce(func.max(self._mapping.table.c[column]), 0))).scalar_one())

    def _conditions(self, where: dict[str, Any]) -> list[ColumnElement[bool]]:
        return [self._condition(name, value) for name, value in where.items()]

    def _condition(self, name: str, value: Any) -> ColumnElement[bool]:
        name, _, how = name.partition("__")
        column = self._mapping.table.c[name]
        if how == "notin":
            return column.not_in([self._mapping.out(name, item) for item in value])
        if how == "in":
            return column.in_([self._mapping.out(name, item) for item in value])
        stored = self._mapping.out(name, value)
        if stored is None:
            return column.is_not(None) if how == "not" else column.is_(None)
        return _OPERATORS[how](column, stored)
