"""Ask the sharing protocol and the consents, now: what of this case may go to this recipient for this need?

The one place where facts, consent and protocol meet. The preview before confirming, the dispatch of a disclosure and every later view
call it, so none can say something else than the others (R70).
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.actions.common import values_of
from hub.actions.ports import Unit
from hub.actions.record_consent import consented_fields
from hub.base.errors import Refused
from hub.cases.records import Case, Consent, Referral
from keys.manifest import Manifest
from policies import conflict
from policies.decision import Decision, Facts, Outcome, Request
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


def peer_kind(unit: Unit, institution: str) -> str:
    """The institution kind that a confirmed peer's manifest states. Raises Refused `unknown_institution`."""
    peer = unit.peers.get(institution)
    if peer is None or peer.state != "confirmed":
        raise Refused("unknown_institution", institution=institution[:60])
    return Manifest.from_bytes(peer.manifest).profile.kind


def offer_blocked(unit: Unit, institution: str) -> bool:
    """Whether an expired manifest, theirs or ours, keeps new offers home. It never stops anything else (`design.md` §4)."""
    peer = unit.peers.get(institution)
    return unit.hand.manifest.expired(unit.now) or peer is None or Manifest.from_bytes(peer.manifest).expired(unit.now)


def facts_of(unit: Unit, values: dict[str, str], need: str) -> Facts:
    """The finite facts of a case that conditions may range over."""
    affiliations = frozenset(part.strip() for part in values.get("aggressor_affiliation", "").split(",") if part.strip())
    return Facts(
        need=need,
        risk=values.get("risk_level"),
        urgency=values.get("urgency"),
        aggressor_affiliation=affiliations,
        age_band=age_band(values, unit),
        legal_basis=frozenset(),
    )


def age_band(values: dict[str, str], unit: Unit) -> str | None:
    """The age band of the person when age or birth date is known."""
    for field in ("age", "birth_date"):
        if field in values:
            return generalise("age_band", values[field], unit.now.date())
    return None


def rule(unit: Unit, case: Case, recipient: str, need: str, held_back: tuple[str, ...] = ()) -> Ruling:
    """Decide every field of `case` for `recipient` and `need`, now. `held_back` fields the caseworker chose to keep are withheld.

    Raises Refused `unknown_institution`, `unknown_need`, `no_protocol`. Never raises for a conflict of interest: the decision says
    `excluded` and withholds everything.
    """
    kind = peer_kind(unit, recipient)
    if need not in unit.pack.vocabulary.needs:
        raise Refused("unknown_need", need=need[:60])
    protocol = unit.pack.protocol_for(need, unit.me.kind, kind, unit.now.date())
    if protocol is None:
        raise Refused("no_protocol", institution=recipient, need=need)
    purpose = protocol.purpose_of(need)
    values = values_of(unit, case.id)
    facts = facts_of(unit, values, need)
    consented, state, consent = consented_fields(unit, case.id, recipient, purpose)
    request = Request(
        purpose=purpose,
        recipient_kind=kind,
        recipient_id=recipient,
        facts=facts,
        consented=consented - frozenset(held_back),
        consent_state=state,
    )
    decision = unit.pack.compiled[protocol.id].decide(request)
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
    )


def still_allowed(unit: Unit, referral: Referral) -> frozenset[str]:
    """The fields that the recipient of a referral could be given now; none when there is no ruling any more."""
    case = unit.cases.get(referral.case or "")
    try:
        ruling = rule(unit, case, referral.peer, referral.need, tuple(referral.offer.get("held_back", ()))) if case else None
    except Refused:
        return frozenset()
    return frozenset(f for f in ruling.values if ruling.decision.field(f).outcome is not Outcome.WITHHOLD) if ruling else frozenset()


def is_excluded(unit: Unit, case: Case, recipient: str) -> bool:
    """Whether a conflict of interest keeps this case from this institution, whatever anyone wishes (R61–R62)."""
    values = values_of(unit, case.id)
    facts = facts_of(unit, values, "")
    return conflict.excluded(peer_kind(unit, recipient), recipient, facts.aggressor_affiliation)


def candidates(unit: Unit, case: Case, need: str) -> list[str]:
    """Confirmed peers that a protocol covers for this need and that no conflict of interest excludes, by id."""
    found = []
    for peer in unit.peers.all(state="confirmed", order="id"):
        kind = peer_kind(unit, peer.id)
        if unit.pack.protocol_for(need, unit.me.kind, kind, unit.now.date()) and not is_excluded(unit, case, peer.id):
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
