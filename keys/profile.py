"""The fields of a manifest as a frozen value: what may be stated, and in which form (keys.md 2).

Parsing is strict about the fields it knows and tolerates ones it does not: those are signed, public, and a newer hub may need
them. The signed bytes themselves are never re-made from the parsed value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from keys import strictjson
from keys.codec import KIND_PATTERN, aware, b64, check_id, time_text, time_value, unb64
from keys.errors import Malformed
from keys.primitives import SEALING_KEY_SIZE, SealingKey, VerifyKey

PROTOCOL_VERSION: Final = 1
"""What this release speaks hub to hub."""
MAX_LIFE: Final = timedelta(days=400)
MAX_BYTES: Final = 32 * 1024
USER_PATTERN: Final = re.compile(r"@[a-z0-9._=/+-]{1,200}:[A-Za-z0-9.:\[\]-]{1,200}")
DEVICE_PATTERN: Final = re.compile(r"[A-Z2-7]{10}")
MATRIX_KEY_PATTERN: Final = re.compile(r"[A-Za-z0-9+/]{43}")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a manifest states, before anybody signed it. Times are aware; `issued` and `expires` count in whole seconds."""

    institution: str
    kind: str
    """Institution kind, a code of the policy vocabulary."""
    display_name: str
    version: int
    issued: datetime
    expires: datetime
    previous: bytes | None
    """`Manifest.digest` of the version before; None exactly for version 1."""
    roots: tuple[VerifyKey, ...]
    threshold: int
    hub_signing: tuple[VerifyKey, ...]
    """HSKs that may sign envelopes now; two while one is being rotated."""
    opening: SealingKey
    """The long opening key: opens link chores only, never personal data."""
    matrix_user: str
    device_id: str
    """Ten base32 characters, random (N8)."""
    device_ed25519: str
    device_curve25519: str
    master_fingerprint: str
    """Public half of the cross-signing master key, unpadded base64 as Matrix prints it."""
    minimum_protocol: int = PROTOCOL_VERSION
    contact: str = ""
    """How people reach the institution's administrators; public, a role and never a person."""

    def __post_init__(self) -> None:
        check_id(self.institution, "institution id")
        check_id(self.kind, "institution kind", KIND_PATTERN)
        _check_text(self.display_name, 1, 120, "display name")
        _check_text(self.contact, 0, 300, "contact")
        _check_numbers(self)
        _check_keys(self)
        for value, pattern, what in (
            (self.matrix_user, USER_PATTERN, "Matrix user id"),
            (self.device_id, DEVICE_PATTERN, "Matrix device id"),
            (self.device_ed25519, MATRIX_KEY_PATTERN, "device's Ed25519 key"),
            (self.device_curve25519, MATRIX_KEY_PATTERN, "device's Curve25519 key"),
            (self.master_fingerprint, MATRIX_KEY_PATTERN, "cross-signing master key"),
        ):
            check_id(value, what, pattern)

    def to_payload(self) -> bytes:
        """The bytes to sign. Never re-made from parsed values: readers keep the bytes they got."""
        return strictjson.dumps(
            {
                "institution": self.institution,
                "kind": self.kind,
                "display_name": self.display_name,
                "version": self.version,
                "issued": time_text(self.issued),
                "expires": time_text(self.expires),
                "previous": None if self.previous is None else self.previous.hex(),
                "roots": {"keys": [b64(key.raw) for key in self.roots], "threshold": self.threshold},
                "hub_signing": [b64(key.raw) for key in self.hub_signing],
                "opening": b64(self.opening.raw),
                "matrix": {
                    "user": self.matrix_user,
                    "device": self.device_id,
                    "ed25519": self.device_ed25519,
                    "curve25519": self.device_curve25519,
                    "master": self.master_fingerprint,
                },
                "minimum_protocol": self.minimum_protocol,
                "contact": self.contact,
            }
        )


def parse_profile(payload: bytes) -> Profile:
    """Parse the payload. Unknown keys are tolerated: they are signed, public, and a newer hub may need them."""
    found = strictjson.loads(payload, max_bytes=MAX_BYTES, max_depth=6)
    try:
        return _profile_from(found)
    except (KeyError, TypeError, AttributeError):
        raise Malformed("the manifest lacks a field or has one of a wrong type") from None


def _profile_from(found: Any) -> Profile:
    previous, matrix, roots = found["previous"], found["matrix"], found["roots"]
    return Profile(
        institution=found["institution"],
        kind=found["kind"],
        display_name=found["display_name"],
        version=found["version"],
        issued=time_value(found["issued"], "issue date"),
        expires=time_value(found["expires"], "expiry date"),
        previous=None if previous is None else _digest(previous),
        roots=_keys(roots["keys"], "root key"),
        threshold=roots["threshold"],
        hub_signing=_keys(found["hub_signing"], "hub signing key"),
        opening=SealingKey(unb64(found["opening"], "opening key", size=SEALING_KEY_SIZE)),
        matrix_user=matrix["user"],
        device_id=matrix["device"],
        device_ed25519=matrix["ed25519"],
        device_curve25519=matrix["curve25519"],
        master_fingerprint=matrix["master"],
        minimum_protocol=found["minimum_protocol"],
        contact=found["contact"],
    )


def _keys(found: Any, what: str) -> tuple[VerifyKey, ...]:
    if not isinstance(found, list):
        raise Malformed(f"the {what}s are a list")
    return tuple(VerifyKey(unb64(each, what, size=32)) for each in found)


def _digest(text: Any) -> bytes:
    if not isinstance(text, str) or not re.fullmatch(r"[0-9a-f]{64}", text):
        raise Malformed("the previous hash is 64 lower-case hex digits")
    return bytes.fromhex(text)


def _check_text(value: Any, least: int, most: int, what: str) -> None:
    if not isinstance(value, str) or not least <= len(value) <= most or not (value.isprintable() or not value):
        raise Malformed(f"the {what} has {least} to {most} printable characters")


def _check_numbers(profile: Profile) -> None:
    numbers = (profile.version, profile.threshold, profile.minimum_protocol)
    if any(not isinstance(each, int) or isinstance(each, bool) or not 1 <= each < 2**31 for each in numbers):
        raise Malformed("version, threshold and protocol are whole numbers from 1")
    if (profile.previous is None) != (profile.version == 1):
        raise Malformed("exactly version 1 has no previous manifest")
    if not timedelta(0) < aware(profile.expires) - aware(profile.issued) <= MAX_LIFE:
        raise Malformed(f"a manifest lives from its issue date at most {MAX_LIFE.days} days", code="manifest.life")


def _check_keys(profile: Profile) -> None:
    roots, hub = set(profile.roots), set(profile.hub_signing)
    if not 1 <= len(hub) == len(profile.hub_signing) <= 4 or not 1 <= len(roots) == len(profile.roots) <= 9:
        raise Malformed("a manifest lists 1 to 9 root keys and 1 to 4 hub signing keys, each once")
    if profile.threshold > len(roots):
        raise Malformed("the threshold is higher than the number of root keys")
    if roots & hub:
        raise Malformed("a root key never signs for the hub: it would have to live on the hub's machine")
