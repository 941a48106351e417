"""Coordination rooms after a restore: the copy's are over (R14, R62).

Who was put out since the copy was made, which room was closed, what was found about the aggressor: the copy does not know, and no journal tells
it. So a restored hub ends its own rooms, tables too, and leaves those of others. People open again, and ask in again, whom they want there now.
"""

from __future__ import annotations

from hub.actions.common import SYSTEM
from hub.actions.coordination import drop_proposal
from hub.actions.coordination_ends import close_room, step_out
from hub.actions.ports import Unit


def end_rooms(unit: Unit) -> int:
    """Returns how many were open."""
    for room in unit.coordinations.all(state="proposed"):
        drop_proposal(unit, room.id)
    rooms = unit.coordinations.all(state="open", order="made_at")
    for room in rooms:
        if room.owner == unit.me.id:
            close_room(unit, SYSTEM, room)
        else:
            step_out(unit, room)
    return len(rooms)
