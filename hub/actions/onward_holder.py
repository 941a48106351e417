"""The holder's side of passing on (R71): ask the owner, and with its signed grant offer the referral to the third institution.

What is held of another institution's person leaves by `under_grant` alone, and only to the institution, for the need and with the fields that
the grant names. Our own protocol towards that institution is asked too: the grant opens the owner's door, not ours.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.actions.answer import seal_words
from hub.actions.common import SYSTEM, find_referral, forget_reminders, intend, link_to, note, remind
from hub.actions.decide import facts_of, offer_blocked, peer_kind
from hub.actions.manifest_versions import keys_now
from hub.actions.onward_receipts import hand_on_receipts, receipts_for
from hub.actions.ports import Unit
from hub.actions.recall import recall
from hub.actions.refer import cancel_offer
from hub.actions.show_value import held_values
from hub.base.errors import PeerFault, Refused
from hub.base.ids import new_id
from hub.cases.answers import ONWARD_REASONS
from hub.cases.codes import new_code
from hub.cases.events import OnwardMoved
from hub.cases.lifecycle import MOVES, WORKING, Move, Side, State, after
from hub.cases.records import Disclosure, Onward, Referral
from hub.exchange import wire
from hub.exchange.records import Outgoing
from keys.errors import KeysError
from keys.grant import Grant, verify_grant
from keys.primitives import OpeningKey
from policies.decision import Outcome, Request
from policies.preview import Disclosed, Passage, passed_on
from policies.protocol import Protocol

_OUTCOMES = {outcome.word: outcome for outcome in Outcome}


def ask_onward(unit: Unit, by: str, code: str | None, third: str, need: str, fields: Collection[str], why: str) -> Onward:
    """Ask the owner whether named fields of a referral that we hold may go to a third institution. Nothing leaves but the question.

    Raises Refused `not_working`, `why_missing`, `not_ours_to_pass`, `onward_forbidden`, `onward_kind`, `no_protocol`, `not_held`, as
    `peer_kind` and `link_to`.
    """
    referral = find_referral(unit, code, Side.RECIPIENT)
    if referral.state not in WORKING:
        raise Refused("not_working", code=referral.code)
    if not why.strip():
        raise Refused("why_missing", field=next(iter(fields), ""))
    passed = [d.owner for d in unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT) if d.owner]
    if passed:
        raise Refused("not_ours_to_pass", code=referral.code, institution=passed[0])
    if third == referral.peer:
        raise Refused("onward_unknown", code=referral.code)
    kind = peer_kind(unit, third)
    link_to(unit, third)
    protocol = unit.pack.between(referral.peer).protocols.get(referral.protocol)
    if protocol is None or not protocol.onward:
        raise Refused("onward_forbidden", code=referral.code, institution=referral.peer)
    if not protocol.goes_on_to(kind):
        raise Refused("onward_kind", code=referral.code, institution=third)
    if unit.pack.between(third).protocol_for(need, unit.me.kind, kind, unit.now.date()) is None:
        raise Refused("no_protocol", institution=third, need=need)
    held = _held(unit, referral)
    wanted = tuple(dict.fromkeys(f for f in fields if f in held))
    if not wanted:
        raise Refused("not_here", code=referral.code)
    onward = Onward(
        id=new_id("onw"), referral=referral.id, side=Side.RECIPIENT, third=third, need=need, fields=dict.fromkeys(wanted, ""), state="asked",
        at=unit.now, by=by,
    )  # fmt: skip
    unit.onwards.add(onward)
    owner, words = seal_words(unit, why)
    intend(unit, referral.peer, "onward.ask", referral=referral.id, onward=onward.id, owner=owner, words=words)
    note(unit, referral.id, by, "onward.asked", onward=onward.id, institution=third, fields=list(wanted))
    unit.announce(OnwardMoved(onward=onward.id, what="asked"))
    return onward


def hear_answer(unit: Unit, referral: Referral, body: wire.AnswerOnward) -> None:
    """The owner's word. A grant that is not what was asked, or that its keys did not sign, is none."""
    onward = unit.onwards.get(body.onward)
    if onward is None or onward.referral != referral.id or onward.side is not Side.RECIPIENT or onward.state != "asked":
        raise PeerFault("bad_body", kind="onward.answer", why="id")
    if not body.granted:
        reason = body.reason if body.reason in ONWARD_REASONS else "refused"
        unit.onwards.put(replace(onward, state="refused", reason=reason))
        note(unit, referral.id, referral.peer, "onward.refused", onward=onward.id, reason=reason)
        unit.announce(OnwardMoved(onward=onward.id, what="refused", ring=True))
        return
    grant = _verified(unit, referral, onward, body.grant)
    fields = {name: grant.fields.get(name, "") for name in onward.fields}
    onward = replace(onward, state="granted", grant=body.grant, until=grant.until, fields=fields)
    unit.onwards.put(onward)
    note(unit, referral.id, referral.peer, "onward.granted", onward=onward.id, fields=sorted(grant.fields))
    try:
        _offer(unit, referral, onward)
    except Refused as refused:
        unit.onwards.put(replace(onward, state="refused", reason="refused"))
        note(unit, referral.id, SYSTEM, "onward.stopped", onward=onward.id, why=refused.code)
        unit.announce(OnwardMoved(onward=onward.id, what="stopped", ring=True))
        return
    unit.announce(OnwardMoved(onward=onward.id, what="granted", ring=True))


