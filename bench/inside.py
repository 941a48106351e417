"""`python -m bench.inside CONFIG`: one hub as a process of its own, served as `tinkuy run` does, that takes orders on its standard input.

In the process itself, because three things can be had nowhere else: how late its event loop wakes (`Lag`), confirmations at an exact pace,
and answers as fast as caseworkers could give them at best. An order is a line of JSON, `{"do": name, …}`; its answer is one line too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.rows import percentile
from hub.actions.answer import accept
from hub.actions.common import intend
from hub.actions.open_case import open_case
from hub.actions.opening_keys import is_fresh, key_for
from hub.actions.peers import manifest_of
from hub.actions.ports import Unit
from hub.actions.record_consent import Terms, record_consent
from hub.actions.refer import draft, refer
from hub.app import house as app
from hub.base import config, logs
from hub.cases.lifecycle import Side, State
from hub.store.matrix_rows import SqlMatrixRows
from hub.store.unit_of_work import UnitOfWork

TICK_S = 0.005
NEED = "mental_health"


class Lag:
    """How late the event loop wakes somebody who asked for `TICK_S`: what a request that is ready then waits for others."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self.worked: list[float] = []
        """How much of each wait the loop's thread worked itself: seconds of a processor, which do not grow with what else the machine does."""

    async def run(self) -> None:
        """For ever."""
        while True:
            before, work = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK_S)
            self.late.append(time.perf_counter() - before - TICK_S)
            self.worked.append(time.thread_time() - work)


