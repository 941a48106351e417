"""At the recipient: accept, decline, ask for one more field; at the sender: grant or refuse it (`design.md` §5.4, R32, R48)."""

from __future__ import annotations

from dataclasses import replace

from hub.actions.common import (
    SYSTEM,
    find_referral,
    forget_reminders,
    intend,
    note,
    staff_member,
)
from hub.actions.decide import rule
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.answers import ASK_REASONS
from hub.cases.events import CaseChanged, FieldAnswered, ReferralMoved
from hub.cases.lifecycle import WORKING, Move, Side, after
from hub.cases.records import Ask, Referral
from keys.primitives import OpeningKey
from policies.decision import Outcome
from policies.holding import ceiling
from policies.preview import CONSENT_CODES


def accept(unit: Unit, by: str, code: str | None, *, automatic: bool = False) -> Referral:
    """Take a referral: our fresh referral key goes back, the person's data may follow. Raises Refused `move_not_allowed`."""
    referral = find_referral(unit, code, Side.RECIPIENT)
    state = after(referral.state, Move.ACCEPT, Side.RECIPIENT)
    key = OpeningKey.generate()
    referral = replace(referral, state=state, by=by, answered_at=unit.now, our_key=key.public.raw)
    unit.referrals.put(referral)  # before the key: on PostgreSQL a second acceptance waits here, and may not replace the key of the first
    unit.vault.keep_secret(referral.id, key.reveal())
    forget_reminders(unit, referral.id, ("respond_by",))
    name = unit.me.name if by == SYSTEM else staff_member(unit, by).display
    intend(unit, referral.peer, "accept", referral=referral.id, by=name, automatic=automatic)
    note(unit, referral.id, by, "referral.accepted")
    unit.announce(ReferralMoved(referral=referral.id, what="accept", by=by))
    return referral


def decline(unit: Unit, by: str, code: str | None, reason: str) -> Referral:
    """Say no with a coded reason; nothing of a person was ever here. Raises Refused `unknown_reason`, `move_not_allowed`."""
    referral = find_referral(unit, code, Side.RECIPIENT)
    if reason not in unit.pack.vocabulary.lists["decline_reasons"]:
        raise Refused("unknown_reason")
    state = after(referral.state, Move.DECLINE, Side.RECIPIENT)
    referral = replace(referral, state=state, by=by, answered_at=unit.now, ended_at=unit.now, note=reason)
    unit.referrals.put(referral)
    forget_reminders(unit, referral.id)
    intend(unit, referral.peer, "decline", referral=referral.id, reason=reason)
    note(unit, referral.id, by, "referral.declined", reason=reason)
    unit.announce(ReferralMoved(referral=referral.id, what="decline", by=by))
    return referral


def ask_field(unit: Unit, by: str, code: str | None, field: str, why: str) -> Ask:
    """Ask the sender for one named extra field and say what for. Raises Refused `not_working`, `unknown_field`, `why_missing`."""
    referral = may_ask(unit, code, field, why)
    ask = Ask(id=new_id("ask"), referral=referral.id, side=Side.RECIPIENT, field=field, why="", state="open", at=unit.now)
    unit.asks.add(ask)
    owner, words = seal_words(unit, why)
    intend(unit, referral.peer, "ask", referral=referral.id, ask=ask.id, field=field, owner=owner, words=words)
    note(unit, referral.id, by, "field.asked", field=field)
    unit.announce(ReferralMoved(referral=referral.id, what="ask", by=by))
    return ask


def may_ask(unit: Unit, code: str | None, field: str, why: str) -> Referral:
    """The referral that this field could be asked for now. Raises Refused `not_working`, `unknown_field`, `why_missing`, `field_never`."""
    referral = find_referral(unit, code, Side.RECIPIENT)
    if referral.state not in WORKING:
        raise Refused("not_working", code=referral.code)
    if field not in unit.pack.vocabulary.fields:
        raise Refused("unknown_field", field=field[:40])
    if not why.strip():
        raise Refused("why_missing", field=field)
    protocol = unit.pack.between(referral.peer).protocols.get(referral.protocol)
    if protocol is None or ceiling(protocol, unit.me.kind, purpose=referral.purpose).get(field) is None:  # nobody over there is troubled for it
        raise Refused("field_never", code=referral.code, field=field)
    return referral


def forbidden(unit: Unit, referral: Referral, field: str) -> str | None:
    """Why this field may not go whatever a caseworker wishes, as a code that tells nothing of her; None when a person may decide.

    Whether a value is noted plays no part in it. Her missing permission is no such reason: she can be asked.
    """
    case = unit.cases.get(referral.case or "")
    if case is None:
        return "owner"
    try:
        decision = rule(unit, case, referral.peer, referral.need, tuple(referral.offer.get("held_back", ()))).decision
    except Refused:
        return "protocol"
    item = decision.field(field)
    return None if item.outcome is not Outcome.WITHHOLD or item.reason.code in CONSENT_CODES else "protocol"


def refuse_ask(unit: Unit, by: str, referral: Referral, ask: Ask, reason: str) -> Ask:
    """No, and why: a code of `hub.cases.answers`."""
    ask = replace(ask, state="refused", answered_at=unit.now, reason=reason, by=by)
    unit.asks.put(ask)
    intend(unit, referral.peer, "ask.answer", referral=referral.id, ask=ask.id, granted=False, reason=reason)
    note(unit, referral.case or referral.id, by, "field.refused", field=ask.field, referral=referral.id, reason=reason)
    unit.announce(CaseChanged(case=referral.case or ""))
    unit.announce(FieldAnswered(ask=ask.id, by=by))
    return ask


def answer_ask(unit: Unit, by: str, ask_id: str, *, granted: bool, reason: str = "refused") -> Ask:
    """The sender grants (consent and protocol still decide what leaves) or refuses with a code. The first answer counts: `already_answered`."""
    ask = unit.asks.get(ask_id)
    if ask is None or ask.state != "open" or ask.side is not Side.SENDER:
        raise Refused("already_answered")
    referral = find_referral(unit, ask.referral, Side.SENDER)
    if referral.state not in WORKING:
        raise Refused("not_working", code=referral.code)
    why_not = forbidden(unit, referral, ask.field) if granted else reason  # facts may have changed since it was asked
    if why_not is not None:
        return refuse_ask(unit, by, referral, ask, why_not if why_not in ASK_REASONS else "refused")
    ask = replace(ask, state="granted", answered_at=unit.now, by=by)
    unit.asks.put(ask)
    intend(unit, referral.peer, "ask.answer", referral=referral.id, ask=ask.id, granted=True, reason="")
    intend(unit, referral.peer, "disclose", referral=referral.id, only=[ask.field])
    note(unit, referral.case or "", by, "field.granted", field=ask.field, referral=referral.id)
    unit.announce(CaseChanged(case=referral.case or ""))
    unit.announce(FieldAnswered(ask=ask.id, by=by))
    return ask


def seal_words(unit: Unit, text: str) -> tuple[str, str]:
    """Words waiting in the outbox, sealed under a key of their own that dies once they are acknowledged: (owner, hex)."""
    owner = new_id("say")
    unit.vault.create(owner)
    return owner, unit.vault.seal(owner, "outbox|words", text.strip().encode()).hex()
