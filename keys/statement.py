"""Signed bytes: a signature always says what kind of promise it is.

The message signed is `b"TINKUY-v1" | len(kind) (1) | kind | len(payload) (8, big endian) | payload`, so a signature over a
receipt can never be shown as one over a manifest, and no two (kind, payload) pairs make the same bytes. Payloads are signed
as bytes and never re-canonicalised: `{"payload": base64, "sigs": [{"keyid", "sig"}]}` (keys.md 2, in the manner of DSSE).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from keys import strictjson
from keys.codec import KIND_PATTERN, b64, block, check_id, unb64
from keys.errors import BadSignature, Malformed, TooLarge
from keys.primitives import SIGNATURE_SIZE, SigningKey, VerifyKey

DOMAIN: Final = b"TINKUY-v1"
MAX_BYTES: Final = 64 * 1024
MAX_SIGNATURES: Final = 16


@dataclass(frozen=True, kw_only=True)
class Signature:
    """One signature beside its key's derived name."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A payload and the signatures that came with it. Unverified until `verify` returned the payload."""

    payload: bytes
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """The JSON form; `from_bytes` reads it back."""
        sigs = [{"keyid": each.keyid, "sig": b64(each.sig)} for each in self.signatures]
        return strictjson.dumps({"payload": b64(self.payload), "sigs": sigs})

    @classmethod
    def from_bytes(cls, data: bytes, *, max_bytes: int = MAX_BYTES) -> Statement:
        """Parse the JSON form strictly; raises `Malformed`. Says nothing about validity."""
        found = strictjson.loads(data, max_bytes=max_bytes, max_depth=4)
        if not isinstance(found, dict) or set(found) != {"payload", "sigs"} or not isinstance(found["sigs"], list):
            raise Malformed("a signed statement has exactly `payload` and `sigs`")
        if len(found["sigs"]) > MAX_SIGNATURES:
            raise TooLarge(f"a signed statement has at most {MAX_SIGNATURES} signatures")
        signatures = tuple(_signature(each) for each in found["sigs"])
        if len({each.keyid for each in signatures}) != len(signatures):
            raise Malformed("a signed statement names the same key twice")
        return cls(payload=unb64(found["payload"], "payload"), signatures=signatures)


def _signature(found: object) -> Signature:
    if not isinstance(found, dict) or set(found) != {"keyid", "sig"} or not isinstance(found["keyid"], str):
        raise Malformed("a signature has exactly `keyid` and `sig`")
    return Signature(keyid=found["keyid"], sig=unb64(found["sig"], "signature", size=SIGNATURE_SIZE))


def message(kind: str, payload: bytes) -> bytes:
    """The exact bytes a signature of this `kind` covers."""
    name = check_id(kind, "statement kind", KIND_PATTERN).encode("ascii")
    return DOMAIN + block(1, name) + block(8, payload)


def sign_bytes(kind: str, payload: bytes, signer: SigningKey) -> bytes:
    """The bare 64-byte signature, for binary formats that name the key themselves."""
    return signer.sign(message(kind, payload))


def check_bytes(kind: str, payload: bytes, signature: bytes, key: VerifyKey) -> None:
    """Raise `BadSignature` unless `signature` is `key`'s over this kind and payload."""
    key.verify(message(kind, payload), signature)


def sign(kind: str, payload: bytes, *signers: SigningKey) -> Statement:
    """A statement signed by all `signers`, in order of their key ids."""
    covered = message(kind, payload)
    made = {key.public.keyid: Signature(keyid=key.public.keyid, sig=key.sign(covered)) for key in signers}
    return Statement(payload=payload, signatures=tuple(made[keyid] for keyid in sorted(made)))


def join_signatures(parts: Sequence[Statement]) -> Statement | None:
    """One statement with the signatures of all; None when they are not over one and the same payload."""
    if len({part.payload for part in parts}) != 1:
        return None
    signatures = {each.keyid: each for part in parts for each in part.signatures}
    return Statement(payload=parts[0].payload, signatures=tuple(signatures[keyid] for keyid in sorted(signatures)))


def add_signature(kind: str, statement: Statement, signer: SigningKey) -> Statement:
    """`statement` with one more signature: how m-of-n roots on different machines sign one file, one after another."""
    mine = sign(kind, statement.payload, signer).signatures
    others = tuple(each for each in statement.signatures if each.keyid != signer.public.keyid)
    return Statement(payload=statement.payload, signatures=tuple(sorted(others + mine, key=lambda each: each.keyid)))


def verify(kind: str, statement: Statement, keys: Iterable[VerifyKey], *, threshold: int = 1) -> bytes:
    """The payload, once at least `threshold` *different* keys of `keys` signed it as this `kind`; else `BadSignature`.

    Signatures by other keys are ignored, not refused: after a root change both old and new sign one file, and each reader
    counts the ones it knows.
    """
    if threshold < 1:
        raise BadSignature("a threshold below one would accept unsigned bytes")
    by_id = {key.keyid: key for key in keys}
    covered = message(kind, statement.payload)
    good = {each.keyid for each in statement.signatures if each.keyid in by_id and _holds(by_id[each.keyid], covered, each.sig)}
    if len(good) < threshold:
        raise BadSignature(f"{len(good)} of {threshold} required signatures hold on this `{kind}`; ask its author again")
    return statement.payload


def _holds(key: VerifyKey, covered: bytes, sig: bytes) -> bool:
    try:
        key.verify(covered, sig)
    except BadSignature:
        return False
    return True
