"""What everybody in a room about a case may see: the decisions for every institution that is in it, now, cut to the narrowest.

The card shows nothing new to anybody: only fields that each institution already received by its own referral, as far as all of them may see
them today. So «quién sabe» stays whole, and a room can leak no field that a disclosure did not carry.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.actions.common import living_referrals, values_of
from hub.actions.decide import Ruling, is_excluded, rule
from hub.actions.ports import Unit
from hub.actions.reach import SAFE, WAYS
from hub.base.errors import Refused
from hub.cases.lifecycle import WORKING, Side
from hub.cases.records import Case, Referral
from policies.preview import Preview, preview
from policies.together import Together, shown_as, together


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The joint decision with what it was made from. `values` holds only what every institution has received."""

    case: Case
    rulings: dict[str, tuple[Ruling, ...]]
    referrals: dict[str, tuple[Referral, ...]]
    joint: Together
    values: dict[str, str]
    undelivered: dict[str, tuple[str, ...]]
    """Institution → fields that it might see and has not received."""

    @property
    def shown(self) -> dict[str, str]:
        """Field → how all see it, of those that have a value."""
        return shown_as(self.joint.decision, self.values)

    def preview(self, unit: Unit) -> Preview:
        """What everybody sees, in the one rendering path."""
        return preview(self.joint.decision, self.values, unit.now.date())


def working_with(unit: Unit, case: Case, institution: str) -> tuple[Referral, ...]:
    """The accepted referrals of a case to this institution."""
    return tuple(r for r in living_referrals(unit, case.id) if r.peer == institution and r.state in WORKING)


def entitled(unit: Unit, case: Case, institution: str) -> tuple[Ruling, ...]:
    """The decisions for an institution, one for each referral that it accepted.

    Raises Refused `conflict_of_interest`, `no_shared_referral`, and as `decide.rule`: such an institution cannot be in the room at all.
    """
    if is_excluded(unit, case, institution):  # before anything else: with no referral there would be no ruling to say so
        raise Refused("conflict_of_interest", institution=institution, alternatives="")
    referrals = working_with(unit, case, institution)
    rulings = tuple(rule(unit, case, institution, r.need, tuple(r.offer.get("held_back", ()))) for r in referrals)
    if any(ruling.decision.excluded for ruling in rulings):
        raise Refused("conflict_of_interest", institution=institution, alternatives="")
    if not rulings:
        raise Refused("no_shared_referral", institution=institution, code=case.code)
    return rulings


def share(unit: Unit, case: Case, institutions: list[str]) -> Shared:
    """The joint view of these institutions. Raises as `entitled` for the first that may not be there."""
    rulings = {name: entitled(unit, case, name) for name in institutions}
    referrals = {name: working_with(unit, case, name) for name in institutions}
    joint = together({name: [ruling.decision for ruling in found] for name, found in rulings.items()})
    values = values_of(unit, case.id)
    held = {name: _held(unit, found) for name, found in referrals.items()}
    common = {field: value for field, value in values.items() if all(field in fields for fields in held.values())}
    if SAFE not in shown_as(joint.decision, common):  # a way to reach her never goes without the safe way (R29)
        common = {field: value for field, value in common.items() if field not in WAYS}
    undelivered = {
        name: tuple(f for f in values if f not in fields and any(f in shown_as(r.decision, [f]) for r in rulings[name]))
        for name, fields in held.items()
    }  # fmt: skip
    return Shared(case=case, rulings=rulings, referrals=referrals, joint=joint, values=common, undelivered=undelivered)


def _held(unit: Unit, referrals: tuple[Referral, ...]) -> set[str]:
    found = [d for r in referrals for d in unit.disclosures.all(referral=r.id, side=Side.SENDER, state="active")]
    return {field for disclosure in found for field in disclosure.fields}
