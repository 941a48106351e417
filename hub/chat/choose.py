"""Answers by number. The number must be unique among the room's open questions; the first valid answer counts; the answer names the code."""

from __future__ import annotations

from collections.abc import Callable

from hub.actions import answer as answers
from hub.actions import close_case, plan_check_in, refer, withdraw, work
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.i18n import text
from hub.cases.records import Question
from hub.chat import wording as w
from hub.chat.here import Here
from hub.chat.plain import choices, message, paragraph
from hub.chat.posting import ask, close_questions, find_question, numbered, put


def choose(unit: Unit, here: Here, number: int) -> None:
    """Act on the question that owns this number. Raises Refused `no_number` when none does for this person, here."""
    question = find_question(unit, here.room, here.person.id, number)
    if question is None:
        raise Refused("no_number", number=number)
    option = question.options[number - question.first]
    _CHOSEN[question.kind](unit, here, question, option)


def offer_choice(unit: Unit, here: Here, kind: str, ref: str, code: str, list_name: str, head: str) -> None:
    """Ask for one code of a vocabulary list by number."""
    close_questions(unit, ref, (kind,))
    options = tuple(unit.pack.vocabulary.lists[list_name])
    question = ask(unit, here.room, kind, ref, options, code, asked=here.person.id)
    labels = [w.term(unit, list_name, option, here.lang) for option in options]
    put(unit, here.place, message(paragraph(f"{code}: {head}"), choices(numbered(question, labels))))


def _say(unit: Unit, here: Here, msgid: str, **params: object) -> None:
    put(unit, here.place, message(paragraph(text(here.lang, msgid, **params))))


def _refer(unit: Unit, here: Here, question: Question, option: str) -> None:
    close_questions(unit, question.ref)
    if option == "confirm":
        referral = refer.refer(unit, here.person.id, here.room, question.ref)
        _say(
            unit, here, "{code} en camino a {institution}. La oferta no lleva ningún dato de ella.",
            code=referral.code, institution=w.institution(unit, referral.peer),
        )  # fmt: skip
    elif option == "cancel":
        refer.drop_draft(unit, question.ref)
        _say(unit, here, "{code}: cancelado. No salió nada.", code=question.code)
    else:
        _edit(unit, here, question)


def _edit(unit: Unit, here: Here, question: Question) -> None:
    """Choose one more field to keep home; the preview is then shown again."""
    referral = unit.referrals.get(question.ref)
    if referral is None:
        raise Refused("draft_gone")
    fields = tuple(sorted(f.field for f in unit.fields.all(case=referral.case) if f.field not in referral.offer.get("held_back", ())))
    again = ask(unit, here.room, "hold_back", referral.id, fields, question.code, asked=here.person.id)
    labels = [w.field_label(unit, f, here.lang) for f in fields]
    head = text(here.lang, "{code}: ¿qué dato no quiere enviar? Luego le muestro de nuevo cómo queda.", code=question.code)
    put(unit, here.place, message(paragraph(head), choices(numbered(again, labels))))


def _hold_back(unit: Unit, here: Here, question: Question, option: str) -> None:
    from hub.chat.do import preview_referral

    referral = unit.referrals.get(question.ref)
    if referral is None or referral.case is None:
        raise Refused("draft_gone")
    close_questions(unit, question.ref)
    refer.drop_draft(unit, referral.id)
    preview_referral(unit, here, referral.case, referral.peer, referral.need, (*referral.offer.get("held_back", ()), option))


def _offer(unit: Unit, here: Here, question: Question, option: str) -> None:
    if option == "accept":
        answers.accept(unit, here.person.id, question.ref)
        return
    offer_choice(unit, here, "decline", question.ref, question.code, "decline_reasons", text(here.lang, "¿Por qué no pueden tomarla?"))


def _decline(unit: Unit, here: Here, question: Question, option: str) -> None:
    answers.decline(unit, here.person.id, question.ref, option)
    close_questions(unit, question.ref)


def _ask(unit: Unit, here: Here, question: Question, option: str) -> None:
    found = answers.answer_ask(unit, here.person.id, question.ref, granted=option == "grant")
    close_questions(unit, question.ref)
    label = w.field_label(unit, found.field, here.lang)
    if option == "grant":
        _say(unit, here, "{code}: permiso dado para «{field}». Sale solo si ella y el protocolo lo permiten.", code=question.code, field=label)
    else:
        _say(unit, here, "{code}: no se da «{field}».", code=question.code, field=label)


def _checkin(unit: Unit, here: Here, question: Question, option: str) -> None:
    done = plan_check_in.answer_check_in(unit, here.person.id, question.ref, option)
    close_questions(unit, question.ref)
    case = unit.cases.get(done.case)
    when = w.moment(unit, here.lang, case.next_contact_at) if case else ""
    said = {
        "safe": "{code}: anotado, contactada y a salvo. Próximo contacto: {when}.",
        "not_reached": "{code}: anotado, no la ubicó. Le vuelvo a avisar: {when}.",
        "risk_rose": "{code}: anotado, el riesgo subió. Avisé a supervisión. Próximo contacto: {when}.",
        "postpone": "{code}: pospuesto. Próximo contacto: {when}.",
    }[option]
    _say(unit, here, said, code=question.code, when=when)


def _finish(unit: Unit, here: Here, question: Question, option: str) -> None:
    work.finish(unit, here.person.id, question.ref, option)
    close_questions(unit, question.ref)


def _give_back(unit: Unit, here: Here, question: Question, option: str) -> None:
    work.give_back(unit, here.person.id, question.ref, option)
    close_questions(unit, question.ref)


def _close(unit: Unit, here: Here, question: Question, option: str) -> None:
    case = close_case.close_case(unit, here.person.id, question.ref, option)
    close_questions(unit, question.ref)
    _say(unit, here, "{code} cerrado. Si ella vuelve, siempre se puede abrir otro.", code=case.code)


def _withdraw(unit: Unit, here: Here, question: Question, option: str) -> None:
    close_questions(unit, question.ref, ("withdraw",))
    if option == "cancel":
        _say(unit, here, "{code}: no se retiró nada.", code=question.code)
        return
    case_id, recipient, fields = question.ref.split("|")
    withdraw.withdraw(unit, here.person.id, case_id, recipient or None, tuple(f for f in fields.split(",") if f))
    _say(unit, here, "{code}: retirado. Le aviso aquí cuando cada institución confirme con firma.", code=question.code)


_CHOSEN: dict[str, Callable[[Unit, Here, Question, str], None]] = {
    "refer": _refer,
    "hold_back": _hold_back,
    "offer": _offer,
    "decline": _decline,
    "ask": _ask,
    "checkin": _checkin,
    "finish": _finish,
    "give_back": _give_back,
    "close": _close,
    "withdraw": _withdraw,
}
