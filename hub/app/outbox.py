"""From intents to sealed events in link rooms: dispatch in one transaction, then PUT (D01, D02)."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from hub.actions.dispatch import Parcel, dispatch, mark_sent, next_send, troubles
from hub.actions.ports import Unit
from hub.actions.receive import owe_acks
from hub.app.worker import Worker
from hub.base import logs
from hub.base.faults import Faults
from hub.matrix import Matrix, MatrixError
from hub.matrix.ports import ENVELOPE_TYPE
from hub.store.unit_of_work import Store

IN_FLIGHT = 8
HELD = 1.0
MEND_EVERY = 15.0
"""Seconds until a link that could not take an event (its peer has not joined yet, the homeserver is away) is tried again."""
_log = logs.get("dispatch")


class Dispatcher(Worker):
    """Dispatches what is due and puts it. An event that fails to go stays dispatched and is put again with the same transaction id."""

    name = "dispatch"

    def __init__(self, store: Store, matrix: Matrix, faults: Faults, waiting: asyncio.Event) -> None:
        super().__init__(waiting)
        self._store, self._matrix, self._faults = store, matrix, faults
        self._returns = 0
        self._gate = asyncio.Semaphore(IN_FLIGHT)
        self._mended: dict[str, float] = {}

    async def turn(self) -> float:
        """Everything that is due now; first a word to every peer when our homeserver is back: theirs wait for a sign of life, for minutes else.

        One unit before it is put and one after, so that a turn costs two commits however much goes.
        """
        returns = self._matrix.health.returns
        if returns != self._returns:
            await self._store.run(lambda unit: owe_acks(unit, timedelta(0)), quiet=True)
            self._returns = returns
        parcels = await self._store.run(dispatch, quiet=True)
        sent: list[Parcel] = []
        if parcels:
            self._faults.reach("dispatch.committed")
            sent = await self._put_all(parcels)
        rooms, users, pause = await self._store.run(_afterwards, sent, len(sent) == len(parcels), quiet=True)
        for parcel in sent:
            if parcel.rows:
                self._faults.reach("dispatch.marked")
        if len(sent) < len(parcels):
            return HELD
        await self._mend(rooms, users)
        return pause.total_seconds()

    async def _put_all(self, parcels: list[Parcel]) -> list[Parcel]:
        """Those that the homeserver has now. What it did not take stays dispatched."""
        results = await asyncio.gather(*(self._put(parcel) for parcel in parcels), return_exceptions=True)
        for error in results:
            if isinstance(error, MatrixError):
                _log.info("dispatch.held", error=error)
            elif isinstance(error, BaseException):
                raise error
        return [parcel for parcel, error in zip(parcels, results, strict=True) if error is None]

    async def _mend(self, rooms: list[str], users: list[str]) -> None:
        """Look for what the homeserver did not deliver live, and give fresh keys to a peer who seems not to read us; not all the time."""
        now = time.monotonic()
        work: list[tuple[str, Callable[[str], Awaitable[object]]]] = [(room, self._matrix.sweep) for room in rooms]
        work += [(user, self._matrix.renew) for user in users]
        for name, mend in work:
            if now - self._mended.get(name, -MEND_EVERY) >= MEND_EVERY:
                self._mended[name] = now
                try:
                    await mend(name)
                except MatrixError as error:
                    _log.info("dispatch.not_mended", error=error)

    async def _put(self, parcel: Parcel) -> None:
        async with self._gate:
            content = {"v": 1, "sealed": base64.b64encode(parcel.sealed).decode()}
            await self._matrix.send(parcel.room, ENVELOPE_TYPE, content, parcel.txn)
        self._faults.reach("dispatch.sent")


def _afterwards(unit: Unit, sent: list[Parcel], whole: bool) -> tuple[list[str], list[str], timedelta]:
    """What was put is marked, what was not is acknowledged anew (acks die with their event); then what is wrong, and when to look again."""
    for parcel in sent:
        mark_sent(unit, parcel)
    if not whole:
        owe_acks(unit)
    return *troubles(unit), next_send(unit)
