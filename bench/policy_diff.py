"""How long does an exhaustive diff of two versions take? Every field × recipient kind × purpose × state of the facts × consent.

The peer is the obvious way: walk every state and ask the engine both versions. It is also the referee: where the walk sees a difference, the
diff must have an entry, and nowhere else. The limit is the aim: 100 ms at 40 × 8 × 5, and one second at 60 × 20 × 12.
Times are of the processor: nothing here waits, and machines are shared.
"""

from __future__ import annotations

import time
from collections import Counter
from itertools import product

from bench.invented import versions
from bench.rows import Row, compare
from policies import conflict, diff
from policies.conditions import Atom
from policies.cover import holds
from policies.decision import Facts, Request
from policies.engine import Compiled
from policies.enumeration import NOBODY, Space
from policies.protocol import Protocol

SIZES = (((40, 8, 5), 100.0), ((60, 20, 12), 1000.0))
"""Fields, recipient kinds, purposes; and the aim in milliseconds."""
Seen = Counter[tuple[str, str, str, str]]
"""(field, consent, purpose, kind) → states in which the two versions differ."""


def every_state(was: Protocol, now: Protocol) -> list[Facts]:
    """The facts that two documents tell apart, all their atoms together."""
    atoms = {*was.atoms, *now.atoms, *(Atom(dimension="need", values=one.needs) for one in (was, now))}
    space = Space(atoms, was.domain, was.needs | now.needs)
    return [space.view().facts(state) for state in range(space.size)]


def walked(was: Protocol, now: Protocol, states: list[Facts]) -> Seen:
    """By asking the engine."""
    first, second = Compiled(was), Compiled(now)
    consents = {"yes": ("active", frozenset(was.universe)), "law": ("none", frozenset[str]())}
    seen: Seen = Counter()
    for facts, purpose, kind, (word, (state, fields)) in product(states, now.purposes, sorted(now.to_kinds), consents.items()):
        request = Request(purpose=purpose, recipient_kind=kind, recipient_id=NOBODY, facts=facts, consented=fields, consent_state=state)
        before, after = first.decide_afresh(request).fields, second.decide_afresh(request).fields
        for name, one in before.items():
            other = after[name]
            if (one.outcome, one.generalisation) != (other.outcome, other.generalisation):
                seen[name, word, purpose, kind] += 1
    return seen


def entered(was: Protocol, now: Protocol, states: list[Facts]) -> Seen:
    """By reading the entries of the diff."""
    seen: Seen = Counter()
    barred = {kind: [conflict.excluded(kind, NOBODY, facts.aggressor_affiliation, now.bodies) for facts in states] for kind in now.to_kinds}
    for change in diff.diff(was, now).visible:
        true = [holds(change.when, facts) for facts in states]
        for purpose, kind in change.cells:
            seen[change.field, change.consent, purpose, kind] += sum(one and not out for one, out in zip(true, barred[kind], strict=True))
    return seen


def run(rounds: int = 9) -> list[Row]:
    """One row a size. Raises AssertionError when the walk and the diff see other differences."""
    rows = []
    for (fields, kinds, purposes), aim in SIZES:
        was, now = versions(fields, kinds, purposes)
        peers = [_walk(was, now)] if aim == SIZES[0][1] else []
        times = [_timed(was, now) for _ in range(rounds)]
        name = f"policy: diff of {fields} fields × {kinds} kinds × {purposes} purposes, beside its aim"
        rows.append(compare(name, "ms", times, [aim] * rounds, peers=peers))
    return rows


def _walk(was: Protocol, now: Protocol) -> float:
    states = every_state(was, now)
    start = time.process_time()
    seen = walked(was, now, states)
    spent = (time.process_time() - start) * 1000
    if seen != entered(was, now, states):
        raise AssertionError("the diff and the walk over every state see other differences")
    return spent


def _timed(was: Protocol, now: Protocol) -> float:
    start = time.process_time()
    diff.diff(was, now)
    return (time.process_time() - start) * 1000


if __name__ == "__main__":
    from bench.rows import show

    show(run())
