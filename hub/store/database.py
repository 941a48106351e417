"""Opening the database and running one unit of work off the event loop (`design.md` §7).

SQLite: one connection, one thread. The driver is in autocommit mode and the `begin` event emits BEGIN IMMEDIATE, because
with the driver's own deferred BEGIN two units can both commit on what they read. PostgreSQL: a small pool of threads and
connections; REPEATABLE READ would still allow write skew, so units run SERIALIZABLE and are run again when they lost a race.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import StaticPool

T = TypeVar("T")
RETRIES = 8
IDLE_MS = 30_000
_SERIALIZATION_FAILURES = frozenset({"40001", "40P01"})


class Database:
    """One database. `run` gives a function a connection inside one transaction and commits when it returns.

    A function may be run again after a serialization failure, so it must have no effect outside its connection.
    """

    def __init__(self, url: str, *, threads: int = 4, name: str = "") -> None:
        """`name`: what the connections of one of several servers call themselves; PostgreSQL then ends a transaction that idles."""
        self.sqlite = url.startswith("sqlite")
        self.engine: Engine = _sqlite_engine(url) if self.sqlite else _postgres_engine(url, threads, name)
        self._turn = threading.Lock() if self.sqlite else contextlib.nullcontext()
        self._pool = ThreadPoolExecutor(1 if self.sqlite else threads, thread_name_prefix="store")

    async def run(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in one transaction on a worker thread; what it raises rolls everything back and is raised here."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self.run_now, fn)

    def run_now(self, fn: Callable[[Connection], T]) -> T:
        """The same on the calling thread: for offline commands and tests.

        A line that broke before the commit was asked for is tried once more (R02). One that broke during it may have committed: then whoever
        asked must look first, so that is raised.
        """
        broken = False
        for attempt in range(RETRIES):
            done = False
            try:
                with self._turn, self.engine.begin() as connection:
                    found = fn(connection)
                    done = True
                return found
            except Exception as error:
                again = _sqlstate(error) in _SERIALIZATION_FAILURES or (not done and not broken and not self.sqlite and is_away(error))
                if attempt + 1 == RETRIES or not again:
                    raise
                broken = broken or is_away(error)
            time.sleep(random.uniform(0, 0.002 * 2**attempt))  # noqa: S311  # not a secret: two losers must not race again in step
        raise AssertionError("unreachable")

    def plainly(self, fn: Callable[[Any], T]) -> T:
        """Give `fn` the driver's connection outside any transaction: each statement stands alone and is committed at once."""
        if self.sqlite:
            with self._turn, contextlib.closing(self.engine.raw_connection()) as raw:
                return fn(raw.dbapi_connection)
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            return fn(connection.connection.dbapi_connection)

    async def close(self) -> None:
        """Wait for running units and release every connection."""
        await asyncio.to_thread(self._pool.shutdown, wait=True)
        self.engine.dispose()


_GONE_SQLSTATES = ("08", "53", "57", "58")
"""Classes: connection, resources, operator intervention, system. Those of PostgreSQL's refusals of what was asked are others."""
_GONE_SQLITE = frozenset({5, 6, 8, 10, 13, 14, 15})
"""Busy, locked, read-only, I/O, full, cannot open, protocol."""


def is_away(error: BaseException) -> bool:
    """Whether the database itself is in trouble (gone, full, held by somebody), whatever was asked of it. Then only waiting helps."""
    inner = getattr(error, "orig", error)
    if isinstance(inner, sqlite3.Error):
        return (getattr(inner, "sqlite_errorcode", 0) or 0) & 0xFF in _GONE_SQLITE
    if getattr(error, "connection_invalidated", False):
        return True
    state = _sqlstate(error)
    if state is not None:
        return state.startswith(_GONE_SQLSTATES)
    return type(inner).__module__.startswith("psycopg") and type(inner).__name__ in ("OperationalError", "InterfaceError", "PoolTimeout")


def is_passing(error: BaseException) -> bool:
    """Whether the same again may well succeed: the database is away, or others won every race for the same rows."""
    return is_away(error) or _sqlstate(error) in _SERIALIZATION_FAILURES


def _sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE, whether the driver's error comes as it is (`Rows`) or wrapped by SQLAlchemy."""
    found: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return found


def _sqlite_engine(url: str) -> Engine:
    _private(make_url(url).database)
    engine = create_engine(
        url,
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": 30},
        poolclass=StaticPool,
    )
    event.listen(engine, "connect", _sqlite_pragmas)
    event.listen(engine, "begin", lambda connection: connection.connection.execute("BEGIN IMMEDIATE").close())
    return engine


def _private(path: str | None) -> None:
    """A new file belongs to us alone; SQLite gives its log and index the same rights."""
    if path and path != ":memory:" and not path.startswith("file:") and os.path.isdir(os.path.dirname(path) or "."):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _sqlite_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}").close()


def _postgres_engine(url: str, threads: int, name: str) -> Engine:
    # A process that was stopped in the middle of a transaction must not hold its locks against the server that takes over.
    given = {"application_name": name, "options": f"-c idle_in_transaction_session_timeout={IDLE_MS}"} if name else {}
    return create_engine(url, isolation_level="SERIALIZABLE", pool_size=threads, max_overflow=2, pool_pre_ping=True, connect_args=given)
