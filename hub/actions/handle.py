"""What each kind of message from a peer does here: one small function a kind, all inside the unit that accepted it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hub.actions import emergency, onward_holder, onward_owner
from hub.actions.answer import forbidden, refuse_ask
from hub.actions.common import SYSTEM, forget_reminders, intend, note
from hub.actions.decide import is_ours
from hub.actions.erase import shred, shred_referral_key
from hub.actions.hear_coordination import hear_room, is_room
from hub.actions.hear_protocol import hear_proposal, hear_question, hear_word
from hub.actions.not_taken import hear_not_taken
from hub.actions.onward_receipts import hear_ended
from hub.actions.peer_words import ASK_ID, DISCLOSURE_ID, FIELD_NAME, is_key, known_words
from hub.actions.ports import Unit
from hub.actions.recall import recall
from hub.actions.receipts import confirm, record_receipt
from hub.actions.receive_disclosure import receive_disclosure
from hub.actions.receive_offer import receive_offer
from hub.actions.share_list import hear_list, send_wanted
from hub.actions.standing import hear_restored, hear_standing
from hub.actions.version_refused import version_refused
from hub.actions.withdraw import end_holding, obey_withdrawal
from hub.base.errors import PeerFault
from hub.cases.answers import AGAIN_REASONS, ASK_REASONS
from hub.cases.events import (
    Alarm,
    AskedAgain,
    CaseChanged,
    FieldAsked,
    MessageArrived,
    ReferralMoved,
)
from hub.cases.lifecycle import OPEN, WORKING, Move, Side, State, after
from hub.cases.records import Ask, Referral
from hub.exchange import wire
from hub.exchange.records import Link, Outgoing


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
    elif isinstance(body, wire.ProposeProtocol):
        hear_proposal(unit, link, body)
    elif isinstance(body, wire.ProtocolSays):
        hear_word(unit, link, body)
    elif isinstance(body, wire.AskProtocol):
        hear_question(unit, link, body)
    elif isinstance(body, wire.Restored):
        hear_restored(unit, link.id, body)
    elif isinstance(body, wire.Standing):
        for row in hear_standing(unit, link.id, body):
            delivered(unit, row)
    elif isinstance(body, wire.NewList):
        hear_list(unit, link, body)
    elif isinstance(body, wire.WantList):
        send_wanted(unit, link, body)
    elif isinstance(body, wire.Offer):
        receive_offer(unit, link, body)
    elif is_room(body.kind):
        hear_room(unit, link, body)
    else:
        referral = unit.referrals.get(body.referral)  # type: ignore[attr-defined]  # every other body names its referral
        if referral is None or referral.peer != link.peer:
            raise PeerFault("unknown_referral")
        side, handler = _HANDLERS[type(body)]
        if side is not None and referral.side is not side:  # a move is made by one side only (`cases/lifecycle.py`)
            raise PeerFault("wrong_side")
        handler(unit, referral, body)


def too_late(unit: Unit, link: Link, referral_id: str, kind: str) -> bool:
    """A boxed body whose key is gone because the referral is over here: it crossed with the end on the road, which is nobody's fault.

    An acceptance is answered by `cancel`, so that whoever accepted knows that it is over; an emergency is told to our people (R76).
    False when it is something else.
    """
    referral = unit.referrals.get(referral_id)
    if referral is None or referral.peer != link.peer or referral.state in OPEN:
        return False
    note(unit, referral.case or referral.id, referral.peer, "record.too_late", kind=kind, referral=referral.id)
    if kind == wire.BreakGlass.kind and referral.side is Side.SENDER:
        unit.announce(ReferralMoved(referral=referral.id, what="glass_too_late", ring=True))
    if kind == wire.Accept.kind and referral.side is Side.SENDER:
        intend(unit, referral.peer, "cancel", referral=referral.id)
    return True


def delivered(unit: Unit, row: Outgoing) -> None:
    """The peer signed for a message: an offer is now shown as delivered; after an outcome nothing more comes for our key."""
    if row.kind == "finish":
        shred_referral_key(unit, str(row.ref["referral"]), "completed")
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
    words = unit.pack.vocabulary
    known: dict[str, Any] = {"name": body.name[:120], "territory": body.territory[:60]}
    known |= {"needs": known_words(body.needs, words.needs), "languages": known_words(body.languages, words.lists["languages"])}
    listed = body.duty.get("roles", [])
    roles = [str(role)[:40] for role in listed][:10] if isinstance(listed, list) else []
    duty = {"on": bool(body.duty.get("on")), "roles": roles, "next": str(body.duty.get("next", ""))[:60]}
    unit.peers.put(replace(peer, profile=known | {"duty": duty}))


def _cancel(unit: Unit, referral: Referral, body: wire.Cancel) -> None:
    """The offer is over, also when an acceptance crossed with it on the road; whatever came meanwhile dies, with a receipt."""
    if referral.state not in OPEN:
        return
    held = [d.id for d in unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT, state="active")]
    unit.referrals.put(replace(referral, state=State.CANCELLED, ended_at=unit.now))
    forget_reminders(unit, referral.id)
    receipt = end_holding(unit, referral, held, "cancelled", whole=True)
    if held:
        confirm(unit, referral, held, receipt)
    unit.announce(ReferralMoved(referral=referral.id, what="cancel", ring=referral.state in WORKING))


def _accept(unit: Unit, referral: Referral, body: wire.Accept) -> None:
    if not is_key(body.key):
        raise PeerFault("bad_body", kind="accept", why="key")
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


def _ask(unit: Unit, referral: Referral, body: wire.AskField) -> None:
    if body.field not in unit.pack.vocabulary.fields:
        raise PeerFault("bad_body", kind="ask", why="field")
    if not ASK_ID.fullmatch(body.ask) or unit.asks.get(body.ask) is not None:
        raise PeerFault("bad_body", kind="ask", why="id")
    if referral.state not in WORKING:
        raise PeerFault("not_working")
    if body.purpose != referral.purpose:  # P06: asked for one thing, used for another
        raise PeerFault("wrong_purpose", institution=referral.peer)
    ask = Ask(id=body.ask, referral=referral.id, side=Side.SENDER, field=body.field, why="", state="open", at=unit.now)
    unit.asks.add(ask)
    note(unit, referral.case or "", referral.peer, "field.asked", field=body.field, referral=referral.id)
    reason = forbidden(unit, referral, body.field)
    if reason is None:
        unit.announce(FieldAsked(ask=ask.id, why=body.why[:300]))
    else:
        refuse_ask(unit, SYSTEM, referral, ask, reason)


def _answer_ask(unit: Unit, referral: Referral, body: wire.AnswerAsk) -> None:
    ask = unit.asks.get(body.ask)
    if ask is None or ask.referral != referral.id or ask.side is not Side.RECIPIENT or ask.state != "open":
        raise PeerFault("bad_body", kind="ask.answer", why="ask")
    reason = "" if body.granted else body.reason if body.reason in ASK_REASONS else "refused"
    unit.asks.put(replace(ask, state="granted" if body.granted else "refused", answered_at=unit.now, reason=reason))
    unit.announce(ReferralMoved(referral=referral.id, what="granted" if body.granted else "refused", ring=True, fields=(ask.field,)))


def _say(unit: Unit, referral: Referral, body: wire.Say) -> None:
    if len(body.text) > wire.MAX_SAID:
        raise PeerFault("bad_body", kind="say", why="size")
    if referral.state not in (*WORKING, State.COMPLETED):  # words may cross with the outcome, and are read all the same
        raise PeerFault("not_working")
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
    _ended(unit, referral, body.disclosures)
    _told(unit, referral, "complete", ring=True)


def _give_back(unit: Unit, referral: Referral, body: wire.GiveBack) -> None:
    if body.reason not in unit.pack.vocabulary.lists["give_back_reasons"]:
        raise PeerFault("bad_body", kind="give-back", why="reason")
    state = after(referral.state, Move.GIVE_BACK, Side.RECIPIENT)
    referral = replace(referral, state=state, note=body.reason, ended_at=unit.now)
    unit.referrals.put(referral)
    record_receipt(unit, referral, body.receipt)
    _ended(unit, referral, ())
    _told(unit, referral, "give-back", ring=True)


def _ended(unit: Unit, referral: Referral, held: tuple[str, ...]) -> None:
    """The recipient is done: nothing more comes for our key. A disclosure that crossed with its word, and that it does not hold, is recalled."""
    crossed = [d for d in unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active") if d.id not in held]
    recall(unit, referral, crossed)
    shred_referral_key(unit, referral.id, "ended")


def _withdraw(unit: Unit, referral: Referral, body: wire.Withdraw) -> None:
    if not all(DISCLOSURE_ID.fullmatch(name) for name in body.disclosures):
        raise PeerFault("bad_body", kind="withdraw", why="id")
    obey_withdrawal(unit, referral, body.disclosures, whole=body.whole)


def _erased(unit: Unit, referral: Referral, body: wire.Erased) -> None:
    record_receipt(unit, referral, body.receipt)
    owed = unit.disclosures.count(referral=referral.id, side=Side.SENDER, state__in=("active", "recalled", "overdue"))
    if referral.state not in OPEN and not owed:
        shred_referral_key(unit, referral.id, "receipts")
    note(unit, referral.case or "", referral.peer, "erasure.confirmed", referral=referral.id)


def _asked_again(unit: Unit, referral: Referral, body: wire.AskedAgain) -> None:
    """They ask her again for what she told here: noted in her record, and counted (R23)."""
    if body.reason not in AGAIN_REASONS:
        raise PeerFault("bad_body", kind="told.again", why="reason")
    note(unit, referral.case or referral.id, referral.peer, "account.asked_again", reason=body.reason, referral=referral.id)
    unit.announce(AskedAgain(about=referral.id, reason=body.reason))


def _report(unit: Unit, referral: Referral, body: wire.Report) -> None:
    """The peer says it dropped fields it may not hold. Administrators are told by name; our record of what it was given stays whole."""
    disclosure = unit.disclosures.get(body.disclosure)
    if disclosure is None or disclosure.referral != referral.id:
        return
    if body.why:
        version_refused(unit, referral, disclosure, body.why)
        return
    given = [name for name in disclosure.fields if name in body.dropped]
    note(unit, referral.case or referral.id, referral.peer, "fields.reported_dropped", fields=given)
    names = ", ".join(name for name in body.dropped[:50] if FIELD_NAME.fullmatch(name))
    case = unit.cases.get(referral.case or "")
    code = "R-…" if case and is_ours(unit, case) else referral.code  # administrators may be his colleagues
    unit.announce(Alarm(code="fields_dropped", params=(("institution", referral.peer), ("code", code), ("fields", names))))


def _told(unit: Unit, referral: Referral, what: str, *, ring: bool = False) -> None:
    note(unit, referral.case or "", referral.peer, f"referral.{what}", referral=referral.id)
    unit.announce(CaseChanged(case=referral.case or ""))
    unit.announce(ReferralMoved(referral=referral.id, what=what, ring=ring))


_Handler = Callable[[Unit, Referral, Any], None]
_HANDLERS: dict[type[wire.Body], tuple[Side | None, _Handler]] = {
    wire.Cancel: (Side.RECIPIENT, _cancel),
    wire.NotTaken: (Side.SENDER, hear_not_taken),
    wire.Accept: (Side.SENDER, _accept),
    wire.Decline: (Side.SENDER, _decline),
    wire.Disclose: (Side.RECIPIENT, receive_disclosure),
    wire.AskField: (Side.SENDER, _ask),
    wire.AnswerAsk: (Side.RECIPIENT, _answer_ask),
    wire.Say: (None, _say),
    wire.Progress: (Side.SENDER, _progress),
    wire.Finish: (Side.SENDER, _finish),
    wire.GiveBack: (Side.SENDER, _give_back),
    wire.Withdraw: (Side.RECIPIENT, _withdraw),
    wire.Erased: (Side.SENDER, _erased),
    wire.Report: (Side.SENDER, _report),
    wire.AskOnward: (Side.SENDER, onward_owner.hear_ask),
    wire.AnswerOnward: (Side.RECIPIENT, onward_holder.hear_answer),
    wire.PassedOn: (Side.SENDER, onward_owner.hear_passed),
    wire.EndOnward: (Side.RECIPIENT, onward_holder.hear_end),
    wire.OnwardEnded: (Side.SENDER, hear_ended),
    wire.BreakGlass: (Side.SENDER, emergency.hear_glass),
    wire.AnswerGlass: (Side.RECIPIENT, emergency.hear_answer),
    wire.GlassReviewed: (Side.SENDER, emergency.hear_reviewed),
    wire.AskedAgain: (Side.SENDER, _asked_again),
}
"""Per kind the side that we must be on, None for both, and what is done."""
