"""Break-glass (R76): whether a protocol lets an emergency open one withheld field, asked of the owner's own facts and of her own words.

It stands beside the rules, not among them: it never widens a field for everybody, only answers one named request, for a short time. And it
never goes against her: what she took back or left out when she was asked stays home whatever is at stake, because the person whose life it
is decided; what lifts a protocol's silence must not lift her no. A conflict of interest is asked first, here as everywhere (R61-R62).
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.decision import Decision, Outcome
from policies.protocol import Protocol

REASONS = ("life_in_danger", "missing", "medical", "child_in_danger")
"""Why somebody breaks the glass: a closed list; the words beside it stay sealed."""
LEGAL_BASIS = "vital_interest"
REFUSALS = ("glass_forbidden", "glass_refused", "glass_too_often", "glass_ended")
"""Why the owner's hub says no, as the asker hears it. `glass_forbidden` covers protocol, conflict of interest and risk alike: which of them
it was would tell a fact about her."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One request as the owner reads it. `risk` is a fact of the case; `said_no` whether she took this field back from them or left it out."""

    field: str
    kind: str
    purpose: str
    need: str
    role: str
    risk: str | None
    said_no: bool


def refusal(protocol: Protocol, decision: Decision, wish: Wish) -> str | None:
    """A code of `REFUSALS`, None when it may open. Doubt refuses: a risk that nobody noted is no emergency this hub can stand for."""
    if decision.excluded or not allows(protocol, wish.field, wish.kind, wish.purpose, wish.need, wish.role):
        return "glass_forbidden"
    glass = protocol.break_glass
    assert glass is not None, "`allows` said so"
    if wish.risk not in glass.risks:
        return "glass_forbidden"
    return "glass_refused" if wish.said_no else None


def allows(protocol: Protocol, field: str, kind: str, purpose: str, need: str, role: str) -> bool:
    """Whether the document speaks of such an emergency at all: what both sides can read without knowing anything of her."""
    glass = protocol.break_glass
    if glass is None or field not in glass.fields or role not in glass.roles or not glass.lasts:
        return False
    covered = kind in protocol.to_kinds and purpose in protocol.purposes and need in protocol.needs
    return covered and (not glass.needs or need in glass.needs)


def is_open(decision: Decision, field: str) -> bool:
    """Whether the field is shared anyway: then there is no glass to break."""
    return decision.field(field).outcome is not Outcome.WITHHOLD
