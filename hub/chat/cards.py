"""Cards: the living summary of a case or a referral, root of its thread, redrawn by edit. What the task needs and no more.

The desk card shows the name she chose, need, urgency, times, the safe-contact rule and the code (`keys.md` §6). Everything else is shown by
`ver` in the direct chat.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub.actions.common import living_referrals
from hub.actions.decide import is_ours
from hub.actions.legal_basis import recorded
from hub.actions.legal_hold import retained
from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases.lifecycle import OPEN, WORKING, Side
from hub.cases.records import Case, Referral
from hub.chat import seen
from hub.chat import wording as w
from hub.chat.options import basis_line, labels
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
from hub.chat.told import told_line
from policies.emergency import allows

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
    if is_ours(unit, case):
        only = text(lang, "Restringido: se ve solo en el chat directo de quien lo lleva y de supervisión.")
        who = text(lang, "Responsable: {name}", name=w.person(unit, case.lead))
        return message(paragraph([strong(case.code)], who, only))
    name = seen.of_case(unit, case.id, "social_name", lang)
    head: list[Line] = [[strong(f"{case.code} · {name}")], text(lang, "Responsable: {name}", name=w.person(unit, case.lead))]
    if case.state == "closed":
        head.append(text(lang, "Cerrado: {outcome}", outcome=w.term(unit, "close_outcomes", case.outcome or "", lang)))
    else:
        head.append(text(lang, "Próximo contacto: {when}", when=w.moment(unit, lang, case.next_contact_at)))
    safe = seen.of_case(unit, case.id, "safe_contact", lang)
    if safe:
        head.append([strong(text(lang, "Contacto seguro:")), " " + safe])
    for field in _CARD_FIELDS:
        value = seen.of_case(unit, case.id, field, lang)
        if value:
            head.append(f"{w.field_label(unit, field, lang)}: {value}")
    for row in recorded(unit, case.id):
        head.append(text(lang, "Base legal, sin su permiso: {line}", line=basis_line(unit, row, lang)))
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
        blocks.append(_verbs_line(lang, (*REFERRAL_VERBS, *_if_allowed(unit, referral), GIVE_BACK)))
    return message(*blocks)


def parent_of(unit: Unit, child: Referral) -> Referral | None:
    """Of a referral of ours under another owner's grant: the one that brought her here."""
    onward = unit.onwards.get(str(child.offer.get("onward", "")))
    return unit.referrals.get(onward.referral) if onward else None


REFERRAL_VERBS = (mark("ver"), mark("decir: …"), mark("pedir … para …"), mark("avance"), mark("resultado"))
GIVE_BACK = mark("devolver")
"""What may be typed in the thread of a referral that was accepted."""


def _if_allowed(unit: Unit, referral: Referral) -> Iterator[str]:
    """What only some protocols speak of: passing it on, and opening a field in an emergency. Whether it is so now is asked when it is typed."""
    protocol = unit.pack.between(referral.peer).protocols.get(referral.protocol)
    if protocol is None:
        return
    if protocol.onward and not any(row.owner for row in unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT)):
        yield mark("compartir")
    glass = protocol.break_glass
    asked = [(field, role) for field in sorted(glass.fields) for role in sorted(glass.roles)] if glass else []
    if any(allows(protocol, field, unit.me.kind, referral.purpose, referral.need, role) for field, role in asked):
        yield mark("emergencia")


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
            lines.append(f"{w.field_label(unit, name, lang)}: {seen.words(unit, seen.OFFER, name, ','.join(offer[name]), lang)}")
    return lines


_SHOWN = ("social_name", "pronouns", "safe_contact", "risk_level", "needs")


def _person_lines(unit: Unit, referral: Referral, lang: str) -> list[str]:
    """After the disclosure: the name she chose and how to reach her safely. The rest by `ver`."""
    held = seen.held(unit, referral.id, lang)
    if not held:
        return [text(lang, "Sus datos llegan en un momento.")]
    lines = []
    for field in _SHOWN:
        if held.get(field):
            lines.append(f"{w.field_label(unit, field, lang)}: {held[field]}")
    told = told_line(unit, referral, lang)
    lines += [told] if told else []
    others = [f for f in held if f not in (*_SHOWN, "account", "account_source")]
    if others:
        lines.append(text(lang, "También llegó: {fields} (escriba «ver» y se lo muestro en privado)", fields=w.field_list(unit, others, lang)))
    return lines + _whose(unit, referral, lang)


def _whose(unit: Unit, referral: Referral, lang: str) -> list[str]:
    """Whose data they are when somebody passed them on, and when they die here by themselves: the last first end, not the longest."""
    active = unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT, state="active", order="until")
    owners = sorted({d.owner for d in active if d.owner})
    lines = [
        text(
            lang, "Estos datos son de {owner}; {institution} los pasó con su permiso firmado. No se pueden pasar a nadie más.",
            owner=w.institution(unit, owner), institution=w.institution(unit, referral.peer),
        )
        for owner in owners
    ]  # fmt: skip
    for end in sorted({d.until for d in active}):
        some = {f for d in active if d.until == end for f in d.fields}
        which = text(lang, "Sus datos") if len({d.until for d in active}) == 1 else w.field_list(unit, some, lang)
        lines.append(text(lang, "{fields}: se destruyen aquí solos el {until}.", fields=which, until=w.moment(unit, lang, end)))
    return lines
