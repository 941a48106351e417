"""Ask the sharing protocol and the consents, now: what of this case may go to this recipient for this need?

The one place where facts, consent and protocol meet. The preview before confirming, the dispatch of a disclosure and every later view
call it, so none can say something else than the others (R70).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from hub.actions.common import living_referrals, values_of
from hub.actions.living_bases import living_bases
from hub.actions.ports import Unit
from hub.actions.record_consent import consented_fields, living_consents
from hub.base.errors import Refused
from hub.cases.lifecycle import WORKING
from hub.cases.records import Case, Consent, LegalBasis, Referral
from keys.manifest import Manifest
from policies import conflict
from policies.decision import Decision, Facts, Outcome, Request
from policies.engine import Compiled
from policies.generalise import generalise
from policies.preview import offer
from policies.protocol import Protocol


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """A decision with everything it was made from."""

    case: Case
    recipient: str
    recipient_kind: str
    need: str
    purpose: str
    protocol: Protocol
    decision: Decision
    values: dict[str, str]
    consent: Consent | None
    consent_state: str
    facts: Facts
    by_law: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    """Each field that leaves otherwise than it would without the recorded legal bases, and the bases that carry it."""


def peer_kind(unit: Unit, institution: str) -> str:
    """The institution kind that a confirmed peer's manifest states. Raises Refused `unknown_institution`."""
    peer = unit.peers.get(institution)
    if peer is None or peer.state != "confirmed":
        raise Refused("unknown_institution", institution=institution[:60])
    return kind_stated(unit, institution)


def kind_stated(unit: Unit, institution: str) -> str:
    """The kind in the manifest that we hold of it, confirmed or not; empty when we hold none."""
    peer = unit.peers.get(institution)
    return Manifest.from_bytes(peer.manifest).profile.kind if peer else ""


def offer_blocked(unit: Unit, institution: str) -> bool:
    """Whether an expired manifest, theirs or ours, keeps new offers home. It never stops anything else (`design.md` §4)."""
    peer = unit.peers.get(institution)
    return unit.hand.manifest.expired(unit.now) or peer is None or Manifest.from_bytes(peer.manifest).expired(unit.now)


def facts_of(unit: Unit, values: dict[str, str], need: str, bases: Iterable[LegalBasis] = ()) -> Facts:
    """The finite facts of a case that conditions may range over. `bases`: those that hold for whom it is about."""
    affiliations = frozenset(part.strip() for part in values.get("aggressor_affiliation", "").split(",") if part.strip())
    return Facts(
        need=need,
        risk=values.get("risk_level"),
        urgency=values.get("urgency"),
        aggressor_affiliation=affiliations,
        age_band=age_band(values, unit),
        legal_basis=frozenset(basis.basis for basis in bases),
    )


def age_band(values: dict[str, str], unit: Unit) -> str | None:
    """The age band of the person when age or birth date is known."""
    for field in ("age", "birth_date"):
        if field in values:
            return generalise("age_band", values[field], unit.now.date())
    return None


def rule(
    unit: Unit, case: Case, recipient: str, need: str, held_back: tuple[str, ...] = (), supposed: tuple[LegalBasis, ...] = ()
) -> Ruling:
    """Decide every field of `case` for `recipient` and `need`, now. `held_back` fields the caseworker chose to keep are withheld.

    Recorded legal bases count as long as they live, for the recipients they name; `supposed` ones are only for the preview of recording them.
    Raises Refused `unknown_institution`, `unknown_need`, `no_protocol`. Never raises for a conflict of interest: the decision says
    `excluded` and withholds everything.
    """
    kind = peer_kind(unit, recipient)
    if need not in unit.pack.vocabulary.needs:
        raise Refused("unknown_need", need=need[:60])
    pack = unit.pack.between(recipient)  # what both have signed, or nobody has: never what only others signed
    protocol = pack.protocol_for(need, unit.me.kind, kind, unit.now.date())
    if protocol is None:
        raise Refused("no_protocol", institution=recipient, need=need)
    purpose = protocol.purpose_of(need)
    values = values_of(unit, case.id)
    bases = (*living_bases(unit, case.id, recipient), *(basis for basis in supposed if recipient in basis.recipients))
    facts = facts_of(unit, values, need, bases)
    consented, state, consent = consented_fields(unit, case.id, recipient, purpose)
    request = Request(
        purpose=purpose,
        recipient_kind=kind,
        recipient_id=recipient,
        facts=facts,
        consented=consented - frozenset(held_back),
        consent_state=state,
    )
    compiled = pack.compiled[protocol.id]
    decision = compiled.decide(request)
    return Ruling(
        case=case,
        recipient=recipient,
        recipient_kind=kind,
        need=need,
        purpose=purpose,
        protocol=protocol,
        decision=decision,
        values={f: v for f, v in values.items() if f not in held_back},
        consent=consent,
        consent_state=state,
        facts=facts,
        by_law=_by_law(compiled, request, decision, values, bases),
    )


