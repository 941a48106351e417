"""Overviews: what she agreed to, who knows what, and what there is to do. Names and dates; values stay in the direct chat."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from zoneinfo import ZoneInfo

from hub.actions.common import value_of
from hub.actions.ports import Unit
from hub.actions.who_knows import Holding, Knowledge
from hub.base.i18n import plural, text
from hub.cases.lifecycle import WORKING, Side, State
from hub.cases.records import Case, Consent, Referral
from hub.chat import wording as w
from hub.chat.person_texts import SHEET
from hub.chat.plain import Block, Message, code, listing, message, messages, paragraph, strong
from hub.chat.plain import Line as Words


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
        paragraph([text(lang, "Siguiente paso:"), " ", code(f"{text(lang, 'derivar')} {case.code}")]),
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


def knowledge(unit: Unit, lang: str, known: Knowledge) -> tuple[Message, ...]:
    """Each institution and each field it holds, since when, under which protocol version and consent, until when; then what she agreed to."""
    blocks: list[Block] = [paragraph([strong(text(lang, "{code}: quién sabe qué", code=known.case.code))])]
    if not known.holdings and not known.waiting:
        blocks.append(paragraph(text(lang, "Nadie fuera de {here}.", here=unit.me.name)))
    for holding in known.holdings:
        blocks.append(_holding(unit, lang, holding))
    for referral in known.waiting:
        name = w.institution(unit, referral.peer)
        state = w.state(lang, referral)
        line = text(lang, "{institution} ({code}): ningún dato de ella · {state}", institution=name, code=referral.code, state=state)
        blocks.append(paragraph(line))
    for consent in unit.consents.all(case=known.case.id, withdrawn_at=None, order="at"):
        if consent.until > unit.now:
            blocks.append(_agreed(unit, lang, consent))
    return messages(*blocks)


def sheet(unit: Unit, lang: str, known: Knowledge) -> Message:
    """The same for herself, in plain words, to print or read aloud; who was only asked, or declined, is left out (R9, R75)."""
    title = _plain("head", lang, today=w.day(unit, lang, unit.now))
    by_place = groupby(sorted(known.holdings, key=lambda h: h.institution), key=lambda h: h.institution)
    found = [line for place, holdings in by_place for line in _place(unit, lang, place, list(holdings))]
    foot = _plain("foot_kept" if kept(known) else "foot", lang)
    return message(paragraph([strong(title[0])]), paragraph(*(found or _plain("nobody", lang))), paragraph(*foot))


def kept(known: Knowledge) -> list[str]:
    """Who has to keep something of hers by law, whatever she asks for."""
    return sorted({h.institution for h in known.holdings if h.state == "retained"})


def _place(unit: Unit, lang: str, institution: str, holdings: list[Holding]) -> list[str]:
    """What one institution has, a line for each way in which it has it; that it destroyed something only when that was all."""
    states = [state for state in ("active", "retained", "recalled", "overdue") if any(h.state == state for h in holdings)] or ["destroyed"]
    return [line for state in states for line in _stands(unit, lang, institution, [h for h in holdings if h.state == state])]


def _stands(unit: Unit, lang: str, institution: str, holdings: list[Holding]) -> list[str]:
    outcomes = {field: h.disclosure.fields[field] for h in holdings for field in h.fields}
    last = holdings[-1].disclosure
    return _plain(
        holdings[-1].state, lang, place=w.institution(unit, institution), fields=w.low(_held(unit, lang, outcomes)),
        until=w.day(unit, lang, max(h.until for h in holdings)), when=w.day(unit, lang, last.ended_at or last.until),
        basis=w.term(unit, "retention_bases", last.basis or "", lang),
    )  # fmt: skip


def _plain(name: str, lang: str, **params: str) -> list[str]:
    return [line.format(**params) for line in SHEET[name].lines(lang)]


def _holding(unit: Unit, lang: str, holding: Holding) -> Block:
    disclosure = holding.disclosure
    name = w.institution(unit, holding.institution)
    named = {field: disclosure.fields[field] for field in holding.fields}
    lines: list[Words] = [[strong(f"{name} ({holding.referral.code})"), f" · {text(lang, w.HOLDING[holding.state])}"]]
    if holding.state != "destroyed":
        lines.append(text(lang, "Datos: {fields}", fields=_held(unit, lang, named)))
    elif named != disclosure.fields:  # the rest was given anew, and stands there
        lines.append(text(lang, "Se destruyó: {fields}", fields=_held(unit, lang, named)))
    until = disclosure.ended_at if holding.state == "destroyed" and disclosure.ended_at else holding.until
    lines.append(text(lang, "Desde {since}, hasta {until}", since=w.moment(unit, lang, holding.since), until=w.moment(unit, lang, until)))
    if disclosure.ended_at and holding.state in ("destroyed", "retained"):
        lines.append(text(lang, "Confirmado con firma: {when}", when=w.moment(unit, lang, disclosure.ended_at)))
    if holding.state == "retained":
        lines.append(text(lang, "Por qué: {basis}", basis=w.term(unit, "retention_bases", disclosure.basis or "", lang)))
    protocol = unit.pack.protocols.get(disclosure.protocol)
    title = protocol.title.get(lang) if protocol else disclosure.protocol
    lines.append(text(lang, "Protocolo: {protocol}, versión {version}", protocol=title, version=disclosure.protocol_version))
    consent = unit.consents.get(disclosure.consent or "")
    if consent:
        mode = w.low(w.term(unit, "consent_modes", consent.mode, lang))
        lines.append(text(lang, "Su consentimiento: {mode}, {when}", mode=mode, when=w.moment(unit, lang, consent.at)))
    return paragraph(*lines)


def _held(unit: Unit, lang: str, outcomes: Mapping[str, str]) -> str:
    """Each field they hold (name → outcome), and whether whole, in part, or only that it exists."""
    how = {"presence": text(lang, " (solo que hay algo anotado)"), "generalise": text(lang, " (en parte)")}
    return ", ".join(w.field_label(unit, f, lang) + how.get(outcomes[f], "") for f in w.in_order(unit, outcomes))


def _agreed(unit: Unit, lang: str, consent: Consent) -> Block:
    """A living consent, with every field, class by class."""
    names = ", ".join(w.institution(unit, r) for r in consent.recipients)
    head = text(
        lang, "Ella aceptó: a {names}, para {purposes}, hasta {until}.",
        names=names, purposes=_purposes(unit, lang, consent), until=w.moment(unit, lang, consent.until),
    )  # fmt: skip
    return paragraph([strong(head)], *w.by_class(unit, consent.fields, lang))


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
