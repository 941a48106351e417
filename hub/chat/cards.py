"""Cards: the living summary of a case or a referral, root of its thread, redrawn by edit. What the task needs and no more.

The desk card shows the name she chose, need, urgency, times, the safe-contact rule and the code (`keys.md` §6). Everything else is shown by
`ver` in the direct chat.
"""

from __future__ import annotations

from hub.actions.common import living_referrals, value_of
from hub.actions.legal_hold import retained
from hub.actions.ports import Unit
from hub.actions.show_value import held_values
from hub.base.i18n import mark, text
from hub.cases.lifecycle import OPEN, WORKING
from hub.cases.records import Case, Referral
from hub.chat import wording as w
from hub.chat.options import labels
from hub.chat.plain import (
    Block,
    Line,
    Message,
    Span,
    choices,
    code,
    listing,
    message,
    paragraph,
    strong,
)
from hub.chat.posting import numbered, open_questions, room_of

_CARD_FIELDS = ("risk_level", "needs", "languages", "accessibility")


def case_key(case_id: str) -> str:
    """The name of a case's card."""
    return f"case:{case_id}"


def referral_key(referral_id: str) -> str:
    """The name of the card of a referral that came to us."""
    return f"ref:{referral_id}"


def case_card(unit: Unit, case: Case, lang: str) -> Message:
    """The card of our own case."""
    if case.state == "undone":
        return message(paragraph(strong(case.code), text(lang, "Deshecho. No se guardó nada.")))
    name = value_of(unit, case.id, "social_name") or ""
    head: list[Line] = [[strong(f"{case.code} · {name}")], text(lang, "Responsable: {name}", name=w.person(unit, case.lead))]
    if case.state == "closed":
        head.append(text(lang, "Cerrado: {outcome}", outcome=w.term(unit, "close_outcomes", case.outcome or "", lang)))
    else:
        head.append(text(lang, "Próximo contacto: {when}", when=w.moment(unit, lang, case.next_contact_at)))
    safe = value_of(unit, case.id, "safe_contact")
    if safe:
        head.append([strong(text(lang, "Contacto seguro:")), " " + w.value_label(unit, "safe_contact", safe, lang)])
    for field in _CARD_FIELDS:
        value = value_of(unit, case.id, field)
        if value:
            head.append(f"{w.field_label(unit, field, lang)}: {w.value_label(unit, field, value, lang)}")
    blocks: list[Block] = [paragraph(*head)]
    referrals = living_referrals(unit, case.id)
    if referrals:
        blocks += [paragraph(text(lang, "Derivaciones:")), listing([_referral_line(unit, r, lang) for r in referrals])]
    if case.state == "open" and not any(r.ended_at is None for r in referrals):
        blocks.append(_next_step(unit, case, lang))
    return message(*blocks)


def _next_step(unit: Unit, case: Case, lang: str) -> Block:
    """Consent first; once there is one, the referral."""
    agreed = any(consent.until > unit.now for consent in unit.consents.all(case=case.id, withdrawn_at=None))
    steps: list[str | Span] = [text(lang, "Siguiente paso, en este hilo:"), " "]
    steps += [] if agreed else [code(text(lang, "consentimiento")), text(lang, " y luego ")]
    return paragraph([*steps, code(text(lang, "derivar"))])


def _referral_line(unit: Unit, referral: Referral, lang: str) -> str:
    line = f"{referral.code} → {w.institution(unit, referral.peer)} · {w.low(w.term(unit, 'needs', referral.need, lang))} · {w.state(lang, referral)}"
    if referral.state.value == "requested":
        told = text(lang, "entregada") if referral.delivered_at else text(lang, "aún no entregada")
        line += f" ({told}; {text(lang, 'responder antes de {when}', when=w.moment(unit, lang, referral.respond_by))})"
    return line


def referral_card(unit: Unit, referral: Referral, lang: str) -> Message:
    """The card of a referral that came to us: no person before the acceptance, what the task needs after the disclosure."""
    title = text(lang, "{code} · derivación de {institution}", code=referral.code, institution=w.institution(unit, referral.peer))
    head: list[Line] = [[strong(title)], f"{text(lang, 'Estado')}: {w.state(lang, referral)}"]
    if referral.note == "withdrawn":
        kept = text(lang, "Retirada. Una ley obliga a conservar sus datos por un tiempo: están sellados y aquí nadie los ve.")
        gone = text(lang, "Retirada. Aquí ya no queda ningún dato de ella.")
        return message(paragraph([strong(referral.code)], kept if retained(unit, referral.id) else gone))
    head.append(f"{text(lang, 'Necesidad')}: {w.term(unit, 'needs', referral.need, lang)}")
    head.append(f"{text(lang, 'Urgencia')}: {w.term(unit, 'urgencies', referral.urgency, lang)}")
    head += _offer_lines(unit, referral, lang)
    if referral.state in WORKING:
        if referral.by:
            who = w.person(unit, referral.by) or text(lang, "aceptada automáticamente; falta quién la tome")
            head.append(text(lang, "A cargo: {name}", name=who))
        head += _person_lines(unit, referral, lang)
    elif referral.state in OPEN:
        head.append(text(lang, "Responder antes de {when}", when=w.moment(unit, lang, referral.respond_by)))
    blocks: list[Block] = [paragraph(*head)]
    question = next((q for q in open_questions(unit, room_of(unit, "desk")) if q.ref == referral.id and q.kind == "offer"), None)
    if question:
        blocks += [paragraph(text(lang, "Responda aquí en el hilo con el número:")), choices(numbered(question, labels(unit, question, lang)))]
    elif referral.state in WORKING:
        blocks.append(_verbs_line(lang, REFERRAL_VERBS))
    return message(*blocks)


REFERRAL_VERBS = (mark("ver"), mark("decir: …"), mark("pedir … para …"), mark("avance"), mark("resultado"), mark("devolver"))
"""What may be typed in the thread of a referral that was accepted."""


def _verbs_line(lang: str, verbs: tuple[str, ...]) -> Block:
    parts: list[str | Span] = [text(lang, "En este hilo puede escribir: ")]
    for place, verb in enumerate(verbs):
        parts += [" · "] * (place > 0) + [code(text(lang, verb))]
    return paragraph(parts)


def _offer_lines(unit: Unit, referral: Referral, lang: str) -> list[str]:
    offer = referral.offer
    lines = []
    if offer.get("territory"):
        lines.append(text(lang, "Zona: {zone}", zone=str(offer["territory"])))
    for name in ("languages", "accessibility"):
        if offer.get(name):
            lines.append(f"{w.field_label(unit, name, lang)}: {w.value_label(unit, name, ','.join(offer[name]), lang)}")
    return lines


def _person_lines(unit: Unit, referral: Referral, lang: str) -> list[str]:
    """After the disclosure: the name she chose and how to reach her safely. The rest by `ver`."""
    held = held_values(unit, referral.id)
    if not held:
        return [text(lang, "Sus datos llegan en un momento.")]
    lines = []
    for field in ("social_name", "pronouns", "safe_contact", "risk_level", "needs"):
        if field in held and held[field][1]:
            lines.append(f"{w.field_label(unit, field, lang)}: {w.value_label(unit, field, held[field][1], lang)}")
    others = [f for f in held if f not in ("social_name", "pronouns", "safe_contact", "risk_level", "needs")]
    if others:
        lines.append(text(lang, "También llegó: {fields} (escriba «ver» y se lo muestro en privado)", fields=w.field_list(unit, others, lang)))
    return lines
