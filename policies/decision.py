"""The nouns of a decision: what is asked, what was decided per field, and why.

A decision is a value. Whoever discloses must hold one; whoever explains reads its reasons. Nothing here computes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from policies.places import NOWHERE, Country

NO_PARAMS: Mapping[str, str] = MappingProxyType({})

CONSENT_STATES = ("active", "none", "expired", "withdrawn")
"""What the consent record says about this recipient and purpose, now."""


class Outcome(IntEnum):
    """How much of a field leaves, ordered by how much it shows. The steps leave room for others between them."""

    WITHHOLD = 0
    PRESENCE = 10
    GENERALISE = 20
    RELEASE = 30

    @property
    def word(self) -> str:
        """The lower-case word used in documents and on the wire."""
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The finite facts a condition may look at.

    `None` means "not known". A fact that is not known counts against release: it satisfies no permission and every prohibition
    that asks about it. `aggressor_affiliation` may hold several; empty or `unknown` means not known. `legal_basis` empty means
    there is none.
    """

    need: str
    risk: str | None = None
    urgency: str | None = None
    aggressor_affiliation: frozenset[str] = frozenset()
    age_band: str | None = None
    legal_basis: frozenset[str] = frozenset()
    key: tuple[Any, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        affiliations, bases = _as_set(self.aggressor_affiliation), _as_set(self.legal_basis)
        object.__setattr__(self, "aggressor_affiliation", affiliations)
        object.__setattr__(self, "legal_basis", bases)
        object.__setattr__(self, "key", (self.need, self.risk, self.urgency, affiliations, self.age_band, bases))


@dataclass(frozen=True, kw_only=True)
class Request:
    """One question: may these fields go to this recipient, for this purpose, under this consent?

    `consented` holds the field ids she has agreed to share with this very recipient for this very purpose, and nothing else;
    the caller takes them from the consent record in the same unit of work. It counts only while `consent_state` is `active`.
    """

    purpose: str
    recipient_kind: str
    recipient_id: str
    facts: Facts
    consented: frozenset[str] = frozenset()
    consent_state: str = "none"

    def __post_init__(self) -> None:
        if not isinstance(self.consented, frozenset):
            object.__setattr__(self, "consented", _as_set(self.consented))


@dataclass(frozen=True, kw_only=True)
class Reason:
    """Why: a stable code, the rule that decided (if one did) and the words its sentence needs. Never a value of the case."""

    code: str
    rule_id: str | None = None
    params: Mapping[str, str] = field(default_factory=lambda: NO_PARAMS)


@dataclass(frozen=True, kw_only=True)
class FieldDecision:
    """What happens to one field. `generalisation` is set exactly when the outcome is GENERALISE."""

    field: str
    outcome: Outcome
    generalisation: str | None = None
    reason: Reason


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The answer for every field of the vocabulary. `excluded` means a conflict of interest keeps everything home (R61-R62).

    `country` is the protocol's: what its generalisations mean by a province or a national.
    """

    protocol_id: str
    version: int
    fields: Mapping[str, FieldDecision]
    excluded: bool = False
    country: Country = field(default=NOWHERE, repr=False, compare=False)

    def field(self, name: str) -> FieldDecision:
        """The decision about `name`; a name the protocol's vocabulary does not know is withheld."""
        known = self.fields.get(name)
        return known if known is not None else withheld(name, Reason(code="unknown_field"))

    @property
    def discloses(self) -> bool:
        """Whether anything at all may leave."""
        return any(item.outcome is not Outcome.WITHHOLD for item in self.fields.values())


def withheld(name: str, reason: Reason) -> FieldDecision:
    """The decision that keeps a field home."""
    return FieldDecision(field=name, outcome=Outcome.WITHHOLD, reason=reason)


def nothing_leaves(protocol_id: str, version: int, fields: Iterable[str], code: str, *, excluded: bool = False) -> Decision:
    """The decision that keeps every field home for one common reason."""
    reason = Reason(code=code)
    table = MappingProxyType({name: withheld(name, reason) for name in fields})
    return Decision(protocol_id=protocol_id, version=version, fields=table, excluded=excluded)


def _as_set(value: Iterable[str] | str | None) -> frozenset[str]:
    # A lone `police` must become {police}, not five letters: as letters it would exclude nobody.
    if value is None:
        return frozenset()
    return frozenset((value,)) if isinstance(value, str) else frozenset(value)
