"""Who takes part in a coordination room: our own people in our own signed roster, theirs in theirs (design §3).

A roster is a statement about trust: whoever is on it gets room keys in that one room, by the master key that her own hub pinned. So ours follows
the staff table in the same unit of work (off-boarded, blocked or pinned anew: at once), and theirs is believed for its signature alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.actions.common import intend, note
from hub.actions.ports import Unit
from hub.base.errors import PeerFault
from hub.cases.events import CoordinationMoved
from hub.cases.records import Coordination, Seat, Staff
from hub.exchange import wire
from hub.exchange.records import Link
from keys.errors import KeysError
from keys.manifest import Manifest
from keys.roster import Member, Roster, accept_roster, kept_roster, read_roster, sign_roster

OUT = "out"


def seat_id(room: str, institution: str) -> str:
    """The name of one institution's seat in one room."""
    return f"{room} {institution}"


def seat_of(unit: Unit, room: str, institution: str) -> Seat | None:
    """The living seat of an institution in a room."""
    seat = unit.seats.get(seat_id(room, institution))
    return seat if seat is not None and seat.state != OUT else None


def seats_in(unit: Unit, room: str) -> list[Seat]:
    """Every institution that is in a room, or asked into it."""
    return unit.seats.all(coordination=room, state__not=OUT, order="id")


def others_in(unit: Unit, room: str) -> list[Seat]:
    """The same without us."""
    return [seat for seat in seats_in(unit, room) if seat.institution != unit.me.id]


# ---- ours


def fit(person: Staff | None) -> bool:
    """Whether somebody of ours can be vouched for: enrolled, her master key pinned, and no other one served."""
    return person is not None and person.removed_at is None and person.master is not None and person.refused_master is None


def restate_all(unit: Unit) -> None:
    """Something about our staff or our signing key changed: every roster of ours says what is true now."""
    for seat in unit.seats.all(institution=unit.me.id, state__not=OUT, order="id"):
        coordination = unit.coordinations.get(seat.coordination)
        if coordination is not None and coordination.state == "open":
            restate(unit, coordination, _followed(unit, coordination, seat))


def _followed(unit: Unit, coordination: Coordination, seat: Seat) -> Seat:
    """Without whoever is not enrolled any more; where nobody is left in a room about a case of ours, its lead comes in."""
    people = tuple(user for user in seat.people if (person := unit.staff.get(user)) and person.removed_at is None)
    case = unit.cases.get(coordination.case or "")
    if not people and seat.people and case is not None and fit(unit.staff.get(case.lead)):
        people = (case.lead,)
        unit.announce(CoordinationMoved(coordination=coordination.id, what="person", user=case.lead))
    return replace(seat, people=people)


def restate(unit: Unit, coordination: Coordination, seat: Seat) -> None:
    """Sign our roster anew when it is not true any more, or not under a key of our manifest; and tell it."""
    manifest = unit.hand.manifest
    if unit.hand.signer.public not in manifest.profile.hub_signing:
        unit.seats.put(seat)
        return  # nobody would believe it: a turn of the keys comes first
    before = kept_roster(seat.roster, manifest)
    since = {member.user: member.since for member in before.members} if before else {}
    people = [person for user in seat.people if fit(person := unit.staff.get(user)) and person is not None]
    members = tuple(Member(user=p.id, master=p.master or "", role=p.role, since=since.get(p.id, unit.now)) for p in people)
    if before is not None and _facts(before.members) == _facts(members):
        unit.seats.put(seat)
        return
    number = max(seat.number + 1, int(unit.now.timestamp() * 1000))
    roster = Roster(institution=unit.me.id, room=coordination.id, number=number, issued=unit.now, members=members)
    unit.seats.put(replace(seat, roster=sign_roster(roster, unit.hand.signer), number=number, state="present"))
    note(unit, coordination.id, unit.me.id, "room.roster", number=number, people=len(members))
    hand_on(unit, coordination, unit.me.id)
    unit.announce(CoordinationMoved(coordination=coordination.id, what="changed"))


def _facts(members: tuple[Member, ...]) -> set[tuple[str, str, str]]:
    return {(member.user, member.master, member.role) for member in members}


def hand_on(unit: Unit, coordination: Coordination, institution: str) -> None:
    """Whoever is in the room must know this roster: the owner tells all, a guest tells the owner."""
    others = [seat.institution for seat in others_in(unit, coordination.id)] if coordination.owner == unit.me.id else [coordination.owner]
    for peer in others:
        if peer != institution:
            tell_room(unit, peer, "room.roster", coordination, institution=institution)


