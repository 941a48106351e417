"""The fast evaluator: conditions become bits, and every field's answer for a state of its own atoms is computed once.

Compiled once per protocol version, in time that grows with its rules and not with the states of their conditions: a state is computed when it
is first asked for, so that a document with many conditions on many fields costs nobody a hub. A decision is then: which bits do the facts set,
take that row, put her consent beside it. The answers are made by `meaning.settle`, the very function of the referee, so the two differ only in
how they find the applying rules; a property test holds them equal over everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from policies import conflict, meaning
from policies.conditions import DIMENSIONS, INSTITUTION_PREFIX, Atom
from policies.decision import CONSENT_STATES, Decision, Facts, FieldDecision, Outcome, Request, nothing_leaves
from policies.protocol import Protocol, Rule

_REMEMBERED = 1024
"""Equal questions remembered per protocol (codes and field ids only). Preview, dispatch and the rooms ask the same one again
and again."""

_Answers = tuple[FieldDecision, FieldDecision, FieldDecision, FieldDecision]
"""One field: with consent, and without it when the consent record is none (or active for other fields), expired, withdrawn."""


@dataclass(frozen=True, kw_only=True)
class _Field:
    """One field before one recipient kind: `table` remembers its four answers for each state of its own bits that was asked for."""

    name: str
    bits: int
    rules: tuple[Rule, ...]
    table: dict[int, _Answers]


@dataclass(frozen=True, kw_only=True)
class _Row:
    """All fields for one state of the facts: `base` without consent, `waiting` only the answers that her consent changes."""

    base: dict[str, FieldDecision]
    without: Mapping[str, Decision]
    waiting: Mapping[str, FieldDecision]
    names: frozenset[str]
    agreed_to_all: Decision


class Compiled:
    """A protocol ready to decide. Immutable in meaning; it only remembers answers it has already given."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self._bodies, self._country = protocol.bodies, protocol.country
        self._atoms = protocol.atoms
        self._index = {atom: 1 << position for position, atom in enumerate(self._atoms)}
        values = {dimension: self._value_bits(dimension) for dimension in DIMENSIONS}
        self._need, self._risk, self._urgency, self._age = (
            values[dimension] for dimension in ("need", "risk", "urgency", "age_band")
        )
        self._affiliation, self._basis = values["aggressor_affiliation"], values["legal_basis"]
        cells = [(purpose, kind) for purpose in protocol.purposes for kind in protocol.to_kinds]
        by_field: dict[str, list[Rule]] = {}
        for rule in protocol.rules:
            by_field.setdefault(rule.field, []).append(rule)
        self._cells = {cell: tuple(self._field(name, by_field.get(name, ()), *cell) for name in protocol.universe) for cell in cells}
        self._rows: dict[tuple[str, str, int], _Row] = {}
        self._refusals: dict[str, Decision] = {}
        self._remembered: dict[tuple[Any, ...], Decision] = {}

    def decide(self, request: Request) -> Decision:
        """Decide every field of the vocabulary, each with its reason. Never raises: an error withholds everything."""
        try:
            # Everything the answer depends on is in this key, so an equal key is the same question.
            key = (
                request.purpose,
                request.recipient_kind,
                request.recipient_id,
                request.consent_state,
                request.consented,
                request.facts.key,
            )
            known = self._remembered.get(key)
            return known if known is not None else self._remember(key, self._decide(request))
        except Exception:  # the law is "an error withholds", whatever the error
            return self._nothing("error")

    def decide_afresh(self, request: Request) -> Decision:
        """The same without memory: what a question costs that was never asked before."""
        try:
            return self._decide(request)
        except Exception:  # as above
            return self._nothing("error")

    def _decide(self, request: Request) -> Decision:
        facts, state = request.facts, request.consent_state
        # 1. Conflict of interest, before anything else is looked at.
        if conflict.excluded(request.recipient_kind, request.recipient_id, facts.aggressor_affiliation, self._bodies):
            return self._nothing("conflict_of_interest")
        # 2. Facts to bits; a word the vocabulary does not know raises KeyError, which withholds.
        mask = self._mask(facts)
        # 3. The row. One that exists was checked when it was made, for its purpose and its recipient kind.
        row = self._rows.get((request.purpose, request.recipient_kind, mask)) if facts.need in self.protocol.needs else None
        if row is None or state not in CONSENT_STATES:
            refusal = meaning.whole_refusal(self.protocol, request)
            if refusal is not None:
                return self._nothing(refusal)
            row = self._make_row(request.purpose, request.recipient_kind, mask)
        # 4. Her consent beside it.
        if state != "active":
            return row.without[state]
        waiting = row.waiting
        if row.names <= request.consented:
            return row.agreed_to_all
        fields = row.base.copy()  # a plain dict: copying the read-only view would cost more than the whole rest
        for name in row.names & request.consented:
            fields[name] = waiting[name]
        return self._decision(fields)

    def _remember(self, key: tuple[Any, ...], decision: Decision) -> Decision:
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[key] = decision
        return decision

    def _decision(self, fields: dict[str, FieldDecision]) -> Decision:
        protocol = self.protocol
        return Decision(
            protocol_id=protocol.id, version=protocol.version, fields=MappingProxyType(fields), country=self._country
        )

    def _nothing(self, code: str) -> Decision:
        if code not in self._refusals:
            protocol, out = self.protocol, code == "conflict_of_interest"
            self._refusals[code] = nothing_leaves(protocol.id, protocol.version, protocol.universe, code, excluded=out)
        return self._refusals[code]

    # -- facts -> bits

    def _bits(self, atoms: Iterable[Atom]) -> int:
        return sum(self._index[atom] for atom in set(atoms))

    def _value_bits(self, dimension: str) -> dict[str | None, int]:
        own = [atom for atom in self._atoms if atom.dimension == dimension]
        bits: dict[str | None, int] = {
            value: self._bits(a for a in own if value in a.values) for value in self.protocol.domain[dimension]
        }
        if dimension != "need":
            # Not known: no permission's atom, every prohibition's.
            bits[None] = self._bits(a for a in own if a.forbids)
        return bits

    def _mask(self, facts: Facts) -> int:
        mask = self._need[facts.need] | self._risk[facts.risk] | self._urgency[facts.urgency] | self._age[facts.age_band]
        doubt = not facts.aggressor_affiliation
        named = 0
        for value in facts.aggressor_affiliation:
            if not value.startswith(INSTITUTION_PREFIX):
                named |= self._affiliation[value]
                doubt = doubt or value == "unknown"
        mask |= self._affiliation[None] if doubt else named
        if not facts.legal_basis:
            mask |= self._basis[None]
        for value in facts.legal_basis:
            mask |= self._basis[value]
        return mask

    # -- rules -> tables

    def _field(self, name: str, about: Iterable[Rule], purpose: str, kind: str) -> _Field:
        rules = tuple(rule for rule in about if rule.covers(purpose, kind))
        bits = self._bits(atom for rule in rules for atom in _atoms(rule))
        return _Field(name=name, bits=bits, rules=rules, table={})

    def _answered(self, field: _Field, mask: int) -> _Answers:
        state = mask & field.bits
        known = field.table.get(state)
        if known is None:
            known = field.table[state] = self._answers(field.name, field.rules, state)
        return known

    def _answers(self, name: str, rules: Sequence[Rule], state: int) -> _Answers:
        applying = [rule for rule in rules if self._true(rule.when, state)]
        lawful = [rule for rule in applying if rule.basis_atom and self._true((rule.basis_atom,), state)]

        def answer(consented: bool, consent_state: str) -> FieldDecision:
            return meaning.settle(name, applying, lawful, consented=consented, consent_state=consent_state, spoken=bool(rules))

        return answer(True, "active"), answer(False, "none"), answer(False, "expired"), answer(False, "withdrawn")

    def _true(self, atoms: Iterable[Atom], state: int) -> bool:
        return all(state & self._index[atom] for atom in atoms)

    def _make_row(self, purpose: str, kind: str, mask: int) -> _Row:
        answers = {item.name: self._answered(item, mask) for item in self._cells[purpose, kind]}
        agreed, none, expired, withdrawn = ({name: four[i] for name, four in answers.items()} for i in range(4))
        nothing_given = self._decision(none)
        waiting = {name: answer for name, answer in agreed.items() if answer != none[name]}
        row = _Row(
            without={
                "active": nothing_given,
                "none": nothing_given,
                "expired": self._decision(expired),
                "withdrawn": self._decision(withdrawn),
            },
            base=none,
            waiting=waiting,
            names=frozenset(waiting),
            agreed_to_all=self._decision(agreed),
        )
        self._rows[purpose, kind, mask] = row
        return row


def compile(protocol: Protocol) -> Compiled:
    """Make a protocol ready to decide; milliseconds, once per version."""
    return Compiled(protocol)


def _atoms(rule: Rule) -> Iterator[Atom]:
    yield from rule.when
    if rule.basis_atom and rule.outcome is not Outcome.WITHHOLD:
        yield rule.basis_atom
