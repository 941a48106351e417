"""A legal hold: a law or an order obliges this institution to keep what it holds of a referral, also when she takes it back.

Nothing more is shown or shared for it: the data stay sealed until the last day, the owner gets a signed `retained` with basis and date,
and the day after everything is destroyed and confirmed like the rest (`design.md` §5.8).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hub.actions.common import find_referral, note, remind
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.lifecycle import Side
from hub.cases.records import LegalHold, Referral

LONGEST = timedelta(days=20 * 366)


def place_hold(unit: Unit, by: str, code: str, basis: str, until: date) -> LegalHold:
    """Hold what we have of the referral with this code until the end of the day `until`; placing it again replaces basis and day.

    Raises Refused `unknown_code`, `unknown_basis`, `date_past`, `hold_too_long`, `nothing_to_hold`.
    """
    referral = find_referral(unit, code, Side.RECIPIENT)
    if basis not in unit.pack.vocabulary.lists["retention_bases"]:
        raise Refused("unknown_basis", suggestions=", ".join(unit.pack.vocabulary.lists["retention_bases"]))
    end = end_of(unit, until)
    if not unit.now < end <= unit.now + LONGEST:
        raise Refused("date_past" if end <= unit.now else "hold_too_long")
    if not unit.disclosures.count(referral=referral.id, side=Side.RECIPIENT, state="active"):
        raise Refused("nothing_to_hold", code=referral.code)
    hold = LegalHold(id=referral.id, basis=basis, until=end, by=by, at=unit.now)
    (unit.holds.put if unit.holds.get(referral.id) else unit.holds.add)(hold)
    note(unit, referral.id, by, "hold.placed", basis=basis, until=until.isoformat())
    return hold


def lift_hold(unit: Unit, by: str, code: str) -> Referral:
    """The hold ends now: what was kept for it alone is destroyed within the minute and confirmed. Raises Refused `unknown_code`, `not_held`."""
    referral = find_referral(unit, code, Side.RECIPIENT)
    if living_hold(unit, referral.id) is None:
        raise Refused("not_held", code=referral.code)
    unit.holds.delete(referral.id)
    for disclosure in unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT, state="retained"):
        remind(unit, "retention", disclosure.id, unit.now)
    note(unit, referral.id, by, "hold.lifted")
    return referral


def living_hold(unit: Unit, referral: str) -> LegalHold | None:
    """The hold on this referral that did not end."""
    hold = unit.holds.get(referral)
    return hold if hold and hold.until > unit.now else None


def end_of(unit: Unit, day: date) -> datetime:
    """The last second of a day, where this institution is."""
    return datetime.combine(day, time(23, 59, 59), ZoneInfo(unit.me.zone))


def last_day(unit: Unit, hold: LegalHold) -> date:
    """The day that a receipt names."""
    return hold.until.astimezone(ZoneInfo(unit.me.zone)).date()
