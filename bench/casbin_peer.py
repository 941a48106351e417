"""The same protocol in Casbin (PyPI `casbin`): a policy per rule, its condition as an expression, deny wins; conflict of interest as a deny over all.

One enforcement answers one yes or no, so a disclosure is one for every field and width that some rule grants, as with Cedar.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import casbin
from casbin.model import Model

from policies.conditions import Atom
from policies.decision import Outcome, Request
from policies.protocol import Protocol, Rule

_PERMISSIONS = (Outcome.RELEASE, Outcome.GENERALISE, Outcome.PRESENCE)
_MODEL = """
[request_definition]
r = field, width, ctx
[policy_definition]
p = field, widths, cond, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = (p.field == '*' || r.field == p.field) && among(r.width, p.widths) && eval(p.cond)
"""


def _among(value: str | None, words: str) -> bool:
    return value in words.split("|")


def _some(values: frozenset[str], words: str) -> bool:
    return not values.isdisjoint(words.split("|"))


class Casbin:
    """A protocol as an enforcer."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        model = Model()
        model.load_model_from_text(_MODEL)
        self._enforcer = casbin.Enforcer(model)
        self._enforcer.add_function("among", _among)
        self._enforcer.add_function("some", _some)
        self._enforcer.add_policies([list(row) for row in self._policies()])
        granted = {rule.field: {r.outcome for r in protocol.rules if r.field == rule.field} for rule in protocol.rules}
        self._asks = [(name, width) for name, outcomes in granted.items() for width in _PERMISSIONS if width in outcomes]
        self.batch = len(self._asks)

    def decide(self, request: Request) -> tuple[Outcome, ...]:
        """Every enforcement of one disclosure, folded into the widest allowed outcome per field."""
        found: dict[str, Outcome] = {}
        agreed = {yes: self._context(request, agreed=yes) for yes in (True, False)}
        for name, width in self._asks:
            if found.get(name, Outcome.WITHHOLD) < width and self._enforcer.enforce(name, width.word, agreed[name in request.consented]):
                found[name] = width
        return tuple(found.get(name, Outcome.WITHHOLD) for name in self.protocol.universe)

    def _context(self, request: Request, *, agreed: bool) -> SimpleNamespace:
        facts = request.facts
        own = f"institution:{request.recipient_id}" in facts.aggressor_affiliation
        return SimpleNamespace(
            need=facts.need, risk=facts.risk, urgency=facts.urgency, age_band=facts.age_band, kind=request.recipient_kind,
            purpose=request.purpose, affiliations=facts.aggressor_affiliation, bases=facts.legal_basis, own=own,
            doubt=not facts.aggressor_affiliation or "unknown" in facts.aggressor_affiliation, baseless=not facts.legal_basis,
            agreed=agreed and request.consent_state == "active",
        )  # fmt: skip

    def _policies(self) -> Iterator[tuple[str, str, str, str]]:
        every = "|".join(width.word for width in _PERMISSIONS)
        yield "*", every, "r.ctx.own", "deny"
        for affiliation, kinds in sorted(self.protocol.bodies.owned.items()):
            if kinds:
                yield "*", every, f"some(r.ctx.affiliations, '{affiliation}') && among(r.ctx.kind, '{_words(kinds)}')", "deny"
        for rule in self.protocol.rules:
            yield self._policy(rule, every)

    def _policy(self, rule: Rule, every: str) -> tuple[str, str, str, str]:
        tests = [_atom(atom) for atom in sorted(rule.when, key=lambda atom: atom.text)]
        tests += [f"among(r.ctx.{name}, '{_words(some)}')" for name, some in (("purpose", rule.purposes), ("kind", rule.to_kinds)) if some]
        if rule.outcome is Outcome.WITHHOLD:
            return rule.field, every, " && ".join(tests) or "True", "deny"
        basis = f" || some(r.ctx.bases, '{_words(rule.legal_basis)}')" if rule.legal_basis else ""
        tests.append(f"(r.ctx.agreed{basis})")
        return rule.field, "|".join(width.word for width in _PERMISSIONS if width <= rule.outcome), " && ".join(tests), "allow"


def _words(some: frozenset[str]) -> str:
    return "|".join(sorted(some))


def _atom(atom: Atom) -> str:
    words = _words(atom.values)
    if atom.dimension == "legal_basis":
        return f"(r.ctx.baseless || some(r.ctx.bases, '{words}'))" if atom.forbids else f"some(r.ctx.bases, '{words}')"
    if atom.dimension == "aggressor_affiliation":
        named = f"some(r.ctx.affiliations, '{words}')"
        return f"(r.ctx.doubt || {named})" if atom.forbids else f"(!r.ctx.doubt && {named})"
    named = f"among(r.ctx.{atom.dimension}, '{words}')"
    return f"(r.ctx.{atom.dimension} == None || {named})" if atom.forbids else named
