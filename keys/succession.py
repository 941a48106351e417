"""The next version of a manifest, from draft to signatures: roots on several machines sign one file, one after another (keys.md 2).

A draft is a signed statement that may still lack signatures. Nothing here reads a clock or a disk: bytes in, bytes out. A root
key lies in a file of its own, `tinkuy-root-v1 ` and 64 hex digits, on a machine that no network reaches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from keys.codec import b64, unb64
from keys.errors import BadSignature, ManifestRefused, WrongKey
from keys.manifest import KIND, Manifest
from keys.primitives import SigningKey, VerifyKey
from keys.profile import MAX_BYTES, Profile, parse_profile
from keys.statement import Statement, add_signature, join_signatures, sign, verify

LIFE: Final = timedelta(days=365)
_PRIVATE: Final = re.compile(rb"tinkuy-root-v1 ([0-9a-f]{64})\s*")
_PUBLIC: Final = re.compile(rb"tinkuy-root-public-v1 ([A-Za-z0-9+/]{43}=)\s*")


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Signatures that a draft still needs: `count` more of the keys in `of` (key ids). `whose`: `previous` or `own` roots."""

    whose: str
    count: int
    of: tuple[str, ...]


def successor(previous: Manifest, now: datetime, **changes: Any) -> Profile:
    """What follows `previous`: the same but for `changes`, one version on, a year from now."""
    now = now.replace(microsecond=0)
    return replace(
        previous.profile, version=previous.version + 1, issued=now, expires=now + LIFE, previous=previous.digest, **changes
    )


def draft(profile: Profile, signers: Iterable[SigningKey] = ()) -> Statement:
    """The file that travels from root to root, with the signatures of those who are here."""
    return sign(KIND, profile.to_payload(), *signers)


def read_draft(data: bytes) -> tuple[Statement, Profile]:
    """Parse a draft strictly; its signatures are not looked at. Raises `Malformed`."""
    statement = Statement.from_bytes(data, max_bytes=MAX_BYTES)
    return statement, parse_profile(statement.payload)


def sign_draft(data: bytes, root: SigningKey) -> bytes:
    """The draft with one more signature. Raises `Malformed`."""
    statement, _ = read_draft(data)
    return add_signature(KIND, statement, root).to_bytes()


def joined(drafts: Iterable[bytes]) -> Statement:
    """One draft with the signatures of all. Raises `ManifestRefused` when they are not of one and the same payload."""
    found = join_signatures([read_draft(data)[0] for data in drafts])
    if found is None:
        raise ManifestRefused("these files are not signatures over one and the same manifest", code="manifest.other_draft")
    return found


def missing(previous: Manifest | None, statement: Statement) -> tuple[Missing, ...]:
    """Who still has to sign: enough of the manifest's own roots and, when there was one before, enough of the previous roots."""
    own = parse_profile(statement.payload)
    groups = [("own", own.roots, own.threshold)]
    if previous is not None and previous.profile.roots != own.roots:
        groups.insert(0, ("previous", previous.profile.roots, previous.profile.threshold))
    found = [_lacking(whose, statement, roots, threshold) for whose, roots, threshold in groups]
    return tuple(each for each in found if each.count > 0)


def _lacking(whose: str, statement: Statement, roots: tuple[VerifyKey, ...], threshold: int) -> Missing:
    signed = {key.keyid for key in roots if _holds(statement, key)}
    return Missing(whose=whose, count=threshold - len(signed), of=tuple(key.keyid for key in roots if key.keyid not in signed))


def _holds(statement: Statement, key: VerifyKey) -> bool:
    try:
        verify(KIND, statement, [key])
    except BadSignature:
        return False
    return True


def root_file(root: SigningKey) -> bytes:
    """What the root's own file holds."""
    return b"tinkuy-root-v1 " + root.reveal().hex().encode("ascii") + b"\n"


def read_root(data: bytes) -> SigningKey:
    """The inverse; raises `WrongKey`."""
    found = _PRIVATE.fullmatch(data)
    if found is None:
        raise WrongKey("this file does not hold a root key of Tinkuy")
    return SigningKey(bytes.fromhex(found.group(1).decode("ascii")))


def public_root_file(key: VerifyKey) -> bytes:
    """The public half, as it goes to the hub."""
    return b"tinkuy-root-public-v1 " + b64(key.raw).encode("ascii") + b"\n"


def read_public_root(data: bytes) -> VerifyKey:
    """The inverse; raises `WrongKey`."""
    found = _PUBLIC.fullmatch(data)
    if found is None:
        raise WrongKey("this file does not hold the public half of a root key")
    return VerifyKey(unb64(found.group(1).decode("ascii"), "root key", size=32))
