"""What would change for cases: invented ones, one for every state that two versions can tell apart, or cases that somebody hands over.

Only names of fields come out, never a value: none goes in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from policies.conditions import Atom
from policies.decision import Decision, Facts, Request
from policies.diff import diff, kind_of
from policies.engine import Compiled
from policies.enumeration import NOBODY, Space
from policies.protocol import Protocol
from policies.verdicts import HOME, Level

MOST = 200
"""So many invented cases at most; where two versions tell more states apart, an even part of them and the witness of each change."""
AGREED, SILENT = "agreed", "silent"
"""Invented cases come twice: she agreed to everything, and nobody has asked her yet."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """One case before one recipient: all that a decision may know of it."""

    code: str
    recipient: str
    kind: str
    facts: Facts
    consents: Mapping[str, tuple[str, frozenset[str]]]
    """Purpose → what her consent for this recipient says: its state, and its fields."""
    held: frozenset[str] | None = None
    """The fields that have a value; None: all of them."""


@dataclass(frozen=True, kw_only=True)
class Shift:
    """One field of one case that would leave otherwise."""

    field: str
    was: Level
    now: Level

    @property
    def kind(self) -> str:
        """One of `diff.KINDS`."""
        return kind_of(self.was, self.now)


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """What would change for one case before one recipient; nothing, when `shifts` is empty."""

    situation: Situation
    shifts: tuple[Shift, ...]


def simulate(was: Compiled | None, now: Compiled | None, situations: Iterable[Situation]) -> Iterator[Simulated]:
    """Decide each situation under both; None is "no protocol", and then nothing leaves."""
    for situation in situations:
        before, after = (_decide(one, situation) for one in (was, now))
        fields = dict.fromkeys((*(before.fields if before else ()), *(after.fields if after else ())))
        shifts = (Shift(field=name, was=_level(before, name), now=_level(after, name)) for name in fields if _counts(situation, name))
        yield Simulated(situation=situation, shifts=tuple(shift for shift in shifts if shift.was != shift.now))


def _counts(situation: Situation, name: str) -> bool:
    return situation.held is None or name in situation.held


def _decide(compiled: Compiled | None, situation: Situation) -> Decision | None:
    if compiled is None:
        return None
    purpose = compiled.protocol.purpose_of(situation.facts.need)
    state, fields = situation.consents.get(purpose, ("none", frozenset()))
    return compiled.decide(
        Request(
            purpose=purpose, recipient_kind=situation.kind, recipient_id=situation.recipient, facts=situation.facts, consented=fields,
            consent_state=state,
        )
    )  # fmt: skip


def _level(decision: Decision | None, name: str) -> Level:
    item = decision.field(name) if decision else None
    return Level(outcome=item.outcome, generalisation=item.generalisation) if item else HOME


def invented(was: Protocol, now: Protocol, most: int = MOST) -> list[Situation]:
    """Cases that nobody lived: each state of the facts that the two versions tell apart, before each recipient kind, agreed and not."""
    atoms = {*was.atoms, *now.atoms, *(Atom(dimension="need", values=one.needs) for one in (was, now))}
    domain = {name: values & now.domain[name] for name, values in was.domain.items()}
    space = Space(atoms, domain, (was.needs | now.needs) & domain["need"])
    step = -(-space.size // most)
    facts = dict.fromkeys(space.view().facts(state) for state in range(0, space.size, step))
    if step > 1:
        facts |= dict.fromkeys(change.witness.facts for change in diff(was, now).visible)
    purposes, universe = {*was.purposes, *now.purposes}, frozenset((*was.universe, *now.universe))
    given = {AGREED: dict.fromkeys(purposes, ("active", universe)), SILENT: dict.fromkeys(purposes, ("none", frozenset[str]()))}
    return [
        Situation(code=f"{number}-{word}", recipient=NOBODY, kind=kind, facts=one, consents=consents)
        for number, one in enumerate(facts, 1)
        for word, consents in given.items()
        for kind in sorted(was.to_kinds | now.to_kinds)
    ]
