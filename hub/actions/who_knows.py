"""Who knows what: every institution, each field it holds, since when, under which protocol version and consent, until when (R75)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.actions.common import find_case, living_referrals, note
from hub.actions.ports import Unit
from hub.cases.lifecycle import Side
from hub.cases.records import Case, Disclosure, Referral


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What one institution received in one disclosure, and what became of it."""

    institution: str
    referral: Referral
    disclosure: Disclosure
    fields: tuple[str, ...]
    since: datetime
    until: datetime
    state: str


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """The answer for one case."""

    case: Case
    holdings: tuple[Holding, ...]
    waiting: tuple[Referral, ...]


def who_knows(unit: Unit, by: str, code: str | None) -> Knowledge:
    """Names and dates, no values. The reading itself is logged. Raises Refused `unknown_code`."""
    case = find_case(unit, code)
    note(unit, case.id, by, "read.who_knows")
    referrals = living_referrals(unit, case.id)
    holdings = tuple(
        Holding(
            institution=r.peer,
            referral=r,
            disclosure=d,
            fields=tuple(d.fields),
            since=d.at,
            until=d.until,
            state=d.state,
        )
        for r in referrals
        for d in unit.disclosures.all(referral=r.id, side=Side.SENDER, order="at")
    )
    with_data = {h.referral.id for h in holdings}
    return Knowledge(case=case, holdings=holdings, waiting=tuple(r for r in referrals if r.id not in with_data))
