"""What an institution says about itself in public: a signed file, after python-tuf's rules (keys.md 2, design.md 4).

A manifest may travel by any means, since nothing in it is believed for how it came: a first one is believed because people
compared a short code aloud (`shortcode`), a later one because the previous roots signed it. `accept` is that path, numbered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from keys.codec import aware
from keys.errors import BadSignature, KeysError, ManifestRefused
from keys.primitives import SigningKey, sha256
from keys.profile import MAX_BYTES, MAX_LIFE, PROTOCOL_VERSION, Profile, parse_profile
from keys.statement import Statement, sign, verify

KIND: Final = "manifest"
WARNING_DAYS: Final = (30, 14, 7)
CLOCK_SLACK: Final = timedelta(days=1)
"""How far ahead of ours an honest issuer's clock may stand before we call the date wrong."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """A manifest whose own root threshold holds. Whether it is *this peer's* only `accept` or people can say."""

    profile: Profile
    raw: bytes = field(repr=False)
    """The signed file as it came."""
    digest: bytes = field(repr=False)
    """32 bytes over the signed payload; the next version's `previous`."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """Parse strictly and check the manifest's own root signatures; raises `Malformed` or `BadSignature`."""
        return _read(bytes(data))

    @property
    def institution(self) -> str:
        return self.profile.institution

    @property
    def version(self) -> int:
        return self.profile.version

    def expired(self, now: datetime) -> bool:
        """True: no new offers to or from it; messages, withdrawals and check-ins go on (design.md 4)."""
        return aware(now) >= self.profile.expires

    def warning(self, now: datetime) -> int | None:
        """The narrowest warning step reached, in days: 30, 14, 7, or 0 once expired; None while all is well."""
        if self.expired(now):
            return 0
        left = self.profile.expires - aware(now)
        return min((days for days in WARNING_DAYS if left <= timedelta(days=days)), default=None)


@lru_cache(maxsize=64)
def _read(data: bytes) -> Manifest:
    # The answer depends on these bytes alone, so the same file need not be checked at each look; what is refused is not kept.
    statement = Statement.from_bytes(data, max_bytes=MAX_BYTES)
    profile = parse_profile(statement.payload)
    verify(KIND, statement, profile.roots, threshold=profile.threshold)
    return Manifest(profile=profile, raw=data, digest=payload_digest(statement.payload))


def make_manifest(profile: Profile, roots: Sequence[SigningKey]) -> bytes:
    """The signed file. `roots`: enough of this version's roots, and of the previous ones when roots change.

    Raises `BadSignature` when `roots` do not reach the profile's own threshold. For roots on several machines sign in turn
    with `keys.statement.add_signature`.
    """
    statement = sign(KIND, profile.to_payload(), *roots)
    verify(KIND, statement, profile.roots, threshold=profile.threshold)
    return statement.to_bytes()


def payload_digest(payload: bytes) -> bytes:
    """SHA-256, domain separated, over the payload: equal for one manifest however many signatures were added to its file."""
    return sha256(b"TINKUY-v1 manifest digest", payload)


def accept(previous: Manifest | None, candidate: bytes, now: datetime) -> Manifest:
    """The manifest of `candidate`, once it may replace `previous` (None: first meeting, people compare the code next).

    Raises `ManifestRefused` whose `code` names the check. Numbered as python-tuf's "update root" steps:
    (1) well-formed (2) signed by its own roots (3) the same institution (4) exactly the next version; the same bytes again
    are fine (5) the hash of the previous (6) signed by the previous roots (7) no going back in protocol (8) issued in the past,
    not expired.
    """
    found = accept_one(previous, candidate, now)
    if found.expired(now) and found is not previous:  # (8)
        raise ManifestRefused("the manifest has expired; ask the institution for its current one", code="manifest.expired")
    return found


def accept_chain(previous: Manifest | None, candidates: Sequence[bytes], now: datetime) -> Manifest:
    """Accept several versions in order after a long absence. Ones in between may have expired, the last may not."""
    if not candidates:
        raise ManifestRefused("there is no manifest to accept", code="manifest.empty")
    for candidate in candidates[:-1]:
        previous = accept_one(previous, candidate, now)
    return accept(previous, candidates[-1], now)


def accept_one(previous: Manifest | None, candidate: bytes, now: datetime) -> Manifest:
    """Checks (1) to (8) without expiry; `accept` and `accept_chain` are what callers want."""
    try:
        found = Manifest.from_bytes(candidate)  # (1) (2)
    except BadSignature:
        raise ManifestRefused("the manifest is not signed by enough of its own roots", code="manifest.signature") from None
    except KeysError as error:
        raise ManifestRefused(f"the manifest cannot be read: {error}", code="manifest.malformed") from error
    if found.profile.issued > aware(now) + CLOCK_SLACK:  # (8)
        raise ManifestRefused("the manifest is dated in the future; check both clocks", code="manifest.future")
    if previous is None:
        return found
    if found.institution != previous.institution or found.profile.kind != previous.profile.kind:  # (3)
        raise ManifestRefused("the manifest belongs to another institution", code="manifest.other")
    if found.digest == previous.digest:
        return previous
    _check_follows(previous, found)
    return found


def _check_follows(previous: Manifest, found: Manifest) -> None:
    if found.version < previous.version:  # (4)
        raise ManifestRefused("the manifest is older than the one we hold", code="manifest.rollback")
    if found.version == previous.version:
        raise ManifestRefused("there are two manifests of one version; call the institution", code="manifest.equivocation")
    if found.version != previous.version + 1:
        raise ManifestRefused("a manifest version in between is missing; ask for it", code="manifest.gap")
    if found.profile.previous != previous.digest:  # (5)
        raise ManifestRefused("the manifest does not continue the one we hold", code="manifest.fork")
    try:  # (6)
        verify(KIND, Statement.from_bytes(found.raw), previous.profile.roots, threshold=previous.profile.threshold)
    except BadSignature:
        text = "the roots we trust did not sign the manifest; pair again in person"
        raise ManifestRefused(text, code="manifest.roots") from None
    if found.profile.minimum_protocol < previous.profile.minimum_protocol:  # (7)
        raise ManifestRefused("the manifest would go back to an older protocol", code="manifest.downgrade")


__all__ = [
    "CLOCK_SLACK",
    "KIND",
    "MAX_BYTES",
    "MAX_LIFE",
    "PROTOCOL_VERSION",
    "WARNING_DAYS",
    "Manifest",
    "Profile",
    "accept",
    "accept_chain",
    "accept_one",
    "make_manifest",
    "payload_digest",
]
