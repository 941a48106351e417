"""Opening keys that turn every day: ours are made and destroyed here, the peers' are heard and chosen here (`keys.md` §1, HEK).

Everything that leaves is sealed to the peer's key of the day. Without one only the chores of `LONG_KEY_KINDS` go, to its long key; the rest
waits, unnumbered, and is decided again when it goes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from hub.actions.common import SYSTEM, note, remind
from hub.actions.erase import shred
from hub.actions.facts import freeze
from hub.actions.manifest_versions import keep_version, signer_for
from hub.actions.own_manifest import hear_holds
from hub.actions.peers import manifest_of
from hub.actions.ports import Unit
from hub.base.errors import PeerFault
from hub.exchange.pacing import SILENT_AFTER, pause_before
from hub.exchange.records import Link, Peer
from hub.exchange.wire import Body, Hek, NewManifest
from keys.errors import KeysError
from keys.freshness import OPENING_LIFE, StatedOpeningKey, read_opening_key, sign_freshness, verify_freshness
from keys.manifest import CLOCK_SLACK, Manifest
from keys.primitives import SealingKey, VerifyKey

FRESH_LIFE = OPENING_LIFE
"""A peer that has not confirmed for so long that the manifest we hold is its current one gets no new offers."""
CHAIN_STEP = 3
"""Manifests in one go: what fits one event."""
_TURNED = "own.opening_keys"


def turn_keys(unit: Unit) -> None:
    """Once a day, at the first look: destroy what is older than seven days, then make today's. Our own manifest is put into its chain.

    That it was done today, a line of this very unit says: a new key is in the key store at once, and stays there when the unit rolls back.
    """
    keep_version(unit, unit.hand.manifest)
    midnight = unit.now.replace(hour=0, minute=0, second=0, microsecond=0)
    done = unit.log.count(about=unit.me.id, what=_TURNED, at__ge=midnight, at__le=unit.now)
    if done and unit.daily.made(unit.now):
        return
    for owner in unit.daily.retired(unit.now):
        _retire(unit, owner)
    unit.daily.today(unit.now)
    if not done:
        note(unit, unit.me.id, SYSTEM, _TURNED)


def _retire(unit: Unit, owner: str) -> None:
    """Through a tombstone, so that no restored copy brings the key back (R14); a second one for a day that a clock set back made again."""
    buried = unit.tombstones.get(owner)
    if buried is None:
        shred(unit, owner, "retired")
    else:
        unit.tombstones.put(replace(buried, confirmed_at=None))


def key_for(unit: Unit, peer: Peer) -> SealingKey | None:
    """The peer's key of the day that is still worth sealing to, or None: then it is asked, and nothing but chores goes."""
    stated = _stated(peer)
    return stated.key if stated and stated.usable(unit.now) else None


def is_fresh(unit: Unit, peer: Peer) -> bool:
    """Whether the peer confirmed its manifest lately. Its absence keeps new offers home and nothing else (`keys.md` §2)."""
    return peer.fresh_at is not None and unit.now - peer.fresh_at < FRESH_LIFE


def asks_due(unit: Unit, link: Link) -> datetime | None:
    """When the peer is asked (again) for its key or its manifest; None when there is nothing to ask."""
    peer = unit.peers.get(link.peer)
    if peer is None or (key_for(unit, peer) and not link.behind):
        return None
    return unit.now if link.asked_key_at is None else link.asked_key_at + pause_before(link.asked_key)


def key_chores(unit: Unit, link: Link) -> list[Body]:
    """What to say now about keys and manifests: today's key once a day and whenever asked, a question while we lack theirs, newer manifests."""
    signer = signer_for(unit, link)
    if signer is None:
        return []
    due = asks_due(unit, link)
    want = due is not None and due <= unit.now
    today = link.told_key_at is not None and link.told_key_at.date() == unit.now.date()
    found: list[Body] = []
    returned: list[Body] = []
    if want or link.owes_key or not today:
        returned = _returned(unit, link)
        pinned = unit.hand.manifest
        fresh, stated = sign_freshness(pinned, unit.now, signer), unit.daily.statement(unit.me.id, unit.now, signer)
        found.append(Hek(statement=stated, fresh=fresh, holds=manifest_of(unit, link.peer).version, want=want))
        link = replace(link, told_key_at=unit.now, owes_key=False)
        if want:
            link = replace(link, asked_key=link.asked_key + 1, asked_key_at=unit.now)
        if want and not unit.timers.count(kind="silent", ref=link.id, done_at=None):
            remind(unit, "silent", link.id, unit.now + SILENT_AFTER)
    newer = _newer(unit, link)
    if newer:
        link = replace(link, pushed=max(link.pushed, link.holds) + len(newer))
    if found or newer:  # most looks at the outbox change nothing here
        unit.links.put(link)
    return [*found, *returned, *newer]


