"""R01, R03, R08: the disk is full, somebody else holds the lock, two workers pick the same check-in."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from hub.actions.open_case import open_case
from hub.actions.ports import Unit
from hub.actions.ring import ring_due
from hub.testing import Twin
from tests.store.road import CEM, database_of, network

STORY = "Relato inventado. " * 100


def opens(twin: Twin, name: str) -> None:
    def run(unit: Unit) -> None:
        open_case(unit, twin.person("ana"), "!desk", name, unit.now + timedelta(days=1), {"account": STORY})

    twin.run(run)


def fills(twin: Twin) -> None:
    """Cases until there is no room."""
    for number in range(20):
        opens(twin, f"Llena {number}")


def counts(twin: Twin) -> tuple[int, int, int, int]:
    """Of everything that opening a case writes."""
    return twin.run(lambda unit: (unit.cases.count(), unit.fields.count(), unit.checkins.count(), unit.posts.count()))


def test_r01_a_full_disk_leaves_nothing_half_done_and_is_survived(tmp_path: Path) -> None:
    """Filled to the last page, at whatever write that happens: the unit is undone as a whole; with space again it just works."""
    with network(lambda name: f"sqlite:///{tmp_path / name}.db") as made:
        twin = made[CEM]
        opens(twin, "Luz Inventada")
        before, database = counts(twin), database_of(twin)
        used = database.plainly(lambda driver: driver.execute("PRAGMA page_count").fetchone()[0])
        for spare in range(4):
            database.plainly(lambda driver, n=used + spare: driver.execute(f"PRAGMA max_page_count = {n}"))
            with pytest.raises((OperationalError, sqlite3.OperationalError), match="full"):
                fills(twin)
            kept = counts(twin)
            cases, fields, checkins, _ = (now - then for now, then in zip(kept, before, strict=True))
            assert (fields, checkins) == (3 * cases, cases), "whole cases or none"
            before = kept
            used = database.plainly(lambda driver: driver.execute("PRAGMA page_count").fetchone()[0])
        database.plainly(lambda driver: driver.execute("PRAGMA max_page_count = 1000000"))
        opens(twin, "Sol Inventada")
        assert counts(twin)[0] == before[0] + 1


async def test_r03_a_reader_that_holds_the_lock_delays_the_unit_and_not_the_loop(tmp_path: Path) -> None:
    with network(lambda name: f"sqlite:///{tmp_path / name}.db") as made:
        twin = made[CEM]
        other = sqlite3.connect(tmp_path / f"{CEM}.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        ticks = 0
        waiting = asyncio.create_task(twin.store.run(lambda unit: unit.cases.count()))
        while ticks < 60 and not waiting.done():
            await asyncio.sleep(0.01)
            ticks += 1
        assert not waiting.done(), "it waits for its turn"
        assert ticks == 60, "while the event loop goes on"
        other.execute("COMMIT")
        other.close()
        assert await asyncio.wait_for(waiting, 10) == 0


@pytest.mark.parametrize("workers", [2, 4])
def test_r08_a_check_in_that_two_workers_pick_rings_once(new_postgres_url: Callable[[], str], workers: int) -> None:
    """On PostgreSQL several threads may run the same due timer at once: one wins, the others see that it is done."""
    with network(lambda name: new_postgres_url()) as made:
        twin = made[CEM]
        opens(twin, "Luz Inventada")
        made.clock.advance(timedelta(days=1, minutes=1))
        barrier, failed = threading.Barrier(workers), list[BaseException]()

        def work() -> None:
            barrier.wait()
            try:
                twin.run(ring_due)
            except BaseException as error:  # a thread's error would else be lost
                failed.append(error)

        threads = [threading.Thread(target=work) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        rings: Any = twin.run(lambda unit: [checkin.rings for checkin in unit.checkins.all()])
        assert rings == [1]
        assert twin.run(lambda unit: unit.log.count(what="checkin.rang")) == 1
