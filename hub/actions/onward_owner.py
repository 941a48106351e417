"""The owner's side of passing on (R71): decided by its protocol, her consent and its exclusions; then by a person; then signed.

Every question is answered by `_judge`, at the request, at the grant and whenever consent or facts change: what would be refused today is
called back today.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from hub.actions.common import SYSTEM, intend, living_referrals, note, remind
from hub.actions.decide import Ruling, if_nobody_knew, lasting, rule
from hub.actions.peer_words import DISCLOSURE_ID, INSTITUTION_ID, ONWARD_ID, REFERRAL_ID
from hub.actions.ports import Unit
from hub.actions.reach import WAYS, calls_blindly
from hub.base.errors import PeerFault, Refused
from hub.cases.answers import BY_PEOPLE
from hub.cases.events import CaseChanged, OnwardMoved
from hub.cases.lifecycle import WORKING, Side
from hub.cases.records import Onward, Referral
from hub.exchange import wire
from keys.grant import Grant, sign_grant
from policies import onward as law
from policies.decision import Outcome
from policies.preview import Passage

LIVING = ("granted", "passed")
CONFLICT = "onward_conflict"
"""Only a conflict of interest stands against it. A person says no to that, in her time and her words: an answer of the hub, at once, would tell
the holder that this institution is not like others of its kind. It never leaves this module as a reason.
"""
TOLD = "onward_protocol"
"""What the holder hears whenever a hub said no, whatever the reason: that she was not asked, too, is a fact about her."""
USE_WITHIN = timedelta(days=7)
"""How long a grant may be used; then the holder asks again, for the world has moved."""
MOST_OPEN = 10
MOST_FIELDS = 30
_OUTCOMES = {outcome.word: outcome for outcome in Outcome}


def hear_ask(unit: Unit, referral: Referral, body: wire.AskOnward) -> None:
    """A holder wishes to pass something on: refused by this hub in words, or put before her caseworker with what would go."""
    words = unit.pack.vocabulary
    if not ONWARD_ID.fullmatch(body.onward) or unit.onwards.get(body.onward) is not None or not INSTITUTION_ID.fullmatch(body.institution):
        raise PeerFault("bad_body", kind="onward.ask", why="id")
    if not body.fields or len(body.fields) > MOST_FIELDS or not set(body.fields) <= set(words.fields) or body.need not in words.needs:
        raise PeerFault("bad_body", kind="onward.ask", why="words")
    if referral.state not in WORKING or referral.case is None:
        raise PeerFault("not_working")
    if unit.onwards.count(referral=referral.id, side=Side.SENDER, state="asked") >= MOST_OPEN:
        raise PeerFault("too_many_asks")
    why_not, may, _ = _judge(unit, referral, body.institution, body.need, body.fields)
    onward = Onward(
        id=body.onward, referral=referral.id, side=Side.SENDER, third=body.institution, need=body.need, at=unit.now,
        fields={f: may[f].text if f in may else "" for f in dict.fromkeys(body.fields)}, state="asked",
    )  # fmt: skip
    unit.onwards.add(onward)
    note(unit, referral.case, referral.peer, "onward.asked", onward=onward.id, institution=onward.third, fields=sorted(body.fields))
    if why_not not in (None, CONFLICT):
        _refuse(unit, referral, onward, str(why_not), SYSTEM)
    else:
        unit.announce(OnwardMoved(onward=onward.id, what="asked", why=body.why[:300], ring=True))


def answer_onward(unit: Unit, by: str, onward_id: str, answer: str) -> Onward:
    """A caseworker grants, or refuses with one of `BY_PEOPLE`. Raises Refused `already_answered`, `not_working`, and what the law says now."""
    onward = unit.onwards.get(onward_id)
    referral = unit.referrals.get(onward.referral) if onward else None
    if onward is None or referral is None or onward.side is not Side.SENDER or onward.state != "asked":
        raise Refused("already_answered")
    if referral.state not in WORKING:
        raise Refused("not_working", code=referral.code)
    if answer in BY_PEOPLE:
        return _refuse(unit, referral, onward, answer, by)
    why_not, may, ruling = _judge(unit, referral, onward.third, onward.need, onward.fields)
    if why_not is not None or ruling is None:
        return _refuse(unit, referral, onward, "refused" if why_not == CONFLICT else why_not or "onward_protocol", by)
    until = _until(unit, referral, ruling, may)
    grant = Grant(
        owner=unit.me.id, holder=referral.peer, third=onward.third, referral=referral.id, onward=onward.id, need=onward.need,
        purpose=ruling.purpose, protocol=f"{ruling.protocol.id}@{ruling.protocol.version}", fields={f: p.text for f, p in may.items()},
        at=unit.now.replace(microsecond=0), use_by=min(unit.now + USE_WITHIN, until), until=until,
    )  # fmt: skip
    signed = sign_grant(grant, unit.hand.signer)
    onward = replace(onward, state="granted", by=by, fields={f: may[f].text if f in may else "" for f in onward.fields}, grant=signed, until=until)
    unit.onwards.put(onward)
    intend(unit, referral.peer, "onward.answer", referral=referral.id, onward=onward.id)
    note(unit, referral.case or "", by, "onward.granted", onward=onward.id, institution=onward.third, fields=sorted(may))
    unit.announce(OnwardMoved(onward=onward.id, what="granted"))
    return onward


def hear_passed(unit: Unit, referral: Referral, body: wire.PassedOn) -> None:
    """The holder says what went, and until when. More than was granted, or for longer, is called back at once."""
    onward = unit.onwards.get(body.onward)
    ids = [body.child, *body.disclosures]
    if onward is None or onward.referral != referral.id or not REFERRAL_ID.fullmatch(ids[0]) or not all(map(DISCLOSURE_ID.fullmatch, ids[1:])):
        raise PeerFault("bad_body", kind="onward.passed", why="id")
    granted = {name for name, passage in onward.fields.items() if passage}
    over = not set(body.fields) <= granted or (onward.until is None or body.until > onward.until)
    known = tuple(dict.fromkeys((*onward.disclosures, *body.disclosures)))
    gone = onward.state not in LIVING
    unit.onwards.put(replace(onward, state=onward.state if gone else "passed", child=body.child, disclosures=known))
    told = sorted(granted & set(body.fields))
    note(unit, referral.case or "", referral.peer, "onward.passed", onward=onward.id, institution=onward.third, fields=told)
    unit.announce(CaseChanged(case=referral.case or ""))
    if over:
        _end(unit, referral, unit.onwards.get(onward.id) or onward)
    elif not gone:
        unit.announce(OnwardMoved(onward=onward.id, what="passed"))


def recheck(unit: Unit, case: str) -> None:
    """Consent, facts or protocol changed: a grant that would not be given today ends today, and reaches through to the third institution."""
    for referral in living_referrals(unit, case):
        for onward in unit.onwards.all(referral=referral.id, side=Side.SENDER, state__in=("asked", *LIVING)):
            why_not, may, _ = _judge(unit, referral, onward.third, onward.need, onward.fields)
            granted = {name: Passage.of(text) for name, text in onward.fields.items() if text}
            if onward.state == "asked":
                if why_not not in (None, CONFLICT):
                    _refuse(unit, referral, onward, str(why_not), SYSTEM)
            elif why_not is not None or any(may.get(name) != passage for name, passage in granted.items()):
                _end(unit, referral, onward)


def call_back(unit: Unit, referral: Referral, fields: Collection[str], *, whole: bool) -> None:
    """What the holder must destroy is destroyed where it went on to, too."""
    for onward in unit.onwards.all(referral=referral.id, side=Side.SENDER, state__in=("asked", *LIVING)):
        if onward.state == "asked" and whole:
            unit.onwards.put(replace(onward, state="refused", reason="refused"))
        elif onward.state in LIVING and (whole or any(onward.fields.get(f) for f in fields)):
            _end(unit, referral, onward)


def tell_overdue(unit: Unit, onward_id: str) -> None:
    """Nobody showed the third institution's receipt in time."""
    onward = unit.onwards.get(onward_id)
    if onward and onward.state == "called_back":
        unit.announce(OnwardMoved(onward=onward.id, what="overdue", ring=True))


