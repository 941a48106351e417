"""What the hub hears in a coordination room: nothing but what is addressed to it outright, and there it shows no value that the card does not.

People talk freely there. The owner's hub answers about the room (who sees, who does what); everything else a person asks of her own hub, which
tells her kindly where. So of several hubs exactly one answers, and none is commanded by another institution's people.
"""

from __future__ import annotations

from hub.actions import guard
from hub.actions.ports import Unit
from hub.actions.rosters import fit, seat_of, seats_in
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.cases import commands as c
from hub.cases.records import Coordination, Handled, Room
from hub.chat import address, grammar, guarding
from hub.chat import wording as w
from hub.chat.do_rooms import shared_of
from hub.chat.heard import Heard
from hub.chat.plain import Message, message, paragraph
from hub.chat.posting import Place, put
from hub.chat.room_cards import responsibilities, room_title, who_sees

PREFIX = "coordination:"
VALUES = (c.Show, c.WhoKnows)


def hear_in_room(unit: Unit, heard: Heard, place: Room, own_user: str) -> bool:
    """Answer, or leave it alone. Returns whether it was for us."""
    unit.handled.add(Handled(id=heard.event, at=unit.now))
    room = unit.coordinations.get(place.purpose.removeprefix(PREFIX))
    if room is None or room.state != "open" or heard.type != "m.room.message":
        return False
    _advise(unit, room, place, heard)
    if heard.edits is not None:
        return False
    found = address.addressed(heard.content, sender=heard.sender, own_user=own_user, own_names=("Tinkuy",))
    if found is None or not _outright(heard, found) or not _takes_part(unit, room, heard.sender):
        return False
    lang = unit.me.language
    command = grammar.parse(found.text, w.context(unit, lang))
    said = _answer(unit, room, command, lang, ours=unit.staff.get(heard.sender) is not None)
    if said is None:
        return False
    put(unit, Place(purpose=place.purpose, thread=heard.thread, reply=None if heard.thread else heard.event), said, owner=room.card or "hub")
    return True


def _advise(unit: Unit, room: Coordination, place: Room, heard: Heard) -> None:
    """What our own people write here is read by every institution present: the language guard helps them, and only them."""
    said = guarding.words_of(heard.content, replied=heard.reply is not None)
    mine = seat_of(unit, room.id, unit.me.id)
    if said is None or unit.staff.get(heard.sender) is None or mine is None:
        return
    subject = room.case or next(iter(mine.referrals), None)
    here = guard.Room(id=heard.room, purpose=place.purpose, subject=subject)
    present = [seat.institution for seat in seats_in(unit, room.id)]
    ours_to_redact = heard.event if room.owner == unit.me.id else None
    guarding.watch(unit, here, present, said, by=heard.sender, event=ours_to_redact)


def _outright(heard: Heard, found: address.Addressed) -> bool:
    """Only «!tk …» or a mention: what at the desk would be a command by itself may here be meant for a colleague."""
    body = heard.content.get("body")
    return found.how == "mention" or (isinstance(body, str) and address.PREFIX.match(address.without_quotes(body).strip()) is not None)


def _takes_part(unit: Unit, room: Coordination, user: str) -> bool:
    """On a roster that stands: our own people, or those of an institution whose signed word we hold."""
    if unit.staff.get(user) is not None:
        mine = seat_of(unit, room.id, unit.me.id)
        return mine is not None and user in mine.people and fit(unit.staff.get(user))
    return any(seat.roster and user in seat.people for seat in unit.seats.all(coordination=room.id, state="present"))


def _answer(unit: Unit, room: Coordination, command: c.Command, lang: str, *, ours: bool) -> Message | None:
    owned = room.owner == unit.me.id
    if isinstance(command, c.WhoSees | c.WhoActs | c.Help):
        return _about(unit, room, command, lang) if owned else None
    if not ours:
        return None
    said = mark("Aquí leen también otras instituciones, así que no muestro eso. Escríbamelo en nuestro chat directo y se lo muestro ahí.")
    if not isinstance(command, VALUES):
        said = mark("Aquí leen también otras instituciones: esa orden va en la sala de su institución o en nuestro chat directo. No hice nada.")
    return message(paragraph(text(lang, said)))


def _about(unit: Unit, room: Coordination, command: c.Command, lang: str) -> Message:
    if isinstance(command, c.Help):
        said = mark("Aquí hablan las personas. Yo respondo a dos cosas: «!tk quién ve» y «!tk responsables». Lo demás, en su chat directo.")
        return message(paragraph(room_title(unit, room, lang), text(lang, said)))
    try:
        shared = shared_of(unit, room)
    except Refused:  # somebody may not be there any more: it is put out with the next change, and until then nothing is shown
        return message(paragraph(text(lang, "Ahora no puedo mostrarlo: la sala está cambiando. Pregunte en un momento.")))
    if isinstance(command, c.WhoSees):
        return who_sees(unit, room, shared, lang)
    if shared is None:
        return message(paragraph(text(lang, "Esta sala es una mesa: no lleva casos, así que no hay nada repartido.")))
    return responsibilities(unit, room, shared, lang)
