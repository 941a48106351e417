"""How fast is a decision, next to Cedar and to the fastest thing possible?

One decision is one disclosure: every field of the vocabulary, each with its outcome and its reason. The same questions go to:

- the engine, asked before (`decide`) and never asked before (`decide_afresh`);
- Casbin (`casbin`): the same translation in its own words, one enforcement a field and width;
- Cedar (`cedarpy`, policies parsed once, one batch per decision): a translation of the same protocol, so it is a referee too;
- two plain tables, both without reasons. The *dictionary* maps the whole question to its outcomes and must have seen it: the
  limit for a question asked before. The *table* is written by hand for this one protocol: it maps the facts its rules mention
  to the outcomes with and without consent and puts her consent beside them: the limit for a question never asked.

Before anything is timed, all answers are compared; a benchmark of wrong answers would be worth nothing. Quote the ratios: Cedar
answers one yes or no, and a disclosure is a batch of dozens of those, so most of the distance is the question's grain.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any

import cedarpy

from bench.casbin_peer import Casbin
from bench.rows import Row, compare
from policies import meaning, packs
from policies.conditions import Atom
from policies.decision import CONSENT_STATES, Decision, Facts, Outcome, Request
from policies.engine import Compiled
from policies.protocol import Protocol, Rule

PROTOCOL = "emergency-centre"
QUESTIONS = 300
ROUNDS = 31
_SLOW = 60
"""So many questions are also asked of Casbin before anything is timed: it takes a second for a few of them."""

_PERMISSIONS = (Outcome.RELEASE, Outcome.GENERALISE, Outcome.PRESENCE)
Outcomes = tuple[Outcome, ...]


def questions(protocol: Protocol, count: int = QUESTIONS, seed: int = 7) -> list[Request]:
    """Invented questions about one protocol: every state of consent, partial consent, conflicts of interest, unknown facts."""
    chance = random.Random(seed)  # a fixed sequence, not a secret
    words = {dimension: sorted(values - {"unknown"}) for dimension, values in protocol.domain.items()}

    def some(values: list[str], largest: int) -> frozenset[str]:
        return frozenset(chance.sample(values, chance.randint(0, largest)))

    def question() -> Request:
        facts = Facts(
            need=chance.choice(sorted(protocol.needs)),
            risk=chance.choice([None, *words["risk"]]),
            urgency=chance.choice(words["urgency"]),
            aggressor_affiliation=some(words["aggressor_affiliation"], 1),
            age_band=chance.choice(words["age_band"]),
            legal_basis=some(words["legal_basis"], 2),
        )
        universe = list(protocol.universe)
        return Request(
            purpose=chance.choice(sorted(protocol.purposes)),
            recipient_kind=chance.choice(sorted(protocol.to_kinds)),
            recipient_id="ejemplo-1",
            facts=facts,
            consented=frozenset(universe) if chance.random() < 0.5 else some(universe, len(universe)),
            consent_state=chance.choice(["active", "active", *CONSENT_STATES]),
        )

    return [question() for _ in range(count)]


def outcomes(decision: Decision) -> Outcomes:
    """The bare outcomes of a decision, in the vocabulary's order: what the dictionary and Cedar can be compared with."""
    return tuple(item.outcome for item in decision.fields.values())


# -- the limit


def dictionary(protocol: Protocol, asked: list[Request]) -> Callable[[Request], Outcomes]:
    """Every question that will be asked, answered beforehand by the referee."""

    def key(request: Request) -> tuple[Any, ...]:
        return (
            request.purpose,
            request.recipient_kind,
            request.recipient_id,
            request.consent_state,
            request.consented,
            request.facts.key,
        )

    table = {key(request): outcomes(meaning.decide(protocol, request)) for request in asked}

    def look_up(request: Request) -> Outcomes:
        # The key is spelled out again: a call would slow the limit by a third, and it must be the fastest thing there is.
        return table[
            request.purpose,
            request.recipient_kind,
            request.recipient_id,
            request.consent_state,
            request.consented,
            request.facts.key,
        ]

    return look_up


