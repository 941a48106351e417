"""Carry out the commands about her case at home: note, follow up, who knows what, take back, show, close."""

from __future__ import annotations

from datetime import timedelta

from hub.actions import close_case, open_case, plan_check_in, show_value, who_knows, withdraw
from hub.actions.common import find_case, find_referral, open_case_of, remind
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.base.ids import new_id
from hub.cases import commands as c
from hub.cases.lifecycle import Side
from hub.cases.records import Undoable
from hub.chat import blind, overviews, views
from hub.chat import wording as w
from hub.chat.choose import close_confirmations, close_now, take_back
from hub.chat.here import Here
from hub.chat.meant import case_code
from hub.chat.options import offer_choice, offer_days
from hub.chat.plain import message, paragraph
from hub.chat.posting import Place, close_questions, put
from hub.chat.saying import Doers, desk_only, given, reply, say


def _set(unit: Unit, here: Here, command: c.SetField) -> None:
    desk_only(here)
    before = open_case_of(unit, case_code(unit, here, command.case))
    case = open_case.set_field(unit, here.person.id, before.id, command.field, command.value)
    label, now = w.field_label(unit, command.field, here.lang), find_case(unit, case.id)
    if now.next_contact_at != before.next_contact_at:
        moved = mark("Anotado en {code}: {field}. El próximo contacto pasa a su horario seguro: {when}. Si no es así, «control {code} …».")
        say(unit, here, moved, code=case.code, field=label, when=w.moment(unit, here.lang, now.next_contact_at))
        return
    noted = text(here.lang, "Anotado en {code}: {field}.", code=case.code, field=label)
    warning = [text(here.lang, blind.WARNING)] if blind.once_noted(unit, now, command.field) else []
    reply(unit, here, message(paragraph(noted, *warning)))


def _check_in(unit: Unit, here: Here, command: c.PlanCheckIn) -> None:
    desk_only(here)
    if command.when is None:
        case = open_case_of(unit, case_code(unit, here, command.case))
        offer_days(unit, here, case.id, case.code)
        return
    checkin = plan_check_in.plan_check_in(unit, here.person.id, case_code(unit, here, command.case), command.when.at)
    until = unit.now + timedelta(seconds=unit.rules.undo_seconds)
    unit.undoables.add(Undoable(id=new_id("und"), user=here.person.id, room=here.room, kind="check_in", ref=checkin.id, until=until))
    case = find_case(unit, checkin.case)
    said = mark("Entendido: aviso de seguimiento de {code} el {when}.")
    if checkin.due_at != command.when.at:
        said = mark("Entendido: aviso de seguimiento de {code} el {when}, dentro de su horario seguro.")
    say(unit, here, said, code=case.code, when=w.moment(unit, here.lang, checkin.due_at))


def _who_knows(unit: Unit, here: Here, command: c.WhoKnows) -> None:
    desk_only(here)
    known = who_knows.who_knows(unit, here.person.id, case_code(unit, here, command.case))
    if command.for_her:
        put(unit, Place(purpose=here.direct.purpose), overviews.sheet(unit, here.lang, known), owner=known.case.id)
        _left(unit, here, overviews.kept(known))
        return
    for part in overviews.knowledge(unit, here.lang, known):
        reply(unit, here, part)


def _left(unit: Unit, here: Here, kept: list[str]) -> None:
    """Where the sheet is, and with whom to see whether she gets it. While a law obliges somebody to keep something, it is not simply handed over."""
    if kept:
        said = mark(
            "Está en su chat directo. Una ley obliga a {names} a conservar algo aunque ella lo retire: vea primero con supervisión cómo y cuándo "
            "hablarlo con ella."
        )
        say(unit, here, said, names=", ".join(w.institution(unit, peer) for peer in kept))
    elif not here.purpose.startswith("direct:"):
        said = mark("Se lo dejo en nuestro chat directo, en palabras para ella, sin códigos ni su nombre. Vea con ella si es seguro llevárselo.")
        say(unit, here, said)


def _withdraw(unit: Unit, here: Here, command: c.Withdraw) -> None:
    desk_only(here)
    code = case_code(unit, here, command.case)
    if code is None and here.subject and (theirs := unit.referrals.get(here.subject)):
        raise Refused("not_ours_to_withdraw", institution=theirs.peer, code=theirs.code)
    if code and code.startswith("R-"):
        mine = find_referral(unit, code)
        if mine.side is not Side.SENDER:
            raise Refused("not_ours_to_withdraw", institution=mine.peer, code=mine.code)
        if not command.fields:
            take_back(unit, here, mine)
            return
        code = mine.case
    fields = w.expand(unit, command.fields, (), ())
    stops = withdraw.preview_withdrawal(unit, code, command.recipient, fields)
    close_questions(unit, views.withdrawal_ref(stops, command.recipient), views.WITHDRAWAL)
    reply(unit, here, views.withdrawal(unit, here, stops, command.recipient))


def _show(unit: Unit, here: Here, command: c.Show) -> None:
    code = command.code or here.subject
    try:
        found = show_value.show_values(unit, here.person.id, code, command.field, command.reason)
    except Refused as refused:  # raised before anything was changed
        if refused.code == "nothing_to_show" and command.field:
            raise Refused("field_empty", code=refused.params["code"], field=command.field) from None
        raise
    minutes = unit.rules.show_minutes
    key = f"show:{new_id('s')}"
    put(unit, Place(purpose=here.direct.purpose), views.shown(unit, here.person.language, found, minutes), key=key, owner=found.owner)
    remind(unit, "redact", key, unit.now + timedelta(minutes=minutes))
    if not here.purpose.startswith("direct:"):
        say(unit, here, mark("Se lo muestro en nuestro chat directo, por {minutes} minutos. Queda registrado."), minutes=minutes)


def _close(unit: Unit, here: Here, command: c.CloseCase) -> None:
    desk_only(here)
    ends = close_case.preview_close(unit, case_code(unit, here, command.case))
    case, told = ends.case, views.what_ends(unit, here.lang, ends)
    close_questions(unit, case.id, ("close",))
    close_confirmations(unit, case.id)
    if command.outcome is None:
        head = " ".join((text(here.lang, "¿Cómo termina el caso?"), *told))
        offer_choice(unit, here, "close", case.id, case.code, "close_outcomes", head, given=given(command.said))
    elif ends.checkins or ends.holders or command.outcome in views.GRAVE:
        reply(unit, here, views.closing(unit, here, ends, command.outcome))
    else:
        close_now(unit, here, case.id, command.outcome)


DOERS: Doers = {
    c.SetField: _set,
    c.PlanCheckIn: _check_in,
    c.WhoKnows: _who_knows,
    c.Withdraw: _withdraw,
    c.Show: _show,
    c.CloseCase: _close,
}
