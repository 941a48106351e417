"""What administrators may ask about coordination rooms over the control socket: tables whole, and who is in a room about a case by its code alone.

A table carries no case data by construction, so administrators keep it; a room about a case is kept by whoever leads the case.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub.actions import coordination, coordination_ends, coordination_people
from hub.actions.hear_coordination import hub_is_in
from hub.actions.ports import Unit
from hub.actions.rosters import seats_in
from hub.base.errors import Refused
from hub.cases.codes import parse_code
from hub.cases.records import TABLE, Coordination

if TYPE_CHECKING:
    from hub.app.house import House

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]
BY = "administrator"


def handlers(house: House) -> dict[str, Handler]:
    """Every command by name."""

    def acting(act: Callable[[Unit, Mapping[str, Any]], Coordination]) -> Handler:
        async def run(args: Mapping[str, Any]) -> Any:
            room = await house.store.run(act, args)
            await house.keeper.turn()
            return await house.store.look(lambda unit: _shown(unit, unit.coordinations.get(room.id) or room))

        return run

    async def listed(_: Mapping[str, Any]) -> Any:
        return await house.store.look(lambda unit: [_shown(unit, room) for room in unit.coordinations.all(state="open", order="made_at")])

    async def who(args: Mapping[str, Any]) -> Any:
        return await house.store.look(lambda unit: _shown(unit, _found(unit, args)))

    return {
        "tables.open": acting(_open),
        "tables.add": acting(_add),
        "tables.remove": acting(_remove),
        "tables.close": acting(_close),
        "tables.list": listed,
        "tables.who": who,
    }


def _open(unit: Unit, args: Mapping[str, Any]) -> Coordination:
    return coordination.open_table(unit, BY, str(args["label"]), tuple(str(name) for name in args.get("institutions", ())))


def _add(unit: Unit, args: Mapping[str, Any]) -> Coordination:
    """An institution of another hub, or a person of ours."""
    room, who = _table(unit, args), str(args["who"])
    if who.startswith("@"):
        coordination_people.join(unit, who, room)
    else:
        coordination.add_institution(unit, BY, room, who)
    return room


def _remove(unit: Unit, args: Mapping[str, Any]) -> Coordination:
    room, who = _table(unit, args), str(args["who"])
    if who.startswith("@"):
        coordination_people.leave(unit, who, room)
    else:
        coordination.remove_institution(unit, BY, room, who)
    return room


def _close(unit: Unit, args: Mapping[str, Any]) -> Coordination:
    """Our own for everybody; another institution's for us."""
    room = _table(unit, args)
    if room.owner == unit.me.id:
        coordination_ends.close_room(unit, BY, room)
    else:
        coordination_ends.step_out(unit, room)
    return room


def _table(unit: Unit, args: Mapping[str, Any]) -> Coordination:
    room = _found(unit, args)
    if room.sort != TABLE:
        raise Refused("room_of_case", code=room.code)
    return room


def _found(unit: Unit, args: Mapping[str, Any]) -> Coordination:
    given = str(args.get("room", ""))
    return coordination.find_room(unit, parse_code(given) or given)


def _shown(unit: Unit, room: Coordination) -> dict[str, Any]:
    """Codes, institutions and accounts: nothing of a case."""
    seats = [
        {
            "institution": seat.institution, "state": seat.state, "people": list(seat.people), "verified": bool(seat.roster),
            "hub_in": hub_is_in(unit, room, seat),
        }
        for seat in seats_in(unit, room.id)
    ]  # fmt: skip
    return {
        "code": room.code, "sort": room.sort, "label": room.label, "owner": room.owner, "state": room.state, "made": room.room is not None,
        "since": room.made_at.isoformat(timespec="minutes"), "institutions": seats,
    }  # fmt: skip