def tabulated(protocol: Protocol) -> Callable[[Request], Outcomes]:
    """What a careful programmer would write for a protocol whose rules ask about risk and legal basis only."""
    if {atom.dimension for atom in protocol.atoms} != {"risk", "legal_basis"}:
        raise ValueError(f"the table was written for other rules than those of `{protocol.id}`")
    risks: list[str | None] = [None, *sorted(protocol.domain["risk"])]
    bases = sorted(protocol.domain["legal_basis"])
    groups = [frozenset(group) for size in range(len(bases) + 1) for group in combinations(bases, size)]
    universe, needs = protocol.universe, protocol.needs
    everything, need = frozenset(universe), sorted(needs)[0]

    def row(purpose: str, kind: str, facts: Facts, state: str) -> Outcomes:
        whole = Request(
            purpose=purpose, recipient_kind=kind, recipient_id="", facts=facts, consented=everything, consent_state=state
        )  # fmt: skip
        return outcomes(meaning.decide(protocol, whole))

    table = {}
    for purpose, kind, risk, basis in product(protocol.purposes, protocol.to_kinds, risks, groups):
        facts = Facts(need=need, risk=risk, legal_basis=basis)
        table[purpose, kind, risk, basis] = row(purpose, kind, facts, "none"), row(purpose, kind, facts, "active")
    owned = protocol.bodies.owned
    barred = {kind: frozenset(code for code, kinds in owned.items() if kind in kinds) for kind in protocol.to_kinds}
    nothing: Outcomes = (Outcome.WITHHOLD,) * len(universe)

    def decide(request: Request) -> Outcomes:
        facts = request.facts
        affiliations = facts.aggressor_affiliation
        if not affiliations.isdisjoint(barred[request.recipient_kind]) or f"institution:{request.recipient_id}" in affiliations:
            return nothing
        if facts.need not in needs:
            return nothing
        without, agreed = table[request.purpose, request.recipient_kind, facts.risk, facts.legal_basis]
        if request.consent_state != "active":
            return without
        given = request.consented
        return tuple([yes if name in given else no for name, yes, no in zip(universe, agreed, without, strict=True)])

    return decide


# -- the peer


