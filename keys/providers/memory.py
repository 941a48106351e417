"""A KEK that lives in memory: the in-memory twin of the file provider, and the arithmetic both share.

wrapped = 0x01 | KEK id (8) | AES-256-GCM(KEK, aad = join("TINKUY-v1 wrap", KEK id, aad))
"""

from __future__ import annotations

from typing import Final

from keys.errors import CannotOpen, ProviderError, TooLarge, WrongKey
from keys.primitives import SECRET_SIZE, aead_open, aead_seal, join, random_bytes, sha256

VERSION: Final = b"\x01"
ID_SIZE: Final = 8
MAX_PLAINTEXT: Final = 4096
_DOMAIN: Final = b"TINKUY-v1 wrap"


class MemoryKek:
    """Implements `KekProvider` over 32 bytes held by this process. `close()` makes it answer like a lost provider (R10)."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key if key is not None else random_bytes(SECRET_SIZE)
        if len(self._key) != SECRET_SIZE:
            raise WrongKey(f"a key-encryption key is {SECRET_SIZE} bytes")
        # The id is a hash of the key: it can be recomputed by whoever holds the key and tells nobody else anything.
        self._id = sha256(b"TINKUY-v1 kek id", self._key)[:ID_SIZE]
        self._open = True

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def name(self) -> str:
        return f"memory {self._id.hex()}"

    def close(self) -> None:
        self._open = False

    def wrap(self, plaintext: bytes, aad: bytes) -> bytes:
        self._check_open()
        if len(plaintext) > MAX_PLAINTEXT:
            raise TooLarge(f"a key-encryption key wraps at most {MAX_PLAINTEXT} bytes")
        return VERSION + self._id + aead_seal(self._key, plaintext, join(_DOMAIN, self._id, aad))

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        self._check_open()
        if wrapped[:1] != VERSION or wrapped[1 : 1 + ID_SIZE] != self._id:
            raise CannotOpen("this secret was wrapped by another key-encryption key; restore that one", code="kek.other")
        return aead_open(self._key, wrapped[1 + ID_SIZE :], join(_DOMAIN, self._id, aad))

    def _check_open(self) -> None:
        if not self._open:
            raise ProviderError("the key-encryption key is closed; open its provider again")
