"""Calling back: the owner asks a holder to destroy disclosures by a date, and whatever was passed on from them with the owner's grant."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hub.actions.common import intend, remind
from hub.actions.erase import shred
from hub.actions.onward_owner import call_back
from hub.actions.ports import Unit
from hub.cases.records import Disclosure, Referral


def recall(unit: Unit, referral: Referral, held: list[Disclosure], *, whole: bool = False) -> None:
    """Ask the holder to destroy these disclosures by a date, and destroy our own copies of what was said. Nothing for none."""
    if not held and not whole:
        return
    due = unit.now + timedelta(days=unit.rules.erasure_days)
    for disclosure in held:
        unit.disclosures.put(replace(disclosure, state="recalled", asked_at=unit.now, due_at=due))
        remind(unit, "erasure", disclosure.id, due)
        shred(unit, disclosure.id, "withdrawn")
    call_back(unit, referral, {f for d in held for f in d.fields}, whole=whole)
    intend(unit, referral.peer, "withdraw", referral=referral.id, disclosures=[d.id for d in held], whole=whole)
