"""Longer answers: the preview of a referral, who knows what, what a withdrawal stops, values shown, lists."""

from __future__ import annotations

from hub.actions.common import value_of
from hub.actions.decide import candidates
from hub.actions.ports import Unit
from hub.actions.refer import Draft
from hub.actions.show_value import Values
from hub.actions.who_knows import Holding, Knowledge
from hub.actions.withdraw import Stops
from hub.base.i18n import plural, text
from hub.cases.commands import BadArgument, Refer
from hub.cases.records import Case, Consent
from hub.chat import wording as w
from hub.chat.here import Here
from hub.chat.plain import (
    Block,
    Message,
    choices,
    code,
    listing,
    message,
    messages,
    paragraph,
    strong,
)
from hub.chat.plain import Line as Words
from hub.chat.posting import ask, numbered
from policies.explain import explain
from policies.preview import Line


def preview(unit: Unit, here: Here, draft: Draft) -> Message:
    """What the recipient will see, what is generalised, what stays home and by which rule, who is there, what is missing."""
    lang, referral, ruling = here.lang, draft.referral, draft.ruling
    name = w.institution(unit, referral.peer)
    need = w.term(unit, "needs", referral.need, lang)
    title = text(lang, "Vista previa · {code} → {institution} por {need}", code=ruling.case.code, institution=name, need=need)
    blocks: list[Block] = [paragraph([strong(title)], text(lang, "Primero va una oferta sin ningún dato de ella. Si aceptan, llega esto:"))]
    shown = [*(_shown(unit, line, lang) for line in draft.preview.seen), *(_general(unit, line, lang) for line in draft.preview.generalised)]
    shown += [text(lang, "{field}: solo que existe", field=w.field_label(unit, line.field, lang)) for line in draft.preview.presence]
    blocks += [paragraph(text(lang, "Verán:")), listing(shown or [text(lang, "nada")])]
    if draft.preview.withheld:
        blocks += [paragraph(text(lang, "No sale:")), listing([_withheld(unit, line, lang) for line in draft.preview.withheld])]
    blocks.append(paragraph(_duty(unit, lang, draft)))
    if draft.alternatives:
        others = ", ".join(w.institution(unit, peer) for peer in draft.alternatives)
        blocks.append(paragraph(text(lang, "También pueden: {others}", others=others)))
    if not draft.ready:
        blocks.append(paragraph([text(lang, "Así no llegaría nada: falta su consentimiento. Siguiente paso:"), " ", code(f"consentimiento {ruling.case.code}")]))
        return message(*blocks)
    if draft.preview.consent_missing:
        missing = w.field_list(unit, draft.preview.consent_missing, lang)
        blocks.append(paragraph(text(lang, "Falta su consentimiento para: {fields}", fields=missing)))
    question = ask(unit, here.room, "refer", referral.id, ("confirm", "edit", "cancel"), ruling.case.code, asked=here.person.id)
    labels = [text(lang, "enviar la oferta"), text(lang, "quitar algún dato"), text(lang, "cancelar")]
    return message(*blocks, choices(numbered(question, labels)))


def _shown(unit: Unit, line: Line, lang: str) -> str:
    """Identifiers are named, not shown: values appear only in the direct chat."""
    label = w.field_label(unit, line.field, lang)
    field = unit.pack.vocabulary.fields.get(line.field)
    if field is None or (field.person_identifying and line.field not in ("social_name", "safe_contact")) or field.sensitivity == "critical":
        return label
    return f"{label}: {w.value_label(unit, line.field, line.value or '', lang)}"


def _general(unit: Unit, line: Line, lang: str) -> str:
    label = w.field_label(unit, line.field, lang)
    return text(lang, "{field}: «{value}» (generalizado)", field=label, value=w.value_label(unit, line.field, line.value or "", lang))


def _withheld(unit: Unit, line: Line, lang: str) -> str:
    return f"{w.field_label(unit, line.field, lang)}: {explain(line.reason, lang, unit.pack.vocabulary)}"


