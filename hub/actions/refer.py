"""Refer: preview what the recipient would see, then offer without any person in it (`design.md` §5.1–5.2, R46–R48)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hub.actions.common import (
    SYSTEM,
    forget_reminders,
    intend,
    link_to,
    note,
    open_case_of,
    remind,
)
from hub.actions.decide import Ruling, candidates, offer_blocked, offer_shown, releases, rule
from hub.actions.erase import cancel_intent, shred
from hub.actions.plan_check_in import default_interval, plan_check_in
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.codes import new_code
from hub.cases.events import CaseChanged, ReferralMoved
from hub.cases.lifecycle import Move, Side, State, after
from hub.cases.records import Case, Referral, Undoable
from keys.primitives import OpeningKey
from policies.preview import Preview, preview


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A referral before it is confirmed: what would leave, what not and why, who is there to receive it."""

    referral: Referral
    preview: Preview
    offer: dict[str, str]
    ruling: Ruling
    duty: dict[str, Any]
    alternatives: tuple[str, ...]
    ready: bool


def draft(unit: Unit, by: str, case_code: str | None, to: str, need: str, held_back: tuple[str, ...] = ()) -> Draft:
    """Prepare a referral and its preview. Nothing leaves; the draft dies when another one is made or the question closes.

    Raises Refused `conflict_of_interest` (with competent alternatives, R61–R62), `already_referred`, and as `decide.rule`.
    """
    case = open_case_of(unit, case_code)
    ruling = rule(unit, case, to, need, held_back)
    link_to(unit, to)
    others = tuple(peer for peer in candidates(unit, case, need) if peer != to)
    if ruling.decision.excluded:
        raise Refused("conflict_of_interest", institution=to, alternatives=", ".join(others))
    if offer_blocked(unit, to):
        raise Refused("manifest_expired", institution=to)
    _not_twice(unit, case, to, need)
    for older in unit.referrals.all(case=case.id, peer=to, need=need, by=by, state="draft"):
        unit.referrals.delete(older.id)
    referral = _draft_row(unit, by, ruling, held_back)
    unit.referrals.add(referral)
    return Draft(
        referral=referral,
        preview=preview(ruling.decision, ruling.values, unit.now.date()),
        offer=offer_shown(unit, ruling, referral),
        ruling=ruling,
        duty=_duty(unit, to),
        alternatives=others,
        ready=releases(ruling),
    )


def refer(unit: Unit, by: str, room: str, referral_id: str) -> Referral:
    """Confirm a draft: fresh referral key, intent, timers and log in one commit. The offer itself names nobody.

    Raises Refused `draft_gone`, `nothing_released`, `conflict_of_interest`, `already_referred`, `manifest_expired`, `link_frozen`,
    `move_not_allowed`.
    """
    referral = unit.referrals.get(referral_id)
    if referral is None or referral.case is None:
        raise Refused("draft_gone")
    case = open_case_of(unit, referral.case)
    ruling = rule(unit, case, referral.peer, referral.need, tuple(referral.offer.get("held_back", ())))
    if ruling.decision.excluded:
        raise Refused("conflict_of_interest", institution=referral.peer, alternatives="")
    if not releases(ruling):
        raise Refused("nothing_released", institution=referral.peer, code=case.code)
    if offer_blocked(unit, referral.peer):
        raise Refused("manifest_expired", institution=referral.peer)
    _not_twice(unit, case, referral.peer, referral.need)
    key = OpeningKey.generate()
    respond_by = unit.now + respond_within(ruling, referral.urgency)
    referral = replace(
        referral, state=after(referral.state, Move.OFFER, Side.SENDER), opened_at=unit.now, respond_by=respond_by, our_key=key.public.raw
    )
    unit.referrals.put(referral)  # before the key: see `answer.accept`
    unit.vault.keep_secret(referral.id, key.reveal())
    intent = intend(unit, referral.peer, "offer", referral=referral.id)
    remind(unit, "respond_by", referral.id, respond_by)
    note(unit, case.id, by, "referral.offered", referral=referral.id, recipient=referral.peer, need=referral.need)
    plan_check_in(unit, by, case.id, unit.now + default_interval(unit, case.id), chosen=False)
    until = unit.now + timedelta(seconds=unit.rules.undo_seconds)
    unit.undoables.add(Undoable(id=new_id("und"), user=by, room=room, kind="refer", ref=f"{referral.id} {intent}", until=until))
    unit.announce(CaseChanged(case=case.id))
    unit.announce(ReferralMoved(referral=referral.id, what="offer", by=by))
    return referral


