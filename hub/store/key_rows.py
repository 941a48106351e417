"""The key store: a database of its own, so that destroying a key destroys it in backups of the data too (`keys.md` §3).

A write here commits at once and before the data that needs it: key first, then data. A key that was deleted or replaced leaves the
files too. SQLite: `secure_delete` overwrites it, then the write-ahead log is copied back and cut to nothing. PostgreSQL: `VACUUM FULL`
writes the table anew; its own write-ahead log is the administrator's matter (at most 7 days, `keys.md` §3).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, MetaData, Table, Text

from hub.base.errors import Stopped
from hub.store.database import Database

metadata = MetaData()
KEYS = Table(
    "wrapped_keys",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created", BigInteger, nullable=False),
)
_GET = "SELECT wrapped FROM wrapped_keys WHERE owner = {}"
_OWNERS = "SELECT owner FROM wrapped_keys"
_ADD = "INSERT INTO wrapped_keys (owner, wrapped, created) VALUES ({}, {}, {}) ON CONFLICT (owner) DO NOTHING RETURNING owner"
_REPLACE = "UPDATE wrapped_keys SET wrapped = {}, created = {} WHERE owner = {}"
_DELETE = "DELETE FROM wrapped_keys WHERE owner = {}"


class KeyTable:
    """`keys.casekeys.KeyRows` over the key database. Each call is one statement that is durable when the call returns.

    A key is read for every value that is opened, so reading goes straight to the driver, without a transaction around it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._erasing = threading.Lock()
        self._mark = "?" if database.sqlite else "%s"
        database.run_now(metadata.create_all)

    def get(self, owner: str) -> bytes | None:
        """The wrapped key, or None."""
        found = self._read(_GET, owner)
        return bytes(found[0][0]) if found else None

    def put(self, owner: str, wrapped: bytes, created: datetime) -> None:
        """Keep or replace a wrapped key. Raises Stopped `keys.not_erased` when the replaced one may still be in the files."""
        moment = int(created.timestamp())
        if not self._write(_ADD, owner, wrapped, moment):
            self._write(_REPLACE, wrapped, moment, owner)
            self._erase()

    def delete(self, owner: str) -> None:
        """Remove a wrapped key so that no file of the database holds its bytes. Raises Stopped `keys.not_erased` when one still may.

        Repeating it is fine, and also cleans up after a crash between the two steps.
        """
        self._write(_DELETE, owner)
        self._erase()

    def swap(self, owner: str, wrapped: bytes) -> None:
        """The same key wrapped anew, in the place of the old: one statement. `erase` cleans the files once, after the last."""
        self._write("UPDATE wrapped_keys SET wrapped = {} WHERE owner = {}", wrapped, owner)

    def erase(self) -> None:
        """No file of the database holds what was deleted or replaced. Raises Stopped `keys.not_erased`."""
        self._erase()

    def owners(self) -> Iterable[str]:
        """Everyone who has a key."""
        return [str(owner) for (owner,) in self._read(_OWNERS)]

    def _read(self, sql: str, *values: Any) -> list[Any]:
        # Fetched while the connection is still ours: SQLite reads on as one fetches.
        return self._database.plainly(lambda driver: list(driver.execute(self._marked(sql), values).fetchall()))

    def _write(self, sql: str, *values: Any) -> list[Any]:
        def run(connection: Connection) -> list[Any]:
            result = connection.exec_driver_sql(self._marked(sql), values)
            return list(result) if result.returns_rows else []

        return self._database.run_now(run)

    def _marked(self, sql: str) -> str:
        return sql.replace("{}", self._mark)

    def _erase(self) -> None:
        with self._erasing:
            if not self._database.sqlite:
                self._database.plainly(lambda driver: driver.execute("VACUUM FULL wrapped_keys").close())
            elif self._read("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]:
                raise Stopped("keys.not_erased")  # a reader elsewhere holds an older state; the tombstone stays and this is tried again
