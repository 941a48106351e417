"""A sharing protocol as frozen types: what its parties signed, and what can be asked of it.

A rule is a permission (`release`, `generalise:<how>`, `presence`) or a prohibition (`withhold`). The order of rules means
nothing: among the rules that apply, a prohibition wins over everything, else the permission that shows most, else the field
stays home. So adding a prohibition, or narrowing a permission, can never release anything.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from policies.conditions import Atom, Condition, text_of
from policies.conflict import Bodies
from policies.decision import Outcome
from policies.generalise import GENERALISATIONS
from policies.places import Country
from policies.spans import Span
from policies.vocabulary import Words

OFFER_FIELDS = ("need", "territory", "urgency", "languages", "accessibility")
"""All an offer may ever hold: nothing in it is a person (design §5, step 2)."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule about one field. Empty `purposes` and `to_kinds` mean all of the protocol's.

    `legal_basis` names what may stand in for consent: the rule then applies without consent when one of them is among the facts.
    """

    field: str
    outcome: Outcome
    generalisation: str | None = None
    when: Condition = frozenset()
    purposes: frozenset[str] = frozenset()
    to_kinds: frozenset[str] = frozenset()
    legal_basis: frozenset[str] = frozenset()
    because: Words | None = None
    line: int = dataclasses.field(default=0, compare=False)
    column: int = dataclasses.field(default=0, compare=False)

    @property
    def id(self) -> str:
        """A name made of what the rule says, so that moving it in the file does not rename it."""
        parts = [text_of(self.when)]
        parts += [
            f"{name}={'|'.join(sorted(words))}"
            for name, words in (("purpose", self.purposes), ("to", self.to_kinds), ("basis", self.legal_basis))
            if words
        ]
        how = f":{self.generalisation}" if self.generalisation else ""
        scope = ",".join(part for part in parts if part)
        return f"{self.field}.{self.outcome.word}{how}" + (f"[{scope}]" if scope else "")

    @property
    def basis_atom(self) -> Atom | None:
        """The atom that is true when one of the named legal bases is present."""
        return Atom(dimension="legal_basis", values=self.legal_basis) if self.legal_basis else None

    @property
    def width(self) -> tuple[int, int]:
        """How much the rule shows; the wider of two permissions wins."""
        return self.outcome, GENERALISATIONS[self.generalisation].openness if self.generalisation else 0

    def covers(self, purpose: str, kind: str) -> bool:
        """Whether the rule speaks about this purpose and recipient kind."""
        return (not self.purposes or purpose in self.purposes) and (not self.to_kinds or kind in self.to_kinds)


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """What data may be used for, and how long they are kept for it."""

    id: str
    retention: Span


@dataclass(frozen=True, kw_only=True)
class AutoAccept:
    """When a hub may accept by itself. It sees only the offer, so only `need` and `urgency` can be asked about."""

    when: Condition
    on_duty: bool


@dataclass(frozen=True, kw_only=True)
class Duty:
    """Who is rung when nobody answers: roles in order, each after `ring_every`."""

    roles: tuple[str, ...]
    ring_every: timedelta


@dataclass(frozen=True, kw_only=True)
class BreakGlass:
    """Which withheld fields an emergency may open, to whom, and how it is looked after (R76). Empty `needs` means all of the protocol's.

    Either a second enrolled person confirms within minutes (`second_person`) or supervision reviews it afterwards, within `review_within`.
    """

    fields: frozenset[str]
    roles: frozenset[str]
    risks: frozenset[str]
    needs: frozenset[str]
    lasts: timedelta
    second_person: bool
    review_within: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class OfferRule:
    """How one of the five offer fields travels."""

    outcome: Outcome
    generalisation: str | None = None


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A sharing protocol as signed. What stands after `citations` freezes the words it was read with.

    `citations` names the laws of the pack it rests on: for tools and auditors, shown nowhere to the person.
    """

    id: str
    version: int
    title: Words
    purposes: Mapping[str, Purpose]
    needs: frozenset[str]
    from_kinds: frozenset[str]
    to_kinds: frozenset[str]
    parties: frozenset[str]
    community_seat: str
    effective: date
    expires: date
    respond_within: Mapping[str, timedelta]
    offer: Mapping[str, OfferRule]
    rules: tuple[Rule, ...]
    legal_basis: tuple[str, ...]
    onward: bool
    """Whether the owner may let a recipient pass a field on, by a grant for each time (R71). Without it there is no way at all."""
    auto_accept: AutoAccept | None
    duty: Duty | None
    citations: tuple[str, ...]
    universe: tuple[str, ...]
    domain: Mapping[str, frozenset[str]]
    needs_purpose: Mapping[str, str]
    bodies: Bodies
    country: Country
    break_glass: BreakGlass | None = None
    onward_to: frozenset[str] = frozenset()
    """The kinds that a grant may reach; empty with `onward`: every kind that the owner's own protocols reach."""

    @property
    def purpose(self) -> str:
        """The first purpose: the only one in most protocols."""
        return next(iter(self.purposes))

    @property
    def atoms(self) -> tuple[Atom, ...]:
        """Every distinct atom of the document, in canonical order."""
        return atoms_of(self.rules)

    def purpose_of(self, need: str) -> str:
        """The purpose that a need serves under this protocol."""
        wanted = self.needs_purpose.get(need, "")
        return wanted if wanted in self.purposes else self.purpose

    def in_force(self, today: date) -> bool:
        """Whether the version counts on `today`; the expiry date is the first day it no longer does."""
        return self.effective <= today < self.expires

    def keep_until(self, purpose: str, day: date) -> date:
        """The date on which data received on `day` for `purpose` must be gone."""
        return self.purposes[purpose].retention.after(day)

    def goes_on_to(self, kind: str) -> bool:
        """Whether what was received under this protocol may be passed on to such an institution, by the owner's grant."""
        return self.onward and (not self.onward_to or kind in self.onward_to)

    def accepts_itself(self, *, need: str, urgency: str | None, on_duty: bool) -> bool:
        """Whether the recipient's hub may accept this offer without waiting for a person."""
        rule = self.auto_accept
        if rule is None or (rule.on_duty and not on_duty) or need not in self.needs:
            return False
        offered = {"need": need, "urgency": urgency}
        return all(offered.get(atom.dimension) in atom.values for atom in rule.when)


def atoms_of(rules: tuple[Rule, ...]) -> tuple[Atom, ...]:
    """The distinct atoms of some rules, the legal bases that replace consent included."""
    found = {atom for rule in rules for atom in rule.when} | {rule.basis_atom for rule in rules if rule.basis_atom}
    return tuple(sorted(found, key=lambda atom: (atom.dimension, sorted(atom.values), atom.forbids)))
