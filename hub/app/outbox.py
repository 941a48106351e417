"""From intents to sealed events in link rooms: dispatch in one transaction, then PUT (D01, D02)."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta

from hub.actions.dispatch import Parcel, dispatch, mark_sent, next_send, troubles
from hub.actions.ports import Unit
from hub.actions.receive import owe_acks
from hub.actions.unsent import mark_unsent
from hub.app.puts import Puts, Rests
from hub.app.worker import Worker
from hub.base import logs
from hub.base.faults import Faults
from hub.matrix import Matrix, MatrixError
from hub.matrix.errors import HomeserverAway
from hub.matrix.ports import ENVELOPE_TYPE
from hub.store.unit_of_work import Store

MEND_EVERY = 15.0
"""Seconds between two looks for what one homeserver did not deliver, or for why one peer does not read us."""
_log = logs.get("dispatch")


class Dispatcher(Worker):
    """Dispatches what is due and puts it. An event that fails to go stays dispatched and is put again with the same transaction id."""

    name = "dispatch"

    def __init__(self, store: Store, matrix: Matrix, faults: Faults, waiting: asyncio.Event) -> None:
        super().__init__(waiting)
        self._store, self._matrix, self._faults = store, matrix, faults
        self._returns = 0
        self._puts, self._rests = Puts(self._put, self.poke), Rests()
        self._mended: dict[str, float] = {}
        self._mending: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Until cancelled; then nothing is left under way."""
        try:
            await super().run()
        finally:
            await self._puts.drop()
            if self._mending is not None:
                self._mending.cancel()

    async def turn(self) -> float:
        """Everything that is due now; first a word to every peer when our homeserver is back: theirs wait for a sign of life, for minutes else.

        One unit before it is put and one after, so that a turn costs two commits however much goes.
        """
        returns = self._matrix.health.returns
        if returns != self._returns:
            await self._store.run(_back, await self._puts.drop(), quiet=True)
            self._returns = returns
            self._rests.clear()
        left_alone = self._rests.resting() | self._puts.busy()
        parcels = await self._store.run(dispatch, left_alone, quiet=True)
        if parcels:
            self._faults.reach("dispatch.committed")
        ended = await self._puts.put(parcels)
        sent, unsent = ([parcel for parcel, why in ended if (why is None) is had] for had in (True, False))
        self._rests.note(left_alone, {parcel.link for parcel in unsent})
        busy = self._puts.busy()
        rooms, users, pause = await self._store.run(_afterwards, sent, unsent, self._rests.resting() | busy, quiet=True)
        for parcel in sent:
            if parcel.rows:
                self._faults.reach("dispatch.marked")
        if not _told(why for _, why in ended):
            await self._mend(rooms, users)
        return min(pause.total_seconds(), self._rests.pause(busy))

    async def _mend(self, rooms: list[str], users: list[str]) -> None:
        """Look for what the homeserver did not deliver live, and give fresh keys to a peer who seems not to read us: beside the turns, and not all
        the time. Raises what the last mending did.
        """
        if self._mending is not None and self._mending.done():
            self._mending.result()
        if self._mending is None or self._mending.done():
            now = time.monotonic()
            work: list[tuple[str, Callable[[str], Awaitable[object]]]] = [(room, self._matrix.sweep) for room in rooms]
            work += [(user, self._matrix.renew) for user in users]
            due = [(name, mend) for name, mend in work if now - self._mended.get(name, -MEND_EVERY) >= MEND_EVERY]
            self._mended |= dict.fromkeys((name for name, _ in due), now)
            self._mending = asyncio.ensure_future(_mend_all(due)) if due else None

    async def _put(self, parcel: Parcel) -> None:
        content = {"v": 1, "sealed": base64.b64encode(parcel.sealed).decode()}
        await self._matrix.send(parcel.room, ENVELOPE_TYPE, content, parcel.txn)
        self._faults.reach("dispatch.sent")


async def _mend_all(work: list[tuple[str, Callable[[str], Awaitable[object]]]]) -> None:
    for name, mend in work:
        try:
            await mend(name)
        except MatrixError as error:
            _log.info("dispatch.not_mended", error=error)


def _told(errors: Iterable[BaseException | None]) -> bool:
    """Why events were not taken goes to the log. Whether our homeserver is away; raises what is no matter of Matrix."""
    away = False
    for error in errors:
        if isinstance(error, BaseException) and not isinstance(error, MatrixError):
            raise error
        if error is not None:
            _log.info("dispatch.held", error=error)
        away = away or isinstance(error, HomeserverAway)
    return away


def _back(unit: Unit, dropped: list[Parcel]) -> None:
    """Our homeserver is back: what still waited for an answer of the one that was away is said again, and every peer hears something."""
    owe_acks(unit, timedelta(0))
    for parcel in dropped:
        mark_unsent(unit, parcel)


def _afterwards(
    unit: Unit, sent: list[Parcel], unsent: list[Parcel], resting: frozenset[str]
) -> tuple[list[str], list[str], timedelta]:
    """What was put is marked, what was not is owed as before; then what is wrong, and when to look again."""
    for parcel in sent:
        mark_sent(unit, parcel)
    for parcel in unsent:
        mark_unsent(unit, parcel)
    return *troubles(unit), next_send(unit, resting)
