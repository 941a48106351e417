"""What a protocol means: the short evaluator that is meant to be obviously right. `engine` must always agree with it.

Read it top to bottom; it is the specification.
"""

from __future__ import annotations

from types import MappingProxyType

from policies import conflict
from policies.conditions import are_known, holds
from policies.decision import CONSENT_STATES, Decision, FieldDecision, Outcome, Reason, Request, nothing_leaves, withheld
from policies.protocol import Protocol, Rule


def decide(protocol: Protocol, request: Request) -> Decision:
    """Decide every field. Never raises: an error withholds everything."""
    try:
        code = whole_refusal(protocol, request)
        if code is not None:
            return nothing_leaves(protocol.id, protocol.version, protocol.universe, code, excluded=code == "conflict_of_interest")
        fields = MappingProxyType({name: _field(protocol, request, name) for name in protocol.universe})
        return Decision(protocol_id=protocol.id, version=protocol.version, fields=fields, country=protocol.country)
    except Exception:  # the law is "an error withholds", whatever the error; there is nothing better to do with it here
        return nothing_leaves(protocol.id, protocol.version, protocol.universe, "error")


def whole_refusal(protocol: Protocol, request: Request) -> str | None:
    """The reason for which nothing at all leaves, checked before any rule is read; None when the rules may speak."""
    facts = request.facts
    # 1. Conflict of interest: before everything, so that nothing can lift it.
    if conflict.excluded(request.recipient_kind, request.recipient_id, facts.aggressor_affiliation, protocol.bodies):
        return "conflict_of_interest"
    # 2. A word we do not know is an error, and an error withholds.
    if not are_known(facts, protocol.domain) or request.consent_state not in CONSENT_STATES:
        return "error"
    # 3. The protocol speaks about its own purposes, recipients and needs only (P02).
    if request.purpose not in protocol.purposes:
        return "purpose_not_covered"
    if request.recipient_kind not in protocol.to_kinds:
        return "recipient_not_covered"
    if facts.need not in protocol.needs:
        return "need_not_covered"
    return None


def _field(protocol: Protocol, request: Request, name: str) -> FieldDecision:
    spoken = [rule for rule in protocol.rules if rule.field == name and rule.covers(request.purpose, request.recipient_kind)]
    applying = [rule for rule in spoken if holds(rule.when, request.facts)]
    lawful = [rule for rule in applying if rule.basis_atom and rule.basis_atom.holds(request.facts)]
    consented = request.consent_state == "active" and name in request.consented
    return settle(name, applying, lawful, consented=consented, consent_state=request.consent_state, spoken=bool(spoken))


def settle(
    name: str, applying: list[Rule], lawful: list[Rule], *, consented: bool, consent_state: str, spoken: bool
) -> FieldDecision:
    """The heart: forbid wins, else the widest permission she agreed to or the law names, else it stays home."""
    forbidding = [rule for rule in applying if rule.outcome is Outcome.WITHHOLD]
    if forbidding:
        return _by_rule(name, min(forbidding, key=lambda rule: rule.id), "withheld_by_rule")
    if not applying:
        return withheld(name, Reason(code="condition_not_met" if spoken else "no_rule"))
    if consented:
        return _by_rule(name, _widest(applying), "consent")
    if lawful:
        return _by_rule(name, _widest(lawful), "legal_basis")
    code = {"expired": "consent_expired", "withdrawn": "consent_withdrawn"}.get(consent_state, "consent_missing")
    return withheld(name, Reason(code=code, rule_id=_widest(applying).id))


def _widest(rules: list[Rule]) -> Rule:
    # Equal width: the smaller id, so that the order in the file never shows.
    return min(rules, key=lambda rule: (tuple(-part for part in rule.width), rule.id))


def _by_rule(name: str, rule: Rule, code: str) -> FieldDecision:
    params: dict[str, str] = {}
    if rule.because:
        params |= {"because_es": rule.because.es, "because_en": rule.because.en}
    if code == "legal_basis":
        params["legal_basis"] = "|".join(sorted(rule.legal_basis))
    reason = Reason(code=code, rule_id=rule.id, params=MappingProxyType(params))
    return FieldDecision(field=name, outcome=rule.outcome, generalisation=rule.generalisation, reason=reason)
