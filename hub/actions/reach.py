"""A way to reach her, and the safe way to do it: whoever holds the first without the second may call at the wrong hour, or say who calls (R29)."""

from __future__ import annotations

from collections.abc import Collection

from hub.actions.decide import rule
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.lifecycle import Side
from hub.cases.records import Case, Referral
from policies.decision import Outcome
from policies.preview import view

WAYS = frozenset({"phone", "email", "address"})
SAFE = "safe_contact"


def calls_blindly(leaves: Collection[str]) -> bool:
    """Whether a way to call her is among what leaves, and how to do it without putting her in danger is not."""
    return bool(WAYS & set(leaves)) and SAFE not in leaves


def turns_blind(before: Collection[str], after: Collection[str]) -> bool:
    """Whether somebody who would not call her blindly now would do so afterwards."""
    return calls_blindly(after) and not calls_blindly(before)


def told(unit: Unit, referral: Referral, without: Collection[str] = ()) -> set[str]:
    """What they hold, and not only know to exist; without what these disclosures told them."""
    held = [d for d in unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active") if d.id not in without]
    return {field for disclosure in held for field, outcome in disclosure.fields.items() if outcome != Outcome.PRESENCE.word}


def would_tell(unit: Unit, case: Case, referral: Referral) -> set[str]:
    """What they would be told now, were it all told anew."""
    try:
        ruling = rule(unit, case, referral.peer, referral.need, tuple(referral.offer.get("held_back", ())))
    except Refused:
        return set()
    shown = view(ruling.decision, ruling.values, unit.now.date())
    return {field for field, item in shown.items() if item.outcome is not Outcome.PRESENCE}
