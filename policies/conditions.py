"""Conditions over finite sets: `when: {risk: [high, critical]}`.

A condition is a conjunction of atoms, an atom asks whether one fact lies in a set. Because every dimension is finite,
everything that can be said about a document can be found out by enumeration (design §6).

Doubt counts against release. An unknown fact makes a permission's atom false and a prohibition's atom true, so the same words
are two different atoms on the two sides; that is what `forbids` records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from policies.decision import Facts

SINGLE = ("need", "risk", "urgency", "age_band")
PLURAL = ("aggressor_affiliation", "legal_basis")
DIMENSIONS = SINGLE + PLURAL
MAX_ATOMS = 12

INSTITUTION_PREFIX = "institution:"


@dataclass(frozen=True, kw_only=True)
class Atom:
    """Does this fact lie in `values`? `forbids` says which side asks, hence how doubt counts."""

    dimension: str
    values: frozenset[str]
    forbids: bool = False

    @property
    def text(self) -> str:
        """A canonical spelling, the same however the document ordered the values."""
        return f"{self.dimension}={'|'.join(sorted(self.values))}"

    def holds(self, facts: Facts) -> bool:
        """Whether the atom is true of `facts`; doubt sides with withholding."""
        present = values_of(facts, self.dimension)
        if present is None:
            return self.forbids
        return not present.isdisjoint(self.values)


Condition = frozenset[Atom]
"""All atoms must hold; the empty condition always holds."""


def values_of(facts: Facts, dimension: str) -> frozenset[str] | None:
    """The values a fact has, or None when it is not known."""
    if dimension == "legal_basis":
        return facts.legal_basis or None  # none recorded: a prohibition that asks for one takes the doubt for itself
    if dimension == "aggressor_affiliation":
        known = facts.aggressor_affiliation
        return None if not known or "unknown" in known else known
    value: str | None = getattr(facts, dimension)
    return None if value is None else frozenset((value,))


def holds(condition: Condition, facts: Facts) -> bool:
    """Whether every atom holds."""
    return all(atom.holds(facts) for atom in condition)


def text_of(condition: Condition) -> str:
    """A canonical spelling of a condition, empty when it always holds."""
    return ",".join(sorted(atom.text for atom in condition))


def are_known(facts: Facts, domain: Mapping[str, frozenset[str]]) -> bool:
    """Whether every fact is a word of the vocabulary; a stranger among them is an error, and an error withholds."""
    for dimension in SINGLE:
        value = getattr(facts, dimension)
        if value is not None and value not in domain[dimension]:
            return False
    affiliations = (a for a in facts.aggressor_affiliation if not a.startswith(INSTITUTION_PREFIX))
    return (
        facts.need is not None
        and domain["aggressor_affiliation"].issuperset(affiliations)
        and domain["legal_basis"] >= facts.legal_basis
    )
