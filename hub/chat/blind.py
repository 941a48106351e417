"""A way to reach her that goes to another institution without the safe way to do it: said before it is confirmed (R29).

Whoever calls at the wrong hour, or says who is calling, may tell the one she hides from. One sentence, wherever such a field would leave: the
preview of a referral, a field that is asked for later, and a number that is noted while a referral waits for it.
"""

from __future__ import annotations

from collections.abc import Collection

from hub.actions.decide import rule
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.i18n import mark
from hub.cases.lifecycle import WORKING, Side, State
from hub.cases.records import Ask, Case, Referral
from policies.decision import Outcome
from policies.preview import view

WAYS = frozenset({"phone", "email", "address"})
SAFE = "safe_contact"
WARNING = mark("Atención: va su teléfono sin la forma segura de contactarla. Podrían llamarla sin saberla.")


def calls_blindly(leaves: Collection[str]) -> bool:
    """Whether a way to call her is among what leaves, and how to do it without putting her in danger is not."""
    return bool(WAYS & set(leaves)) and SAFE not in leaves


def if_granted(unit: Unit, asked: Ask) -> bool:
    """Whether what is asked for would go to somebody whom the safe way was never told; noted here later, it does not follow by itself."""
    referral = unit.referrals.get(asked.referral)
    return asked.field in WAYS and referral is not None and calls_blindly({asked.field, *_told(unit, referral)})


def once_noted(unit: Unit, case: Case, field: str) -> bool:
    """Whether what was just noted goes, or will once they accept, to somebody who would not have the safe way beside it."""
    return field in WAYS and any(_goes_blindly(unit, case, referral, field) for referral in unit.referrals.all(case=case.id, side=Side.SENDER))


def _goes_blindly(unit: Unit, case: Case, referral: Referral, field: str) -> bool:
    if referral.state in WORKING:
        granted = unit.asks.count(referral=referral.id, side=Side.SENDER, field=field, state="granted")
        return bool(granted) and calls_blindly({field, *_told(unit, referral)})
    leaves = _would_tell(unit, case, referral) if referral.state in (State.DRAFT, State.REQUESTED, State.RECEIVED) else set()
    return field in leaves and calls_blindly(leaves)


def _told(unit: Unit, referral: Referral) -> set[str]:
    """What they hold, and not only know to exist."""
    held = unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active")
    return {field for disclosure in held for field, outcome in disclosure.fields.items() if outcome != Outcome.PRESENCE.word}


def _would_tell(unit: Unit, case: Case, referral: Referral) -> set[str]:
    try:
        ruling = rule(unit, case, referral.peer, referral.need, tuple(referral.offer.get("held_back", ())))
    except Refused:
        return set()
    shown = view(ruling.decision, ruling.values, unit.now.date())
    return {field for field, told in shown.items() if told.outcome is not Outcome.PRESENCE}
