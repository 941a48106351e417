"""From one message to sealed bytes and back: sign, pad, seal; unseal, check, read (design.md 5, Envelope).

Sign-then-encrypt with both identities, the link and the sequence inside the signature: a receiver can neither re-address
what he got (X21) nor can a bystander strip a signature and put his own. The signed bytes are made once per message and kept;
retries re-seal only the outer HPKE, so digest and previous-hash never change.

    signed   = frame length (4) | frame | key id (16) | Ed25519 signature of kind "envelope" over the frame (64)
    padded   = signed | 0x80 | zeros, up to the next multiple of 4,096, at most 32,768 (X30)
    sealed   = suite (1) | key hint (8) | HPKE enc and ciphertext of padded
    HPKE info = join("TINKUY-v1 sealed", suite, hint, info)

The suite byte and the hint stand in clear and inside `info`: changing either makes the rest unopenable. The hint is eight
bytes of a hash of a *public* key. It tells the receiver which daily key opens this, and tells anybody else at most that two
envelopes in one room were sealed to the same day's key, which the room and the clock already say.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from keys.chunks import CHUNK_KIND, chunk_body, join_chunks
from keys.codec import Reader, block, check_id
from keys.errors import BadSignature, CannotOpen, Malformed, TooLarge
from keys.frame import LINK_PATTERN, MAX_FRAME, NO_PREVIOUS, Inner, frame, parse_frame
from keys.primitives import (
    HINT_SIZE,
    HPKE_OVERHEAD,
    KEYID_SIZE,
    SIGNATURE_SIZE,
    SUITE,
    OpeningKey,
    SealingKey,
    SigningKey,
    VerifyKey,
    hpke_open,
    hpke_seal,
    join,
    sha256,
)
from keys.statement import check_bytes, sign_bytes

KIND: Final = "envelope"
STEP: Final = 4096
MAX_PADDED: Final = 32 * 1024
MAX_SEALED: Final = 1 + HINT_SIZE + HPKE_OVERHEAD + MAX_PADDED
_INFO: Final = b"TINKUY-v1 envelope"
_SEALED: Final = b"TINKUY-v1 sealed"
_BODY: Final = b"TINKUY-v1 body"
_DIGEST: Final = b"TINKUY-v1 inner digest"


@dataclass(frozen=True, kw_only=True)
class SignedInner:
    """One message, signed; the bytes kept until acknowledged. `repr` shows no content."""

    inner: Inner
    data: bytes
    digest: bytes
    """32 bytes; what acks, duplicates and the next message's `previous` refer to."""
    keyid: str

    def __repr__(self) -> str:
        return f"SignedInner({self.inner.kind}, {self.digest.hex()[:16]})"


def sign_inner(inner: Inner, signer: SigningKey) -> SignedInner:
    """Frame and sign `inner`. Ed25519 is deterministic: the same message and key give the same bytes and digest."""
    framed = frame(inner)
    keyid = signer.public.keyid
    data = block(4, framed) + bytes.fromhex(keyid) + sign_bytes(KIND, framed, signer)
    if len(data) >= MAX_PADDED:
        raise TooLarge("a signed message does not fit one envelope; send it in chunks")
    return SignedInner(inner=inner, data=data, digest=digest_of(data), keyid=keyid)


def digest_of(signed: bytes) -> bytes:
    """SHA-256 over the signed frame, domain separated: 32 bytes.

    Over what was said and not over the signature: when a signing key is withdrawn, what still waits for an acknowledgement is
    signed again by its successor, and neither the chain nor the peer's memory of the number may change by that (R11).
    """
    return sha256(_DIGEST, _frame_of(signed)[0])


def signed_by(signed: bytes) -> str:
    """The id of the key that is named as signer, in hex. Unchecked: for what lies in our own store."""
    return _frame_of(signed)[1]


def sign_again(signed: bytes, signer: SigningKey) -> bytes:
    """The same frame under another key of ours. Only for bytes that were ours: the old signature is not looked at."""
    framed = _frame_of(signed)[0]
    return block(4, framed) + bytes.fromhex(signer.public.keyid) + sign_bytes(KIND, framed, signer)


def _frame_of(signed: bytes) -> tuple[bytes, str]:
    reader = Reader(signed, "signed message")
    return reader.block(4, MAX_FRAME), reader.take(KEYID_SIZE).hex()


