"""Who knows what: every institution, each field it holds, since when, under which protocol version and consent, until when (R75)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.actions.common import find_case, living_referrals, note
from hub.actions.ports import Unit
from hub.cases.lifecycle import Side
from hub.cases.records import Case, Disclosure, Onward, Referral


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
    passed: tuple[tuple[Referral, Onward], ...] = ()
    """What holders passed on with our grant, and what became of it; with the holder's referral."""
    asked_again: int = 0
    """How often she was asked again for what she had told (R23)."""


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
            fields=fields,
            since=d.at,
            until=d.until,
            state=d.state,
        )
        for r in referrals
        for d, fields in _told_once(unit.disclosures.all(referral=r.id, side=Side.SENDER, order="at"))
    )
    with_data = {h.referral.id for h in holdings}
    passed = tuple((r, o) for r in referrals for o in unit.onwards.all(referral=r.id, side=Side.SENDER, order="at") if o.disclosures)
    again = unit.log.count(about=case.id, what="account.asked_again")
    waiting = tuple(r for r in referrals if r.id not in with_data)
    return Knowledge(case=case, holdings=holdings, waiting=waiting, passed=passed, asked_again=again)


def _told_once(disclosures: list[Disclosure]) -> list[tuple[Disclosure, tuple[str, ...]]]:
    """Each with the fields to name: of one that was called back, only what no later one gave again, so that nothing is named twice.

    One that was destroyed and given again whole is left out; one that nobody has signed for never is.
    """
    found: list[tuple[Disclosure, tuple[str, ...]]] = []
    later: set[str] = set()
    for disclosure in reversed(disclosures):
        called_back = disclosure.state in ("destroyed", "recalled", "overdue")
        own = tuple(f for f in disclosure.fields if not (called_back and f in later))
        if own or disclosure.state != "destroyed":
            found.insert(0, (disclosure, own or tuple(disclosure.fields)))
        later |= set(disclosure.fields)
    return found
