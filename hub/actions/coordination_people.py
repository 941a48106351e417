"""Our own people in a coordination room, whether we keep it or are guests in it."""

from __future__ import annotations

from dataclasses import replace

from hub.actions.common import note, staff_member
from hub.actions.coordination_ends import step_out
from hub.actions.own_house import may_read
from hub.actions.ports import Unit
from hub.actions.rosters import fit, restate, seat_of
from hub.base.errors import Refused
from hub.cases.events import CoordinationMoved
from hub.cases.records import CASE, Coordination


def join(unit: Unit, user: str, room: Coordination) -> None:
    """Somebody of ours takes part. Raises Refused `not_enrolled`, `key_not_pinned`, `already_in_room`, and as `may_read`."""
    person = staff_member(unit, user)
    mine = seat_of(unit, room.id, unit.me.id)
    if mine is None:
        raise Refused("room_closed", code=room.code)
    if not fit(person):
        raise Refused("key_not_pinned", user=user)
    if user in mine.people:
        raise Refused("already_in_room", code=room.code)
    if room.case and (case := unit.cases.get(room.case)):
        may_read(unit, case, user)
    restate(unit, room, replace(mine, people=(*mine.people, user)))
    note(unit, room.case or room.id, user, "room.joined", room=room.code)
    unit.announce(CoordinationMoved(coordination=room.id, what="person", user=user))


def leave(unit: Unit, user: str, room: Coordination) -> bool:
    """Somebody of ours leaves; with the last one a guest institution does too. True when it did. Raises Refused `not_in_room`, `last_of_owner`."""
    mine = seat_of(unit, room.id, unit.me.id)
    if mine is None or user not in mine.people:
        raise Refused("not_in_room", code=room.code)
    left = tuple(one for one in mine.people if one != user)
    note(unit, room.case or room.id, user, "room.left", room=room.code)
    if not left and room.owner == unit.me.id and room.sort == CASE:
        raise Refused("last_of_owner", code=room.code)
    if not left and room.owner != unit.me.id:
        step_out(unit, room)
        return True
    restate(unit, room, replace(mine, people=left))
    return False