def read_signed(signed: bytes, keys: Iterable[VerifyKey]) -> SignedInner:
    """Check the signature by one of `keys`, *then* parse. Raises `BadSignature` or `Malformed`.

    Which key it was is named in the bytes and looked up among those given; an unknown name is a bad signature.
    """
    reader = Reader(signed, "signed message")
    framed = reader.block(4, MAX_FRAME)
    keyid = reader.take(KEYID_SIZE).hex()
    signature = reader.take(SIGNATURE_SIZE)
    reader.end()
    key = next((each for each in keys if each.keyid == keyid), None)
    if key is None:
        raise BadSignature("the message is signed by a key that the sender's manifest does not list", code="keys.unknown_signer")
    check_bytes(KIND, framed, signature, key)
    return SignedInner(inner=parse_frame(framed), data=signed, digest=digest_of(signed), keyid=keyid)


def pad(data: bytes) -> bytes:
    """`data` with 0x80 and zeros up to the next 4 KiB step; `TooLarge` above 32 KiB."""
    size = (len(data) // STEP + 1) * STEP
    if size > MAX_PADDED:
        raise TooLarge(f"a message of {len(data)} bytes does not fit one envelope; send it in chunks")
    return data + b"\x80" + bytes(size - len(data) - 1)


def unpad(padded: bytes) -> bytes:
    """The inverse, refusing every padding that `pad` would not have made."""
    data = padded.rstrip(b"\0")
    if not data.endswith(b"\x80") or len(padded) > MAX_PADDED or pad(data[:-1]) != padded:
        raise Malformed("the padding of a message is not ours", code="envelope.padding")
    return data[:-1]


def info_bytes(sender: str, recipient: str, link: str) -> bytes:
    """The one byte layout that binds an envelope to its road: each part behind its 4-byte length (vectors/envelope_info.json)."""
    names = (check_id(sender, "sender"), check_id(recipient, "recipient"), check_id(link, "link id", LINK_PATTERN))
    return join(_INFO, *(name.encode("ascii") for name in names))


def seal(signed: bytes, to_public: SealingKey, info: bytes) -> bytes:
    """Pad and seal to the peer's key of the day. 1,145 bytes over the padded size."""
    return _seal(to_public, pad(signed), info)


def hint_of(sealed: bytes) -> bytes:
    """The 8 bytes naming the key that opens `sealed`; `Malformed` for another suite or a short input."""
    if len(sealed) < 1 + HINT_SIZE + HPKE_OVERHEAD or sealed[0] != SUITE:
        raise Malformed("these bytes are not sealed in a suite this hub knows", code="envelope.suite")
    return sealed[1 : 1 + HINT_SIZE]


def unseal(sealed: bytes, key: OpeningKey, info: bytes) -> bytes:
    """The signed bytes; raises `CannotOpen`, `Malformed` or `TooLarge`. Still to be checked with `read_signed`."""
    if len(sealed) > MAX_SEALED:
        raise TooLarge(f"a sealed message is at most {MAX_SEALED} bytes")
    return unpad(_open(key, sealed, info))


def seal_body(referral_public: SealingKey, parts: Sequence[bytes | str], plaintext: bytes) -> bytes:
    """Seal a referral's body to the other side's referral key, bound to `parts` (referral id, direction, kind …).

    HPKE's `info` takes the place of the AAD: one seal per context, so both bind alike (RFC 9180, 8.1).
    """
    return _seal(referral_public, plaintext, _body_info(parts))


def open_body(private: OpeningKey, parts: Sequence[bytes | str], sealed: bytes) -> bytes:
    """The inverse of `seal_body`; `CannotOpen` for another key, other parts, or any changed byte."""
    return _open(private, sealed, _body_info(parts))


def _body_info(parts: Sequence[bytes | str]) -> bytes:
    return join(_BODY, *(part.encode("utf-8") if isinstance(part, str) else part for part in parts))


def _seal(to: SealingKey, plaintext: bytes, info: bytes) -> bytes:
    head = bytes([SUITE]) + to.hint
    return head + hpke_seal(to, plaintext, join(_SEALED, head[:1], to.hint, info))


def _open(key: OpeningKey, sealed: bytes, info: bytes) -> bytes:
    hint = hint_of(sealed)
    if hint != key.public.hint:
        raise CannotOpen("the sealed bytes are meant for another key", code="keys.other_hint")
    return hpke_open(key, sealed[1 + HINT_SIZE :], join(_SEALED, sealed[:1], hint, info))


__all__ = [
    "CHUNK_KIND",
    "KIND",
    "MAX_PADDED",
    "MAX_SEALED",
    "NO_PREVIOUS",
    "STEP",
    "Inner",
    "SignedInner",
    "chunk_body",
    "digest_of",
    "frame",
    "hint_of",
    "info_bytes",
    "join_chunks",
    "open_body",
    "pad",
    "parse_frame",
    "read_signed",
    "seal",
    "seal_body",
    "sign_again",
    "sign_inner",
    "signed_by",
    "unpad",
    "unseal",
]
