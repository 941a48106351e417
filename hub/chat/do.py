"""Carry out a command: one small function a command, each calls one action and answers in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hub.actions import answer as answers
from hub.actions import (
    close_case,
    open_case,
    plan_check_in,
    record_consent,
    refer,
    show_value,
    staff,
    undo,
    who_knows,
    withdraw,
    work,
)
from hub.actions.common import find_case, find_referral, living_referrals, open_case_of, remind
from hub.actions.legal_hold import living_hold
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.base.ids import new_id
from hub.cases import commands as c
from hub.cases.lifecycle import Move, Side, State, after
from hub.cases.records import Referral, Undoable
from hub.chat import dialogue, overviews, talk, views
from hub.chat import wording as w
from hub.chat.choose import choose, preview_referral, take_back
from hub.chat.helping import help_text, unclear_text
from hub.chat.here import Here
from hub.chat.meant import case_code, meant, received
from hub.chat.misread import bad_argument
from hub.chat.options import ask_relay, labels, offer_choice, offer_days, offer_progress
from hub.chat.person_texts import NOTICE_VERSION
from hub.chat.plain import Message, message, paragraph
from hub.chat.posting import Place, close_questions, find_question, open_questions, put

_CODE = re.compile(r"\b[Rr]-?[0-9A-Za-z]{5}\b")


def perform(unit: Unit, here: Here, act: c.Command | str) -> None:
    """Do what was asked. Raises Refused (and other TinkuyError) with nothing half done."""
    if isinstance(act, str):
        _in_order(unit, here, talk.go_on(unit, here, act))
        return
    _DOERS[type(act)](unit, here, act)


def _in_order(unit: Unit, here: Here, done: tuple[c.Command, ...]) -> None:
    """The commands of a finished dialogue. What `abrir` asked beside name and date belongs to the case just opened."""
    if done and isinstance(done[0], c.OpenCase) and done[0].name and done[0].next_contact:
        fields = {command.field: command.value for command in done[1:] if isinstance(command, c.SetField)}
        _opened(unit, here, done[0].name, done[0].next_contact, fields)
        return
    for command in done:
        perform(unit, here, command)


def say(unit: Unit, here: Here, msgid: str, **params: object) -> None:
    """Answer with one sentence."""
    put(unit, here.place, message(paragraph(text(here.lang, msgid, **params))))


def reply(unit: Unit, here: Here, words: Message, owner: str = "hub") -> None:
    """Answer with a message."""
    put(unit, here.place, words, owner=owner)


def desk_only(here: Here) -> None:
    """Work on cases is done at the desk or in the direct chat, never in the admin room."""
    if here.purpose == "admin":
        raise Refused("wrong_room")


def _help(unit: Unit, here: Here, command: c.Help) -> None:
    reply(unit, here, help_text(unit, here, command.topic))


def _unclear(unit: Unit, here: Here, command: c.Unclear) -> None:
    reply(unit, here, unclear_text(unit, here, command.suggestions))


def _bad(unit: Unit, here: Here, command: c.BadArgument) -> None:
    if command.what == "code":
        raise Refused("code_mistyped", given=command.given[:12])
    named = _CODE.search(command.given) if (command.verb, command.what) == ("cancel", "extra") else None
    if named:
        take_back(unit, here, find_referral(unit, named[0], Side.SENDER))
        return
    reply(unit, here, bad_argument(unit, here.lang, command))


def _list(unit: Unit, here: Here, _: c.ListCases) -> None:
    desk_only(here)
    reply(unit, here, overviews.case_list(unit, here.lang), owner="hub")


def _open(unit: Unit, here: Here, command: c.OpenCase) -> None:
    desk_only(here)
    _in_order(unit, here, talk.begin(unit, here, dialogue.start_open(here.context, command, first=_free_number(unit, here))))


def _opened(unit: Unit, here: Here, name: str, when: c.When, fields: dict[str, str]) -> None:
    case = open_case.open_case(unit, here.person.id, here.room, name, when.at, fields)
    say(
        unit, here, mark("Listo: {code}. Próximo contacto: {when}. Para quitarlo escriba «deshacer» (1 minuto)."),
        code=case.code, when=w.moment(unit, here.lang, case.next_contact_at),
    )  # fmt: skip


def _set(unit: Unit, here: Here, command: c.SetField) -> None:
    desk_only(here)
    before = open_case_of(unit, case_code(unit, here, command.case))
    case = open_case.set_field(unit, here.person.id, before.id, command.field, command.value)
    label, now = w.field_label(unit, command.field, here.lang), find_case(unit, case.id)
    if now.next_contact_at != before.next_contact_at:
        moved = mark("Anotado en {code}: {field}. El próximo contacto pasa a su horario seguro: {when}. Si no es así, «control {code} …».")
        say(unit, here, moved, code=case.code, field=label, when=w.moment(unit, here.lang, now.next_contact_at))
        return
    say(unit, here, mark("Anotado en {code}: {field}."), code=case.code, field=label)


def _consent(unit: Unit, here: Here, command: c.RecordConsent) -> None:
    desk_only(here)
    case = open_case_of(unit, case_code(unit, here, command.case))
    whole = command.recipients and command.purposes and command.fields and command.until and command.mode
    if not whole or command.explained is None:
        asked = c.RecordConsent(**{**vars(command), "case": case.code})
        turn = dialogue.start_consent(here.context, asked, first=_free_number(unit, here))
        _in_order(unit, here, talk.begin(unit, here, turn, case.id))
        return
    fields = w.expand(unit, command.fields or (), command.purposes or (), command.recipients or ())
    terms = record_consent.Terms(
        recipients=command.recipients or (), purposes=command.purposes or (), fields=fields, until=command.until.at,  # type: ignore[union-attr]  # whole
        mode=command.mode or "", explained=bool(command.explained), language=here.lang, notice=NOTICE_VERSION,
    )  # fmt: skip
    consent = record_consent.record_consent(unit, here.person.id, case.id, terms)
    reply(unit, here, overviews.consent_done(unit, here.lang, case, consent))


def _refer(unit: Unit, here: Here, command: c.Refer) -> None:
    desk_only(here)
    case = open_case_of(unit, case_code(unit, here, command.case))
    close_questions(unit, case.id, ("where",))
    if not command.to or not command.need:
        reply(unit, here, views.where_to(unit, here, case, command))
        return
    preview_referral(unit, here, case.id, command.to, command.need)


def _choose(unit: Unit, here: Here, command: c.Choose) -> None:
    choose(unit, here, command.number)


def _undo(unit: Unit, here: Here, _: c.Undo) -> None:
    try:
        done = undo.undo(unit, here.person.id, here.room)
    except Refused as refused:  # raised before anything was changed
        left = _what_left(unit, refused)
        if left is None:
            raise
        take_back(unit, here, left)
        return
    said = {"refer": mark("Deshecho. No salió nada."), "check_in": mark("Deshecho. El aviso de seguimiento se quitó.")}
    say(unit, here, said.get(done.kind, mark("Deshecho. El caso se borró.")))


def _what_left(unit: Unit, refused: Refused) -> Referral | None:
    """The one referral that keeps an undo from being possible; `None` when it was refused for another reason, or there are several."""
    code = str(refused.params.get("code", ""))
    if refused.code != "already_left" or not code:
        return None
    if code.startswith("R-"):
        return find_referral(unit, code, Side.SENDER)
    living = [r for r in living_referrals(unit, find_case(unit, code).id) if r.ended_at is None]
    return living[0] if len(living) == 1 else None


def _cancel(unit: Unit, here: Here, _: c.Cancel) -> None:
    stopped = talk.stop(unit, here)
    for question in unit.questions.all(room=here.room, asked=here.person.id, state="open"):
        close_questions(unit, question.ref, (question.kind,))
        if question.kind == "refer":
            refer.drop_draft(unit, question.ref)
        stopped = True
    say(unit, here, mark("De acuerdo, lo dejamos. No salió nada." if stopped else "No había nada en marcha."))


def _nothing_running(unit: Unit, here: Here, _: c.Command) -> None:
    say(unit, here, mark("No hay ninguna pregunta en marcha. Escriba «ayuda» si no sabe cómo seguir."))


def _accept(unit: Unit, here: Here, command: c.Accept) -> None:
    desk_only(here)
    answers.accept(unit, here.person.id, received(unit, here, command.referral).id)


def _decline(unit: Unit, here: Here, command: c.Decline) -> None:
    desk_only(here)
    referral = received(unit, here, command.referral)
    after(referral.state, Move.DECLINE, Side.RECIPIENT)  # no list of reasons for what cannot be done any more
    if command.reason is None:
        offer_choice(unit, here, "decline", referral.id, referral.code, "decline_reasons", text(here.lang, "¿Por qué no pueden tomarla?"))
        return
    answers.decline(unit, here.person.id, referral.id, command.reason)


def _ask_field(unit: Unit, here: Here, command: c.AskField) -> None:
    desk_only(here)
    if command.field is None:
        raise Refused("field_missing")
    answers.ask_field(unit, here.person.id, received(unit, here, command.referral).id, command.field, command.why or "")


def _say(unit: Unit, here: Here, command: c.Say) -> None:
    desk_only(here)
    referral = work.say(unit, here.person.id, meant(unit, here, command.referral), command.text)
    say(unit, here, mark("Enviado a {institution}, sellado ({code})."), institution=w.institution(unit, referral.peer), code=referral.code)


def _relay(unit: Unit, here: Here, command: c.Relay) -> None:
    """A reply to their words may be meant for them or for a colleague: it goes once she says so, by number, with the name of who gets it."""
    desk_only(here)
    referral = work.may_say(unit, meant(unit, here, None), command.text)
    ask_relay(unit, here, referral, command.text)


def _bent(unit: Unit, here: Here, _: c.BentPointer) -> None:
    raise Refused("loose_thread")


def _progress(unit: Unit, here: Here, command: c.Progress) -> None:
    desk_only(here)
    moves = {"in-progress": Move.START, "on-hold": Move.HOLD}
    if command.status not in moves:
        found = received(unit, here, command.referral)
        offer_progress(unit, here, found.id, found.code)
        return
    work.progress(unit, here.person.id, received(unit, here, command.referral).id, moves[command.status])


def _accepted(referral: Referral) -> None:
    if referral.state in (State.REQUESTED, State.RECEIVED):
        raise Refused("not_accepted", code=referral.code)


def _finish(unit: Unit, here: Here, command: c.Finish) -> None:
    desk_only(here)
    referral = received(unit, here, command.referral)
    _accepted(referral)
    after(referral.state, Move.COMPLETE, Side.RECIPIENT)
    if command.outcome is None:
        offer_choice(unit, here, "finish", referral.id, referral.code, "close_outcomes", text(here.lang, "¿Cómo terminó?"))
        return
    work.finish(unit, here.person.id, referral.id, command.outcome)


def _give_back(unit: Unit, here: Here, command: c.GiveBack) -> None:
    desk_only(here)
    referral = received(unit, here, command.referral)
    _accepted(referral)
    after(referral.state, Move.GIVE_BACK, Side.RECIPIENT)
    if command.reason is None:
        kept = living_hold(unit, referral.id)
        fate = mark("¿Por qué la devuelven? Los datos quedan sellados aquí mientras la ley lo mande, y luego se destruyen.")
        head = text(here.lang, fate if kept else mark("¿Por qué la devuelven? Los datos se destruirán aquí."))
        offer_choice(unit, here, "give_back", referral.id, referral.code, "give_back_reasons", head)
        return
    work.give_back(unit, here.person.id, referral.id, command.reason)


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
        if not here.purpose.startswith("direct:"):
            said = mark("Se lo dejo en nuestro chat directo, en palabras para ella, sin códigos ni su nombre. Vea con ella si es seguro llevárselo.")
            say(unit, here, said)
        return
    for part in overviews.knowledge(unit, here.lang, known):
        reply(unit, here, part)


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
    close_questions(unit, views.withdrawal_ref(stops, command.recipient), ("withdraw",))
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
    case = find_case(unit, case_code(unit, here, command.case))
    if command.outcome is None:
        offer_choice(unit, here, "close", case.id, case.code, "close_outcomes", text(here.lang, "¿Cómo termina el caso?"))
        return
    close_case.close_case(unit, here.person.id, case.id, command.outcome)
    say(unit, here, mark("{code} cerrado. Si ella vuelve, siempre se puede abrir otro."), code=case.code)


def _duty(unit: Unit, here: Here, command: c.Duty) -> None:
    staff.set_duty(unit, here.person.id, on=command.on)
    say(unit, here, mark("Anotado: está de guardia." if command.on else "Anotado: ya no está de guardia."))


def _free_number(unit: Unit, here: Here) -> int:
    return max((q.first + len(q.options) for q in open_questions(unit, here.room)), default=1)


def _loose_number(unit: Unit, here: Here, command: c.LooseNumber) -> None:
    """Name what the number would mean, and the firm way to say it."""
    question = find_question(unit, here.room, here.person.id, command.number)
    if question is None:
        return
    label = labels(unit, question, here.lang)[command.number - question.first]
    msgid = mark("¿Eso es para {code}: «{label}»? Si es así, escriba «!tk {number}» o responda en su hilo. No hice nada.")
    say(unit, here, msgid, code=question.code, label=label, number=command.number)


_DOERS: dict[type[c.Command], Callable[[Unit, Here, Any], None]] = {
    c.Help: _help,
    c.Unclear: _unclear,
    c.BadArgument: _bad,
    c.ListCases: _list,
    c.OpenCase: _open,
    c.SetField: _set,
    c.RecordConsent: _consent,
    c.Refer: _refer,
    c.Choose: _choose,
    c.LooseNumber: _loose_number,
    c.Undo: _undo,
    c.Cancel: _cancel,
    c.Skip: _nothing_running,
    c.Back: _nothing_running,
    c.Accept: _accept,
    c.Decline: _decline,
    c.AskField: _ask_field,
    c.Say: _say,
    c.Relay: _relay,
    c.BentPointer: _bent,
    c.Progress: _progress,
    c.Finish: _finish,
    c.GiveBack: _give_back,
    c.PlanCheckIn: _check_in,
    c.WhoKnows: _who_knows,
    c.Withdraw: _withdraw,
    c.Show: _show,
    c.CloseCase: _close,
    c.Duty: _duty,
}