def _duty(unit: Unit, lang: str, draft: Draft) -> str:
    duty = draft.duty
    if duty.get("on"):
        roles = ", ".join(text(lang, w.ROLES.get(role, role)) for role in duty.get("roles", []))
        return text(lang, "De guardia allá: {roles}", roles=roles)
    following = str(duty.get("next") or "")
    if following:
        return text(lang, "Nadie de guardia allá ahora; sigue: {next}", next=following)
    return text(lang, "Nadie de guardia allá ahora; la verán al volver. Si no responden a tiempo, avisa el hub.")


def consent_done(unit: Unit, lang: str, case: Case, consent: Consent) -> Message:
    """What was recorded, read back."""
    names = ", ".join(w.institution(unit, r) for r in consent.recipients)
    purposes = ", ".join(w.term(unit, "purposes", p, lang) for p in consent.purposes)
    return message(
        paragraph(
            text(lang, "{code}: consentimiento anotado ({mode}).", code=case.code, mode=w.term(unit, "consent_modes", consent.mode, lang)),
            text(lang, "A: {names}. Para: {purposes}.", names=names, purposes=purposes),
            text(lang, "Datos: {fields}.", fields=w.field_list(unit, consent.fields, lang)),
            text(lang, "Hasta: {when}. Puede retirarse cuando ella quiera: «retirar».", when=w.moment(unit, lang, consent.until)),
        ),
        paragraph([text(lang, "Siguiente paso:"), " ", code(f"derivar {case.code} a … por …")]),
    )


def where_to(unit: Unit, lang: str, case: Case, command: Refer) -> Message:
    """`derivar` without a place or a need: what is possible, without the institutions that a conflict of interest excludes."""
    lines = []
    for need, term in unit.pack.vocabulary.needs.items():
        found = candidates(unit, case, need)
        if command.need in (None, need) and found and command.to in (None, *found):
            lines.append(f"{term.label.get(lang)}: {', '.join(w.institution(unit, p) + ' (' + p + ')' for p in found)}")
    if not lines:
        return message(paragraph(text(lang, "{code}: no hay ninguna institución enlazada que pueda recibir eso.", code=case.code)))
    head = text(lang, "{code}: ¿a quién y por qué necesidad? Escriba «derivar {code} a … por …». Se puede:", code=case.code)
    return message(paragraph(head), listing(lines[:20]))


def knowledge(unit: Unit, lang: str, known: Knowledge) -> tuple[Message, ...]:
    """Each institution and each field it holds, since when, under which protocol version and consent, until when."""
    blocks: list[Block] = [paragraph([strong(text(lang, "{code}: quién sabe qué", code=known.case.code))])]
    if not known.holdings and not known.waiting:
        blocks.append(paragraph(text(lang, "Nadie fuera de {here}.", here=unit.me.name)))
    for holding in known.holdings:
        blocks.append(_holding(unit, lang, holding))
    for referral in known.waiting:
        name = w.institution(unit, referral.peer)
        line = text(lang, "{institution} ({code}): ningún dato de ella · {state}", institution=name, code=referral.code, state=w.state(lang, referral))
        blocks.append(paragraph(line))
    return messages(*blocks)


def _holding(unit: Unit, lang: str, holding: Holding) -> Block:
    disclosure = holding.disclosure
    name = w.institution(unit, holding.institution)
    lines: list[Words] = [[strong(f"{name} ({holding.referral.code})"), f" · {text(lang, w.HOLDING[holding.state])}"]]
    if holding.state not in ("destroyed",):
        lines.append(text(lang, "Datos: {fields}", fields=w.field_list(unit, holding.fields, lang)))
    since = text(lang, "Desde {since}, hasta {until}", since=w.moment(unit, lang, holding.since), until=w.moment(unit, lang, holding.until))
    basis = text(lang, "protocolo {protocol} v{version}", protocol=disclosure.protocol, version=disclosure.protocol_version)
    consent = unit.consents.get(disclosure.consent or "")
    if consent:
        given = text(lang, "consentimiento {mode} del {when}", mode=w.term(unit, "consent_modes", consent.mode, lang), when=w.moment(unit, lang, consent.at))
        basis = f"{basis}, {given}"
    if disclosure.ended_at and holding.state in ("destroyed", "retained"):
        lines.append(text(lang, "Confirmado con firma: {when}", when=w.moment(unit, lang, disclosure.ended_at)))
    return paragraph(*lines, since, basis)


