"""The key that wraps keys: one small Protocol, so that file, systemd credential, PKCS#11 and Vault transit behave alike.

Whatever holds the key-encryption key answers two questions only: wrap these 32 bytes for this place, unwrap them at this
place. Nothing is derived from a passphrase and no provider hands out the key itself, so one that cannot (an HSM) fits.
"""

from __future__ import annotations

from typing import Protocol


class KekProvider(Protocol):
    """Wraps small secrets. Implementations pass `tests/keys/test_kek_contract.py`."""

    @property
    def name(self) -> str:
        """What `doctor` shows: the provider and a public identifier of the key; never the key."""

    def wrap(self, plaintext: bytes, aad: bytes) -> bytes:
        """`plaintext` (at most 4 KiB) sealed and bound to `aad`; `ProviderError` when the provider is unreachable."""

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        """The inverse; `CannotOpen` for another key, another `aad` or changed bytes, `ProviderError` when unreachable."""


def rewrap(old: KekProvider, new: KekProvider, wrapped: bytes, aad: bytes) -> bytes:
    """The same secret at the same place under another key: the yearly turn, or a move from file to HSM."""
    return new.wrap(old.unwrap(wrapped, aad), aad)
