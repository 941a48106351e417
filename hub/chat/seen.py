"""The one path from a value of hers to words that somebody reads. No other module of the chat opens a value or knows how one is written.

`policies.surfaces` says which fields may be read where; what it does not name comes back empty. A test reads the source of the hub and finds
whoever goes around this module.
"""

from __future__ import annotations

from hub.actions.common import value_of
from hub.actions.decide import is_ours
from hub.actions.ports import Unit
from hub.actions.show_value import Values, held_values
from hub.base.i18n import text
from hub.chat.plain import Line
from hub.chat.plain import value as clean
from hub.chat.wording import institution
from policies.conditions import INSTITUTION_PREFIX
from policies.decision import Outcome
from policies.surfaces import Surface, may_show

DESK, ROOM, PREVIEW, OFFER, DIRECT = Surface.DESK, Surface.ROOM, Surface.PREVIEW, Surface.OFFER, Surface.DIRECT
_OUTCOMES = {outcome.word: outcome for outcome in Outcome}


def words(unit: Unit, surface: Surface, field: str, raw: str, lang: str, outcome: Outcome = Outcome.RELEASE) -> str:
    """A value as people read it there: codes by their labels, everything else cleaned and on one line; empty where it may not be read."""
    vocabulary = unit.pack.vocabulary
    if not raw or not may_show(surface, field, vocabulary, outcome):
        return ""
    known = vocabulary.fields[field]
    if known.codes:
        parts = (part.strip() for part in raw.split(","))
        return ", ".join(_coded(unit, known.codes, part, lang) for part in parts if part)
    return clean(raw, 600)


def _coded(unit: Unit, codes: str, part: str, lang: str) -> str:
    if part.startswith(INSTITUTION_PREFIX):  # one institution, and no code of the pack
        return institution(unit, part.removeprefix(INSTITUTION_PREFIX))
    return unit.pack.vocabulary.label(codes, part, lang)


def of_case(unit: Unit, case: str, field: str, lang: str, surface: Surface = DESK) -> str:
    """One field of our own case. Where the aggressor works in this institution the desk, which his colleagues read, shows nothing of it."""
    found = unit.cases.get(case)
    if surface is DESK and found is not None and is_ours(unit, found):
        return ""
    return words(unit, surface, field, value_of(unit, case, field) or "", lang)


def asked_for(unit: Unit, case: str) -> list[str]:
    """The needs that she named, as codes: what is offered first."""
    return (value_of(unit, case, "needs") or "").split(",")


def held(unit: Unit, referral: str, lang: str, surface: Surface = DESK) -> dict[str, str]:
    """Every field that we hold of another institution's person, with its words where they may be read here, else empty."""
    return {
        field: words(unit, surface, field, value, lang, _OUTCOMES[outcome]) for field, (outcome, value) in held_values(unit, referral).items()
    }  # fmt: skip


def shown(unit: Unit, found: Values, field: str, lang: str) -> Line:
    """One field in the direct chat."""
    outcome, value = found.values[field]
    if _OUTCOMES[outcome] is Outcome.PRESENCE:
        return text(lang, "hay algo anotado; no se compartió qué")
    return words(unit, DIRECT, field, value, lang, _OUTCOMES[outcome])
