"""Cross-signing as a person's own client does it: three keys, one signed device, and a look at other people's chains.

The hub has its own, stricter implementation (`hub/matrix`). A demonstration person must not share it: she stands for
an independent client, and a mistake made by both sides at once would show nowhere.
Formats: Matrix client-server API, "Cross-signing" and "Signing JSON"; `matrix-facts.md` section 6.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Json = dict[str, Any]
ROLES = ("master", "self_signing", "user_signing")


def encode(data: bytes) -> str:
    """Unpadded standard base64, as everywhere in Matrix."""
    return base64.b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def signed_bytes(document: Mapping[str, Any]) -> bytes:
    """What a signature covers: canonical JSON without `signatures` and `unsigned`."""
    rest = {key: value for key, value in document.items() if key not in ("signatures", "unsigned")}
    return json.dumps(rest, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True, kw_only=True)
class Identity:
    """The three Ed25519 keys of one person. Whoever holds them is she, on as many devices as she signs."""

    master: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate, repr=False)
    self_signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate, repr=False)
    user_signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate, repr=False)

    @property
    def fingerprint(self) -> str:
        """The public master key: what an administrator pins."""
        return _public(self.master)

    def publication(self, user_id: str) -> Json:
        """Body of `POST /keys/device_signing/upload`: all three at once, else the later ones would need a password."""
        keys = {role: _key_document(user_id, role, getattr(self, role)) for role in ROLES}
        for role in ROLES[1:]:
            _sign(keys[role], user_id, self.master)
        return {f"{role}_key": document for role, document in keys.items()}

    def sign_device(self, device: Mapping[str, Any]) -> Json:
        """The device's own key document with the self-signing signature: a value for `POST /keys/signatures/upload`."""
        document = {key: value for key, value in device.items() if key not in ("signatures", "unsigned")}
        return _sign(document, str(device["user_id"]), self.self_signing)


def trusted_devices(answer: Mapping[str, Any], user_id: str, master: str) -> dict[str, str]:
    """Device id -> Ed25519 key of every device whose chain device <- self-signing <- `master` holds in a /keys/query answer.

    Anything malformed or missing means "not trusted", never an error: the answer comes from a server.
    """
    try:
        published = answer["master_keys"][user_id]
        signer_document = answer["self_signing_keys"][user_id]
        devices = answer["device_keys"][user_id]
        # 1. the published master key is the pinned one; 2. it signed the self-signing key
        if _only_key(published, user_id, "master") != master or not _verified(signer_document, user_id, master):
            return {}
        signer = _only_key(signer_document, user_id, "self_signing")
        # 3. the self-signing key signed the device, and the device is the one it is listed as
        return {
            device_id: str(document["keys"][f"ed25519:{device_id}"])
            for device_id, document in devices.items()
            if document["user_id"] == user_id and document["device_id"] == device_id and _verified(document, user_id, signer)
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def master_in(answer: Mapping[str, Any], user_id: str) -> str | None:
    """The master key that the server publishes for this person, if any."""
    try:
        return _only_key(answer["master_keys"][user_id], user_id, "master")
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _key_document(user_id: str, role: str, key: Ed25519PrivateKey) -> Json:
    public = _public(key)
    return {"user_id": user_id, "usage": [role], "keys": {f"ed25519:{public}": public}}


def _sign(document: Json, user_id: str, key: Ed25519PrivateKey) -> Json:
    document["signatures"] = {user_id: {f"ed25519:{_public(key)}": encode(key.sign(signed_bytes(document)))}}
    return document


def _public(key: Ed25519PrivateKey) -> str:
    return encode(key.public_key().public_bytes_raw())


def _only_key(document: Mapping[str, Any], user_id: str, role: str) -> str:
    ((_, key),) = document["keys"].items()
    if document["user_id"] != user_id or role not in document["usage"]:
        raise ValueError("a key published under another name or for another use")
    return str(key)


def _verified(document: Mapping[str, Any], user_id: str, key: str) -> bool:
    try:
        signature = decode(document["signatures"][user_id][f"ed25519:{key}"])
        Ed25519PublicKey.from_public_bytes(decode(key)).verify(signature, signed_bytes(document))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return True
