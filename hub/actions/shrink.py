"""What holds no more is called back: when a consent or a legal basis ends, holders keep only what another one still covers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from hub.actions.common import intend, living_referrals
from hub.actions.decide import still_allowed
from hub.actions.living_bases import living_bases
from hub.actions.onward_owner import recheck
from hub.actions.ports import Unit
from hub.actions.reach import WAYS, calls_blindly, told, turns_blind, would_tell
from hub.actions.recall import recall
from hub.cases.events import CaseChanged, ReferralMoved
from hub.cases.lifecycle import WORKING, Side, State
from hub.cases.records import Disclosure, Referral


def shrink(unit: Unit, case: str, recipients: Collection[str], *, safe_way: bool) -> None:
    """Something that covered the case for these recipients ended. `safe_way`: it covered how to reach her safely."""
    for referral in living_referrals(unit, case):
        active = unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active")
        if referral.peer in recipients and active:
            _shrink_to(unit, referral, active)
        elif referral.peer in recipients and referral.state in (State.REQUESTED, State.RECEIVED) and safe_way:
            _hold_ways(unit, referral)
    recheck(unit, case)
    unit.announce(CaseChanged(case=case))


def _shrink_to(unit: Unit, referral: Referral, active: list[Disclosure]) -> None:
    """What they may not hold any more is called back, and what they may is sent anew: a way to reach her never outlives the safe way (R29)."""
    allowed = still_allowed(unit, referral)
    case = unit.cases.get(referral.case or "")
    blind = case is not None and turns_blind(told(unit, referral), would_tell(unit, case, referral))
    allowed -= WAYS if blind else frozenset()
    living = {basis.id for basis in living_bases(unit, referral.case or "", referral.peer)}
    over = [d for d in active if not (allowed.issuperset(d.fields) and living.issuperset(d.bases))]
    recall(unit, referral, over)
    if over and allowed and referral.state in WORKING:
        gone = sorted({f for d in over for f in d.fields} - allowed)
        intend(unit, referral.peer, "disclose", referral=referral.id, without=gone, only=sorted(allowed) if blind else [])
    if over and blind:
        unit.announce(ReferralMoved(referral=referral.id, what="ways_ended", ring=True))


def _hold_ways(unit: Unit, referral: Referral) -> None:
    """They have not answered yet. Once they do, no way to reach her goes that was confirmed together with the safe way."""
    case = unit.cases.get(referral.case or "")
    if case is not None and calls_blindly(would_tell(unit, case, referral)):
        kept = sorted({*referral.offer.get("held_back", ()), *WAYS})
        unit.referrals.put(replace(referral, offer=referral.offer | {"held_back": kept}))
        unit.announce(ReferralMoved(referral=referral.id, what="ways_ended", ring=True))