def resident_mb(pid: int | None = None) -> float:
    """What a process (this one) holds in memory now, in MB of 10⁶ bytes."""
    fields = Path(f"/proc/{pid or 'self'}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Orders:
    """One method an order. Times are seconds."""

    def __init__(self, house: app.House) -> None:
        self._house, self._store = house, house.store
        self._lag = Lag()
        self._began = (0.0, 0.0)
        self._answering: asyncio.Task[None] | None = None

    async def draft(self, user: str, peer: str, count: int) -> list[str]:
        """So many cases with consent and a draft of their referral; the drafts' ids."""
        return [await self._store.run(lambda unit: _draft(unit, user, peer)) for _ in range(count)]

    async def refer(self, user: str, ids: list[str], rate: float) -> None:
        """Confirm one after the other, `rate` a second, each at its own time however long the others take."""
        start = time.perf_counter()

        async def one(number: int, referral: str) -> None:
            await asyncio.sleep(max(0.0, start + number / rate - time.perf_counter()))
            await self._store.run(lambda unit: refer(unit, user, "!desk", referral))

        await asyncio.gather(*(one(number, referral) for number, referral in enumerate(ids)))

    async def answer(self, user: str) -> None:
        """From now on `user` accepts every referral as soon as it stands here."""
        came = asyncio.Event()
        self._store.on_commit(came.set)

        async def work() -> None:
            while True:
                await came.wait()
                came.clear()
                await self._store.run(lambda unit: _accept_all(unit, user), quiet=not await self._store.run(_waiting, quiet=True))

        self._answering = asyncio.create_task(work())

    async def say(self, kind: str, peer: str, count: int) -> None:
        """Queue so many records for a peer in one commit."""
        await self._store.run(lambda unit: [intend(unit, peer, kind) for _ in range(count)])

    async def acquainted(self) -> bool:
        """See `acquainted`."""
        return await acquainted(self._house)

    async def left(self) -> dict[str, int]:
        """What is under way: records of the outbox and messages for desks."""
        return await self._store.run(_left, quiet=True)

    async def trips(self, ids: list[str]) -> list[list[float]]:
        """For each referral: confirmed → signed receipt, → answer here, → signed receipt of the disclosure. Read from the hub's own rows."""
        return await self._store.run(lambda unit: [_trip(unit, one) for one in ids], quiet=True)

    async def held(self) -> int:
        """Referrals of others whose data have arrived here."""
        return await self._store.run(lambda unit: len({row.referral for row in unit.held.all()}), quiet=True)

    async def received(self) -> dict[str, int]:
        """Numbered records that took effect here, and events that wait in the inbox."""
        rows = self._house.rows
        return await self._store.run(lambda unit: {"seen": unit.seen.count(), "inbox": rows.counts(unit.connection)["inbox"]}, quiet=True)

    async def begin(self) -> None:
        self._lag.late.clear()
        self._began = (time.perf_counter(), time.process_time())
        self._probe = asyncio.create_task(self._lag.run())

    async def end(self) -> dict[str, float]:
        """Lag (s) and share of one core since `begin`, memory (MB) now."""
        self._probe.cancel()
        seconds, cpu = time.perf_counter() - self._began[0], time.process_time() - self._began[1]
        late = self._lag.late
        return {
            "lag_p50": percentile(late, 0.5), "lag_p99": percentile(late, 0.99), "lag_max": max(late), "ticks": len(late),
            "cores": cpu / seconds, "resident_mb": resident_mb(),
        }  # fmt: skip


def _draft(unit: Unit, user: str, peer: str) -> str:
    protocol = unit.pack.protocol_for(NEED, unit.me.kind, manifest_of(unit, peer).profile.kind)
    assert protocol is not None
    case = open_case(unit, user, "!desk", "Luz Inventada", unit.now + timedelta(days=1), {"mental_health_summary": "insomnio (inventado)"})
    terms = Terms(
        recipients=(peer,), purposes=(protocol.purpose_of(NEED),), fields=("social_name", "mental_health_summary"),
        until=unit.now + timedelta(days=90), mode="oral", explained=True,
    )  # fmt: skip
    record_consent(unit, user, case.id, terms)
    return draft(unit, user, case.id, peer, NEED).referral.id


def _waiting(unit: Unit) -> bool:
    return unit.referrals.count(side=Side.RECIPIENT, state=State.RECEIVED) > 0


def _accept_all(unit: Unit, user: str) -> None:
    for row in unit.referrals.all(side=Side.RECIPIENT, state=State.RECEIVED):
        accept(unit, user, row.id)


async def acquainted(house: app.House) -> bool:
    """Whether this hub has the key of the day and the name of every peer, and owes nobody anything, nor anybody it."""
    return await house.store.run(_acquainted, house.rows, quiet=True)


def _acquainted(unit: UnitOfWork, rows: SqlMatrixRows) -> bool:
    known = [bool(key_for(unit, peer)) and is_fresh(unit, peer) and "name" in peer.profile for peer in unit.peers.all()]
    joined = [bool(link.room) and not (link.frozen or link.ack_due_at or link.owes_key or link.gone) for link in unit.links.all()]
    waiting = _left(unit)["outbox"] + unit.early.count() + rows.counts(unit.connection)["inbox"]
    return 0 < len(known) == len(joined) and all(known + joined) and not waiting


def _left(unit: Unit) -> dict[str, int]:
    return {
        "outbox": unit.outbox.count(state__in=("ready", "dispatched")),
        "posts": unit.posts.count(state__in=("ready", "sending")),
    }


def _trip(unit: Unit, referral: str) -> list[float]:
    row = unit.referrals.get(referral)
    sent = {one.kind: one for one in unit.outbox.all(kind__in=("offer", "disclose")) if one.ref.get("referral") == referral}
    assert row is not None
    moments = (row.delivered_at, row.answered_at, sent["disclose"].acked_at if "disclose" in sent else None)
    return [(moment - sent["offer"].made_at).total_seconds() if moment else float("inf") for moment in moments]


async def _orders(house: app.House) -> None:
    """Until the standard input ends."""
    orders, reader = Orders(house), asyncio.StreamReader(limit=2**24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order: dict[str, Any] = json.loads(line)
        found = await getattr(orders, order.pop("do"))(**order)
        sys.stdout.write(json.dumps({"found": found}) + "\n")
        sys.stdout.flush()


async def serve(path: Path) -> None:
    """Build and serve the hub until there are no more orders."""
    settings = config.load(path)
    logs.setup(settings.log)
    stopping = asyncio.Event()
    house = await app.open_house(settings, stopping)
    assert house is not None
    serving = asyncio.create_task(app._serve(house, stopping))
    ordering = asyncio.create_task(_orders(house))
    try:
        await asyncio.wait([serving, ordering], return_when=asyncio.FIRST_COMPLETED)
        for task in (ordering, serving):
            if task.done():
                task.result()
    finally:
        stopping.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(serving, 20)
        await app._close(house)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
