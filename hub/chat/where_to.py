"""`derivar` without a place, or `a quién derivo`: who could take her, by number, in the order of the route; and who can only be called."""

from __future__ import annotations

from datetime import timedelta

from hub.actions.decide import candidates, rule
from hub.actions.ports import Unit
from hub.actions.suggest_route import ByPhone, Suggested, proposable, suggest_route
from hub.base.i18n import plural, text
from hub.cases.commands import Refer
from hub.cases.records import Case
from hub.chat import seen
from hub.chat import wording as w
from hub.chat.here import Here
from hub.chat.options import ask_her, labels
from hub.chat.plain import Block, Message, choices, message, paragraph
from hub.chat.posting import numbered
from hub.chat.views import AGREED

MOST_PLACES = 12
MOST_CALLS = 4


def where_to(unit: Unit, here: Here, case: Case, command: Refer) -> Message:
    """What is possible for what she asked for; without a word of hers, for every need that somebody linked can serve."""
    lang, needs = here.lang, unit.pack.vocabulary.needs
    wanted = [command.need] if command.need else [need for need in seen.asked_for(unit, case.id) if need in needs and command.to is None]
    ways = [suggest_route(unit, case, need) for need in wanted or proposable(unit, case)]
    found = [(peer, way.need) for way in ways for peer in way.linked]
    if command.to is not None:  # she chose whom herself: then whatever a protocol covers
        found = [(command.to, way.need) for way in ways if command.to in candidates(unit, case, way.need)]
    found = found[:MOST_PLACES]
    # A telephone is named only for what somebody asked for: that of every need would be the whole country's directory.
    calls = [line for way in ways if wanted and command.to is None for line in _calls(unit, lang, way)]
    calls += [text(lang, "Por otra cosa: «derivar {code} por …».", code=case.code)] if wanted and command.need is None else []
    if not found:
        head = text(lang, "{code}: no hay ninguna institución enlazada que pueda recibir eso.", code=case.code)
        return message(paragraph(head), *_last(calls))
    question = ask_her(unit, here, "where", case.id, [f"{peer}|{need}" for peer, need in found], case.code)
    head = text(lang, "{code}: ¿a quién y por qué? Responda con el número; primero le muestro lo que saldría.", code=case.code)
    shown = [f"{label}{_without_her(unit, case, peer, need, lang)}" for label, (peer, need) in zip(labels(unit, question, lang), found, strict=True)]
    return message(paragraph(head), choices(numbered(question, shown)), *_last(calls))


def _without_her(unit: Unit, case: Case, peer: str, need: str, lang: str) -> str:
    """Beside a step that she has not agreed to, for this institution and this purpose, and that no recorded legal basis opens either."""
    ruling = rule(unit, case, peer, need)
    return "" if ruling.consent_state == AGREED or ruling.by_law else f" ({text(lang, 'falta su consentimiento')})"


def _last(calls: list[str]) -> list[Block]:
    return [paragraph(*calls)] if calls else []


def _calls(unit: Unit, lang: str, way: Suggested) -> list[str]:
    if not way.by_phone:
        return []
    listed = "; ".join(_call(unit, lang, step) for step in way.by_phone[:MOST_CALLS])
    need = w.high(w.term(unit, "needs", way.need, lang))
    return [text(lang, "{need}, por teléfono: {who}.", need=need, who=listed)]


def _call(unit: Unit, lang: str, step: ByPhone) -> str:
    notes = [step.number] if step.number else []
    if step.within is not None:
        notes.append(text(lang, "responde en {time}", time=_span(lang, step.within)))
    return w.term(unit, "kinds", step.kind, lang) + (f" ({', '.join(notes)})" if notes else "")


def _span(lang: str, span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes >= 2 * 24 * 60 and minutes % (24 * 60) == 0:
        return plural(lang, "{n} día", "{n} días", span.days)
    if minutes >= 60:
        return plural(lang, "{n} hora", "{n} horas", minutes // 60)
    return plural(lang, "{n} minuto", "{n} minutos", minutes)
