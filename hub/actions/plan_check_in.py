"""Plan, ring, postpone and answer follow-up check-ins (R29, R51, R83, R86). Due times are rows; nothing is skipped or doubled."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hub.actions.common import forget_reminders, note, open_case_of, remind, value_of
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.checkin import Window, fit, window_in
from hub.cases.events import CaseChanged, CheckInRang
from hub.cases.records import CheckIn

ANSWERS = ("safe", "not_reached", "risk_rose", "postpone")
"""What a caseworker may answer to a check-in, in the order of its numbers."""
POSTPONE = timedelta(days=1)
NOT_REACHED = timedelta(hours=4)
"""Not reached: the hub asks again after this long rather than believing that all is well."""
AT_ONCE = timedelta(hours=12)
"""A time that a person named nearer than this is about now: it is kept as she said it, whatever the window."""
_CLOSED = ("answered", "cancelled")


def plan_check_in(unit: Unit, by: str, case_code: str | None, due: datetime, *, chosen: bool = True) -> CheckIn:
    """A check-in of an open case at `due` (aware). It also becomes the case's next date when it is the nearest (R51).

    `due` is moved to the next moment at which contacting her is safe (R29): into the window that she named; or, when nobody
    `chosen` the time, into the institution's hours. Raises Refused `date_past`, `unknown_code`, `case_closed`.
    """
    case = open_case_of(unit, case_code)
    if due <= unit.now:
        raise Refused("date_past")
    due = _timed(unit, case.id, due, chosen=chosen)
    existing = unit.checkins.one(case=case.id, due_at=due, state="planned")
    if existing:
        return existing
    checkin = CheckIn(id=new_id("chk"), case=case.id, by=by, due_at=due, zone=unit.me.zone, next_ring_at=due)
    unit.checkins.add(checkin)
    remind(unit, "checkin", checkin.id, due)
    note(unit, case.id, by, "checkin.planned", checkin=checkin.id, due=due.isoformat())
    refresh_next_contact(unit, case.id)
    unit.announce(CaseChanged(case=case.id))
    return checkin


def ring_check_in(unit: Unit, checkin_id: str) -> None:
    """The check-in is due: prompt the lead in the case thread; unanswered, ring again; then the supervisor, again and again."""
    checkin = unit.checkins.get(checkin_id)
    if checkin is None or checkin.state in _CLOSED:
        return
    pauses = unit.rules.checkin_ring_minutes
    late = unit.now - checkin.due_at > timedelta(minutes=unit.rules.checkin_grace_minutes) and checkin.rings == 0
    rings = len(pauses) if late else checkin.rings  # what began with the supervisor stays with the supervisor
    level = 2 if rings >= len(pauses) else min(rings, 1)
    pause = timedelta(minutes=pauses[min(rings, len(pauses) - 1)]) if pauses else timedelta(hours=1)
    again = unit.now + pause
    unit.checkins.put(replace(checkin, state="ringing", rings=rings + 1, next_ring_at=again))
    remind(unit, "checkin", checkin.id, again)
    note(unit, checkin.case, "hub", "checkin.rang", checkin=checkin.id, level=level)
    refresh_next_contact(unit, checkin.case)
    unit.announce(CheckInRang(checkin=checkin.id, level=level))


def answer_check_in(unit: Unit, by: str, checkin_id: str, answer: str) -> CheckIn:
    """Record the answer. `not_reached` and `postpone` plan the next one; `risk_rose` rings the supervisor at once.

    Raises Refused `already_answered` (the first valid answer counts), `unknown_answer`.
    """
    checkin = unit.checkins.get(checkin_id)
    if checkin is None or checkin.state in _CLOSED:
        raise Refused("already_answered")
    if answer not in ANSWERS:
        raise Refused("unknown_answer")
    done = replace(checkin, state="answered", answer=answer, answered_by=by, answered_at=unit.now, next_ring_at=None)
    unit.checkins.put(done)
    note(unit, checkin.case, by, "checkin.answered", checkin=checkin.id, answer=answer)
    if answer == "risk_rose":
        unit.announce(CheckInRang(checkin=checkin.id, level=3))
    forget_reminders(unit, checkin.id)
    following = {"postpone": POSTPONE, "not_reached": NOT_REACHED, "risk_rose": NOT_REACHED}.get(answer)
    if following:  # risk that rose is escalation, and escalation never waits for a window
        plan_check_in(unit, by, checkin.case, unit.now + following, chosen=answer == "risk_rose")
    elif not unit.checkins.count(case=checkin.case, state__in=("planned", "ringing")):
        plan_check_in(unit, by, checkin.case, unit.now + default_interval(unit, checkin.case), chosen=False)
    refresh_next_contact(unit, checkin.case)
    unit.announce(CaseChanged(case=checkin.case))
    return done


def drop_check_in(unit: Unit, by: str, checkin_id: str) -> None:
    """Take a planned check-in back. The last one of an open case stays: every open case keeps a next date (R51).

    Raises Refused `already_left` once it rang, `last_check_in`.
    """
    checkin = unit.checkins.get(checkin_id)
    if checkin is None or checkin.state != "planned":
        raise Refused("already_left", code="")
    if unit.checkins.count(case=checkin.case, state__in=("planned", "ringing")) < 2:
        raise Refused("last_check_in")
    unit.checkins.put(replace(checkin, state="cancelled", next_ring_at=None))
    forget_reminders(unit, checkin.id)
    note(unit, checkin.case, by, "checkin.undone", checkin=checkin.id)
    refresh_next_contact(unit, checkin.case)
    unit.announce(CaseChanged(case=checkin.case))


def default_interval(unit: Unit, case_id: str) -> timedelta:
    """How long until the next check-in when nobody says: by risk level, from the configuration (R33)."""
    days = unit.rules.checkin_days
    return timedelta(days=days.get(value_of(unit, case_id, "risk_level") or "", days["default"]))


def refresh_next_contact(unit: Unit, case_id: str) -> None:
    """The case's next date is when its nearest open check-in rings next: every open case keeps one, to come (R51)."""
    case = unit.cases.get(case_id)
    pending = [c for c in unit.checkins.all(case=case_id) if c.state not in _CLOSED]
    if case and pending:
        unit.cases.put(replace(case, next_contact_at=min(c.next_ring_at or c.due_at for c in pending)))


def time_again(unit: Unit, case_id: str) -> None:
    """Her safe-contact rule changed: what is planned and did not ring yet moves into the window that it names now."""
    for checkin in unit.checkins.all(case=case_id, state="planned"):
        due = _timed(unit, case_id, checkin.due_at, chosen=True)
        if due != checkin.due_at:
            unit.checkins.put(replace(checkin, due_at=due, next_ring_at=due))
            forget_reminders(unit, checkin.id)
            remind(unit, "checkin", checkin.id, due)
    refresh_next_contact(unit, case_id)


def _timed(unit: Unit, case_id: str, due: datetime, *, chosen: bool) -> datetime:
    if chosen and due - unit.now < AT_ONCE:
        return due
    named = window_in(value_of(unit, case_id, "safe_contact") or "")
    if named is None and chosen:
        return due
    return fit(due, unit.me.zone, named or Window(start=unit.rules.safe_from, end=unit.rules.safe_until))
