"""Break-glass (R76): one withheld field, for a named emergency, for hours, answered by the owner's own protocol, seen by everybody concerned.

At the holder somebody asks with a coded reason and words; a second enrolled person confirms within minutes or, where the protocol says so,
supervision reviews it afterwards. The owner's hub answers by itself (an emergency cannot wait for a desk that is closed), only what its own
protocol allows, and tells its people at once. The copy dies by its own timer like every other.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from hub.actions.answer import seal_words
from hub.actions.common import SYSTEM, find_case, find_referral, forget_reminders, intend, note, remind, staff_member, supervisors
from hub.actions.decide import Ruling, rule
from hub.actions.erase import drop_words
from hub.actions.peer_words import FIELD_NAME, GLASS_ID
from hub.actions.ports import Unit
from hub.base.errors import PeerFault, Refused
from hub.base.ids import new_id
from hub.cases.answers import GLASS_REASONS, VERDICTS
from hub.cases.events import CaseChanged, GlassMoved
from hub.cases.lifecycle import OPEN, WORKING, Side
from hub.cases.records import Glass, Referral
from hub.exchange import wire
from policies import emergency as law
from policies.decision import FieldDecision, Outcome, Reason
from policies.preview import Disclosed, view
from policies.protocol import BreakGlass, Protocol

CONFIRM_WITHIN = timedelta(minutes=10)
A_DAY = timedelta(days=1)
A_WEEK = timedelta(days=7)
MOST_OF_FIELD = 3
"""So often one field of one referral is opened in a week: what must stay open is asked for, and she is asked."""
MOST_OF_ONE = 3
"""Emergencies of one person in a day; more is a habit."""
MOST_OF_PEER = 5
"""Emergencies that one institution's hub is answered in a day."""


def break_glass(unit: Unit, by: str, code: str | None, field: str, reason: str, why: str) -> Glass:
    """Ask for one withheld field in an emergency. Raises Refused `not_working`, `already_here`, `unknown_reason`, `why_missing`,
    `glass_forbidden`, `glass_too_often`.
    """
    referral = find_referral(unit, code, Side.RECIPIENT)
    if referral.state not in WORKING:
        raise Refused("not_working", code=referral.code)
    if reason not in law.REASONS:
        raise Refused("unknown_reason")
    if not why.strip():
        raise Refused("why_missing", field=field)
    glass = may_break(unit, by, referral, field)
    if unit.glasses.count(by=by, side=Side.RECIPIENT, at__ge=unit.now - A_DAY) >= MOST_OF_ONE:
        raise Refused("glass_too_often")
    role = _role(unit, by, glass)
    owner, words = seal_words(unit, why)
    row = Glass(
        id=new_id("gls"), referral=referral.id, side=Side.RECIPIENT, field=field, reason=reason, role=role, by=by, at=unit.now,
        state="waiting" if glass.second_person else "asked", owner=owner, words=words,
    )  # fmt: skip
    unit.glasses.add(row)
    note(unit, referral.id, by, "glass.asked", glass=row.id, field=field, reason=reason)
    if glass.second_person:
        remind(unit, "glass_wait", row.id, unit.now + CONFIRM_WITHIN)
        unit.announce(GlassMoved(glass=row.id, what="waiting", why=why[:300]))
        return row
    return _send(unit, referral, row, glass)


def may_break(unit: Unit, by: str, referral: Referral, field: str) -> BreakGlass:
    """Whether the protocol speaks of such an emergency for her and this field; asked before anybody is troubled with a reason."""
    protocol = unit.pack.between(referral.peer).protocols.get(referral.protocol)
    glass = protocol.break_glass if protocol else None
    role = _role(unit, by, glass) if glass else ""
    if protocol is None or glass is None or not law.allows(protocol, field, unit.me.kind, referral.purpose, referral.need, role):
        raise Refused("glass_forbidden", code=referral.code, field=field)
    if unit.held.count(referral=referral.id, field=field, outcome=Outcome.RELEASE.word):
        raise Refused("already_here", code=referral.code, field=field)
    return glass