def hear_key(unit: Unit, link: Link, body: Hek) -> None:
    """A peer's key of the day, and its word on the manifests. Raises PeerFault `bad_body`, `key_ahead` and errors of `keys`."""
    peer = unit.peers.get(link.peer)
    assert peer is not None, "a link has a peer"
    pinned = Manifest.from_bytes(peer.manifest)
    stated = read_opening_key(body.statement, link.peer, pinned.profile.hub_signing)
    if stated.starts > unit.now + CLOCK_SLACK:  # a key of some far day would stand above all that follow
        raise PeerFault("key_ahead", institution=link.peer)
    fresh = verify_freshness(body.fresh, pinned)
    if fresh.version == pinned.version and fresh.digest != pinned.digest:
        freeze(unit, link, "two_manifests")
        return
    if fresh.issued > unit.now + CLOCK_SLACK:  # nor a word of some far day
        raise PeerFault("key_ahead", institution=link.peer)
    known = _stated(peer)
    newest = peer.fresh_issued is None or fresh.issued >= peer.fresh_issued
    if known is None or stated.starts > known.starts or (stated.starts == known.starts and newest):  # a restored hub makes the day's key anew
        peer = replace(peer, opening=body.statement)
    if fresh.version == pinned.version and newest:
        peer = replace(peer, fresh_at=unit.now, fresh_issued=fresh.issued)
    unit.peers.put(peer)
    hear_holds(unit, link, body.holds)
    if stated.usable(unit.now) and fresh.version <= pinned.version:
        link = replace(link, asked_key=0, asked_key_at=None)
    holds = min(max(body.holds, 1), unit.hand.manifest.version)
    link = replace(link, holds=holds, pushed=holds, behind=fresh.version > pinned.version)
    older = fresh.version < pinned.version  # it came back from a copy, and does not know its own manifest any more
    unit.links.put(replace(link, spoke=fresh.version, owes_key=link.owes_key or body.want or older))


def key_gone(unit: Unit, link: Link) -> None:
    """Something came under a key that is dead: the peer learns today's, and is asked for what it waits for an answer to."""
    if not link.gone:
        unit.links.put(replace(link, gone=True, owes_key=True))
        note(unit, link.id, link.peer, "envelope.key_gone")


def _newer(unit: Unit, link: Link) -> list[Body]:
    """The next versions of our manifest that the peer lacks, in order. What it does not get now it asks for by what it says it holds."""
    if not link.holds:
        return []
    after = max(link.holds, link.pushed)
    rows = unit.manifests.all(institution=unit.me.id, version__ge=after + 1, order="version", limit=CHAIN_STEP)
    return [NewManifest(data=row.data) for row in rows]


def _returned(unit: Unit, link: Link) -> list[Body]:
    """To a peer that speaks of an older manifest of its own than the one we hold: the next versions of it, in order. Public files."""
    if not 0 < link.spoke < manifest_of(unit, link.peer).version:
        return []
    rows = unit.manifests.all(institution=link.peer, version__ge=link.spoke + 1, order="version", limit=CHAIN_STEP)
    return [NewManifest(data=row.data) for row in rows]


def _stated(peer: Peer) -> StatedOpeningKey | None:
    """The newest key that it stated under a signing key that its manifest lists now."""
    return _read(peer.opening, peer.id, Manifest.from_bytes(peer.manifest).profile.hub_signing) if peer.opening else None


@lru_cache(maxsize=64)
def _read(data: bytes, institution: str, keys: tuple[VerifyKey, ...]) -> StatedOpeningKey | None:
    """What the bytes state; asked at every look at the outbox, and the answer depends on these three alone."""
    try:
        return read_opening_key(data, institution, keys)
    except KeysError:
        return None

