"""A database as lines of JSON and back, from each database into each, while a hub writes; and every sealed column is known by its place."""

from __future__ import annotations

import base64
import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.store import snapshot
from hub.store.cells import cells_of
from hub.store.database import Database
from hub.store.migrate import is_at_head, upgrade
from hub.store.tables import LEDGER, metadata
from tests.store.samples import MAPPINGS, START

_counter = itertools.count(1)


def lines_of(url: str) -> tuple[str, dict[str, list[bytes]]]:
    found: dict[str, list[bytes]] = {}

    def keep(name: str, lines: Iterator[bytes]) -> None:
        found[name] = list(lines)

    return snapshot.read_data(url, keep), found


@pytest.fixture
def other_url(new_postgres_url: Callable[[], str], tmp_path: Path) -> Callable[[str], str]:
    """The URL of an empty database of the other kind."""
    return lambda url: new_postgres_url() if url.startswith("sqlite") else f"sqlite:///{tmp_path}/other{next(_counter)}.db"


def test_what_is_read_comes_back_the_same_also_on_the_other_database(
    database_url: str, other_url: Callable[[str], str], open_database: Callable[[str], Database]
) -> None:
    source = open_database(database_url)
    upgrade(source)
    rows = {name: filled(name) for name in snapshot.tables()}
    source.run_now(lambda c: [c.execute(metadata.tables[name].insert(), row) for name, row in rows.items()])
    revision, lines = lines_of(database_url)
    assert set(lines) == set(snapshot.tables())
    target = open_database(other_url(database_url))
    target.run_now(lambda c: snapshot.fill(c, revision, ((name, snapshot.rows_of(found)) for name, found in lines.items())))
    assert is_at_head(target)
    for name, row in rows.items():
        assert target.run_now(lambda c, t=metadata.tables[name]: [dict(r._mapping) for r in c.execute(select(t))]) == [row]


def filled(name: str) -> dict[str, Any]:
    """A row with something in every column, bytes that are no text among them."""
    values: dict[str, Any] = {"BIGINT": 2**53, "TEXT": "ñ «…» \n\t\"", "BOOLEAN": True, "BLOB": bytes(range(256)), "INTEGER": 1}
    kinds = {"BIGINT": 2**40 + 1, "TEXT": "ñ «…» \n\t\"", "BOOLEAN": True, "BLOB": bytes(range(256))}
    return {column.name: kinds.get(str(column.type), values.get(str(column.type))) for column in metadata.tables[name].columns}


def test_a_snapshot_is_of_one_moment_though_a_hub_writes(database_url: str, open_database: Callable[[str], Database]) -> None:
    """One writer keeps two tables equal; a reader that saw two moments would find them different. The writer is not held up for long."""
    database = open_database(database_url)
    upgrade(database)
    posts, log = metadata.tables["handled_events"], metadata.tables["tombstones"]
    stop, written = threading.Event(), itertools.count(1)

    def write() -> None:
        while not stop.is_set():
            number = next(written)
            row = {"id": f"e{number}", "at": 1, "inserted": number}
            dead = row | {"why": "x", "confirmed_at": None, "seal": b""}
            database.run_now(lambda c, r=row, d=dead: (c.execute(posts.insert(), r), c.execute(log.insert(), d)))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        sizes = []
        for _ in range(8):
            _, lines = lines_of(database_url)
            assert len(lines["handled_events"]) == len(lines["tombstones"])
            sizes.append(len(lines["tombstones"]))
    finally:
        stop.set()
        writer.join()
    assert sizes[-1] > sizes[0], "it wrote while it was read"


def test_no_row_of_the_matrix_room_is_in_it(database_url: str, open_database: Callable[[str], Database]) -> None:
    """N12: an Olm account that was in a backup would be used twice."""
    database = open_database(database_url)
    upgrade(database)
    olm = metadata.tables["matrix_olm"]
    database.run_now(lambda c: c.execute(olm.insert(), {"device": "DEVICE", "row_id": "account", "counter": 1, "sealed": b"OLM ACCOUNT"}))
    _, lines = lines_of(database_url)
    whole = b"".join(line for found in lines.values() for line in found)
    assert b"matrix_" not in b" ".join(name.encode() for name in lines)
    assert b"OLM ACCOUNT" not in whole
    assert base64.b64encode(b"OLM ACCOUNT") not in whole


def test_every_sealed_column_has_a_place() -> None:
    """A sealed column that `cells_of` does not know would neither be verified nor attacked."""
    sealed = {name for name in snapshot.tables() if "sealed" in metadata.tables[name].c}
    assert sealed >= {"case_fields", "held_values", "posts", "outbox"}
    for name in sealed:
        row = {column.name: "x" for column in metadata.tables[name].columns} | {"sealed": b"\1", "ref": "{}"}
        (cell,) = cells_of(name, row)
        assert cell.owner
        assert "|" in cell.place
    (words,) = cells_of("outbox", {"sealed": b"", "ref": '{"owner": "say_1", "words": "00ff"}'})
    assert (words.owner, words.place, words.sealed) == ("say_1", "outbox|words", b"\0\xff")


def test_every_table_of_records_is_in_a_backup() -> None:
    assert {mapping.table.name for mapping in MAPPINGS} <= set(snapshot.tables())
    assert LEDGER.table.name in snapshot.tables()
    assert START.tzinfo
