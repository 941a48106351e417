"""What some rules decide about one field in every state at once: how much of it leaves, with her consent and without it.

`meaning.settle` is the law; this says the same of all states in a handful of ANDs, and a property test holds the two equal.
A group of cells (purpose × recipient kind) to which the very same rules speak is looked at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policies.conditions import Atom
from policies.decision import Outcome
from policies.enumeration import Space, closed_to
from policies.generalise import GENERALISATIONS
from policies.protocol import Protocol, Rule, atoms_of

CONSENTS = ("yes", "law")
"""With her consent; without it, because the law allows it."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """How much of a field leaves. `generalisation` is set exactly when the outcome is GENERALISE."""

    outcome: Outcome
    generalisation: str | None = None

    @property
    def width(self) -> tuple[int, int]:
        """Larger shows more; two generalisations may be as open as each other and still differ."""
        return self.outcome, GENERALISATIONS[self.generalisation].openness if self.generalisation else 0

    @property
    def text(self) -> str:
        """As documents write it."""
        return f"{self.outcome.word}:{self.generalisation}" if self.generalisation else self.outcome.word


HOME = Level(outcome=Outcome.WITHHOLD)

Levels = Mapping[Level, int]
"""Level → the states in which exactly so much leaves; levels without states are left out."""


def decided(space: Space, rules: Iterable[Rule], within: int) -> dict[str, Levels]:
    """For each of `CONSENTS`: what leaves in each state of `within`; everywhere else the field stays home.

    `rules` stand as `widest_first` puts them.
    """
    found: dict[str, dict[Level, int]] = {consent: {} for consent in CONSENTS}
    ordered = list(rules)
    forbidden = 0
    for rule in ordered:
        forbidden |= space.where(rule.when) if rule.outcome is Outcome.WITHHOLD else 0
    left = dict.fromkeys(CONSENTS, within & ~forbidden)
    for rule in ordered:
        if rule.outcome is Outcome.WITHHOLD:
            continue
        level, applies = Level(outcome=rule.outcome, generalisation=rule.generalisation), space.where(rule.when)
        basis = space.where(frozenset((rule.basis_atom,))) if rule.basis_atom else 0
        for consent, holds in (("yes", applies), ("law", applies & basis)):
            gained = left[consent] & holds
            if gained:
                found[consent][level] = found[consent].get(level, 0) | gained
                left[consent] &= ~gained
    for levels in found.values():
        shown = 0
        for states in levels.values():
            shown |= states
        if home := space.all & ~shown:
            levels[HOME] = home
    return {consent: MappingProxyType(levels) for consent, levels in found.items()}


def widest_first(rules: Iterable[Rule]) -> list[Rule]:
    """The order in which permissions win; of equal width the smaller id, as `meaning` has it."""
    return sorted(rules, key=lambda rule: (tuple(-part for part in rule.width), rule.id))


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Purpose × recipient kind as bits of one integer, the order of purposes and kinds being given."""

    purposes: tuple[str, ...]
    kinds: tuple[str, ...]

    @property
    def all(self) -> int:
        """Every cell."""
        return (1 << len(self.purposes) * len(self.kinds)) - 1

    def of(self, purposes: Iterable[str], kinds: Iterable[str]) -> int:
        """The cells of a rectangle; words that stand in neither list have none."""
        row = sum(1 << self.kinds.index(kind) for kind in kinds if kind in self.kinds)
        return sum(row << self.purposes.index(purpose) * len(self.kinds) for purpose in purposes if purpose in self.purposes)

    def pairs(self, cells: int) -> Iterator[tuple[str, str]]:
        """The cells of a set, as (purpose, kind)."""
        for number in range(len(self.purposes) * len(self.kinds)):
            if cells >> number & 1:
                yield self.purposes[number // len(self.kinds)], self.kinds[number % len(self.kinds)]


class Side:
    """One document in a comparison: its rules by field, each with the cells that it covers, and its needs as an atom."""

    def __init__(self, protocol: Protocol, cells: Cells) -> None:
        self.protocol = protocol
        self.covers = Atom(dimension="need", values=protocol.needs)
        self.cells = cells.of(protocol.purposes, protocol.to_kinds)
        self.rules: dict[str, list[tuple[Rule, int]]] = {}
        for rule in widest_first(protocol.rules):
            own = cells.of(rule.purposes or protocol.purposes, rule.to_kinds or protocol.to_kinds) & self.cells
            self.rules.setdefault(rule.field, []).append((rule, own))


@dataclass(frozen=True, kw_only=True)
class Group:
    """Cells to which the very same rules of every side speak about one field, and what each side decides there."""

    field: str
    cells: int
    space: Space
    levels: tuple[dict[str, Levels], ...]


def groups(sides: tuple[Side, ...], cells: Cells, field: str) -> Iterator[Group]:
    """Everything about one field: all cells, grouped, each with the levels of every side."""
    rules = [side.rules.get(field, []) for side in sides]
    atoms = {atom for some in rules for atom in atoms_of(tuple(rule for rule, _ in some))} | {side.covers for side in sides}
    needs = frozenset[str]().union(*(side.protocol.needs for side in sides))
    domain = sides[0].protocol.domain
    for side in sides[1:]:
        domain = {name: values & side.protocol.domain[name] for name, values in domain.items()}
    space = Space(atoms, domain, needs & domain["need"])
    marks = [side.cells for side in sides] + [covered for some in rules for _, covered in some]
    for group in _split(cells.all, marks):
        yield Group(field=field, cells=group, space=space, levels=tuple(_levels(space, side, group, field) for side in sides))


def _levels(space: Space, side: Side, group: int, field: str) -> dict[str, Levels]:
    within = space.where(frozenset((side.covers,))) if side.cells & group else 0
    return decided(space, [rule for rule, covered in side.rules.get(field, []) if covered & group], within)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The cells of the recipient kinds that the same affiliations of an aggressor cut."""

    closed: frozenset[str]
    cells: int


def cuts(cells: Cells, protocol: Protocol) -> tuple[Cut, ...]:
    """Every cell, by what cuts its recipient: conflict of interest stands above all rules, and no rule speaks where it cuts."""
    found: dict[frozenset[str], set[str]] = {}
    for kind in cells.kinds:
        found.setdefault(closed_to(kind, protocol), set()).add(kind)
    return tuple(Cut(closed=closed, cells=cells.of(cells.purposes, kinds)) for closed, kinds in found.items())


def reaching(group: Group, states: int, some: Iterable[Cut]) -> Iterator[tuple[Cut, int]]:
    """The cells of a group in which these states can be at all, by their cut."""
    for cut in some:
        own = group.cells & cut.cells
        if own and states & group.space.view(cut.closed).reached:
            yield cut, own


def _split(cells: int, marks: Iterable[int]) -> list[int]:
    """The coarsest groups of which each lies wholly inside or wholly outside of every mark."""
    found = [cells] if cells else []
    for mark in marks:
        found = [part for group in found for part in (group & mark, group & ~mark) if part]
    return found
