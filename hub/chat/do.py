"""Carry out a command: one small function a command, each calls one action and answers in plain words."""

from __future__ import annotations

import re
from dataclasses import replace

from hub.actions import open_case, record_consent, refer, staff, undo
from hub.actions.common import find_case, find_referral, living_referrals, open_case_of
from hub.actions.own_house import may_read
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.fingerprint import grouped
from hub.base.i18n import mark, text
from hub.cases import commands as c
from hub.cases.lifecycle import Side
from hub.cases.records import Referral
from hub.chat import account, admin, basis, dialogue, do_case, do_referral, do_rooms, grammar, overviews, suggested, talk, wishes
from hub.chat import wording as w
from hub.chat.cards import case_key
from hub.chat.choose import choose, take_back
from hub.chat.helping import help_text, unclear_text
from hub.chat.here import Here, answer
from hub.chat.meant import about_case, case_code
from hub.chat.misread import bad_argument, suggested_names
from hub.chat.options import labels, put_choices
from hub.chat.person_texts import NOTICE_VERSION
from hub.chat.plain import choices, message, paragraph, value
from hub.chat.posting import close_questions, find_question, owners, resting
from hub.chat.saying import Doers, desk_only, reply, say

_CODE = re.compile(r"\b[Rr]-?[0-9A-Za-z]{5}\b")


def perform(unit: Unit, here: Here, act: c.Command | str) -> None:
    """Do what was asked. Raises Refused (and other TinkuyError) with nothing half done."""
    if isinstance(act, str):
        _in_order(unit, here, talk.go_on(unit, here, act))
        return
    if (case := about_case(unit, here, act)) is not None:
        may_read(unit, case, here.person.id)
    _DOERS[type(act)](unit, here, act)


def _account(unit: Unit, here: Here, command: c.TellAccount) -> None:
    _in_order(unit, here, account.tell_account(unit, here, command))


def _basis(unit: Unit, here: Here, command: c.RecordBasis) -> None:
    _in_order(unit, here, basis.record_for(unit, here, command))


def _in_order(unit: Unit, here: Here, done: tuple[c.Command, ...]) -> None:
    """The commands of a finished dialogue. What `abrir` asked beside name and date belongs to the case just opened."""
    if done and isinstance(done[0], c.OpenCase) and done[0].name and done[0].next_contact:
        fields = {command.field: command.value for command in done[1:] if isinstance(command, c.SetField)}
        _opened(unit, here, done[0].name, done[0].next_contact, fields)
        return
    for command in done:
        perform(unit, here, command)


def _help(unit: Unit, here: Here, command: c.Help) -> None:
    reply(unit, here, help_text(unit, here, command.topic))
    if here.purpose == "admin" and command.topic is None:
        say(unit, here, mark("Huella de este hub, para compararla: {key}"), key=grouped(unit.hand.manifest.profile.master_fingerprint))


def _unclear(unit: Unit, here: Here, command: c.Unclear) -> None:
    by_yes = suggested.offer(unit, here, suggested.corrected(command, here.context))
    if not by_yes:
        suggested.only_whole(unit, here, command, command.suggestions)
    reply(unit, here, unclear_text(unit, here, command.suggestions, by_yes=by_yes))


def _bad(unit: Unit, here: Here, command: c.BadArgument) -> None:
    if command.what == "code":
        raise Refused("code_mistyped", given=command.given[:12])
    named = _CODE.search(command.given) if (command.verb, command.what) == ("cancel", "extra") else None
    if named:
        take_back(unit, here, find_referral(unit, named[0], Side.SENDER))
        return
    if _opens_without_date(unit, here, command):
        return
    by_yes = suggested.offer(unit, here, suggested.corrected(command, here.context))
    if not by_yes:
        suggested.only_whole(unit, here, command, suggested_names(unit, here.lang, command))
    reply(unit, here, bad_argument(unit, here.lang, command, by_yes=by_yes))


def _opens_without_date(unit: Unit, here: Here, command: c.BadArgument) -> bool:
    """`abrir Rosita, mnn`: nothing was opened yet, and only the date is asked again: her next answer is one."""
    if command.verb != "open" or not command.what.startswith("date") or not command.given or command.said.count(command.given) != 1:
        return False
    left = grammar.parse(command.said.replace(command.given, ""), here.context)
    if not isinstance(left, c.OpenCase) or not left.name or left.next_contact is not None:
        return False
    desk_only(here)
    turn = dialogue.start_open(here.context, left)
    if isinstance(turn, dialogue.Done):
        return False
    notice = text(here.lang, "Todavía no abrí ningún caso: no entendí la fecha «{given}».", given=value(command.given, 40))
    if command.what != "date":
        notice = text(here.lang, "Todavía no abrí ningún caso: «{given}» no puede ser la fecha.", given=value(command.given, 40))
    talk.begin(unit, here, (turn[0], replace(turn[1], notice=notice)))
    return True


