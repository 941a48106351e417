"""One unit is one transaction: all of it or nothing, events included; and the event loop never waits for a database."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from hub.actions.ports import Unit
from hub.base.errors import Refused, Stopped
from hub.cases.events import CaseChanged, Event, ReferralMoved
from hub.cases.records import Tombstone
from hub.store.database import Database
from hub.store.unit_of_work import Collaborators, Store
from keys.errors import KeyDestroyed
from tests.store.samples import START, timer


def test_a_unit_is_all_or_nothing(store: Store) -> None:
    def work(unit: Unit) -> None:
        unit.timers.add(timer("a"))
        unit.tombstones.add(Tombstone(id="t", why="x", at=START, confirmed_at=START))
        raise Refused("no")

    with pytest.raises(Refused):
        store.run_now(work)
    assert store.run_now(lambda unit: (unit.timers.count(), unit.tombstones.count())) == (0, 0)


def test_what_is_told_is_in_the_same_transaction(database: Database, given: Collaborators) -> None:
    told: list[Event] = []

    def tell(unit: Unit, event: Event) -> None:
        told.append(event)
        unit.timers.add(timer(f"told-{len(told)}"))
        if isinstance(event, CaseChanged):
            unit.announce(ReferralMoved(referral="r", what="x"))
        elif len(told) > 2:
            raise Stopped("chat.broken")

    store = Store(database, given, tell)
    store.run_now(lambda unit: unit.announce(CaseChanged(case="a")))
    assert [type(event) for event in told] == [CaseChanged, ReferralMoved]
    with pytest.raises(Stopped):
        store.run_now(lambda unit: (unit.timers.add(timer("lost")), unit.announce(ReferralMoved(referral="q", what="x"))))
    assert store.run_now(lambda unit: [row.id for row in unit.timers.all()]) == ["told-1", "told-2"]


def test_an_event_is_told_once(database: Database, given: Collaborators) -> None:
    told: list[Event] = []
    store = Store(database, given, lambda unit, event: told.append(event))
    store.run_now(lambda unit: [unit.announce(CaseChanged(case="a")) for _ in range(3)])
    assert told == [CaseChanged(case="a")]


def test_an_attempt_that_fails_leaves_neither_rows_nor_events(database: Database, given: Collaborators) -> None:
    told: list[Event] = []
    store = Store(database, given, lambda unit, event: told.append(event))

    def failing(unit: Unit) -> None:
        unit.timers.add(timer("inner"))
        unit.timers.put(timer("before", at=9))
        unit.announce(CaseChanged(case="inner"))
        raise Refused("no")

    def work(unit: Unit) -> None:
        unit.timers.add(timer("before"))
        unit.announce(CaseChanged(case="before"))
        with pytest.raises(Refused):
            unit.attempt(lambda: failing(unit))
        assert unit.attempt(lambda: unit.timers.add(timer("kept")) or "result") == "result"
        unit.announce(CaseChanged(case="after"))

    store.run_now(work)
    assert store.run_now(lambda unit: unit.timers.all()) == [timer("before"), timer("kept")]
    assert told == [CaseChanged(case="before"), CaseChanged(case="after")]


def test_attempts_stand_in_one_another(store: Store) -> None:
    def inner(unit: Unit) -> None:
        unit.timers.add(timer("inner"))
        raise Refused("no")

    def outer(unit: Unit) -> None:
        unit.timers.add(timer("outer"))
        with pytest.raises(Refused):
            unit.attempt(lambda: inner(unit))

    store.run_now(lambda unit: unit.attempt(lambda: outer(unit)))
    assert store.run_now(lambda unit: [row.id for row in unit.timers.all()]) == ["outer"]


def test_a_database_error_inside_an_attempt_does_not_spoil_the_unit(store: Store) -> None:
    """PostgreSQL refuses every further statement of a transaction with an error in it, unless a savepoint stands before."""

    def work(unit: Unit) -> None:
        unit.timers.add(timer("a"))
        with pytest.raises(Exception, match=r"(?i)unique"):
            unit.attempt(lambda: unit.timers.add(timer("a")))
        unit.timers.add(timer("b"))

    store.run_now(work)
    assert store.run_now(lambda unit: unit.timers.count()) == 2


def test_condemned_keys_die_right_after_the_commit(store: Store, given: Collaborators) -> None:
    def condemn(unit: Unit) -> None:
        unit.tombstones.add(Tombstone(id="case_a", why="undone", at=unit.now))
        assert given.keys.exists("case_a"), "not before the commit: the unit may still be rolled back"

    store.run_now(lambda unit: unit.vault.create("case_a"))
    store.run_now(condemn)
    assert not given.keys.exists("case_a")
    assert store.run_now(lambda unit: unit.tombstones.get("case_a")) == Tombstone(id="case_a", why="undone", at=START, confirmed_at=START)


def test_a_unit_that_fails_condemns_no_key(store: Store, given: Collaborators) -> None:
    def work(unit: Unit) -> None:
        unit.tombstones.add(Tombstone(id="case_a", why="undone", at=unit.now))
        raise Refused("no")

    store.run_now(lambda unit: unit.vault.create("case_a"))
    with pytest.raises(Refused):
        store.run_now(work)
    store.run_now(lambda unit: None)
    assert given.keys.exists("case_a")


async def test_a_shredding_that_fails_is_told_kept_and_tried_again(store: Store, given: Collaborators, monkeypatch: pytest.MonkeyPatch) -> None:
    poked: list[int] = []
    store.on_commit(lambda: poked.append(1))
    store.run_now(lambda unit: unit.vault.create("case_a"))

    def broken(owner: str) -> bool:
        raise Stopped("keys.not_erased")

    with monkeypatch.context() as patched:
        patched.setattr(given.keys, "destroy", broken)
        told = await store.run(lambda unit: unit.tombstones.add(Tombstone(id="case_a", why="x", at=unit.now)) or "told")
    assert told, "the unit itself was committed: what it found out must not be lost with the key that cannot die yet"
    assert poked, "and everybody must look at its effects"
    assert given.keys.exists("case_a")
    await store.run(lambda unit: None)
    assert not given.keys.exists("case_a")


def test_creating_a_key_twice_is_harmless(store: Store) -> None:
    def seal(unit: Unit) -> bytes:
        unit.vault.create("case_a")
        return unit.vault.seal("case_a", "case_fields|name", b"Luz Inventada")

    sealed = store.run_now(seal)
    store.run_now(seal)
    assert store.run_now(lambda unit: unit.vault.open("case_a", "case_fields|name", sealed)) == b"Luz Inventada"


def test_a_crash_between_key_and_data_leaves_no_unreadable_data(store: Store, given: Collaborators) -> None:
    """Key first, then data: what is left is a key without data, which the retry uses."""
    sealed: list[bytes] = []

    def work(unit: Unit, crash: bool) -> None:
        unit.vault.create("case_a")
        sealed.append(unit.vault.seal("case_a", "x|y", b"1"))
        unit.timers.add(timer("a"))
        if crash:
            raise SystemExit

    with pytest.raises(SystemExit):
        store.run_now(lambda unit: work(unit, crash=True))
    assert store.run_now(lambda unit: unit.timers.count()) == 0
    assert given.keys.exists("case_a")
    store.run_now(lambda unit: work(unit, crash=False))
    assert [store.run_now(lambda unit, s=s: unit.vault.open("case_a", "x|y", s)) for s in sealed] == [b"1", b"1"]


def test_threads_that_create_one_key_at_once_make_one(store: Store, given: Collaborators) -> None:
    """The second would otherwise bury what the first has sealed already."""
    start, sealed = threading.Barrier(4), []

    def work(number: int) -> None:
        start.wait(10)
        vault = _vault(store)
        for owner in range(20):
            vault.create(f"case_{owner}")
            sealed.append((owner, vault.seal(f"case_{owner}", "x|y", b"1")))

    _in_threads(work, 4)
    assert len(sealed) == 80
    assert {_vault(store).open(f"case_{owner}", "x|y", one) for owner, one in sealed} == {b"1"}


def test_a_secret_is_replaced_and_the_old_one_gone(store: Store) -> None:
    store.run_now(lambda unit: unit.vault.keep_secret("ref_a", b"1" * 32))
    store.run_now(lambda unit: unit.vault.keep_secret("ref_a", b"2" * 32))
    assert store.run_now(lambda unit: unit.vault.secret("ref_a")) == b"2" * 32
    store.run_now(lambda unit: unit.vault.destroy("ref_a"))
    with pytest.raises(KeyDestroyed):
        store.run_now(lambda unit: unit.vault.secret("ref_a"))


async def test_the_event_loop_goes_on_while_a_unit_works(store: Store) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def work(unit: Unit) -> str:
        inside.set()
        assert go_on.wait(20), "the loop was blocked: it could not let us go on"
        return threading.current_thread().name

    running = asyncio.create_task(store.run(work))
    while not inside.is_set():  # noqa: ASYNC110  # the other thread has no asyncio event to set
        await asyncio.sleep(0.001)
    go_on.set()
    assert (await running).startswith("store")


async def test_many_units_at_once_each_take_effect(store: Store) -> None:
    await asyncio.gather(*(store.run(lambda unit, n=n: unit.timers.add(timer(f"{n}"))) for n in range(40)))
    assert store.run_now(lambda unit: unit.timers.count()) == 40


async def test_listeners_hear_of_commits_only(store: Store) -> None:
    heard: list[int] = []
    store.on_commit(lambda: heard.append(1))

    def failing(unit: Unit) -> None:
        raise Refused("no")

    await store.run(lambda unit: None)
    await store.run(lambda unit: None, quiet=True)
    with pytest.raises(Refused):
        await store.run(failing)
    assert heard == [1]


async def test_closing_waits_for_what_runs(database_url: str) -> None:
    database = Database(database_url)
    done: list[int] = []

    def slow(connection: object) -> None:
        time.sleep(0.05)
        done.append(1)

    task = asyncio.create_task(database.run(slow))
    await asyncio.sleep(0.01)
    await database.close()
    await task
    assert done == [1]


def _vault(store: Store) -> object:
    from hub.store.unit_of_work import Vault

    return Vault(store.given.keys, START)


def _in_threads(work: Callable[[int], None], count: int) -> None:
    failed: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed, failed
