"""Close a case with an outcome. Closing never blocks opening again, and nothing is left hanging (R18, R51, R58)."""

from __future__ import annotations

from dataclasses import replace

from hub.actions.common import forget_reminders, living_referrals, note, open_case_of
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.events import CaseChanged
from hub.cases.lifecycle import OPEN
from hub.cases.records import Case


def close_case(unit: Unit, by: str, code: str | None, outcome: str) -> Case:
    """The case ends; its check-ins stop. Raises Refused `unknown_outcome`, `referrals_open` (name them first: nobody is dropped)."""
    case = open_case_of(unit, code)
    if outcome not in unit.pack.vocabulary.lists["close_outcomes"]:
        raise Refused("unknown_outcome")
    waiting = [r.code for r in living_referrals(unit, case.id) if r.state in OPEN]
    if waiting:
        raise Refused("referrals_open", code=case.code, referrals=", ".join(waiting))
    for checkin in unit.checkins.all(case=case.id, state__in=("planned", "ringing")):
        unit.checkins.put(replace(checkin, state="cancelled", next_ring_at=None))
        forget_reminders(unit, checkin.id)
    case = replace(case, state="closed", closed_at=unit.now, outcome=outcome)
    unit.cases.put(case)
    note(unit, case.id, by, "case.closed", outcome=outcome)
    unit.announce(CaseChanged(case=case.id))
    return case
