"""The chain of manifests, ours and our peers': kept for good, served to who missed one, asked for what an old key signed (`keys.md` §2)."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.actions.common import forget_reminders, remind
from hub.actions.ports import Unit
from hub.cases.events import Alarm
from hub.exchange.records import Link, ManifestVersion, Peer
from keys.errors import KeysError
from keys.freshness import read_opening_key
from keys.manifest import WARNING_DAYS, Manifest
from keys.primitives import SigningKey, VerifyKey

SIGNING_LIFE = timedelta(days=90)
SIGNING_WARNING = timedelta(days=14)


def keep_version(unit: Unit, manifest: Manifest) -> None:
    """Keep a manifest that is in force from now on, and be reminded of its end. Repeating it changes nothing."""
    key = _key(manifest.institution, manifest.version)
    if unit.manifests.get(key) is not None:
        return
    row = ManifestVersion(id=key, institution=manifest.institution, version=manifest.version, data=manifest.raw, at=unit.now)
    unit.manifests.add(row)
    forget_reminders(unit, manifest.institution, ("expiry", "signing_age"))
    remind(unit, "expiry", manifest.institution, manifest.profile.expires - timedelta(days=max(WARNING_DAYS)))
    if manifest.institution == unit.me.id:
        remind(unit, "signing_age", unit.me.id, signing_due(unit) - SIGNING_WARNING)


def version_of(unit: Unit, institution: str, version: int) -> Manifest | None:
    """One version, or None when it never came here."""
    row = unit.manifests.get(_key(institution, version))
    return Manifest.from_bytes(row.data) if row else None


def keys_ever(unit: Unit, institution: str) -> tuple[VerifyKey, ...]:
    """Every signing key that the institution ever listed, newest version first: for evidence, and for what was accepted in its time.

    Never for what arrives: that is held against the current manifest alone (R11).
    """
    rows = unit.manifests.all(institution=institution, order="version")
    listed = [key for row in reversed(rows) for key in Manifest.from_bytes(row.data).profile.hub_signing]
    return tuple(dict.fromkeys(listed))


def keys_now(unit: Unit, institution: str) -> tuple[VerifyKey, ...]:
    """The signing keys of the manifest that is held now, ours or a peer's: what is new here is held against these alone (R11).

    A key that was turned is listed beside its successor until the manifest after; one that was withdrawn is not, and signs nothing any more.
    """
    if institution == unit.me.id:
        return unit.hand.manifest.profile.hub_signing
    peer = unit.peers.get(institution)
    return Manifest.from_bytes(peer.manifest).profile.hub_signing if peer else ()


def known_to(unit: Unit, link: Link) -> tuple[VerifyKey, ...]:
    """Which of our signing keys the peer accepts: those of the version that it holds."""
    ours = unit.hand.manifest
    held = ours if link.holds in (0, ours.version) else version_of(unit, unit.me.id, link.holds)
    return (held or ours).profile.hub_signing


def signer_for(unit: Unit, link: Link) -> SigningKey | None:
    """The newest of our signing keys that the peer accepts; None when it holds a manifest with none that we still have."""
    accepted = known_to(unit, link)
    return next((key for key in (unit.hand.signer, *unit.hand.older) if key.public in accepted), None)


def full_signer(unit: Unit, link: Link) -> SigningKey | None:
    """As `signer_for`, and the key is one of our current manifest. A withdrawn one signs nothing but the road to the newer manifest."""
    signer = signer_for(unit, link)
    return signer if signer is not None and signer.public in unit.hand.manifest.profile.hub_signing else None


def signing_due(unit: Unit) -> datetime:
    """When our signing key has served its 90 days, counted from the first manifest that listed it."""
    ours = (Manifest.from_bytes(row.data).profile for row in unit.manifests.all(institution=unit.me.id, order="version"))
    since = next((p.issued for p in ours if unit.hand.signer.public in p.hub_signing), unit.hand.manifest.profile.issued)
    return since + SIGNING_LIFE


def warn_expiry(unit: Unit, institution: str) -> None:
    """30, 14 and 7 days before a manifest ends, and at its end: administrators of both sides are told."""
    versions = unit.manifests.all(institution=institution, order="version")
    if not versions:
        return
    manifest = Manifest.from_bytes(versions[-1].data)
    step, ends = manifest.warning(unit.now), manifest.profile.expires
    if step is not None:
        days = max(0, (ends - unit.now).days)
        code = "manifest_expired" if step == 0 else "own_manifest_ends" if institution == unit.me.id else "peer_manifest_ends"
        unit.announce(Alarm(code=code, params=(("institution", institution), ("number", str(days)))))
    ahead = [ends - timedelta(days=days) for days in (*WARNING_DAYS, 0)]
    for moment in [m for m in ahead if m > unit.now][:1]:
        remind(unit, "expiry", institution, moment)


def warn_signing(unit: Unit, institution: str) -> None:
    """Our signing key is due, or soon: said once a week until it is turned."""
    due = signing_due(unit)
    if due - unit.now <= SIGNING_WARNING:
        unit.announce(Alarm(code="signing_due", params=(("number", str(max(0, (due - unit.now).days))),)))
    remind(unit, "signing_age", institution, max(due - SIGNING_WARNING, unit.now + timedelta(days=7)))


def still_stated(peer: Peer, manifest: Manifest) -> bytes:
    """The peer's statement, if a key of `manifest` signed it: what a withdrawn key stated is forgotten with it (R11)."""
    try:
        read_opening_key(peer.opening, peer.id, manifest.profile.hub_signing)
    except KeysError:
        return b""
    return peer.opening


def _key(institution: str, version: int) -> str:
    return f"{institution}.{version:010d}"
