"""Coordination rooms as their owner opens and widens them: proposed → open, who is asked in, who must go (design §3, R47, R49, R62).

The owner's hub alone builds the membership. Whatever changes about the case (consent, protocol, referral, the aggressor's affiliation) leads to
`coordination_card.reconsider`. A table carries no case data by construction: it has no case, and nothing here reads one for it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from hub.actions.common import find_case, note, open_case_of, remind
from hub.actions.coordination_card import LOOK, LOOK_EVERY, protocols, purposes, reconsider, tell_all
from hub.actions.coordination_ends import owned, put_out
from hub.actions.ports import Unit
from hub.actions.rosters import OUT, fit, others_in, restate, seat_id, seat_of, tell_room
from hub.actions.shared_view import Shared, share
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.codes import new_code
from hub.cases.events import CoordinationMoved
from hub.cases.records import CASE, TABLE, Case, Coordination, Seat
from policies.together import narrower

MOST_INSTITUTIONS = 12
MOST_LABEL = 60


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a room, or one more institution in it, would mean: shown before it is confirmed. `shared` is the card as it would become for all."""

    coordination: Coordination
    institutions: tuple[str, ...]
    added: tuple[str, ...]
    shared: Shared
    lost: tuple[str, ...]
    """The fields that those who are there already would not see any more."""


def find_room(unit: Unit, code: str | None) -> Coordination:
    """The living coordination room with this code or id. Raises Refused `no_room_code`, `unknown_room`, `room_closed`."""
    if not code:
        raise Refused("no_room_code")
    found = unit.coordinations.get(code) or unit.coordinations.one(code=code)
    if found is None or found.state == "proposed":
        raise Refused("unknown_room", code=code[:12])
    if found.state != "open":
        raise Refused("room_closed", code=found.code)
    return found


def room_of_case(unit: Unit, case: Case) -> Coordination | None:
    """The open room about a case: there is one at most, so that nobody is told a thing in one that is withheld in the other."""
    return unit.coordinations.one(case=case.id, state="open")


# ---- opening


def propose(unit: Unit, by: str, case_code: str | None, institutions: tuple[str, ...]) -> Proposal:
    """A room about a case with these institutions, before anybody is asked in. Nothing leaves.

    Raises Refused `nobody_to_meet`, `room_exists`, `too_many_institutions`, and as `shared_view.entitled`.
    """
    case = open_case_of(unit, case_code)
    names = tuple(dict.fromkeys(name for name in institutions if name != unit.me.id))
    if not names:
        raise Refused("nobody_to_meet", code=case.code)
    if len(names) > MOST_INSTITUTIONS:
        raise Refused("too_many_institutions", limit=MOST_INSTITUTIONS)
    if existing := room_of_case(unit, case):
        raise Refused("room_exists", code=case.code, room=existing.code)
    shared = share(unit, case, list(names))
    for older in unit.coordinations.all(case=case.id, by=by, state="proposed"):
        drop_proposal(unit, older.id)
    made = _made(unit, by, CASE, case=case.id)
    unit.coordinations.add(made)
    for name in names:
        unit.seats.add(_seat(unit, made, name))
    return Proposal(coordination=made, institutions=names, added=names, shared=shared, lost=())


def drop_proposal(unit: Unit, room: str) -> None:
    """Forget a proposal that was not confirmed."""
    found = unit.coordinations.get(room)
    if found is not None and found.state == "proposed":
        for seat in unit.seats.all(coordination=room):
            unit.seats.delete(seat.id)
        unit.coordinations.delete(room)


def open_room(unit: Unit, by: str, room: str) -> Coordination:
    """Confirm a proposal: everything is decided again, our roster begins with whoever opened it. Raises as `propose`, and `draft_gone`."""
    found = unit.coordinations.get(room)
    if found is None or found.state != "proposed":
        raise Refused("draft_gone")
    case = open_case_of(unit, found.case)
    if existing := room_of_case(unit, case):
        raise Refused("room_exists", code=case.code, room=existing.code)
    shared = share(unit, case, [seat.institution for seat in others_in(unit, room)])
    for name, referrals in shared.referrals.items():
        if seat := seat_of(unit, room, name):
            unit.seats.put(replace(seat, referrals=tuple(r.id for r in referrals)))
    found = replace(found, purposes=purposes(shared), protocols=protocols(shared))
    found = _begin(unit, by, found)
    note(unit, case.id, by, "room.opened", room=found.code, institutions=sorted(shared.rulings))
    reconsider(unit, found)
    return found


