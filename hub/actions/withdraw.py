"""Withdraw: the sender takes it back, the holder destroys and signs for it, the list shows who confirmed (`design.md` §5.8, R71–R72)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hub.actions.common import (
    SYSTEM,
    find_case,
    forget_reminders,
    intend,
    is_stopped,
    living_referrals,
    note,
    remind,
)
from hub.actions.decide import is_excluded
from hub.actions.emergency import end_asked
from hub.actions.erase import forget_words, said_under, shred, unsay_all, unsay_messages
from hub.actions.keep_ledger import ledger_key_owner
from hub.actions.legal_hold import keep, living_hold
from hub.actions.onward_holder import end_passed
from hub.actions.onward_owner import recheck
from hub.actions.ports import Unit
from hub.actions.recall import recall
from hub.actions.receipts import confirm, make_receipt
from hub.actions.refer import cancel_offer, has_left
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.events import CaseChanged, ReferralMoved
from hub.cases.lifecycle import OPEN, WORKING, Move, Side, State, after
from hub.cases.records import Case, Consent, Disclosure, Referral


@dataclass(frozen=True, kw_only=True)
class Stops:
    """What a withdrawal would stop: shown before it is confirmed."""

    case: Case
    recipients: tuple[str, ...]
    fields: tuple[str, ...]
    referrals: tuple[Referral, ...]
    disclosures: tuple[Disclosure, ...]
    checkins: int
    passed: tuple[str, ...] = ()
    """Third institutions that have something of it through a holder: it ends there too."""
    unheard: tuple[str, ...] = ()
    """Who would have to be told of it over a link that is stopped: nothing leaves there until people open it."""


def preview_withdrawal(unit: Unit, code: str | None, recipient: str | None, fields: tuple[str, ...]) -> Stops:
    """What would stop. Raises Refused `unknown_code`, `nothing_to_withdraw`."""
    case = find_case(unit, code)
    referrals = tuple(r for r in living_referrals(unit, case.id) if recipient in (None, r.peer))
    consents = [c for c in unit.consents.all(case=case.id, withdrawn_at=None) if recipient is None or recipient in c.recipients]
    held = tuple(d for r in referrals for d in unit.disclosures.all(referral=r.id, side=Side.SENDER, state="active"))
    stoppable = {d.referral for d in held}  # one that was declined, or given back with its receipt, has nothing left to stop
    referrals = tuple(r for r in referrals if r.state in OPEN or r.id in stoppable)
    if fields:
        held = tuple(d for d in held if set(fields) & set(d.fields))
    if not referrals and not consents and not held:
        raise Refused("nothing_to_withdraw", code=case.code)
    names = (recipient and (recipient,)) or tuple(sorted({r.peer for r in referrals} | {p for c in consents for p in c.recipients}))
    return Stops(
        case=case,
        recipients=tuple(names),
        fields=fields,
        referrals=referrals,
        disclosures=held,
        checkins=unit.checkins.count(case=case.id, state__in=("planned", "ringing")),
        passed=_passed(unit, case.id, {d.referral for d in held}, recipient, fields),
        unheard=_unheard(unit, referrals, {d.referral for d in held}, whole=not fields),
    )


def _passed(unit: Unit, case: str, ending: set[str], recipient: str | None, fields: tuple[str, ...]) -> tuple[str, ...]:
    found = (
        onward
        for referral in living_referrals(unit, case)
        for onward in unit.onwards.all(referral=referral.id, side=Side.SENDER, state__in=("granted", "passed"))
        if referral.id in ending or recipient in (None, onward.third)
    )
    return tuple(sorted({o.third for o in found if not fields or any(o.fields.get(f) for f in fields)}))


def _unheard(unit: Unit, referrals: tuple[Referral, ...], held: set[str], *, whole: bool) -> tuple[str, ...]:
    told = (r.peer for r in referrals if r.id in held or (whole and has_left(unit, r)))
    return tuple(sorted({peer for peer in told if is_stopped(unit, peer)}))


def withdraw(unit: Unit, by: str, code: str | None, recipient: str | None, fields: tuple[str, ...] = ()) -> Stops:
    """Do it: consents shrink or end, holders are told to destroy, offers under way are cancelled. Idempotent by nature."""
    stops = preview_withdrawal(unit, code, recipient, fields)
    shrink_consents(unit, stops.case.id, recipient, fields)
    for referral in stops.referrals:
        if referral.state in (State.REQUESTED, State.RECEIVED):
            if not fields:
                cancel_offer(unit, by, referral.id)
        else:
            _call_back(unit, by, referral, [d for d in stops.disclosures if d.referral == referral.id], fields)
    recheck(unit, stops.case.id)
    note(unit, stops.case.id, by, "consent.withdrawn", recipients=list(stops.recipients), fields=list(fields))
    unit.announce(CaseChanged(case=stops.case.id))
    return stops


def shrink_consents(unit: Unit, case: str, recipient: str | None, fields: tuple[str, ...]) -> None:
    """Each touched consent ends; what she did not take back lives on in a new record that says so."""
    for consent in unit.consents.all(case=case, withdrawn_at=None):
        if recipient is not None and recipient not in consent.recipients:
            continue
        unit.consents.put(replace(consent, withdrawn_at=unit.now))
        shred(unit, consent.id, "withdrawn")  # it has no key: so that a restored copy hears of it (R14)
        others = tuple(r for r in consent.recipients if recipient is not None and r != recipient)
        if others:
            _lives_on(unit, replace(consent, id=new_id("con"), recipients=others))
        touched = consent.recipients if recipient is None else (recipient,)
        kept = tuple(f for f in consent.fields if f not in fields)
        if fields and kept:
            _lives_on(unit, replace(consent, id=new_id("con"), recipients=touched, fields=kept))
        if no := tuple(f for f in fields if f not in consent.fields):  # nobody had asked her: no emergency opens it either (R72)
            unit.consents.add(replace(consent, id=new_id("con"), recipients=touched, fields=no, withdrawn_at=unit.now))


def _lives_on(unit: Unit, consent: Consent) -> None:
    unit.consents.add(consent)
    remind(unit, "consent_end", consent.id, consent.until)


def _call_back(unit: Unit, by: str, referral: Referral, held: list[Disclosure], fields: tuple[str, ...] = ()) -> None:
    """Everything, or these fields: a key opens all of its disclosure, so that one dies too, and what she still shares goes under a new one."""
    whole = not fields
    if not held and not whole:
        return
    gone = tuple(sorted({f for d in held for f in d.fields} & set(fields)))
    part = not whole and referral.state in WORKING
    recall(unit, referral, held, whole=whole)
    if whole:
        referral = replace(referral, state=after(referral.state, Move.WITHDRAW, Side.SENDER), ended_at=unit.now, note="withdrawn")
        unit.referrals.put(referral)
        forget_reminders(unit, referral.id)
        forget_words(unit, referral.id)  # what left and was not heard would be said again
    elif part:
        intend(unit, referral.peer, "disclose", referral=referral.id, without=list(gone))
    unit.announce(ReferralMoved(referral=referral.id, what="withdraw_part" if part else "withdraw", by=by, fields=gone if part else ()))


def obey_withdrawal(unit: Unit, referral: Referral, disclosures: tuple[str, ...], *, whole: bool) -> None:
    """At the holder: the keys die, the messages that showed her are redacted, a signed receipt goes back."""
    if whole and referral.state is not State.CANCELLED:
        state = State.CANCELLED
        referral = replace(referral, state=state, ended_at=unit.now, note="withdrawn")
        unit.referrals.put(referral)
        forget_reminders(unit, referral.id)
    held = [d.id for d in unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT) if whole or d.id in disclosures]
    unknown = sorted(set(disclosures) - set(held))  # still on the road: they will not be kept
    part = not whole and referral.state in WORKING
    lost = sorted({f for name in held if (d := unit.disclosures.get(name)) for f in d.fields})
    removed = said_under(unit, referral.id)
    receipt = end_holding(unit, referral, held, "withdrawn", whole=whole)
    if held or not unknown:
        confirm(unit, referral, held, receipt)
    if unknown:
        confirm(unit, referral, unknown, make_receipt(unit, referral, unknown))
    note(unit, referral.id, SYSTEM, "referral.withdrawn" if whole else "disclosure.withdrawn", fields=lost)
    removed = removed - said_under(unit, referral.id) if part else 0
    unit.announce(ReferralMoved(referral=referral.id, what="withdraw_part" if part else "withdraw", removed=removed))


def end_holding(unit: Unit, referral: Referral, disclosures: list[str], why: str, *, whole: bool) -> bytes:
    """Destroy what we hold of a referral: disclosure keys, held values, and with the whole its private key. Returns our receipt.

    Under a legal hold the disclosures stay, sealed and out of everybody's sight, until the day that the receipt names.
    """
    hold = living_hold(unit, referral.id)
    end_passed(unit, referral, disclosures)
    for disclosure_id in disclosures:
        disclosure = unit.disclosures.get(disclosure_id)
        if disclosure and disclosure.state in ("active", "retained") and hold:
            keep(unit, disclosure, hold)
        else:
            _destroy(unit, disclosure_id, why)
    for other in unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT, state="active") if disclosures else ():
        unsay_all(unit, other.id)  # a card drawn from all of them is sealed under the newest; it is drawn anew from what remains
    if whole:
        shred(unit, referral.id, why)
        shred(unit, ledger_key_owner(referral.id), why)
        end_asked(unit, referral)
        forget_words(unit, referral.id)
        unsay_messages(unit, referral.id)
    return make_receipt(unit, referral, disclosures, hold if disclosures else None)


def _destroy(unit: Unit, disclosure_id: str, why: str) -> None:
    disclosure = unit.disclosures.get(disclosure_id)
    if disclosure:
        unit.disclosures.put(replace(disclosure, state="destroyed", ended_at=unit.now))
    for value in unit.held.all(disclosure=disclosure_id):
        unit.held.delete(value.id)
    shred(unit, disclosure_id, why)


def stop_excluded(unit: Unit, case: Case) -> None:
    """A conflict of interest came to light: whatever is under way to that sector stops and what is held there is called back (R61–R62)."""
    for referral in living_referrals(unit, case.id):
        held = unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active")
        if referral.note == "withdrawn" or not (referral.state in OPEN or held) or not is_excluded(unit, case, referral.peer):
            continue
        if referral.state in (State.REQUESTED, State.RECEIVED):
            cancel_offer(unit, SYSTEM, referral.id)
        else:
            _call_back(unit, SYSTEM, referral, held)
        note(unit, case.id, SYSTEM, "conflict.found", referral=referral.id)
        unit.announce(ReferralMoved(referral=referral.id, what="conflict", ring=True))
    recheck(unit, case.id)
