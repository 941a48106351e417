"""What each kind of message from a peer does here: one small function a kind, all inside the unit that accepted it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from hub.actions.answer import accept
from hub.actions.common import SYSTEM, forget_reminders, intend, note, remind
from hub.actions.erase import shred
from hub.actions.ports import Unit
from hub.actions.withdraw import obey_withdrawal, record_receipt
from hub.base.errors import PeerFault
from hub.base.ids import new_id
from hub.cases.codes import parse_code
from hub.cases.events import (
    Alarm,
    CaseChanged,
    FieldAsked,
    MessageArrived,
    ReferralMoved,
)
from hub.cases.lifecycle import WORKING, Move, Side, State, after
from hub.cases.records import Ask, Disclosure, HeldValue, Referral
from hub.exchange import wire
from hub.exchange.records import Link, Outgoing
from policies.holding import may_hold
from policies.preview import Disclosed

_REFERRAL_ID = re.compile(r"ref_[0-9a-f]{24}")
_DISCLOSURE_ID = re.compile(r"dis_[0-9a-f]{24}")
"""A peer chooses these ids, and a disclosure id becomes the owner of a key here: it may name nothing else that owns one."""


def is_boxed(kind: str) -> bool:
    """Whether bodies of this kind are sealed to a referral key. Raises PeerFault `unknown_kind`."""
    body = wire.KINDS.get(kind)
    if body is None:
        raise PeerFault("unknown_kind", kind=kind[:20])
    return body.sealed


def handle(unit: Unit, link: Link, body: wire.Body) -> None:
    """Give effect to a body whose turn it is. Raises PeerFault, Refused: the record is then noted as refused, and the line goes on."""
    if isinstance(body, wire.Profile):
        _profile(unit, link, body)
    elif isinstance(body, wire.Offer):
        _offer(unit, link, body)
    else:
        referral = unit.referrals.get(body.referral)  # type: ignore[attr-defined]  # every other body names its referral
        if referral is None or referral.peer != link.peer:
            raise PeerFault("unknown_referral")
        _HANDLERS[type(body)](unit, referral, body)


def delivered(unit: Unit, row: Outgoing) -> None:
    """The peer signed for a message: an offer is now shown as delivered."""
    if row.kind == "offer":
        referral = unit.referrals.get(str(row.ref["referral"]))
        if referral and referral.delivered_at is None:
            unit.referrals.put(replace(referral, delivered_at=unit.now))
            note(unit, referral.case or "", SYSTEM, "referral.delivered", referral=referral.id)
            unit.announce(CaseChanged(case=referral.case or ""))
            unit.announce(ReferralMoved(referral=referral.id, what="delivered"))


def _profile(unit: Unit, link: Link, body: wire.Profile) -> None:
    peer = unit.peers.get(link.peer)
    assert peer is not None
    known = {"name": body.name[:120], "territory": body.territory[:60], "needs": list(body.needs), "languages": list(body.languages)}
    roles = [str(role)[:40] for role in body.duty.get("roles", [])][:10]
    duty = {"on": bool(body.duty.get("on")), "roles": roles, "next": str(body.duty.get("next", ""))[:60]}
    unit.peers.put(replace(peer, profile=known | {"duty": duty}))


def _offer(unit: Unit, link: Link, body: wire.Offer) -> None:
    words = unit.pack.vocabulary
    protocol = unit.pack.protocols.get(body.protocol)
    if protocol is None or body.need not in protocol.needs or unit.me.kind not in protocol.to_kinds:
        raise PeerFault("no_protocol", institution=link.peer)
    if body.purpose != protocol.purpose_of(body.need):  # P06
        raise PeerFault("wrong_purpose", institution=link.peer)
    if body.urgency not in words.lists["urgencies"] or parse_code(body.code) is None:
        raise PeerFault("bad_body", kind="offer", why="codes")
    if not _REFERRAL_ID.fullmatch(body.referral) or unit.referrals.get(body.referral) is not None:
        raise PeerFault("referral_exists")
    referral = Referral(
        id=body.referral,
        code=_our_code(unit, body.code),
        side=Side.RECIPIENT,
        peer=link.peer,
        case=None,
        need=body.need,
        purpose=body.purpose,
        protocol=body.protocol,
        protocol_version=body.version,
        urgency=body.urgency,
        offer={"territory": body.territory[:60], "languages": list(body.languages), "accessibility": list(body.accessibility), "code": body.code},
        state=State.RECEIVED,
        opened_at=body.opened_at,
        respond_by=body.respond_by,
        delivered_at=unit.now,
        their_key=body.key,
    )
    unit.referrals.add(referral)
    note(unit, referral.id, link.peer, "referral.received", need=body.need)
    remind(unit, "respond_by", referral.id, body.respond_by)
    someone = unit.staff.count(removed_at=None, on_duty=True) > 0
    automatic = unit.rules.accept_automatically and protocol.accepts_itself(need=body.need, urgency=body.urgency, on_duty=someone)
    unit.announce(ReferralMoved(referral=referral.id, what="receive", ring=True))
    if automatic:
        accept(unit, SYSTEM, referral.id, automatic=True)


def _our_code(unit: Unit, code: str) -> str:
    """The pair's code; when another pair happens to use the same one here, ours alone gets a mark that keeps them apart."""
    return code if not unit.referrals.count(code=code) else f"{code}/{unit.referrals.count() + 1}"


