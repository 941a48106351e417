"""That she told it already: the line on the card of whoever received that, so that nobody asks her again (R23)."""

from __future__ import annotations

from hub.actions import account
from hub.actions.ports import Unit
from hub.base.i18n import mark, text
from hub.cases.records import Referral
from hub.chat import seen
from hub.chat import wording as w

HELD = mark("{code}: ya lo contó ({source}). No hace falta preguntarle otra vez. Si de verdad hace falta: «volver a preguntar {code}».")


def told_line(unit: Unit, referral: Referral, lang: str) -> str | None:
    """That she told it already, as far as the protocol let us know: when and to whom, if it does."""
    held = seen.held(unit, referral.id, lang)
    if account.FIELD not in held and account.SOURCE not in held:
        return None
    source = held.get(account.SOURCE, "")
    there = text(lang, "a {institution}", institution=w.institution(unit, referral.peer))
    return text(lang, HELD, code=referral.code, source=source or there)
