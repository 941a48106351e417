"""What was said about a referral and is not acknowledged: after a quarter of an hour its thread is told, once a silence (X12).

The administrators hear of a silent peer anyway (`ring.py`). Whoever said something believes that it was heard until her own thread says
otherwise; a peer that stopped the link on its side never says so.
"""

from __future__ import annotations

from datetime import datetime

from hub.actions.common import AWAITED, SYSTEM, UNHEARD, note, remind
from hub.actions.ports import Unit
from hub.cases.events import ReferralMoved
from hub.cases.records import Referral
from hub.exchange.pacing import SILENT_AFTER

WHAT = "peer.unheard"


def silent_since(unit: Unit, referral: Referral) -> datetime | None:
    """Since when something said about this referral waits for an acknowledgement, once it waits long enough to be told; else None."""
    link = unit.links.one(peer=referral.peer)
    since = _waiting(unit, link.id).get(referral.id) if link else None
    return since if since and unit.now - since >= SILENT_AFTER else None


def tell_unheard(unit: Unit, link_id: str) -> None:
    """A quarter of an hour after something was said: each referral whose words wait as long is told, once a silence. Again while any wait."""
    waiting = _waiting(unit, link_id)
    for name, since in waiting.items():
        if unit.now - since >= SILENT_AFTER and not _was_told(unit, name, since):
            note(unit, name, SYSTEM, WHAT, since=since.isoformat())
            unit.announce(ReferralMoved(referral=name, what="unheard", ring=True))
    if waiting:
        ahead = (since + SILENT_AFTER for since in waiting.values())
        remind(unit, UNHEARD, link_id, min((at for at in ahead if at > unit.now), default=unit.now + SILENT_AFTER))


def _was_told(unit: Unit, referral: str, since: datetime) -> bool:
    """One silence lasts as long as the same message is the oldest that waits."""
    last = unit.log.one(about=referral, what=WHAT, order="-at")
    return last is not None and last.detail["since"] == since.isoformat()


def _waiting(unit: Unit, link: str) -> dict[str, datetime]:
    """By referral, when the oldest of its words was said that this peer has not acknowledged."""
    rows = unit.outbox.all(state__in=("ready", "dispatched", "held"), link=link, kind__in=tuple(sorted(AWAITED)), order="-made_at")
    return {str(row.ref["referral"]): row.made_at for row in rows}
