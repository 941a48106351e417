"""A holder's signed word on what became of her data: `destroyed`, or `retained` by law until a day (R72, P12–P14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hub.actions.common import forget_reminders, intend, remind
from hub.actions.erase import shred
from hub.actions.manifest_versions import keys_ever, signer_for
from hub.actions.onward_receipts import hand_on_receipts
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.events import CaseChanged, HolderAnswered
from hub.cases.lifecycle import Side
from hub.cases.records import Disclosure, LegalHold, Referral
from keys.receipt import Outcome, Receipt, sign_receipt, verify_receipt

LONGEST = timedelta(days=20 * 366)
"""How long anything may be kept by law."""


def make_receipt(unit: Unit, referral: Referral, disclosures: list[str], hold: LegalHold | None = None) -> bytes:
    """Our signed word that these disclosures are destroyed here, or kept for the basis and until the last day of `hold`."""
    receipt = Receipt(
        institution=unit.me.id,
        referral=referral.id,
        disclosures=tuple(sorted(set(disclosures))),
        outcome=Outcome.RETAINED if hold else Outcome.DESTROYED,
        at=unit.now.replace(microsecond=0),
        legal_basis=hold.basis if hold else "",
        until=last_day(unit, hold) if hold else None,
    )
    link = unit.links.one(peer=referral.peer)
    return sign_receipt(receipt, (signer_for(unit, link) if link else None) or unit.hand.signer)


def confirm(unit: Unit, referral: Referral, disclosures: list[str], receipt: bytes) -> None:
    """Send our signed word about these disclosures to their owner."""
    intend(unit, referral.peer, "erased", referral=referral.id, disclosures=sorted(disclosures), receipt=receipt.hex())


def record_receipt(unit: Unit, referral: Referral, data: bytes) -> None:
    """At the owner: check the holder's signature, then mark what it covers.

    Raises `BadSignature`, `Malformed` of `keys`, Refused `wrong_receipt`: for another referral, or kept for a reason or a time that no
    law gives, or before anybody had to destroy anything.
    """
    receipt = verify_receipt(data, referral.peer, keys_ever(unit, referral.peer))
    known = [d for d in map(unit.disclosures.get, receipt.disclosures) if d and d.referral == referral.id and d.state != "destroyed"]
    if receipt.referral != referral.id or (receipt.outcome is Outcome.RETAINED and not _may_retain(unit, referral, receipt, known)):
        raise Refused("wrong_receipt")
    for disclosure in known:  # a second receipt for what is destroyed tells nothing new
        _mark(unit, disclosure, receipt, data)
    if known:  # one receipt is one answer, whatever it covers
        unit.announce(HolderAnswered(disclosure=known[0].id, what=receipt.outcome.value, fields=_lost(unit, referral, known)))
    hand_on_receipts(unit, referral)
    unit.announce(CaseChanged(case=referral.case or ""))


def _may_retain(unit: Unit, referral: Referral, receipt: Receipt, known: list[Disclosure]) -> bool:
    ends = end_of(unit, receipt.until) if receipt.until else unit.now
    asked = referral.ended_at is not None or all(d.state != "active" or d.until <= unit.now + timedelta(days=1) for d in known)
    return receipt.legal_basis in unit.pack.vocabulary.lists["retention_bases"] and unit.now < ends <= unit.now + LONGEST and asked


def _mark(unit: Unit, disclosure: Disclosure, receipt: Receipt, data: bytes) -> None:
    state = receipt.outcome.value
    until = end_of(unit, receipt.until) if receipt.until else disclosure.until
    basis = receipt.legal_basis or None
    unit.disclosures.put(replace(disclosure, state=state, ended_at=unit.now, receipt=data, basis=basis, until=until))
    shred(unit, disclosure.id, "receipt")
    forget_reminders(unit, disclosure.id)
    if receipt.until:  # the day after, the destruction that was put off must be confirmed
        remind(unit, "erasure", disclosure.id, until + timedelta(days=unit.rules.erasure_days))


def _lost(unit: Unit, referral: Referral, covered: list[Disclosure]) -> tuple[str, ...]:
    """What they do not have any more, of what these disclosures gave; empty when they have nothing else, for then it is all of it."""
    active = unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active")
    left = {f for d in active for f in d.fields}
    return tuple(sorted({f for d in covered for f in d.fields} - left)) if left else ()


def erasure_overdue(unit: Unit, disclosure_id: str) -> None:
    """A holder did not confirm in time, asked or at the end of its term: it stays visible as overdue, the supervisor is rung (P14)."""
    disclosure = unit.disclosures.get(disclosure_id)
    if disclosure and (disclosure.state == "recalled" or (disclosure.state in ("active", "retained") and disclosure.until <= unit.now)):
        unit.disclosures.put(replace(disclosure, state="overdue"))
        unit.announce(HolderAnswered(disclosure=disclosure_id, what="overdue"))


def end_of(unit: Unit, day: date) -> datetime:
    """The last second of a day, where this institution is."""
    return datetime.combine(day, time(23, 59, 59), ZoneInfo(unit.me.zone))


def last_day(unit: Unit, hold: LegalHold) -> date:
    """The day that a receipt names."""
    return hold.until.astimezone(ZoneInfo(unit.me.zone)).date()