def _cancel(unit: Unit, referral: Referral, body: wire.Cancel) -> None:
    if referral.state in WORKING:
        # The acceptance and the cancellation crossed: nothing was disclosed yet, the offer is simply over.
        state = State.CANCELLED
    else:
        state = after(referral.state, Move.CANCEL, Side.SENDER)
    unit.referrals.put(replace(referral, state=state, ended_at=unit.now))
    forget_reminders(unit, referral.id)
    shred(unit, referral.id, "cancelled")
    unit.announce(ReferralMoved(referral=referral.id, what="cancel"))


def _accept(unit: Unit, referral: Referral, body: wire.Accept) -> None:
    if referral.state is State.CANCELLED:
        return
    state = after(referral.state, Move.ACCEPT, Side.RECIPIENT)
    referral = replace(referral, state=state, answered_at=unit.now, their_key=body.key, offer=referral.offer | {"accepted_by": body.by[:60]})
    unit.referrals.put(referral)
    forget_reminders(unit, referral.id, ("respond_by",))
    note(unit, referral.case or "", referral.peer, "referral.accepted", referral=referral.id)
    intend(unit, referral.peer, "disclose", referral=referral.id)
    unit.announce(ReferralMoved(referral=referral.id, what="accept"))


def _decline(unit: Unit, referral: Referral, body: wire.Decline) -> None:
    if body.reason not in unit.pack.vocabulary.lists["decline_reasons"]:
        raise PeerFault("bad_body", kind="decline", why="reason")
    state = after(referral.state, Move.DECLINE, Side.RECIPIENT)
    unit.referrals.put(replace(referral, state=state, answered_at=unit.now, ended_at=unit.now, note=body.reason))
    forget_reminders(unit, referral.id)
    shred(unit, referral.id, "declined")
    note(unit, referral.case or "", referral.peer, "referral.declined", referral=referral.id, reason=body.reason)
    unit.announce(ReferralMoved(referral=referral.id, what="decline", ring=True))


def _disclose(unit: Unit, referral: Referral, body: wire.Disclose) -> None:
    """Step 8: what our own policy lets us hold is kept, the rest is dropped before storage and reported by name (P01)."""
    if referral.side is not Side.RECIPIENT or referral.state not in WORKING:
        raise PeerFault("not_working")
    if not _DISCLOSURE_ID.fullmatch(body.disclosure) or unit.disclosures.get(body.disclosure) is not None:
        raise PeerFault("bad_body", kind="disclose", why="id")
    given = {name: Disclosed.from_wire(item) for name, item in body.fields.items()}
    protocol = unit.pack.protocols[referral.protocol]
    kept, dropped = may_hold(protocol, unit.me.kind, {n: d for n, d in given.items() if d is not None}, purpose=referral.purpose)
    dropped = tuple(sorted({*dropped, *(n for n, d in given.items() if d is None)}))
    unit.vault.create(body.disclosure)
    until = min(body.until, _last_day(unit, referral))
    unit.disclosures.add(
        Disclosure(
            id=body.disclosure,
            referral=referral.id,
            side=Side.RECIPIENT,
            consent=None,
            protocol=body.protocol,
            protocol_version=body.version,
            fields={name: item.outcome.word for name, item in kept.items()},
            at=unit.now,
            until=until,
        )
    )
    for name, item in kept.items():
        place = f"held_values|{referral.id}|{name}"
        sealed = unit.vault.seal(body.disclosure, place, (item.value or "").encode())
        outcome = item.outcome.word
        unit.held.add(HeldValue(id=new_id("val"), disclosure=body.disclosure, referral=referral.id, field=name, outcome=outcome, sealed=sealed))
    remind(unit, "retention", body.disclosure, until)
    note(unit, referral.id, referral.peer, "disclosure.received", fields=sorted(kept), dropped=len(dropped))
    if dropped:
        names = [name[:40] for name in dropped][:50]
        intend(unit, referral.peer, "report", referral=referral.id, disclosure=body.disclosure, dropped=names)
    unit.announce(ReferralMoved(referral=referral.id, what="disclosed", ring=True))


def _last_day(unit: Unit, referral: Referral) -> datetime:
    protocol = unit.pack.protocols[referral.protocol]
    return datetime.combine(protocol.keep_until(referral.purpose, unit.now.date()), unit.now.timetz())