def write_answer(unit: Unit, onward: Onward) -> wire.AnswerOnward:
    """The owner's word as it stands at dispatch: a grant that ended meanwhile is no grant."""
    granted = onward.state in LIVING
    reason = "" if granted else onward.reason if onward.reason in BY_PEOPLE else TOLD
    return wire.AnswerOnward(
        referral=onward.referral, onward=onward.id, granted=granted, reason=reason, grant=onward.grant if granted else b""
    )  # fmt: skip


def held_there(unit: Unit, referral: Referral) -> dict[str, Outcome]:
    """What the holder has now, by our own record of it."""
    active = unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active", order="at")
    return {name: _OUTCOMES[word] for disclosure in active if not disclosure.glass for name, word in disclosure.fields.items()}


def _judge(unit: Unit, referral: Referral, third: str, need: str, fields: Collection[str]) -> tuple[str | None, dict[str, Passage], Ruling | None]:
    """Why not (a code), what might go on, and the ruling it comes from."""
    protocol = unit.pack.between(referral.peer).protocols.get(referral.protocol)
    if protocol is None:
        return "onward_forbidden", {}, None
    case = unit.cases.get(referral.case or "")
    if case is None or third in (referral.peer, unit.me.id):
        return "onward_unknown", {}, None
    try:
        ruling: Ruling | None = rule(unit, case, third, need, tuple(referral.offer.get("held_back", ())))
    except Refused as refused:
        if refused.code == "unknown_institution":
            return "onward_unknown", {}, None
        ruling = None
    held, kind = held_there(unit, referral), ruling.recipient_kind if ruling else ""
    why_not = law.refusal(protocol, kind, ruling.decision if ruling else None, held, fields)
    if ruling is not None and ruling.decision.excluded and why_not is not None:
        why_not = law.refusal(protocol, kind, if_nobody_knew(unit, ruling), held, fields) or CONFLICT
    may = law.passages(ruling.decision, held, fields) if ruling and why_not is None else {}
    told = [name for name, passage in may.items() if passage.outcome is not Outcome.PRESENCE]
    if calls_blindly(told):  # a way to reach her never travels without the safe way (R29)
        may = {name: passage for name, passage in may.items() if name not in WAYS}
    return (why_not, may, ruling) if may or why_not else ("onward_protocol", {}, ruling)


