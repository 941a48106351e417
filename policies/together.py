"""What several institutions may see *together*: per field the narrowest of their decisions, and nothing where one of them may see nothing.

In a room whatever one member reads, all read. So a field is shown there only as far as every institution with a member in it is entitled to
it (design §3). Laws, held as properties: the result is the minimum over the members, whatever their order; one more member never widens it;
an institution that a conflict of interest excludes leaves nothing for anybody: it may not be there at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policies.decision import Decision, FieldDecision, Outcome, Reason, withheld
from policies.places import NOWHERE, Country

TOGETHER = "together"
"""Stands where a decision names its protocol: there are several behind this one."""
COARSER: Mapping[str, frozenset[str]] = MappingProxyType({
    "age_band": frozenset({"adult_or_minor"}),
    "province": frozenset({"region"}),
})  # fmt: skip
"""What can be told from a generalisation alone: whoever may know the band knows whether she is adult. Two that are not in this relation have only
in common that there is a value at all."""


@dataclass(frozen=True, kw_only=True)
class Together:
    """`decision` is what the card shows; `limits` names, per field, the members that keep it from showing more."""

    decision: Decision
    limits: Mapping[str, tuple[str, ...]]
    excluded: tuple[str, ...] = ()


def together(members: Mapping[str, Iterable[Decision]]) -> Together:
    """The narrowest outcome per field over all decisions of all members. Nobody, a member without a decision, or one excluded: nothing."""
    held = {name: tuple(decisions) for name, decisions in sorted(members.items())}
    fields = {field for decisions in held.values() for decision in decisions for field in decision.fields}
    excluded = tuple(name for name, decisions in held.items() if any(decision.excluded for decision in decisions))
    if excluded or not held or not all(held.values()):
        reason = Reason(code="conflict_of_interest" if excluded else "error")
        nothing = {name: withheld(name, reason) for name in sorted(fields)}
        return Together(decision=_decision(nothing, out=bool(excluded)), limits=dict.fromkeys(nothing, excluded), excluded=excluded)
    found = {name: _joint(name, held) for name in sorted(fields)}
    lands = {id(decision.country): decision.country for decisions in held.values() for decision in decisions}
    land = next(iter(lands.values())) if len(lands) == 1 else NOWHERE  # places of two countries: what a province is there nobody here knows
    decision = _decision({n: item for n, (item, _) in found.items()}, country=land)
    return Together(decision=decision, limits={n: by for n, (_, by) in found.items()})


def shown_as(decision: Decision, fields: Iterable[str]) -> dict[str, str]:
    """How each of these fields is shown: `release`, `generalise:<how>` or `presence`; withheld ones are left out."""
    items = (decision.field(name) for name in fields)
    return {item.field: _way(item) for item in items if item.outcome is not Outcome.WITHHOLD}


def narrower(before: Mapping[str, str], now: Mapping[str, str]) -> frozenset[str]:
    """The fields that are not shown any more as far as they were. An edit would leave the old form in the room's history."""
    return frozenset(field for field, how in before.items() if field not in now or not _as_wide(how, now[field]))


def _joint(field: str, held: Mapping[str, tuple[Decision, ...]]) -> tuple[FieldDecision, tuple[str, ...]]:
    asked = [(name, decision.field(field)) for name, decisions in held.items() for decision in decisions]
    least = min(item.outcome for _, item in asked)
    limiting = [(name, item) for name, item in asked if item.outcome is least]
    by = tuple(dict.fromkeys(name for name, _ in limiting)) if least is not Outcome.RELEASE else ()
    reason = min((item.reason for _, item in limiting), key=lambda one: (one.code, one.rule_id or ""))
    if least is not Outcome.GENERALISE:
        return FieldDecision(field=field, outcome=least, reason=reason), by
    how = _common({item.generalisation for _, item in limiting})
    if how is None:
        return FieldDecision(field=field, outcome=Outcome.PRESENCE, reason=reason), by
    return FieldDecision(field=field, outcome=Outcome.GENERALISE, generalisation=how, reason=reason), by


def _common(ways: set[str | None]) -> str | None:
    """The one of these generalisations that all the others tell too; None when no such one stands among them."""
    return next((way for way in sorted(filter(None, ways)) if all(other == way or way in COARSER.get(other or "", ()) for other in ways)), None)


def _way(item: FieldDecision) -> str:
    return f"{item.outcome.word}:{item.generalisation}" if item.generalisation else item.outcome.word


def _as_wide(before: str, now: str) -> bool:
    """Whether `now` shows all that `before` showed."""
    if now in (before, "release") or before == "presence":
        return True
    was, _, how = before.partition(":")
    return was == "generalise" and how in COARSER.get(now.partition(":")[2], ())


def _decision(fields: dict[str, FieldDecision], *, out: bool = False, country: Country = NOWHERE) -> Decision:
    return Decision(protocol_id=TOGETHER, version=0, fields=MappingProxyType(fields), excluded=out, country=country)