def _offer(unit: Unit, referral: Referral, onward: Onward) -> None:
    """An offer of our own, without any person in it: they may decline, and then never saw her."""
    protocol = _protocol(unit, onward)
    if offer_blocked(unit, onward.third):
        raise Refused("manifest_expired", institution=onward.third)
    key = OpeningKey.generate()
    respond_by = unit.now + protocol.respond_within[referral.urgency]
    child = Referral(
        id=new_id("ref"), code=_free_code(unit), side=Side.SENDER, peer=onward.third, case=None, need=onward.need,
        purpose=protocol.purpose_of(onward.need), protocol=protocol.id, protocol_version=protocol.version, urgency=referral.urgency,
        offer={"onward": onward.id}, state=after(State.DRAFT, Move.OFFER, Side.SENDER), by=onward.by, opened_at=unit.now,
        respond_by=respond_by, our_key=key.public.raw,
    )  # fmt: skip
    unit.referrals.add(child)
    unit.vault.keep_secret(child.id, key.reveal())
    unit.onwards.put(replace(onward, child=child.id))
    intend(unit, onward.third, "offer", referral=child.id)
    remind(unit, "respond_by", child.id, respond_by)
    note(unit, referral.id, SYSTEM, "onward.offered", onward=onward.id, referral=child.id, recipient=onward.third)


@dataclass(frozen=True, kw_only=True)
class Passing:
    """What goes on now under a grant, re-checked at this moment."""

    onward: Onward
    parent: Referral
    grant: Grant
    protocol: Protocol
    purpose: str
    fields: dict[str, Disclosed]
    until: datetime


def under_grant(unit: Unit, child: Referral) -> Passing:
    """At dispatch: the grant is looked at again, and so are what we hold and our own protocol. Raises Refused, and then nothing goes."""
    onward = unit.onwards.get(str(child.offer.get("onward", "")))
    parent = unit.referrals.get(onward.referral) if onward else None
    if onward is None or parent is None or onward.state not in ("granted", "passed") or parent.state not in WORKING:
        raise Refused("grant_ended")
    try:
        grant = _verified(unit, parent, onward, onward.grant)
    except (PeerFault, KeysError):
        raise Refused("grant_ended") from None
    if not grant.at - timedelta(days=1) <= unit.now < grant.use_by:
        raise Refused("grant_ended")
    protocol, today = _protocol(unit, onward), unit.now.date()
    granted = {name: passage for name, text in grant.fields.items() if (passage := Passage.of(text))}
    held = _held(unit, parent)
    own = _own_passages(unit, onward, protocol, granted, held)
    fields = passed_on({name: granted[name].within(passage) for name, passage in own.items()}, held, today, protocol.country)
    sources = [d.until for d in unit.disclosures.all(referral=parent.id, side=Side.RECIPIENT, state="active") if set(d.fields) & set(fields)]
    purpose = protocol.purpose_of(onward.need)
    kept = datetime.combine(protocol.keep_until(purpose, today), unit.now.timetz())
    return Passing(
        onward=onward, parent=parent, grant=grant, protocol=protocol, purpose=purpose, fields=fields, until=min(grant.until, kept, *sources)
    )  # fmt: skip


def owner_silent(unit: Unit, row: Outgoing) -> bool:
    """Whether this would pass something on while its owner has not answered our restore: its grant may have ended since the copy was made."""
    child = unit.referrals.get(str(row.ref.get("referral"))) if row.kind == "disclose" else None
    onward = unit.onwards.get(str(child.offer.get("onward", ""))) if child else None
    parent = unit.referrals.get(onward.referral) if onward else None
    link = unit.links.one(peer=parent.peer) if parent else None
    return link is not None and bool(link.asking)


def passed(unit: Unit, passing: Passing, disclosure: Disclosure) -> None:
    """It goes: the owner is told what, to whom and until when."""
    before = receipts_for(unit, passing.onward)  # of what they did not keep: this one stands in for it
    kept = tuple(name for name in passing.onward.disclosures if (d := unit.disclosures.get(name)) and d.state != "destroyed")
    onward = replace(passing.onward, state="passed", disclosures=(*kept, disclosure.id))
    unit.onwards.put(onward)
    intend(unit, passing.parent.peer, "onward.passed", referral=passing.parent.id, onward=onward.id, disclosure=disclosure.id)
    for receipt in before:
        intend(unit, passing.parent.peer, "onward.ended", referral=passing.parent.id, onward=onward.id, receipt=receipt.hex())
    note(unit, passing.parent.id, SYSTEM, "onward.passed", onward=onward.id, recipient=onward.third, fields=sorted(disclosure.fields))
    unit.announce(OnwardMoved(onward=onward.id, what="passed"))


