"""Who of two servers acts: the lease and its fencing token, on a real PostgreSQL, also against a process that was stopped mid-transaction."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from hub.base.errors import Stopped
from hub.cases.records import Handled
from hub.store import lease as leases
from hub.store.database import Database
from hub.store.lease import Lease, connection_name, new_holder
from hub.store.lock import DatabaseLock
from hub.store.migrate import upgrade
from hub.store.unit_of_work import Collaborators, Store, UnitOfWork, Vault
from keys.dailykeys import DailyKeys
from tests.store.conftest import Server

_FROZEN = """
import sys, time
from sqlalchemy import text
from hub.store.database import Database
from hub.store.lease import Lease, connection_name
url, holder = sys.argv[1:]
database = Database(url, name=connection_name("cem-lima", holder))
lease = Lease(database, "cem-lima", holder)
assert lease.take()
def act(connection):
    lease.check(connection)
    connection.execute(text("UPDATE work SET done = done + 1"))
    print("inside", flush=True)
    sys.stdin.readline()
try:
    database.run_now(act)
    print("committed", flush=True)
except Exception as error:
    print(type(error).__name__, flush=True)
try:
    database.run_now(lease.check)
    print("still acting", flush=True)
except Exception as error:
    print(type(error).__name__, error, flush=True)