def _whole(unit: Unit, here: Here, command: c.Whole) -> None:
    """A «sí» that takes nothing: what was suggested is typed, so that nobody believes it done."""
    if command.example:
        msgid = mark("Eso no lo tomo con un «sí». Escríbalo completo, por ejemplo: «{example}». No hice nada.")
        say(unit, here, msgid, example=value(command.example, 80))
        return
    say(unit, here, mark("Eso no lo tomo con un «sí». Escríbalo completo, con la palabra que quiso decir. No hice nada."))


def _list(unit: Unit, here: Here, _: c.ListCases) -> None:
    desk_only(here)
    reply(unit, here, overviews.case_list(unit, here.lang), owner="hub")


def _open(unit: Unit, here: Here, command: c.OpenCase) -> None:
    desk_only(here)
    _in_order(unit, here, talk.begin(unit, here, dialogue.start_open(here.context, command)))


def _opened(unit: Unit, here: Here, name: str, when: c.When, fields: dict[str, str]) -> None:
    case = open_case.open_case(unit, here.person.id, here.room, name, when.at, fields)
    said = mark("Listo: {code}. Próximo contacto: {when}. Para quitarlo escriba «deshacer» (1 minuto).")
    told = text(here.lang, said, code=case.code, when=w.moment(unit, here.lang, case.next_contact_at))
    answer(unit, here, message(paragraph(told)), key=f"{case_key(case.id)}:opened")  # a thread begun here is about this case, too


def _consent(unit: Unit, here: Here, command: c.RecordConsent) -> None:
    desk_only(here)
    case = open_case_of(unit, case_code(unit, here, command.case))
    whole = command.recipients and command.purposes and command.fields and command.mode
    if not whole or command.until is None or command.explained is None:
        asked = c.RecordConsent(**{**vars(command), "case": case.code})
        _in_order(unit, here, talk.begin(unit, here, dialogue.start_consent(here.context, asked), case.id))
        return
    fields = w.expand(unit, command.fields or (), command.purposes or (), command.recipients or ())
    terms = record_consent.Terms(
        recipients=command.recipients or (), purposes=command.purposes or (), fields=fields, until=command.until.at,
        mode=command.mode or "", explained=bool(command.explained), language=here.lang, notice=NOTICE_VERSION,
    )  # fmt: skip
    consent = record_consent.record_consent(unit, here.person.id, case.id, terms)
    talk.consent_is_in(unit, case.id, case.code)
    reply(unit, here, overviews.consent_done(unit, here.lang, case, consent))


def _choose(unit: Unit, here: Here, command: c.Choose) -> None:
    """A number goes to the one question that owns it: a step of a dialogue, or a card. Owned twice it is asked back, whatever it may mean."""
    found = owners(unit, here.room, here.person.id, command.number)
    if len(found) > 1:
        raise Refused("number_twice", number=command.number, open=", ".join(question.code for question in found))
    if found and found[0].kind == talk.STEP:
        _in_order(unit, here, talk.go_on(unit, here, str(command.number)))
        return
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
    if done.kind == "open_case":
        case = unit.cases.get(done.ref)
        say(unit, here, mark("Deshecho. El caso {code} se borró."), code=case.code if case else "")
        return
    if done.kind == "close_case":
        case = find_case(unit, done.ref.split()[0])
        when = w.moment(unit, here.lang, case.next_contact_at)
        say(unit, here, mark("Deshecho. {code} sigue abierto, con los contactos que tenía. Próximo contacto: {when}."), code=case.code, when=when)
        return
    if done.kind == "refer":
        say(unit, here, mark("Deshecho. No salió nada."))
        return
    checkin = unit.checkins.get(done.ref)
    code = find_case(unit, checkin.case).code if checkin else ""
    say(unit, here, mark("Deshecho. El aviso de seguimiento de {code} se quitó."), code=code)


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
    asked = unit.questions.all(room=here.room, asked=here.person.id, state="open")
    either = next((question for question in asked if question.kind == "take_back" and question.expires_at > unit.now), None)
    if either is not None and talk.running(unit, here) is None:  # «cancelar» is the first word of one of its two answers
        msgid = mark("{code}: ¿cancelar la derivación o dejarla como está? Responda con el número: {first} o {last}. No hice nada.")
        say(unit, here, msgid, code=either.code, first=either.first, last=either.first + len(either.options) - 1)
        return
    stopped = talk.stop(unit, here)
    for question in asked:
        close_questions(unit, question.ref, (question.kind,))
        if question.kind == "refer":
            refer.drop_draft(unit, question.ref)
        stopped = True
    say(unit, here, mark("De acuerdo, lo dejamos. No hice nada." if stopped else "No había nada en marcha."))


