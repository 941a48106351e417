"""The validator: what is well formed and still wrong, or at least worth a second look.

`check` gives every finding of a protocol text, exact by enumeration: a document has at most twelve atoms, so every state it can
tell apart is tried, for every purpose and recipient kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, product

from policies import document, marked, meaning
from policies.conditions import PLURAL, Atom
from policies.decision import Outcome
from policies.findings import Finding, Severity, finding
from policies.marked import Table
from policies.protocol import Protocol, Rule, atoms_of
from policies.vocabulary import Vocabulary

State = frozenset[Atom]
"""The atoms that are true together in one possible state of the facts."""


def check(text: str, vocabulary: Vocabulary) -> tuple[Finding, ...]:
    """Every finding about a protocol text, ordered by place. Never raises; a document with errors is not examined further."""
    protocol, findings = document.read(text, vocabulary)
    if protocol is not None:
        findings = [*findings, *_deeper(protocol, text, vocabulary)]
    return tuple(sorted(set(findings)))


def _deeper(protocol: Protocol, text: str, vocabulary: Vocabulary) -> Iterator[Finding]:
    line, column = _place_of_rules(text)
    spoken = {rule.field for rule in protocol.rules}
    for name in protocol.universe:
        rules = [rule for rule in protocol.rules if rule.field == name]
        if name not in spoken:
            yield finding("field_unmentioned", line, column, severity=Severity.WARNING, field=name)
            continue
        yield from _silent(protocol, rules)
        if vocabulary.fields[name].sensitivity == "critical" and vocabulary.fields[name].person_identifying:
            for rule in rules:
                if rule.outcome is Outcome.RELEASE and not rule.when:
                    yield finding("identity_released", rule.line, rule.column, severity=Severity.WARNING, field=name)


def _place_of_rules(text: str) -> tuple[int, int]:
    root, _ = marked.read(text)
    key = root.keys["rules"] if isinstance(root, Table) else None
    return (key.line, key.column) if key else (1, 1)


def _silent(protocol: Protocol, rules: list[Rule]) -> Iterator[Finding]:
    """Rules that decide in no state at all: contradicted by a prohibition, or shadowed by something else."""
    deciding = _deciding(protocol, rules)
    for rule in rules:
        if rule.id in deciding:
            continue
        # A silent permission that loses against a prohibition is a contradiction of the writer, anything else a line too many.
        forbidden = rule.outcome is not Outcome.WITHHOLD and _always_forbidden(protocol, rule, rules)
        if forbidden:
            yield finding("contradiction", rule.line, rule.column, field=rule.field)
        else:
            yield finding("unreachable", rule.line, rule.column, severity=Severity.WARNING, rule=rule.id)


def _deciding(protocol: Protocol, rules: list[Rule]) -> set[str]:
    """The ids of the rules that decide somewhere, with her consent or without it."""
    found: set[str] = set()
    states = list(states_of(protocol, atoms_of(tuple(rules))))
    for purpose, kind in product(protocol.purposes, protocol.to_kinds):
        covering = [rule for rule in rules if rule.covers(purpose, kind)]
        for state in states:
            applying = [rule for rule in covering if rule.when <= state]
            lawful = [rule for rule in applying if rule.basis_atom and rule.basis_atom in state]
            for consented in (True, False):
                answer = meaning.settle(rules[0].field, applying, lawful, consented=consented, consent_state="none", spoken=True)
                if answer.reason.rule_id and answer.reason.code != "consent_missing":
                    found.add(answer.reason.rule_id)
    return found


def _always_forbidden(protocol: Protocol, rule: Rule, rules: list[Rule]) -> bool:
    prohibitions = [other for other in rules if other.outcome is Outcome.WITHHOLD]
    states = [state for state in states_of(protocol, atoms_of(tuple(rules))) if rule.when <= state]
    cells = [cell for cell in product(protocol.purposes, protocol.to_kinds) if rule.covers(*cell)]
    forbidden = (any(p.covers(*cell) and p.when <= state for p in prohibitions) for state in states for cell in cells)
    return bool(states and cells and prohibitions) and all(forbidden)


def states_of(protocol: Protocol, atoms: tuple[Atom, ...]) -> Iterator[State]:
    """Every set of `atoms` that can be true together, "not known" included. Values no atom tells apart count once."""
    dimensions = sorted({atom.dimension for atom in atoms})
    choices = [_choices(protocol, dimension, [a for a in atoms if a.dimension == dimension]) for dimension in dimensions]
    for picks in product(*choices):
        yield _union(picks)


def _choices(protocol: Protocol, dimension: str, atoms: list[Atom]) -> list[State]:
    named = {frozenset(a for a in atoms if value in a.values) for value in protocol.domain[dimension] - {"unknown"}}
    if dimension in PLURAL:
        # Several values at once: every union of what single values make true.
        ordered = sorted(named, key=_order)
        groups = (group for size in range(1, len(ordered) + 1) for group in combinations(ordered, size))
        named = {_union(group) for group in groups}
    named.add(frozenset() if dimension == "legal_basis" else frozenset(a for a in atoms if a.forbids))
    return sorted(named, key=_order)


def _union(states: Iterable[State]) -> State:
    empty: State = frozenset()
    return empty.union(*states)


def _order(state: State) -> tuple[int, list[str]]:
    return len(state), sorted(f"{atom.text}{atom.forbids}" for atom in state)
