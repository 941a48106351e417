"""A set of states as few readable alternatives: "risk high or critical; or a court order".

Exact both ways: every state of the set is in some alternative, and no other state is. Each alternative is as wide as it can be
(a prime implicant), so that nothing is asked that does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

from policies.conditions import PLURAL, Atom, values_of
from policies.decision import Facts
from policies.enumeration import Space


@dataclass(frozen=True, kw_only=True)
class Among:
    """One value (None: not known) lies among these; `out_of` are all that it could be."""

    dimension: str
    values: frozenset[str | None]
    out_of: frozenset[str | None]

    def holds(self, facts: Facts) -> bool:
        """Whether it is so."""
        present = values_of(facts, self.dimension)
        return (next(iter(present)) if present else None) in self.values


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question about several values has this answer."""

    atom: Atom
    answer: bool

    def holds(self, facts: Facts) -> bool:
        """Whether it is so."""
        return self.atom.holds(facts) is self.answer


Literal = Among | Asked
Alternative = tuple[Literal, ...]
"""All must hold; empty: always."""
Alternatives = tuple[Alternative, ...]
"""One must hold; empty: never."""

ALWAYS: Alternatives = ((),)


def holds(alternatives: Alternatives, facts: Facts) -> bool:
    """Whether some alternative holds of these facts."""
    return any(all(literal.holds(facts) for literal in one) for one in alternatives)


@dataclass(frozen=True, kw_only=True)
class _Variable:
    """One thing that may be asked: the states of each of its answers."""

    answers: tuple[int, ...]
    axis: int
    atom: Atom | None = None


_Cube = tuple[frozenset[int], ...]
_FEW = 3
"""So many questions are tried in every order, more of them turned round a few times: the order decides how short the words become, never whether
they are right."""


class Cover:
    """Reads sets of states of one space; remembers what it has read."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._variables = tuple(_variables(space))
        self._orders = _orders(len(self._variables))
        self._known: dict[int, Alternatives] = {}

    def of(self, states: int) -> Alternatives:
        """The alternatives that make exactly these states."""
        if states not in self._known:
            self._known[states] = tuple(self._spoken(cube) for cube in self._cubes(states))
        return self._known[states]

    def _cubes(self, states: int) -> list[_Cube]:
        found: dict[_Cube, int] = {}
        left = states
        while left:
            cube, covered = self._widest(states, left)
            found[cube] = covered
            left &= ~covered
        for cube in sorted(found, key=lambda one: found[one].bit_count()):
            others = 0
            for other, covered in found.items():
                others |= covered if other != cube else 0
            if not found[cube] & ~others:  # what the others say together need not be said again
                del found[cube]
        return list(found)

    def _widest(self, states: int, left: int) -> tuple[_Cube, int]:
        seed, most = (left & -left).bit_length() - 1, (-1, 0)
        best: tuple[_Cube, int] = (), 0
        for order in self._orders:
            cube, covered = self._grown(states, seed, order)
            worth = (covered & left).bit_count(), -sum(len(part) for part in cube)
            if worth > most:
                best, most = (cube, covered), worth
            if not left & ~covered:  # no other order can do more
                break
        return best

    def _grown(self, states: int, seed: int, order: tuple[int, ...]) -> tuple[_Cube, int]:
        """From one state, every answer taken in that keeps the cube within the states."""
        cube = [next(n for n, mask in enumerate(v.answers) if mask >> seed & 1) for v in self._variables]
        parts, masks = [{answer} for answer in cube], [v.answers[answer] for v, answer in zip(self._variables, cube, strict=True)]
        outside = self._space.all & ~states
        for at in order:
            rest = outside
            for other, mask in enumerate(masks):
                if other != at:
                    rest &= mask
            for number, mask in enumerate(self._variables[at].answers):
                if number not in parts[at] and not rest & mask:
                    parts[at].add(number)
                    masks[at] |= mask
        covered = self._space.all
        for mask in masks:
            covered &= mask
        return tuple(frozenset(part) for part in parts), covered

    def _spoken(self, cube: _Cube) -> Alternative:
        told: list[Literal] = []
        for variable, answers in zip(self._variables, cube, strict=True):
            if len(answers) == len(variable.answers):
                continue
            if variable.atom is not None:
                told.append(Asked(atom=variable.atom, answer=1 in answers))
                continue
            axis = self._space.axes[variable.axis]
            values = frozenset(value for number in answers for value in axis.choices[number].same)
            told.append(Among(dimension=axis.dimension, values=values, out_of=frozenset(v for choice in axis.choices for v in choice.same)))
        return tuple(told)


def _orders(count: int) -> list[tuple[int, ...]]:
    numbers = tuple(range(count))
    if count <= _FEW:
        return list(permutations(numbers))
    return [numbers[at:] + numbers[:at] for at in range(0, count, -(-count // _FEW))]


def _variables(space: Space) -> list[_Variable]:
    found = []
    for number, axis in enumerate(space.axes):
        if axis.dimension not in PLURAL:
            found.append(_Variable(answers=tuple(space.choosing(axis, [n]) for n in range(len(axis.choices))), axis=number))
            continue
        atoms: Mapping[Atom, None] = dict.fromkeys(atom for choice in axis.choices for atom in choice.true)
        for atom in sorted(atoms, key=lambda one: (one.text, one.forbids)):
            true = space.where(frozenset((atom,)))
            if space.all & ~true:  # one that always holds asks nothing
                found.append(_Variable(answers=(space.all & ~true, true), axis=number, atom=atom))
    return found