def offer_stopped(unit: Unit, referral_id: str, why: str, what: str = "cancel") -> None:
    """At dispatch the offer may no longer go, or the hub there refuses it: the referral ends and its lead is rung, for nobody will answer."""
    referral = unit.referrals.get(referral_id)
    if referral and referral.state is State.REQUESTED:
        unit.referrals.put(replace(referral, state=after(referral.state, Move.CANCEL, Side.SENDER), ended_at=unit.now, note=why))
        forget_reminders(unit, referral.id)
        shred(unit, referral.id, "cancelled")
        note(unit, referral.case or "", SYSTEM, "referral.stopped", referral=referral.id, why=why)
        unit.announce(ReferralMoved(referral=referral.id, what=what, ring=True))


def drop_draft(unit: Unit, referral_id: str) -> None:
    """Forget a draft that was not confirmed."""
    referral = unit.referrals.get(referral_id)
    if referral and referral.state is State.DRAFT:
        unit.referrals.delete(referral.id)


def cancel_offer(unit: Unit, by: str, code: str) -> Referral:
    """Take an offer back that nobody accepted yet; the recipient is told by a signed `cancel`. Raises Refused `move_not_allowed`."""
    referral = unit.referrals.get(code) or unit.referrals.one(code=code)
    if referral is None:
        raise Refused("unknown_code", code=code[:12])
    left = referral.state is not State.DRAFT and not _stop_intents(unit, referral)
    referral = replace(referral, state=after(referral.state, Move.CANCEL, Side.SENDER), ended_at=unit.now, by=by)
    unit.referrals.put(referral)
    forget_reminders(unit, referral.id)
    shred(unit, referral.id, "cancelled")
    note(unit, referral.case or "", by, "referral.cancelled", referral=referral.id)
    if left:
        intend(unit, referral.peer, "cancel", referral=referral.id)
    unit.announce(CaseChanged(case=referral.case or ""))
    unit.announce(ReferralMoved(referral=referral.id, what="cancel", by=by))
    return referral


def has_left(unit: Unit, referral: Referral) -> bool:
    """Whether the other side may know of this referral: its offer is no draft, and does not wait here unsent."""
    if referral.state is State.DRAFT:
        return False
    link = unit.links.one(peer=referral.peer)
    waiting = unit.outbox.all(state="ready", link=link.id, kind="offer") if link else []
    return not any(row.ref.get("referral") == referral.id for row in waiting)


def offer_overdue(unit: Unit, referral_id: str) -> None:
    """Nobody answered in time: ring the supervisor on both sides' desks, each hub at its own (R11, R87)."""
    referral = unit.referrals.get(referral_id)
    if referral and referral.state in (State.REQUESTED, State.RECEIVED):
        note(unit, referral.case or referral.id, SYSTEM, "referral.overdue", referral=referral.id)
        unit.announce(ReferralMoved(referral=referral.id, what="overdue", ring=True))


def _not_twice(unit: Unit, case: Case, to: str, need: str) -> None:
    if any(r.peer == to and r.need == need and r.ended_at is None for r in unit.referrals.all(case=case.id, state__not="draft")):
        raise Refused("already_referred", institution=to, code=case.code)


def respond_within(ruling: Ruling, urgency: str) -> timedelta:
    """The answer time that the protocol grants for this urgency."""
    return ruling.protocol.respond_within[urgency]


def _stop_intents(unit: Unit, referral: Referral) -> bool:
    """Cancel the intents of a referral that have not been dispatched. True when its offer was among them: nothing left."""
    link = unit.links.one(peer=referral.peer)
    assert link is not None, "a referral has a link"
    stopped = False
    for row in unit.outbox.all(state="ready", link=link.id):
        if row.ref.get("referral") == referral.id:
            cancel_intent(unit, row)
            stopped = stopped or row.kind == "offer"
    return stopped


def _draft_row(unit: Unit, by: str, ruling: Ruling, held_back: tuple[str, ...]) -> Referral:
    urgency = ruling.values.get("urgency") or _urgency_of(ruling.facts.risk)
    return Referral(
        id=new_id("ref"),
        code=_free_code(unit),
        side=Side.SENDER,
        peer=ruling.recipient,
        case=ruling.case.id,
        need=ruling.need,
        purpose=ruling.purpose,
        protocol=ruling.protocol.id,
        protocol_version=ruling.protocol.version,
        urgency=urgency,
        offer={"held_back": list(held_back)},
        state=State.DRAFT,
        by=by,
        opened_at=unit.now,
        respond_by=unit.now,
    )


def _urgency_of(risk: str | None) -> str:
    return {"critical": "urgent", "high": "priority"}.get(risk or "", "routine")


def _duty(unit: Unit, peer: str) -> dict[str, Any]:
    row = unit.peers.get(peer)
    return dict(row.profile.get("duty", {})) if row else {}


def _free_code(unit: Unit) -> str:
    while True:
        code = new_code("R", secrets.randbelow)
        if not unit.referrals.count(code=code):
            return code


def is_late(referral: Referral, now: datetime) -> bool:
    """Whether an unanswered offer is past its time."""
    return referral.state in (State.REQUESTED, State.RECEIVED) and referral.respond_by < now
