"""What an institution keeps to be itself: made once by `tinkuy init`, held in the keyring (keys.md 1).

Root, hub signing key, long opening key and the three cross-signing seeds. The root may live here only in the 1-of-1 case,
which the manifest shows; with 2 of 3 the roots stay on paper or tokens and sign manifests elsewhere.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Final

from keys.errors import KeyMissing
from keys.keyring import Keyring
from keys.matrixjson import unpadded
from keys.primitives import OpeningKey, SigningKey

ROOT: Final = "root"
HUB_SIGNING: Final = "hub-signing"
OPENING: Final = "opening"
NEXT: Final = "/next"
"""Behind `hub-signing` or `opening`: the successor, until a manifest names it."""
OLD: Final = "/old/"
"""Behind the same, before a key id: a predecessor, for peers that have not heard of its end."""
CROSS_MASTER: Final = "cross-signing/master"
CROSS_SELF: Final = "cross-signing/self"
CROSS_USER: Final = "cross-signing/user"
OLM_ROWS: Final = "olm-rows"
INDEX_PREFIX: Final = "index/"
"""Followed by the field's name: one HMAC key per blind index."""

_NAMES: Final = (ROOT, HUB_SIGNING, OPENING, CROSS_MASTER, CROSS_SELF, CROSS_USER, OLM_ROWS)
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The institution's own private keys, unwrapped for this run."""

    root: SigningKey | None
    """None when the roots are kept offline."""
    hub_signing: SigningKey
    opening: OpeningKey
    cross_master: SigningKey
    cross_self: SigningKey
    cross_user: SigningKey
    olm_rows: bytes = field(repr=False)
    """32 bytes that seal the Matrix device's Olm rows."""

    @property
    def master_fingerprint(self) -> str:
        """As Matrix prints it and the manifest states it: unpadded base64."""
        return unpadded(self.cross_master.public.raw)


def create_identity(keyring: Keyring, *, root_here: bool = True) -> Identity:
    """Make what is missing and return all of it. Repeating it changes nothing, so an interrupted `init` can go on."""
    for name in _NAMES:
        if name != ROOT or root_here:
            keyring.get_or_create(name)
    return load_identity(keyring)


def load_identity(keyring: Keyring) -> Identity:
    """The identity, or `KeyMissing` naming what is not there: never made anew, or every peer would meet a stranger (R10)."""
    missing = [name for name in _NAMES if name != ROOT and not keyring.has(name)]
    if missing:
        raise KeyMissing(f"the keyring lacks {', '.join(missing)}; restore it, or run `tinkuy init` for a new institution")
    return Identity(
        root=SigningKey(keyring.get(ROOT)) if keyring.has(ROOT) else None,
        hub_signing=SigningKey(keyring.get(HUB_SIGNING)),
        opening=OpeningKey(keyring.get(OPENING)),
        cross_master=SigningKey(keyring.get(CROSS_MASTER)),
        cross_self=SigningKey(keyring.get(CROSS_SELF)),
        cross_user=SigningKey(keyring.get(CROSS_USER)),
        olm_rows=keyring.get(OLM_ROWS),
    )


def successor_of(keyring: Keyring, name: str) -> bytes:
    """The secret that will follow `name`, made at first use and the same until it is in force: an interrupted turn can go on."""
    return keyring.get_or_create(name + NEXT)


def promote(keyring: Keyring, name: str, keyid: str) -> None:
    """The successor takes its place; the one before stays under its key id. Each step can be repeated after a crash."""
    if not keyring.has(name + NEXT):
        return
    secret = keyring.get(name + NEXT)
    if keyring.get(name) != secret:
        if not keyring.has(name + OLD + keyid):
            keyring.create(name + OLD + keyid, keyring.get(name))
        keyring.rotate(name, secret)
    keyring.delete(name + NEXT)


def predecessors(keyring: Keyring, name: str) -> tuple[bytes, ...]:
    """The secrets that stood under `name` before."""
    return tuple(keyring.get(each) for each in keyring.names() if each.startswith(name + OLD))


def forget_root(keyring: Keyring) -> None:
    """The root left this machine: the manifest in force does not list it any more."""
    keyring.delete(ROOT)


def new_device_id() -> str:
    """Ten random base32 characters, 50 bits: equal ids at two hubs would let nio mix up their devices (N8)."""
    return "".join(secrets.choice(_BASE32) for _ in range(10))


def index_key(keyring: Keyring, field_name: str) -> bytes:
    """The 32-byte HMAC key of one blind index, made at first use."""
    return keyring.get_or_create(INDEX_PREFIX + field_name)
