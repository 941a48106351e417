"""Protocols over a small world, for the tools: several fields, kinds and purposes, rules that meet each other often; and every request there is.

`requests` walks values, not states: it shares nothing with `policies.enumeration`, so that the two can be held against each other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from itertools import chain, combinations, product

from hypothesis import assume
from hypothesis import strategies as st

from policies import conflict, packs
from policies.conditions import Atom
from policies.decision import Facts, Outcome, Request
from policies.protocol import Protocol, Purpose, Rule
from policies.spans import parse

PACK = packs.load("pe")
BASE = PACK.protocols["emergency-centre"]
FIELDS = ("district", "social_name")
PURPOSES = ("protection", "legal_defence")
KINDS = ("police_station", "police_internal_affairs", "court")
DOMAIN: Mapping[str, frozenset[str]] = {
    "need": frozenset({"legal_aid", "protection", "shelter"}),
    "risk": frozenset({"low", "high", "critical"}),
    "urgency": frozenset({"routine", "urgent"}),
    "aggressor_affiliation": frozenset({"none", "unknown", "partner", "police", "court"}),
    "age_band": frozenset({"12-17", "18-29"}),
    "legal_basis": frozenset({"vital_interest", "court_order"}),
}
SPAN = parse("P2Y")
assert SPAN is not None


def subsets(values: object, smallest: int = 0) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(sorted(values)), min_size=smallest)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    name = draw(st.sampled_from(FIELDS))
    outcome = draw(st.sampled_from(list(Outcome)))
    ways = PACK.vocabulary.fields[name].generalisations
    outcome = Outcome.PRESENCE if outcome is Outcome.GENERALISE and not ways else outcome
    forbids = outcome is Outcome.WITHHOLD
    picked = draw(st.lists(st.sampled_from(sorted(DOMAIN)), max_size=2, unique=True))
    return Rule(
        field=name,
        outcome=outcome,
        generalisation=draw(st.sampled_from(ways)) if outcome is Outcome.GENERALISE else None,
        when=frozenset(Atom(dimension=d, values=draw(subsets(DOMAIN[d] - {"unknown"}, 1)), forbids=forbids) for d in picked),
        purposes=draw(st.one_of(st.just(frozenset()), subsets(PURPOSES, 1))),
        to_kinds=draw(st.one_of(st.just(frozenset()), subsets(KINDS, 1))),
        legal_basis=frozenset() if forbids else draw(st.one_of(st.just(frozenset()), subsets(DOMAIN["legal_basis"], 1))),
    )


@st.composite
def protocols(draw: st.DrawFn, largest: int = 5) -> Protocol:
    some = tuple(draw(st.lists(rules(), max_size=largest, unique_by=lambda rule: rule.id)))
    purposes = draw(subsets(PURPOSES, 1))
    found = dataclasses.replace(
        BASE, universe=FIELDS, domain=DOMAIN, rules=some, needs=draw(subsets({"legal_aid", "protection"}, 1)), to_kinds=draw(subsets(KINDS, 1)),
        purposes={name: Purpose(id=name, retention=SPAN) for name in PURPOSES if name in purposes},
    )  # fmt: skip
    assume(len(found.atoms) <= 12)
    return found


def _sets(values: frozenset[str]) -> list[frozenset[str]]:
    ordered = sorted(values)
    return [frozenset(some) for some in chain.from_iterable(combinations(ordered, n) for n in range(len(ordered) + 1))]


def all_facts() -> Iterator[Facts]:
    """Every combination of values, not known included; of affiliations one, two, or none, and an institution that nobody lists."""
    affiliations = [some for some in _sets(DOMAIN["aggressor_affiliation"]) if len(some) <= 2] + [frozenset({"institution:otra"})]
    axes = (
        sorted(DOMAIN["need"]), [None, *sorted(DOMAIN["risk"])], [None, *sorted(DOMAIN["urgency"])], affiliations,
        [None, *sorted(DOMAIN["age_band"])], _sets(DOMAIN["legal_basis"]),
    )  # fmt: skip
    for need, risk, urgency, some, band, bases in product(*axes):
        yield Facts(need=need, risk=risk, urgency=urgency, aggressor_affiliation=some, age_band=band, legal_basis=bases)


FACTS = tuple(all_facts())


def ask(facts: Facts, purpose: str, kind: str, consent: str) -> Request:
    """A question about both fields; consent `yes`, `law` (none given)."""
    given = consent == "yes"
    return Request(
        purpose=purpose, recipient_kind=kind, recipient_id="ejemplo-1", facts=facts,
        consented=frozenset(FIELDS) if given else frozenset(), consent_state="active" if given else "none",
    )  # fmt: skip


def is_cut(kind: str, facts: Facts) -> bool:
    """Whether a conflict of interest keeps everything from this kind."""
    return conflict.excluded(kind, "ejemplo-1", facts.aggressor_affiliation, BASE.bodies)
