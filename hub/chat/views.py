"""Longer answers: the preview of a referral, who knows what, what a withdrawal stops, values shown, lists."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hub.actions.common import value_of
from hub.actions.decide import candidates
from hub.actions.ports import Unit
from hub.actions.refer import Draft
from hub.actions.show_value import Values
from hub.actions.who_knows import Holding, Knowledge
from hub.actions.withdraw import Stops
from hub.base.i18n import mark, plural, text
from hub.cases.commands import BadArgument, Refer
from hub.cases.lifecycle import WORKING, Side, State
from hub.cases.records import Case, Consent, Referral
from hub.chat import verbs
from hub.chat import wording as w
from hub.chat.here import Here
from hub.chat.names import find
from hub.chat.options import ask_her, labels
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
from hub.chat.plain import value as clean
from hub.chat.posting import numbered
from policies.explain import explain
from policies.preview import Line


def preview(unit: Unit, here: Here, draft: Draft) -> Message:
    """What the recipient will see, what is generalised, what stays home and by which rule, who is there, what is missing."""
    lang, referral, case = here.lang, draft.referral, draft.ruling.case
    name, need = w.institution(unit, referral.peer), w.term(unit, "needs", referral.need, lang)
    title = text(lang, "Vista previa · {code} → {institution} por {need}", code=case.code, institution=name, need=w.low(need))
    blocks: list[Block] = [paragraph([strong(title)])]
    shown = _leaves(unit, lang, draft)
    if shown:
        blocks += [paragraph(text(lang, "Primero va una oferta sin ningún dato de ella. Si aceptan, verán:")), listing(shown)]
    stays = [*_held_back(unit, lang, draft), *_stays(unit, lang, draft)]
    if stays:
        blocks += [paragraph(text(lang, "No sale:")), listing(stays)]
    if not draft.ready:
        return message(*blocks, _nothing_leaves(lang, draft))
    if draft.preview.consent_missing:
        blocks.append(paragraph([text(lang, "Si ella también quiere compartir eso:"), " ", code(f"consentimiento {case.code}")]))
    blocks.append(paragraph(*_there(unit, lang, draft)))
    question = ask_her(unit, here, "refer", referral.id, ("confirm", "edit", "cancel"), case.code)
    return message(*blocks, choices(numbered(question, labels(unit, question, lang))))


def _leaves(unit: Unit, lang: str, draft: Draft) -> list[str]:
    """Fields in the order of the vocabulary: as they are, then generalised, then those of which only the existence is told."""
    seen, general, presence = (_in_order(unit, lines) for lines in (draft.preview.seen, draft.preview.generalised, draft.preview.presence))
    shown = [*(_shown(unit, line, lang) for line in seen), *(_general(unit, line, lang) for line in general)]
    return shown + [text(lang, "{field}: solo que existe", field=w.field_label(unit, line.field, lang)) for line in presence]


def _in_order(unit: Unit, lines: tuple[Line, ...]) -> list[Line]:
    order = list(unit.pack.vocabulary.fields)
    return sorted(lines, key=lambda line: order.index(line.field) if line.field in order else len(order))


def _held_back(unit: Unit, lang: str, draft: Draft) -> list[str]:
    """What the caseworker herself took out, first of what does not leave."""
    fields = tuple(draft.referral.offer.get("held_back", ()))
    return [text(lang, "{fields}: usted decidió no enviarlo.", fields=w.field_list(unit, fields, lang))] if fields else []


def _stays(unit: Unit, lang: str, draft: Draft) -> list[str]:
    """What stays home, one line for each reason, so that a long list can be read at a glance."""
    reasons: dict[str, list[str]] = {}
    for line in draft.preview.withheld:
        reasons.setdefault(explain(line.reason, lang, unit.pack.vocabulary), []).append(line.field)
    return [f"{w.field_list(unit, fields, lang)}: {why}" for why, fields in reasons.items()]


def _nothing_leaves(lang: str, draft: Draft) -> Block:
    code_ = draft.ruling.case.code
    if draft.referral.offer.get("held_back"):
        return paragraph([text(lang, "Así no queda nada que enviar. Para empezar de nuevo:"), " ", code(f"derivar {code_}")])
    return paragraph([text(lang, "Así no llegaría nada: falta su consentimiento. Siguiente paso:"), " ", code(f"consentimiento {code_}")])


def _there(unit: Unit, lang: str, draft: Draft) -> list[str]:
    """Who is there to receive it, and who else could."""
    lines = [_duty(unit, lang, draft)]
    if draft.alternatives:
        lines.append(text(lang, "También pueden: {others}", others=", ".join(w.institution(unit, peer) for peer in draft.alternatives)))
    return lines


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


def _duty(unit: Unit, lang: str, draft: Draft) -> str:
    duty = draft.duty
    if duty.get("on"):
        roles = ", ".join(text(lang, w.ROLES.get(role, role)) for role in duty.get("roles", []))
        return text(lang, "De guardia allá ahora: {roles}", roles=roles)
    following = str(duty.get("next") or "")
    if following:
        return text(lang, "Nadie de guardia allá ahora; sigue: {next}", next=following)
    return text(lang, "Nadie de guardia allá ahora; la verán al volver. Si no responden a tiempo, le aviso.")


def consent_done(unit: Unit, lang: str, case: Case, consent: Consent) -> Message:
    """What was recorded, read back; a long list of fields is cut, `quién sabe` shows it whole."""
    names = ", ".join(w.institution(unit, r) for r in consent.recipients)
    mode = w.low(w.term(unit, "consent_modes", consent.mode, lang))
    return message(
        paragraph(
            text(lang, "{code}: consentimiento anotado ({mode}).", code=case.code, mode=mode),
            text(lang, "A: {names}. Para: {purposes}.", names=names, purposes=_purposes(unit, lang, consent)),
            _short_fields(unit, lang, case, consent),
            text(lang, "Hasta: {when}. Puede retirarse cuando ella quiera: «retirar».", when=w.moment(unit, lang, consent.until)),
        ),
        paragraph([text(lang, "Siguiente paso:"), " ", code(f"derivar {case.code}")]),
    )


MOST_NAMED = 8
"""A longer list of fields is not read; the rest is counted."""


def _short_fields(unit: Unit, lang: str, case: Case, consent: Consent) -> str:
    fields = w.in_order(unit, consent.fields)
    if len(fields) <= MOST_NAMED:
        return text(lang, "Datos: {fields}.", fields=w.field_list(unit, fields, lang))
    kept = [f for f in fields if unit.fields.one(case=case.id, field=f)][:MOST_NAMED]
    named = kept or fields[:MOST_NAMED]
    more = plural(lang, "y {n} más", "y {n} más", len(fields) - len(named))
    return text(
        lang, "Datos: {fields} {more}; la lista completa: «quién sabe {code}».", fields=w.field_list(unit, named, lang), more=more, code=case.code
    )  # fmt: skip


def _purposes(unit: Unit, lang: str, consent: Consent) -> str:
    return ", ".join(w.low(w.term(unit, "purposes", p, lang)) for p in consent.purposes)


MOST_PLACES = 12


def where_to(unit: Unit, here: Here, case: Case, command: Refer) -> Message:
    """`derivar` without a place or a need: what is possible, by number, without the institutions that a conflict of interest excludes."""
    lang = here.lang
    found = [
        (peer, need)
        for need in unit.pack.vocabulary.needs
        if command.need in (None, need)
        for peer in candidates(unit, case, need)
        if command.to in (None, peer)
    ]
    asked = (value_of(unit, case.id, "needs") or "").split(",")
    found = sorted(found, key=lambda pair: pair[1] not in asked)[:MOST_PLACES]
    if not found:
        return message(paragraph(text(lang, "{code}: no hay ninguna institución enlazada que pueda recibir eso.", code=case.code)))
    question = ask_her(unit, here, "where", case.id, [f"{peer}|{need}" for peer, need in found], case.code)
    head = text(lang, "{code}: ¿a quién y por qué? Responda con el número; primero le muestro lo que saldría.", code=case.code)
    return message(paragraph(head), choices(numbered(question, labels(unit, question, lang))))


def knowledge(unit: Unit, lang: str, known: Knowledge) -> tuple[Message, ...]:
    """Each institution and each field it holds, since when, under which protocol version and consent, until when; then what she agreed to."""
    blocks: list[Block] = [paragraph([strong(text(lang, "{code}: quién sabe qué", code=known.case.code))])]
    if not known.holdings and not known.waiting:
        blocks.append(paragraph(text(lang, "Nadie fuera de {here}.", here=unit.me.name)))
    for holding in known.holdings:
        blocks.append(_holding(unit, lang, holding))
    for referral in known.waiting:
        name = w.institution(unit, referral.peer)
        line = text(lang, "{institution} ({code}): ningún dato de ella · {state}", institution=name, code=referral.code, state=w.state(lang, referral))
        blocks.append(paragraph(line))
    for consent in unit.consents.all(case=known.case.id, withdrawn_at=None, order="at"):
        if consent.until > unit.now:
            blocks.append(_agreed(unit, lang, consent))
    return messages(*blocks)


def _holding(unit: Unit, lang: str, holding: Holding) -> Block:
    disclosure = holding.disclosure
    name = w.institution(unit, holding.institution)
    lines: list[Words] = [[strong(f"{name} ({holding.referral.code})"), f" · {text(lang, w.HOLDING[holding.state])}"]]
    if holding.state != "destroyed":
        lines.append(text(lang, "Datos: {fields}", fields=_held(unit, lang, holding)))
    lines.append(text(lang, "Desde {since}, hasta {until}", since=w.moment(unit, lang, holding.since), until=w.moment(unit, lang, holding.until)))
    if disclosure.ended_at and holding.state in ("destroyed", "retained"):
        lines.append(text(lang, "Confirmado con firma: {when}", when=w.moment(unit, lang, disclosure.ended_at)))
    protocol = unit.pack.protocols.get(disclosure.protocol)
    title = protocol.title.get(lang) if protocol else disclosure.protocol
    lines.append(text(lang, "Protocolo: {protocol}, versión {version}", protocol=title, version=disclosure.protocol_version))
    consent = unit.consents.get(disclosure.consent or "")
    if consent:
        mode = w.low(w.term(unit, "consent_modes", consent.mode, lang))
        lines.append(text(lang, "Su consentimiento: {mode}, {when}", mode=mode, when=w.moment(unit, lang, consent.at)))
    return paragraph(*lines)


def _held(unit: Unit, lang: str, holding: Holding) -> str:
    """Each field they hold, and whether whole, in part, or only that it exists."""
    how = {"presence": text(lang, " (solo que existe)"), "generalise": text(lang, " (en parte)")}
    outcomes = holding.disclosure.fields
    return ", ".join(w.field_label(unit, f, lang) + how.get(outcomes[f], "") for f in w.in_order(unit, holding.fields))


def _agreed(unit: Unit, lang: str, consent: Consent) -> Block:
    """A living consent, with every field, class by class."""
    names = ", ".join(w.institution(unit, r) for r in consent.recipients)
    head = text(
        lang, "Ella aceptó: a {names}, para {purposes}, hasta {until}.",
        names=names, purposes=_purposes(unit, lang, consent), until=w.moment(unit, lang, consent.until),
    )  # fmt: skip
    return paragraph([strong(head)], *w.by_class(unit, consent.fields, lang))


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
    question = ask_her(unit, here, "withdraw", withdrawal_ref(stops, recipient), ("confirm", "cancel"), stops.case.code)
    return message(paragraph(*lines), choices(numbered(question, labels(unit, question, lang))))


def withdrawal_ref(stops: Stops, recipient: str | None) -> str:
    """What the question about a withdrawal is about; read again by `choose`."""
    return f"{stops.case.id}|{recipient or ''}|{','.join(stops.fields)}"


def take_back(unit: Unit, here: Here, referral: Referral) -> Message:
    """An offer that left but that nobody accepted: taken back by number."""
    lang = here.lang
    head = text(
        lang, "{code} ya salió hacia {institution}; la oferta no lleva ningún dato de ella. ¿La cancelo? Se les avisa.",
        code=referral.code, institution=w.institution(unit, referral.peer),
    )  # fmt: skip
    question = ask_her(unit, here, "take_back", referral.id, ("confirm", "cancel"), referral.code)
    return message(paragraph(head), choices(numbered(question, labels(unit, question, lang))))


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
    """What to do: contacts of today, what waits for an answer, what is in care here, then the later dates."""
    zone = ZoneInfo(unit.me.zone)
    today = unit.now.astimezone(zone).date()
    cases = unit.cases.all(state="open", order="next_contact_at")
    due = [c for c in cases if c.next_contact_at.astimezone(zone).date() <= today]
    referrals = unit.referrals.all(side=Side.RECIPIENT, order="respond_by")
    waiting = [_referral_row(unit, r, lang) for r in referrals if r.state is State.RECEIVED]
    later = [c for c in cases if c not in due]
    groups = (
        (text(lang, "Para hoy:"), [_case_row(unit, c, lang) for c in due]),
        (text(lang, "Por responder:"), waiting + _asked_rows(unit, lang)),
        (text(lang, "En atención aquí:"), [_referral_row(unit, r, lang) for r in referrals if r.state in WORKING]),
        (text(lang, "Más adelante:"), [_case_row(unit, c, lang) for c in later]),
    )
    blocks: list[Block] = []
    for head, rows in groups:
        more = [plural(lang, "y {n} más", "y {n} más", len(rows) - MOST_ROWS)] if len(rows) > MOST_ROWS else []
        blocks += [paragraph([strong(head)]), listing(rows[:MOST_ROWS] + more)] if rows else []
    return message(*blocks) if blocks else message(paragraph(text(lang, "No hay nada pendiente.")))


MOST_ROWS = 8


def _case_row(unit: Unit, case: Case, lang: str) -> str:
    return f"{case.code} · {value_of(unit, case.id, 'social_name') or ''} · {w.moment(unit, lang, case.next_contact_at)}"


def _asked_rows(unit: Unit, lang: str) -> list[str]:
    """Fields that another institution asks us for."""
    asked = [(a, unit.referrals.get(a.referral)) for a in unit.asks.all(state="open", side=Side.SENDER, order="at")]
    return [
        f"{r.code} · {text(lang, '{institution} pide: {field}', institution=w.institution(unit, r.peer), field=w.field_label(unit, a.field, lang))}"
        for a, r in asked
        if r is not None and r.ended_at is None
    ]


def _referral_row(unit: Unit, referral: Referral, lang: str) -> str:
    line = f"{referral.code} · {w.institution(unit, referral.peer)} · {w.low(w.term(unit, 'needs', referral.need, lang))}"
    if referral.state is State.RECEIVED:
        return f"{line} · {text(lang, 'antes de {when}', when=w.moment(unit, lang, referral.respond_by))}"
    return f"{line} · {w.state(lang, referral)}"


def bad_argument(unit: Unit, lang: str, command: BadArgument) -> Message:
    """One part was not understood or is missing: which, an example, and the nearest readings."""
    given = clean(command.given, 60)
    template = (MISSING.get(command.verb) if not given or command.what == "yes_no" else None) or MISREAD.get(command.what, MISREAD["extra"])
    if command.what == "value" and find(given, w.field_names(unit)).id is not None:
        template = MISREAD["no_value"]
    verb = verbs.BY_KEY[command.verb].label(lang) if command.verb in verbs.BY_KEY else command.verb
    head = text(lang, template, given=given, verb=verb)
    names = [_suggested(unit, lang, command.what, s) for s in command.suggestions]
    more = [text(lang, "¿Quiso decir: {names}?", names=", ".join(names))] if names else []
    return message(paragraph(head, *more))


MISSING = {
    "set": mark("¿Qué dato anoto? Por ejemplo: «anotar riesgo: alto». Para ver los que hay: «ayuda anotar»."),
    "say": mark("Falta el mensaje. Escriba «decir: …»."),
    "duty": mark("Escriba «guardia sí» o «guardia no»."),
}
"""A verb alone that needs more."""
MISREAD = {
    "date": mark("No entendí la fecha «{given}». Por ejemplo: mañana a las 10, el lunes, en 3 días."),
    "date_past": mark("Esa fecha ya pasó. Escriba una por venir, por ejemplo «mañana a las 10»."),
    "date_far": mark("Esa fecha queda demasiado lejos. Escriba una más cercana."),
    "institution": mark("No conozco la institución «{given}»; no salió nada. Para ver a cuáles se puede: «derivar» con el código del caso."),
    "need": mark("No entendí la necesidad «{given}». Escriba «derivar» con el código y le muestro las que hay."),
    "purpose": mark("No entendí para qué: «{given}». Escriba «consentimiento» con el código y le pregunto paso a paso."),
    "mode": mark("No entendí «{given}». ¿Cómo lo dio: oral, escrito o por representante?"),
    "field": mark("No conozco el dato «{given}». Para ver los que hay: «ayuda anotar»."),
    "value": mark("No conozco «{given}» como respuesta a ese dato; no anoté nada. Pruebe con otra palabra."),
    "no_value": mark("Falta lo que anoto. Por ejemplo: «anotar {given}: …»."),
    "name": mark("Ese nombre es muy largo. Basta uno corto, puede ser inventado."),
    "explicit": mark("No envié nada: parecía una nota entre ustedes. Para enviarlo escriba «decir: …»."),
    "extra": mark("No entendí «{given}», así que no hice nada. Para ver cómo se escribe: «ayuda {verb}»."),
}
"""What was not understood, by `BadArgument.what`."""
_LISTS = {"need": "needs", "purpose": "purposes", "mode": "consent_modes"}


def _suggested(unit: Unit, lang: str, what: str, found: str) -> str:
    if what == "institution":
        return w.named(unit, found)
    if what == "field":
        return w.field_label(unit, found, lang)
    lists = unit.pack.vocabulary.lists
    name = _LISTS.get(what) or next((f.codes for f in unit.pack.vocabulary.fields.values() if f.codes and found in lists[f.codes]), None)
    return w.term(unit, name, found, lang) if name else found
