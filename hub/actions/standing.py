"""After a restore: `restored` says what the copy knows, `standing` answers with what the peer knows, and both catch up (D11, `keys.md` §5).

The restored side asks nothing of its people for what is known at the peer, the peer hands over nothing about a person: ids, codes, states and
which disclosures it holds. What the copy forgot and the peer still works on is told to people at both desks, for no hub can know it better.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub.actions.agreed import respond_time
from hub.actions.common import SYSTEM, forget_reminders, intend, note, remind
from hub.actions.coordination_ends import over
from hub.actions.erase import drop_words, shred_referral_key
from hub.actions.onward_again import say_again
from hub.actions.peer_words import DISCLOSURE_ID, REFERRAL_ID, is_key
from hub.actions.peers import manifest_of
from hub.actions.ports import Unit
from hub.actions.protocol_spread import tell_all
from hub.actions.recall import recall
from hub.actions.restart import NO_HEAD, RESTORED, hold, intend_on
from hub.actions.tell_standing import answered, check_part, gather, held_of, referrals_with
from hub.actions.withdraw import end_holding, shrink_consents
from hub.base.errors import PeerFault
from hub.cases.codes import parse_code
from hub.cases.events import Alarm, CaseChanged, ReferralMoved, Restored
from hub.cases.lifecycle import OPEN, WORKING, Side, State
from hub.cases.records import Disclosure, Referral
from hub.exchange import wire
from hub.exchange.records import Link, Outgoing
from policies.decision import Outcome
from policies.holding import ceiling

_OLDEST = timedelta(days=3660)
_OVER_BY_RECIPIENT = frozenset({State.COMPLETED, State.FAILED, State.REJECTED})


# ---- at the peer ------------------------------------------------------------------------------------------------------------


def hear_restored(unit: Unit, link_id: str, body: wire.Restored) -> None:
    """A peer came back from a copy: our line to it begins anew too, what it lost is offered again, what it forgot is told to people.

    With the last part of what it says, not before: what one part does not name another may. Raises PeerFault `bad_body`, `part_missing`.
    """
    link = _link(unit, link_id)
    check_part(body, body.known)
    parts = gather(unit, link, body, body.known)
    if parts is None:
        return
    known_there = {name: known for part in parts for name, known in part.items()}
    last = unit.seen.one(link=link.id, epoch=body.epoch, order="-seq")
    answer = {"restore": body.restore, "epoch": body.epoch, "upto": last.seq if last else 0}
    if link.peer_restore == body.restore:
        if not unit.outbox.count(link=link.id, kind="standing", state__in=("ready", "dispatched")):
            intend_on(unit, link, "standing", **answer)
        return
    hold(unit, link)
    for room in unit.coordinations.all(owner=link.peer, state="open"):
        over(unit, room)  # its copy may know nothing of it: it would stay open here for ever, whatever she takes back (R14)
    for row in unit.outbox.all(link=link.id, kind="standing", state="ready"):
        unit.outbox.delete(row.id)  # the answer to an earlier restore: the new one says all of it
    unit.links.put(
        replace(link, epoch_out=link.epoch_out + 1, next_out=1, head_out=NO_HEAD, acked_out=0, resend_asked_at=None, peer_restore=body.restore)
    )
    intend_on(unit, link, "standing", **answer)
    if peer := unit.peers.get(link.peer):
        unit.peers.put(replace(peer, told=0))  # our devices too are told anew: the copy may know older ones
    for row in unit.outbox.all(link=link.id, kind="erased", state="acked", epoch=body.heard, seq__gt=body.upto, order="order"):
        intend_on(unit, link, row.kind, **row.ref)  # our receipts, which the copy has not
    intend_on(unit, link, "profile")
    tell_all(unit, link)  # protocols: what the copy has forgotten it may have signed
    for referral in referrals_with(unit, link.peer):
        known = known_there.get(referral.id)
        if known is not None:
            say_again(unit, referral)
        if referral.side is Side.SENDER:
            _offer_again(unit, referral, known if isinstance(known, dict) else None)
        elif known is None and (referral.state in OPEN or held_of(unit, referral)) and not _said_lately(unit, referral):
            note(unit, referral.id, SYSTEM, "referral.forgotten_there")
            unit.announce(ReferralMoved(referral=referral.id, what="forgotten", ring=True))
    note(unit, link.id, link.peer, "peer.restored")
    made = min(max(body.made, unit.now - _OLDEST), unit.now)  # its word: what no calendar can show would stop the line here
    unit.announce(Alarm(code="peer_restored", params=(("institution", link.peer), ("detail", made.isoformat(timespec="minutes")))))


def _said_lately(unit: Unit, referral: Referral) -> bool:
    """Once an hour: people were told that it is forgotten there, and a peer may come back as often as it says (T9)."""
    return unit.log.count(about=referral.id, what="referral.forgotten_there", at__ge=unit.now - timedelta(hours=1)) > 0


def _offer_again(unit: Unit, referral: Referral, known: dict[str, Any] | None) -> None:
    """Ours, at a recipient that came back from a copy: what it holds no more is recalled, what it must answer is offered once more."""
    state = _state(known.get("state")) if known else None
    held = known.get("held") if known else []
    held = [name for name in held if isinstance(name, str)] if isinstance(held, list) else []
    if referral.state in OPEN:
        if referral.state in WORKING and state not in WORKING:
            if state in _OVER_BY_RECIPIENT:
                return  # its own word on that is on the road again
            referral = _unanswered(unit, referral)
        if known is None:
            intend(unit, referral.peer, "offer", referral=referral.id)
        recall(unit, referral, [d for d in unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active") if d.id not in held])
    elif referral.state is State.CANCELLED and known and (state in OPEN or held):
        intend(unit, referral.peer, "withdraw", referral=referral.id, disclosures=[n for n in held if DISCLOSURE_ID.fullmatch(n)], whole=True)


def _unanswered(unit: Unit, referral: Referral) -> Referral:
    """Its acceptance is forgotten there, and the key that came with it: we wait for a new answer."""
    respond_by = unit.now + respond_time(unit, referral.protocol, referral.protocol_version, referral.urgency)
    fresh = replace(referral, state=State.REQUESTED, their_key=b"", answered_at=None, respond_by=respond_by)
    unit.referrals.put(fresh)
    remind(unit, "respond_by", fresh.id, respond_by)
    note(unit, fresh.case or "", fresh.peer, "referral.forgotten_there", referral=fresh.id)
    unit.announce(CaseChanged(case=fresh.case or ""))
    unit.announce(ReferralMoved(referral=fresh.id, what="forgotten", ring=True))
    return fresh


# ---- at home ----------------------------------------------------------------------------------------------------------------


def hear_standing(unit: Unit, link_id: str, body: wire.Standing) -> list[Outgoing]:
    """The peer's answer: we catch up with each part; with the last what had arrived is acknowledged, and the rest goes under new numbers.

    Returns what had arrived. Raises PeerFault `not_asked`, `bad_body`, `part_missing`.
    """
    link = _link(unit, link_id)
    if not link.asking or body.epoch != link.asking:
        if unit.outbox.count(link=link.id, kind="restored"):
            return []  # its second answer to one question
        raise PeerFault("not_asked", institution=link.peer)
    check_part(body, body.referrals)
    parts = gather(unit, link, body, _caught_up(unit, link, body.referrals))
    if parts is None:
        return []
    answered(unit, link)
    arrived = unit.outbox.all(link=link.id, state="held", epoch=body.epoch, seq__le=body.upto, order="seq")
    for row in arrived:
        unit.outbox.put(replace(row, state="acked", acked_at=unit.now, sealed=b""))
        drop_words(unit, row.owner)
    note(unit, link.id, link.peer, "link.standing", forgotten=sum(map(len, parts)))
    for forgotten in [codes for codes in parts if codes] or [[]]:
        unit.announce(Restored(institution=link.peer, codes=tuple(forgotten)))
    return arrived


def _caught_up(unit: Unit, link: Link, referrals: dict[str, Any]) -> list[str]:
    """Catch up with the referrals of one part. Returns the codes of those that the copy does not know."""
    forgotten = []
    for name, told in referrals.items():
        if not REFERRAL_ID.fullmatch(name) or not isinstance(told, dict):
            raise PeerFault("bad_body", kind="standing", why="referral")
        referral = unit.referrals.get(name)
        if referral is None:
            forgotten += _forgotten(told)
        elif referral.peer == link.peer and told.get("side") != referral.side.value:
            _catch_up(unit, referral, told)
    return forgotten


def _forgotten(told: dict[str, Any]) -> list[str]:
    """Ours, which the copy does not know and the peer still works on or holds: its code, for people."""
    code, state = parse_code(str(told.get("code", ""))[:12]), _state(told.get("state"))
    ours = told.get("side") == Side.RECIPIENT.value and (state in OPEN or told.get("held"))
    return [code] if ours and code else []


def _catch_up(unit: Unit, referral: Referral, told: dict[str, Any]) -> None:
    state = _state(told.get("state"))
    if state is not None and referral.side is Side.SENDER and referral.state is State.CANCELLED and referral.note == RESTORED:
        _ended_unknown(unit, referral, state, told)
    if state is None or referral.state not in OPEN:
        return
    if referral.side is Side.SENDER:
        _catch_up_sent(unit, referral, state, told)
    elif state in _OVER_BY_RECIPIENT:  # we had ended it
        held = held_of(unit, referral)
        if state is State.FAILED:
            end_holding(unit, referral, held, "given-back", whole=True)
        _moved(unit, referral, replace(referral, state=state, ended_at=unit.now))
    elif state in WORKING and referral.state in WORKING and state is not referral.state:
        _moved(unit, referral, replace(referral, state=state))


def _ended_unknown(unit: Unit, referral: Referral, state: State, told: dict[str, Any]) -> None:
    """Our key of it was dead before the restore. The peer ended it: then so. It goes on there: our word did not arrive, and is said again."""
    _learn(unit, referral, told.get("held"))
    if state in _OVER_BY_RECIPIENT:
        _moved(unit, referral, replace(referral, state=state, note=None))
    elif state in OPEN:
        held = unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active")
        recall(unit, referral, held, whole=True)


def _taken_back(unit: Unit, referral: Referral) -> None:
    """The peer was told that she, or we, took it back; this copy does not know. It ends, and nothing more goes there until she agrees anew."""
    if referral.case:
        shrink_consents(unit, referral.case, referral.peer, ())  # what she agreed to for others is not this peer's to end
    note(unit, referral.case or referral.id, SYSTEM, "consent.withdrawn", recipients=[referral.peer], fields=[])
    _moved(unit, referral, replace(referral, state=State.CANCELLED, ended_at=unit.now))


def _catch_up_sent(unit: Unit, referral: Referral, state: State, told: dict[str, Any]) -> None:
    learned = _learn(unit, referral, told.get("held"))
    if state is State.CANCELLED:
        _taken_back(unit, referral)
        return
    if state in (State.REQUESTED, State.RECEIVED, State.DRAFT):
        return
    key = str(told.get("key", ""))
    raw = bytes.fromhex(key) if key and all(c in "0123456789abcdef" for c in key) and len(key) % 2 == 0 else b""
    fresh = replace(referral, state=state, answered_at=referral.answered_at or unit.now)
    if state in WORKING and referral.state not in WORKING:
        if not is_key(raw):
            raise PeerFault("bad_body", kind="standing", why="key")
        fresh = replace(fresh, their_key=raw)
    forget_reminders(unit, referral.id, ("respond_by",))
    if state in WORKING:
        if not learned and not unit.disclosures.count(referral=referral.id, side=Side.SENDER) and referral.state not in WORKING:
            intend(unit, referral.peer, "disclose", referral=referral.id)
    else:
        fresh = replace(fresh, ended_at=unit.now)
        shred_referral_key(unit, referral.id, "ended")
    if fresh.state is not referral.state:
        _moved(unit, referral, fresh)


def _learn(unit: Unit, referral: Referral, held: Any) -> int:
    """Disclosures that the peer holds and the copy does not know: without them a withdrawal would pass them by.

    Which fields they held nobody says; we take it that it was all that the protocol could ever release there.
    """
    count = 0
    for name, seconds in held.items() if isinstance(held, dict) else ():
        if not DISCLOSURE_ID.fullmatch(str(name)) or type(seconds) is not int or unit.disclosures.get(name) is not None:
            continue
        kind = manifest_of(unit, referral.peer).profile.kind
        protocol = unit.pack.version(referral.protocol, referral.protocol_version)
        widest = ceiling(protocol, kind, purpose=referral.purpose) if protocol else dict.fromkeys(unit.pack.vocabulary.fields, Outcome.RELEASE)
        until = min(datetime.fromtimestamp(max(seconds, 0) % 2**33, tz=unit.now.tzinfo), unit.now + _OLDEST)
        learned = Disclosure(
            id=name, referral=referral.id, side=Side.SENDER, consent=None, protocol=referral.protocol,
            protocol_version=referral.protocol_version, fields={field: outcome.word for field, outcome in widest.items()}, at=unit.now,
            until=max(until, unit.now),
        )  # fmt: skip
        unit.disclosures.add(learned)
        remind(unit, "erasure", name, learned.until + timedelta(days=unit.rules.erasure_days))
        if unit.tombstones.get(name) is not None:  # she had taken it back, and the holder did not hear
            recall(unit, referral, [learned])
        count += 1
    return count


def _moved(unit: Unit, before: Referral, fresh: Referral) -> None:
    unit.referrals.put(fresh)
    if fresh.state not in OPEN:
        forget_reminders(unit, fresh.id)
    note(unit, fresh.case or fresh.id, fresh.peer, "referral.caught_up", referral=fresh.id, state=fresh.state.value, was=before.state.value)
    if fresh.case:
        unit.announce(CaseChanged(case=fresh.case))
    unit.announce(ReferralMoved(referral=fresh.id, what="caught_up"))


def _state(word: Any) -> State | None:
    try:
        return State(word)
    except ValueError:
        return None


def _link(unit: Unit, link_id: str) -> Link:
    link = unit.links.get(link_id)
    assert link is not None, "a link is never deleted"
    return link
