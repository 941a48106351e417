"""Rows: conditions, order, and changes that must not vanish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.cases.records import LogLine, Timer
from hub.store import tables as t
from hub.store.database import Database
from hub.store.repositories import Rows
from tests.store.samples import START, timer

T = TypeVar("T")


def run(database: Database, work: Callable[[Rows[Timer]], T]) -> T:
    return database.run_now(lambda connection: work(Rows(connection, t.TIMERS)))


@pytest.fixture
def filled(database: Database) -> Database:
    def fill(rows: Rows[Timer]) -> None:
        for one in (timer("a", at=3), timer("b", at=1, done=5), timer("c", at=2), timer("d", at=2, kind="respond_by", done=1)):
            rows.add(one)

    run(database, fill)
    return database


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({}, "abcd"),
        ({"id": "c"}, "c"),
        ({"kind": "checkin", "done_at": None}, "ac"),
        ({"done_at__not": None}, "bd"),
        ({"kind__not": "checkin"}, "d"),
        ({"done_at__not": timer("x", done=1).done_at}, "abc"),
        ({"due_at__le": timer("x", at=2).due_at}, "bcd"),
        ({"due_at__lt": timer("x", at=2).due_at}, "b"),
        ({"due_at__ge": timer("x", at=2).due_at}, "acd"),
        ({"due_at__gt": timer("x", at=2).due_at}, "a"),
        ({"due_at__ge": timer("x", at=2).due_at, "due_at__le": timer("x", at=2).due_at}, "cd"),
        ({"done_at__le": None}, ""),
        ({"done_at__ge": None}, ""),
        ({"id__in": ["a", "d", "z"]}, "ad"),
        ({"id__in": []}, ""),
        ({"id__notin": ("a", "b")}, "cd"),
        ({"id__notin": ()}, "abcd"),
        ({"ref": "' OR 1=1 --"}, ""),
        ({"ref": "case_x%"}, ""),
    ],
    ids=str,
)
def test_conditions(filled: Database, where: dict[str, Any], found: str) -> None:
    listed = {key: list(value) if key.endswith(("__in", "__notin")) else value for key, value in where.items()}
    assert run(filled, lambda rows: "".join(r.id for r in rows.all(**listed))) == found
    assert run(filled, lambda rows: rows.count(**listed)) == len(found)


def test_a_condition_that_does_not_exist_is_an_error(filled: Database) -> None:
    with pytest.raises(KeyError):
        run(filled, lambda rows: rows.all(nobody="x"))
    with pytest.raises(KeyError):
        run(filled, lambda rows: rows.all(kind__like="x"))


@pytest.mark.parametrize(
    ("order", "found"), [("due_at", "bcda"), ("-due_at", "adcb"), ("id", "abcd"), ("-id", "dcba"), (None, "abcd")]
)
def test_order_and_its_ties(filled: Database, order: str | None, found: str) -> None:
    assert run(filled, lambda rows: "".join(r.id for r in rows.all(order=order))) == found
    assert run(filled, lambda rows: "".join(r.id for r in rows.all(order=order, limit=2))) == found[:2]
    assert run(filled, lambda rows: rows.all(order=order, limit=0)) == []


def test_lines_of_one_moment_stay_in_the_order_they_were_written_in(database: Database) -> None:
    """Also after changes, which on PostgreSQL write rows anew somewhere else."""

    def work(connection: Any) -> str:
        rows = Rows(connection, t.LOG)
        lines = [LogLine(id=name, about="case_x", at=START, actor="hub", what=name) for name in "fbdaec"]
        for line in lines:
            rows.add(line)
        for line in lines[:3]:
            rows.put(replace(line, actor="otra"))
        return "".join(line.what for line in rows.all(about="case_x", order="at"))

    assert database.run_now(work) == "fbdaec"


def test_one_is_the_first(filled: Database) -> None:
    assert run(filled, lambda rows: rows.one(done_at__not=None, order="due_at")) == timer("b", at=1, done=5)
    assert run(filled, lambda rows: rows.one(kind="checkin")) == timer("a", at=3)
    assert run(filled, lambda rows: rows.one(kind="nothing")) is None


def test_a_change_of_a_row_that_is_not_there_is_an_error(filled: Database) -> None:
    with pytest.raises(LookupError, match="timers"):
        run(filled, lambda rows: rows.put(timer("z")))
    run(filled, lambda rows: rows.put(timer("a", at=9)))
    assert run(filled, lambda rows: rows.get("a")) == timer("a", at=9)
    assert run(filled, lambda rows: rows.count()) == 4


def test_a_second_row_of_one_key_is_an_error_and_leaves_nothing(filled: Database) -> None:
    def work(rows: Rows[Timer]) -> None:
        rows.add(timer("e"))
        rows.add(timer("a"))

    with pytest.raises(Exception, match=r"(?i)unique"):
        run(filled, work)
    assert run(filled, lambda rows: rows.get("e")) is None


def test_deleting_what_is_not_there_is_fine(filled: Database) -> None:
    run(filled, lambda rows: rows.delete("z"))
    run(filled, lambda rows: rows.delete("a"))
    assert run(filled, lambda rows: rows.count()) == 3


def test_the_next_number(database: Database) -> None:
    def work(connection: Any) -> list[int]:
        rows = Rows(connection, t.QUESTIONS)
        empty = rows.next("first")
        connection.exec_driver_sql(
            "INSERT INTO questions (id, room, kind, ref, first, options, code, expires_at, state, inserted)"
            " VALUES ('q', '!r', 'k', 'r', 41, '[]', 'C', 0, 'open', 1)"
        )
        return [empty, rows.next("first")]

    assert database.run_now(work) == [1, 42]


_VALUES = st.sampled_from(["a", "b", None])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([None, 1, 2])), max_size=6), st.sampled_from([None, 1, 2]), st.booleans())
def test_a_condition_means_what_python_means(rows: list[tuple[int, int | None]], asked: int | None, negated: bool) -> None:
    """`name=value` is `==` and `name__not=value` is `!=`, NULL being None."""
    database = _memory()
    wanted = timer("x", done=asked).done_at

    def work(connection: Any) -> tuple[list[str], list[str]]:
        kept = Rows(connection, t.TIMERS)
        made = [timer(f"{i}", at=at, done=done) for i, (at, done) in enumerate(rows)]
        for one in made:
            kept.add(one)
        found = kept.all(**{"done_at__not" if negated else "done_at": wanted})
        for one in made:
            kept.delete(one.id)
        return [r.id for r in found], [m.id for m in made if (m.done_at == wanted) != negated]

    found, expected = database.run_now(work)
    assert found == expected


_kept: list[Database] = []


def _memory() -> Database:
    if not _kept:
        _kept.append(Database("sqlite://"))
        t.metadata.create_all(_kept[0].engine)
    return _kept[0]
