"""The one family of errors of this room, named by where the blame lies (style.md 17-21).

Every error carries a stable `code` for the operator's log beside its sentence. Messages are written for a person who can
act: what failed, why, what to do. They never hold key bytes, plaintext, or the name of a person.
"""

from __future__ import annotations


class KeysError(Exception):
    """something about keys, signatures or sealed bytes stopped here.

    `code` is stable and may be logged, counted and translated; the sentence may change between releases.
    """

    code = "keys.error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class Malformed(KeysError):
    """bytes or values that do not have the shape the specification gives them. The writer's fault."""

    code = "keys.malformed"


class TooLarge(Malformed):
    """more bytes than this format allows; split it or refuse it."""

    code = "keys.too_large"


class CannotOpen(KeysError):
    """sealed bytes did not open: another key, another place, or changed on the way. Deliberately does not say which."""

    code = "keys.cannot_open"


class BadSignature(KeysError):
    """no signature by enough of the expected keys covers these bytes."""

    code = "keys.bad_signature"


class WrongKey(KeysError):
    """a key of the wrong length, type or owner was handed in."""

    code = "keys.wrong_key"


class UnsupportedLibrary(KeysError):
    """the installed `cryptography` lacks what we seal with, or computes it differently; the hub must not start."""

    code = "keys.unsupported_library"


class ManifestRefused(KeysError):
    """a manifest was not accepted; `code` tells which numbered check refused it."""

    code = "manifest.refused"


class NetworkRefused(KeysError):
    """a network list was not accepted; `code` tells which numbered check refused it."""

    code = "network.refused"


class DevicesRefused(KeysError):
    """a device statement was not accepted; `code` tells which numbered check refused it."""

    code = "devices.refused"


class RosterRefused(KeysError):
    """a roster of a coordination room was not accepted; `code` tells which numbered check refused it."""

    code = "roster.refused"


class DirectoryConflict(KeysError):
    """two institutions claim the same identity or device; neither can be told apart, so the second is refused."""

    code = "directory.conflict"


class KeyMissing(KeysError):
    """a secret that should exist does not; restore the key store or run `tinkuy init`."""

    code = "keys.missing"


class KeyExists(KeysError):
    """a secret under this name exists already and is never overwritten silently."""

    code = "keys.exists"


class KeyDestroyed(KeysError):
    """the key of this owner was destroyed (or never made): what it sealed is gone for good. That is shredding, not a fault."""

    code = "keys.destroyed"


class ProviderError(KeysError):
    """the key-encryption-key provider (file, credential, PKCS#11, Vault) is absent, closed or unsafe."""

    code = "kek.unavailable"


class LedgerBroken(KeysError):
    """the ledger's chain does not hold at some row: a row was changed, removed or reordered."""

    code = "ledger.broken"
