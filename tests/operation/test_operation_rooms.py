"""The rooms keeper: who comes back gets her rooms back, and one room that cannot be finished keeps nobody waiting elsewhere."""

from __future__ import annotations

import pytest

from hub.actions import staff
from hub.app.rooms import RoomsKeeper
from hub.matrix import RoomRecord, RoomSpec
from hub.matrix.errors import HomeserverRefused
from hub.testing.twin import Twin
from tests.actions.road import CEM, CSMC, Net, fresh


class Homeserver:
    """What the keeper sees of Matrix: it makes rooms, and refuses to finish those with a stranger to every server."""

    def __init__(self) -> None:
        self.made: list[RoomSpec] = []
        self.unknown = ""

    async def first_sync(self) -> None: ...

    async def set_trust(self, _: object) -> None: ...

    async def ensure_room(self, spec: RoomSpec, room: str | None = None) -> RoomRecord:
        if room is None:
            self.made.append(spec)
        elif self.unknown in spec.members:
            raise HomeserverRefused("no such server", status=502, errcode="M_UNKNOWN")
        return RoomRecord(room_id=room or f"!made{len(self.made)}", purpose=spec.purpose, members=spec.members)

    def joined(self, _: str) -> frozenset[str]:
        return frozenset()

    invited = joined


@pytest.fixture
def net() -> Net:
    return fresh((CEM, "emergency_centre"), (CSMC, "mental_health_centre"))


def direct(twin: Twin, user: str) -> str | None:
    room = twin.run(lambda unit: unit.rooms.one(purpose=f"direct:{user}"))
    return room.id if room else None


async def test_who_comes_back_gets_a_direct_room_again(net: Net) -> None:
    """Removed, and enrolled once more: what the keeper had settled for her is over."""
    server, ana = Homeserver(), net.cem.person("ana")
    keeper = RoomsKeeper(net.cem.store, server)
    for _ in range(2):
        await keeper.turn()
    first = direct(net.cem, ana)
    assert first
    net.cem.run(staff.remove_staff, ana)
    net.cem.run(lambda unit: unit.rooms.delete(first))
    net.cem.run(lambda unit: staff.add_staff(unit, ana, display="Ana Ejemplo"))
    for _ in range(2):
        await keeper.turn()
    assert direct(net.cem, ana) not in (None, first)


async def test_a_fresh_room_is_looked_at_once_more(net: Net) -> None:
    """Somebody who could not be invited when it was made is missing there, and only another look shows it."""
    server, berta = Homeserver(), net.cem.person("berta")
    room = direct(net.cem, berta)
    net.cem.run(lambda unit: unit.rooms.delete(room))
    keeper = RoomsKeeper(net.cem.store, server)
    assert await keeper.turn() <= 5
    server.unknown = berta
    assert await keeper.turn() <= 5, "and again, until she is there"
    server.unknown = ""
    await keeper.turn()
    assert [spec.members for spec in server.made if spec.purpose == "direct"] == [{berta}], "one room, not one a turn"
