"""What is put is what is got, for every record type, on both databases."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.base.errors import Refused
from hub.cases import records as c
from hub.cases.lifecycle import Side, State
from hub.exchange import records as x
from hub.store import tables as t
from hub.store.database import Database
from hub.store.mapping import INSERTED, Mapping
from hub.store.migrate import upgrade
from hub.store.repositories import Rows
from tests.store.samples import MAPPINGS, START, TEXT, records, timer


class _Undo(Exception):
    """Leaves the transaction without a trace."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all examples: each of them is rolled back."""
    folder = tmp_path_factory.mktemp("mapping")
    database = Database(f"sqlite:///{folder}/m.db" if request.param == "sqlite" else request.getfixturevalue("postgres").new_database())
    upgrade(database)
    yield database
    database.engine.dispose()


def undone(database: Database, work: Callable[[Any], None]) -> None:
    def run(connection: Any) -> None:
        work(connection)
        raise _Undo

    with pytest.raises(_Undo):
        database.run_now(run)


def test_every_record_type_has_its_table() -> None:
    kept = {m.record for m in MAPPINGS}
    defined = {r for module in (c, x) for r in vars(module).values() if dataclasses.is_dataclass(r) and r.__module__ == module.__name__}
    assert kept == defined
    assert len(MAPPINGS) == len(kept) > 20


@pytest.mark.parametrize("mapping", MAPPINGS, ids=lambda m: str(m.table.name))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_put_is_what_is_got(shared: Database, mapping: Mapping[Any], data: st.DataObject) -> None:
    first = data.draw(records(mapping.record))
    changed = dataclasses.replace(data.draw(records(mapping.record)), **{mapping.key: getattr(first, mapping.key)})

    def work(connection: Any) -> None:
        rows = Rows(connection, mapping)
        rows.add(first)
        assert rows.get(getattr(first, mapping.key)) == first
        assert rows.all() == [first]
        rows.put(changed)
        assert rows.all() == [changed]
        for name in mapping.names:
            assert rows.count(**{name: getattr(changed, name)}) == 1, name
        rows.delete(getattr(first, mapping.key))
        assert rows.count() == 0

    undone(shared, work)


@settings(max_examples=60, deadline=None)
@given(at=st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), hours=st.integers(-12, 14))
def test_times_keep_their_microsecond_and_become_utc(at: datetime, hours: int) -> None:
    local = at.replace(tzinfo=timezone(timedelta(hours=hours)))
    stored = t.TIMERS.out("due_at", local)
    back = t.TIMERS.from_row(("a", "k", "r", stored, None)).due_at
    assert back == local
    assert back.tzinfo is UTC


@settings(max_examples=60, deadline=None)
@given(st.lists(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)), min_size=2, max_size=5))
def test_stored_times_are_ordered_as_times_are(times: list[datetime]) -> None:
    assert [t.TIMERS.out("due_at", at) for at in sorted(times)] == sorted(t.TIMERS.out("due_at", at) for at in times)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        t.TIMERS.out("due_at", datetime(2026, 11, 23))


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "\0"])
def test_text_that_only_one_database_keeps_is_refused_by_both(shared: Database, text: str) -> None:
    """A peer could otherwise stop one hub with a byte that another one takes."""
    for record in (timer(text), timer("a", ref=text)):
        with pytest.raises(Refused, match="text_not_storable"):
            shared.run_now(lambda connection, r=record: Rows(connection, t.TIMERS).add(r))


def test_the_same_text_inside_json_is_kept(shared: Database) -> None:
    line = c.LogLine(id="a", about="b", at=START, actor="hub", what="x", detail={"k\0": "a\0b\ud800"})

    def work(connection: Any) -> None:
        Rows(connection, t.LOG).add(line)
        assert Rows(connection, t.LOG).get("a") == line

    undone(shared, work)


@settings(max_examples=100, deadline=None)
@given(TEXT)
def test_every_other_text_is_storable(text: str) -> None:
    assert t.TIMERS.out("ref", text) == text


def test_words_of_enumerations_come_back_as_themselves(shared: Database) -> None:
    def work(connection: Any) -> None:
        rows = Rows(connection, t.REFERRALS)
        rows.add(referral())
        back = rows.get("ref_1")
        assert back is not None
        assert back.side is Side.SENDER
        assert back.state is State.REQUESTED
        assert rows.one(side="sender", state="requested") == back
        assert rows.one(side=Side.RECIPIENT) is None

    undone(shared, work)


def test_an_unknown_word_in_the_database_is_an_error_not_a_guess(shared: Database) -> None:
    def work(connection: Any) -> None:
        Rows(connection, t.REFERRALS).add(referral())
        connection.exec_driver_sql("UPDATE referrals SET state = 'lost'")
        with pytest.raises(ValueError, match="lost"):
            Rows(connection, t.REFERRALS).get("ref_1")

    undone(shared, work)


def test_the_tables_own_column_is_no_field_of_any_record() -> None:
    assert all(INSERTED not in m.names and INSERTED in m.table.c for m in MAPPINGS)


def referral() -> c.Referral:
    return c.Referral(
        id="ref_1", code="R-AAAAA", side=Side.SENDER, peer="csmc-comas", case="case_1", need="mental_health", purpose="care",
        protocol="p", protocol_version=1, urgency="routine", state=State.REQUESTED, opened_at=START, respond_by=START,
    )  # fmt: skip
