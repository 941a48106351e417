"""The arithmetic, all of it: the only module that imports `cryptography` (>= 50).

Chosen once, so that nothing else has to choose: Ed25519 (RFC 8032), HPKE base mode (RFC 9180) with the hybrid KEM
ML-KEM-768 + X25519 (draft-ietf-hpke-pq, X-Wing), HKDF-SHA256 and AES-256-GCM; AES-256-GCM with random nonces; HKDF,
HMAC, SHA-256; Argon2id (RFC 9106). No JWT, no PGP, no curve code of our own.

Private keys are small classes, not dataclasses: `repr`, `asdict`, `pickle` and `copy` cannot spill their bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cached_property
from typing import Final, NoReturn

from cryptography.exceptions import InvalidSignature, InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import ed25519, mlkem, x25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keys.errors import BadSignature, CannotOpen, UnsupportedLibrary, WrongKey

SUITE: Final = 0x01
"""The clear byte naming HPKE(ML-KEM-768 + X25519, HKDF-SHA256, AES-256-GCM). A future suite takes the next number."""

SECRET_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64
KEYID_SIZE: Final = 16
HINT_SIZE: Final = 8
HPKE_OVERHEAD: Final = 1136
"""Bytes HPKE adds to a plaintext: 1,120 of encapsulated key and 16 of GCM tag."""
SEALING_KEY_SIZE: Final = 1184 + 32
AEAD_OVERHEAD: Final = 12 + 16


class _Secret:
    """Base of private keys: 32 bytes that no debugger print, pickle or copy shows by accident."""

    def __init__(self, seed: bytes) -> None:
        if not isinstance(seed, bytes) or len(seed) != SECRET_SIZE:
            raise WrongKey(f"a private key is made of {SECRET_SIZE} bytes; check where this one was read from")
        self._seed = seed

    def __repr__(self) -> str:
        return f"<{type(self).__name__} hidden>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is never pickled or copied")

    def reveal(self) -> bytes:
        """The 32 bytes themselves. For the keyring and the sealed rows only."""
        return self._seed


class VerifyKey:
    """A public Ed25519 key, 32 raw bytes. Equal and hashable by value."""

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        if not isinstance(raw, bytes) or len(raw) != 32:
            raise WrongKey("a public signing key is 32 bytes")
        self.raw = raw

    def __repr__(self) -> str:
        return f"VerifyKey({self.keyid})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    @property
    def keyid(self) -> str:
        """32 hex digits of SHA-256 over the key: a name, derived, so nobody can claim another key's name."""
        return sha256(b"TINKUY-v1 ed25519 keyid", self.raw)[:KEYID_SIZE].hex()

    def verify(self, data: bytes, signature: bytes) -> None:
        """Raise `BadSignature` unless `signature` (64 bytes) is this key's over exactly `data`."""
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, data)
        except (InvalidSignature, ValueError, TypeError):
            raise BadSignature("the signature does not cover these bytes; do not use them") from None


class SigningKey(_Secret):
    """A private Ed25519 key, kept as its 32-byte seed (RFC 8032)."""

    @classmethod
    def generate(cls) -> SigningKey:
        return cls(random_bytes(SECRET_SIZE))

    @cached_property
    def _key(self) -> ed25519.Ed25519PrivateKey:
        return ed25519.Ed25519PrivateKey.from_private_bytes(self._seed)

    @cached_property
    def public(self) -> VerifyKey:
        return VerifyKey(self._key.public_key().public_bytes_raw())

    def sign(self, data: bytes) -> bytes:
        """64 bytes. Deterministic, so signing again gives the same bytes and a digest over them is stable."""
        return self._key.sign(data)


class SealingKey:
    """A public HPKE key: ML-KEM-768 (1,184 bytes) then X25519 (32 bytes)."""

    def __init__(self, raw: bytes) -> None:
        if not isinstance(raw, bytes) or len(raw) != SEALING_KEY_SIZE:
            raise WrongKey(f"a public opening key is {SEALING_KEY_SIZE} bytes")
        self.raw = raw

    def __repr__(self) -> str:
        return f"SealingKey({self.hint.hex()})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SealingKey) and other.raw == self.raw

    def __hash__(self) -> int:
        return hash(self.raw)

    @cached_property
    def hint(self) -> bytes:
        """8 bytes that tell the owner which of his keys this is; derived from public bytes, so it reveals nothing more."""
        return sha256(b"TINKUY-v1 hpke hint", self.raw)[:HINT_SIZE]

    @cached_property
    def _key(self) -> hpke.MLKEM768X25519PublicKey:
        try:
            return hpke.MLKEM768X25519PublicKey(
                mlkem.MLKEM768PublicKey.from_public_bytes(self.raw[:1184]),
                x25519.X25519PublicKey.from_public_bytes(self.raw[1184:]),
            )
        except ValueError:
            raise WrongKey("these bytes are not a public opening key") from None


class OpeningKey(_Secret):
    """A private HPKE key, kept as one 32-byte seed.

    The seed is expanded with SHAKE-256 to 64 bytes for ML-KEM and 32 for X25519, as X-Wing does
    (draft-connolly-cfrg-xwing-kem 5.2), so every secret of the house is 32 bytes and wraps alike.
    """

    @classmethod
    def generate(cls) -> OpeningKey:
        return cls(random_bytes(SECRET_SIZE))

    @cached_property
    def _halves(self) -> tuple[mlkem.MLKEM768PrivateKey, x25519.X25519PrivateKey]:
        long = hashlib.shake_256(self._seed).digest(96)
        return mlkem.MLKEM768PrivateKey.from_seed_bytes(long[:64]), x25519.X25519PrivateKey.from_private_bytes(long[64:])

    @cached_property
    def _key(self) -> hpke.MLKEM768X25519PrivateKey:
        return hpke.MLKEM768X25519PrivateKey(*self._halves)

    @cached_property
    def public(self) -> SealingKey:
        kem, curve = self._halves
        return SealingKey(kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw())


