"""Open a case: the name she wants to be called by and a next date; everything else later (R1–R4, R51)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from hub.actions import account
from hub.actions.common import intend, living_referrals, note, open_case_of, write_field
from hub.actions.decide import is_ours
from hub.actions.erase import shred
from hub.actions.keep_ledger import ledger_key_owner, make_ledger_key
from hub.actions.plan_check_in import plan_check_in, time_again
from hub.actions.ports import Unit
from hub.actions.withdraw import stop_excluded
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.codes import new_code
from hub.cases.events import CaseChanged, OwnHouse
from hub.cases.lifecycle import WORKING, Side
from hub.cases.records import Case, Undoable

MAX_VALUE = 4000
"""Characters of one field value; longer texts belong in the institution's own record."""


def open_case(unit: Unit, by: str, room: str, name: str, next_contact: datetime, fields: Mapping[str, str] | None = None) -> Case:
    """A new case with one accountable lead (`by`) and a next date, its first check-in planned. Undoable for 60 s.

    Raises Refused `name_missing`, `date_past`, `value_too_long`, `unknown_field`.
    """
    if not name.strip():
        raise Refused("name_missing")
    if next_contact <= unit.now:
        raise Refused("date_past")
    case = Case(id=new_id("case"), code=_free_code(unit), lead=by, state="open", opened_at=unit.now, next_contact_at=next_contact)
    unit.vault.create(case.id)
    make_ledger_key(unit, case.id)
    unit.cases.add(case)
    for field, value in {"social_name": name.strip(), **(fields or {})}.items():
        _write(unit, case, field, value, by)
    note(unit, case.id, by, "case.opened")
    if is_ours(unit, case):
        unit.announce(OwnHouse(case=case.id))
    plan_check_in(unit, by, case.id, next_contact)
    until = unit.now + timedelta(seconds=unit.rules.undo_seconds)
    unit.undoables.add(Undoable(id=new_id("und"), user=by, room=room, kind="open_case", ref=case.id, until=until))
    unit.announce(CaseChanged(case=case.id))
    return unit.cases.get(case.id) or case


def set_field(unit: Unit, by: str, code: str | None, field: str, value: str) -> Case:
    """Write one field of an open case. The new value goes nowhere by itself. Raises as `open_case`."""
    case = open_case_of(unit, code)
    _write(unit, case, field, value, by)
    note(unit, case.id, by, "field.written", field=field)
    if field == "safe_contact":
        time_again(unit, case.id)
    if field == "aggressor_affiliation":
        stop_excluded(unit, case)
    if field in ("aggressor_affiliation", "aggressor_name") and is_ours(unit, case):
        unit.announce(OwnHouse(case=case.id))
    _deliver_granted(unit, case, field)
    unit.announce(CaseChanged(case=case.id))
    return case


def _deliver_granted(unit: Unit, case: Case, field: str) -> None:
    """Somebody asked for this field, it was granted, and it was not known then: now it goes, as far as she and the protocol allow."""
    for referral in living_referrals(unit, case.id):
        granted = unit.asks.count(referral=referral.id, side=Side.SENDER, field=field, state="granted")
        known = any(field in d.fields for d in unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active"))
        if granted and not known and referral.state in WORKING:
            intend(unit, referral.peer, "disclose", referral=referral.id, only=[field])


def undo_open(unit: Unit, by: str, case_id: str) -> Case:
    """Take a just opened case back: its key is destroyed. Refused `already_left` once a referral of it exists, `undo_has_notes` once
    anything was written after the opening: to undo the last line must not cost her the rest.
    """
    case = open_case_of(unit, case_id)
    if unit.referrals.count(case=case.id, state__not="draft"):
        raise Refused("already_left", code=case.code)
    if unit.log.count(about=case.id, what__in=("field.written", "consent.recorded")):
        raise Refused("undo_has_notes", code=case.code)
    for checkin in unit.checkins.all(case=case.id):
        unit.checkins.delete(checkin.id)
    case = replace(case, state="undone", closed_at=unit.now)
    unit.cases.put(case)
    note(unit, case.id, by, "case.undone")
    shred(unit, case.id, "undone")
    shred(unit, ledger_key_owner(case.id), "undone")
    unit.announce(CaseChanged(case=case.id))
    return case


def _write(unit: Unit, case: Case, field: str, value: str, by: str) -> None:
    if field not in unit.pack.vocabulary.fields:
        raise Refused("unknown_field", field=field[:40])
    if len(value) > MAX_VALUE:
        raise Refused("value_too_long", field=field, limit=MAX_VALUE)
    if field == account.FIELD:
        account.keep_account(unit, by, case, value)
        return
    write_field(unit, case.id, field, value.strip(), by)


def _free_code(unit: Unit) -> str:
    while True:
        code = new_code("C", secrets.randbelow)
        if not unit.cases.count(code=code):
            return code


