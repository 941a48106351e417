"""Which rooms should exist, and who may be in each: one small function for each class of `hub/cases/room_classes.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from hub.actions.hear_coordination import hub_of, purpose_of
from hub.actions.ports import Unit
from hub.actions.rosters import fit, seats_in
from hub.cases.records import Coordination, Room, Seat, Staff
from hub.cases.room_classes import HUB, ROOM_CLASSES, Member, Purpose
from hub.chat.room_cards import acts_key
from hub.exchange.records import Peer
from hub.matrix import RoomSpec
from keys.manifest import Manifest
from keys.roster import read_roster


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A room that should exist: its purpose, who may be in it, and its id when it was made."""

    purpose: str
    """As in the table of rooms: the class, and after a colon which one of them."""
    spec: RoomSpec
    people: tuple[Member, ...] = ()
    """Who may be in it, of which institution and as what; exactly the members of `spec`."""
    room: str | None
    ours_to_make: bool = True


def wanted_desk(unit: Unit) -> list[Wanted]:
    """One room of everybody enrolled."""
    people = _staff(unit)
    return [wanted(unit, "desk", "desk", people)] if people or _made(unit, "desk") else []


def wanted_admin(unit: Unit) -> list[Wanted]:
    """One room of the administrators."""
    people = [one for one in _staff(unit) if one.role in ROOM_CLASSES["admin"].members.roles]
    return [wanted(unit, "admin", "admin", people)] if people or _made(unit, "admin") else []


def wanted_direct(unit: Unit) -> list[Wanted]:
    """A room for each person alone."""
    return [wanted(unit, "direct", f"direct:{one.user}", [one]) for one in _staff(unit)]


def wanted_links(unit: Unit) -> list[Wanted]:
    """A room with each confirmed peer's hub. The institution with the smaller id makes it."""
    peers = unit.peers.all(state="confirmed", order="id")
    return [wanted(unit, "link", f"link:{p.id}", [Member(user=user_of(p), institution=p.id, role=HUB)], ours=unit.me.id < p.id) for p in peers]


def wanted_coordination(unit: Unit) -> list[Wanted]:
    """The coordination rooms: their owner's hub makes them, out of the rosters of every institution that is in. One that is over has no members
    any more, as long as it stands in our table of rooms: then it is left.
    """
    found = []
    for room in unit.coordinations.all(state__in=("open", "closed"), order="made_at"):
        purpose, ours = purpose_of(room.id), room.owner == unit.me.id
        if room.state != "open" and not unit.rooms.one(purpose=purpose):
            continue
        seats = seats_in(unit, room.id) if room.state == "open" else []
        people = [one for seat in seats for one in _seated(unit, seat)]
        one = wanted(unit, "coordination", purpose, people, ours=ours, parties=frozenset(seat.institution for seat in seats))
        found.append(replace(one, spec=_with_pin(unit, one.spec, purpose, room)) if ours and people else one)
    return found


def _with_pin(unit: Unit, spec: RoomSpec, purpose: str, room: Coordination) -> RoomSpec:
    """Who leads, who acts, by when stands on top of the room (R49), once it is there."""
    table = unit.posts.one(key=acts_key(room.card)) if room.card else None
    sent = table.event if table and table.state == "sent" else None
    return replace(spec, pinned=sent or "", ours=frozenset(post.event or "" for post in unit.posts.all(purpose=purpose, event__not=None)))


def _seated(unit: Unit, seat: Seat) -> list[Member]:
    """The hub of an institution and the people on its roster; of ours, those whom we can vouch for now."""
    roles = ROOM_CLASSES["coordination"].members.roles - {HUB}
    if seat.institution == unit.me.id:
        ours = [person for user in seat.people if fit(person := unit.staff.get(user)) and person is not None]
        return [Member(user=person.id, institution=unit.me.id, role=person.role) for person in ours]
    stated = {member.user: member.role for member in read_roster(seat.roster).members} if seat.roster else {}
    named = [(user, stated.get(user, "")) for user in seat.people]
    people = [Member(user=user, institution=seat.institution, role=role if role in roles else "caseworker") for user, role in named]
    return [Member(user=hub_of(unit, seat), institution=seat.institution, role=HUB), *people]


WANTED: tuple[Callable[[Unit], list[Wanted]], ...] = (wanted_desk, wanted_admin, wanted_direct, wanted_links, wanted_coordination)
"""Every class has its function; the order is that of making and of showing."""


def wanted_rooms(unit: Unit) -> list[Wanted]:
    """Every room that should exist now."""
    return [one for function in WANTED for one in function(unit)]


def wanted(
    unit: Unit, kind: Purpose, purpose: str, people: Iterable[Member], *, ours: bool = True, parties: frozenset[str] = frozenset()
) -> Wanted:
    """A wanted room of a class. Whom the class does not admit is left out, whoever asked for her; `parties`: institutions that take part in it."""
    row = ROOM_CLASSES[kind]
    admitted = tuple(one for one in people if row.members.admits(one, unit.me.id, parties))
    spec = RoomSpec(purpose=kind, members=frozenset(one.user for one in admitted), name=row.name, behind=_behind(admitted))
    room = unit.rooms.one(purpose=purpose)
    return Wanted(purpose=purpose, spec=spec, people=admitted, room=room.id if room else None, ours_to_make=ours)


def _behind(people: Iterable[Member]) -> dict[str, str]:
    """People come after their own institution's hub, where it is among them."""
    hubs = {one.institution: one.user for one in people if one.role == HUB}
    return {one.user: hubs[one.institution] for one in people if one.role != HUB and one.institution in hubs}


def user_of(peer: Peer) -> str:
    """The account of a peer's hub."""
    return Manifest.from_bytes(peer.manifest).profile.matrix_user


def surplus_rooms(unit: Unit) -> list[Room]:
    """Rooms of ours that nobody wants any more: the direct rooms of people who left."""
    needed = {one.purpose for one in wanted_direct(unit)}
    return [room for room in unit.rooms.all(order="purpose") if room.purpose.startswith("direct:") and room.purpose not in needed]


def _made(unit: Unit, purpose: str) -> bool:
    """Whether the room exists: when its last member left, she still has to go out of it."""
    return unit.rooms.one(purpose=purpose) is not None


def _staff(unit: Unit) -> list[Member]:
    people: list[Staff] = unit.staff.all(removed_at=None, order="added_at")
    return [Member(user=one.id, institution=unit.me.id, role=one.role) for one in people]