def confirm_glass(unit: Unit, by: str, glass_id: str, *, agreed: bool) -> Glass:
    """The second person. Never she who asked. Raises Refused `already_answered`, `second_person`, `not_working`."""
    row = unit.glasses.get(glass_id)
    referral = unit.referrals.get(row.referral) if row else None
    if row is None or referral is None or row.state != "waiting":
        raise Refused("already_answered")
    person = staff_member(unit, by)
    if person.id == row.by or person.refused_master is not None:
        raise Refused("second_person")
    if referral.state not in WORKING:
        raise Refused("not_working", code=referral.code)
    if not agreed:
        return _close(unit, replace(row, confirmed_by=by), "lapsed", by)
    glass = may_break(unit, row.by, referral, row.field)
    return _send(unit, referral, replace(row, confirmed_by=by, state="asked"), glass)


def lapse(unit: Unit, glass_id: str) -> None:
    """Nobody confirmed in time: nothing left."""
    row = unit.glasses.get(glass_id)
    if row is not None and row.state == "waiting":
        _close(unit, row, "lapsed", SYSTEM)


def hear_glass(unit: Unit, referral: Referral, body: wire.BreakGlass) -> None:
    """At the owner: the protocol answers, and people hear of it at once, whatever the answer was."""
    if not GLASS_ID.fullmatch(body.glass) or unit.glasses.get(body.glass) is not None or not FIELD_NAME.fullmatch(body.field):
        raise PeerFault("bad_body", kind="glass", why="id")
    if referral.case is None or body.reason not in law.REASONS:
        raise PeerFault("bad_body", kind="glass", why="reason")
    row = Glass(
        id=body.glass, referral=referral.id, side=Side.SENDER, field=body.field, reason=body.reason, role=body.role[:40], by=body.by[:60],
        confirmed_by=body.confirmed[:60], state="refused", at=unit.now,
    )  # fmt: skip
    why_not = _why_not(unit, referral, row)
    protocol = unit.pack.between(referral.peer).protocols.get(referral.protocol)
    glass = protocol.break_glass if protocol else None
    if why_not or glass is None:
        row = replace(row, why_not=why_not or "glass_forbidden")
        if referral.state in OPEN:  # else their key is gone, and their own hub tells them that it is over (`end_asked`)
            intend(unit, referral.peer, "glass.answer", referral=referral.id, glass=row.id, reason=row.why_not)
    else:
        row = replace(row, state="open", until=unit.now + glass.lasts)
        intend(unit, referral.peer, "disclose", referral=referral.id, glass=row.id)
    unit.glasses.add(row)
    note(unit, referral.case, referral.peer, f"glass.{row.state}", glass=row.id, field=row.field, reason=row.reason, why=row.why_not)
    unit.announce(CaseChanged(case=referral.case))
    unit.announce(GlassMoved(glass=row.id, what=row.state, why=body.why[:300]))


def opened(unit: Unit, referral: Referral, glass_id: str) -> tuple[Glass, Ruling, dict[str, Disclosed]]:
    """At dispatch: asked again, for she may have spoken meanwhile. Raises Refused."""
    row = unit.glasses.get(glass_id)
    if row is None or row.state != "open" or row.until is None or row.until <= unit.now:
        raise Refused("glass_ended")
    if _why_not(unit, referral, row, counted=True):
        unit.glasses.put(replace(row, state="refused"))
        raise Refused("glass_ended")
    ruling = rule(unit, find_case(unit, referral.case), referral.peer, referral.need)
    item = FieldDecision(field=row.field, outcome=Outcome.RELEASE, reason=Reason(code="break_glass"))
    decision = replace(ruling.decision, fields=MappingProxyType({row.field: item}))
    return row, ruling, view(decision, {f: v for f, v in ruling.values.items() if f == row.field}, unit.now.date())


def not_sent(unit: Unit, referral: Referral, glass_id: str) -> None:
    """At the owner: what was opened does not go after all, or was not kept over there. Whoever asked must not wait for it."""
    row = unit.glasses.get(glass_id)
    if row is not None and row.state == "open":
        unit.glasses.put(replace(row, state="refused", why_not="glass_forbidden", until=None))
        intend(unit, referral.peer, "glass.answer", referral=referral.id, glass=row.id, reason="glass_forbidden")
        unit.announce(GlassMoved(glass=row.id, what="refused"))


