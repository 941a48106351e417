"""Carry out the commands about coordination rooms, at the desk and in the direct chat; and the answers by number that they ask for.

Who opens a room, or asks one more institution in, first reads what that would mean for everybody, and confirms by number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hub.actions import coordination as rooms
from hub.actions.common import find_case, open_case_of
from hub.actions.coordination import Proposal, find_room
from hub.actions.coordination_ends import close_room, step_out
from hub.actions.coordination_people import join, leave
from hub.actions.ports import Unit
from hub.actions.rosters import others_in
from hub.actions.shared_view import Shared, share
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.cases import commands as c
from hub.cases.codes import ROOM
from hub.cases.records import Coordination, Question, Referral
from hub.chat import wording as w
from hub.chat.here import Here
from hub.chat.meant import case_code
from hub.chat.options import ask_her, labels
from hub.chat.plain import Block, Line, choices, listing, message, paragraph, strong
from hub.chat.posting import close_questions, numbered
from hub.chat.room_cards import is_case, reasons_for, responsibilities, shown_list, who_sees
from hub.chat.saying import Doers, desk_only, reply, say

OPEN, ADD, JOIN = "room_open", "room_add", "room_join"
_MOST_NAMED = 6


def _meet(unit: Unit, here: Here, command: c.Meet) -> None:
    desk_only(here)
    case = open_case_of(unit, case_code(unit, here, command.case))
    existing = rooms.room_of_case(unit, case)
    if existing is not None and not command.institutions:
        _see(unit, here, existing)
        return
    older = unit.questions.all(room=here.room, asked=here.person.id, state="open", kind=OPEN)
    proposal = rooms.propose(unit, here.person.id, case.id, command.institutions)
    for question in older:
        close_questions(unit, question.ref, (OPEN,))
    question = ask_her(unit, here, OPEN, proposal.coordination.id, ("open", "cancel"), case.code)
    _preview(unit, here, proposal, question, case.code)


def _add(unit: Unit, here: Here, command: c.AddToRoom) -> None:
    desk_only(here)
    room = _room(unit, here, command.room)
    if command.institution is None:
        raise Refused("nobody_to_meet", code=room.code)
    if not is_case(room):
        raise Refused("tables_by_administration", code=room.code)
    proposal = rooms.propose_adding(unit, room, command.institution)
    close_questions(unit, f"{room.id}|{command.institution}", (ADD,))
    question = ask_her(unit, here, ADD, f"{room.id}|{command.institution}", ("add", "cancel"), proposal.shared.case.code)
    _preview(unit, here, proposal, question, room.code)


def _preview(unit: Unit, here: Here, proposal: Proposal, question: Question, code: str) -> None:
    """What everybody would read there, what it costs those who are there already, and what each newcomer keeps from it and why."""
    lang, shared = here.lang, proposal.shared
    names = ", ".join(w.institution(unit, name) for name in (*proposal.institutions, *(n for n in proposal.added if n not in proposal.institutions)))
    head = text(lang, "{code}: reunión de caso con {names}. Todas leerían lo mismo:", code=code, names=names)
    seen = shown_list(unit, shared.shown, lang)
    blocks: list[Block] = [paragraph([strong(head)], text(lang, "En la tarjeta: {fields}.", fields=seen))]
    if proposal.lost:
        lost = text(lang, "Las que ya están dejarían de ver: {fields}. La tarjeta de ahora se borra.", fields=w.field_list(unit, proposal.lost, lang))
        blocks.append(paragraph([strong(lost)]))
    for name in proposal.added:
        rows: list[Line] = reasons_for(unit, shared, name, lang)
        if rows:
            blocks += [paragraph(text(lang, "Por {institution} no se mostraría:", institution=w.institution(unit, name))), listing(rows)]
    foot = text(lang, "Lo que las personas escriban ahí lo leen todas. Responda con el número:")
    blocks += [paragraph(foot), choices(numbered(question, labels(unit, question, lang)))]
    reply(unit, here, message(*blocks), owner=shared.case.id)


def _take_out(unit: Unit, here: Here, command: c.TakeOut) -> None:
    desk_only(here)
    room = _room(unit, here, command.room)
    if not is_case(room):
        raise Refused("tables_by_administration", code=room.code)
    if command.institution is None:
        raise Refused("nobody_to_meet", code=room.code)
    rooms.remove_institution(unit, here.person.id, room, command.institution)
    say(unit, here, mark("{code}: {institution} ya no está en la sala."), code=room.code, institution=w.institution(unit, command.institution))


def _join(unit: Unit, here: Here, command: c.JoinRoom) -> None:
    desk_only(here)
    room = _room(unit, here, command.room)
    join(unit, here.person.id, room)
    close_questions(unit, room.id, (JOIN,))
    say(unit, here, mark("{code}: la invitación a la sala le llega en un momento; acéptela en su chat."), code=room.code)


def _leave(unit: Unit, here: Here, command: c.LeaveRoom) -> None:
    desk_only(here)
    room = _room(unit, here, command.room)
    all_out = leave(unit, here.person.id, room)
    said = mark("{code}: salió usted, y con usted su institución: era la última de aquí.") if all_out else mark("{code}: salió de la sala.")
    say(unit, here, said, code=room.code)


def _who_sees(unit: Unit, here: Here, command: c.WhoSees) -> None:
    desk_only(here)
    _see(unit, here, _room(unit, here, command.room))


def _see(unit: Unit, here: Here, room: Coordination) -> None:
    shared = shared_of(unit, room)
    reply(unit, here, who_sees(unit, room, shared, here.lang), owner=room.case or "hub")
    if shared is not None:
        rows = {name: reasons_for(unit, shared, name, here.lang) for name in shared.rulings}
        for name, lines in rows.items():
            if lines:
                head = text(here.lang, "Por {institution} no se muestra:", institution=w.institution(unit, name))
                reply(unit, here, message(paragraph(head), listing(lines)), owner=room.case or "hub")


def _who_acts(unit: Unit, here: Here, command: c.WhoActs) -> None:
    desk_only(here)
    room = _room(unit, here, command.room)
    shared = shared_of(unit, room)
    if shared is None:
        raise Refused("asked_in_room", code=room.code)
    reply(unit, here, responsibilities(unit, room, shared, here.lang), owner=room.case or "hub")


def _end(unit: Unit, here: Here, command: c.EndMeeting) -> None:
    desk_only(here)
    room = _room(unit, here, command.room)
    if not is_case(room):
        raise Refused("tables_by_administration", code=room.code)
    close_room(unit, here.person.id, room)


def shared_of(unit: Unit, room: Coordination) -> Shared | None:
    """What everybody in a room of ours may see now; None for a table, and for a room of another institution."""
    case = unit.cases.get(room.case or "")
    names = [seat.institution for seat in others_in(unit, room.id)]
    return share(unit, case, names) if case is not None and names else None


def _room(unit: Unit, here: Here, given: str | None) -> Coordination:
    """The room meant: by its code, by the code of its case, else the one of this thread's case or referral."""
    if given and given.startswith(ROOM):
        return find_room(unit, given)
    referral = unit.referrals.get(here.subject or "") or (unit.referrals.one(code=given) if given else None)
    case = referral.case if referral else None
    if case is None and (given or unit.cases.get(here.subject or "")) and referral is None:
        case = find_case(unit, given or here.subject).id
    return find_room(unit, _only(unit, _meant(unit, case, referral, anywhere=not given and here.subject is None)).id)


