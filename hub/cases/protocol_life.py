"""Every stage of a version of a sharing protocol: one table, and one pure function from what is known to the stage (ADR 0022).

The stage is never sent. Each hub reads it off the same facts: the proposal, the signed words and the day. Facts only ever grow, and no fact
takes another back, so hubs that know the same facts say the same, in whatever order and however often they heard them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_SPOKEN = re.compile(r"(?<![^\s])([a-z][a-z0-9-]*)(?:\s*@\s*v?|\s+v?)([0-9]{1,6})(?![^\s])", re.IGNORECASE)


def one_name(said: str) -> str:
    """However a version is written (`shelter 2`, `Shelter v2`, `shelter @ 2`), it is called `shelter@2`; the rest stays as it is."""
    return _SPOKEN.sub(lambda found: f"{found[1].lower()}@{found[2]}", said.strip())


class Stage(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    """A file on an administrator's disk; `checked`: its text has no error. Neither is known to any hub."""
    CHECKED = "checked"
    PROPOSED = "proposed"
    """Before its parties: consultation, then signatures."""
    CONTESTED = "contested"
    """Another document stands under the same number: nobody signs here until administrators refuse one of the two."""
    SIGNED = "signed"
    """By every party, the community seat included; waits for its date."""
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"
    REFUSED = "refused"
    LAPSED = "lapsed"
    """Somebody did not sign in time, or a later version was signed first."""


NEXT: dict[Stage, frozenset[Stage]] = {
    Stage.DRAFT: frozenset({Stage.CHECKED}),
    Stage.CHECKED: frozenset({Stage.DRAFT, Stage.PROPOSED}),
    Stage.PROPOSED: frozenset(set(Stage) - {Stage.DRAFT, Stage.CHECKED}),
    Stage.CONTESTED: frozenset(set(Stage) - {Stage.DRAFT, Stage.CHECKED}),
    # A last signature that was on the road when somebody refused, or when the time was over, still makes it whole: all signed it.
    Stage.REFUSED: frozenset({Stage.SIGNED, Stage.ACTIVE, Stage.SUPERSEDED, Stage.EXPIRED}),
    Stage.LAPSED: frozenset({Stage.PROPOSED, Stage.REFUSED, Stage.SIGNED, Stage.ACTIVE, Stage.SUPERSEDED, Stage.EXPIRED}),
    Stage.SIGNED: frozenset({Stage.ACTIVE, Stage.SUPERSEDED, Stage.EXPIRED}),
    Stage.ACTIVE: frozenset({Stage.SUPERSEDED, Stage.EXPIRED}),
    Stage.SUPERSEDED: frozenset({Stage.ACTIVE, Stage.EXPIRED}),
    Stage.EXPIRED: frozenset({Stage.SUPERSEDED}),
}
"""The moves that a hub may see. What all have signed never becomes unsigned again."""

WHOLE = frozenset({Stage.SIGNED, Stage.ACTIVE, Stage.SUPERSEDED, Stage.EXPIRED})
"""Signed by all."""
OPEN = frozenset({Stage.PROPOSED, Stage.CONTESTED})
"""Somebody still has something to do."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a proposal. A signature is among `signed` only when every comment that it names is known here, and answered."""

    parties: frozenset[str]
    signed: frozenset[str]
    refused: frozenset[str]
    starts: date
    closes: date
    expires: date
    rival: bool
    """Another living proposal has its id and version."""
    overtaken: bool
    """A later version of this id, with a party in common, is signed by all."""
    replaced: bool
    """For every other party a later version counts by now."""


def stage_of(facts: Facts, today: date) -> Stage:
    """The stage on `today`. The order of the questions is the law: what all signed stands, whatever else was said."""
    if facts.parties <= facts.signed:
        return _whole(facts, today)
    if facts.refused:
        return Stage.REFUSED
    if facts.overtaken or today > facts.closes:
        return Stage.LAPSED
    return Stage.CONTESTED if facts.rival else Stage.PROPOSED


def _whole(facts: Facts, today: date) -> Stage:
    if today < facts.starts:
        return Stage.SIGNED
    if facts.replaced:
        return Stage.SUPERSEDED
    return Stage.ACTIVE if today < facts.expires else Stage.EXPIRED
