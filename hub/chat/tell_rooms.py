"""What people read when something about a coordination room moves: the card in the room, a line at the desk, a brief for whoever comes in."""

from __future__ import annotations

from collections.abc import Callable

from hub.actions.common import living_referrals
from hub.actions.coordination_card import reconsider_case
from hub.actions.hear_coordination import purpose_of
from hub.actions.ports import Unit
from hub.actions.rosters import seats_in
from hub.actions.show_value import held_fields
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.cases import events as e
from hub.cases.records import Coordination, Referral
from hub.chat import wording as w
from hub.chat.cards import case_key, referral_key
from hub.chat.do_rooms import JOIN, shared_of
from hub.chat.options import labels
from hub.chat.plain import Line, choices, message, paragraph, strong
from hub.chat.posting import Place, ask, close_questions, has_post, numbered, put, room_of
from hub.chat.room_cards import RETIRED, acts_key, is_case, responsibilities, room_card, room_title, shown_list

DESK = "desk"
WHY_OUT = {
    "conflict_of_interest": mark("el agresor pertenece a ese sector, y esta regla no tiene excepción"),
    "no_shared_referral": mark("ya no tiene una derivación aceptada de este caso"),
    "left": mark("se retiró ella misma"),
    "removed": mark("se la sacó de la sala"),
}


def tell_room_moved(unit: Unit, event: e.CoordinationMoved) -> None:
    """Queue every post that the event asks for."""
    room = unit.coordinations.get(event.coordination)
    teller = _TELLERS.get(event.what)
    if room is not None and teller is not None:
        teller(unit, room, event)


def case_moved(unit: Unit, case: str | None) -> None:
    """Anything about a case may change what its room may show."""
    if case:
        reconsider_case(unit, case)


def _line(unit: Unit, room: Coordination, msgid: str, ring: tuple[str, ...] = (), **params: object) -> None:
    """One line where this institution works on it: the case's thread, the referral's, or the admin room for a table."""
    said = text(unit.me.language, msgid, room=room_title(unit, room, unit.me.language), **params)
    put(unit, _thread(unit, room), message(paragraph(said)), ring=ring)


def _thread(unit: Unit, room: Coordination) -> Place:
    if not is_case(room):
        return Place(purpose="admin")
    referral = _referral(unit, room)
    return Place(purpose=DESK, thread=case_key(room.case) if room.case else referral_key(referral.id) if referral else None)


def _referral(unit: Unit, room: Coordination) -> Referral | None:
    """Ours, that a room of another institution is about."""
    seats = unit.seats.all(coordination=room.id, institution=unit.me.id)
    return next((found for seat in seats for name in seat.referrals if (found := unit.referrals.get(name))), None)


def _card(unit: Unit, room: Coordination, event: e.CoordinationMoved) -> None:
    try:
        shared = shared_of(unit, room)
    except Refused:
        return  # decided again in this very unit, with whoever may not be there put out
    if shared is None or not room.card:
        return
    place, lang = Place(purpose=purpose_of(room.id)), unit.me.language
    drawings = ((f"room:card:{room.card}", room_card(unit, room, shared, lang)), (acts_key(room.card), responsibilities(unit, room, shared, lang)))
    for name, drawn in drawings:
        if has_post(unit, name):
            put(unit, place, drawn, edits=name, owner=room.card)
        else:
            put(unit, place, drawn, key=name, owner=room.card)
    if event.fields:
        gone = w.field_list(unit, event.fields, lang)
        put(unit, place, message(paragraph(text(lang, RETIRED, code=room.code, fields=gone))), owner=room.card)


def _invited(unit: Unit, room: Coordination, event: e.CoordinationMoved) -> None:
    lang, owner = unit.me.language, w.institution(unit, room.owner)
    names = ", ".join(w.institution(unit, seat.institution) for seat in seats_in(unit, room.id) if seat.institution != unit.me.id)
    if not is_case(room):
        said = mark("{institution} invita a la mesa {room}. Presentes: {names}. Para que alguien participe: «tinkuy tables add {code} @cuenta».")
        _line(unit, room, said, institution=owner, names=names, code=room.code)
        return
    referral = _referral(unit, room)
    question = ask(unit, room_of(unit, DESK), JOIN, room.id, ("join", "decline"), referral.code if referral else room.code)
    head = text(
        lang, "{institution} invita a una reunión de caso ({room}) por {code}. Presentes: {names}.", institution=owner, room=room.code,
        code=referral.code if referral else "", names=names,
    )  # fmt: skip
    shown = text(lang, "Todas leen ahí: {fields}.", fields=shown_list(unit, room.shown, lang))
    ring = (referral.by,) if referral and referral.by and referral.by != "hub" else ()
    asked = text(lang, "¿Participa usted? Responda con el número:")
    body = message(paragraph([strong(head)], shown), paragraph(asked), choices(numbered(question, labels(unit, question, lang))))
    put(unit, _thread(unit, room), body, ring=ring)


