"""One hub per database: a lock that dies with its process (D12)."""

from __future__ import annotations

import fcntl
import os
from typing import IO

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from hub.base.errors import Stopped
from hub.store.database import Database

ADVISORY_KEY = 0x74696E6B7579  # "tinkuy"


class DatabaseLock:
    """Held from `take` until `release` or the end of the process."""

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

    def release(self) -> None:
        """Give it back."""
        if self._file:
            self._file.close()
        if self._connection:
            self._connection.close()

    def _take_file(self) -> None:
        path = make_url(str(self._database.engine.url)).database
        if not path or path == ":memory:":
            return
        self._file = os.fdopen(os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise Stopped("database.in_use") from None

    def _take_advisory(self) -> None:
        self._connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not self._connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_KEY}).scalar():
            self._connection.close()
            raise Stopped("database.in_use")
