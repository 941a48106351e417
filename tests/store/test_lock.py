"""D12: two hub processes started on one database; the second one refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from sqlalchemy import text

from hub.base.errors import Stopped
from hub.store.database import Database
from hub.store.lock import DatabaseLock

_HOLD = """
import sys
from hub.store.database import Database
from hub.store.lock import DatabaseLock
lock = DatabaseLock(Database(sys.argv[1]))
try:
    lock.take()
except Exception as error:
    print(type(error).__name__, error, flush=True)
    sys.exit(3)
print("held", flush=True)
sys.stdin.read()
"""


def holder(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", _HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_d12_a_second_process_is_refused_and_the_lock_dies_with_its_holder(database_url: str, open_database: Callable[[str], Database]) -> None:
    first = holder(database_url)
    try:
        assert said(first) == "held"
        second = holder(database_url)
        assert said(second) == "Stopped database.in_use"
        second.communicate()
        assert second.returncode == 3
        with pytest.raises(Stopped, match=r"database\.in_use"):
            DatabaseLock(open_database(database_url)).take()
        first.kill()
        first.communicate()
        third = holder(database_url)
        assert said(third) == "held", "kill -9 leaves no lock behind"
        third.communicate()
    finally:
        first.kill()
        first.communicate()


def test_d12_a_released_lock_can_be_taken_at_once(database_url: str, open_database: Callable[[str], Database]) -> None:
    """Also while the releasing program and its connections go on living."""
    one, other = DatabaseLock(open_database(database_url)), DatabaseLock(open_database(database_url))
    for _ in range(3):
        one.take()
        assert one.held()
        with pytest.raises(Stopped):
            other.take()
        one.release()
        other.take()
        other.release()


def test_d12_other_databases_are_not_locked(new_url: Callable[[], str], open_database: Callable[[str], Database]) -> None:
    one, other = DatabaseLock(open_database(new_url())), DatabaseLock(open_database(new_url()))
    one.take()
    other.take()
    one.release()
    other.release()


def test_d12_a_lock_lost_with_its_connection_is_noticed(database_url: str, open_database: Callable[[str], Database]) -> None:
    """A PostgreSQL that was started anew has forgotten it; a file's lock cannot be lost."""
    database = open_database(database_url)
    lock = DatabaseLock(database)
    lock.take()
    if not database.sqlite:
        database.run_now(
            lambda c: c.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"))
        )
        assert not lock.held()
    else:
        assert lock.held()
    lock.release()


def test_a_working_hub_and_its_lock_share_the_database(database_url: str, open_database: Callable[[str], Database]) -> None:
    database = open_database(database_url)
    lock = DatabaseLock(database)
    lock.take()
    assert database.run_now(lambda connection: connection.execute(text("SELECT 1")).scalar()) == 1
    assert lock.held()
    lock.release()
