"""A legal hold: a law or an order obliges this institution to keep what it holds of a referral, also when she takes it back.

Nothing more is shown or shared for it: the data stay sealed, out of everybody's sight, until the last day; the owner gets a signed
`retained` with basis and date; the day after everything is destroyed and confirmed like the rest (`design.md` §5.8).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hub.actions.common import find_referral, forget_reminders, note, remind
from hub.actions.erase import unsay_all
from hub.actions.ports import Unit
from hub.actions.receipts import LONGEST, confirm, end_of, make_receipt
from hub.base.errors import Refused
from hub.cases.lifecycle import Side
from hub.cases.records import Disclosure, LegalHold, Referral


def place_hold(unit: Unit, by: str, code: str, basis: str, until: date) -> LegalHold:
    """Hold what we have of the referral with this code until the end of the day `until`; placing it again replaces basis and day, also
    of what is retained already, and the owner is told.

    Raises Refused `unknown_code`, `unknown_basis`, `date_past`, `hold_too_long`, `nothing_to_hold`.
    """
    referral = find_referral(unit, code, Side.RECIPIENT)
    if basis not in unit.pack.vocabulary.lists["retention_bases"]:
        raise Refused("unknown_basis", suggestions=", ".join(unit.pack.vocabulary.lists["retention_bases"]))
    end = end_of(unit, until)
    if not unit.now < end <= unit.now + LONGEST:
        raise Refused("date_past" if end <= unit.now else "hold_too_long")
    kept = retained(unit, referral.id)
    if not kept and not unit.disclosures.count(referral=referral.id, side=Side.RECIPIENT, state="active"):
        raise Refused("nothing_to_hold", code=referral.code)
    hold = LegalHold(id=referral.id, basis=basis, until=end, by=by, at=unit.now)
    (unit.holds.put if unit.holds.get(referral.id) else unit.holds.add)(hold)
    for disclosure in kept:
        keep(unit, disclosure, hold)
    if kept:
        names = [d.id for d in kept]
        confirm(unit, referral, names, make_receipt(unit, referral, names, hold))
    note(unit, referral.id, by, "hold.placed", basis=basis, until=until.isoformat())
    return hold


def lift_hold(unit: Unit, by: str, code: str) -> Referral:
    """The hold ends now: what was kept for it alone is destroyed within the minute and confirmed. Raises Refused `unknown_code`, `not_held`."""
    referral = find_referral(unit, code, Side.RECIPIENT)
    kept = retained(unit, referral.id)
    if unit.holds.get(referral.id) is None and not kept:
        raise Refused("not_held", code=referral.code)
    forget_hold(unit, referral.id)
    for disclosure in kept:
        remind(unit, "retention", disclosure.id, unit.now)
    note(unit, referral.id, by, "hold.lifted")
    return referral


def living_hold(unit: Unit, referral: str) -> LegalHold | None:
    """The hold on this referral that did not end."""
    hold = unit.holds.get(referral)
    return hold if hold and hold.until > unit.now else None


def keep(unit: Unit, disclosure: Disclosure, hold: LegalHold) -> None:
    """Under this hold a disclosure stays, unseen, until the hold ends."""
    unit.disclosures.put(replace(disclosure, state="retained", basis=hold.basis, until=hold.until, ended_at=disclosure.ended_at or unit.now))
    forget_reminders(unit, disclosure.id)
    remind(unit, "retention", disclosure.id, hold.until)
    unsay_all(unit, disclosure.id)


def retained(unit: Unit, referral: str) -> list[Disclosure]:
    """What is kept here by law alone."""
    return unit.disclosures.all(referral=referral, side=Side.RECIPIENT, state="retained", order="at")


def forget_hold(unit: Unit, referral: str) -> None:
    """The row of a hold that ended."""
    if unit.holds.get(referral):
        unit.holds.delete(referral)
