"""How a coordination room ends for one institution or for all: the card dies first, then trust and membership (design §3, R62)."""

from __future__ import annotations

from dataclasses import replace

from hub.actions.common import SYSTEM, forget_reminders, note
from hub.actions.erase import shred
from hub.actions.ports import Unit
from hub.actions.rosters import OUT, others_in, tell_room
from hub.base.errors import Refused
from hub.cases.events import CoordinationMoved
from hub.cases.records import Coordination, Seat


def owned(unit: Unit, room: Coordination) -> None:
    """Only the owner's hub builds the membership. Raises Refused `not_owner`."""
    if room.owner != unit.me.id:
        raise Refused("not_owner", institution=room.owner, code=room.code)


def put_out(unit: Unit, room: Coordination, seat: Seat, why: str) -> None:
    """Out of the room: trust and membership end in this unit; it is told that it is out, and never why (R62)."""
    unit.seats.put(replace(seat, state=OUT, why=why, people=(), roster=b"", at=unit.now))
    found = unit.coordinations.get(room.id)
    if found is not None and found.card:  # whoever goes must not keep the card: it is redacted before she is out, and put anew for those who stay
        shred(unit, found.card, "out")
        unit.coordinations.put(replace(found, card="", drawn=""))
    tell_room(unit, seat.institution, "room.out", room, institution=seat.institution)
    for other in others_in(unit, room.id):
        tell_room(unit, other.institution, "room.out", room, institution=seat.institution)
    note(unit, room.case or room.id, SYSTEM, "room.out", room=room.code, institution=seat.institution, why=why)
    unit.announce(CoordinationMoved(coordination=room.id, what="out", institution=seat.institution))


def close_room(unit: Unit, by: str, room: Coordination) -> None:
    """Over for everybody: what stood in it becomes unreadable here and is redacted there, then the hubs leave. Raises Refused `not_owner`."""
    owned(unit, room)
    for other in others_in(unit, room.id):
        tell_room(unit, other.institution, "room.closed", room)
    _end(unit, room)
    note(unit, room.case or room.id, by, "room.closed", room=room.code)


def _end(unit: Unit, room: Coordination) -> None:
    if room.card:
        shred(unit, room.card, "closed")
    for seat in unit.seats.all(coordination=room.id, state__not=OUT):
        unit.seats.put(replace(seat, state=OUT, why="closed", people=(), roster=b"", at=unit.now))
    unit.coordinations.put(replace(room, state="closed", closed_at=unit.now, card="", shown={}, drawn=""))
    forget_reminders(unit, room.id)
    unit.announce(CoordinationMoved(coordination=room.id, what="closed"))


def step_out(unit: Unit, room: Coordination) -> None:
    """Our institution leaves, or does not come into, a room of another one."""
    tell_room(unit, room.owner, "room.out", room, institution=unit.me.id)
    over(unit, room)


def over(unit: Unit, room: Coordination) -> None:
    """At a guest: the room is over for us."""
    for seat in unit.seats.all(coordination=room.id, state__not=OUT):
        unit.seats.put(replace(seat, state=OUT, people=(), roster=b"", at=unit.now))
    unit.coordinations.put(replace(room, state="closed", closed_at=unit.now, shown={}))
    forget_reminders(unit, room.id)
    unit.announce(CoordinationMoved(coordination=room.id, what="ours"))