def write_passed(unit: Unit, ref: dict[str, str]) -> wire.PassedOn | None:
    """What went, for the owner; None when its row is gone."""
    onward, disclosure = unit.onwards.get(ref["onward"]), unit.disclosures.get(ref["disclosure"])
    if onward is None or disclosure is None or onward.child is None:
        return None
    return wire.PassedOn(
        referral=onward.referral, onward=onward.id, child=onward.child, disclosures=(disclosure.id,), fields=dict(disclosure.fields),
        until=disclosure.until,
    )  # fmt: skip


def hear_end(unit: Unit, referral: Referral, body: wire.EndOnward) -> None:
    """The owner takes its grant back. Said twice it is done once."""
    onward = unit.onwards.get(body.onward)
    if onward is not None and onward.referral == referral.id and onward.side is Side.RECIPIENT:
        _end(unit, referral, onward)


def end_passed(unit: Unit, referral: Referral, disclosures: Collection[str]) -> None:
    """What we must destroy here is destroyed where we passed it on to."""
    lost = {f for name in disclosures if (d := unit.disclosures.get(name)) for f in d.fields}
    for onward in unit.onwards.all(referral=referral.id, side=Side.RECIPIENT, state__in=("asked", "granted", "passed")):
        if lost & set(onward.fields):
            _end(unit, referral, onward)


def _end(unit: Unit, parent: Referral, onward: Onward) -> None:
    if onward.state not in ("asked", "granted", "passed"):
        return
    unit.onwards.put(replace(onward, state="called_back"))
    child = unit.referrals.get(onward.child or "")
    if child is not None and child.state in (State.REQUESTED, State.RECEIVED):
        cancel_offer(unit, SYSTEM, child.id)
    elif child is not None:
        _withdraw(unit, child)
    if not onward.disclosures:
        unit.onwards.put(replace(onward, state="ended", ended_at=unit.now))
        intend(unit, parent.peer, "onward.ended", referral=parent.id, onward=onward.id, receipt="")
    elif child is not None:  # what they never kept is signed for already
        hand_on_receipts(unit, child)
    note(unit, parent.id, SYSTEM, "onward.called_back", onward=onward.id, recipient=onward.third)
    unit.announce(OnwardMoved(onward=onward.id, what="called_back"))


def _withdraw(unit: Unit, child: Referral) -> None:
    active = unit.disclosures.all(referral=child.id, side=Side.SENDER, state="active")
    if child.state in MOVES[Move.WITHDRAW][1]:
        unit.referrals.put(replace(child, state=after(child.state, Move.WITHDRAW, Side.SENDER), ended_at=unit.now, note="withdrawn"))
        forget_reminders(unit, child.id)
        recall(unit, child, active, whole=True)
    else:
        recall(unit, child, active)


def _verified(unit: Unit, parent: Referral, onward: Onward, data: bytes) -> Grant:
    grant = verify_grant(data, parent.peer, keys_now(unit, parent.peer))
    same = (grant.holder, grant.third, grant.referral, grant.onward, grant.need) == (unit.me.id, onward.third, parent.id, onward.id, onward.need)
    if not same or not set(grant.fields) <= set(onward.fields) or not all(Passage.of(text) for text in grant.fields.values()):
        raise PeerFault("bad_body", kind="onward.answer", why="grant")
    return grant


def _protocol(unit: Unit, onward: Onward) -> Protocol:
    protocol = unit.pack.between(onward.third).protocol_for(onward.need, unit.me.kind, peer_kind(unit, onward.third), unit.now.date())
    if protocol is None:
        raise Refused("no_protocol", institution=onward.third, need=onward.need)
    return protocol


def _own_passages(
    unit: Unit, onward: Onward, protocol: Protocol, granted: Collection[str], held: dict[str, Disclosed]
) -> dict[str, Passage]:
    """Our own protocol's word, with the grant in the place of her consent, on the facts as far as we know them."""
    values = {name: item.value for name, item in held.items() if item.value is not None and item.outcome is Outcome.RELEASE}
    request = Request(
        purpose=protocol.purpose_of(onward.need), recipient_kind=peer_kind(unit, onward.third), recipient_id=onward.third,
        facts=facts_of(unit, values, onward.need), consented=frozenset(granted), consent_state="active",
    )  # fmt: skip
    decision = unit.pack.between(onward.third).compiled[protocol.id].decide(request)
    if decision.excluded:
        raise Refused("conflict_of_interest", institution=onward.third, alternatives="")
    ruled = (decision.field(name) for name in granted)
    return {item.field: Passage(outcome=item.outcome, generalisation=item.generalisation) for item in ruled if item.outcome is not Outcome.WITHHOLD}


def _held(unit: Unit, referral: Referral) -> dict[str, Disclosed]:
    """What we hold as its recipient. What an emergency opened dies here and goes nowhere."""
    opened = {f for d in unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT, state="active") if d.glass for f in d.fields}
    return {
        name: Disclosed(outcome=_OUTCOMES[word], value=value or None)
        for name, (word, value) in held_values(unit, referral.id).items()
        if name not in opened
    }


def _free_code(unit: Unit) -> str:
    while True:
        code = new_code("R", secrets.randbelow)
        if not unit.referrals.count(code=code):
            return code
