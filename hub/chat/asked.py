"""One more field: what our desk reads when another institution asks for it, and the line that stays in her case's thread once it was answered."""

from __future__ import annotations

from hub.actions.common import SYSTEM
from hub.actions.decide import rule
from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases import events as e
from hub.cases.answers import BY_PEOPLE
from hub.cases.records import Ask, Referral
from hub.chat import blind
from hub.chat import wording as w
from hub.chat.cards import case_key
from hub.chat.options import labels
from hub.chat.passing_on import why
from hub.chat.plain import choices, message, paragraph, quote, strong
from hub.chat.posting import Place, ask, numbered, put, room_of
from policies.decision import Outcome

DESK = "desk"


def tell_asked(unit: Unit, event: e.FieldAsked) -> None:
    """Which field, what for, and the numbers to decide it."""
    found, referral = _found(unit, event.ask)
    if found is None or referral is None or referral.case is None:
        return
    lang = unit.me.language
    warned = blind.if_granted(unit, found)
    question = ask(unit, room_of(unit, DESK), "ask", found.id, ("grant_blind" if warned else "grant", *BY_PEOPLE), referral.code)
    warning = [paragraph([strong(text(lang, blind.WARNING))])] if warned else []
    head = text(
        lang, "{code}: {institution} pide un dato más: {field}.",
        code=referral.code, institution=w.institution(unit, referral.peer), field=w.field_label(unit, found.field, lang),
    )  # fmt: skip
    missing = text(lang, "Ella todavía no dijo que sí a compartir eso. Pregúntele primero; con «consentimiento» queda anotado.")
    warning += [] if _agreed(unit, found, referral) else [paragraph(missing)]
    card = message(paragraph(head, text(lang, "Para qué:")), quote(event.why), *warning, choices(numbered(question, labels(unit, question, lang))))
    case = unit.cases.get(referral.case)
    put(unit, Place(purpose=DESK, thread=case_key(referral.case)), card, ring=(case.lead,) if case else (), owner=referral.case)


def tell_answered(unit: Unit, event: e.FieldAnswered) -> None:
    """Who decided it, where everybody looks who works on her case: the name of the field, never its value."""
    found, referral = _found(unit, event.ask)
    if found is None or referral is None or referral.case is None:
        return
    lang = unit.me.language
    words = mark("{code}: permiso dado a {institution} para «{field}» ({who}). Sale solo si ella y el protocolo lo permiten.")
    if found.state != "granted":
        words = mark("{code}: no se da «{field}» a {institution} ({who}: {reason}).")
    if found.state != "granted" and event.by == SYSTEM:
        words = mark("{code}: {institution} pidió «{field}»; el hub dijo que no: {reason}.")
    line = text(
        lang, words, code=referral.code, who=w.person(unit, event.by) or unit.me.name, institution=w.institution(unit, referral.peer),
        field=w.field_label(unit, found.field, lang), reason=why(lang, found.reason),
    )  # fmt: skip
    put(unit, Place(purpose=DESK, thread=case_key(referral.case)), message(paragraph(line)))


def _agreed(unit: Unit, found: Ask, referral: Referral) -> bool:
    """Whether it would go now, were it granted; whether anything is noted plays no part."""
    case = unit.cases.get(referral.case or "")
    if case is None:
        return False
    decision = rule(unit, case, referral.peer, referral.need, tuple(referral.offer.get("held_back", ()))).decision
    return decision.field(found.field).outcome is not Outcome.WITHHOLD


def _found(unit: Unit, ask_id: str) -> tuple[Ask | None, Referral | None]:
    found = unit.asks.get(ask_id)
    return found, unit.referrals.get(found.referral) if found else None
