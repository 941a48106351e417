"""One hub per database: a lock that dies with its process (D12)."""

from __future__ import annotations

import fcntl
import os
from typing import IO

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from hub.base.errors import Stopped
from hub.store.database import Database

ADVISORY_KEY = 0x74696E6B7579  # "tinkuy"


class DatabaseLock:
    """Held from `take` until `release` or the end of the process; on PostgreSQL also until its connection breaks, see `held`."""

    def __init__(self, database: Database) -> None:
        self._database = database
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

    def _take_advisory(self) -> None:
        connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_KEY}).scalar():
            connection.close()
            raise Stopped("database.in_use")
        self._connection = connection


_OURS = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted"
    " AND (classid::bigint << 32) + objid::bigint = :key"
)
