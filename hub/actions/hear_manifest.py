"""A peer's newer manifest, or our own that it gives back, heard through the link: python-tuf's rules decide, never the road (`keys.md` §2)."""

from __future__ import annotations

from dataclasses import replace

from hub.actions.claims import check_claims, check_user
from hub.actions.common import SYSTEM, note
from hub.actions.devices import own_devices
from hub.actions.facts import freeze
from hub.actions.manifest_versions import keep_version, still_stated
from hub.actions.own_manifest import REMIND, hear_own, say_refused
from hub.actions.ports import Unit
from hub.cases.events import Alarm
from hub.exchange.records import Link
from hub.exchange.wire import NewManifest
from keys.errors import KeysError, ManifestRefused
from keys.manifest import Manifest, accept_one

VERSIONS_A_DAY = 20
"""Enough for the chain of years of absence."""


def hear_manifest(unit: Unit, link: Link, body: NewManifest) -> None:
    """Hold the next version in the place of the one before. A refused one is an alarm, and changes nothing; a gap is asked for.

    Expiry alone refuses nothing here: after a long absence the versions in between have expired, and an expired manifest stops offers only.
    """
    if _is_ours(unit, body.data):
        hear_own(unit, link, body.data)
        return
    peer = unit.peers.get(link.peer)
    assert peer is not None, "a link has a peer"
    pinned = Manifest.from_bytes(peer.manifest)
    try:
        found = accept_one(pinned, body.data, unit.now)
        if found.version == pinned.version:
            return
        check_user(found, pinned)
        _check_pace(unit, link)
        contested = check_claims(unit, found, own_devices(unit), peer)
    except KeysError as error:
        _refused(unit, link, body, error.code)
        return
    keep_version(unit, pinned)
    keep_version(unit, found)
    unit.peers.put(replace(peer, manifest=found.raw, opening=still_stated(peer, found), fresh_issued=None))
    unit.links.put(replace(link, owes_key=True, asked_key=0, asked_key_at=None, spoke=0))  # it must know that its newer key may speak now
    note(unit, peer.id, SYSTEM, "peer.manifest", version=found.version)
    unit.announce(Alarm(code="peer_manifest", params=(("institution", link.peer), ("number", str(found.version)))))
    if contested:
        unit.announce(Alarm(code="manifest_contested", params=(("institution", link.peer), ("detail", ", ".join(contested)))))


def _is_ours(unit: Unit, data: bytes) -> bool:
    try:
        return Manifest.from_bytes(data).institution == unit.me.id
    except KeysError:
        return False


def _check_pace(unit: Unit, link: Link) -> None:
    """Each version is kept for good, told, and read with every old signature. Raises ManifestRefused `manifest.too_many`; it may come again later."""
    if unit.manifests.count(institution=link.peer, at__ge=unit.now - REMIND) > VERSIONS_A_DAY:
        raise ManifestRefused("so many versions in one day are no honest turn of keys", code="manifest.too_many")


def _refused(unit: Unit, link: Link, body: NewManifest, why: str) -> None:
    if why == "manifest.gap":
        unit.links.put(replace(link, behind=True))
        return
    if why == "manifest.rollback":  # an old one that came late
        return
    if why == "manifest.equivocation":
        freeze(unit, link, "two_manifests")
    say_refused(unit, link, "manifest_refused", "manifest.refused", why)