def _seat(unit: Unit, room: Coordination, event: e.CoordinationMoved) -> None:
    _line(unit, room, mark("{room}: {institution} entró a la sala."), institution=w.institution(unit, event.institution))
    case_moved(unit, room.case)


def _out(unit: Unit, room: Coordination, event: e.CoordinationMoved) -> None:
    seat = next((s for s in unit.seats.all(coordination=room.id, institution=event.institution)), None)
    why = text(unit.me.language, WHY_OUT.get(seat.why if seat else "", mark("el protocolo o su permiso ya no lo dejan")))
    _line(unit, room, mark("{room}: {institution} ya no está en la sala: {why}."), institution=w.institution(unit, event.institution), why=why)


def _ours(unit: Unit, room: Coordination, event: e.CoordinationMoved) -> None:
    close_questions(unit, room.id, (JOIN,))
    _line(unit, room, mark("{room}: la sala terminó para su institución."))


def _opened(unit: Unit, room: Coordination, event: e.CoordinationMoved) -> None:
    """Whoever begins it gets the same brief; in a table the first thing that stands there is what is not for it."""
    if event.user:
        _person(unit, room, event)
    if not is_case(room):
        lang = unit.me.language
        said = text(lang, "Esta sala es una mesa: coordina servicios y territorio. Aquí no se escriben datos de ninguna persona.")
        put(unit, Place(purpose=purpose_of(room.id)), message(paragraph([strong(room_title(unit, room, lang))], said)))


def _closed(unit: Unit, room: Coordination, event: e.CoordinationMoved) -> None:
    _line(unit, room, mark("{room}: sala cerrada. La tarjeta se borró; las personas y los demás hubs salen de ella."))


def _person(unit: Unit, room: Coordination, event: e.CoordinationMoved) -> None:
    """Whoever comes late gets no history but a brief: what it is about, who is there, what is next, what her institution may see (idea 20)."""
    person = unit.staff.get(event.user)
    if person is None:
        return
    lang = person.language
    names = ", ".join(w.institution(unit, seat.institution) for seat in seats_in(unit, room.id))
    lines: list[Line] = [[strong(room_title(unit, room, lang))], text(lang, "Presentes: {names}", names=names)]
    if is_case(room):
        lines += _case_lines(unit, room, lang) if room.case else _referral_lines(unit, room, lang)
        lines.append(text(lang, "Todas leen ahí: {fields}.", fields=shown_list(unit, room.shown, lang)))
    else:
        lines.append(text(lang, "Es una mesa: ahí no se escriben datos de ninguna persona."))
    lines.append(text(lang, "Lo dicho antes de que usted entrara no se ve. En la sala: «!tk quién ve», «!tk responsables»."))
    put(unit, Place(purpose=f"direct:{person.id}"), message(paragraph(*lines)), owner=room.case or "hub")


def _case_lines(unit: Unit, room: Coordination, lang: str) -> list[Line]:
    case = unit.cases.get(room.case or "")
    if case is None:
        return []
    next_ = text(lang, "{code}: próximo contacto {when}", code=case.code, when=w.moment(unit, lang, case.next_contact_at))
    here = {seat.institution for seat in seats_in(unit, room.id)}
    found = [r for r in living_referrals(unit, case.id) if r.peer in here and r.ended_at is None]
    return [next_, *(f"{r.code} → {w.institution(unit, r.peer)} · {w.state(lang, r)}" for r in found)]


def _referral_lines(unit: Unit, room: Coordination, lang: str) -> list[Line]:
    referral = _referral(unit, room)
    if referral is None:
        return []
    need = w.low(w.term(unit, "needs", referral.need, lang))
    held = w.field_list(unit, held_fields(unit, referral.id), lang) or text(lang, "nada todavía")
    return [f"{referral.code} · {need} · {w.state(lang, referral)}", text(lang, "Su institución tiene de ella: {fields}", fields=held)]


_TELLERS: dict[str, Callable[[Unit, Coordination, e.CoordinationMoved], None]] = {
    "card": _card,
    "invited": _invited,
    "seat": _seat,
    "out": _out,
    "ours": _ours,
    "closed": _closed,
    "opened": _opened,
    "person": _person,
}

