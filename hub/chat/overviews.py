"""Overviews: what she agreed to, who knows what, and what there is to do. Names and dates; values stay in the direct chat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from zoneinfo import ZoneInfo

from hub.actions.ports import Unit
from hub.actions.who_knows import Holding, Knowledge
from hub.base.i18n import plural, text
from hub.cases.lifecycle import WORKING, Side, State
from hub.cases.records import Case, Consent, Disclosure, Onward, Referral
from hub.chat import seen
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
    for referral, onward in known.passed:
        blocks.append(_passed(unit, lang, referral, onward))
    if known.asked_again:
        again = plural(
            lang, "Se le volvió a preguntar su relato {n} vez.", "Se le volvió a preguntar su relato {n} veces.", known.asked_again
        )  # fmt: skip
        blocks.append(paragraph(again))
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
    through = [line for _, onward in known.passed for line in _through(unit, lang, onward)]
    by_place = groupby(sorted(known.holdings, key=lambda h: h.institution), key=lambda h: h.institution)
    found = [line for place, holdings in by_place for line in _place(unit, lang, place, list(holdings))]
    foot = _plain("foot_kept" if kept(known) else "foot", lang)
    return message(paragraph([strong(title[0])]), paragraph(*([*found, *through] or _plain("nobody", lang))), paragraph(*foot))


def _through(unit: Unit, lang: str, onward: Onward) -> list[str]:
    """What went on with a permission of hers, for herself."""
    state = {"passed": "active", "called_back": "recalled", "ended": "destroyed"}.get(onward.state)
    if state is None:
        return []
    until = w.day(unit, lang, onward.until) if onward.until else ""
    return _plain(
        state, lang, place=w.institution(unit, onward.third), fields=w.low(_held(unit, lang, _going(onward))), until=until,
        when=w.day(unit, lang, unit.now if onward.state != "ended" else onward.ended_at or unit.now), basis="",
    )  # fmt: skip


def kept(known: Knowledge) -> list[str]:
    """Who has to keep something of hers by law, whatever she asks for."""
    return sorted({h.institution for h in known.holdings if h.state == "retained"})


def _place(unit: Unit, lang: str, institution: str, holdings: list[Holding]) -> list[str]:
    """What one institution has, a line for each way in which it has it; that it destroyed something only when that was all."""
    glasses = [h for h in holdings if h.disclosure.glass]
    if glasses:  # what an emergency opened is told by itself: who, what and until when
        told = [line for h in glasses for line in _by_emergency(unit, lang, institution, h)]
        rest = [h for h in holdings if h not in glasses]
        return told + (_place(unit, lang, institution, rest) if rest else [])
    lawful = [line for h in holdings if h.state == "active" and h.disclosure.by_law for line in _by_law(unit, lang, institution, h)]
    if lawful:
        rest = [h for h in holdings if h.state != "active" or set(h.fields) - set(h.disclosure.by_law)]
        rest = [replace(h, fields=tuple(f for f in h.fields if f not in h.disclosure.by_law)) if h.state == "active" else h for h in rest]
        return lawful + (_place(unit, lang, institution, rest) if any(h.state != "destroyed" for h in rest) else [])
    states = [state for state in ("active", "retained", "recalled", "overdue") if any(h.state == state for h in holdings)] or ["destroyed"]
    return [line for state in states for line in _stands(unit, lang, institution, [h for h in holdings if h.state == state])]


def _by_emergency(unit: Unit, lang: str, institution: str, holding: Holding) -> list[str]:
    glass = unit.glasses.get(holding.disclosure.glass)
    fields = w.low(_held(unit, lang, {f: holding.disclosure.fields[f] for f in holding.fields}))
    by = glass.by if glass else w.institution(unit, institution)
    return _plain("emergency", lang, place=w.institution(unit, institution), fields=fields, by=by, until=w.day(unit, lang, holding.until))


def _by_law(unit: Unit, lang: str, institution: str, holding: Holding) -> list[str]:
    """What they have though she did not agree is told apart, with why."""
    disclosure = holding.disclosure
    named = {f: disclosure.fields[f] for f in holding.fields if f in disclosure.by_law}
    if not named:
        return []
    return _plain(
        "by_law", lang, place=w.institution(unit, institution), fields=w.low(_held(unit, lang, named)), basis=_bases(unit, lang, disclosure),
        until=w.day(unit, lang, holding.until),
    )  # fmt: skip


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
    glass = unit.glasses.get(disclosure.glass) if disclosure.glass else None
    if glass is not None:
        lines.append(text(lang, "Por una emergencia: {reason}; lo pidió {by}", reason=text(lang, w.EMERGENCY[glass.reason]), by=glass.by))
    protocol = unit.pack.version(disclosure.protocol, disclosure.protocol_version)
    title = protocol.title.get(lang) if protocol else disclosure.protocol
    lines.append(text(lang, "Protocolo: {protocol}, versión {version}", protocol=title, version=disclosure.protocol_version))
    consent = unit.consents.get(disclosure.consent or "")
    if disclosure.by_law and holding.state != "destroyed":
        lawful = _held(unit, lang, {name: disclosure.fields[name] for name in disclosure.by_law})
        lines.append(text(lang, "Sin su permiso, por ley: {fields} ({basis})", fields=lawful, basis=_bases(unit, lang, disclosure)))
    if consent:
        mode = w.low(w.term(unit, "consent_modes", consent.mode, lang))
        lines.append(text(lang, "Su consentimiento: {mode}, {when}", mode=mode, when=w.moment(unit, lang, consent.at)))
    return paragraph(*lines)


def _bases(unit: Unit, lang: str, disclosure: Disclosure) -> str:
    """The legal bases that let out what she had not agreed to, in words; never the reason that people wrote."""
    rows = [row for name in sorted(disclosure.bases) if (row := unit.bases.get(name))]
    return "; ".join(dict.fromkeys(w.low(w.term(unit, "legal_bases", row.basis, lang)) for row in rows))


def _passed(unit: Unit, lang: str, referral: Referral, onward: Onward) -> Block:
    """A third institution: through whom it has it, and whether it signed that it does not any more."""
    name, via = w.institution(unit, onward.third), w.institution(unit, referral.peer)
    state = text(lang, w.PASSED[onward.state])
    head: Words = [strong(text(lang, "{institution} (por medio de {via}, con su permiso)", institution=name, via=via)), f" · {state}"]
    lines: list[Words] = [head, text(lang, "Datos: {fields}", fields=_held(unit, lang, _going(onward)))]
    if onward.until and onward.state in ("granted", "passed", "called_back"):
        lines.append(text(lang, "A más tardar hasta {until}", until=w.moment(unit, lang, onward.until)))
    return paragraph(*lines)


def _going(onward: Onward) -> dict[str, str]:
    return {field: passage.partition(":")[0] for field, passage in onward.fields.items() if passage}


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
    name = seen.of_case(unit, case.id, "social_name", lang) or text(lang, "restringido")
    return f"{case.code} · {name} · {w.moment(unit, lang, case.next_contact_at)}"


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
