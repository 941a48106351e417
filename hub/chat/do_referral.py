"""Carry out the commands about one referral, the sender's and the recipient's."""

from __future__ import annotations

from hub.actions import answer as answers
from hub.actions import work
from hub.actions.common import open_case_of
from hub.actions.legal_hold import living_hold
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.cases import commands as c
from hub.cases.lifecycle import Move, Side, State, after
from hub.cases.records import Referral
from hub.chat import glass, guarding, passing_on
from hub.chat.choose import preview_referral
from hub.chat.here import Here
from hub.chat.meant import case_code, meant, received
from hub.chat.options import ask_relay, offer_choice, offer_progress
from hub.chat.plain import message, paragraph
from hub.chat.posting import close_questions
from hub.chat.saying import Doers, desk_only, given, reply
from hub.chat.stopped import sent
from hub.chat.where_to import where_to


def _refer(unit: Unit, here: Here, command: c.Refer) -> None:
    desk_only(here)
    named = case_code(unit, here, command.case)
    received_one = unit.referrals.get(here.subject or "") if named is None else None
    if received_one is not None and received_one.case is None:
        raise Refused("route_of_received", code=received_one.code, institution=received_one.peer)
    case = open_case_of(unit, named)
    close_questions(unit, case.id, ("where",))
    if not command.to or not command.need:
        reply(unit, here, where_to(unit, here, case, command))
        return
    preview_referral(unit, here, case.id, command.to, command.need)


def _accept(unit: Unit, here: Here, command: c.Accept) -> None:
    desk_only(here)
    answers.accept(unit, here.person.id, received(unit, here, command.referral).id)


def _decline(unit: Unit, here: Here, command: c.Decline) -> None:
    desk_only(here)
    referral = received(unit, here, command.referral)
    after(referral.state, Move.DECLINE, Side.RECIPIENT)  # no list of reasons for what cannot be done any more
    if command.reason is None:
        head = text(here.lang, "¿Por qué no pueden tomarla?")
        offer_choice(unit, here, "decline", referral.id, referral.code, "decline_reasons", head, given=given(command.said))
        return
    answers.decline(unit, here.person.id, referral.id, command.reason)


def _ask_field(unit: Unit, here: Here, command: c.AskField) -> None:
    desk_only(here)
    if command.field is None:
        raise Refused("field_missing")
    referral = answers.may_ask(unit, received(unit, here, command.referral).id, command.field, command.why or "")
    if not guarding.leaving(unit, here, referral, command.why or "", command.field):
        answers.ask_field(unit, here.person.id, referral.id, command.field, command.why or "")


def _say(unit: Unit, here: Here, command: c.Say) -> None:
    desk_only(here)
    referral = work.may_say(unit, meant(unit, here, command.referral), command.text)
    if guarding.leaving(unit, here, referral, command.text):
        return
    work.say(unit, here.person.id, referral.id, command.text)
    reply(unit, here, message(paragraph(*sent(unit, here.lang, referral))))


def _relay(unit: Unit, here: Here, command: c.Relay) -> None:
    """A reply to their words may be meant for them or for a colleague: it goes once she says so, by number, with the name of who gets it."""
    desk_only(here)
    referral = work.may_say(unit, meant(unit, here, None), command.text)
    if not guarding.leaving(unit, here, referral, command.text):
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
        offer_choice(unit, here, "finish", referral.id, referral.code, "close_outcomes", text(here.lang, "¿Cómo terminó?"), given=given(command.said))
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
        offer_choice(unit, here, "give_back", referral.id, referral.code, "give_back_reasons", head, given=given(command.said))
        return
    work.give_back(unit, here.person.id, referral.id, command.reason)


DOERS: Doers = {
    c.Refer: _refer,
    c.Accept: _accept,
    c.Decline: _decline,
    c.AskField: _ask_field,
    c.Share: passing_on.share,
    c.Emergency: glass.emergency_for,
    c.Say: _say,
    c.Relay: _relay,
    c.BentPointer: _bent,
    c.Progress: _progress,
    c.Finish: _finish,
    c.GiveBack: _give_back,
}
