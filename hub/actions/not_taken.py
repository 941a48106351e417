"""An offer that the recipient's hub refuses: its people never see it, so the sender's must not wait for them (R11).

The refusing hub says so by a code, the sender's ends the referral as if it had never left, and its lead reads why in words.
"""

from __future__ import annotations

from hub.actions.agreed import AHEAD, OVER
from hub.actions.peer_words import REFERRAL_ID
from hub.actions.ports import Unit
from hub.actions.refer import offer_stopped
from hub.actions.restart import intend_on
from hub.base.errors import PeerFault
from hub.cases.lifecycle import State
from hub.cases.records import Referral
from hub.exchange import wire
from hub.exchange.records import Link
from keys import strictjson
from keys.errors import KeysError

WHY = frozenset({"too_many_offers", "no_protocol", "wrong_purpose", "referral_exists", "bad_body", AHEAD, OVER})
"""Whatever else went wrong is `bad_body`: an offer that this hub could not make use of."""
MOST = 200
"""Such answers waiting on a link: a peer that sends nothing but nonsense is not told so without end."""


def say_not_taken(unit: Unit, link: Link, body: bytes, why: str) -> None:
    """Tell the sender of an offer that nothing of it was kept. Not when it cannot be named, or when a referral of that name lives here."""
    name = _name_in(body)
    if not name or unit.referrals.get(name) is not None:
        return
    if unit.outbox.count(link=link.id, kind=wire.NotTaken.kind, state__in=("ready", "dispatched")) < MOST:
        intend_on(unit, link, wire.NotTaken.kind, referral=name, why=why if why in WHY else "bad_body")


def _name_in(body: bytes) -> str:
    try:
        table = strictjson.loads(body, max_bytes=wire.MAX_JOINED, max_depth=6)
    except KeysError:
        return ""
    name = table.get("referral") if isinstance(table, dict) else None
    return name if isinstance(name, str) and REFERRAL_ID.fullmatch(name) else ""


def hear_not_taken(unit: Unit, referral: Referral, body: wire.NotTaken) -> None:
    """Our offer was refused by the hub there. Raises PeerFault `not_offered` unless it left and nobody has answered it; `bad_body`."""
    if body.why not in WHY:
        raise PeerFault("bad_body", kind=body.kind, why="why")
    if referral.state is not State.REQUESTED or referral.delivered_at is None:
        raise PeerFault("not_offered")
    offer_stopped(unit, referral.id, body.why, what="not-taken")