print("valid" if lease.valid else "not valid", flush=True)
"""


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    made = postgres.new_database()
    yield made
    postgres.give_back(made)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = Database(url)
    upgrade(made)
    made.run_now(lambda c: c.execute(text("CREATE TABLE work (done bigint)")))
    made.run_now(lambda c: c.execute(text("INSERT INTO work VALUES (0)")))
    yield made
    made.engine.dispose()


def done(database: Database) -> int:
    return int(database.run_now(lambda c: c.execute(text("SELECT done FROM work")).scalar_one()))


def work(lease: Lease) -> Callable[[Connection], None]:
    def act(connection: Connection) -> None:
        lease.check(connection)
        connection.execute(text("UPDATE work SET done = done + 1"))

    return act


def test_one_leads_and_the_other_waits_until_it_ran_out(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LASTS", 1.5)
    one, two = (Lease(database, "cem-lima", new_holder(name)) for name in ("uno", "dos"))
    assert one.take()
    assert not two.take()
    database.run_now(work(one))
    with pytest.raises(Stopped, match=r"server\.standby"):
        database.run_now(work(two))
    for _ in range(4):
        time.sleep(0.5)
        assert one.pulse()
        assert not two.take(), "the holder is alive"
    time.sleep(1.7)
    assert not one.valid, "its own clock says so before anybody else may lead"
    assert two.take()
    assert two.token == (one.token or 0) + 1
    assert not one.pulse()
    with pytest.raises(Stopped, match=r"server\.standby"):
        database.run_now(work(one))
    with pytest.raises(Stopped, match=r"server\.standby"):
        one.assert_valid()
    database.run_now(work(two))
    assert done(database) == 2


def test_a_lease_that_was_given_back_is_free_at_once(database: Database) -> None:
    one, two = (Lease(database, "cem-lima", new_holder(name)) for name in ("uno", "dos"))
    assert one.take()
    one.give()
    assert not one.valid
    assert two.take()
    assert not one.pulse()


def test_only_one_of_two_that_try_at_once(database: Database) -> None:
    for _ in range(20):
        one, two = (Lease(database, "cem-lima", new_holder(name)) for name in ("uno", "dos"))
        assert one.take() + two.take() == 1
        (one if one.valid else two).give()


def test_a_process_stopped_inside_a_transaction_neither_blocks_nor_acts(url: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGSTOP between the fence's check and the commit: its locks go, its change with them, and when it wakes it may not act."""
    monkeypatch.setattr(leases, "LASTS", 1.0)
    holder = new_holder("uno")
    frozen = subprocess.Popen([sys.executable, "-c", _FROZEN, url, holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert frozen.stdout is not None
        assert frozen.stdin is not None
        assert frozen.stdout.readline().strip() == "inside"
        os.kill(frozen.pid, signal.SIGSTOP)
        two = Lease(database, "cem-lima", new_holder("dos"))
        began = time.monotonic()
        while not two.take():
            assert time.monotonic() - began < 10, "the stopped process holds the lease for ever"
            time.sleep(0.2)
        database.run_now(work(two))
        assert time.monotonic() - began < 10
        os.kill(frozen.pid, signal.SIGCONT)
        frozen.stdin.write("\n")
        frozen.stdin.flush()
        rest = frozen.stdout.read().split("\n")
        assert "committed" not in rest, rest
        assert "still acting" not in rest, rest
        assert "Stopped server.standby" in rest, rest
        assert "not valid" in rest, rest
        assert done(database) == 1, "the one change of the one that leads"
    finally:
        frozen.kill()
        frozen.communicate()


def test_d12_servers_share_the_lock_by_name_and_nobody_else_does(url: str, database: Database) -> None:
    one, two = DatabaseLock(database, "uno"), DatabaseLock(database, "dos")
    one.take()
    two.take()
    assert one.held()
    assert two.held()
    for other in (DatabaseLock(database, "uno"), DatabaseLock(database)):
        with pytest.raises(Stopped, match=r"database\.in_use"):
            other.take()
    one.release()
    with pytest.raises(Stopped, match=r"database\.in_use"):
        DatabaseLock(database).take()
    two.release()
    alone = DatabaseLock(database)
    alone.take()
    with pytest.raises(Stopped, match=r"database\.in_use"):
        one.take()
    alone.release()


def test_a_server_that_stands_by_reads_and_changes_nothing(database: Database, given: Collaborators) -> None:
    one, two = (Lease(database, "cem-lima", new_holder(name)) for name in ("uno", "dos"))
    assert one.take()
    store = Store(database, replace(given, fence=two))
    with pytest.raises(Stopped, match=r"server\.standby"):
        store.run_now(lambda unit: unit.handled.add(Handled(id="$1", at=unit.now)))
    assert asyncio.run(store.look(lambda unit: unit.handled.count())) == 0
    with pytest.raises(Exception, match="read-only"):
        asyncio.run(store.look(lambda unit: unit.handled.add(Handled(id="$1", at=unit.now))))
    vault = Vault(store.given.keys, store.given.clock.now(), fence=two)
    for write in (lambda: vault.create("case_1"), lambda: vault.destroy("case_1"), lambda: vault.keep_secret("ref_1", b"x" * 32)):
        with pytest.raises(Stopped, match=r"server\.standby"):
            write()
    daily = DailyKeys(store.given.keys, before_write=two.assert_valid)
    with pytest.raises(Stopped, match=r"server\.standby"):
        daily.today(store.given.clock.now())
    assert not daily.made(store.given.clock.now()), "a deposed leader leaves nothing in the key store"
    store.given = replace(store.given, fence=one)
    made = store.run_now(lambda unit: unit.daily.today(unit.now).public)
    assert made == daily.today(store.given.clock.now()).public, "what is there may be read"
    one.give()
    with pytest.raises(Stopped, match=r"server\.standby"):
        UnitOfWork(Any, store.given, store._seals).daily.today(store.given.clock.now() + timedelta(days=1))
    assert one.take()
    store.run_now(lambda unit: unit.handled.add(Handled(id="$1", at=unit.now)))
    assert asyncio.run(store.look(lambda unit: unit.handled.count())) == 1


def test_connections_of_two_processes_are_told_apart() -> None:
    first, again = (connection_name("un-nombre-de-institucion-muy-largo-de-verdad", new_holder("quincecaracter")) for _ in range(2))
    assert first != again, "the same server, started again, is not ended by who ends its last process"
    assert len(first) < 64
