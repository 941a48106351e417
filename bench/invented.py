"""Invented protocols of any size: fields × recipient kinds × purposes, twelve atoms, and a second version with another rule in every field.

The words are invented, but for the facts and the affiliations, which stand in the shipped vocabulary: conflict of interest must bite here too.
"""

from __future__ import annotations

import dataclasses
import random
from itertools import chain

from policies import packs
from policies.conditions import MAX_ATOMS, Atom
from policies.decision import Outcome
from policies.protocol import Protocol, Purpose, Rule

_ASKED = ("risk", "risk", "urgency", "age_band", "need", "aggressor_affiliation", "aggressor_affiliation")
_FORBIDDEN = ("risk", "age_band", "aggressor_affiliation")
_BASES = 2
_SHOWN = ((Outcome.RELEASE, None), (Outcome.GENERALISE, "summary"), (Outcome.GENERALISE, "count"), (Outcome.PRESENCE, None))


def versions(fields: int, kinds: int, purposes: int, seed: int = 11) -> tuple[Protocol, Protocol]:
    """Two versions of one invented protocol."""
    chance = random.Random(seed)  # a fixed sequence, not a secret
    base = packs.load("pe").protocols["emergency-centre"]
    span = next(iter(base.purposes.values())).retention
    owned = list(dict.fromkeys(chain.from_iterable(sorted(base.bodies.kinds_of(a)) for a in sorted(base.bodies.affiliations))))
    recipients, named = owned[:kinds], [f"purpose_{n}" for n in range(purposes)]
    if len(recipients) < kinds:
        raise ValueError(f"there are only {len(recipients)} recipient kinds that an affiliation can cut")
    make = _Writer(chance, base, named, recipients)
    first = {f"field_{n}": [make.rule(f"field_{n}") for _ in range(chance.randint(3, 6))] for n in range(fields)}
    second = {name: [*some[1:], make.rule(name)] for name, some in first.items()}

    def protocol(some: dict[str, list[Rule]], version: int) -> Protocol:
        rules = tuple({rule.id: rule for rule in chain.from_iterable(some.values())}.values())
        return dataclasses.replace(
            base, version=version, universe=tuple(first), to_kinds=frozenset(recipients), rules=rules, needs=base.domain["need"],
            purposes={name: Purpose(id=name, retention=span) for name in named},
        )  # fmt: skip

    return protocol(first, 1), protocol(second, 2)


class _Writer:
    def __init__(self, chance: random.Random, base: Protocol, purposes: list[str], kinds: list[str]) -> None:
        self._chance, self._base, self._purposes, self._kinds = chance, base, purposes, kinds
        self._asked = [self._atom(dimension) for dimension in _ASKED]
        self._forbidden = [self._atom(dimension, forbids=True) for dimension in _FORBIDDEN]
        self._bases = sorted(base.domain["legal_basis"])[:_BASES]
        if len(self._asked) + len(self._forbidden) + _BASES != MAX_ATOMS:
            raise ValueError("the bench is about documents with the most atoms that are allowed")

    def rule(self, name: str) -> Rule:
        """One rule of a field: a prohibition in one of four."""
        chance = self._chance
        purposes, kinds = self._some(self._purposes), self._some(self._kinds)
        if chance.random() < 0.25:
            when = frozenset(chance.sample(self._forbidden, chance.randint(1, 2)))
            return Rule(field=name, outcome=Outcome.WITHHOLD, when=when, purposes=purposes, to_kinds=kinds)
        outcome, how = chance.choice(_SHOWN)
        basis = frozenset({chance.choice(self._bases)}) if chance.random() < 0.5 else frozenset()
        when = frozenset(chance.sample(self._asked, chance.randint(0, 3)))
        return Rule(field=name, outcome=outcome, generalisation=how, when=when, legal_basis=basis, purposes=purposes, to_kinds=kinds)

    def _atom(self, dimension: str, *, forbids: bool = False) -> Atom:
        values = sorted(self._base.domain[dimension] - {"unknown"})
        chosen = self._chance.sample(values, self._chance.randint(1, len(values) - 1))
        return Atom(dimension=dimension, values=frozenset(chosen), forbids=forbids)

    def _some(self, words: list[str]) -> frozenset[str]:
        """All, or any part of them."""
        return frozenset() if self._chance.random() < 0.5 else frozenset(self._chance.sample(words, self._chance.randint(1, len(words))))
