"""Show values, only in the direct chat, for some minutes, every reading logged (`design.md` §5, P08)."""

from __future__ import annotations

from dataclasses import dataclass

from hub.actions.common import find_case, find_referral, note, values_of
from hub.actions.legal_hold import retained
from hub.actions.own_house import may_read
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.codes import parse_code
from hub.cases.lifecycle import Side, State


@dataclass(frozen=True, kw_only=True)
class Values:
    """What may be shown now: field → (outcome, value). `owner` is whose key seals the message that shows it."""

    code: str
    about: str
    owner: str
    values: dict[str, tuple[str, str]]


def show_values(unit: Unit, by: str, code: str | None, field: str | None, reason: str | None) -> Values:
    """The values of our own case or of a referral we hold. Needs assignment (lead, or who accepted) or a reason (P08).

    Raises Refused `no_code`, `unknown_code`, `reason_needed`, `nothing_to_show`, `withdrawn`, as `may_read`.
    """
    if not code:
        raise Refused("no_code")
    found = parse_code(code) or code
    found_values = _case(unit, by, found, reason) if found.startswith(("C-", "case_")) else _referral(unit, by, found, reason)
    wanted = {f: v for f, v in found_values.values.items() if field is None or f == field}
    if not wanted:
        raise Refused("nothing_to_show", code=found_values.code)
    note(unit, found_values.about, by, "read.values", fields=sorted(wanted), reason=bool(reason))
    return Values(code=found_values.code, about=found_values.about, owner=found_values.owner, values=wanted)


def held_values(unit: Unit, referral: str) -> dict[str, tuple[str, str]]:
    """What we hold of a referral now: field → (outcome, value); a later disclosure of the same field wins."""
    found: dict[str, tuple[str, str]] = {}
    for disclosure in unit.disclosures.all(referral=referral, side=Side.RECIPIENT, state="active", order="at"):
        for row in unit.held.all(disclosure=disclosure.id):
            value = unit.vault.open(disclosure.id, f"held_values|{referral}|{row.field}", row.sealed).decode()
            found[row.field] = (row.outcome, value)
    return found


def held_fields(unit: Unit, referral: str) -> frozenset[str]:
    """The names of what we hold of a referral now; nothing is opened."""
    return frozenset(name for d in unit.disclosures.all(referral=referral, side=Side.RECIPIENT, state="active") for name in d.fields)


def _case(unit: Unit, by: str, code: str, reason: str | None) -> Values:
    case = find_case(unit, code)
    may_read(unit, case, by)
    if case.lead != by and not reason:
        raise Refused("reason_needed", code=case.code)
    return Values(code=case.code, about=case.id, owner=case.id, values={f: ("release", v) for f, v in values_of(unit, case.id).items()})


def _referral(unit: Unit, by: str, code: str, reason: str | None) -> Values:
    referral = find_referral(unit, code, Side.RECIPIENT)
    if referral.state in (State.REQUESTED, State.RECEIVED):
        raise Refused("not_accepted", code=referral.code)
    if referral.by != by and not reason:
        raise Refused("reason_needed", code=referral.code)
    held = unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT, state="active", order="-at", limit=1)
    if not held:
        withdrawn = "withdrawn_kept" if retained(unit, referral.id) else "withdrawn"
        raise Refused(withdrawn if referral.note == "withdrawn" else "nothing_to_show", code=referral.code)
    return Values(code=referral.code, about=referral.id, owner=held[0].id, values=held_values(unit, referral.id))
