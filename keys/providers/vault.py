"""A KEK in the transit engine of HashiCorp Vault (or OpenBao, which speaks the same): the key never leaves it.

wrapped = 0x03 | KEK id (8) | key version at Vault (4) | what Vault's `vault:v<version>:<base64>` holds

Documented HTTP API: POST /v1/<mount>/encrypt/<key> {plaintext, associated_data} and …/decrypt/<key> {ciphertext, associated_data},
base64 throughout. The base64 is undone and made again, because its last letter has spare bits: one secret, one spelling. The token
is read once; a sealed, absent or forbidding Vault answers `ProviderError` (R10).
"""

from __future__ import annotations

import json
import re
import ssl
import urllib.error
import urllib.request
from typing import Any, Final
from urllib.parse import quote, urlsplit

from keys.codec import b64, unb64
from keys.errors import CannotOpen, Malformed, ProviderError, TooLarge
from keys.primitives import join, sha256
from keys.providers.memory import ID_SIZE, MAX_PLAINTEXT

VERSION: Final = b"\x03"
_DOMAIN: Final = b"TINKUY-v1 wrap"
_FORM: Final = re.compile(r"vault:v([1-9][0-9]{0,8}):([A-Za-z0-9+/]+={0,2})")
_TIMEOUT: Final = 10.0
_MAX_ANSWER: Final = 64 * 1024
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ABSENT: Final = "Vault is sealed, unreachable or refuses the token; unseal it, or renew the token"


class VaultKek:
    """Implements `KekProvider` over HTTP. Each call is a round trip: the hub makes them off its event loop."""

    def __init__(self, url: str, *, mount: str, key: str, token: str) -> None:
        self._base = f"{url.rstrip('/')}/v1/{quote(mount, safe='')}"
        self._key, self._token = key, token
        # No proxy of the environment stands between: the token and every secret go to Vault and nowhere else.
        encrypted = urllib.request.HTTPSHandler(context=ssl.create_default_context())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), encrypted)
        self._id = sha256(b"TINKUY-v1 kek id", join(mount.encode(), key.encode()))[:ID_SIZE]

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def name(self) -> str:
        return f"vault {self._key} {self._id.hex()}"

    @classmethod
    def open(cls, url: str, *, mount: str, key: str, token: str) -> VaultKek:
        """Check the address, and that the key is there. Raises `ProviderError`. Never makes a key: Vault's administrator does.

        Asked by reading it: an `encrypt` under a name that does not exist would make a key when the token's policy lets it.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
            raise ProviderError("Vault is asked over https, or on this machine", code="kek.unsafe")
        found = cls(url, mount=mount, key=key, token=token)
        found._ask("keys", None)
        return found

    def wrap(self, plaintext: bytes, aad: bytes) -> bytes:
        if len(plaintext) > MAX_PLAINTEXT:
            raise TooLarge(f"a key-encryption key wraps at most {MAX_PLAINTEXT} bytes")
        answer = self._ask("encrypt", {"plaintext": b64(plaintext), "associated_data": b64(self._aad(aad))})
        found = _FORM.fullmatch(str(answer.get("ciphertext", "")))
        if found is None:
            raise ProviderError("Vault answered in a form that this release does not know")
        return VERSION + self._id + int(found.group(1)).to_bytes(4, "big") + unb64(found.group(2), "ciphertext")

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        if wrapped[:1] != VERSION or wrapped[1 : 1 + ID_SIZE] != self._id:
            raise CannotOpen("this secret was wrapped by another key-encryption key; restore that one", code="kek.other")
        version, sealed = int.from_bytes(wrapped[1 + ID_SIZE :][:4], "big"), wrapped[1 + ID_SIZE + 4 :]
        if not 1 <= version < 10**9 or len(sealed) < 28:
            raise CannotOpen("the sealed bytes did not open")
        asked = {"ciphertext": f"vault:v{version}:{b64(sealed)}", "associated_data": b64(self._aad(aad))}
        try:
            return unb64(str(self._ask("decrypt", asked).get("plaintext", "")), "plaintext")
        except Malformed:
            raise ProviderError("Vault answered in a form that this release does not know") from None

    def _aad(self, aad: bytes) -> bytes:
        return join(_DOMAIN, self._id, aad)

    def _ask(self, what: str, body: dict[str, str] | None) -> dict[str, Any]:
        """Vault's `data`. 400 to a `decrypt` means that the bytes did not open; everything else that is not 200 is the road."""
        request = urllib.request.Request(  # noqa: S310  # the scheme was checked in `open`
            f"{self._base}/{what}/{quote(self._key, safe='')}", data=None if body is None else json.dumps(body).encode(),
            headers={"X-Vault-Token": self._token, "X-Vault-Request": "true", "Content-Type": "application/json"},
        )  # fmt: skip
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                found = json.loads(answer.read(_MAX_ANSWER))
        except urllib.error.HTTPError as error:
            if error.code == 400 and what == "decrypt":
                raise CannotOpen("the sealed bytes did not open") from None
            if error.code == 404 and what == "keys":
                raise ProviderError("Vault has no key of that name; its administrator makes it", code="kek.absent") from None
            raise ProviderError(_ABSENT) from None
        except (OSError, ValueError):
            raise ProviderError(_ABSENT) from None
        data = found.get("data") if isinstance(found, dict) else None
        if not isinstance(data, dict):
            raise ProviderError("Vault answered in a form that this release does not know")
        return data
