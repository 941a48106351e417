"""Matrix's canonical JSON and its Ed25519 signatures (spec, appendices 2 and 3), for cross-signing objects and device chains.

Signature = Ed25519 over canonical JSON without `signatures` and `unsigned`, in unpadded standard base64 (matrix-facts.md 6).
Synapse accepts a padded key without complaint and other clients then do not, so padding is refused here on both roads.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from keys import strictjson
from keys.errors import BadSignature, Malformed
from keys.primitives import SigningKey, VerifyKey

_UNSIGNED_KEYS: Final = ("signatures", "unsigned")


def canonical(obj: Mapping[str, Any]) -> bytes:
    """Canonical JSON: sorted keys, no spaces, UTF-8, integers within +-(2^53 - 1), no floats; else `Malformed`."""
    _refuse_floats(obj)
    return strictjson.dumps(dict(obj))


def unpadded(data: bytes) -> str:
    """Unpadded standard base64."""
    return base64.b64encode(data).decode("ascii").rstrip("=")


def from_unpadded(text: Any) -> bytes:
    """Strict inverse of `unpadded`; `Malformed` for padding, other alphabets or a second spelling."""
    if not isinstance(text, str) or "=" in text:
        raise Malformed("this is not unpadded base64")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("this is not unpadded base64") from None
    if unpadded(data) != text:
        raise Malformed("this is not unpadded base64 in its one spelling")
    return data


def signable(obj: Mapping[str, Any]) -> bytes:
    """The bytes a Matrix signature over `obj` covers."""
    return canonical({key: value for key, value in obj.items() if key not in _UNSIGNED_KEYS})


def sign_json(obj: Mapping[str, Any], user_id: str, key_id: str, seed: SigningKey) -> dict[str, Any]:
    """A copy of `obj` with our signature added under `user_id` and `key_id` (`ed25519:<device or public key>`)."""
    signature = unpadded(seed.sign(signable(obj)))
    signatures = {user: dict(sigs) for user, sigs in obj.get("signatures", {}).items()}
    signatures.setdefault(user_id, {})[key_id] = signature
    return {**obj, "signatures": signatures}


def verify_json(obj: Mapping[str, Any], user_id: str, key_id: str, key: VerifyKey | bytes | str) -> None:
    """Raise `BadSignature` unless `obj` bears `key`'s signature there. `key` may be raw bytes or unpadded base64."""
    try:
        text = obj["signatures"][user_id][key_id]
    except (KeyError, TypeError):
        raise BadSignature("the object is not signed by this key", code="matrix.unsigned") from None
    as_key(key).verify(signable(obj), from_unpadded(text))


def is_signed(obj: Mapping[str, Any], user_id: str, key_id: str, key: VerifyKey | bytes | str) -> bool:
    """`verify_json` as a verdict: anything wrong, in key, signature or object, is False."""
    try:
        verify_json(obj, user_id, key_id, key)
    except (BadSignature, Malformed):
        return False
    return True


def as_key(key: VerifyKey | bytes | str) -> VerifyKey:
    """A public key from raw bytes or Matrix's unpadded base64; `Malformed` when it is none."""
    if isinstance(key, VerifyKey):
        return key
    raw = from_unpadded(key) if isinstance(key, str) else key
    if len(raw) != 32:
        raise Malformed("a public signing key is 32 bytes")
    return VerifyKey(raw)


def _refuse_floats(value: Any) -> None:
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, float):
            raise Malformed("canonical JSON has no fractions", code="json.number")
        if isinstance(item, Mapping):
            todo.extend(item.values())
        elif isinstance(item, list | tuple):
            todo.extend(item)
