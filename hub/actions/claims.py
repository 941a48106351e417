"""What a manifest claims for its institution, and who held that before (X25): a claim alone takes nothing from anybody, and stops nobody.

A claim is firm that people compared when they paired, or that its holder proved by a signature: who comes second with it is refused whole. Any
other is a word. To refuse an honest manifest for another's mere word would let a peer block the withdrawal of a stolen key. So such a
manifest is taken for its keys, people are told both names, and a contested *device* of it does not count: `pinned_devices`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime

from hub.actions.ports import Unit
from hub.exchange.records import Peer
from keys.devices import StatedDevice, kept_devices, manifest_device
from keys.errors import DirectoryConflict, KeysError, ManifestRefused
from keys.freshness import read_opening_key
from keys.manifest import KIND, Manifest
from keys.primitives import VerifyKey
from keys.statement import Statement, verify

Claims = set[tuple[str, str]]


def check_claims(unit: Unit, found: Manifest, own_devices: Iterable[StatedDevice], known: Peer | None = None) -> tuple[str, ...]:
    """Whose words alone `found` contradicts. What its institution held already is not asked again.

    Raises DirectoryConflict, which names the holder, when it claims what is ours, our staff's, or firmly another peer's.
    """
    held = _held(known) if known else set()
    new = _claims(found) - held
    ours = _claims(unit.hand.manifest) | _device_claims(own_devices) | {("matrix user", person.id) for person in unit.staff.all(removed_at=None)}
    _refuse(found, new & ours, unit.me.id)
    others = [peer for peer in unit.peers.all(order="id") if peer.id != found.institution]
    for other in others:
        _refuse(found, new & _firm(unit, other), other.id)
    for other in () if known else others:
        _refuse(found, new & _device_claims(devices_of(other)), other.id)  # people look before they pair, and can ask whose it is
    return tuple(other.id for other in others if new & _held(other))


def check_user(found: Manifest, pinned: Manifest) -> None:
    """The account is how a peer is found and believed: another one is a matter for people. Raises ManifestRefused `manifest.user`."""
    if found.profile.matrix_user != pinned.profile.matrix_user:
        raise ManifestRefused("the manifest names another Matrix user; people must pair again", code="manifest.user")


def devices_of(peer: Peer) -> tuple[StatedDevice, ...]:
    """The devices this peer says it speaks from: its statement's while that holds under its manifest, else the manifest's one.

    None that people decided is another's (`hub/actions/disputes.py`).
    """
    manifest = Manifest.from_bytes(peer.manifest)
    stated = kept_devices(peer.devices, manifest)
    return tuple(one for one in (stated.devices if stated else (manifest_device(manifest),)) if not is_denied(peer, one))


def is_denied(peer: Peer, device: StatedDevice) -> bool:
    """Whether people decided that it is another's."""
    return bool(peer.denied.keys() & {device.ed25519, device.curve25519})


def pinned_devices(unit: Unit, peer: Peer) -> tuple[StatedDevice, ...]:
    """Those that are believed. A later manifest's device that another had before does not count: then the one before it, or none."""
    manifest = Manifest.from_bytes(peer.manifest)
    if kept_devices(peer.devices, manifest) or compared_device(unit, peer) is not None:
        return devices_of(peer)
    rows = unit.manifests.all(institution=peer.id, version__le=manifest.version, order="-version")
    candidates = [manifest_device(manifest), *(manifest_device(Manifest.from_bytes(row.data)) for row in rows)]
    return next(((one,) for one in candidates if not is_denied(peer, one) and not _before(unit, peer, one)), ())


def compared_device(unit: Unit, peer: Peer) -> StatedDevice | None:
    """The device of its manifest, if the first manifest that people here were given names it too, and they did not decide that it is another's."""
    device = manifest_device(Manifest.from_bytes(peer.manifest))
    return device if device == manifest_device(_first(unit, peer)) and not is_denied(peer, device) else None


def _before(unit: Unit, peer: Peer, device: StatedDevice) -> bool:
    """Whether another confirmed peer states a key of the device, or named it in a manifest that came here no later."""
    keys, since = {device.ed25519, device.curve25519}, _since(unit, peer, device)
    for other in unit.peers.all(id__not=peer.id, state="confirmed"):
        theirs = [one for one in devices_of(other) if {one.ed25519, one.curve25519} & keys]
        manifests = manifest_device(Manifest.from_bytes(other.manifest))
        if any(one != manifests or kept_devices(other.devices, Manifest.from_bytes(other.manifest)) for one in theirs):
            return True
        if theirs and _since(unit, other, manifests) <= since:
            return True
    return False


def _since(unit: Unit, peer: Peer, device: StatedDevice) -> datetime:
    """When the first manifest that names it came here."""
    rows = unit.manifests.all(institution=peer.id, order="version")
    return next((row.at for row in rows if manifest_device(Manifest.from_bytes(row.data)) == device), unit.now)


def _refuse(found: Manifest, clash: Claims, holder: str) -> None:
    if clash:
        what = min(clash)[0]
        text = f"`{found.institution}` claims the {what} of `{holder}`"
        raise DirectoryConflict(text, code=f"directory.{what.replace(' ', '_')} ({holder})")


def _claims(manifest: Manifest) -> Claims:
    profile = manifest.profile
    keys = {("hub key", key.keyid) for key in (*profile.hub_signing, *profile.roots)}
    rest = {("matrix user", profile.matrix_user), ("master key", profile.master_fingerprint), ("opening key", profile.opening.raw.hex())}
    return _device_claims([manifest_device(manifest)]) | keys | rest


def _device_claims(devices: Iterable[StatedDevice]) -> Claims:
    """By id too: nio takes whatever has the id of our own device for it (N8), so that no manifest may name one that is in use."""
    kinds = (("device id", "device_id"), ("device key", "ed25519"), ("device key", "curve25519"))
    return {(kind, getattr(one, name)) for one in devices for kind, name in kinds}


def _held(peer: Peer) -> Claims:
    return _claims(Manifest.from_bytes(peer.manifest)) | _device_claims(devices_of(peer))


def _firm(unit: Unit, peer: Peer) -> Claims:
    """What it still claims of its first manifest, its account, and the keys that it has shown to have.

    No device of one that nobody confirmed: its manifest is a public file, which may name what it saw at a homeserver.
    """
    manifest = Manifest.from_bytes(peer.manifest)
    keys = (*manifest.profile.hub_signing, *manifest.profile.roots)
    shown = {("hub key", key.keyid) for key in keys if _shown(peer, manifest, key)}
    devices = set() if peer.state == "confirmed" else _device_claims([manifest_device(manifest)])
    return _claims(manifest) & _claims(_first(unit, peer)) - devices | {("matrix user", manifest.profile.matrix_user)} | shown


def _shown(peer: Peer, manifest: Manifest, key: VerifyKey) -> bool:
    """Whether it signed with this key what can be nobody else's: the manifest itself (a root), or its key of the day."""
    for proven in (lambda: verify(KIND, Statement.from_bytes(manifest.raw), [key]), lambda: read_opening_key(peer.opening, peer.id, [key])):
        with contextlib.suppress(KeysError):
            proven()
            return True
    return False


def _first(unit: Unit, peer: Peer) -> Manifest:
    row = unit.manifests.one(institution=peer.id, order="version")
    return Manifest.from_bytes(row.data if row else peer.manifest)
