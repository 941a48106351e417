"""The Matrix devices an institution speaks from now, stated under its hub signing key (keys.md 5): after a restore, or with two servers.

The roots are offline, so a new device cannot wait for a new manifest. The statement is public like a manifest and believed for its
signature alone, never for how it came. It replaces the manifest's device as long as a key of the accepted manifest has signed it: when
a stolen hub signing key leaves the manifest, whatever that key stated falls with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keys import strictjson
from keys.codec import aware, check_id, time_text, time_value
from keys.errors import BadSignature, DevicesRefused, KeysError, Malformed
from keys.manifest import CLOCK_SLACK, Manifest
from keys.primitives import SigningKey
from keys.profile import DEVICE_PATTERN, MATRIX_KEY_PATTERN, USER_PATTERN
from keys.statement import Statement, sign, verify

KIND: Final = "devices"
MAX_BYTES: Final = 4096
MAX_DEVICES: Final = 4


@dataclass(frozen=True, kw_only=True)
class StatedDevice:
    """One Matrix device by its keys, unpadded base64 as Matrix prints them."""

    device_id: str
    ed25519: str
    curve25519: str

    def __post_init__(self) -> None:
        check_id(self.device_id, "Matrix device id", DEVICE_PATTERN)
        check_id(self.ed25519, "device's Ed25519 key", MATRIX_KEY_PATTERN)
        check_id(self.curve25519, "device's Curve25519 key", MATRIX_KEY_PATTERN)


@dataclass(frozen=True, kw_only=True)
class DeviceStatement:
    """All devices that live, and no other."""

    institution: str
    number: int
    """Strictly growing: the time of issue in milliseconds, so that it also grows over a restore from an old backup."""
    issued: datetime
    user: str
    devices: tuple[StatedDevice, ...]

    def __post_init__(self) -> None:
        check_id(self.institution, "institution id")
        check_id(self.user, "Matrix user id", USER_PATTERN)
        if type(self.number) is not int or not 0 < self.number < 2**53:
            raise Malformed("the number of a device statement is a whole number from 1")
        ids, keys = {one.device_id for one in self.devices}, {key for one in self.devices for key in (one.ed25519, one.curve25519)}
        if not 1 <= len(self.devices) <= MAX_DEVICES or len(ids) != len(self.devices) or len(keys) != 2 * len(self.devices):
            raise Malformed(f"a device statement lists 1 to {MAX_DEVICES} devices, each id and key once")


def manifest_device(manifest: Manifest) -> StatedDevice:
    """The one device that a manifest states."""
    profile = manifest.profile
    return StatedDevice(device_id=profile.device_id, ed25519=profile.device_ed25519, curve25519=profile.device_curve25519)


def next_number(now: datetime, last: int = 0) -> int:
    """The number of a statement made now, after one with the number `last`."""
    return max(last + 1, int(aware(now).timestamp() * 1000))


def sign_devices(stated: DeviceStatement, signer: SigningKey) -> bytes:
    """The signed statement, about 600 bytes of JSON for one device."""
    devices = [{"id": one.device_id, "ed25519": one.ed25519, "curve25519": one.curve25519} for one in stated.devices]
    payload = {
        "institution": stated.institution,
        "number": stated.number,
        "issued": time_text(stated.issued),
        "user": stated.user,
        "devices": devices,
    }
    return sign(KIND, strictjson.dumps(payload), signer).to_bytes()


def verify_devices(data: bytes, manifest: Manifest) -> DeviceStatement:
    """What `data` states, once a hub signing key of `manifest` signed it, about this institution and its Matrix user.

    Raises `Malformed`, `BadSignature` or `DevicesRefused`. Says nothing about its age: see `accept_devices`.
    """
    payload = verify(KIND, Statement.from_bytes(data, max_bytes=MAX_BYTES), manifest.profile.hub_signing)
    found: Any = strictjson.loads(payload, max_bytes=MAX_BYTES, max_depth=4)
    try:
        stated = DeviceStatement(
            institution=found["institution"],
            number=found["number"],
            issued=time_value(found["issued"], "time"),
            user=found["user"],
            devices=tuple(StatedDevice(device_id=one["id"], ed25519=one["ed25519"], curve25519=one["curve25519"]) for one in found["devices"]),
        )
    except (KeyError, TypeError):
        raise Malformed("the device statement lacks a field or has one of a wrong type") from None
    if (stated.institution, stated.user) != (manifest.institution, manifest.profile.matrix_user):
        raise DevicesRefused("the device statement speaks of another institution or Matrix user", code="devices.other")
    return stated


def kept_devices(kept: bytes, manifest: Manifest) -> DeviceStatement | None:
    """The statement kept of a peer, as long as it still holds under the manifest that is accepted now; None: the manifest's device counts."""
    try:
        return verify_devices(kept, manifest) if kept else None
    except KeysError:
        return None


def accept_devices(kept: bytes, candidate: bytes, manifest: Manifest, now: datetime) -> DeviceStatement:
    """The statement of `candidate`, once it may replace the one `kept` (empty: none). The same bytes again are fine.

    Raises `DevicesRefused` whose `code` names the check: (1) well-formed (2) signed by a hub signing key of `manifest` (3) about that
    institution and its Matrix user (4) not dated in the future (5) a higher number than the one kept.
    """
    try:
        found = verify_devices(candidate, manifest)  # (1) (2) (3)
    except BadSignature:
        raise DevicesRefused("the device statement is not signed by this institution's hub", code="devices.signature") from None
    except DevicesRefused:
        raise
    except KeysError as error:
        raise DevicesRefused(f"the device statement cannot be read: {error}", code="devices.malformed") from error
    latest = aware(now) + CLOCK_SLACK
    if found.issued > latest or found.number > next_number(latest):  # (4)
        raise DevicesRefused("the device statement is dated in the future; check both clocks", code="devices.future")
    before = kept_devices(kept, manifest)
    if before is not None and candidate != kept and found.number <= before.number:  # (5)
        raise DevicesRefused("the device statement is older than the one we hold", code="devices.old")
    return found
