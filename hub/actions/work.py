"""Working on an accepted referral: talk, progress, outcome, give back (`design.md` §5.6, R50)."""

from __future__ import annotations

from dataclasses import replace

from hub.actions.answer import seal_words
from hub.actions.common import find_referral, intend, note, staff_member
from hub.actions.emergency import end_asked
from hub.actions.ports import Unit
from hub.actions.withdraw import end_holding
from hub.base.errors import Refused
from hub.cases.events import ReferralMoved
from hub.cases.lifecycle import WORKING, Move, Side, after
from hub.cases.records import Referral
from hub.exchange.wire import MAX_SAID


def say(unit: Unit, by: str, code: str | None, text: str) -> Referral:
    """Words for the caseworkers of the other institution, sealed hub to hub. Raises Refused `not_working`, `nothing_said`, `too_long`."""
    referral = may_say(unit, code, text)
    return say_sealed(unit, by, referral.id, *seal_words(unit, text))


def may_say(unit: Unit, code: str | None, text: str) -> Referral:
    """The referral that these words could go to now. Raises Refused `not_working`, `nothing_said`, `too_long`."""
    referral = find_referral(unit, code)
    if not text.strip():
        raise Refused("nothing_said")
    if len(text) > MAX_SAID:
        raise Refused("too_long", limit=MAX_SAID)
    _working(referral)
    return referral


def say_sealed(unit: Unit, by: str, code: str, owner: str, words: str) -> Referral:
    """Send words that were sealed before (`seal_words`). Raises Refused `not_working`."""
    referral = find_referral(unit, code)
    _working(referral)
    intend(unit, referral.peer, "say", referral=referral.id, by=staff_member(unit, by).display, owner=owner, words=words)
    note(unit, referral.case or referral.id, by, "message.sent", referral=referral.id)
    return referral


def _working(referral: Referral) -> None:
    if referral.state not in WORKING or not referral.their_key:
        raise Refused("not_working", code=referral.code)


def progress(unit: Unit, by: str, code: str | None, move: Move) -> Referral:
    """Start or pause the work. Raises Refused `move_not_allowed`."""
    referral = find_referral(unit, code, Side.RECIPIENT)
    referral = replace(referral, state=after(referral.state, move, Side.RECIPIENT))
    unit.referrals.put(referral)
    intend(unit, referral.peer, "progress", referral=referral.id, move=move.value)
    note(unit, referral.id, by, f"referral.{move.value}")
    unit.announce(ReferralMoved(referral=referral.id, what=move.value, by=by))
    return referral


def finish(unit: Unit, by: str, code: str | None, outcome: str) -> Referral:
    """The referral ends with a coded outcome, told to the sender (R50). Raises Refused `unknown_outcome`, `move_not_allowed`."""
    referral = find_referral(unit, code, Side.RECIPIENT)
    if outcome not in unit.pack.vocabulary.lists["close_outcomes"]:
        raise Refused("unknown_outcome")
    state = after(referral.state, Move.COMPLETE, Side.RECIPIENT)
    referral = replace(referral, state=state, outcome=outcome, ended_at=unit.now)
    unit.referrals.put(referral)
    held = [d.id for d in unit.disclosures.all(referral=referral.id, state="active")]
    end_asked(unit, referral)
    intend(unit, referral.peer, "finish", referral=referral.id, outcome=outcome, disclosures=held)
    note(unit, referral.id, by, "referral.completed", outcome=outcome)
    unit.announce(ReferralMoved(referral=referral.id, what="complete", by=by))
    return referral


def give_back(unit: Unit, by: str, code: str | None, reason: str) -> Referral:
    """`devolver`: we cannot go on. Our keys of her data die, a receipt goes with the reason; the lead stays where it was.

    Raises Refused `unknown_reason`, `move_not_allowed`.
    """
    referral = find_referral(unit, code, Side.RECIPIENT)
    if reason not in unit.pack.vocabulary.lists["give_back_reasons"]:
        raise Refused("unknown_reason")
    state = after(referral.state, Move.GIVE_BACK, Side.RECIPIENT)
    held = [d.id for d in unit.disclosures.all(referral=referral.id, state="active")]
    referral = replace(referral, state=state, note=reason, ended_at=unit.now)
    unit.referrals.put(referral)
    receipt = end_holding(unit, referral, held, "given_back", whole=True)
    intend(unit, referral.peer, "give-back", referral=referral.id, reason=reason, disclosures=held, receipt=receipt.hex())
    note(unit, referral.id, by, "referral.given_back", reason=reason)
    unit.announce(ReferralMoved(referral=referral.id, what="give-back", by=by))
    return referral


