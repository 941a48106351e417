"""How an envelope is accepted: the numbered steps of `design.md` §5. Pure: bytes, a link and a manifest in, a verdict out.

(0) size and version, (1) pinned sender and device — the Matrix room did that, (2) unseal, (3) signature by the manifest's key,
(4) addressed to us on this link, (5) id seen, (6) sequence, (7) strict parse, (8) what we may hold, (9) store and acknowledge.
Steps 0–4 and 7 are here; 5, 6, 8 and 9 need rows and stand in `actions/receive.py` under the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from hub.base.errors import PeerFault
from hub.exchange.pacing import AHEAD
from hub.exchange.records import Link
from hub.exchange.wire import UNSEQUENCED, unpack
from keys import envelope
from keys.dailykeys import LONG_KEY_KINDS
from keys.envelope import SignedInner
from keys.errors import KeysError, ProviderError
from keys.manifest import Manifest
from keys.primitives import OpeningKey

MOST_EPOCHS = 16
"""Restores between two messages that reach us: more is an invention, and 2³²−1 would end the line."""


class Place(Enum):
    """Where a message stands in its line."""

    NEXT = "next"
    EARLY = "early"
    OLD = "old"
    APART = "apart"


def open_envelope(
    sealed: bytes, *, me: str, link: Link, manifest: Manifest, find: Callable[[bytes], tuple[OpeningKey, bool]]
) -> list[SignedInner]:
    """Steps 0, 2, 3 and 4 for every record of one event; `find` gives the key that a hint names, and whether it is the long one.

    Raises PeerFault; nothing of a refused envelope is kept.
    """
    try:
        key, long = find(envelope.hint_of(sealed))
        plain = envelope.unseal(sealed, key, envelope.info_bytes(link.peer, me, link.id))  # (0) (2)
        records = [envelope.read_signed(one, manifest.profile.hub_signing) for one in unpack(plain)]  # (3)
    except ProviderError:  # ours, not the envelope's
        raise
    except KeysError as error:
        raise PeerFault("envelope_refused", why=error.code, institution=link.peer) from None
    for record in records:
        inner = record.inner
        if (inner.sender, inner.recipient, inner.link) != (link.peer, me, link.id):  # (4)
            raise PeerFault("wrong_address", institution=link.peer)
        if long and inner.kind not in LONG_KEY_KINDS:  # what a key of years would open for years
            raise PeerFault("long_key", institution=link.peer)
    return records


def place(link: Link, record: SignedInner) -> Place:
    """Step 6: where a record stands. Raises PeerFault `epoch_back`, `far_ahead`.

    A larger epoch than the known one means that the peer was restored; its line starts again at 1.
    """
    inner = record.inner
    if inner.kind in UNSEQUENCED:
        return Place.APART
    if inner.epoch < link.epoch_in:
        raise PeerFault("epoch_back", institution=link.peer)
    if inner.epoch > link.epoch_in + MOST_EPOCHS:
        raise PeerFault("far_ahead", institution=link.peer)
    expected = link.next_in if inner.epoch == link.epoch_in else 1
    if inner.sequence < expected:
        return Place.OLD
    if inner.sequence > expected + AHEAD:
        raise PeerFault("far_ahead", institution=link.peer)
    return Place.NEXT if inner.sequence == expected else Place.EARLY