def _meant(unit: Unit, case: str | None, referral: Referral | None, *, anywhere: bool) -> list[Coordination]:
    """The open rooms that it could be: of the case; else those that a referral takes part in; with nothing said, all of them."""
    found = list(unit.coordinations.all(case=case, state="open", order="made_at")) if case else []
    if not found and referral is not None:
        seats = [seat for seat in unit.seats.all(institution=unit.me.id, state__not="out") if referral.id in seat.referrals]
        rooms_of = {seat.coordination: unit.coordinations.get(seat.coordination) for seat in seats}
        found = [room for room in rooms_of.values() if room is not None]
    return found or (list(unit.coordinations.all(state="open", order="made_at")) if anywhere else [])


def _only(unit: Unit, rooms_meant: Sequence[Coordination]) -> Coordination:
    """The one; with several nothing is guessed: they are named, and one is asked for."""
    if not rooms_meant:
        raise Refused("no_room_code")
    if len(rooms_meant) > 1:
        raise Refused("which_room", rooms=", ".join(f"{room.code} ({_told(unit, room)})" for room in rooms_meant[:_MOST_NAMED]))
    return rooms_meant[0]


def _told(unit: Unit, room: Coordination) -> str:
    case = unit.cases.get(room.case or "")
    return room.label or (case.code if case else w.institution(unit, room.owner))


# ---- by number


def _opened(unit: Unit, here: Here, question: Question, option: str) -> None:
    close_questions(unit, question.ref, (OPEN,))
    if option == "cancel":
        rooms.drop_proposal(unit, question.ref)
        say(unit, here, mark("{code}: no se abrió ninguna sala. No salió nada."), code=question.code)
        return
    room = rooms.open_room(unit, here.person.id, question.ref)
    said = mark("{code}: sala {room} abierta. La invitación le llega en un momento; acéptela en su chat. Las demás instituciones ya están invitadas.")
    say(unit, here, said, code=question.code, room=room.code)


def _added(unit: Unit, here: Here, question: Question, option: str) -> None:
    close_questions(unit, question.ref, (ADD,))
    room_id, _, institution = question.ref.partition("|")
    room = find_room(unit, room_id)
    if option == "cancel":
        say(unit, here, mark("{code}: la sala sigue como estaba."), code=room.code)
        return
    rooms.add_institution(unit, here.person.id, room, institution)
    say(unit, here, mark("{code}: {institution} está invitada."), code=room.code, institution=w.institution(unit, institution))


def _joined(unit: Unit, here: Here, question: Question, option: str) -> None:
    room = find_room(unit, question.ref)
    close_questions(unit, room.id, (JOIN,))
    if option == "decline":
        step_out(unit, room)
        say(unit, here, mark("{code}: no participamos. Ya se avisó a {institution}."), code=room.code, institution=w.institution(unit, room.owner))
        return
    join(unit, here.person.id, room)
    said = mark("{code}: participa usted. La invitación le llega en un momento; acéptela en su chat. Una colega entra con «entrar {code}».")
    say(unit, here, said, code=room.code)


CHOSEN: Mapping[str, Callable[[Unit, Here, Question, str], None]] = {OPEN: _opened, ADD: _added, JOIN: _joined}
DOERS: Doers = {
    c.Meet: _meet,
    c.AddToRoom: _add,
    c.TakeOut: _take_out,
    c.JoinRoom: _join,
    c.LeaveRoom: _leave,
    c.WhoSees: _who_sees,
    c.WhoActs: _who_acts,
    c.EndMeeting: _end,
}
