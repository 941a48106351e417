"""nio's `AsyncClient`, cut down to what it does well and mended where `matrix-facts.md` 1.1 says (N-numbers below).

Used of nio: the HTTP session, the Olm machine, the session classes. Not used: its sync handling, room state, trust, key sharing,
`room_send`. Every request leaves through `send` here, and `send` commits changed Olm rows first (rule 3): whatever the server
may have seen of a ratchet, our disk has seen before.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import ssl as tls
import time
from collections.abc import Awaitable, Callable
from typing import Any

from nio import AsyncClient, AsyncClientConfig
from nio.crypto import Olm
from nio.responses import ErrorResponse

from hub.matrix import http, logs
from hub.matrix.errors import HomeserverAway, HomeserverRefused, LoginLost, MatrixError, RolledBack, Unsuitable
from hub.matrix.olm_store import OlmStore
from hub.matrix.ports import Device

VODOZEMAC = (0, 10)
"""The first version with contributory Diffie-Hellman checks and strict signatures (N40)."""
FALLBACK_LIFE_S = 7 * 86400.0
REFILL_BELOW = 0.8
"""Of nio's 50 one-time keys; above that an upload per new session would be waste."""


def check_libraries(version: str | None = None) -> None:
    """Raise Unsuitable when `vodozemac` is older than 0.10. Called before the first client is made."""
    found = version or importlib.metadata.version("vodozemac")
    if tuple(int(part) for part in found.split(".")[:2]) < VODOZEMAC:
        raise Unsuitable("matrix.vodozemac_old", f"vodozemac {found} is too old: install 0.10 or newer")