def _suite() -> hpke.Suite:
    return hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


def hpke_seal(to: SealingKey, plaintext: bytes, info: bytes) -> bytes:
    """`enc | ciphertext`, 1,136 bytes longer than `plaintext`. Fresh randomness each time."""
    try:
        return bytes(_suite().encrypt(plaintext, to._key, info))
    except ValueError:  # an X25519 point of small order: no shared secret comes of it
        raise WrongKey("these bytes are not a usable public opening key") from None


def hpke_open(key: OpeningKey, sealed: bytes, info: bytes) -> bytes:
    """The plaintext, or `CannotOpen` for another key, other `info`, or any changed byte."""
    try:
        return bytes(_suite().decrypt(sealed, key._key, info))
    except (InvalidTag, ValueError):
        raise CannotOpen("the sealed bytes do not open: another key, another purpose, or changed on the way") from None


def aead_seal(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """AES-256-GCM: `nonce (12) | ciphertext | tag (16)`.

    The nonce is random: two equal ones under one key become likely only near 2^48 seals and tolerable to 2^32, and each of
    our keys serves one case, one disclosure or one keyring.
    """
    nonce = random_bytes(12)
    return nonce + _aes(key).encrypt(nonce, plaintext, aad)


def aead_open(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    """The plaintext, or `CannotOpen`."""
    if len(sealed) < AEAD_OVERHEAD:
        raise CannotOpen("the sealed bytes are cut short")
    try:
        return _aes(key).decrypt(sealed[:12], sealed[12:], aad)
    except InvalidTag:
        raise CannotOpen("the sealed bytes do not open: another key, another place, or changed in storage") from None


def _aes(key: bytes) -> AESGCM:
    if len(key) != SECRET_SIZE:
        raise WrongKey(f"a data key is {SECRET_SIZE} bytes")
    return AESGCM(key)


def hkdf(secret: bytes, *, info: bytes, salt: bytes = b"", length: int = SECRET_SIZE) -> bytes:
    """HKDF-SHA256 (RFC 5869); for uniformly random input, never for a passphrase."""
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt or None, info=info).derive(secret)


def aes_ctr(key: bytes, counter: bytes, data: bytes) -> bytes:
    """AES-256 in counter mode, both ways: a cipher without a tag, only for Matrix's secret storage, which puts an HMAC over it."""
    stream = Cipher(algorithms.AES256(key), modes.CTR(counter)).encryptor()
    return stream.update(data) + stream.finalize()


def argon2id(secret: bytes, *, salt: bytes, length: int = SECRET_SIZE, memory_kib: int = 65536, passes: int = 3) -> bytes:
    """Argon2id (RFC 9106, second recommended option): a deliberately slow hash, about 0.2 s and 64 MiB."""
    return Argon2id(salt=salt, length=length, iterations=passes, lanes=1, memory_cost=memory_kib).derive(secret)


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """32 bytes."""
    return hmac.digest(key, data, "sha256")


def sha256(domain: bytes, *parts: bytes) -> bytes:
    """SHA-256 over the length-prefixed `domain` and `parts`: no two different lists of parts hash the same input."""
    return hashlib.sha256(join(domain, *parts)).digest()


def join(*parts: bytes) -> bytes:
    """Each part behind its length (4 bytes, big endian): the one unambiguous concatenation used for info, AAD and hashes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def equal(a: bytes, b: bytes) -> bool:
    """Comparison in time independent of the content."""
    return hmac.compare_digest(a, b)


def random_bytes(size: int) -> bytes:
    return secrets.token_bytes(size)


_KNOWN_SEED: Final = bytes(range(32))
_KNOWN_HINT: Final = "f0a562964fcc46bd"


def self_test() -> None:
    """Refuse to start on a library that lacks our suite or computes it differently (keys.md).

    Raises `UnsupportedLibrary`. Checks (1) the known public key of a known seed, (2) an HPKE round trip and its overhead,
    (3) that other `info` does not open, (4) Ed25519 and (5) AES-GCM round trips.
    """
    try:
        _self_test_steps()
    except UnsupportedLibrary:
        raise
    except (UnsupportedAlgorithm, AttributeError, CannotOpen, BadSignature, WrongKey) as error:
        raise UnsupportedLibrary(_HOW) from error


_HOW: Final = "the installed `cryptography` does not offer our HPKE suite as we know it; install version 50 or later"


def _self_test_steps() -> None:
    key = OpeningKey(_KNOWN_SEED)
    sealed = hpke_seal(key.public, b"self test", b"info")
    signer = SigningKey(_KNOWN_SEED)
    signer.public.verify(b"self test", signer.sign(b"self test"))
    if (
        key.public.hint.hex() != _KNOWN_HINT
        or len(sealed) != len(b"self test") + HPKE_OVERHEAD
        or hpke_open(key, sealed, b"info") != b"self test"
        or aead_open(_KNOWN_SEED, aead_seal(_KNOWN_SEED, b"self test", b"aad"), b"aad") != b"self test"
    ):
        raise UnsupportedLibrary(_HOW)
    try:
        hpke_open(key, sealed, b"other info")
    except CannotOpen:
        return
    raise UnsupportedLibrary(_HOW)
