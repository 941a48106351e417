"""Signed JSON over `keys.matrixjson`, with the two habits of this room: seeds are bytes, and a doubt is a no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keys import matrixjson
from keys.errors import KeysError
from keys.primitives import SigningKey


def public_key(seed: bytes) -> str:
    """The public half of a 32-byte Ed25519 seed, unpadded base64."""
    return matrixjson.unpadded(SigningKey(seed).public.raw)


def sign(value: Mapping[str, Any], user_id: str, seed: bytes) -> dict[str, Any]:
    """A copy of `value` with the signature by the key of `seed`, whose id is the key itself."""
    return matrixjson.sign_json(value, user_id, f"ed25519:{public_key(seed)}", SigningKey(seed))


def signed_by(value: Any, *, user_id: str, key: str) -> bool:
    """Whether `value` carries a good signature of `user_id` by the public key `key` (whose id is the key itself)."""
    return verifies(value, user_id=user_id, key_id=key, key=key)


def verifies(value: Any, *, user_id: str, key_id: str, key: str) -> bool:
    """Whether the signature under `user_id` and `ed25519:key_id` is `key`'s over `value`. Never raises, whatever comes."""
    try:
        return matrixjson.is_signed(value, user_id, f"ed25519:{key_id}", key)
    except (KeysError, TypeError, AttributeError, ValueError, KeyError):
        return False
