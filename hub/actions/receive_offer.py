"""An offer arrives: checked against the protocol, kept without any person in it, shown to the desk, accepted by itself where agreed."""

from __future__ import annotations

import secrets
from datetime import timedelta

from hub.actions.agreed import agreed
from hub.actions.answer import accept
from hub.actions.common import SYSTEM, note, remind
from hub.actions.peer_words import REFERRAL_ID, is_key, known_words
from hub.actions.peers import manifest_of
from hub.actions.ports import Unit
from hub.base.errors import PeerFault
from hub.cases.codes import REFERRAL, new_code, parse_code
from hub.cases.events import ReferralMoved
from hub.cases.lifecycle import Side, State
from hub.cases.records import Referral
from hub.exchange import wire
from hub.exchange.records import Link

MOST_WAITING = 200
"""Unanswered offers of one peer: more would bury the desk."""
OLDEST = timedelta(days=400)
"""An offer that says it is older waited no longer than this: dates of a peer stay near ours, whatever it writes."""


def receive_offer(unit: Unit, link: Link, body: wire.Offer) -> None:
    """Keep an offer and tell the desk. Raises PeerFault when the protocol, the purpose or the words are not ours; then nothing is kept."""
    words = unit.pack.vocabulary
    protocol = agreed(unit, link.peer, body.protocol, body.version)
    if body.need not in protocol.needs or unit.me.kind not in protocol.to_kinds:
        raise PeerFault("no_protocol", institution=link.peer)
    if manifest_of(unit, link.peer).profile.kind not in protocol.from_kinds:
        raise PeerFault("no_protocol", institution=link.peer)
    if unit.referrals.count(peer=link.peer, side=Side.RECIPIENT, state=State.RECEIVED) >= MOST_WAITING:
        raise PeerFault("too_many_offers", institution=link.peer)
    if body.purpose != protocol.purpose_of(body.need):  # P06
        raise PeerFault("wrong_purpose", institution=link.peer)
    if body.urgency not in words.lists["urgencies"] or parse_code(body.code) is None:
        raise PeerFault("bad_body", kind="offer", why="codes")
    if not REFERRAL_ID.fullmatch(body.referral) or unit.referrals.get(body.referral) is not None:
        raise PeerFault("referral_exists")
    if unit.tombstones.get(body.referral) is not None:  # it ended here before a restore: the next restore would bury its new key with the old
        raise PeerFault("referral_exists")
    if not is_key(body.key):
        raise PeerFault("bad_body", kind="offer", why="numbers")
    opened = min(max(body.opened_at, unit.now - OLDEST), unit.now)
    respond_by = min(max(body.respond_by, opened), unit.now + protocol.respond_within[body.urgency])
    referral = Referral(
        id=body.referral,
        code=_our_code(unit, body.code),
        side=Side.RECIPIENT,
        peer=link.peer,
        case=None,
        need=body.need,
        purpose=body.purpose,
        protocol=body.protocol,
        protocol_version=body.version,
        urgency=body.urgency,
        offer={
            "territory": body.territory[:60],
            "languages": known_words(body.languages, words.lists["languages"]),
            "accessibility": known_words(body.accessibility, words.lists["accessibility"]),
            "code": body.code,
        },
        state=State.RECEIVED,
        opened_at=opened,
        respond_by=respond_by,
        delivered_at=unit.now,
        their_key=body.key,
    )
    unit.referrals.add(referral)
    note(unit, referral.id, link.peer, "referral.received", need=body.need)
    remind(unit, "respond_by", referral.id, respond_by)
    someone = unit.staff.count(removed_at=None, on_duty=True) > 0
    automatic = unit.rules.accept_automatically and protocol.accepts_itself(need=body.need, urgency=body.urgency, on_duty=someone)
    unit.announce(ReferralMoved(referral=referral.id, what="receive", ring=True))
    if automatic:
        accept(unit, SYSTEM, referral.id, automatic=True)


def _our_code(unit: Unit, code: str) -> str:
    """The pair's code; when another pair happens to use the same one here, a fresh one that people can type, on our side alone.

    One code never names two people at one desk. The code that the sender uses stays in the offer.
    """
    while unit.referrals.count(code=code):
        code = new_code(REFERRAL, secrets.randbelow)
    return code
