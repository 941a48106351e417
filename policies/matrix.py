"""Who may see what: every field × recipient kind × purpose, each with the conditions under which it leaves, and nothing left out.

A cell holds clauses: so much leaves when so, with her consent or by law. What no clause speaks of stays home. Above every cell
stands the conflict of interest: `closed` names, for each recipient kind, the affiliations of an aggressor under which it gets
nothing (R61-R63).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from policies.cover import ALWAYS, Alternatives, Cover, holds
from policies.decision import Facts
from policies.enumeration import closed_to
from policies.protocol import Protocol
from policies.verdicts import CONSENTS, HOME, Cells, Group, Level, Side, cuts, groups

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Clause:
    """So much leaves in these states; `consent` is `yes` or `law`."""

    level: Level
    consent: str
    when: Alternatives


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one recipient kind may see of one field for one purpose; without clauses nothing."""

    clauses: tuple[Clause, ...] = ()

    def level(self, facts: Facts, consent: str) -> Level:
        """How much leaves for these facts: the matrix read back."""
        found = (clause.level for clause in self.clauses if clause.consent == consent and holds(clause.when, facts))
        return next(found, HOME)

    @property
    def always(self) -> Level | None:
        """The level, where it depends on nothing but her consent and no law stands in for it."""
        if not self.clauses:
            return HOME
        only = self.clauses[0] if len(self.clauses) == 1 else None
        return only.level if only and only.consent == "yes" and only.when == ALWAYS else None


Place = tuple[str, str]
"""Purpose and recipient kind."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """All cells of one protocol, or of the part that was asked for."""

    protocol: Protocol
    fields: tuple[str, ...]
    places: tuple[Place, ...]
    cells: Mapping[tuple[str, Place], Cell]
    closed: Mapping[str, tuple[str, ...]]
    """Recipient kind → the affiliations that cut it."""

    def columns(self) -> tuple[tuple[Place, ...], ...]:
        """The places, those together that differ in no field."""
        return _alike(self.places, lambda place: tuple(self.cells[field, place] for field in self.fields))

    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The fields, those together that differ in no place."""
        return _alike(self.fields, lambda field: tuple(self.cells[field, place] for place in self.places))


def matrix(protocol: Protocol, fields: Iterable[str] = (), kinds: Iterable[str] = (), purposes: Iterable[str] = ()) -> Matrix:
    """The whole matrix, or the part about these fields, recipient kinds and purposes (empty: all of them)."""
    cells = Cells(purposes=tuple(protocol.purposes), kinds=tuple(sorted(protocol.to_kinds)))
    part = cells.of(_of(cells.purposes, purposes), _of(cells.kinds, kinds))
    shown = _of(protocol.universe, fields)
    side, cut = Side(protocol, cells), cuts(cells, protocol)
    found: dict[tuple[str, Place], Cell] = {}
    for name in shown:
        cover: Cover | None = None
        for group in groups((side,), cells, name):
            cover = cover or Cover(group.space)
            clauses = _clauses(group, cover)
            for where in cut:
                reached = group.space.view(where.closed).reached
                cell = Cell(clauses=tuple(clause for clause, states in clauses if states & reached))
                found |= dict.fromkeys(((name, place) for place in cells.pairs(group.cells & where.cells & part)), cell)
    closed = {kind: tuple(sorted(closed_to(kind, protocol))) for kind in _of(cells.kinds, kinds)}
    return Matrix(
        protocol=protocol, fields=shown, places=tuple(cells.pairs(part)), cells=MappingProxyType(found), closed=MappingProxyType(closed)
    )


def _of(known: tuple[str, ...], wanted: Iterable[str]) -> tuple[str, ...]:
    named = frozenset(wanted)
    return tuple(word for word in known if word in named) if named else known


def _clauses(group: Group, cover: Cover) -> list[tuple[Clause, int]]:
    """What leaves in the cells of a group, the widest first, each with its states."""
    found = []
    for consent in CONSENTS:
        shown = group.levels[0][consent]
        levels = sorted((level for level in shown if level != HOME), key=lambda one: (one.width, one.text), reverse=True)
        found += [(Clause(level=level, consent=consent, when=cover.of(shown[level])), shown[level]) for level in levels]
    return found


def _alike(items: Iterable[T], key: Callable[[T], Hashable]) -> tuple[tuple[T, ...], ...]:
    found: dict[Hashable, list[T]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return tuple(tuple(group) for group in found.values())