def _until(unit: Unit, referral: Referral, ruling: Ruling, fields: Collection[str]) -> datetime:
    """The shortest of all that limit it: the protocol towards the third, her consent (or a law) for each field, and what the holder may keep."""
    ends = [datetime.combine(ruling.protocol.keep_until(ruling.purpose, unit.now.date()), unit.now.timetz())]
    ends += [d.until for d in unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active") if set(d.fields) & set(fields)]
    ends += lasting(unit, ruling, fields)
    return min(ends).replace(microsecond=0)


def _refuse(unit: Unit, referral: Referral, onward: Onward, reason: str, by: str) -> Onward:
    onward = replace(onward, state="refused", reason=reason, by="" if by == SYSTEM else by)
    unit.onwards.put(onward)
    intend(unit, referral.peer, "onward.answer", referral=referral.id, onward=onward.id)
    note(unit, referral.case or "", by, "onward.refused", onward=onward.id, institution=onward.third, reason=reason)
    unit.announce(OnwardMoved(onward=onward.id, what="forbidden" if by == SYSTEM else "refused"))
    return onward


def _end(unit: Unit, referral: Referral, onward: Onward) -> None:
    due = unit.now + timedelta(days=unit.rules.erasure_days)
    unit.onwards.put(replace(onward, state="called_back", due_at=due))
    remind(unit, "onward", onward.id, due)
    intend(unit, referral.peer, "onward.end", referral=referral.id, onward=onward.id)
    note(unit, referral.case or "", SYSTEM, "onward.called_back", onward=onward.id, institution=onward.third)
    unit.announce(OnwardMoved(onward=onward.id, what="called_back"))
