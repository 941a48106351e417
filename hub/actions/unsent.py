"""What becomes of an event that no homeserver took: its room has no peer yet, or the homeserver is away (D02, D05).

Rows stay in the outbox and are due as before. What has no number has no row either: today's key, a question for theirs, a newer manifest, an
acknowledgement. A link that believed them said would wait for half an hour until it says them again, and nothing goes over it meanwhile.
"""

from __future__ import annotations

from dataclasses import replace

from hub.actions.dispatch import Parcel
from hub.actions.ports import Unit
from hub.actions.receive import owe_ack
from hub.exchange.records import Link


def mark_unsent(unit: Unit, parcel: Parcel) -> None:
    """The link owes what it owed before; what was heard from the peer meanwhile stands."""
    link = unit.links.get(parcel.link)
    if link is None:
        return
    if parcel.before is not None:
        link = _owing(link, parcel.before)
        unit.links.put(link)
    owe_ack(unit, link)  # it was in that event too


def _owing(link: Link, before: Link) -> Link:
    if link.asked_key_at is not None:  # else their key came, and nothing is asked any more
        link = replace(link, asked_key=before.asked_key, asked_key_at=before.asked_key_at)
    return replace(
        link, told_key_at=before.told_key_at, owes_key=link.owes_key or before.owes_key, gone=link.gone or before.gone,
        resend_asked_at=before.resend_asked_at, pushed=min(link.pushed, before.pushed),
    )  # fmt: skip
