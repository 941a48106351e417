"""The transaction itself: who may write when, and what happens to the one that loses a race."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import psycopg
import psycopg.errors
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from hub.store import tables as t
from hub.store.database import RETRIES, Database
from hub.store.repositories import Rows
from tests.store.samples import timer


def test_no_increment_is_lost(database: Database) -> None:
    """Read, think, write, from four threads: on either database the sum is right."""
    database.run_now(lambda connection: Rows(connection, t.TIMERS).add(timer("n", ref="0")))

    def add(connection: Connection) -> None:
        rows = Rows(connection, t.TIMERS)
        found = rows.get("n")
        assert found is not None
        rows.put(timer("n", ref=str(int(found.ref) + 1)))

    def work() -> None:
        for _ in range(15):
            _stubborn(database, add)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    last = database.run_now(lambda connection: Rows(connection, t.TIMERS).get("n"))
    assert last is not None
    assert last.ref == "60"


def _stubborn(database: Database, work: Any) -> None:
    """On this little box four threads that do nothing else may lose all their retries; a caller hears of it and asks again."""
    while True:
        try:
            return database.run_now(work)
        except (OperationalError, psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected) as error:
            if getattr(getattr(error, "orig", error), "sqlstate", None) not in ("40001", "40P01"):
                raise


def test_two_writers_that_decide_on_what_both_read(postgres_database: Database) -> None:
    """Write skew: each reads what the other writes. Under anything less than SERIALIZABLE both would take the last place."""
    both_read = threading.Barrier(2)
    runs: list[str] = []

    def take_place(connection: Connection, name: str) -> None:
        rows = Rows(connection, t.TIMERS)
        taken = rows.count()
        runs.append(name)
        if len(runs) <= 2:
            both_read.wait(10)
        if taken == 0:
            rows.add(timer(name))

    threads = [threading.Thread(target=lambda n=n: postgres_database.run_now(lambda c: take_place(c, n))) for n in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert postgres_database.run_now(lambda connection: Rows(connection, t.TIMERS).count()) == 1
    assert len(runs) == 3, "the loser was run again, once"


def test_a_loser_that_always_loses_says_so(postgres_database: Database) -> None:
    runs: list[int] = []

    def lose(connection: Connection) -> None:
        runs.append(1)
        raise psycopg.errors.SerializationFailure("could not serialize (invented)")

    with pytest.raises(psycopg.errors.SerializationFailure):
        postgres_database.run_now(lose)
    assert len(runs) == RETRIES


def test_other_errors_are_not_tried_again(database: Database) -> None:
    runs: list[int] = []

    def fail(connection: Connection) -> None:
        runs.append(1)
        connection.execute(text("SELECT * FROM no_such_table"))

    with pytest.raises(Exception, match="no_such_table"):
        database.run_now(fail)
    assert len(runs) == 1
    assert database.run_now(lambda connection: connection.execute(text("SELECT 1")).scalar()) == 1


def test_what_a_failed_run_wrote_is_not_there_in_the_next(postgres_database: Database) -> None:
    """Exactly once: a unit that is run again after a lost race begins from nothing."""
    tries: list[int] = []

    def work(connection: Connection) -> int:
        rows = Rows(connection, t.TIMERS)
        rows.add(timer("a"))
        tries.append(rows.count())
        if len(tries) < 4:
            raise psycopg.errors.SerializationFailure("invented")
        return rows.count()

    assert postgres_database.run_now(work) == 1
    assert tries == [1, 1, 1, 1]
    assert postgres_database.run_now(lambda connection: Rows(connection, t.TIMERS).count()) == 1


def test_isolation_is_serializable(postgres_database: Database) -> None:
    assert postgres_database.run_now(lambda connection: connection.execute(text("SHOW transaction_isolation")).scalar()) == "serializable"
    assert postgres_database.plainly(lambda driver: driver.execute("SHOW transaction_isolation").fetchone())[0] != ""
    assert postgres_database.run_now(lambda connection: connection.execute(text("SHOW transaction_isolation")).scalar()) == "serializable"


# ---- SQLite -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "hub.db"


@pytest.fixture
def sqlite_database(file: Path) -> Any:
    database = Database(f"sqlite:///{file}")
    yield database
    database.engine.dispose()


def test_a_unit_holds_the_write_lock_from_its_first_moment(sqlite_database: Database, file: Path) -> None:
    """Without BEGIN IMMEDIATE the lock would only come with the first write, after decisions were made on what was read."""
    other = sqlite3.connect(file, timeout=0, isolation_level=None)

    def work(connection: Connection) -> None:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")

    sqlite_database.run_now(work)
    other.execute("BEGIN IMMEDIATE")
    other.execute("COMMIT")
    other.close()


def test_settings_of_sqlite(sqlite_database: Database) -> None:
    def pragma(name: str) -> Any:
        return sqlite_database.plainly(lambda driver: driver.execute(f"PRAGMA {name}").fetchone()[0])

    assert (pragma("journal_mode"), pragma("synchronous"), pragma("secure_delete"), pragma("foreign_keys")) == ("wal", 2, 1, 1)


def test_a_new_file_is_ours_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        database = Database(f"sqlite:///{tmp_path}/new.db")
        database.run_now(lambda connection: connection.exec_driver_sql("CREATE TABLE a (b)"))
        found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        database.engine.dispose()
    finally:
        os.umask(before)
    assert set(found) == {"new.db", "new.db-wal", "new.db-shm"}
    assert set(found.values()) == {0o600}


def test_plain_statements_wait_for_a_running_unit(sqlite_database: Database) -> None:
    """They share its connection: in between they would stand in its transaction, or end it."""
    inside, done = threading.Event(), threading.Event()
    sqlite_database.run_now(lambda connection: connection.exec_driver_sql("CREATE TABLE a (b)"))

    def unit(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO a VALUES (1)")
        inside.set()
        assert not done.wait(0.1)
        connection.exec_driver_sql("INSERT INTO a VALUES (2)")

    def plain() -> None:
        inside.wait(10)
        sqlite_database.plainly(lambda driver: driver.execute("SELECT 1").fetchall())
        done.set()

    thread = threading.Thread(target=plain)
    thread.start()
    sqlite_database.run_now(unit)
    thread.join(10)
    assert done.is_set()
    assert sqlite_database.plainly(lambda driver: driver.execute("SELECT count(*) FROM a").fetchone()) == (2,)
