"""What time brings: run every due timer, each exactly once, and say when the next one is due (`design.md` §8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from hub.actions.again import AGAIN, tell_together
from hub.actions.common import SYSTEM, UNHEARD, note, remind
from hub.actions.coordination_card import LOOK, look_again
from hub.actions.emergency import lapse, review_due
from hub.actions.erase import drop_words, redact
from hub.actions.hear_protocol import TIMER, day_turns
from hub.actions.legal_basis import BASIS_END, BASIS_WAIT, expire, lapse_basis
from hub.actions.legal_hold import forget_hold, living_hold
from hub.actions.manifest_versions import warn_expiry, warn_signing
from hub.actions.network import LIST_END, warn_list
from hub.actions.onward_owner import tell_overdue
from hub.actions.plan_check_in import ring_check_in
from hub.actions.ports import Unit
from hub.actions.reach import SAFE
from hub.actions.receipts import confirm, erasure_overdue
from hub.actions.refer import offer_overdue
from hub.actions.restart import ASKING
from hub.actions.shrink import shrink
from hub.actions.tell_standing import ask_again
from hub.actions.unheard import tell_unheard
from hub.actions.withdraw import end_holding
from hub.base.errors import TinkuyError
from hub.cases.events import Alarm, ReferralMoved
from hub.cases.lifecycle import Side
from hub.exchange.pacing import SILENT_AFTER, SILENT_AGAIN
from keys.errors import KeysError, ProviderError

BATCH = 100


def ring_due(unit: Unit) -> datetime | None:
    """Run what is due now, at most BATCH at once. Returns when the next timer is due (maybe now), None when there is none."""
    for timer in unit.timers.all(done_at=None, due_at__le=unit.now, order="due_at", limit=BATCH):
        unit.timers.put(replace(timer, done_at=unit.now))
        try:
            unit.attempt(partial(_RUN[timer.kind], unit, timer.ref))
        except ProviderError:  # the key-encryption key is away: what is due stays due (R10)
            raise
        except (TinkuyError, KeysError) as error:  # one that cannot be done may not keep the others from ringing
            unit.announce(Alarm(code="timer_failed", params=(("kind", timer.kind), ("why", error.code))))
    following = unit.timers.all(done_at=None, order="due_at", limit=1)
    return following[0].due_at if following else None


def _consent_end(unit: Unit, consent_id: str) -> None:
    """A consent ran out: the holders are told to destroy what they hold on it alone; what another one still covers is sent anew."""
    consent = unit.consents.get(consent_id)
    if consent is None or consent.withdrawn_at is not None:
        return
    note(unit, consent.case, SYSTEM, "consent.ended", consent=consent.id)
    shrink(unit, consent.case, consent.recipients, safe_way=SAFE in consent.fields)


def _retention(unit: Unit, disclosure_id: str) -> None:
    """At the holder: the time is over, so the key dies without anybody asking, and the owner gets a receipt (P13)."""
    disclosure = unit.disclosures.get(disclosure_id)
    referral = unit.referrals.get(disclosure.referral) if disclosure else None
    if disclosure is None or referral is None or disclosure.state not in ("active", "retained"):
        return
    if disclosure.state == "retained" and (hold := living_hold(unit, referral.id)):
        remind(unit, "retention", disclosure.id, hold.until)
        return
    confirm(unit, referral, [disclosure.id], end_holding(unit, referral, [disclosure.id], "retention", whole=False))
    if not living_hold(unit, referral.id):
        forget_hold(unit, referral.id)
    lost = tuple(sorted(disclosure.fields))
    rest = unit.disclosures.count(referral=referral.id, side=Side.RECIPIENT, state="active")
    unit.announce(ReferralMoved(referral=referral.id, what="retention_part" if rest else "retention", fields=lost))


def _peer_silent(unit: Unit, link_id: str) -> None:
    """Somebody acknowledges nothing: it is retried in silence, but after a quarter of an hour people are told (X12, D09)."""
    link = unit.links.get(link_id)
    states = ("dispatched", "ready") if link and link.asked_key else ("dispatched",)  # without its key of the day nothing is numbered
    waiting = unit.outbox.all(state__in=states, link=link_id, order="made_at")
    if link is None or not waiting:
        return
    late = unit.now - waiting[0].made_at >= SILENT_AFTER
    if late:
        unit.announce(Alarm(code="peer_silent", params=(("institution", link.peer), ("number", str(len(waiting))))))
    remind(unit, "silent", link_id, unit.now + (SILENT_AGAIN if late else SILENT_AFTER))


def _gap(unit: Unit, link_id: str) -> None:
    """Something came early and what belongs before it did not, though it was asked for: somebody may be keeping it back (X11)."""
    link = unit.links.get(link_id)
    early = unit.early.all(link=link_id, order="at", limit=1)
    if link is None or not early:
        return
    late = unit.now - early[0].at >= SILENT_AFTER
    if late:
        unit.announce(Alarm(code="gap_open", params=(("institution", link.peer), ("number", str(link.next_in)))))
    remind(unit, "gap", link_id, unit.now + (SILENT_AGAIN if late else SILENT_AFTER))


def _dialogue_over(unit: Unit, dialogue_id: str) -> None:
    """What somebody began to type and left is forgotten when its time is over: it may hold what a person told, under no key of her case."""
    row = unit.dialogues.get(dialogue_id)
    if row is not None and row.expires_at > unit.now:
        remind(unit, "dialogue", row.id, row.expires_at)
    elif row is not None:
        unit.dialogues.delete(row.id)


_RUN: dict[str, Callable[[Unit, str], None]] = {
    "checkin": ring_check_in,
    "respond_by": offer_overdue,
    "erasure": erasure_overdue,
    "consent_end": _consent_end,
    BASIS_END: expire,
    BASIS_WAIT: lapse_basis,
    "retention": _retention,
    "redact": redact,
    "onward": tell_overdue,
    "glass_wait": lapse,
    "glass_review": review_due,
    "dialogue": _dialogue_over,
    ASKING: ask_again,
    "silent": _peer_silent,
    "unsaid": drop_words,
    "gap": _gap,
    UNHEARD: tell_unheard,
    AGAIN: tell_together,
    "expiry": warn_expiry,
    "signing_age": warn_signing,
    LIST_END: warn_list,
    LOOK: look_again,
    TIMER: day_turns,
}
