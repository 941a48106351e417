"""The card of a coordination room: what everybody who is there may see, cut anew whenever something about the case changes (R47, R49, R62).

Who may not be there any more is put out first. Where something is shown less than before, what stood there dies whole.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from hub.actions.common import SYSTEM, note, remind
from hub.actions.coordination_ends import close_room, put_out
from hub.actions.erase import shred
from hub.actions.own_house import without_named
from hub.actions.ports import Unit
from hub.actions.rosters import OUT, others_in, restate, seat_of, tell_room
from hub.actions.shared_view import Shared, share
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.events import CoordinationMoved
from hub.cases.records import CASE, Case, Coordination
from policies.together import narrower

LOOK = "coordination"
LOOK_EVERY = timedelta(minutes=10)
"""What changes without anybody saying so (a protocol's dates, a consent's end) is noticed within this."""


def reconsider_case(unit: Unit, case: str) -> None:
    """Something about a case changed: its room is looked at again."""
    for room in unit.coordinations.all(case=case, state="open", owner=unit.me.id):
        reconsider(unit, room)


def look_again(unit: Unit, room: str) -> None:
    """The timer: what changed without anybody saying so."""
    found = unit.coordinations.get(room)
    if found is not None and found.state == "open":
        remind(unit, LOOK, found.id, unit.now + LOOK_EVERY)
        mine = seat_of(unit, room, unit.me.id)
        if mine is not None:
            restate(unit, found, mine)
        reconsider(unit, found)


def reconsider(unit: Unit, room: Coordination) -> None:
    """Who may not be in the room any more is put out; then the card is cut to what everybody who is left may see. Nothing for a table."""
    found = unit.coordinations.get(room.id)
    case = unit.cases.get(found.case or "") if found else None
    if found is None or found.state != "open" or found.owner != unit.me.id or case is None:
        return
    if case.state != "open":
        close_room(unit, SYSTEM, found)
        return
    _without_his(unit, found, case)
    for seat in others_in(unit, found.id):
        try:
            share(unit, case, [seat.institution])
        except Refused as refused:  # the doubt counts against it: no ruling, no seat
            put_out(unit, found, seat, refused.code)
    found = unit.coordinations.get(room.id) or found
    names = [seat.institution for seat in others_in(unit, found.id)]
    if not names:
        _redraw(unit, found, None)
        close_room(unit, SYSTEM, unit.coordinations.get(found.id) or found)
        return
    _redraw(unit, found, share(unit, case, names))


def _without_his(unit: Unit, room: Coordination, case: Case) -> None:
    """Whoever of ours bears the aggressor's name sits in no room about her; where nobody is left, its lead does."""
    mine = seat_of(unit, room.id, unit.me.id)
    if mine is not None and (left := without_named(unit, case, mine.people)) != mine.people:
        restate(unit, room, replace(mine, people=left or without_named(unit, case, (case.lead,))))
        unit.announce(CoordinationMoved(coordination=room.id, what="person"))


def _redraw(unit: Unit, room: Coordination, shared: Shared | None) -> None:
    """Cut the card anew. Where something is shown less than before, what stood there dies whole: an edit would leave it in the history."""
    shown = shared.shown if shared else {}
    gone = narrower(room.shown, shown)
    drawn = _digest(unit, room, shared) if shared else ""
    if gone and room.card:
        shred(unit, room.card, "narrowed")
    if shared is None or (drawn == room.drawn and not gone):
        return
    card = room.card if room.card and not gone else new_id("crd")
    unit.vault.create(card)
    unit.coordinations.put(
        replace(room, card=card, shown=shown, drawn=drawn, purposes=purposes(shared), protocols=protocols(shared))
    )
    if shown != room.shown:
        note(unit, shared.case.id, SYSTEM, "room.card", room=room.code, fields=sorted(shown), institutions=sorted(shared.rulings))
        tell_all(unit, room)
    unit.announce(CoordinationMoved(coordination=room.id, what="card", fields=tuple(sorted(gone))))


def _digest(unit: Unit, room: Coordination, shared: Shared) -> str:
    """What is on the card and in the table of responsibilities, as nobody can read it."""
    preview = shared.preview(unit)
    lines = [(line.field, line.outcome.word, line.value) for line in (*preview.seen, *preview.generalised, *preview.presence)]
    moved = [(r.id, r.state.value) for found in shared.referrals.values() for r in found]
    seats = [(seat.institution, seat.state, seat.people) for seat in unit.seats.all(coordination=room.id, state__not=OUT, order="id")]
    when = shared.case.next_contact_at.isoformat()
    return unit.vault.alias(json.dumps([lines, moved, seats, shared.case.lead, when]))


def greet(unit: Unit, room: str, joined: tuple[str, ...]) -> None:
    """These have joined the Matrix room. Who came after the card was put cannot see it: it is put anew, and the old one goes."""
    found = unit.coordinations.get(room)
    if found is None or found.state != "open" or set(joined) == set(found.greeted):
        return
    newcomers = set(joined) - set(found.greeted)
    found = replace(found, greeted=tuple(sorted(joined)))
    unit.coordinations.put(found)
    if newcomers and found.sort == CASE:
        if found.card and found.drawn:
            shred(unit, found.card, "greeted")
        unit.coordinations.put(replace(found, card="", drawn="", shown={}))
        reconsider(unit, found)


def tell_all(unit: Unit, room: Coordination) -> None:
    """Every institution that is there, or asked in, hears what the room is now."""
    for seat in others_in(unit, room.id):
        tell_room(unit, seat.institution, "room.invite", room)


def purposes(shared: Shared) -> tuple[str, ...]:
    """The purposes that the card serves."""
    return tuple(sorted({ruling.purpose for found in shared.rulings.values() for ruling in found}))


def protocols(shared: Shared) -> tuple[str, ...]:
    """The protocols, with their versions, that decided it."""
    return tuple(sorted({f"{ruling.protocol.id} {ruling.protocol.version}" for found in shared.rulings.values() for ruling in found}))
