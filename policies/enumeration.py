"""Every state of the facts that some rules can tell apart, counted once, and one bit for each.

The core under `matrix`, `diff`, `simulate` and `validator`. A document asks a few finite questions (atoms); facts between which no
atom tells are one state. A `Space` lists the states of one set of atoms, "not known" included, and keeps for each atom the states
in which it holds as the bits of one integer. Then "for which facts does this rule decide" is a few ANDs over *all* states at
once: exact, because nothing is sampled, and quick, because nobody walks the states one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod

from policies import conflict
from policies.conditions import DIMENSIONS, INSTITUTION_PREFIX, PLURAL, Atom, Condition
from policies.decision import Facts
from policies.protocol import Protocol

ELSEWHERE = INSTITUTION_PREFIX + "~"
"""An institution that is named and is nobody's recipient: known, and in no list of the vocabulary."""
NOBODY = "~~"
"""A recipient id that no affiliation names."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Values of one dimension that no atom tells apart. `given` is the least that says so; None means not known.

    `same` are all single values of a dimension that holds one value; for several values at once `given` alone stands.
    """

    given: frozenset[str] | None
    same: tuple[str | None, ...]
    true: frozenset[Atom]


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One dimension with all its choices; a choice counts `stride` in a state's number."""

    dimension: str
    choices: tuple[Choice, ...]
    stride: int