def tell_room(unit: Unit, peer: str, kind: str, coordination: Coordination, **more: Any) -> None:
    """Write the intent, unless the same waits already: what it says is read when it goes. Nothing goes before the Matrix room is there."""
    ref: dict[str, Any] = {"room": coordination.id, **more}
    link = unit.links.one(peer=peer)
    if coordination.room is None or link is None:
        return
    if not any(row.kind == kind and row.ref == ref for row in unit.outbox.all(state="ready", link=link.id)):
        intend(unit, peer, kind, **ref)


# ---- theirs


def take_roster(unit: Unit, link: Link, body: wire.RoomRoster) -> None:
    """Keep the roster of another institution. Raises PeerFault with the code of the check that refused it; then nothing changed.

    (1) a room that is open, and theirs to say: to the owner its own, to a guest what the owner carries (2) that institution is in it
    (3) the statement holds (`keys.roster`); whoever is no confirmed peer of ours cannot be verified: its people are expected, never trusted
    (4) its people are its own: of its hub's homeserver, nobody's hub, nobody of ours, on nobody else's roster.
    """
    coordination = unit.coordinations.get(body.room)
    if coordination is None or coordination.state != "open":  # 1
        raise PeerFault("room_unknown", institution=link.peer)
    ours = coordination.owner == unit.me.id
    if body.institution == unit.me.id or link.peer != (body.institution if ours else coordination.owner):
        raise PeerFault("room_not_theirs", institution=link.peer)
    seat = seat_of(unit, coordination.id, body.institution)
    if seat is None:  # 2
        raise PeerFault("room_not_in", institution=body.institution)
    if seat.roster and body.statement == seat.roster:
        return
    manifest = _manifest(unit, body.institution)
    roster = _verified(unit, seat, body, manifest)  # 3
    _check_people(unit, coordination, roster, manifest)  # 4
    users = tuple(member.user for member in roster.members)
    first = bool(users) and seat.state == "invited"
    kept = body.statement if manifest else b""
    unit.seats.put(replace(seat, state="present" if users else seat.state, people=users, number=roster.number, roster=kept))
    note(unit, coordination.id, body.institution, "room.roster", number=roster.number, people=len(users))
    if ours:
        hand_on(unit, coordination, body.institution)
    unit.announce(CoordinationMoved(coordination=coordination.id, what="seat" if first and ours else "changed", institution=body.institution))


def _verified(unit: Unit, seat: Seat, body: wire.RoomRoster, manifest: Manifest | None) -> Roster:
    try:
        if manifest is not None:
            return accept_roster(seat.number, body.statement, manifest, seat.coordination, unit.now)
        roster = read_roster(body.statement)
    except KeysError as error:
        raise PeerFault(error.code, institution=body.institution) from None
    if (roster.institution, roster.room) != (body.institution, seat.coordination):
        raise PeerFault("roster.other", institution=body.institution)
    return roster


def _check_people(unit: Unit, coordination: Coordination, roster: Roster, manifest: Manifest | None) -> None:
    """Nobody can be smuggled in under a roster that is not hers: an officer under the name of a health centre, a hub as a person."""
    home = _home(manifest)
    taken = {person.id for person in unit.staff.all(removed_at=None)} | _hubs(unit)
    for seat in unit.seats.all(institution__not=roster.institution, state__not=OUT):
        taken.update(seat.people)
    for member in roster.members:
        if home is not None and member.user.partition(":")[2] != home:
            raise PeerFault("roster_other_homeserver", institution=roster.institution)
        if member.user in taken:
            raise PeerFault("roster_person_taken", institution=roster.institution)


def _home(manifest: Manifest | None) -> str | None:
    """The homeserver of an institution: each hub stands beside its own people's."""
    return manifest.profile.matrix_user.partition(":")[2] if manifest else None


def _hubs(unit: Unit) -> set[str]:
    return {unit.hand.manifest.profile.matrix_user, *(Manifest.from_bytes(peer.manifest).profile.matrix_user for peer in unit.peers.all())}


def _manifest(unit: Unit, institution: str) -> Manifest | None:
    peer = unit.peers.get(institution)
    return Manifest.from_bytes(peer.manifest) if peer is not None and peer.state == "confirmed" else None


def trusted_guests(unit: Unit) -> dict[tuple[str, str], set[str]]:
    """(user, master key) → the Matrix rooms in which she is believed: what signed rosters of institutions that are in an open room say now.

    Verified again each time: when a stolen signing key leaves a manifest, whatever it signed falls with it.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for coordination in unit.coordinations.all(state="open"):
        for seat in others_in(unit, coordination.id) if coordination.room else ():
            manifest = _manifest(unit, seat.institution)
            roster = kept_roster(seat.roster, manifest) if manifest else None
            for member in roster.members if roster and roster.room == coordination.id else ():
                found.setdefault((member.user, member.master), set()).add(coordination.room or "")
    return found