class HubClient(AsyncClient):
    """One device of one account, with its own Olm machine over `OlmStore`."""

    olm: Any

    def __init__(
        self,
        homeserver: str,
        user_id: str,
        device_id: str,
        store: OlmStore,
        *,
        before_send: Callable[[], Awaitable[None]],
        tls_context: tls.SSLContext | None = None,
    ) -> None:
        logs.pin()
        check_libraries()
        config = AsyncClientConfig(encryption_enabled=True, store_sync_tokens=False, request_timeout=http.TIMEOUT)
        super().__init__(homeserver, user_id, device_id, config=config, ssl=tls_context)
        self.user_id: str = user_id
        self.device_id: str = device_id
        self._before_send = before_send
        self.replace_store(store)

    def replace_store(self, store: OlmStore) -> None:
        """Take a (re)loaded store, and with it a fresh Olm machine."""
        self.store: OlmStore = store
        self.olm = Olm(self.user_id, self.device_id, store)
        # An empty store is filled by whoever claims keys; nio's own outgoing machinery stays unused.
        self.olm.inbound_group_store = store.load_inbound_group_sessions()
        if store.login is not None:
            self.access_token = store.login["access_token"]

    @property
    def own_device(self) -> Device:
        identity = self.olm.account.identity_keys
        return Device(user_id=self.user_id, device_id=self.device_id, ed25519=identity["ed25519"], curve25519=identity["curve25519"])

    def load_store(self) -> None:
        """nio calls this at login; ours is there from the start."""

    async def send(
        self,
        method: str,
        path: str,
        data: Any = None,
        headers: Any = None,
        trace_context: Any = None,
        timeout: float | None = None,  # noqa: ASYNC109 - nio's signature
    ) -> Any:
        """The one place through which requests leave. GET changes no key and need not wait for the disk."""
        if self._halted is not None:
            raise self._halted
        if method != "GET":
            await self._before_send()
        return await super().send(method, path, data, headers, trace_context, timeout)

    async def _send(self, response_class: Any, method: str, path: str, data: Any = None, response_data: Any = None, *_: Any, **__: Any) -> Any:
        """nio's own calls: bounded waiting (N14), and an `ErrorResponse` raises (rule 12)."""
        raw = await http.request(self, method, path, data if data is None else _json(data))
        response = response_class.from_dict(raw, *(response_data or ()))
        if isinstance(response, ErrorResponse):
            raise MatrixError("matrix.bad_answer", f"the homeserver's answer to {response_class.__name__} makes no sense")
        await self.receive_response(response)
        return response

    async def room_send(self, *_: Any, **__: Any) -> None:
        """nio's way to send, which falls back to clear text (N23). Closed: `carrier` is the only road."""
        raise MatrixError("matrix.closed", "nio's room_send is not used here: send through the carrier")

    room_redact = room_send

    # ---- the account ---------------------------------------------------------------------------------------------

    async def log_in(self, password: str, device_name: str) -> None:
        """First login under our own device id; the token goes into the sealed rows.

        Raises HomeserverRefused (wrong password), HomeserverAway, LoginLost (the server gave us another device).
        """
        who = {"type": "m.id.user", "user": self.user_id}
        body = {
            "type": "m.login.password",
            "identifier": who,
            "password": password,
            "device_id": self.device_id,
            "initial_device_display_name": device_name,
        }
        answer = await http.request(self, "POST", "/_matrix/client/v3/login", body)
        if answer.get("user_id") != self.user_id or answer.get("device_id") != self.device_id:
            raise LoginLost("matrix.login_mismatch", "the homeserver logged us in as another user or device")
        self.access_token = answer["access_token"]
        self.store.save_login(self.user_id, self.device_id, self.access_token)

    async def who_am_i(self) -> dict[str, Any]:
        """The homeserver's idea of us. Raises LoginLost when our token is dead or belongs to another device."""
        try:
            answer = await http.request(self, "GET", "/_matrix/client/v3/account/whoami")
        except HomeserverRefused as error:
            raise LoginLost("matrix.token_dead", "the homeserver does not accept our login any more") from error
        if answer.get("device_id") != self.device_id or answer.get("user_id") != self.user_id:
            raise LoginLost("matrix.login_mismatch", "our token belongs to another user or device")
        return answer

    # ---- keys ------------------------------------------------------------------------------------------------------

    def note_key_counts(self, counts: Any, unused_fallback: Any) -> None:
        """What a sync says about our keys on the server. Absent means none: that is when it matters (N9)."""
        count = counts.get("signed_curve25519", 0) if isinstance(counts, dict) else 0
        self.olm.uploaded_key_count = count if isinstance(count, int) else 0
        self._fallback_spent = not (isinstance(unused_fallback, list) and "signed_curve25519" in unused_fallback)

    _halted: RolledBack | None = None
    """Set for good when the server knows newer keys than we do: from then on nothing leaves."""
    _fallback_spent = False
    """Told by each sync; not assumed before the first, or every restart would throw a good fallback key away."""

    @property
    def needs_upload(self) -> bool:
        account, count = self.olm.account, self.olm.uploaded_key_count
        return not account.shared or self._fallback_due or (count is not None and count < account.max_one_time_keys * REFILL_BELOW)

    @property
    def _fallback_due(self) -> bool:
        unpublished = bool(self.olm.account._account.fallback_key)
        return unpublished or self._fallback_spent or time.time() - self.store.fallback_at > FALLBACK_LIFE_S

    async def upload_keys(self) -> None:
        """Device keys (once), one-time keys up to 50, and a fallback key, so that nobody can exhaust us (N9, N10).

        New private keys are committed before the request (N11). Raises RolledBack when the server already has other keys
        under our next ids: then this store is an old copy (N12).
        """
        content = self._keys_to_upload()
        self.olm.save_account()
        try:
            answer = await http.request(self, "POST", "/_matrix/client/v3/keys/upload", content)
        except HomeserverRefused as error:
            if error.status == 400 and error.errcode == "M_UNKNOWN":
                self._halted = RolledBack(
                    "matrix.rolled_back",
                    "the homeserver knows newer keys of this device: this store is an old copy; restore under a new device",
                )
                raise self._halted from error
            raise
        self.olm.account.shared = True
        self.olm.uploaded_key_count = answer.get("one_time_key_counts", {}).get("signed_curve25519", 0)
        self.olm.mark_keys_as_published()
        self._fallback_spent = False
        self.olm.save_account()

    def _keys_to_upload(self) -> dict[str, Any]:
        olm = self.olm
        if olm.account.shared and olm.uploaded_key_count is None:
            olm.uploaded_key_count = olm.account.max_one_time_keys  # not known yet: the next sync tells
        full = olm.account.shared and olm.uploaded_key_count >= olm.account.max_one_time_keys
        content: dict[str, Any] = {} if full else olm.share_keys()
        if self._fallback_due:
            content["fallback_keys"] = {
                f"signed_curve25519:{name}": self._signed_key({"key": key.to_base64(), "fallback": True})
                for name, key in self._fallback_key().items()
            }
        return content

    def _fallback_key(self) -> Any:
        """The fallback key to publish: one made before a crash goes again, else a new one."""
        inner = self.olm.account._account
        if not inner.fallback_key:
            inner.generate_fallback_key()
            self.store.fallback_at = time.time()
        return inner.fallback_key

    def _signed_key(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "signatures": {self.user_id: {f"ed25519:{self.device_id}": self.olm.sign_json(value)}}}

    async def query_keys(self, users: list[str]) -> dict[str, Any]:
        """The raw answer of /keys/query: nio would drop the master keys (N21)."""
        body = {"device_keys": {user: [] for user in users}, "timeout": 10_000}
        return await http.request(self, "POST", "/_matrix/client/v3/keys/query", body)

    async def put(self, path: str, body: Any, *, seconds: float = http.TIMEOUT, tries: int = 4) -> dict[str, Any]:
        """A request that carries its own transaction id, so the same one may go again after silence."""
        for attempt in range(tries):
            try:
                return await http.request(self, "PUT", path, body, seconds=seconds)
            except HomeserverAway:
                if attempt + 1 == tries:
                    raise
                await asyncio.sleep(0.25 * 2**attempt)
        raise AssertionError("unreachable")


def _json(data: Any) -> Any:
    return json.loads(data) if isinstance(data, str) else data