def withdrawal(unit: Unit, here: Here, stops: Stops, recipient: str | None) -> Message:
    """What a withdrawal stops, and the numbers to confirm it."""
    lang = here.lang
    names = ", ".join(w.institution(unit, r) for r in stops.recipients)
    what = w.field_list(unit, stops.fields, lang) if stops.fields else text(lang, "todo")
    lines = [text(lang, "{code}: se retira {what} de {names}.", code=stops.case.code, what=what, names=names)]
    if stops.disclosures:
        lines.append(text(lang, "Deberán destruir lo que tienen y confirmarlo con firma."))
    for referral in stops.referrals:
        if not stops.fields:
            need = w.term(unit, "needs", referral.need, lang)
            lines.append(text(lang, "Se detiene {code} ({need}) en {institution}.", code=referral.code, need=need, institution=w.institution(unit, referral.peer)))
    if stops.checkins:
        lines.append(plural(lang, "Queda {n} contacto de seguimiento suyo con ella.", "Quedan {n} contactos de seguimiento suyos con ella.", stops.checkins))
    lines.append(text(lang, "Lo que alguien ya leyó o anotó fuera no se puede borrar."))
    ref = f"{stops.case.id}|{recipient or ''}|{','.join(stops.fields)}"
    question = ask(unit, here.room, "withdraw", ref, ("confirm", "cancel"), stops.case.code, asked=here.person.id)
    return message(paragraph(*lines), choices(numbered(question, [text(lang, "retirar"), text(lang, "no retirar nada")])))


def shown(unit: Unit, lang: str, found: Values, minutes: int) -> Message:
    """Values in the direct chat, with their end."""
    lines: list[Words] = []
    order = list(unit.pack.vocabulary.fields)
    for field in sorted(found.values, key=lambda f: order.index(f) if f in order else 999):
        outcome, value = found.values[field]
        words = text(lang, "existe, pero no se compartió") if outcome == "presence" else w.value_label(unit, field, value, lang)
        lines.append([strong(w.field_label(unit, field, lang) + ":"), f" {words}"])
    foot = text(lang, "Este mensaje se borra en {minutes} minutos. Quedó registrado que lo vio.", minutes=minutes)
    return message(paragraph([strong(found.code)]), listing(lines), paragraph(foot))


def case_list(unit: Unit, lang: str) -> Message:
    """Open cases by next date, and what waits for an answer here."""
    cases = unit.cases.all(state="open", order="next_contact_at", limit=20)
    waiting = [r for r in unit.referrals.all(side="recipient", order="respond_by") if r.state.value in ("received", "accepted", "in-progress", "on-hold")]
    lines = [f"{c.code} · {value_of(unit, c.id, 'social_name') or ''} · {w.moment(unit, lang, c.next_contact_at)}" for c in cases]
    lines += [f"{r.code} · {w.institution(unit, r.peer)} · {w.state(lang, r)}" for r in waiting[:20]]
    if not lines:
        return message(paragraph(text(lang, "No hay nada pendiente.")))
    return message(paragraph(text(lang, "Pendientes:")), listing(lines))


def bad_argument(unit: Unit, lang: str, command: BadArgument) -> Message:
    """One part was not understood: which, and the nearest readings."""
    heads = {
        "date": text(lang, "No entendí la fecha «{given}». Por ejemplo: mañana a las 10, el lunes, en 3 días.", given=command.given[:60]),
        "past": text(lang, "Esa fecha ya pasó. Escriba una por venir."),
        "institution": text(lang, "No conozco la institución «{given}».", given=command.given[:60]),
        "field": text(lang, "No conozco el dato «{given}».", given=command.given[:60]),
        "explicit": text(lang, "No envié nada: parecía una nota entre ustedes. Para enviarlo escriba «decir: …»."),
    }
    head = heads.get(command.what, text(lang, "No entendí «{given}». Escriba «ayuda {verb}».", given=command.given[:60], verb=command.verb))
    names = [_suggested(unit, lang, command.what, s) for s in command.suggestions]
    more = [text(lang, "¿Quiso decir: {names}?", names=", ".join(names))] if names else []
    return message(paragraph(head, *more))


def _suggested(unit: Unit, lang: str, what: str, found: str) -> str:
    if what == "institution":
        return f"{w.institution(unit, found)} ({found})"
    return w.field_label(unit, found, lang) if what == "field" else found
