"""The key store: a database of its own, so that destroying a key destroys it in backups of the data too (`keys.md` §3).

A write here commits at once and before the data that needs it: key first, then data. On SQLite deleted bytes are overwritten and the
write-ahead log is truncated after each deletion.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    LargeBinary,
    MetaData,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from hub.store.database import Database

metadata = MetaData()
KEYS = Table(
    "wrapped_keys",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
)


class KeyTable:
    """`keys.casekeys.KeyRows` over the key database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.run_now(metadata.create_all)

    def get(self, owner: str) -> bytes | None:
        """The wrapped key, or None."""
        found = self._database.run_now(lambda c: c.execute(select(KEYS.c.wrapped).where(KEYS.c.owner == owner)).scalar())
        return None if found is None else bytes(found)

    def put(self, owner: str, wrapped: bytes, created: datetime) -> None:
        """Keep or replace a wrapped key; durable when this returns."""
        self._database.run_now(lambda c: _put(c, owner, wrapped, created))

    def delete(self, owner: str) -> None:
        """Remove a wrapped key so that the file no longer holds its bytes."""
        self._database.run_now(lambda c: c.execute(delete(KEYS).where(KEYS.c.owner == owner)))
        if self._database.sqlite:
            with self._database.engine.connect() as connection:
                connection.connection.dbapi_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()  # type: ignore[union-attr]  # sqlite3

    def owners(self) -> Iterable[str]:
        """Everyone who has a key."""
        return self._database.run_now(lambda c: [str(o) for o in c.execute(select(KEYS.c.owner)).scalars()])


def _put(connection: Connection, owner: str, wrapped: bytes, created: datetime) -> None:
    values = {"wrapped": wrapped, "created": int(created.timestamp())}
    if connection.execute(update(KEYS).where(KEYS.c.owner == owner).values(values)).rowcount == 0:
        connection.execute(insert(KEYS).values(owner=owner, **values))