def _ask(unit: Unit, referral: Referral, body: wire.AskField) -> None:
    if referral.side is not Side.SENDER or referral.state not in WORKING or body.field not in unit.pack.vocabulary.fields:
        raise PeerFault("bad_body", kind="ask", why="field")
    ask = Ask(id=body.ask, referral=referral.id, side=Side.SENDER, field=body.field, why="", state="open", at=unit.now)
    unit.asks.add(ask)
    note(unit, referral.case or "", referral.peer, "field.asked", field=body.field, referral=referral.id)
    unit.announce(FieldAsked(ask=ask.id, why=body.why[:300]))


def _answer_ask(unit: Unit, referral: Referral, body: wire.AnswerAsk) -> None:
    ask = unit.asks.get(body.ask)
    if ask is None or ask.referral != referral.id:
        raise PeerFault("bad_body", kind="ask.answer", why="ask")
    unit.asks.put(replace(ask, state="granted" if body.granted else "refused", answered_at=unit.now))
    unit.announce(ReferralMoved(referral=referral.id, what="granted" if body.granted else "refused", ring=True))


def _say(unit: Unit, referral: Referral, body: wire.Say) -> None:
    note(unit, referral.case or referral.id, referral.peer, "message.received", referral=referral.id)
    unit.announce(MessageArrived(referral=referral.id, text=body.text, by=body.by[:60]))


def _progress(unit: Unit, referral: Referral, body: wire.Progress) -> None:
    if body.move not in (Move.START.value, Move.HOLD.value):
        raise PeerFault("bad_body", kind="progress", why="move")
    unit.referrals.put(replace(referral, state=after(referral.state, Move(body.move), Side.RECIPIENT)))
    _told(unit, referral, body.move)


def _finish(unit: Unit, referral: Referral, body: wire.Finish) -> None:
    if body.outcome not in unit.pack.vocabulary.lists["close_outcomes"]:
        raise PeerFault("bad_body", kind="finish", why="outcome")
    state = after(referral.state, Move.COMPLETE, Side.RECIPIENT)
    unit.referrals.put(replace(referral, state=state, outcome=body.outcome, ended_at=unit.now))
    _told(unit, referral, "complete", ring=True)


def _give_back(unit: Unit, referral: Referral, body: wire.GiveBack) -> None:
    if body.reason not in unit.pack.vocabulary.lists["give_back_reasons"]:
        raise PeerFault("bad_body", kind="give-back", why="reason")
    state = after(referral.state, Move.GIVE_BACK, Side.RECIPIENT)
    unit.referrals.put(replace(referral, state=state, note=body.reason, ended_at=unit.now))
    record_receipt(unit, referral, body.receipt)
    _told(unit, referral, "give-back", ring=True)


def _withdraw(unit: Unit, referral: Referral, body: wire.Withdraw) -> None:
    if referral.side is not Side.RECIPIENT:
        raise PeerFault("bad_body", kind="withdraw", why="side")
    obey_withdrawal(unit, referral, body.disclosures, whole=body.whole)


def _erased(unit: Unit, referral: Referral, body: wire.Erased) -> None:
    if referral.side is not Side.SENDER:
        raise PeerFault("bad_body", kind="erased", why="side")
    record_receipt(unit, referral, body.receipt)
    note(unit, referral.case or "", referral.peer, "erasure.confirmed", referral=referral.id)


def _report(unit: Unit, referral: Referral, body: wire.Report) -> None:
    """The peer dropped fields that it may not hold: our side over-shared, which should not happen. Administrators are told, by name."""
    disclosure = unit.disclosures.get(body.disclosure)
    if disclosure and disclosure.referral == referral.id:
        unit.disclosures.put(replace(disclosure, fields={f: o for f, o in disclosure.fields.items() if f not in body.dropped}))
    names = ", ".join(n[:40] for n in body.dropped[:20])
    unit.announce(Alarm(code="fields_dropped", params=(("institution", referral.peer), ("code", referral.code), ("fields", names))))


def _told(unit: Unit, referral: Referral, what: str, *, ring: bool = False) -> None:
    note(unit, referral.case or "", referral.peer, f"referral.{what}", referral=referral.id)
    unit.announce(CaseChanged(case=referral.case or ""))
    unit.announce(ReferralMoved(referral=referral.id, what=what, ring=ring))


_HANDLERS: dict[type[wire.Body], Callable[[Unit, Referral, Any], None]] = {
    wire.Cancel: _cancel,
    wire.Accept: _accept,
    wire.Decline: _decline,
    wire.Disclose: _disclose,
    wire.AskField: _ask,
    wire.AnswerAsk: _answer_ask,
    wire.Say: _say,
    wire.Progress: _progress,
    wire.Finish: _finish,
    wire.GiveBack: _give_back,
    wire.Withdraw: _withdraw,
    wire.Erased: _erased,
    wire.Report: _report,
}
