"""R04, R09: what a power cut leaves on the disk opens as the old state or the new one; and nothing planted in the database is ever run."""

from __future__ import annotations

import contextlib
import dataclasses
import pickle
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from hub.base.errors import TinkuyError
from hub.store import tables
from hub.testing import Twin
from keys.errors import KeysError
from tests.actions.road import Net, fresh, raw, working
from tests.attacks.twins.bench import CEM
from tests.store.test_faults import database_of, network, opens

PAGE = 4096
IMAGES = 60


def whole(image: Path) -> int:
    """How many cases stand in a copied database, once SQLite has opened it: each whole, with its fields, its check-in and its timer."""
    database = sqlite3.connect(image)
    try:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        cases, fields, checkins, timers = (
            database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("cases", "case_fields", "checkins", "timers")
        )
        assert (fields, checkins) == (3 * cases, cases), "half a unit of work"
        assert timers >= checkins
        return int(cases)
    finally:
        database.close()


def written(folder: Path, count: int) -> tuple[Twin, bytes, bytes]:
    """A hub that wrote so many cases into its write-ahead log alone: the database file, and the log."""
    with network(lambda name: f"sqlite:///{folder / name}.db") as made:
        twin = made[CEM]
        database = database_of(twin)
        database.plainly(lambda driver: driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
        database.plainly(lambda driver: driver.execute("PRAGMA wal_autocheckpoint = 0").fetchall())
        for number in range(count):
            opens(twin, f"Luz Inventada {number}")
        path = folder / f"{CEM}.db"
        return twin, path.read_bytes(), Path(f"{path}-wal").read_bytes()


def image(folder: Path, number: int, data: bytes, log: bytes) -> Path:
    place = folder / f"image-{number}.db"
    place.write_bytes(data)
    Path(f"{place}-wal").write_bytes(log)
    return place


def test_r04_a_log_cut_anywhere_opens_in_the_old_or_the_new_state(tmp_path: Path) -> None:
    """The disk lied about fsync: of the log any part arrived, or its end is torn. Never half a case, and never fewer than before."""
    rand = random.Random(4)
    _, data, log = written(tmp_path, 12)
    cuts = sorted(rand.randrange(len(log)) for _ in range(IMAGES))
    found = [whole(image(tmp_path, number, data, log[:cut])) for number, cut in enumerate([*cuts, len(log)])]
    assert found == sorted(found), "more of the log is never less of the state"
    assert (found[0], found[-1]) == (0, 12)
    assert len(set(found)) > 6, "images from in between"
    for number in range(IMAGES):
        cut = rand.randrange(len(log))
        torn = log[:cut] + rand.randbytes(rand.randrange(1, 3 * PAGE))
        assert 0 <= whole(image(tmp_path, 1000 + number, data, torn)) <= 12


def test_r04_a_cut_while_the_log_is_copied_back_opens_in_the_new_state(tmp_path: Path) -> None:
    """A checkpoint was under way: any of its pages are in the database file already, in any order; the log is still whole."""
    rand = random.Random(5)
    twin, data, log = written(tmp_path, 8)
    del twin
    after = image(tmp_path, 0, data, log)
    database = sqlite3.connect(after)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    new = after.read_bytes()
    assert len(new) > len(data) or new != data
    for number in range(1, IMAGES):
        pages = bytearray(new[: rand.randrange(len(data), len(new) + 1) // PAGE * PAGE] if rand.random() < 0.5 else new)
        for page in range(len(data) // PAGE):
            if rand.random() < 0.5:
                pages[page * PAGE : (page + 1) * PAGE] = data[page * PAGE : (page + 1) * PAGE]
        assert whole(image(tmp_path, number, bytes(pages), log)) == 8


# ---- R09 -------------------------------------------------------------------------------------------------------------------


class _Bomb:
    """Unpickled, it leaves a file."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return (Path.touch, (self.place,))


@pytest.fixture
def net() -> Net:
    return fresh()


def test_r09_a_pickle_in_every_column_is_never_opened(net: Net, tmp_path: Path) -> None:
    """Planted, live, into every binary column of every table, and into a table of jobs as APScheduler's SQL store would read it."""
    fuse = tmp_path / "it went off"
    bomb = pickle.dumps(_Bomb(fuse))
    pickle.loads(bomb)
    assert fuse.exists(), "the bomb works"
    fuse.unlink()
    working(net)
    driver = raw(net.cem.store._database)
    driver.execute("CREATE TABLE apscheduler_jobs (id TEXT PRIMARY KEY, next_run_time FLOAT, job_state BLOB)")
    driver.execute("INSERT INTO apscheduler_jobs VALUES ('x', 0, ?)", (bomb,))
    planted = 0
    for mapping in (value for value in vars(tables).values() if isinstance(value, tables.Mapping)):
        hints = [f.name for f in dataclasses.fields(mapping.record) if f.type in ("bytes", bytes)]
        for column in hints:
            if not mapping.vouched:  # those say so themselves: see test_vouched
                planted += driver.execute(f'UPDATE {mapping.table.name} SET "{column}" = ?', (bomb,)).rowcount
    driver.commit()
    assert planted > 20
    for step in (lambda: net.settle(2), lambda: net.wait(hours=30), net.cem.ring, lambda: net.cem.type("ana", "!tk pendientes")):
        with contextlib.suppress(KeysError, TinkuyError, ValueError):  # what cannot be read is refused, and nothing else is done with it
            step()
    assert not fuse.exists()
