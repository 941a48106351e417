"""This institution's own manifest: made at the first start, and a new version whenever what it states has changed (`keys.md` §2)."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

from hub.base.config import Config
from hub.base.errors import Stopped
from hub.matrix.ports import Device
from keys.identity import Identity
from keys.manifest import Manifest, Profile, make_manifest

LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=45)


def own_manifest(config: Config, identity: Identity, device: Device, fingerprint: str, now: datetime) -> Manifest:
    """The manifest in force. Raises Stopped `manifest.root_offline` when a new version is due and the root key is not here."""
    path = config.paths.state / "manifest.json"
    previous = Manifest.from_bytes(path.read_bytes()) if path.exists() else None
    if previous and _same(previous.profile, identity, device, fingerprint) and previous.profile.expires - now > RENEW_BEFORE:
        return previous
    if identity.root is None:
        raise Stopped("manifest.root_offline")
    now = now.replace(microsecond=0)
    profile = Profile(
        institution=config.institution.id,
        kind=config.institution.kind,
        display_name=config.institution.name,
        version=previous.version + 1 if previous else 1,
        issued=now,
        expires=now + LIFE,
        previous=previous.digest if previous else None,
        roots=(identity.root.public,),
        threshold=1,
        hub_signing=(identity.hub_signing.public,),
        opening=identity.opening.public,
        matrix_user=device.user_id,
        device_id=device.device_id,
        device_ed25519=device.ed25519,
        device_curve25519=device.curve25519,
        master_fingerprint=fingerprint,
    )
    data = make_manifest(profile, [identity.root])
    write_manifest(path, data)
    return Manifest.from_bytes(data)


def _same(profile: Profile, identity: Identity, device: Device, fingerprint: str) -> bool:
    """Another device needs no new manifest, and so no root: a statement under the hub signing key says it (`hub/actions/devices.py`)."""
    same_keys = profile.hub_signing == (identity.hub_signing.public,) and profile.opening == identity.opening.public
    return same_keys and (profile.matrix_user, profile.master_fingerprint) == (device.user_id, fingerprint)


def write_manifest(path: Path, data: bytes) -> None:
    """Replace the file whole: after a crash either the old or the new one is there."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
