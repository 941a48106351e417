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
from hub.app.worker import Worker
from hub.base import logs
from hub.base.faults import Faults
from hub.matrix import Matrix, MatrixError
from hub.matrix.errors import HomeserverAway
from hub.matrix.ports import ENVELOPE_TYPE
from hub.store.unit_of_work import Store

IN_FLIGHT = 8
REST, LONGEST_REST = 1.0, 15.0
"""Seconds until a link that took no event (its peer has not joined yet, the homeserver is away) is tried again, at first and after a minute."""
MEND_EVERY = 15.0
"""Seconds between two looks for what one homeserver did not deliver, or for why one peer does not read us."""
_log = logs.get("dispatch")


class Rests:
    """The links whose rooms take nothing now. Each is left alone for a while, so that it costs the others nothing."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._until: dict[str, float] = {}

    def note(self, failed: Iterable[str]) -> None:
        """After a turn: whoever was tried again, and did not fail again, is as good as new; the others wait, longer the longer it lasts."""
        now, bad = time.monotonic(), {*failed}
        for link in [link for link, until in self._until.items() if until <= now and link not in bad]:
            del self._since[link], self._until[link]
        for link in bad:
            since = self._since.setdefault(link, now)
            self._until[link] = now + min(max((now - since) / 5, REST), LONGEST_REST)

    def clear(self) -> None:
        """Our homeserver is back: everybody is tried."""
        self._since.clear()
        self._until.clear()

    def resting(self) -> frozenset[str]:
        """Who is left alone now."""
        now = time.monotonic()
        return frozenset(link for link, until in self._until.items() if until > now)

    def pause(self) -> float:
        """Seconds until the first of them is tried again."""
        return max(min(self._until.values(), default=float("inf")) - time.monotonic(), 0.0)


class Dispatcher(Worker):
    """Dispatches what is due and puts it. An event that fails to go stays dispatched and is put again with the same transaction id."""

    name = "dispatch"

    def __init__(self, store: Store, matrix: Matrix, faults: Faults, waiting: asyncio.Event) -> None:
        super().__init__(waiting)
        self._store, self._matrix, self._faults = store, matrix, faults
        self._returns = 0
        self._rests = Rests()
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
            self._rests.clear()
        parcels = await self._store.run(dispatch, self._rests.resting(), quiet=True)
        errors: list[MatrixError | None] = []
        if parcels:
            self._faults.reach("dispatch.committed")
            errors = await self._put_all(parcels)
        sent = [parcel for parcel, error in zip(parcels, errors, strict=True) if error is None]
        unsent = [parcel for parcel, error in zip(parcels, errors, strict=True) if error is not None]
        self._rests.note(parcel.link for parcel in unsent)
        rooms, users, pause = await self._store.run(_afterwards, sent, unsent, self._rests.resting(), quiet=True)
        for parcel in sent:
            if parcel.rows:
                self._faults.reach("dispatch.marked")
        if not any(isinstance(error, HomeserverAway) for error in errors):
            await self._mend(rooms, users)
        return min(pause.total_seconds(), self._rests.pause())

    async def _put_all(self, parcels: list[Parcel]) -> list[MatrixError | None]:
        """Why the homeserver has not got each of them; None for what it has. What it did not take is still to be said."""
        results = await asyncio.gather(*(self._put(parcel) for parcel in parcels), return_exceptions=True)
        errors: list[MatrixError | None] = []
        for error in results:
            if isinstance(error, BaseException) and not isinstance(error, MatrixError):
                raise error
            if error is not None:
                _log.info("dispatch.held", error=error)
            errors.append(error)
        return errors

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


def _afterwards(
    unit: Unit, sent: list[Parcel], unsent: list[Parcel], resting: frozenset[str]
) -> tuple[list[str], list[str], timedelta]:
    """What was put is marked, what was not is owed as before; then what is wrong, and when to look again."""
    for parcel in sent:
        mark_sent(unit, parcel)
    for parcel in unsent:
        mark_unsent(unit, parcel)
    return *troubles(unit), next_send(unit, resting)
