"""A KEK inside a PKCS#11 token (an HSM, a smart card, SoftHSM2 in tests): the key never leaves it.

wrapped = 0x02 | KEK id (8) | nonce (12) | AES-256-GCM by the token, aad = join("TINKUY-v1 wrap", KEK id, aad)

The nonce is random and ours: some tokens make their own and some expect one, and 96 random bits serve for far more wraps than an
institution makes. A token that is gone, locked or full answers `ProviderError`; what it cannot open for any other reason is
`CannotOpen`, and which of the two it is, is asked of the token itself, because tokens disagree about the codes.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Final

import pkcs11
from pkcs11.exceptions import (
    EncryptedDataInvalid,
    EncryptedDataLenRange,
    MultipleObjectsReturned,
    NoSuchKey,
    NoSuchToken,
    PinIncorrect,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
)

from keys.errors import CannotOpen, KeyExists, ProviderError, TooLarge
from keys.primitives import join, random_bytes, sha256
from keys.providers.memory import ID_SIZE, MAX_PLAINTEXT

VERSION: Final = b"\x02"
_NONCE: Final = 12
_DOMAIN: Final = b"TINKUY-v1 wrap"
_ABSENT: Final = "the token that holds the key-encryption key is not there or not ready; connect and unlock it"


class Pkcs11Kek:
    """Implements `KekProvider` over one logged-in session. Calls take their turn: a session serves one thread at a time."""

    def __init__(self, session: Any, key: Any, label: str) -> None:
        self._session, self._key, self._label = session, key, label
        self._id = sha256(b"TINKUY-v1 kek id", bytes(key[pkcs11.Attribute.ID]))[:ID_SIZE]
        self._turn = threading.Lock()

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def name(self) -> str:
        return f"pkcs11 {self._label} {self._id.hex()}"

    @classmethod
    def open(cls, module: Path, *, token: str, key: str, pin: str) -> Pkcs11Kek:
        """Log in and find the key. Raises `ProviderError`: `kek.unavailable`, `kek.pin`, `kek.absent`. Never makes a key."""
        session = _session(module, token, pin)
        try:
            return cls(session, session.get_key(object_class=pkcs11.ObjectClass.SECRET_KEY, label=key), key)
        except (NoSuchKey, MultipleObjectsReturned):
            session.close()
            text = "the token holds no key of that name, or several; make one with `tinkuy keys rotate kek`, or name another"
            raise ProviderError(text, code="kek.absent") from None
        except PKCS11Error:
            raise ProviderError(_ABSENT) from None

    @classmethod
    def create(cls, module: Path, *, token: str, key: str, pin: str) -> Pkcs11Kek:
        """Let the token make an AES-256 key that it never shows. `KeyExists` when there is one of that name."""
        session = _session(module, token, pin)
        try:
            if list(session.get_objects({pkcs11.Attribute.LABEL: key})):
                session.close()
                raise KeyExists("the token holds a key of that name already; it is never overwritten", code="kek.exists")
            made = session.generate_key(
                pkcs11.KeyType.AES, 256, id=random_bytes(16), label=key, store=True,
                capabilities=pkcs11.MechanismFlag.ENCRYPT | pkcs11.MechanismFlag.DECRYPT,
                template={pkcs11.Attribute.SENSITIVE: True, pkcs11.Attribute.EXTRACTABLE: False},
            )  # fmt: skip
        except PKCS11Error:
            raise ProviderError(_ABSENT) from None
        return cls(session, made, key)

    def close(self) -> None:
        """Log out; from here on it answers like a token that was pulled out."""
        with self._turn:
            self._session.close()

    def wrap(self, plaintext: bytes, aad: bytes) -> bytes:
        if len(plaintext) > MAX_PLAINTEXT:
            raise TooLarge(f"a key-encryption key wraps at most {MAX_PLAINTEXT} bytes")
        nonce = random_bytes(_NONCE)
        try:
            sealed = self._encrypt(plaintext, nonce, aad)
        except PKCS11Error:
            raise ProviderError(_ABSENT) from None
        return VERSION + self._id + nonce + sealed

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        if wrapped[:1] != VERSION or wrapped[1 : 1 + ID_SIZE] != self._id:
            raise CannotOpen("this secret was wrapped by another key-encryption key; restore that one", code="kek.other")
        nonce, sealed = wrapped[1 + ID_SIZE :][:_NONCE], wrapped[1 + ID_SIZE + _NONCE :]
        if len(nonce) < _NONCE or len(sealed) < 16:
            raise CannotOpen("the sealed bytes did not open")
        try:
            with self._turn:
                return bytes(self._key.decrypt(sealed, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=self._params(nonce, aad)))
        except (EncryptedDataInvalid, EncryptedDataLenRange):
            raise CannotOpen("the sealed bytes did not open") from None
        except PKCS11Error:
            self._check_there()
            raise CannotOpen("the sealed bytes did not open") from None

    def _encrypt(self, plaintext: bytes, nonce: bytes, aad: bytes) -> bytes:
        with self._turn:
            return bytes(self._key.encrypt(plaintext, mechanism=pkcs11.Mechanism.AES_GCM, mechanism_param=self._params(nonce, aad)))

    def _params(self, nonce: bytes, aad: bytes) -> Any:
        return pkcs11.GCMParams(nonce, aad=join(_DOMAIN, self._id, aad), tag_bits=128)

    def _check_there(self) -> None:
        """Whether the token still works at all: then what failed was the opening, else the token."""
        try:
            self._encrypt(b"?", random_bytes(_NONCE), b"probe")
        except PKCS11Error:
            raise ProviderError(_ABSENT) from None


def _session(module: Path, token: str, pin: str) -> Any:
    try:
        found = pkcs11.lib(str(module)).get_token(token_label=token)
        try:
            return found.open(rw=True, user_pin=pin)
        except UserAlreadyLoggedIn:  # a login holds for the whole process: another session of ours stands open
            return found.open(rw=True)
    except (PinIncorrect, PinLocked):
        raise ProviderError("the token refused the PIN; do not try again and again, it locks", code="kek.pin") from None
    except (NoSuchToken, PKCS11Error, OSError, RuntimeError):
        raise ProviderError(_ABSENT) from None