class Space:
    """The states of some atoms over `domain`; bit n of a set stands for state n."""

    def __init__(self, atoms: Iterable[Atom], domain: Mapping[str, frozenset[str]], needs: frozenset[str]) -> None:
        asked = frozenset(atoms)
        self.domain = {**domain, "need": needs}
        self.axes = self._axes(asked)
        self.size = prod(len(axis.choices) for axis in self.axes)
        self.all = (1 << self.size) - 1
        self._sets = {atom: self._where(atom) for atom in asked}
        self._views: dict[frozenset[str], View] = {}

    def where(self, condition: Condition) -> int:
        """The states in which every atom holds."""
        found = self.all
        for atom in condition:
            found &= self._sets[atom]
        return found

    def view(self, closed: frozenset[str] = frozenset()) -> View:
        """The states as they can be reached without these affiliations."""
        if closed not in self._views:
            self._views[closed] = View(self, closed)
        return self._views[closed]

    def choosing(self, axis: Axis, numbers: Iterable[int]) -> int:
        """The states in which the axis has one of these choices."""
        ones = (1 << axis.stride) - 1
        block, period = sum(ones << number * axis.stride for number in numbers), axis.stride * len(axis.choices)
        return int(f"{block:0{period}b}" * (self.size // period), 2)  # base two: linear in the number of states

    def _where(self, atom: Atom) -> int:
        axis = next(axis for axis in self.axes if axis.dimension == atom.dimension)
        return self.choosing(axis, [number for number, choice in enumerate(axis.choices) if atom in choice.true])

    def _axes(self, asked: frozenset[Atom]) -> tuple[Axis, ...]:
        axes, stride = [], 1
        for dimension in DIMENSIONS:
            own = [atom for atom in asked if atom.dimension == dimension]
            if own:
                choices = several_choices(own, self.domain[dimension]) if dimension in PLURAL else single_choices(own, self.domain[dimension])
                axes.append(Axis(dimension=dimension, choices=choices, stride=stride))
                stride *= len(choices)
        return tuple(axes)


class View:
    """What a recipient can be asked about at all: `reached` leaves out the states that only affiliations make under which it gets nothing."""

    def __init__(self, space: Space, closed: frozenset[str]) -> None:
        self._space = space
        self._given = {axis.dimension: _given(axis, space.domain, closed) for axis in space.axes}
        self.reached = space.all
        for axis in space.axes:
            if len(self._given[axis.dimension]) < len(axis.choices):
                self.reached &= space.choosing(axis, self._given[axis.dimension])

    def facts(self, state: int) -> Facts:
        """The fewest facts that make this state."""
        given = {axis.dimension: self._given[axis.dimension][_number(axis, state)] for axis in self._space.axes}
        single = {name: next(iter(values)) for name, values in given.items() if values and name not in PLURAL}
        return Facts(
            need=single.get("need") or min(self._space.domain["need"], default=""),
            risk=single.get("risk"), urgency=single.get("urgency"), age_band=single.get("age_band"),
            aggressor_affiliation=given.get("aggressor_affiliation") or frozenset(),
            legal_basis=given.get("legal_basis") or frozenset(),
        )  # fmt: skip

    def least(self, states: int) -> int:
        """A state of a set that takes few facts to say: no fact of it can be left out, or made smaller, within the set."""
        within = states & self.reached
        state, before = (within & -within).bit_length() - 1, -1
        while state != before:
            before = state
            for axis in self._space.axes:
                at, order = _number(axis, state), list(self._given[axis.dimension])  # the least said stands first
                others = (state + (number - at) * axis.stride for number in order[: order.index(at)])
                state = next((other for other in others if within >> other & 1), state)
        return state


def _number(axis: Axis, state: int) -> int:
    return state // axis.stride % len(axis.choices)


def _given(axis: Axis, domain: Mapping[str, frozenset[str]], closed: frozenset[str]) -> dict[int, frozenset[str] | None]:
    """The number of each choice that can be reached → its least values, the smallest first."""
    choices = axis.choices
    if axis.dimension == "aggressor_affiliation" and closed:
        asked = [*frozenset[Atom]().union(*(choice.true for choice in choices))]
        choices = several_choices(asked, domain[axis.dimension] - closed) if asked else choices
    place = {choice.true: number for number, choice in enumerate(axis.choices)}
    return {place[choice.true]: choice.given for choice in choices}


def single_choices(atoms: list[Atom], values: frozenset[str]) -> tuple[Choice, ...]:
    """The choices of a dimension that has one value, or is not known; a need is always known."""
    dimension = atoms[0].dimension
    alike: dict[frozenset[Atom], list[str | None]] = {}
    if dimension != "need":
        alike[frozenset(atom for atom in atoms if atom.forbids)] = [None]
    for value in sorted(values):
        alike.setdefault(frozenset(atom for atom in atoms if value in atom.values), []).append(value)
    return tuple(
        Choice(given=None if same[0] is None else frozenset((same[0],)), same=tuple(same), true=true) for true, same in alike.items()
    )


def several_choices(atoms: list[Atom], values: frozenset[str]) -> tuple[Choice, ...]:
    """The choices of a dimension that may hold several values at once, the smallest sets first.

    At most one choice for each set of atoms that can be true together: a value more that changes no atom is no other state.
    """
    doubt = frozenset(atom for atom in atoms if atom.forbids)
    affiliation = atoms[0].dimension == "aggressor_affiliation"
    known = values - {"unknown"} if affiliation else values
    singles: dict[frozenset[Atom], str] = {}
    for value in (*sorted(known), *((ELSEWHERE,) if affiliation else ())):
        singles.setdefault(frozenset(atom for atom in atoms if value in atom.values), value)
    found: dict[frozenset[Atom], frozenset[str]] = {}
    layer = {true: frozenset((value,)) for true, value in singles.items()}
    while layer:
        found |= layer
        unions = ((old | true, held | {value}) for (old, held), (true, value) in product(list(layer.items()), singles.items()))
        layer = {true: held for true, held in unions if true not in found}
    found.pop(doubt, None)  # what can be said by saying nothing is said so
    return tuple(Choice(given=given, same=(), true=true) for true, given in ((doubt, None), *found.items()))


def closed_to(kind: str, protocol: Protocol) -> frozenset[str]:
    """The affiliations under which a recipient of this kind gets nothing at all, whatever a document says (R61-R63)."""
    return frozenset(value for value in protocol.domain["aggressor_affiliation"] if conflict.excluded(kind, NOBODY, {value}, protocol.bodies))