class Cedar:
    """A protocol in Cedar: a permit or forbid per rule, an action per width, conflict of interest as a forbid over all."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self._policies = cedarpy.PolicySet.from_str("\n".join(self.policies()))
        self._entities = cedarpy.Entities.from_json_str("[]")
        ruled = [(rule.field, width) for rule in protocol.rules for width in _PERMISSIONS if rule.outcome >= width]
        asked_for = {rule.field: {r.outcome for r in protocol.rules if r.field == rule.field} for rule in protocol.rules}
        # Only the widths that some rule of the field grants are asked; the others could not be allowed.
        self._asks = [(name, width) for name, width in dict.fromkeys(ruled) if width in asked_for[name]]
        self.batch = len(self._asks)

    def policies(self) -> Iterator[str]:
        """The Cedar text, one policy at a time."""
        for affiliation, kinds in sorted(self.protocol.bodies.owned.items()):
            if kinds:
                test = f'context.affiliations.contains("{affiliation}") && {_set(kinds)}.contains(context.kind)'
                yield f"forbid(principal, action, resource) when {{ {test} }};"
        yield "forbid(principal, action, resource) when { context.affiliations.contains(context.institution) };"
        yield from (self._policy(rule) for rule in self.protocol.rules)

    def decide(self, request: Request) -> Outcomes:
        """One batch for the whole disclosure, folded into the widest allowed outcome per field."""
        context = self._context(request)
        agreed = {yes: context | {"agreed": yes} for yes in (True, False)}
        batch = [
            {
                "principal": 'Hub::"peer"',
                "action": f'Action::"{width.word}"',
                "resource": f'Field::"{name}"',
                "context": agreed[name in request.consented],
            }
            for name, width in self._asks
        ]
        results = cedarpy.is_authorized_batch(batch, self._policies, self._entities)
        found: dict[str, Outcome] = {}
        for (name, width), result in zip(self._asks, results, strict=True):
            if result.allowed:
                found[name] = max(found.get(name, Outcome.WITHHOLD), width)
        return tuple(found.get(name, Outcome.WITHHOLD) for name in self.protocol.universe)

    def _context(self, request: Request) -> dict[str, Any]:
        facts = request.facts
        single = {"need": facts.need, "risk": facts.risk, "urgency": facts.urgency, "age_band": facts.age_band}
        return {name: value for name, value in single.items() if value is not None} | {
            "purpose": request.purpose,
            "kind": request.recipient_kind,
            "institution": f"institution:{request.recipient_id}",
            "affiliations": sorted(facts.aggressor_affiliation),
            "bases": sorted(facts.legal_basis),
            "active": request.consent_state == "active",
        }

    def _policy(self, rule: Rule) -> str:
        tests = [_atom(atom) for atom in sorted(rule.when, key=lambda atom: atom.text)]
        tests += [f"{_set(words)}.contains(context.{name})" for name, words in (("purpose", rule.purposes), ("kind", rule.to_kinds)) if words]
        resource = f'resource == Field::"{rule.field}"'
        if rule.outcome is Outcome.WITHHOLD:
            return f"forbid(principal, action, {resource}) when {{ {' && '.join(tests) or 'true'} }};"
        basis = f" || context.bases.containsAny({_set(rule.legal_basis)})" if rule.legal_basis else ""
        tests.append(f"((context.active && context.agreed){basis})")
        actions = ", ".join(f'Action::"{width.word}"' for width in _PERMISSIONS if width <= rule.outcome)
        return f"permit(principal, action in [{actions}], {resource}) when {{ {' && '.join(tests)} }};"


def _set(words: frozenset[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in sorted(words)) + "]"


def _atom(atom: Atom) -> str:
    if atom.dimension == "legal_basis":
        return f"context.bases.containsAny({_set(atom.values)})"
    if atom.dimension == "aggressor_affiliation":
        known = 'context.affiliations.isEmpty() || context.affiliations.contains("unknown")'
        named = f"context.affiliations.containsAny({_set(atom.values)})"
        return f"(({known}) || {named})" if atom.forbids else f"(!({known}) && {named})"
    named = f"{_set(atom.values)}.contains(context.{atom.dimension})"
    known = f"context has {atom.dimension}"
    return f"(!({known}) || {named})" if atom.forbids else f"({known} && {named})"


# -- timing


def check_equal(asked: list[Request], compiled: Compiled, others: list[Callable[[Request], Outcomes]]) -> None:
    """Raise AssertionError unless the engine, in both its ways, and all `others` give the same outcomes."""
    for number, request in enumerate(asked):
        decision = compiled.decide(request)
        answers = {outcomes(decision), outcomes(compiled.decide_afresh(request)), *(other(request) for other in others)}
        if len(answers) != 1:
            raise AssertionError(f"the answers to question {number} differ")
        if not all(item.reason.code for item in decision.fields.values()):
            raise AssertionError(f"a field of question {number} has no reason")


def _rate(answer: Callable[[Request], object], asked: list[Request], repeats: int) -> float:
    """Decisions per second of processor time over all questions, `repeats` times: nothing here waits, and machines are shared."""
    start = time.process_time()
    for _ in range(repeats):
        for request in asked:
            answer(request)
    return len(asked) * repeats / max(time.process_time() - start, 1e-9)


def run(rounds: int = ROUNDS) -> list[Row]:
    """Measure; one row per number. `peer` is Cedar's rate, `limit` the plain table's, in one unit; `ratio` is value / limit."""
    protocol = packs.load("pe").protocols[PROTOCOL]
    asked = questions(protocol)
    compiled, cedar, look_up, table = Compiled(protocol), Cedar(protocol), dictionary(protocol, asked), tabulated(protocol)
    casbin = Casbin(protocol)
    check_equal(asked, compiled, [cedar.decide, look_up, table])
    check_equal(asked[:_SLOW], compiled, [casbin.decide])
    racers: dict[str, tuple[Callable[[Request], object], list[Request], int]] = {
        "dictionary": (look_up, asked, 10),
        "again": (compiled.decide, asked, 10),
        "table": (table, asked, 2),
        "first": (compiled.decide_afresh, asked, 2),
        "cedar": (cedar.decide, asked[:4], 1),
        "casbin": (casbin.decide, asked[:1], 1),
    }
    rates: dict[str, list[float]] = {name: [] for name in racers}
    for _ in range(rounds):  # interleaved, so that a busy moment of the machine falls on all
        for name, (answer, some, repeats) in racers.items():
            rates[name].append(_rate(answer, some, repeats))
    fields = len(protocol.universe)

    def row(name: str, racer: str, bound: str) -> Row:
        return compare(f"policy: {fields} fields{name}", "decisions/s", rates[racer], rates[bound], peers=rates["cedar"])

    return [
        row(" with reasons, asked before, beside a dictionary", "again", "dictionary"),
        row(" with reasons, first time, beside a table", "first", "table"),
        row(f", Cedar in one batch of {cedar.batch}, beside a table", "cedar", "table"),
        row(f", Casbin in {casbin.batch} enforcements, beside a table", "casbin", "table"),
    ]