def _nothing_running(unit: Unit, here: Here, _: c.Command) -> None:
    say(unit, here, mark("No hay ninguna pregunta en marcha. Escriba «ayuda» si no sabe cómo seguir."))


def _duty(unit: Unit, here: Here, command: c.Duty) -> None:
    staff.set_duty(unit, here.person.id, on=command.on)
    say(unit, here, mark("Anotado: está de guardia." if command.on else "Anotado: ya no está de guardia."))


def _loose_number(unit: Unit, here: Here, command: c.LooseNumber) -> None:
    """Name what the number would mean, and the firm way to say it."""
    question = find_question(unit, here.room, here.person.id, command.number)
    if question is None:
        return
    label = labels(unit, question, here.lang)[command.number - question.first]
    msgid = mark("¿Eso es para {code}: «{label}»? Si es así, escriba «!tk {number}» o responda en su hilo. No hice nada.")
    say(unit, here, msgid, code=question.code, label=label, number=command.number)


def _half_done(unit: Unit, here: Here, command: c.HalfDone) -> None:
    left = resting(unit, here.room, here.person.id, command.number)
    if left is not None:
        reply(unit, here, message(paragraph(talk.half_done(here.lang, left.ref, left.code))))


def _stray(unit: Unit, here: Here, command: c.Stray) -> None:
    talk.expect(unit, here, command.said)


def _nearly(unit: Unit, here: Here, command: c.Nearly) -> None:
    """A part of one option: it is named, and taken by its number; by «sí» too where that lets nothing out and ends nothing."""
    question = find_question(unit, here.room, here.person.id, command.number)
    if question is None:
        return
    by_yes = question.kind in suggested.ANSWERS and suggested.offer(unit, here, str(command.number))
    msgid = mark("{code}: ¿quiso decir «{label}»? Si es eso, responda «sí» o {number}. No hice nada.")
    if not by_yes:
        msgid = mark("{code}: ¿quiso decir «{label}»? Si es eso, responda con su número: {number}. No hice nada.")
        suggested.only_by_number(unit, here, (command.number,))
    label = labels(unit, question, here.lang)[command.number - question.first]
    say(unit, here, msgid, code=question.code, label=label, number=command.number)


def _which(unit: Unit, here: Here, command: c.Which) -> None:
    """The same word would answer several: each with its code, its institution where it is a referral, and its number."""
    shown = [(number, _whose(unit, here, number)) for number in command.numbers]
    suggested.only_by_number(unit, here, command.numbers)
    reply(unit, here, message(paragraph(text(here.lang, "¿Cuál de estas? Responda con su número. No hice nada.")), choices(shown)))


def _whose(unit: Unit, here: Here, number: int) -> str:
    question = find_question(unit, here.room, here.person.id, number)
    if question is None:
        return ""
    referral = unit.referrals.get(question.ref)
    to = f" → {w.institution(unit, referral.peer)}" if referral else ""
    asked = unit.asks.get(question.ref) if question.kind == "ask" else None
    to += f" · {w.field_label(unit, asked.field, here.lang)}" if asked else ""
    return f"{question.code}{to}: {labels(unit, question, here.lang)[number - question.first]}"


def _unsure(unit: Unit, here: Here, command: c.Unsure) -> None:
    """Say that it was not taken, and what is: a risk that was told and not heard would ring nobody."""
    question = find_question(unit, here.room, here.person.id, command.number)
    if question is not None:
        head = text(here.lang, "{code}: no lo tomé como respuesta. Responda con uno de estos números:", code=question.code)
        put_choices(unit, here, question, head)


_DOERS: Doers = {
    **do_case.DOERS,
    **do_referral.DOERS,
    **do_rooms.DOERS,
    **wishes.DOERS,
    c.Govern: admin.govern,
    c.Help: _help,
    c.Unclear: _unclear,
    c.BadArgument: _bad,
    c.ListCases: _list,
    c.OpenCase: _open,
    c.TellAccount: _account,
    c.AskAgain: account.ask_again,
    c.RecordBasis: _basis,
    c.EndBasis: basis.end_for,
    c.RecordConsent: _consent,
    c.Choose: _choose,
    c.LooseNumber: _loose_number,
    c.Nearly: _nearly,
    c.Unsure: _unsure,
    c.Which: _which,
    c.HalfDone: _half_done,
    c.Stray: _stray,
    c.Whole: _whole,
    c.Undo: _undo,
    c.Cancel: _cancel,
    c.Skip: _nothing_running,
    c.Back: _nothing_running,
    c.Duty: _duty,
}
