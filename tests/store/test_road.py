"""The whole road over both databases; the same with every unit losing its first race; and P04 at the level of the database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg.errors
import pytest

from hub.actions import dispatch as dispatch_module
from hub.actions import withdraw as withdraw_module
from hub.actions.dispatch import dispatch
from hub.actions.ports import Unit
from hub.actions.withdraw import withdraw
from hub.store.database import Database
from hub.testing import Twin, TwinNetwork
from tests.store.road import PHONE, Walk, database_of, network

T = TypeVar("T")


@pytest.fixture(scope="module")
def plain_transcript() -> str:
    """What is said on the road in memory, nothing going wrong."""
    with network() as made:
        return Walk(made).all()


def test_the_road_reads_the_same_on_every_database(new_url: Callable[[], str], plain_transcript: str) -> None:
    with network(lambda name: new_url()) as made:
        assert Walk(made).all() == plain_transcript


def test_exactly_once_although_every_unit_loses_its_first_race(
    new_url: Callable[[], str], plain_transcript: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each unit does all its work, is told that it could not be serialised, and does it again: one of everything comes of it."""
    runs: list[int] = []
    with network(lambda name: new_url()) as made:
        for twin in made.twins.values():
            _loses_first(database_of(twin), runs, monkeypatch)
        assert Walk(made).all() == plain_transcript
        assert len(runs) > 100
        for twin in made.twins.values():
            _nothing_twice(twin)


def _loses_first(database: Database, runs: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    real = database.run_now

    def run_now(fn: Callable[[Any], T]) -> T:
        lost: list[int] = []

        def once(connection: Any) -> T:
            result = fn(connection)
            runs.append(1)
            if not lost:
                lost.append(1)
                raise psycopg.errors.SerializationFailure("invented")
            return result

        return real(once)

    monkeypatch.setattr(database, "run_now", run_now)


def _nothing_twice(twin: Twin) -> None:
    def look(unit: Unit) -> None:
        numbers = [(row.link, row.epoch, row.seq) for row in unit.outbox.all() if row.seq]
        assert len(numbers) == len(set(numbers))
        assert [row.id for row in unit.ledger.all(order="id")] == list(range(1, unit.ledger.count() + 1))
        orders = [row.order for row in unit.posts.all()]
        assert len(orders) == len(set(orders))
        assert unit.tombstones.count(confirmed_at=None) == 0

    twin.run(look)


# ---- P04: consent withdrawn while the message is under way in the sender's own database --------------------------------------


@pytest.fixture
def walk(new_postgres_url: Callable[[], str]) -> Any:
    """Accepted: the disclosure waits in the outbox of `cem`."""
    with network(lambda name: new_postgres_url()) as made:
        walk = Walk(made)
        walk.open()
        walk.refer()
        walk.accept()
        assert _disclosures_waiting(walk.cem) == 1
        yield walk


def _disclosures_waiting(twin: Twin) -> int:
    return twin.run(lambda unit: unit.outbox.count(kind="disclose", state="ready"))


def _take_back(walk: Walk) -> Callable[[Unit], Any]:
    return lambda unit: withdraw(unit, walk.cem.person("ana"), walk.code, None)


def _nothing_arrived(made: TwinNetwork, walk: Walk) -> None:
    made.settle()
    assert walk.csmc.run(lambda unit: (unit.held.count(), unit.disclosures.count(state="active"))) == (0, 0)
    assert PHONE not in walk.csmc.type("bea", "ver", thread=walk.offer)
    assert not any("Luz" in one.body for one in walk.csmc.said)


def test_p04_consent_withdrawn_before_dispatch_sends_nothing(walk: Walk) -> None:
    walk.cem.run(_take_back(walk))
    _nothing_arrived(walk.network, walk)


def test_p04_consent_withdrawn_while_a_dispatch_has_decided(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The dispatch has read the living consent and composed the message; then she takes it back; then the dispatch would commit."""
    decided, withdrawn = threading.Event(), threading.Event()
    composed: list[str] = []
    real = dispatch_module.compose

    def slow(unit: Unit, row: Any) -> Any:
        letter = real(unit, row)
        composed.append(row.kind)
        if row.kind == "disclose" and not withdrawn.is_set():
            decided.set()
            assert withdrawn.wait(30)
        return letter

    monkeypatch.setattr(dispatch_module, "compose", slow)
    parcels: list[Any] = []
    thread = threading.Thread(target=lambda: parcels.extend(walk.cem.run(dispatch)))
    thread.start()
    assert decided.wait(30)
    walk.cem.run(_take_back(walk))
    withdrawn.set()
    thread.join(30)
    assert composed.count("disclose") == 1, "composed once with consent; run again it was dropped before that"
    states = walk.cem.run(lambda unit: {row.kind: row.state for row in unit.outbox.all() if row.kind in ("disclose", "withdraw")})
    assert states["disclose"] == "cancelled"
    walk.network.settle()
    _nothing_arrived(walk.network, walk)


def test_p04_a_dispatch_that_commits_while_she_takes_it_back_is_called_back(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other way round: the withdrawal has looked at what was disclosed (nothing yet); then the dispatch commits."""
    looked, dispatched = threading.Event(), threading.Event()
    looks: list[int] = []
    real = withdraw_module.preview_withdrawal

    def slow(*given: Any) -> Any:
        stops = real(*given)
        looks.append(len(stops.disclosures))
        if not dispatched.is_set():
            looked.set()
            assert dispatched.wait(30)
        return stops

    monkeypatch.setattr(withdraw_module, "preview_withdrawal", slow)
    thread = threading.Thread(target=lambda: walk.cem.run(_take_back(walk)))
    thread.start()
    assert looked.wait(30)
    walk.network.deliver(walk.cem)
    dispatched.set()
    thread.join(30)
    assert looks == [0, 1], "the withdrawal lost the race, was run again and saw what had left meanwhile"
    states = walk.cem.run(lambda unit: [row.state for row in unit.disclosures.all()])
    assert states == ["recalled"]
    walk.network.settle()
    _nothing_arrived(walk.network, walk)
    assert "destruido, confirmado" in walk.cem.type("ana", f"!tk quién sabe {walk.code}")
