"""What other hubs say of coordination rooms, and what we say of ours: both ends of the four `room.*` bodies, next to each other.

The owner says who is in its room and what its card shows; everybody states their own people. A guest obeys the owner about membership and
believes nobody but a person's own hub about keys (`rosters.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hub.actions.common import forget_reminders, note, remind
from hub.actions.coordination_card import LOOK, LOOK_EVERY, reconsider
from hub.actions.coordination_ends import over, put_out
from hub.actions.peer_words import FIELD_NAME
from hub.actions.ports import Unit
from hub.actions.rosters import OUT, others_in, seat_id, seat_of, seats_in, take_roster
from hub.base.errors import PeerFault
from hub.cases.codes import ROOM, parse_code
from hub.cases.events import CoordinationMoved
from hub.cases.lifecycle import WORKING, Side
from hub.cases.records import CASE, TABLE, Coordination, Room, Seat
from hub.exchange import wire
from hub.exchange.records import Link, Outgoing
from keys.codec import ID_PATTERN
from keys.manifest import Manifest
from keys.profile import USER_PATTERN
from keys.roster import ROOM_PATTERN

MATRIX_ROOM = re.compile(r"![0-9A-Za-z._~-]{1,200}(:[0-9A-Za-z.:\[\]-]{1,200})?")
MOST_ROOMS = 40
"""Open rooms to which one peer may have asked us: more is a flood."""
_PROTOCOL = re.compile(r"[a-z0-9_./-]{1,60} [0-9]{1,6}")
_HOW = re.compile(r"release|presence|generalise:[a-z_]{1,40}")


def is_room(kind: str) -> bool:
    """Whether a body is about a coordination room."""
    return kind.startswith("room.")


def hear_room(unit: Unit, link: Link, body: wire.Body) -> None:
    """Give effect to it. Raises PeerFault."""
    _HEARD[type(body)](unit, link, body)


def purpose_of(room: str) -> str:
    """What our room table calls the Matrix room of a coordination room."""
    return f"coordination:{room}"


# ---- hearing


def _invited(unit: Unit, link: Link, body: wire.RoomInvite) -> None:
    _check(unit, link, body)
    known = unit.coordinations.get(body.room)
    if known is not None and known.state != "open" and seat_of(unit, known.id, unit.me.id) is None and known.closed_at is None:
        raise PeerFault("room_unknown", institution=link.peer)
    shown = {str(field): str(how) for field, how in body.shown.items() if FIELD_NAME.fullmatch(str(field)) and _HOW.fullmatch(str(how))}
    fresh = Coordination(
        id=body.room, code=body.code, sort=body.sort, owner=link.peer, label=body.label, purposes=body.purposes, protocols=body.protocols,
        state="open", by=link.peer, made_at=known.made_at if known else unit.now, opened_at=unit.now, room=body.matrix, shown=shown,
    )  # fmt: skip
    (unit.coordinations.put if known else unit.coordinations.add)(fresh)
    again = known is not None and known.state == "open"
    _seat_all(unit, fresh, body)
    _keep_room(unit, fresh)
    if again:
        unit.announce(CoordinationMoved(coordination=fresh.id, what="changed"))
    else:
        forget_reminders(unit, fresh.id)
        remind(unit, LOOK, fresh.id, unit.now + LOOK_EVERY)  # our roster there follows our signing key, too
        note(unit, fresh.id, link.peer, "room.invited", room=fresh.code)
        unit.announce(CoordinationMoved(coordination=fresh.id, what="invited"))


def _check(unit: Unit, link: Link, body: wire.RoomInvite) -> None:
    """(1) well-formed, and the owner's own room (2) a Matrix room that is nothing else of ours (3) about referrals that we accepted from it
    (4) not one too many."""
    known = unit.coordinations.get(body.room)
    shaped = ROOM_PATTERN.fullmatch(body.room) and MATRIX_ROOM.fullmatch(body.matrix) and body.sort in (CASE, TABLE)
    named = body.code.startswith(ROOM) and parse_code(body.code) == body.code
    named = named and all(ID_PATTERN.fullmatch(name) and USER_PATTERN.fullmatch(str(hub)) for name, hub in body.institutions.items())
    here = {unit.me.id, link.peer} <= set(body.institutions)
    plain = len(body.label) <= 60 and body.label.isprintable() and bool(body.label) == (body.sort == TABLE)
    stands = all(map(_PROTOCOL.fullmatch, body.protocols)) and set(body.purposes) <= set(unit.pack.vocabulary.lists["purposes"])
    if not (shaped and named and here and plain and stands and len(body.institutions) <= 20):  # 1
        raise PeerFault("bad_body", kind="room.invite", why="shape")
    same_code = unit.coordinations.one(code=body.code)
    if (known is not None and (known.owner, known.code) != (link.peer, body.code)) or (known is None and same_code is not None):
        raise PeerFault("room_not_theirs", institution=link.peer)
    taken = unit.rooms.get(body.matrix)
    if taken is not None and taken.purpose != purpose_of(body.room):  # 2
        raise PeerFault("room_not_theirs", institution=link.peer)
    if body.sort == CASE and not _all_working(unit, link, body.referrals):  # 3
        raise PeerFault("unknown_referral", institution=link.peer)
    if known is None and unit.coordinations.count(owner=link.peer, state="open") >= MOST_ROOMS:  # 4
        raise PeerFault("too_many_rooms", institution=link.peer)


def _all_working(unit: Unit, link: Link, names: tuple[str, ...]) -> bool:
    found = [unit.referrals.get(name) for name in names]
    return bool(found) and all(r is not None and r.peer == link.peer and r.side is Side.RECIPIENT and r.state in WORKING for r in found)


def _seat_all(unit: Unit, room: Coordination, body: wire.RoomInvite) -> None:
    """Seats as the owner says; what we hold of those that stay is kept, and a number never goes back."""
    for seat in others_in(unit, room.id):
        if seat.institution not in body.institutions:
            unit.seats.put(replace(seat, state=OUT, people=(), roster=b"", at=unit.now))
    for name, hub in body.institutions.items():
        old = unit.seats.get(seat_id(room.id, name))
        if old is None or old.state == OUT:
            state = "present" if name == room.owner else "invited"
            seat = Seat(
                id=seat_id(room.id, name), coordination=room.id, institution=name, state=state, number=old.number if old else 0, at=unit.now,
                hub=str(hub),
                referrals=body.referrals if name == unit.me.id else (),
            )  # fmt: skip
            (unit.seats.put if old else unit.seats.add)(seat)


def _keep_room(unit: Unit, room: Coordination) -> None:
    old = unit.rooms.one(purpose=purpose_of(room.id))
    if old is not None and old.id != room.room:
        unit.rooms.delete(old.id)
        old = None
    if old is None and room.room:
        unit.rooms.add(Room(id=room.room, purpose=purpose_of(room.id), made_at=unit.now))


def _out(unit: Unit, link: Link, body: wire.RoomOut) -> None:
    room = _known_open(unit, link, body.room)
    if room is None:
        return
    if room.owner == unit.me.id:
        seat = seat_of(unit, room.id, link.peer)
        if body.institution != link.peer:
            raise PeerFault("room_not_theirs", institution=link.peer)
        if seat is None:  # it was out already, which crossed on the road, or its copy did not know it
            return
        put_out(unit, room, seat, "left")
        reconsider(unit, room)
    elif link.peer != room.owner:
        raise PeerFault("room_not_theirs", institution=link.peer)
    elif body.institution == unit.me.id:
        over(unit, room)
    elif seat := seat_of(unit, room.id, body.institution):
        unit.seats.put(replace(seat, state=OUT, people=(), roster=b"", at=unit.now))
        unit.announce(CoordinationMoved(coordination=room.id, what="changed"))


def _closed(unit: Unit, link: Link, body: wire.RoomClosed) -> None:
    room = _known_open(unit, link, body.room)
    if room is None:
        return
    if room.owner != link.peer:
        raise PeerFault("room_not_theirs", institution=link.peer)
    over(unit, room)


def _known_open(unit: Unit, link: Link, name: str) -> Coordination | None:
    """The open room that a peer speaks of; None when it is over already, which crossed on the road. Raises PeerFault `room_unknown`."""
    room = unit.coordinations.get(name)
    if room is None or link.peer not in (room.owner, *(s.institution for s in unit.seats.all(coordination=name))):
        raise PeerFault("room_unknown", institution=link.peer)
    return room if room.state == "open" else None


_HEARD: dict[type[wire.Body], Callable[[Unit, Link, Any], None]] = {
    wire.RoomInvite: _invited,
    wire.RoomRoster: take_roster,
    wire.RoomOut: _out,
    wire.RoomClosed: _closed,
}


# ---- saying


def write_room(unit: Unit, row: Outgoing) -> wire.Body | None:
    """The body of an intent as things stand now; None when it must not be sent any more."""
    room, link = unit.coordinations.get(str(row.ref["room"])), unit.links.get(row.link)
    if room is None or link is None or room.room is None:
        return None
    if row.kind == "room.closed":
        return wire.RoomClosed(room=room.id)
    if row.kind == "room.out":
        return wire.RoomOut(room=room.id, institution=str(row.ref["institution"]))
    if room.state != "open" or seat_of(unit, room.id, link.peer) is None:
        return None
    return _roster(unit, row, room) if row.kind == "room.roster" else _invite(unit, room, link.peer)


def hub_of(unit: Unit, seat: Seat) -> str:
    """The account of an institution's hub: by its manifest where we have one, else as the room's owner says."""
    peer = unit.peers.get(seat.institution)
    manifest = unit.hand.manifest if seat.institution == unit.me.id else Manifest.from_bytes(peer.manifest) if peer else None
    return manifest.profile.matrix_user if manifest else seat.hub


def hub_is_in(unit: Unit, room: Coordination, seat: Seat) -> bool | None:
    """Whether an institution's hub has joined the Matrix room; None where only the room's owner knows."""
    if seat.institution == unit.me.id:
        return room.room is not None
    return hub_of(unit, seat) in room.greeted if room.owner == unit.me.id else None


def _roster(unit: Unit, row: Outgoing, room: Coordination) -> wire.Body | None:
    seat = seat_of(unit, room.id, str(row.ref["institution"]))
    return wire.RoomRoster(room=room.id, institution=seat.institution, statement=seat.roster) if seat and seat.roster else None


def _invite(unit: Unit, room: Coordination, peer: str) -> wire.Body | None:
    if room.owner != unit.me.id:
        return None
    working = unit.referrals.all(case=room.case, peer=peer, side=Side.SENDER) if room.case else []
    return wire.RoomInvite(
        room=room.id, code=room.code, sort=room.sort, label=room.label, matrix=room.room or "", purposes=room.purposes, protocols=room.protocols,
        referrals=tuple(r.id for r in working if r.state in WORKING), shown=dict(room.shown),
        institutions={one.institution: hub_of(unit, one) for one in seats_in(unit, room.id)},
    )  # fmt: skip
