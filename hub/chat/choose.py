"""Answers by number. The number must be unique among the room's open questions; the first valid answer counts; the answer names the code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hub.actions import answer as answers
from hub.actions import close_case, plan_check_in, reach, refer, withdraw, work
from hub.actions.common import find_case, find_referral, forget_reminders
from hub.actions.decide import rule
from hub.actions.erase import drop_words
from hub.actions.own_house import may_read, not_his
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.i18n import mark, text
from hub.cases.answers import BY_PEOPLE
from hub.cases.lifecycle import Move, State
from hub.cases.records import Question, Referral
from hub.chat import (
    account,
    admin_protocol,
    admin_rooms,
    basis,
    blind,
    do_rooms,
    glass,
    guarding,
    passing_on,
    protocol_guarding,
    talk,
    verifying,
    views,
)
from hub.chat import wording as w
from hub.chat.here import Here
from hub.chat.meant import case_behind
from hub.chat.options import NO_MORE, ask_her, offer_choice, put_choices
from hub.chat.plain import message, paragraph
from hub.chat.posting import ask, close_questions, find_question, open_questions, put
from hub.chat.stopped import sent
from policies.preview import view

ANYBODYS = frozenset({"checkin", "glass_review"})
"""Whoever is there says that she answered, or is in danger: also where the aggressor works in the house, but for himself."""


def choose(unit: Unit, here: Here, number: int) -> None:
    """Act on the question that owns this number. Raises Refused `no_number` (with the open ones) when none does for this person, here."""
    question = find_question(unit, here.room, here.person.id, number)
    if question is None:
        raise Refused("no_number", number=number, open=_open_numbers(unit, here))
    option = question.options[number - question.first]
    if (case := case_behind(unit, question.code)) is not None:
        (not_his if question.kind in ANYBODYS else may_read)(unit, case, here.person.id)
    _CHOSEN[question.kind](unit, here, question, option)


def _open_numbers(unit: Unit, here: Here) -> str:
    """What this person may answer here: `C-7QK4M: 1–3; R-2M8PA: 4–5`."""
    mine = [q for q in open_questions(unit, here.room) if q.asked in (None, here.person.id)]
    return "; ".join(f"{q.code}: {q.first}–{q.first + len(q.options) - 1}" for q in mine[:6])


def preview_referral(unit: Unit, here: Here, case: str, to: str, need: str, held_back: tuple[str, ...] = ()) -> None:
    """Show what would leave and ask for confirmation. Her older previews of this case are over.

    They are closed only after the new numbers are given: a number typed twice must never confirm what she has not read.
    """
    older = unit.questions.all(room=here.room, asked=here.person.id, state="open", kind__in=("refer", "hold_back"))
    draft = refer.draft(unit, here.person.id, case, to, need, held_back)
    put(unit, here.place, views.preview(unit, here, draft), owner=draft.ruling.case.id)
    if not draft.ready:
        refer.drop_draft(unit, draft.referral.id)
    for old in older:
        earlier = unit.referrals.get(old.ref)
        if earlier is None or earlier.case == case:
            close_questions(unit, old.ref)
            refer.drop_draft(unit, old.ref)


def take_back(unit: Unit, here: Here, referral: Referral) -> None:
    """The way back for one referral: an unanswered offer is cancelled, what was accepted is withdrawn from that institution."""
    if referral.case is None or referral.note == "withdrawn" or referral.state in (State.CANCELLED, State.REJECTED):
        raise Refused("nothing_to_withdraw", code=referral.code)
    if referral.state in WAITING:
        close_questions(unit, referral.id, ("take_back",))
        put(unit, here.place, views.take_back(unit, here, referral))
        return
    stops = withdraw.preview_withdrawal(unit, referral.case, referral.peer, ())
    close_questions(unit, views.withdrawal_ref(stops, referral.peer), views.WITHDRAWAL)
    put(unit, here.place, views.withdrawal(unit, here, stops, referral.peer))


WAITING = (State.REQUESTED, State.RECEIVED)
"""Offered, and nobody answered yet."""


def _say(unit: Unit, here: Here, msgid: str, **params: object) -> None:
    put(unit, here.place, message(paragraph(text(here.lang, msgid, **params))))


def _refer(unit: Unit, here: Here, question: Question, option: str) -> None:
    if option == "edit":
        _edit(unit, here, question)
        return
    close_questions(unit, question.ref)
    if option == "cancel":
        refer.drop_draft(unit, question.ref)
        _say(unit, here, mark("{code}: cancelado. No salió nada."), code=question.code)
        return
    referral = refer.refer(unit, here.person.id, here.room, question.ref)
    _say(
        unit, here, mark("{case}: {code} en camino a {institution}. La oferta no lleva ningún dato de ella."),
        case=question.code, code=referral.code, institution=w.institution(unit, referral.peer),
    )  # fmt: skip


def _edit(unit: Unit, here: Here, question: Question) -> None:
    """Choose one more field to keep home, of those that would leave; the preview is then shown again."""
    referral = unit.referrals.get(question.ref)
    if referral is None or referral.case is None:
        raise Refused("draft_gone")
    fields = (*_would_leave(unit, referral), NO_MORE)
    again = ask_her(unit, here, "hold_back", referral.id, fields, question.code)
    close_questions(unit, question.ref, ("refer",))
    put_choices(unit, here, again, text(here.lang, "{code}: ¿qué dato no quiere enviar? Luego le muestro cómo queda.", code=question.code))


def _would_leave(unit: Unit, referral: Referral) -> list[str]:
    """The fields that the draft as it stands would let out in any form."""
    case = find_case(unit, referral.case)
    ruling = rule(unit, case, referral.peer, referral.need, tuple(referral.offer.get("held_back", ())))
    return w.in_order(unit, view(ruling.decision, ruling.values, unit.now.date()))


def _hold_back(unit: Unit, here: Here, question: Question, option: str) -> None:
    referral = unit.referrals.get(question.ref)
    if referral is None or referral.case is None:
        raise Refused("draft_gone")
    held_back = tuple(referral.offer.get("held_back", ()))
    preview_referral(unit, here, referral.case, referral.peer, referral.need, held_back if option == NO_MORE else (*held_back, option))


def _where(unit: Unit, here: Here, question: Question, option: str) -> None:
    peer, need = option.split("|")
    preview_referral(unit, here, question.ref, peer, need)
    close_questions(unit, question.ref, ("where",))


def _progress(unit: Unit, here: Here, question: Question, option: str) -> None:
    close_questions(unit, question.ref, ("progress",))
    work.progress(unit, here.person.id, question.ref, Move(option))


def _plan(unit: Unit, here: Here, question: Question, option: str) -> None:
    close_questions(unit, question.ref, ("plan",))
    checkin = plan_check_in.plan_check_in(unit, here.person.id, question.ref, datetime.fromisoformat(option))
    when = w.moment(unit, here.lang, checkin.due_at)
    _say(unit, here, mark("Entendido: aviso de seguimiento de {code} el {when}."), code=question.code, when=when)


def _take_back(unit: Unit, here: Here, question: Question, option: str) -> None:
    if option == "cancel":
        close_questions(unit, question.ref, ("take_back",))
        _say(unit, here, mark("{code}: sigue como estaba."), code=question.code)
        return
    found = find_referral(unit, question.ref)
    if found.state not in WAITING:  # accepted meanwhile: there is more to take back, and it is shown first
        take_back(unit, here, found)
        close_questions(unit, question.ref, ("take_back",))
        return
    close_questions(unit, question.ref, ("take_back",))
    told = views.taken_back(unit, here, found)
    refer.cancel_offer(unit, here.person.id, question.ref)
    put(unit, here.place, told)


def _offer(unit: Unit, here: Here, question: Question, option: str) -> None:
    if option == "accept":
        answers.accept(unit, here.person.id, question.ref)
        return
    offer_choice(unit, here, "decline", question.ref, question.code, "decline_reasons", text(here.lang, "¿Por qué no pueden tomarla?"))


def _decline(unit: Unit, here: Here, question: Question, option: str) -> None:
    answers.decline(unit, here.person.id, question.ref, option)
    close_questions(unit, question.ref)


def _ask(unit: Unit, here: Here, question: Question, option: str) -> None:
    asked = unit.asks.get(question.ref)
    if option == "grant" and asked is not None and blind.if_granted(unit, asked):  # the card did not say so: what they hold has changed since
        close_questions(unit, question.ref)
        again = ask(unit, here.room, "ask", question.ref, ("grant_blind", *BY_PEOPLE), question.code)
        put_choices(unit, here, again, f"{question.code}: {text(here.lang, blind.WARNING)}")
        return
    found = answers.answer_ask(unit, here.person.id, question.ref, granted=option not in BY_PEOPLE, reason=option)
    close_questions(unit, question.ref)
    referral = unit.referrals.get(found.referral)
    if referral is not None and here.subject == referral.case:
        return  # she answered in the thread where the line about it stands
    label = w.field_label(unit, found.field, here.lang)
    if found.state == "granted":
        _say(unit, here, mark("{code}: permiso dado para «{field}». Sale solo si ella y el protocolo lo permiten."), code=question.code, field=label)
    else:
        _say(unit, here, mark("{code}: no se da «{field}»."), code=question.code, field=label)


def _relay(unit: Unit, here: Here, question: Question, option: str) -> None:
    referral, owner, words = question.ref.split("|")
    close_questions(unit, question.ref)
    forget_reminders(unit, owner, ("unsaid",))
    if option == "keep":
        drop_words(unit, owner)
        _say(unit, here, mark("{code}: no salió; queda entre ustedes."), code=question.code)
        return
    found = work.say_sealed(unit, here.person.id, referral, owner, words)
    put(unit, here.place, message(paragraph(*sent(unit, here.lang, found))))


def _checkin(unit: Unit, here: Here, question: Question, option: str) -> None:
    done = plan_check_in.answer_check_in(unit, here.person.id, question.ref, option)
    close_questions(unit, question.ref)
    case = unit.cases.get(done.case)
    when = w.moment(unit, here.lang, case.next_contact_at) if case else ""
    said = {
        "safe": mark("{code}: anotado, contactada y a salvo. Próximo contacto: {when}."),
        "not_reached": mark("{code}: anotado, no la ubicó. Le vuelvo a avisar: {when}."),
        "risk_rose": mark("{code}: anotado, el riesgo subió. Avisé a supervisión. Próximo contacto: {when}."),
        "postpone": mark("{code}: pospuesto. Próximo contacto: {when}."),
    }[option]
    _say(unit, here, said, code=question.code, when=when)


def _finish(unit: Unit, here: Here, question: Question, option: str) -> None:
    work.finish(unit, here.person.id, question.ref, option)
    close_questions(unit, question.ref)


def _give_back(unit: Unit, here: Here, question: Question, option: str) -> None:
    work.give_back(unit, here.person.id, question.ref, option)
    close_questions(unit, question.ref)


def _close(unit: Unit, here: Here, question: Question, option: str) -> None:
    if option in views.GRAVE:
        close_questions(unit, question.ref, ("close",))
        put(unit, here.place, views.closing(unit, here, close_case.preview_close(unit, question.ref), option))
        return
    close_now(unit, here, question.ref, option)


def _close_as(unit: Unit, here: Here, question: Question, option: str) -> None:
    case, outcome = question.ref.split("|")
    close_questions(unit, question.ref)
    if option == "cancel":
        _say(unit, here, mark("{code}: sigue abierto."), code=question.code)
        return
    close_now(unit, here, case, outcome)


def close_confirmations(unit: Unit, case_id: str) -> None:
    """Earlier confirmations of a closing take no answers any more; each is about the case and an outcome, so `close_questions` misses it."""
    for question in unit.questions.all(kind="close_as", state="open"):
        if question.ref.split("|")[0] == case_id:
            close_questions(unit, question.ref, ("close_as",))


def close_now(unit: Unit, here: Here, case_id: str, outcome: str) -> None:
    """Close it, and say how it ended and how that is undone."""
    ends = close_case.preview_close(unit, case_id)
    case = close_case.close_case(unit, here.person.id, case_id, outcome, room=here.room)
    close_questions(unit, case.id)
    talk.case_is_over(unit, case.id)
    put(unit, here.place, views.closed(unit, here.lang, ends, outcome))


def _withdraw(unit: Unit, here: Here, question: Question, option: str) -> None:
    close_questions(unit, question.ref, views.WITHDRAWAL)
    if option == "cancel":
        _say(unit, here, mark("{code}: no se retiró nada."), code=question.code)
        return
    case_id, peer, listed = question.ref.split("|")
    recipient, fields = peer or None, tuple(f for f in listed.split(",") if f)
    if option == "confirm_ways":
        fields = tuple(dict.fromkeys((*fields, *sorted(reach.WAYS))))
    stops = withdraw.preview_withdrawal(unit, case_id, recipient, fields)
    if question.kind == "withdraw" and blind.if_withdrawn(unit, stops):  # what she read did not say so: what they hold has changed since
        put(unit, here.place, views.withdrawal(unit, here, stops, recipient))
        return
    stops = withdraw.withdraw(unit, here.person.id, case_id, recipient, fields)
    put(unit, here.place, views.withdrawn(unit, here, stops))


_CHOSEN: dict[str, Callable[[Unit, Here, Question, str], None]] = {
    "refer": _refer,
    "hold_back": _hold_back,
    "offer": _offer,
    "decline": _decline,
    "ask": _ask,
    "relay": _relay,
    "checkin": _checkin,
    "finish": _finish,
    "give_back": _give_back,
    "close": _close,
    "close_as": _close_as,
    "withdraw": _withdraw,
    "withdraw_blind": _withdraw,
    "where": _where,
    "progress": _progress,
    "plan": _plan,
    "take_back": _take_back,
    **do_rooms.CHOSEN,
    "onward": passing_on.choose_onward,
    "onward_no": passing_on.choose_onward,
    "glass_reason": glass.choose_reason,
    "glass_confirm": glass.choose_confirm,
    "glass_review": glass.choose_review,
    "again": account.choose_again,
    "basis_confirm": basis.choose_confirm,
    "basis_end": basis.choose_end,
    guarding.VALUES: guarding.chosen,
    guarding.WORDS: guarding.chosen,
    verifying.BEGIN: verifying.chosen,
    verifying.COMPARE: verifying.chosen,
    admin_protocol.KIND: admin_protocol.chosen,
    **dict.fromkeys(protocol_guarding.KINDS, admin_protocol.chosen_words),
    admin_rooms.REPAIR: admin_rooms.chosen,
}
