"""The third institution's signed receipt on its way back to the owner: the holder hands it on, the owner checks the signature itself (R71).

What the third did not keep, for a version that does not bind it yet, is signed for too, and goes again. Such a receipt ends nothing while
another disclosure stands in for it: it reaches the owner after the one that does, or at the end.
"""

from __future__ import annotations

from dataclasses import replace

from hub.actions.common import forget_reminders, intend, note
from hub.actions.manifest_versions import keys_ever
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.events import CaseChanged, OnwardMoved
from hub.cases.records import Onward, Referral
from hub.exchange import wire
from keys.receipt import Outcome, verify_receipt


def will_go_again(unit: Unit, referral: Referral) -> bool:
    """Whether a disclosure of this referral is still to be decided and sent."""
    return any(row.ref.get("referral") == referral.id for row in unit.outbox.all(kind="disclose", state="ready"))


def hand_on_receipts(unit: Unit, child: Referral) -> None:
    """At the holder: what the third institution signed about everything that we passed on goes to whom it belongs to, once nothing is there."""
    onward = unit.onwards.get(str(child.offer.get("onward", "")))
    parent = unit.referrals.get(onward.referral) if onward else None
    if onward is None or parent is None or onward.state == "ended" or (onward.state == "passed" and will_go_again(unit, child)):
        return
    if not onward.disclosures or unit.disclosures.count(referral=child.id, state__in=("active", "recalled", "overdue")):
        return
    receipts = receipts_for(unit, onward)
    unit.onwards.put(replace(onward, state="ended", ended_at=unit.now, receipt=receipts[-1] if receipts else b""))
    for receipt in receipts:
        intend(unit, parent.peer, "onward.ended", referral=parent.id, onward=onward.id, receipt=receipt.hex())
    unit.announce(OnwardMoved(onward=onward.id, what="ended"))


def receipts_for(unit: Unit, onward: Onward) -> list[bytes]:
    """The third's word about what it does not have of this passing on, each once."""
    gone = [d for name in onward.disclosures if (d := unit.disclosures.get(name)) and d.state in ("destroyed", "retained") and d.receipt]
    return list(dict.fromkeys(d.receipt for d in gone if d.receipt))


def hear_ended(unit: Unit, referral: Referral, body: wire.OnwardEnded) -> None:
    """At the owner: it is over only by the third institution's own word, for everything that went there.

    Raises `BadSignature`, `Malformed` of `keys`, Refused `wrong_receipt`.
    """
    onward = unit.onwards.get(body.onward)
    if onward is None or onward.referral != referral.id or onward.state in ("ended", "refused"):
        return
    if onward.disclosures:
        left = _left(unit, onward, body.receipt)
        if left == onward.disclosures:
            raise Refused("wrong_receipt")
        if left:  # the rest is there still, or has a receipt of its own
            unit.onwards.put(replace(onward, disclosures=left))
            return
    unit.onwards.put(replace(onward, state="ended", ended_at=unit.now, receipt=body.receipt))
    forget_reminders(unit, onward.id)
    note(unit, referral.case or referral.id, referral.peer, "onward.ended", onward=onward.id, institution=onward.third)
    unit.announce(CaseChanged(case=referral.case or ""))
    unit.announce(OnwardMoved(onward=onward.id, what="ended"))


def _left(unit: Unit, onward: Onward, data: bytes) -> tuple[str, ...]:
    """What this receipt does not show to be destroyed."""
    receipt = verify_receipt(data, onward.third, keys_ever(unit, onward.third))
    proves = receipt.referral == onward.child and receipt.outcome is Outcome.DESTROYED
    return tuple(name for name in onward.disclosures if not proves or name not in receipt.disclosures)
