"""One hub per database: a lock that dies with its process (D12). Servers of one hub share it, and each name is there once."""

from __future__ import annotations

import fcntl
import os
from typing import IO

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from hub.base.errors import Stopped
from hub.store.database import Database

ADVISORY_KEY = 0x74696E6B7579  # "tinkuy"
_NAMES = 0x746B  # "tk": the class of the second lock, by server name


class DatabaseLock:
    """Held from `take` until `release` or the end of the process; on PostgreSQL also until its connection breaks, see `held`."""

    def __init__(self, database: Database, server: str = "") -> None:
        """`server`: the name of one of several on one PostgreSQL; empty: this one is alone."""
        self._database, self._server = database, server
        self._file: IO[bytes] | None = None
        self._connection: Connection | None = None

    def take(self) -> None:
        """Take the lock. Raises Stopped `database.in_use` when another process holds it."""
        if self._database.sqlite:
            self._take_file()
        else:
            self._take_advisory()

    def held(self) -> bool:
        """Whether it is still ours. PostgreSQL gives it away when the server restarts or the connection is cut: then stop."""
        if self._connection is None:
            return self._database.sqlite
        try:
            return bool(self._connection.execute(_OURS, {"key": ADVISORY_KEY}).scalar())
        except DBAPIError:
            return False

    def release(self) -> None:
        """Give it back."""
        if self._file:
            self._file.close()
            self._file = None
        if self._connection:
            # Closing would only hand the connection back to the pool, and the lock with it.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _take_file(self) -> None:
        path = self._database.engine.url.database
        if not path or path == ":memory:":
            return
        self._file = os.fdopen(os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            self._file = None
            raise Stopped("database.in_use") from None

    def _locked(self, connection: Connection) -> bool:
        if not self._server:
            return bool(connection.execute(_ALONE, {"key": ADVISORY_KEY}).scalar())
        shared = connection.execute(_SHARED, {"key": ADVISORY_KEY}).scalar()
        return bool(shared and connection.execute(_NAMED, {"names": _NAMES, "server": self._server}).scalar())

    def _take_advisory(self) -> None:
        connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not self._locked(connection):
            connection.invalidate()  # a lock that was taken goes with it
            connection.close()
            raise Stopped("database.in_use")
        self._connection = connection


_ALONE = text("SELECT pg_try_advisory_lock(:key)")
_SHARED = text("SELECT pg_try_advisory_lock_shared(:key)")
_NAMED = text("SELECT pg_try_advisory_lock(:names, hashtext(:server))")
_OURS = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted"
    " AND (classid::bigint << 32) + objid::bigint = :key"
)
