"""Our device statement on its way to the peers: repeated, ever more seldom, until each has said that it holds it (`keys.md` §5)."""

from __future__ import annotations

import time

from hub.actions.devices import untold
from hub.app.worker import Worker
from hub.base import logs
from hub.matrix import Matrix, MatrixError
from hub.matrix.ports import Device
from hub.store.unit_of_work import Store
from keys.devices import StatedDevice

SHORTEST, LONGEST = 2.0, 300.0
"""Seconds until the first repetition, and between two at most."""
_log = logs.get("devices")


class Announcer(Worker):
    """Tells every confirmed peer that has not answered. While we have no statement, or everybody holds it, it costs one query a commit."""

    name = "devices"

    def __init__(self, store: Store, matrix: Matrix, *, idle: float = LONGEST) -> None:
        """`idle`: seconds between two looks while everybody knows; short when another server may note a new device."""
        super().__init__()
        self._idle = idle
        self._store, self._matrix = store, matrix
        self._number = 0
        self._next: dict[str, tuple[float, float]] = {}

    async def turn(self) -> float:
        """Tell whom it is time to tell."""
        number, statement, users = await self._store.run(untold, quiet=True)
        if number != self._number:
            self._number, self._next = number, {}
        for user in users:
            due, pause = self._next.get(user, (0.0, SHORTEST))
            if time.monotonic() >= due:
                self._next[user] = (time.monotonic() + pause, min(2 * pause, LONGEST))
                await self._tell(user, statement)
        return max(min((self._next[user][0] - time.monotonic() for user in users), default=self._idle), 0.1)

    async def _tell(self, user: str, statement: bytes) -> None:
        try:
            await self._matrix.state_devices(user, statement)
        except MatrixError as error:
            _log.info("devices.not_told", error=error)


def stated(device: Device) -> StatedDevice:
    """A Matrix device as a statement lists it."""
    return StatedDevice(device_id=device.device_id, ed25519=device.ed25519, curve25519=device.curve25519)
