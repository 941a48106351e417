"""R02: PostgreSQL drops the connection in the middle of a transaction. It is tried once more; nothing is done twice, nothing is given up."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError

from hub.actions import answer
from hub.app.inbox import TRIES, Inbox
from hub.app.verifier import Verifier
from hub.base.errors import Refused
from hub.base.faults import Faults
from hub.matrix.ports import Inbound, InboxRow
from hub.matrix.receiving import Gathered
from hub.store.database import Database, is_away
from hub.store.matrix_rows import SqlMatrixRows
from hub.store.unit_of_work import Vault
from keys.primitives import OpeningKey
from tests.store.road import CEM, CSMC, Walk, database_of, network

LOST = r"terminat|clos|connection"


class Cutter:
    """Ends the connection under the next `times` statements that begin like this, from the server's side, just before they run."""

    def __init__(self, database: Database, begins: str, times: int) -> None:
        self.left, self._begins = times, begins
        self._url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        event.listen(database.engine, "before_cursor_execute", self._look)

    def _look(self, connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self.left and statement.startswith(self._begins):
            self.left -= 1
            with psycopg.connect(self._url, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.dbapi_connection.info.backend_pid])


@pytest.fixture
def marks(postgres_database: Database) -> Database:
    postgres_database.run_now(lambda c: c.exec_driver_sql("CREATE TABLE marks (name text)"))
    return postgres_database


def add(connection: Any) -> None:
    connection.exec_driver_sql("INSERT INTO marks VALUES ('one')")


def count(database: Database) -> int:
    return int(database.run_now(lambda c: c.exec_driver_sql("SELECT count(*) FROM marks").scalar()))


def test_r02_a_dropped_connection_is_tried_once_more_with_one_effect(marks: Database) -> None:
    cutter = Cutter(marks, "INSERT INTO marks", 1)
    marks.run_now(add)
    assert cutter.left == 0
    assert count(marks) == 1


def test_r02_and_only_once_more(marks: Database) -> None:
    Cutter(marks, "INSERT INTO marks", 2)
    with pytest.raises(Exception, match=LOST) as caught:
        marks.run_now(add)
    assert is_away(caught.value)
    assert count(marks) == 0


def test_r02_a_connection_that_breaks_in_the_commit_is_never_tried_again(marks: Database) -> None:
    """Nobody knows whether it was committed: done again it might be done twice."""
    calls = []

    def work(connection: Any) -> None:
        calls.append(1)
        add(connection)
        pid = connection.connection.dbapi_connection.info.backend_pid
        url = marks.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    with pytest.raises(Exception, match=LOST):
        marks.run_now(work)
    assert calls == [1]
    assert count(marks) == 0


async def test_r02_what_a_caseworker_said_is_not_given_up_because_the_database_was_away(new_postgres_url: Callable[[], str]) -> None:
    """More often than an event of ours may fail before it is set aside: it waits, and takes effect once."""
    with network(lambda name: new_postgres_url()) as made:
        twin = made[CEM]
        rows = SqlMatrixRows(database_of(twin), seal=lambda _, data: data, unseal=lambda _, data: data)
        heard = Inbound(
            room_id=f"!{CEM}.desk", event_id="$ana1", sender=twin.person("ana"), device_key="k", type="m.room.message", ts_ms=0, standing="staff",
            firm=True, content={"msgtype": "m.text", "body": "!tk abrir Luz Inventada, mañana a las 10"},
        )  # fmt: skip
        row = InboxRow(event_id="$ana1", room_id=heard.room_id, session_id="s", index=1, body=heard.to_bytes())
        await rows.finish_batch(None, {}, Gathered(inbox=[row]).result())
        cutter = Cutter(database_of(twin), "INSERT INTO cases", 4 * TRIES)
        matrix: Any = _Matrix(twin.user)  # what it uses of Matrix
        worker = Inbox(twin.store, rows, matrix, Faults(), asyncio.Event(), _trusted, Verifier(twin.store, matrix))
        for _ in range(4 * TRIES):
            with contextlib.suppress(OperationalError, psycopg.OperationalError):  # as `Worker.run` takes it, without its pauses
                await worker.turn()
        assert cutter.left == 0
        assert twin.run(lambda unit: unit.cases.count()) == 1
        assert "event_failed" not in str(twin.said)


async def _trusted() -> None:
    """Trust lists play no part here."""


class _Matrix:
    """What an inbox sees of Matrix."""

    def __init__(self, user: str) -> None:
        self.device = type("Device", (), {"user_id": user})

    async def read(self, room: str, event: str) -> None:
        """A read receipt."""


def test_r01_a_full_disk_is_the_databases_trouble_and_a_refusal_is_not(open_database: Callable[[str], Database], tmp_path: Path) -> None:
    """What is refused would be refused again, and may not hold back what is behind it; a disk that is full will have room again."""
    database = open_database(f"sqlite:///{tmp_path}/one.db")
    database.run_now(lambda c: c.exec_driver_sql("CREATE TABLE marks (name text UNIQUE)"))
    pages = database.plainly(lambda driver: driver.execute("PRAGMA page_count").fetchone()[0])
    database.plainly(lambda driver: driver.execute(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(OperationalError, match="full") as full:
        database.run_now(lambda c: c.exec_driver_sql("INSERT INTO marks VALUES (?)", ("x" * 100_000,)))
    assert is_away(full.value)
    database.run_now(add)
    with pytest.raises(IntegrityError) as twice:
        database.run_now(add)
    with pytest.raises(OperationalError, match="no such table") as bug:
        database.run_now(lambda c: c.exec_driver_sql("SELECT * FROM nobody"))
    assert not is_away(twice.value)
    assert not is_away(bug.value)


def test_r08_two_who_accept_at_once_leave_one_key(new_postgres_url: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that is kept is the one that the acceptance tells: else what the sender discloses could never be opened, and would be lost."""
    with network(lambda name: new_postgres_url()) as made:
        walk = Walk(made)
        walk.open()
        walk.refer()
        twin = made[CSMC]
        (referral,) = twin.run(lambda unit: unit.referrals.all())
        both = threading.Barrier(2, timeout=1)
        generate = OpeningKey.generate

        def together() -> OpeningKey:
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait()
            return generate()

        monkeypatch.setattr("hub.actions.answer.OpeningKey.generate", together)
        keep, kept_by = Vault.keep_secret, list[str]()

        def second_waits(vault: Vault, owner: str, secret: bytes) -> None:
            keep(vault, owner, secret)
            kept_by.append(owner)
            if len(kept_by) == 2:
                time.sleep(0.5)  # the other one commits meanwhile

        monkeypatch.setattr(Vault, "keep_secret", second_waits)

        def accept() -> None:
            with contextlib.suppress(Refused):
                twin.run(lambda unit: answer.accept(unit, twin.person("bea"), referral.id))

        threads = [threading.Thread(target=accept) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (row,) = twin.run(lambda unit: unit.referrals.all())
        kept = OpeningKey(twin.run(lambda unit: unit.vault.secret(referral.id)))
        assert row.state == "accepted"
        assert kept.public.raw == row.our_key
