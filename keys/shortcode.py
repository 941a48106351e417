"""The 80-bit code two people compare aloud when their institutions meet (keys.md 2).

Symmetric: both hubs show the same four groups whichever manifest is theirs. 80 bits would be few for a plain hash: someone
between the two, free to show each side a manifest of his own making, needs no second preimage but any pair that collide,
2^40 hashes, an afternoon of rented graphics cards. So the hash is Argon2id over 64 MiB: the same 2^40 steps cost some
10,000 core-years, and the two people wait a quarter of a second.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from keys.manifest import Manifest
from keys.network import NetworkList
from keys.primitives import argon2id, join, sha256

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O, U."""
_SALT: Final = b"TINKUY-v1 code 80"


@lru_cache(maxsize=64)
def short_code(bytes_a: bytes, bytes_b: bytes) -> str:
    """`XXXX-XXXX-XXXX-XXXX` over two byte strings, in whichever order they are given. Computed once for the same two: it is meant to be slow."""
    first, second = sorted((sha256(b"TINKUY-v1 code part", bytes_a), sha256(b"TINKUY-v1 code part", bytes_b)))
    number = int.from_bytes(argon2id(join(first, second), salt=_SALT, length=10, memory_kib=65536, passes=3), "big")
    text = "".join(ALPHABET[number >> shift & 31] for shift in range(75, -1, -5))
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def pairing_code(ours: Manifest, theirs: Manifest) -> str:
    """The code of two manifests: over what was signed, so an extra signature in one copy of a file changes nothing."""
    return short_code(ours.digest, theirs.digest)


def network_code(found: NetworkList) -> str:
    """The code of a first network list: whoever holds the same list reads the same code."""
    return short_code(found.digest, sha256(b"TINKUY-v1 network code"))


def same_code(shown: str, typed: str) -> bool:
    """Compare what a person typed: case, spaces, dashes and Crockford's look-alikes (O for 0, I and L for 1) do not matter."""
    return _plain(shown) == _plain(typed) and len(_plain(typed)) == 16


def _plain(code: str) -> str:
    kept = "".join(char for char in code.upper() if char.isalnum())
    return kept.translate(str.maketrans("OIL", "011"))