def if_nobody_knew(unit: Unit, ruling: Ruling) -> Decision:
    """The decision as if whose colleague the aggressor is were not known: for whoever hears of a ruling and may not learn that from it."""
    consented, state, _ = consented_fields(unit, ruling.case.id, ruling.recipient, ruling.purpose)
    asked = Request(
        purpose=ruling.purpose, recipient_kind=ruling.recipient_kind, recipient_id=ruling.recipient,
        facts=replace(ruling.facts, aggressor_affiliation=frozenset()), consented=consented, consent_state=state,
    )  # fmt: skip
    return unit.pack.between(ruling.recipient).compiled[ruling.protocol.id].decide(asked)


def _by_law(
    compiled: Compiled, request: Request, decision: Decision, values: Iterable[str], bases: tuple[LegalBasis, ...]
) -> dict[str, tuple[str, ...]]:
    """What the bases change, found by asking again without them and with each alone: so no rule can lean on one unseen."""
    if not bases:
        return {}
    bare = _with_bases(compiled, request, frozenset())
    alone = {basis.id: _with_bases(compiled, request, frozenset({basis.basis})) for basis in bases}
    found = {}
    for name in values:
        item = decision.field(name)
        if item.outcome is not Outcome.WITHHOLD and _how(bare, name) != _how(decision, name):
            carriers = tuple(basis.id for basis in bases if _how(alone[basis.id], name) == _how(decision, name))
            found[name] = carriers or tuple(basis.id for basis in bases)
    return found


def _with_bases(compiled: Compiled, request: Request, codes: frozenset[str]) -> Decision:
    return compiled.decide(replace(request, facts=replace(request.facts, legal_basis=codes)))


def _how(decision: Decision, name: str) -> tuple[Outcome, str | None]:
    return decision.field(name).outcome, decision.field(name).generalisation


def lasting(unit: Unit, ruling: Ruling, fields: Iterable[str]) -> list[datetime]:
    """When what lets each of these fields out ends: her consent, or the legal basis that stands in for it."""
    living = living_consents(unit, ruling.case.id, ruling.recipient, ruling.purpose)
    ends = []
    for name in fields:
        if name in ruling.by_law:
            rows = [row for basis in ruling.by_law[name] if (row := unit.bases.get(basis))]
            ends += [max(row.until for row in rows)] if rows else []
        elif any(name in consent.fields for consent in living):
            ends.append(max(consent.until for consent in living if name in consent.fields))
    return ends


def still_allowed(unit: Unit, referral: Referral) -> frozenset[str]:
    """The fields that the recipient of a referral could be given now; none when there is no ruling any more."""
    case = unit.cases.get(referral.case or "")
    try:
        ruling = rule(unit, case, referral.peer, referral.need, tuple(referral.offer.get("held_back", ()))) if case else None
    except Refused:
        return frozenset()
    return frozenset(f for f in ruling.values if ruling.decision.field(f).outcome is not Outcome.WITHHOLD) if ruling else frozenset()


def open_to(unit: Unit, case: Case, institution: str) -> frozenset[str]:
    """The fields whose very values this institution may have now, by any living referral of the case to it; what it gets generalised is not one."""
    shown: frozenset[str] = frozenset()
    for referral in living_referrals(unit, case.id):
        if referral.peer == institution and referral.state in WORKING:
            try:
                ruling = rule(unit, case, institution, referral.need, tuple(referral.offer.get("held_back", ())))
            except Refused:
                continue
            shown |= {field for field in ruling.values if ruling.decision.field(field).outcome is Outcome.RELEASE}
    return shown


def is_excluded(unit: Unit, case: Case, recipient: str) -> bool:
    """Whether a conflict of interest keeps this case from this institution, whatever anyone wishes (R61–R62)."""
    # Whether it is confirmed just now is no question here: what it may already hold is. A kind nobody can tell is a doubt, and excludes.
    return conflict.excluded(kind_stated(unit, recipient), recipient, _affiliations(unit, case), unit.pack.vocabulary.bodies)


def is_ours(unit: Unit, case: Case) -> bool:
    """Whether the aggressor belongs to this very institution: then whoever has no part in the case is not told which it is (R62)."""
    return conflict.excluded(unit.me.kind, unit.me.id, _affiliations(unit, case), unit.pack.vocabulary.bodies)


def _affiliations(unit: Unit, case: Case) -> frozenset[str]:
    return facts_of(unit, values_of(unit, case.id), "").aggressor_affiliation


def candidates(unit: Unit, case: Case, need: str) -> list[str]:
    """Confirmed peers that a protocol covers for this need and that no conflict of interest excludes, by id."""
    found = []
    for peer in unit.peers.all(state="confirmed", order="id"):
        kind = peer_kind(unit, peer.id)
        if unit.pack.between(peer.id).protocol_for(need, unit.me.kind, kind, unit.now.date()) and not is_excluded(unit, case, peer.id):
            found.append(peer.id)
    return found


def releases(ruling: Ruling) -> bool:
    """Whether anything that has a value would leave at all."""
    return any(ruling.decision.field(f).outcome is not Outcome.WITHHOLD for f in ruling.values)


def offer_shown(unit: Unit, ruling: Ruling, referral: Referral) -> dict[str, str]:
    """What an offer says, in the preview and on the road: the protocol decides what of it, and how coarsely; need and urgency always go."""
    district = ruling.values.get("district") or unit.me.territory
    values = ruling.values | {"need": referral.need, "urgency": referral.urgency, "territory": district}
    return {"need": referral.need, "urgency": referral.urgency} | offer(ruling.protocol, values, unit.now.date())