def hear_answer(unit: Unit, referral: Referral, body: wire.AnswerGlass) -> None:
    """The owner's hub said no."""
    row = unit.glasses.get(body.glass)
    if row is None or row.referral != referral.id or row.side is not Side.RECIPIENT or row.state not in ("asked", "refused"):
        raise PeerFault("bad_body", kind="glass.answer", why="id")
    if row.state == "refused":  # the referral ended here while the answer was on its way
        return
    reason = body.reason if body.reason in GLASS_REASONS else "glass_forbidden"
    forget_reminders(unit, row.id)
    unit.glasses.put(replace(row, state="refused", why_not=reason, review_by=None))
    note(unit, referral.id, referral.peer, "glass.refused", glass=row.id, reason=reason)
    unit.announce(GlassMoved(glass=row.id, what="refused"))


def end_asked(unit: Unit, referral: Referral) -> None:
    """At the holder: the referral is over, so nothing is opened any more; whoever asked or was to confirm is told, and waits for nothing."""
    for row in unit.glasses.all(referral=referral.id, side=Side.RECIPIENT, state__in=("waiting", "asked")):
        drop_words(unit, row.owner)
        forget_reminders(unit, row.id)
        unit.glasses.put(replace(row, state="refused", words="", why_not="glass_ended", review_by=None))
        note(unit, referral.id, SYSTEM, "glass.refused", glass=row.id, reason="glass_ended")
        unit.announce(GlassMoved(glass=row.id, what="refused"))


def arrived(unit: Unit, referral: Referral, glass_id: str, protocol: Protocol) -> Glass:
    """At the holder: the glass that a disclosure says it answers. Raises PeerFault when nobody here broke it."""
    row = unit.glasses.get(glass_id)
    asked = row is not None and row.referral == referral.id and row.side is Side.RECIPIENT and row.state == "asked"
    if row is None or not asked or protocol.break_glass is None:
        raise PeerFault("bad_body", kind="disclose", why="glass")
    return row


def review(unit: Unit, by: str, glass_id: str, verdict: str) -> Glass:
    """Supervision looks at it afterwards; never she who asked. The owner hears the verdict. Raises Refused `already_answered`, `second_person`."""
    row = unit.glasses.get(glass_id)
    referral = unit.referrals.get(row.referral) if row else None
    if row is None or referral is None or row.review_by is None or row.verdict or verdict not in VERDICTS:
        raise Refused("already_answered")
    if by == row.by or by not in supervisors(unit):
        raise Refused("second_person")
    row = replace(row, reviewed_by=by, reviewed_at=unit.now, verdict=verdict)
    unit.glasses.put(row)
    forget_reminders(unit, row.id)
    if referral.state in WORKING:
        intend(unit, referral.peer, "glass.reviewed", referral=referral.id, glass=row.id, verdict=verdict)
    note(unit, referral.id, by, "glass.reviewed", glass=row.id, verdict=verdict)
    unit.announce(GlassMoved(glass=row.id, what="reviewed"))
    return row


def review_due(unit: Unit, glass_id: str) -> None:
    """A review that is not done rings, and rings again each day."""
    row = unit.glasses.get(glass_id)
    if row is not None and row.review_by is not None and not row.verdict:
        unit.announce(GlassMoved(glass=row.id, what="review"))
        remind(unit, "glass_review", row.id, unit.now + A_DAY)


def hear_reviewed(unit: Unit, referral: Referral, body: wire.GlassReviewed) -> None:
    """At the owner: what their supervision found."""
    row = unit.glasses.get(body.glass)
    if row is None or row.referral != referral.id or body.verdict not in VERDICTS:
        raise PeerFault("bad_body", kind="glass.reviewed", why="id")
    unit.glasses.put(replace(row, verdict=body.verdict, reviewed_at=unit.now))
    note(unit, referral.case or referral.id, referral.peer, "glass.reviewed", glass=row.id, verdict=body.verdict)
    unit.announce(GlassMoved(glass=row.id, what="reviewed"))


