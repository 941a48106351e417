"""The receiving side: what this institution may hold, whatever a peer sends (intake step 8, P01).

Unknown header keys are tolerated elsewhere; unknown or undeclared *case* fields are dropped before storage and reported by
name, because holding them would be collecting.
"""

from __future__ import annotations

from collections.abc import Mapping

from policies.decision import Outcome
from policies.generalise import MAX_VALUE
from policies.preview import Disclosed
from policies.protocol import Protocol, Rule


def may_hold(
    protocol: Protocol, our_kind: str, fields: Mapping[str, Disclosed], *, purpose: str | None = None
) -> tuple[dict[str, Disclosed], tuple[str, ...]]:
    """Split received `fields` into those our kind may hold for `purpose` (any of the protocol's when None) and the names of the
    others.

    A field is kept only if some permission of the protocol could ever have let it out to us in at least that form: a full value
    where the protocol only ever generalises is over-sharing and is dropped too.
    """
    widest = ceiling(protocol, our_kind, purpose=purpose)
    kept = {name: item for name, item in fields.items() if _fits(item, widest.get(name, Outcome.WITHHOLD))}
    return kept, tuple(sorted(name for name in fields if name not in kept))


def ceiling(protocol: Protocol, our_kind: str, *, purpose: str | None = None) -> dict[str, Outcome]:
    """Per field the widest outcome that any state of the facts could give a recipient of `our_kind`; absent means never."""
    purposes = tuple(protocol.purposes) if purpose is None else tuple(p for p in protocol.purposes if p == purpose)
    if our_kind not in protocol.to_kinds:
        return {}
    # A prohibition without any limit keeps the field out in every state; a limited one may not.
    never = {rule.field for rule in protocol.rules if rule.outcome is Outcome.WITHHOLD and _unlimited(rule)}
    widest: dict[str, Outcome] = {}
    for rule in protocol.rules:
        if rule.outcome is not Outcome.WITHHOLD and rule.field not in never and any(rule.covers(p, our_kind) for p in purposes):
            widest[rule.field] = max(widest.get(rule.field, Outcome.WITHHOLD), rule.outcome)
    return widest


def _unlimited(rule: Rule) -> bool:
    return not (rule.when or rule.purposes or rule.to_kinds)


def _fits(item: Disclosed, widest: Outcome) -> bool:
    if item.outcome is Outcome.WITHHOLD or item.outcome > widest:
        return False
    return item.value is None or len(item.value) <= MAX_VALUE
