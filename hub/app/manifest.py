"""This institution's own manifest: made at the first start, and a new version whenever what it states has changed (`keys.md` §2)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hub.app.manifests_beside import lay_beside
from hub.base.config import Config
from hub.base.errors import Stopped
from hub.matrix.ports import Device
from hub.store.repositories import VouchedRows
from hub.store.seals import Seals
from hub.store.tables import LINKS, MANIFESTS
from keys import strictjson
from keys.errors import KeysError, ManifestRefused
from keys.identity import HUB_SIGNING, NEXT, OPENING, Identity, load_identity, promote
from keys.keyring import Keyring
from keys.manifest import Manifest, Profile, accept, accept_one
from keys.primitives import OpeningKey, SigningKey, VerifyKey
from keys.profile import MAX_BYTES
from keys.succession import LIFE, draft, missing, read_public_root, successor

RENEW_BEFORE = timedelta(days=45)


def manifest_path(config: Config) -> Path:
    """The manifest in force."""
    return config.paths.state / "manifest.json"


def file_manifest(path: Path) -> Manifest | None:
    """What lies there; None on a machine that never started."""
    return Manifest.from_bytes(path.read_bytes()) if path.exists() else None


def draft_path(config: Config) -> Path:
    """The next one, while it still lacks signatures."""
    return config.paths.state / "manifest-next.json"


def roots_path(config: Config) -> Path:
    """Which roots the very first manifest is to name, when they are kept elsewhere from the start: {threshold, roots: [public file]}."""
    return config.paths.state / "roots.json"


def is_settled(connection: Any, seals: Seals, institution: str, known: Manifest | None) -> bool:
    """Whether no newer version of ours can be elsewhere: none lies here that is not in force yet, and every peer that can has answered a restore."""
    newer = VouchedRows(connection, MANIFESTS, seals).count(institution=institution, version__ge=known.version + 1 if known else 1)
    return not newer and not any(link.awaited for link in VouchedRows(connection, LINKS, seals).all())


def own_manifest(
    config: Config, identity: Identity, keyring: Keyring, device: Device, fingerprint: str, now: datetime, *, settled: bool
) -> Manifest:
    """The manifest in force. Raises Stopped `manifest.root_offline` when another one must be signed first; its draft then lies ready.

    Until it is `settled`, none is made by itself: it could be the second of its version, which freezes every link. A renewal has weeks. For another
    account one is made all the same: nobody can answer the one that the manifest names, and people carry it anyway.
    """
    path = manifest_path(config)
    previous = file_manifest(path)
    waits = previous is not None and not settled and previous.profile.matrix_user == device.user_id
    if not waits:
        previous = _signed_meanwhile(config, keyring, previous, now) or previous
    if previous:
        _settle(keyring, previous)
        identity = load_identity(keyring)
    fits = previous is not None and _same(previous.profile, device, fingerprint)
    if previous and (waits or (fits and previous.profile.expires - now > RENEW_BEFORE)):
        return previous
    profile = _stated(config, identity, previous, device, fingerprint, now)
    statement = draft(profile, [identity.root] if identity.root else [])
    if missing(previous, statement):
        write(draft_path(config), statement.to_bytes())
        if previous and fits:  # it still holds: a renewal that waits for its signatures stops nobody
            return previous
        raise Stopped("manifest.root_offline")
    write(path, statement.to_bytes())
    made = Manifest.from_bytes(statement.to_bytes())
    lay_beside(config, made)
    return made


def adopt(config: Config, keyring: Keyring, previous: Manifest | None, data: bytes, now: datetime) -> Manifest:
    """Put a fully signed manifest in force: checked by the rules that peers will apply, and that its keys are ours; then written, then promoted.

    Raises `ManifestRefused`: `manifest.not_ours` when it names a key that this hub does not have.
    """
    found = accept(previous, data, now)
    if found.institution != config.institution.id or not names_ours(keyring, found.profile):
        raise ManifestRefused("the manifest names a signing or opening key that this hub does not have", code="manifest.not_ours")
    write(manifest_path(config), found.raw)
    lay_beside(config, found)
    _settle(keyring, found)
    draft_path(config).unlink(missing_ok=True)
    return found


def take_back(config: Config, keyring: Keyring, previous: Manifest, chain: Iterable[bytes], now: datetime) -> Manifest:
    """Put versions of ours in force that this hub forgot with a restore and others kept. Raises `ManifestRefused`; then nothing changed.

    Some of their private keys may be lost: `adopt` would refuse that, but peers hold this manifest already, and what we say under an older
    one freezes their links. Keys that wait here as successors, and that it names, take their place.
    """
    found = previous
    for data in chain:
        found = accept_one(found, data, now)
        lay_beside(config, found)
    if found is not previous:
        write(manifest_path(config), found.raw)
        draft_path(config).unlink(missing_ok=True)
    _settle(keyring, found)
    return found


def _signed_meanwhile(config: Config, keyring: Keyring, previous: Manifest | None, now: datetime) -> Manifest | None:
    """The draft, once enough roots signed it while the hub was down. One that lacks signatures, or does not follow, is left where it is."""
    try:
        return adopt(config, keyring, previous, draft_path(config).read_bytes(), now)
    except (OSError, KeysError):
        return None


def _settle(keyring: Keyring, manifest: Manifest) -> None:
    """Whatever successor the manifest in force names takes its place now: the turn may have been interrupted before that."""
    profile = manifest.profile
    if keyring.has(HUB_SIGNING + NEXT) and SigningKey(keyring.get(HUB_SIGNING + NEXT)).public == profile.hub_signing[0]:
        promote(keyring, HUB_SIGNING, SigningKey(keyring.get(HUB_SIGNING)).public.keyid)
    if keyring.has(OPENING + NEXT) and OpeningKey(keyring.get(OPENING + NEXT)).public == profile.opening:
        promote(keyring, OPENING, OpeningKey(keyring.get(OPENING)).public.hint.hex())


def names_ours(keyring: Keyring, profile: Profile) -> bool:
    """Whether this keyring has the signing and the opening key that a manifest states, in force or as successors."""
    signing = [SigningKey(keyring.get(name)).public for name in (HUB_SIGNING, HUB_SIGNING + NEXT) if keyring.has(name)]
    opening = [OpeningKey(keyring.get(name)).public for name in (OPENING, OPENING + NEXT) if keyring.has(name)]
    return profile.hub_signing[0] in signing and profile.opening in opening


def _stated(
    config: Config, identity: Identity, previous: Manifest | None, device: Device, fingerprint: str, now: datetime
) -> Profile:
    """What is true now. Roots and signing keys go on as they stood; the very first names the root that is here, or those in `roots.json`."""
    shown: dict[str, Any] = {
        "matrix_user": device.user_id, "device_id": device.device_id, "device_ed25519": device.ed25519,
        "device_curve25519": device.curve25519, "master_fingerprint": fingerprint,
    }  # fmt: skip
    if previous:  # never the keys of the keyring: after a restore they may be older than the manifest, and one of them stolen and withdrawn
        return successor(previous, now, display_name=config.institution.name, **shown)
    roots, threshold = _first_roots(config, identity)
    now = now.replace(microsecond=0)
    return Profile(
        institution=config.institution.id, kind=config.institution.kind, display_name=config.institution.name, version=1, issued=now,
        expires=now + LIFE, previous=None, roots=roots, threshold=threshold, hub_signing=(identity.hub_signing.public,),
        opening=identity.opening.public, **shown,
    )  # fmt: skip


def _first_roots(config: Config, identity: Identity) -> tuple[tuple[VerifyKey, ...], int]:
    if identity.root is not None:
        return (identity.root.public,), 1
    try:
        told = strictjson.loads(roots_path(config).read_bytes(), max_bytes=MAX_BYTES, max_depth=3)
        return tuple(read_public_root(each.encode()) for each in told["roots"]), int(told["threshold"])
    except (OSError, KeysError, KeyError, TypeError, ValueError, AttributeError):
        raise Stopped("manifest.no_roots") from None


def _same(profile: Profile, device: Device, fingerprint: str) -> bool:
    """Another device needs no new manifest, and so no root: a statement under the hub signing key says it (`hub/actions/devices.py`).

    Nor do keys that are not here (`hub/actions/own_manifest.py`): a turn that nobody ordered never happens.
    """
    return (profile.matrix_user, profile.master_fingerprint) == (device.user_id, fingerprint)


def write(path: Path, data: bytes) -> None:
    """Whole or not at all, and on disk when this returns."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
