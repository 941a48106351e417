"""A proposed protocol over the institution's own open cases: which fields of which case would leave otherwise. Codes and names of fields only.

Whoever may write the text asks each case any question with it. So cases are named only for a version that its parties have before them, who see
what is asked; of a draft it is said about how many would change, in steps of five: an exact number is an answer about a single woman as soon as
two drafts are compared. A case whose aggressor works in this house is not looked at (R62): the difference between a number and names tells, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType

from hub.actions.common import note, values_of
from hub.actions.decide import facts_of, is_ours, peer_kind
from hub.actions.living_bases import living_bases
from hub.actions.ports import Unit
from hub.actions.record_consent import consented_fields
from hub.cases.protocol_life import OPEN, WHOLE
from hub.cases.records import Case
from policies import document, engine
from policies.engine import Compiled
from policies.packs import Pack
from policies.protocol import Protocol
from policies.simulate import Shift, Situation, simulate

FEW = 5


@dataclass(frozen=True, kw_only=True)
class CaseShift:
    """What would change for one case before one institution."""

    code: str
    recipient: str
    need: str
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, kw_only=True)
class OverCases:
    """What would change, and how many cases were looked at."""

    looked_at: int
    """In steps of `FEW`, rounded down."""
    count: int
    """How many of them would change: as `looked_at`, but exact where they are named."""
    named: bool
    changed: tuple[CaseShift, ...]
    """Of those that may be named."""


def simulate_protocol(unit: Unit, by: str, proposed: Protocol) -> OverCases:
    """As if `proposed` stood in the place of the version of its name. Each case that is named is noted as read."""
    named = is_known(unit, proposed)
    cases = [case for case in unit.cases.all(state="open", order="code") if not is_ours(unit, case)]
    compiled = engine.compile(proposed)
    changed: list[CaseShift] = []
    count = 0
    for case in cases:
        found = list(_shifts(unit, case, compiled))
        count += bool(found)
        if found and named:
            note(unit, case.id, by, "read.simulated", protocol=proposed.id, version=proposed.version)
            changed += found
    return OverCases(looked_at=_about(len(cases)), count=count if named else _about(count), changed=tuple(changed), named=named)


def _about(number: int) -> int:
    return number - number % FEW


def is_known(unit: Unit, proposed: Protocol) -> bool:
    """Whether this very version is before its parties, or was signed by them, or is the shipped one: more than somebody's draft."""
    if unit.pack.version(proposed.id, proposed.version) == proposed:
        return True
    rows = unit.proposals.all(protocol=proposed.id, version=proposed.version, stage__in=tuple(OPEN | WHOLE))
    texts = [paper.document.decode("utf-8", "replace") for row in rows if (paper := unit.papers.get(row.id))]
    return any(document.read(text, unit.pack.vocabulary)[0] == proposed for text in texts)


def needs_of(values: dict[str, str]) -> tuple[str, ...]:
    """The needs that were noted in a case."""
    return tuple(part.strip() for part in values.get("needs", "").split(",") if part.strip())


def _with(pack: Pack, proposed: Compiled) -> Pack:
    return replace(
        pack,
        protocols=MappingProxyType({**pack.protocols, proposed.protocol.id: proposed.protocol}),
        compiled=MappingProxyType({**pack.compiled, proposed.protocol.id: proposed}),
    )


def _shifts(unit: Unit, case: Case, compiled: Compiled) -> Iterator[CaseShift]:
    values, today, proposed = values_of(unit, case.id), unit.now.date(), compiled.protocol
    day = max(today, proposed.effective)
    for peer in unit.peers.all(state="confirmed", order="id"):
        kind, now = peer_kind(unit, peer.id), unit.pack.between(peer.id)
        after = _with(now, compiled)  # of the other protocols what counts with this very peer, before and after
        for need in needs_of(values) or sorted(proposed.needs):
            old = now.protocol_for(need, unit.me.kind, kind, today)
            new = after.protocol_for(need, unit.me.kind, kind, day)
            if old is None and new is None:
                continue
            purposes = {one.purpose_of(need) for one in (old, new) if one}
            consents = {purpose: consented_fields(unit, case.id, peer.id, purpose) for purpose in purposes}
            situation = Situation(
                code=case.code, recipient=peer.id, kind=kind, held=frozenset(values),
                facts=facts_of(unit, values, need, living_bases(unit, case.id, peer.id)),
                consents={purpose: (state, fields) for purpose, (fields, state, _) in consents.items()},
            )  # fmt: skip
            before = now.compiled[old.id] if old else None
            (result,) = simulate(before, after.compiled[new.id] if new else None, [situation])
            if result.shifts:
                yield CaseShift(code=case.code, recipient=peer.id, need=need, shifts=result.shifts)
