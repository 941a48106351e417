"""The key store's contract: durable before it returns, and really gone when deleted."""

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.base.errors import Stopped
from hub.store.database import Database
from hub.store.key_rows import KeyTable
from keys.casekeys import Cell, DataKeys, KeyRows, MemoryKeyRows
from keys.errors import KeyDestroyed
from keys.providers.memory import MemoryKek
from tests.store.conftest import Server
from tests.store.samples import START


@pytest.fixture(params=["table", "memory"])
def rows(request: pytest.FixtureRequest, keys_database: Database) -> KeyRows:
    """The real one and the twin that ships with the product, under the same tests."""
    return KeyTable(keys_database) if request.param == "table" else MemoryKeyRows()


def test_the_contract(rows: KeyRows) -> None:
    assert rows.get("a") is None
    rows.put("a", b"\0\xff1", START)
    rows.put("b", b"2", START)
    assert (rows.get("a"), rows.get("b")) == (b"\0\xff1", b"2")
    rows.put("a", b"3", START)
    assert rows.get("a") == b"3"
    assert sorted(rows.owners()) == ["a", "b"]
    rows.delete("a")
    rows.delete("a")
    rows.delete("nobody")
    assert rows.get("a") is None
    assert list(rows.owners()) == ["b"]


def test_data_keys_over_it(rows: KeyRows) -> None:
    keys, cell = DataKeys(MemoryKek(), rows), Cell(table="t", row="r", column="c")
    keys.create("case_a", START)
    sealed = keys.seal("case_a", cell, b"valor inventado")
    assert keys.open("case_a", cell, sealed) == b"valor inventado"
    assert keys.destroy("case_a")
    with pytest.raises(KeyDestroyed):
        keys.open("case_a", cell, sealed)


def test_a_key_is_there_for_others_when_put_returns(keys_database: Database, open_database: Callable[[str], Database]) -> None:
    KeyTable(keys_database).put("a", b"1", START)
    url = keys_database.engine.url.render_as_string(hide_password=False)
    other = KeyTable(open_database(url))
    assert other.get("a") == b"1"
    other.delete("a")
    assert KeyTable(keys_database).get("a") is None, "a key destroyed by another process opens nothing here"


def test_a_unit_that_is_rolled_back_does_not_take_its_key_along(keys_database: Database) -> None:
    """Key and data are apart: a key is written at once, whatever becomes of the data."""
    table = KeyTable(keys_database)
    table.put("a", b"1", START)
    with pytest.raises(ZeroDivisionError):
        keys_database.run_now(lambda connection: 1 // 0)
    assert table.get("a") == b"1"


# ---- really gone ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def sqlite_keys(tmp_path: Path) -> Database:
    return Database(f"sqlite:///{tmp_path}/keys.db")


def _files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.name.startswith("keys.db"))


def test_deleted_and_replaced_keys_leave_the_files(sqlite_keys: Database, tmp_path: Path) -> None:
    """The file, its write-ahead log and its index, while the hub runs; after hundreds of changes that split and join pages."""
    table, chance = KeyTable(sqlite_keys), random.Random(7)
    living: dict[str, bytes] = {}
    dead: list[bytes] = []
    for number in range(500):
        if living and chance.random() < 0.4:
            owner = chance.choice(sorted(living))
            dead.append(living.pop(owner))
            if chance.random() < 0.2:
                living[owner] = chance.randbytes(61)
                table.put(owner, living[owner], START)
            else:
                table.delete(owner)
        else:
            living[f"dis_{chance.randbytes(12).hex()}"] = wrapped = chance.randbytes(chance.choice([61, 61, 700, 5000]))
            table.put(next(o for o, w in living.items() if w is wrapped), wrapped, START)
        if number % 100 == 0:
            assert all(w in _files(tmp_path) for w in living.values() if len(w) < 800), "the search itself must be able to find"
    table.delete(sorted(living)[0])
    dead.append(living.pop(sorted(living)[0]))
    kept = _files(tmp_path)
    assert len(dead) > 100
    assert not [1 for one in dead if any(one[i : i + 16] in kept for i in range(0, len(one) - 15, 16))]
    assert {owner: table.get(owner) for owner in living} == living
    sqlite_keys.engine.dispose()


def test_a_reader_elsewhere_keeps_a_key_in_the_log_and_that_is_said(sqlite_keys: Database, tmp_path: Path) -> None:
    """A backup that reads just now: the key is deleted, but not yet erased, so the tombstone must stay."""
    table = KeyTable(sqlite_keys)
    table.put("a", b"W" * 61, START)
    sqlite_keys.plainly(lambda driver: driver.execute("PRAGMA busy_timeout=50").close())
    reader = sqlite3.connect(tmp_path / "keys.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM wrapped_keys").fetchall()
    with pytest.raises(Stopped, match=r"keys\.not_erased"):
        table.delete("a")
    assert table.get("a") is None
    assert b"W" * 61 in _files(tmp_path)
    reader.execute("COMMIT")
    reader.close()
    table.delete("a")
    assert b"W" * 61 not in _files(tmp_path)
    sqlite_keys.engine.dispose()


def test_deleting_beside_running_units_neither_fails_nor_ends_them(sqlite_keys: Database) -> None:
    """The checkpoint runs on the one connection that the units have."""
    table = KeyTable(sqlite_keys)
    sqlite_keys.run_now(lambda connection: connection.exec_driver_sql("CREATE TABLE other (n)"))
    failed: list[BaseException] = []

    def churn() -> None:
        try:
            for number in range(40):
                table.put(f"{number}", b"1", START)
                table.delete(f"{number}")
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=churn)
    thread.start()
    for number in range(100):
        sqlite_keys.run_now(lambda connection, n=number: [connection.execute(text("INSERT INTO other VALUES (:n)"), {"n": n}) for _ in "ab"])
    thread.join(60)
    assert not failed
    assert sqlite_keys.plainly(lambda driver: driver.execute("SELECT count(*) FROM other").fetchone()) == (200,)
    sqlite_keys.engine.dispose()


def test_deleted_keys_leave_the_tables_of_postgresql(postgres: Server, new_postgres_url: Callable[[], str]) -> None:
    """Its write-ahead log keeps them as long as the administrator keeps that (at most 7 days, `keys.md` §3)."""
    database = Database(new_postgres_url())
    table, chance = KeyTable(database), random.Random(7)
    keys = {f"dis_{number}": chance.randbytes(61) for number in range(40)}
    for owner, wrapped in keys.items():
        table.put(owner, wrapped, START)

    def held() -> bytes:
        database.plainly(lambda driver: driver.execute("CHECKPOINT").close())
        return b"".join(path.read_bytes() for path in (postgres.folder / "base").rglob("*") if path.is_file())

    before = held()
    assert all(wrapped in before for wrapped in keys.values())
    gone = [keys.pop(f"dis_{number}") for number in range(0, 40, 2)]
    for number in range(0, 40, 2):
        table.delete(f"dis_{number}")
    gone.append(keys["dis_1"])
    keys["dis_1"] = chance.randbytes(61)
    table.put("dis_1", keys["dis_1"], START)
    after = held()
    assert not any(wrapped in after for wrapped in gone)
    assert all(wrapped in after for wrapped in keys.values())
    database.engine.dispose()
