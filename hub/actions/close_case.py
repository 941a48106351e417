"""Close a case with an outcome. Closing never blocks opening again, nothing is left hanging, and for a minute it can be undone (R18, R51, R58)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.actions.common import find_case, forget_reminders, keeper, living_referrals, note, open_case_of, remind
from hub.actions.plan_check_in import refresh_next_contact
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.events import CaseChanged
from hub.cases.lifecycle import OPEN, Side
from hub.cases.records import Case, CheckIn, Undoable


@dataclass(frozen=True, kw_only=True)
class Ends:
    """What closing a case ends, and what it does not: the contacts that are cancelled, and who still holds something of hers, until when."""

    case: Case
    checkins: tuple[CheckIn, ...]
    holders: dict[str, datetime]


def preview_close(unit: Unit, code: str | None) -> Ends:
    """Shown before it is confirmed. Raises Refused as `close_case` would for anything but the outcome."""
    case = open_case_of(unit, code)
    referrals = living_referrals(unit, case.id)
    waiting = [r.code for r in referrals if r.state in OPEN]
    if waiting:
        raise Refused("referrals_open", code=case.code, referrals=", ".join(waiting))
    holders: dict[str, datetime] = {}
    for referral in referrals:
        for held in unit.disclosures.all(referral=referral.id, side=Side.SENDER, state__not="destroyed"):
            holders[referral.peer] = max(held.until, holders.get(referral.peer, held.until))
    return Ends(case=case, checkins=tuple(_pending(unit, case.id)), holders=holders)


def close_case(unit: Unit, by: str, code: str | None, outcome: str, *, room: str | None = None) -> Case:
    """The case ends; its check-ins stop. Raises Refused `unknown_outcome`, `referrals_open` (name them first: nobody is dropped).

    Closed from a `room`, its author may undo it there for a minute: nothing leaves by closing.
    """
    ends = preview_close(unit, code)
    if outcome not in unit.pack.vocabulary.lists["close_outcomes"]:
        raise Refused("unknown_outcome")
    for checkin in ends.checkins:
        unit.checkins.put(replace(checkin, state="cancelled", next_ring_at=None))
        forget_reminders(unit, checkin.id)
    case = replace(ends.case, state="closed", closed_at=unit.now, outcome=outcome)
    unit.cases.put(case)
    note(unit, case.id, by, "case.closed", outcome=outcome)
    if room is not None:
        until = unit.now + timedelta(seconds=unit.rules.undo_seconds)
        ref = " ".join((case.id, *(checkin.id for checkin in ends.checkins)))
        unit.undoables.add(Undoable(id=new_id("und"), user=by, room=room, kind="close_case", ref=ref, until=until))
    unit.announce(CaseChanged(case=case.id))
    return case


def reopen(unit: Unit, by: str, ref: str) -> Case:
    """Undo a closing: the case is open as it was, and the contacts that were cancelled with it ring again, those that are past at once."""
    case_id, *checkins = ref.split()
    case = find_case(unit, case_id)
    if case.state != "closed":
        raise Refused("nothing_to_undo")
    unit.cases.put(replace(case, lead=keeper(unit, case.lead), state="open", closed_at=None, outcome=None))  # she may have left in that minute
    for checkin_id in checkins:
        checkin = unit.checkins.get(checkin_id)
        if checkin is not None and checkin.state == "cancelled":
            rings = max(checkin.due_at, unit.now)
            unit.checkins.put(replace(checkin, state="ringing" if checkin.rings else "planned", next_ring_at=rings))
            remind(unit, "checkin", checkin.id, rings)
    refresh_next_contact(unit, case.id)
    note(unit, case.id, by, "case.reopened")
    unit.announce(CaseChanged(case=case.id))
    return find_case(unit, case.id)


def _pending(unit: Unit, case: str) -> list[CheckIn]:
    return unit.checkins.all(case=case, state__in=("planned", "ringing"), order="due_at")
