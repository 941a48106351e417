"""Which recorded legal bases hold now: of this very case, for this very recipient (R70). Read by every decision."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.cases.records import LegalBasis


def living_bases(unit: Unit, case: str, recipient: str) -> tuple[LegalBasis, ...]:
    """Oldest first. One that waits for its second person, was ended or ran out is none, whether or not its timer has rung."""
    found = unit.bases.all(case=case, state="active", ended_at=None, order="at")
    return tuple(basis for basis in found if basis.until > unit.now and recipient in basis.recipients)
