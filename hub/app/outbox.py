"""From intents to sealed events in link rooms: dispatch in one transaction, then PUT (D01, D02)."""

from __future__ import annotations

import asyncio
import base64

from hub.actions.dispatch import Parcel, dispatch, mark_sent, next_send
from hub.app.worker import Worker
from hub.base.faults import Faults
from hub.matrix import Matrix
from hub.matrix.ports import ENVELOPE_TYPE
from hub.store.unit_of_work import Store

IN_FLIGHT = 8


class Dispatcher(Worker):
    """Dispatches what is due and puts it. An event that fails to go stays dispatched and is put again with the same transaction id."""

    name = "dispatch"

    def __init__(self, store: Store, matrix: Matrix, faults: Faults) -> None:
        super().__init__()
        self._store, self._matrix, self._faults = store, matrix, faults
        self._gate = asyncio.Semaphore(IN_FLIGHT)

    async def turn(self) -> float:
        """Everything that is due now."""
        parcels = await self._store.run(dispatch, quiet=True)
        if parcels:
            self._faults.reach("dispatch.committed")
            results = await asyncio.gather(*(self._put(parcel) for parcel in parcels), return_exceptions=True)
            failed = [r for r in results if isinstance(r, Exception)]
            if failed:
                raise failed[0]
        pause = await self._store.run(next_send, quiet=True)
        return pause.total_seconds()

    async def _put(self, parcel: Parcel) -> None:
        async with self._gate:
            content = {"v": 1, "sealed": base64.b64encode(parcel.sealed).decode()}
            await self._matrix.send(parcel.room, ENVELOPE_TYPE, content, parcel.txn)
        self._faults.reach("dispatch.sent")
        if parcel.rows:
            await self._store.run(lambda unit: mark_sent(unit, parcel), quiet=True)
            self._faults.reach("dispatch.marked")
