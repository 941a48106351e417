"""Coordination rooms in Matrix: made and mended by their owner's hub out of the rosters, followed by the others, left when they are over.

What must go away (a card that was cut) is redacted before anybody is put out: whoever has left hears of no redaction, and would keep it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from hub.actions.coordination import room_made
from hub.actions.coordination_card import greet
from hub.actions.hear_coordination import hub_of
from hub.actions.ports import Unit
from hub.actions.rosters import seat_of
from hub.app.wanted_rooms import Wanted
from hub.cases.records import Room
from hub.matrix import Matrix, RoomRecord, RoomSpec
from hub.store.unit_of_work import Store

Mend = Callable[[str], Awaitable[bool]]
"""Holds a room against its desired state and brings it there; whether all of it is done."""
FIRST_REDACTED = timedelta(seconds=20)
"""So long somebody who must go may stay, that the redactions reach her client too; nothing else is said in the room meanwhile."""
ANEW = 60.0
"""Seconds between two looks at a room that should be as we left it, while somebody has not joined."""


def expected_rooms(unit: Unit) -> set[tuple[str, str]]:
    """(Matrix room, hub): into which rooms of others we may be invited, and by whom."""
    found = set()
    for room in unit.coordinations.all(state="open", owner__not=unit.me.id):
        owner = seat_of(unit, room.id, room.owner)
        if room.room and owner is not None:
            found.add((room.room, hub_of(unit, owner)))
    return found


class CoordinationRooms:
    """One look at one room at a time, for the rooms keeper."""

    def __init__(self, store: Store, matrix: Matrix) -> None:
        self._store, self._matrix = store, matrix
        self._settled: dict[str, tuple[RoomSpec, float]] = {}
        self._greeted: dict[str, frozenset[str]] = {}

    async def settle(self, wanted: Wanted, mend: Mend, *, due: bool) -> bool:
        """Bring one room to its desired state; whether nothing is left to do. `due`: something woke the keeper. Raises MatrixError."""
        if wanted.room is None:
            return not wanted.ours_to_make or await self._make(wanted)
        if not wanted.spec.members:
            return await self._leave(wanted, wanted.room, mend)
        if not wanted.ours_to_make:
            self._matrix.set_room(RoomRecord(room_id=wanted.room, purpose="coordination", members=wanted.spec.members))
            return True
        return await self._keep(wanted, wanted.room, mend, due=due)

    async def _make(self, wanted: Wanted) -> bool:
        record = await self._matrix.make_room(wanted.spec)
        await self._store.run(_keep_made, wanted.purpose, record.room_id)
        return False

    async def _keep(self, wanted: Wanted, room: str, mend: Mend, *, due: bool) -> bool:
        known = self._settled.get(wanted.purpose)
        joined = self._matrix.joined(room) & wanted.spec.members
        complete = wanted.spec.members <= joined
        if due or known is None or known[0] != wanted.spec or (not complete and time.monotonic() - known[1] > ANEW):
            self._matrix.set_room(RoomRecord(room_id=room, purpose="coordination", members=wanted.spec.members))
            if await self._store.look(lambda unit: redactions_pending(unit, wanted.purpose)):
                return False
            if not await mend(room):
                return False
            self._settled[wanted.purpose] = (wanted.spec, time.monotonic())
            joined = self._matrix.joined(room) & wanted.spec.members
        if self._greeted.get(wanted.purpose) != joined:
            await self._store.run(greet, wanted.purpose.partition(":")[2], tuple(sorted(joined)))
            self._greeted[wanted.purpose] = joined
        return complete

    async def _leave(self, wanted: Wanted, room: str, mend: Mend) -> bool:
        """Over: everybody is put out by the owner, then the hub leaves. A guest only leaves."""
        self._matrix.set_room(RoomRecord(room_id=room, purpose="coordination", members=frozenset()))
        if await self._store.look(lambda unit: redactions_pending(unit, wanted.purpose)):
            return False
        if wanted.ours_to_make:
            await mend(room)
        await self._matrix.leave(room)
        await self._store.run(_left, wanted.purpose)
        self._settled.pop(wanted.purpose, None)
        self._greeted.pop(wanted.purpose, None)
        return True


def redactions_pending(unit: Unit, purpose: str) -> bool:
    """Whether something that stood in a room is still to be taken away, and was condemned a moment ago."""
    since = unit.now - FIRST_REDACTED
    return unit.posts.count(purpose=purpose, redacts__not=None, state__in=("ready", "sending"), at__ge=since) > 0


def _keep_made(unit: Unit, purpose: str, room: str) -> None:
    if unit.rooms.one(purpose=purpose) is None:
        unit.rooms.add(Room(id=room, purpose=purpose, made_at=unit.now))
        room_made(unit, purpose.partition(":")[2], room)


def _left(unit: Unit, purpose: str) -> None:
    """Nothing more is said there: what still waits for the room is dropped with it."""
    old = unit.rooms.one(purpose=purpose)
    if old is not None:
        unit.rooms.delete(old.id)
    for post in unit.posts.all(purpose=purpose, state__in=("ready", "sending")):
        unit.posts.delete(post.id)


