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
    since = _oldest(unit, referral)
    return since if since and unit.now - since >= SILENT_AFTER else None


def tell_unheard(unit: Unit, referral_id: str) -> None:
    """A quarter of an hour later: tell it, unless this silence was told, and look again as long as anything waits."""
    referral = unit.referrals.get(referral_id)
    since = _oldest(unit, referral) if referral else None
    if referral is None or since is None:
        return
    late = unit.now - since >= SILENT_AFTER
    if late and not _was_told(unit, referral, since):
        note(unit, referral.id, SYSTEM, WHAT, since=since.isoformat())
        unit.announce(ReferralMoved(referral=referral.id, what="unheard", ring=True))
    remind(unit, UNHEARD, referral.id, (unit.now if late else since) + SILENT_AFTER)


def _was_told(unit: Unit, referral: Referral, since: datetime) -> bool:
    """One silence lasts as long as the same message is the oldest that waits."""
    last = unit.log.one(about=referral.id, what=WHAT, order="-at")
    return last is not None and last.detail["since"] == since.isoformat()


def _oldest(unit: Unit, referral: Referral) -> datetime | None:
    link = unit.links.one(peer=referral.peer)
    states = ("ready", "dispatched", "held")
    rows = unit.outbox.all(state__in=states, link=link.id, kind__in=tuple(sorted(AWAITED))) if link else []
    return min((row.made_at for row in rows if row.ref.get("referral") == referral.id), default=None)