def open_table(unit: Unit, by: str, label: str, institutions: tuple[str, ...]) -> Coordination:
    """A table: a territory's or a network's standing room, without case data (R112). Administrators open it.

    Raises Refused `bad_label`, `nobody_to_meet`, `too_many_institutions`, `unknown_institution`.
    """
    plain = " ".join(label.split())
    names = tuple(dict.fromkeys(name for name in institutions if name != unit.me.id))
    if not plain or len(plain) > MOST_LABEL or not plain.isprintable():
        raise Refused("bad_label", limit=MOST_LABEL)
    if not names:
        raise Refused("nobody_to_meet", code="")
    if len(names) > MOST_INSTITUTIONS:
        raise Refused("too_many_institutions", limit=MOST_INSTITUTIONS)
    for name in names:
        _known(unit, name)
    made = replace(_made(unit, by, TABLE), label=plain)
    unit.coordinations.add(made)
    for name in names:
        unit.seats.add(_seat(unit, made, name))
    note(unit, made.id, by, "room.opened", room=made.code, institutions=sorted(names))
    return _begin(unit, by if unit.staff.get(by) else "", made)


def _made(unit: Unit, by: str, sort: str, case: str | None = None) -> Coordination:
    while unit.coordinations.count(code=(code := new_code("S", secrets.randbelow))):
        pass
    return Coordination(id=new_id("coo"), code=code, sort=sort, owner=unit.me.id, case=case, state="proposed", by=by, made_at=unit.now)


def _seat(unit: Unit, room: Coordination, institution: str) -> Seat:
    return Seat(id=seat_id(room.id, institution), coordination=room.id, institution=institution, state="invited", at=unit.now)


def _begin(unit: Unit, by: str, found: Coordination) -> Coordination:
    found = replace(found, state="open", opened_at=unit.now)
    unit.coordinations.put(found)
    mine = replace(_seat(unit, found, unit.me.id), state="present", people=(by,) if fit(unit.staff.get(by)) else ())
    unit.seats.add(mine)
    restate(unit, found, mine)
    remind(unit, LOOK, found.id, unit.now + LOOK_EVERY)
    unit.announce(CoordinationMoved(coordination=found.id, what="opened", user=by))
    return found


def _known(unit: Unit, institution: str) -> None:
    peer = unit.peers.get(institution)
    if peer is None or peer.state != "confirmed":
        raise Refused("unknown_institution", institution=institution[:60])


def room_made(unit: Unit, room: str, matrix: str) -> None:
    """The Matrix room is there: whoever was asked in hears of it now, with our roster."""
    found = unit.coordinations.get(room)
    if found is None or found.owner != unit.me.id or found.state != "open":
        return
    found = replace(found, room=matrix, greeted=())
    unit.coordinations.put(found)
    for seat in others_in(unit, room):
        _invite(unit, found, seat.institution)


def _invite(unit: Unit, found: Coordination, institution: str) -> None:
    tell_room(unit, institution, "room.invite", found)
    for seat in unit.seats.all(coordination=found.id, state__not=OUT, order="id"):
        if seat.institution != institution and seat.roster:
            tell_room(unit, institution, "room.roster", found, institution=seat.institution)


# ---- more, or fewer


def propose_adding(unit: Unit, room: Coordination, institution: str) -> Proposal:
    """What one more institution would mean for all. Nothing changes. Raises Refused `not_owner`, `already_there`, and as `shared_view.entitled`."""
    owned(unit, room)
    if institution == unit.me.id or seat_of(unit, room.id, institution):
        raise Refused("already_there", institution=institution, code=room.code)
    names = [seat.institution for seat in others_in(unit, room.id)]
    if len(names) >= MOST_INSTITUTIONS:
        raise Refused("too_many_institutions", limit=MOST_INSTITUTIONS)
    case = find_case(unit, room.case)
    before, after = share(unit, case, names), share(unit, case, [*names, institution])
    lost = narrower(before.shown, after.shown)
    return Proposal(coordination=room, institutions=tuple(names), added=(institution,), shared=after, lost=tuple(sorted(lost)))


def add_institution(unit: Unit, by: str, room: Coordination, institution: str) -> None:
    """Ask one more institution in. In a room about a case everything is decided again, and the card is cut before anything goes there."""
    owned(unit, room)
    if room.sort == CASE:
        propose_adding(unit, room, institution)
    elif institution == unit.me.id or seat_of(unit, room.id, institution):
        raise Refused("already_there", institution=institution, code=room.code)
    _known(unit, institution)
    seat = _seat(unit, room, institution)
    old = unit.seats.get(seat.id)
    (unit.seats.put if old else unit.seats.add)(replace(seat, number=old.number) if old else seat)
    note(unit, room.case or room.id, by, "room.added", room=room.code, institution=institution)
    if room.sort == CASE:
        reconsider(unit, room)
    tell_all(unit, room)
    _invite(unit, room, institution)
    unit.announce(CoordinationMoved(coordination=room.id, what="asked", institution=institution))


def remove_institution(unit: Unit, by: str, room: Coordination, institution: str) -> None:
    """Put one institution out. Raises Refused `not_owner`, `not_there`."""
    owned(unit, room)
    seat = seat_of(unit, room.id, institution) if institution != unit.me.id else None
    if seat is None:
        raise Refused("not_there", institution=institution, code=room.code)
    note(unit, room.case or room.id, by, "room.removed", room=room.code, institution=institution)
    put_out(unit, room, seat, "removed")
    reconsider(unit, room)
