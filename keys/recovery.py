"""A recovery key, and secrets sealed under it, as Matrix's secret storage does it (`m.secret_storage.v1.aes-hmac-sha2`). Pure.

Only what the specification says, byte by byte; matrix-js-sdk is the referee. Encrypt-then-MAC: nothing is decrypted whose tag is not ours.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import reduce
from operator import xor
from typing import Any, Final

from keys.errors import CannotOpen, Malformed
from keys.primitives import SECRET_SIZE, aes_ctr, equal, hkdf, hmac_sha256, random_bytes

ALGORITHM: Final = "m.secret_storage.v1.aes-hmac-sha2"
_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_HEAD: Final = bytes((0x8B, 0x01))
_ZERO: Final = bytes(32)


def new_key() -> bytes:
    """32 random bytes."""
    return random_bytes(SECRET_SIZE)


def written(key: bytes) -> str:
    """The key as people keep it: base58 with a parity byte, in groups of four."""
    whole = _HEAD + key
    number, text = int.from_bytes(whole + bytes((reduce(xor, whole),)), "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def read(text: str) -> bytes:
    """The key of what somebody typed, spaces wherever they like. Raises Malformed: a slip changes the parity."""
    number = 0
    for char in "".join(text.split()):
        if char not in _ALPHABET:
            raise Malformed("a recovery key has no such character")
        number = number * 58 + _ALPHABET.index(char)
    size = len(_HEAD) + SECRET_SIZE + 1
    if number.bit_length() > 8 * size:
        raise Malformed("a recovery key is shorter")
    whole = number.to_bytes(size, "big")
    if not whole.startswith(_HEAD) or reduce(xor, whole) != 0:
        raise Malformed("the recovery key has a slip of the pen")
    return whole[len(_HEAD) : -1]


def seal(key: bytes, name: str, secret: bytes) -> dict[str, str]:
    """`secret` under the key for this `name`, the way account data keeps it."""
    stream_key, mac_key = _derived(key, name)
    start = bytearray(random_bytes(16))
    start[8] &= 0x7F  # bit 63 stays clear: some implementations count in 64 bits
    sealed = aes_ctr(stream_key, bytes(start), secret)
    return {name_: base64.b64encode(part).decode() for name_, part in (("iv", start), ("ciphertext", sealed), ("mac", hmac_sha256(mac_key, sealed)))}


def unseal(key: bytes, name: str, sealed: Mapping[str, Any]) -> bytes:
    """Inverse of `seal`. Raises CannotOpen: another key, another name, or somebody changed it."""
    stream_key, mac_key = _derived(key, name)
    start, text, mac = (_bytes(sealed.get(part)) for part in ("iv", "ciphertext", "mac"))
    if len(start) != 16 or not equal(mac, hmac_sha256(mac_key, text)):
        raise CannotOpen("this recovery key does not open that secret")
    return aes_ctr(stream_key, start, text)


def description(key: bytes) -> dict[str, Any]:
    """What account data says of the key: enough to tell the right one, nothing to find it."""
    proof = seal(key, "", _ZERO)
    return {"algorithm": ALGORITHM, "iv": proof["iv"], "mac": proof["mac"]}


def _derived(key: bytes, name: str) -> tuple[bytes, bytes]:
    both = hkdf(key, salt=_ZERO, info=name.encode(), length=64)
    return both[:32], both[32:]


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (TypeError, AttributeError, ValueError, binascii.Error):
        raise CannotOpen("that secret is not one") from None