def said_no(unit: Unit, referral: Referral, field: str) -> bool:
    """Whether she took this field back from them, or left it out when she was asked: her no is not lifted by anybody's emergency."""
    if field in referral.offer.get("held_back", ()):
        return True
    mine = [
        c for c in unit.consents.all(case=referral.case, order="at") if referral.peer in c.recipients and referral.purpose in c.purposes
    ]  # fmt: skip
    given = [c for c in mine if c.withdrawn_at is None and c.until > unit.now]
    if any(field in c.fields for c in given):
        return False
    taken_back = any(c.withdrawn_at is not None and field in c.fields for c in mine) or (bool(mine) and all(c.withdrawn_at for c in mine))
    ever = [c for c in mine if c.withdrawn_at is None]  # her yes ran out, what she left out of it did not
    left_out = bool(ever) and not any(field in c.fields for c in ever) and field in _agreeable(unit, referral)
    return taken_back or left_out


def _agreeable(unit: Unit, referral: Referral) -> frozenset[str]:
    """What she was asked about: the fields that her consent could let out to them. Of the others she never heard, so she never said no."""
    protocol = unit.pack.between(referral.peer).protocols[referral.protocol]
    return frozenset(rule.field for rule in protocol.rules if rule.outcome is not Outcome.WITHHOLD)


def _why_not(unit: Unit, referral: Referral, row: Glass, *, counted: bool = False) -> str | None:
    protocol = unit.pack.between(referral.peer).protocols.get(referral.protocol)
    case = unit.cases.get(referral.case or "")
    if referral.state not in WORKING:  # it ended here while the request was on its way: they must not wait, and our people hear that it was asked
        return "glass_ended"
    if protocol is None or case is None or protocol.break_glass is None:
        return "glass_forbidden"
    if protocol.break_glass.second_person and (not row.confirmed_by or row.confirmed_by == row.by):
        return "glass_forbidden"
    lately = [g for g in unit.glasses.all(side=Side.SENDER, at__ge=unit.now - A_DAY) if _peer(unit, g) == referral.peer]
    if not counted and len(lately) >= MOST_OF_PEER:
        return "glass_too_often"
    again = [g for g in unit.glasses.all(side=Side.SENDER, referral=referral.id, at__ge=unit.now - A_WEEK) if g.field == row.field and g.until]
    if len([g for g in again if g.id != row.id]) >= MOST_OF_FIELD:
        return "glass_too_often"
    try:
        ruling = rule(unit, case, referral.peer, referral.need)
    except Refused:
        return "glass_forbidden"
    wish = law.Wish(
        field=row.field, kind=ruling.recipient_kind, purpose=referral.purpose, need=referral.need, role=row.role,
        risk=ruling.facts.risk, said_no=said_no(unit, referral, row.field),
    )  # fmt: skip
    return law.refusal(protocol, ruling.decision, wish)


def _send(unit: Unit, referral: Referral, row: Glass, glass: BreakGlass) -> Glass:
    by, confirmed = staff_member(unit, row.by).display, staff_member(unit, row.confirmed_by).display if row.confirmed_by else ""
    confirmed = f"{confirmed} (2)" if confirmed == by else confirmed  # namesakes: the owner tells two people apart by what it reads here
    intend(
        unit, referral.peer, "glass", referral=referral.id, glass=row.id, owner=row.owner, words=row.words, by=by, confirmed=confirmed
    )  # fmt: skip
    review_by = unit.now + glass.review_within if glass.review_within else None
    row = replace(row, state="asked", words="", review_by=review_by)
    unit.glasses.put(row)
    if review_by:
        remind(unit, "glass_review", row.id, review_by)
    note(unit, referral.id, row.confirmed_by or row.by, "glass.sent", glass=row.id, field=row.field)
    unit.announce(GlassMoved(glass=row.id, what="asked"))
    return row


def _close(unit: Unit, row: Glass, state: str, by: str) -> Glass:
    drop_words(unit, row.owner)
    forget_reminders(unit, row.id)
    row = replace(row, state=state, words="")
    unit.glasses.put(row)
    note(unit, row.referral, by, f"glass.{state}", glass=row.id)
    unit.announce(GlassMoved(glass=row.id, what=state))
    return row


def _role(unit: Unit, by: str, glass: BreakGlass) -> str:
    """In which of the roles that the protocol names she asks; empty when in none."""
    person = staff_member(unit, by)
    hers = (person.role, "on_duty") if person.on_duty else (person.role,)
    return next((role for role in hers if role in glass.roles), "")


def _peer(unit: Unit, row: Glass) -> str:
    found = unit.referrals.get(row.referral)
    return found.peer if found else ""

