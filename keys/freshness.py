"""Statements under the hub signing key: "this is my current manifest", "my key of the day" (devices: `keys.devices`).

Freshness defeats a homeserver or courier who keeps back a newer manifest: the link itself says which version is current.
No decision rests on the sender's clock (R05): readers get the stated times and compare receipt times of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from keys import strictjson
from keys.codec import Reader, aware, block, check_id, moment, time_text, time_value
from keys.errors import Malformed
from keys.manifest import Manifest
from keys.primitives import KEYID_SIZE, SEALING_KEY_SIZE, SIGNATURE_SIZE, SealingKey, SigningKey, VerifyKey
from keys.statement import Statement, check_bytes, sign, sign_bytes, verify

FRESHNESS: Final = "freshness"
OPENING: Final = "opening-key"
OPENING_LIFE: Final = timedelta(days=7)
_MAX_BYTES: Final = 4096


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """One institution's word on which manifest is current, and when it said so."""

    institution: str
    version: int
    digest: bytes
    issued: datetime


@dataclass(frozen=True, kw_only=True)
class StatedOpeningKey:
    """A public opening key of the day and how long its owner will hold the private half."""

    institution: str
    key: SealingKey
    starts: datetime
    ends: datetime

    def usable(self, now: datetime) -> bool:
        """True while sealing to it makes sense; leaves a day before its end for the road."""
        return aware(now) < self.ends - timedelta(days=1)


def sign_freshness(manifest: Manifest, now: datetime, signer: SigningKey) -> bytes:
    """The signed statement, about 400 bytes of JSON."""
    payload = strictjson.dumps(
        {
            "institution": manifest.institution,
            "version": manifest.version,
            "digest": manifest.digest.hex(),
            "issued": time_text(now),
        }
    )
    return sign(FRESHNESS, payload, signer).to_bytes()


def verify_freshness(data: bytes, pinned: Manifest) -> Freshness:
    """The statement, once signed by a hub signing key of `pinned` and about that institution.

    Raises `BadSignature` or `Malformed`. A higher version than pinned, or an equal one with another digest, is for the
    caller to act on: fetch the newer manifest, or freeze and alarm.
    """
    payload = verify(FRESHNESS, Statement.from_bytes(data, max_bytes=_MAX_BYTES), pinned.profile.hub_signing)
    found: Any = strictjson.loads(payload, max_bytes=_MAX_BYTES, max_depth=2)
    try:
        fresh = Freshness(
            institution=check_id(found["institution"], "institution id"),
            version=found["version"],
            digest=bytes.fromhex(found["digest"]),
            issued=time_value(found["issued"], "time"),
        )
    except (KeyError, TypeError, ValueError):
        raise Malformed("the freshness statement lacks a field or has one of a wrong type") from None
    if fresh.institution != pinned.institution or type(fresh.version) is not int or len(fresh.digest) != 32:
        raise Malformed("the freshness statement speaks of another institution, or not of a manifest")
    return fresh


def state_opening_key(institution: str, key: SealingKey, starts: datetime, signer: SigningKey) -> bytes:
    """Binary, about 1.4 KiB, small enough to ride as an envelope extension or in a `hek` message.

    institution (1+n) | starts, s (8) | ends, s (8) | public key (1,216) | key id (16) | signature (64)
    """
    begins = int(aware(starts).timestamp())
    ends = begins + int(OPENING_LIFE.total_seconds())
    covered = (
        block(1, check_id(institution, "institution id").encode("ascii"))
        + begins.to_bytes(8, "big")
        + ends.to_bytes(8, "big")
        + key.raw
    )
    return covered + bytes.fromhex(signer.public.keyid) + sign_bytes(OPENING, covered, signer)


def read_opening_key(data: bytes, institution: str, keys: Iterable[VerifyKey]) -> StatedOpeningKey:
    """The stated key, once signed by one of `keys` for `institution`; raises `BadSignature` or `Malformed`."""
    reader = Reader(data, "opening key statement")
    name = reader.text(1, 64)
    begins, ends = reader.number(8), reader.number(8)
    raw, keyid, signature = reader.take(SEALING_KEY_SIZE), reader.take(KEYID_SIZE).hex(), reader.take(SIGNATURE_SIZE)
    reader.end()
    signer = next((each for each in keys if each.keyid == keyid), None)
    if signer is None or name != institution:
        raise Malformed("the opening key is stated by someone else", code="keys.unknown_signer")
    check_bytes(OPENING, data[: -KEYID_SIZE - SIGNATURE_SIZE], signature, signer)
    if not 0 < ends - begins <= OPENING_LIFE.total_seconds() or ends > 2**40 - 1:
        raise Malformed("the opening key is stated for too long a time")
    return StatedOpeningKey(institution=name, key=SealingKey(raw), starts=moment(begins), ends=moment(ends))
