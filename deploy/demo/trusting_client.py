"""A matrix-nio client that trusts devices only through their owners' cross-signing, as Element in strict mode does.

nio drops master and self-signing keys from `/keys/query`. Here the raw answer is kept, each owner's master key is
pinned when first seen, and every device is at once either verified or blacklisted, so that nio never has to decide
(`matrix-facts.md` section 6, "Checking a person's devices with nio").
"""

from __future__ import annotations

from typing import Any, Self

from nio import AsyncClient, AsyncClientConfig, KeysQueryError, KeysQueryResponse
from nio.api import Api
from nio.crypto import OlmDevice
from nio.exceptions import LocalProtocolError
from nio.store import SqliteMemoryStore

from deploy.demo.identity import master_in, trusted_devices

NOTHING = {"not_types": ["*"]}
SYNC_FILTER = {
    "presence": NOTHING,
    "account_data": NOTHING,
    "room": {"timeline": {"limit": 100}, "ephemeral": NOTHING, "account_data": NOTHING},
}


class ChainedKeysQueryResponse(KeysQueryResponse):
    """A `/keys/query` answer that still has the cross-signing keys in `raw`."""

    raw: dict[str, Any]

    @classmethod
    def from_dict(cls, parsed_dict: dict[Any, Any]) -> Self | KeysQueryError:
        """Parse; a malformed answer becomes nio's error object."""
        answer = super().from_dict(parsed_dict)
        if isinstance(answer, cls):
            answer.raw = parsed_dict
        return answer


class TrustingClient(AsyncClient):
    """One device of one person, with its keys in memory only."""

    def __init__(self, url: str, user_id: str) -> None:
        # SqliteMemoryStore and not nio's default: verifying a device twice there throws the room's session away.
        config = AsyncClientConfig(store=SqliteMemoryStore, encryption_enabled=True, store_sync_tokens=False)
        super().__init__(url, user_id, config=config)
        self.masters: dict[str, str] = {}
        """User id -> master key pinned at first sight."""
        self.signed: dict[str, dict[str, str]] = {}
        """User id -> device id -> Ed25519 key, of the devices whose chain held in the latest answer."""

    async def keys_query(self) -> KeysQueryResponse | KeysQueryError:
        users = self.users_for_key_query
        if not users:
            raise LocalProtocolError("No key query required.")
        answer: KeysQueryResponse | KeysQueryError = await self._send(
            ChainedKeysQueryResponse, *Api.keys_query(self.access_token, users)
        )
        return answer

    def _handle_olm_response(self, response: Any) -> None:
        # Synchronous up to its end: no send can slip in between the new devices and the verdict on them.
        super()._handle_olm_response(response)
        if isinstance(response, ChainedKeysQueryResponse):
            for user_id in response.device_keys:
                self._judge(user_id, response.raw)

    def _judge(self, user_id: str, answer: dict[str, Any]) -> None:
        published = master_in(answer, user_id)
        if published:
            self.masters.setdefault(user_id, published)
        pinned = self.masters.get(user_id)
        self.signed[user_id] = trusted_devices(answer, user_id, pinned) if pinned else {}
        for device in self.device_store.active_user_devices(user_id):
            self._set_trust(device, trusted=self.is_signed(device))

    def is_signed(self, device: OlmDevice) -> bool:
        """The chain held for exactly this key: ids are chosen by the server, keys are not."""
        return self.signed.get(device.user_id, {}).get(device.id) == str(device.ed25519)

    def _set_trust(self, device: OlmDevice, *, trusted: bool) -> None:
        # Only on a change: each repeated verify_device would cost a new room session.
        if trusted and not self.olm.is_device_verified(device):
            self.unblacklist_device(device)
            self.verify_device(device)
        elif not trusted and not self.olm.is_device_blacklisted(device):
            self.unverify_device(device)
            self.blacklist_device(device)

    def own_device_document(self) -> dict[str, Any]:
        """This device's key document from our own keys; the server's copy is never signed."""
        keys = self.olm.account.identity_keys
        return {
            "user_id": self.user_id,
            "device_id": self.device_id,
            "algorithms": self.olm._algorithms,
            "keys": {f"{kind}:{self.device_id}": keys[kind] for kind in ("curve25519", "ed25519")},
        }
