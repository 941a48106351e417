"""What the Olm machine remembers: in memory, with a list of the rows that changed since the last commit.

nio asks its store for about twenty methods. Only account, Olm sessions and inbound Megolm sessions are kept; trust is answered
elsewhere (`trust`), outbound Megolm sessions are never stored (a new one per start is good for us), and devices come fresh from
the homeserver at each start. Nothing here writes: `take` hands out the changed rows, pickled at that moment, and whoever commits
them calls `put_back` when the commit failed. So one ratchet step never costs a transaction of its own (N17).
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from nio.crypto import (
    DeviceStore,
    GroupSessionStore,
    InboundGroupSession,
    OlmAccount,
    OlmDevice,
    Session,
    SessionStore,
)

MAX_OLM_SESSIONS = 20
"""Per device key: a sender may open any number, and each is tried in turn (N35)."""
MAX_KEYS = 2_000
"""Device keys with Olm sessions in all. Senders are pinned, but their homeserver may invent devices; the least used go."""
OWN_MEGOLM_S = 7 * 86400.0
PEER_MEGOLM_S = 30 * 86400.0
_DAY = 86400.0


class OlmSessions(SessionStore):
    """nio sorts sessions once, when they are added; the spec wants the one used last (N16)."""

    def get(self, sender_key: str) -> Any:
        return max(self._entries[sender_key], key=lambda one: one.use_time, default=None) if sender_key in self._entries else None

    def __getitem__(self, sender_key: str) -> list[Any]:
        """Most recently used first; asking about an unknown key leaves no trace."""
        return sorted(self._entries.get(sender_key, ()), key=lambda one: one.use_time, reverse=True)

    def add(self, sender_key: str, session: Any) -> bool:
        self._entries[sender_key] = [one for one in self._entries[sender_key] if one.id != session.id] + [session]
        return True

    def excess(self, sender_key: str) -> list[tuple[str, Any]]:
        """(device key, session) beyond the limits, removed here; the store forgets their rows."""
        kept = self[sender_key]
        self._entries[sender_key] = kept[:MAX_OLM_SESSIONS]
        gone = [(sender_key, one) for one in kept[MAX_OLM_SESSIONS:]]
        if len(self._entries) > MAX_KEYS:
            oldest = min((key for key in self._entries if key != sender_key), key=self._last_use)
            gone.extend((oldest, one) for one in self._entries.pop(oldest))
        return gone

    def _last_use(self, sender_key: str) -> float:
        return max((one.use_time.timestamp() for one in self._entries[sender_key]), default=0.0)


class MegolmSessions(GroupSessionStore):
    """nio lets a later-index copy replace an earlier one (N30); here the one that reads more stays."""

    def add(self, session: Any) -> bool:
        known = self.get(session.room_id, session.sender_key, session.id)
        if known is not None and known.first_known_index <= session.first_known_index:
            return False
        self._entries[session.room_id][session.sender_key][session.id] = session
        return True

    def get(self, room_id: str, sender_key: str, session_id: str) -> Any:
        return self._entries.get(room_id, {}).get(sender_key, {}).get(session_id)

    def find(self, room_id: str, session_id: str) -> list[Any]:
        """Every copy of this session, whoever gave it to us (`sender_key` in events is deprecated, N38)."""
        return [by_id[session_id] for by_id in self._entries.get(room_id, {}).values() if session_id in by_id]

    def drop(self, session: Any) -> None:
        self._entries[session.room_id][session.sender_key].pop(session.id, None)


class OlmStore:
    """nio's store interface over rows of bytes (sealed by whoever keeps them)."""

    def __init__(self, rows: dict[str, bytes], *, now: Any = time.time) -> None:
        self._now = now
        self._dirty: dict[str, Any] = {}
        self._used: dict[str, float] = {}
        self._sessions = OlmSessions()
        self._groups = MegolmSessions()
        self.account: Any = None
        self.fallback_at = 0.0
        """Unix time at which the current fallback key was made."""
        self.login: dict[str, str] | None = None
        """`user_id`, `device_id`, `access_token` of the one login."""
        for key, body in rows.items():
            self._read(key, json.loads(body))

    # ---- rows ----------------------------------------------------------------------------------------------------

    def take(self) -> dict[str, bytes | None]:
        """The changed rows as they are now (None = deleted). They count as clean until `put_back`."""
        dirty, self._dirty = self._dirty, {}
        return {key: None if item is None else item() if callable(item) else item for key, item in dirty.items()}

    def put_back(self, changes: dict[str, bytes | None]) -> None:
        """The commit failed: these are dirty again, unless they changed once more."""
        self._dirty = {**changes, **self._dirty}

    @property
    def is_dirty(self) -> bool:
        return bool(self._dirty)

    def save_login(self, user_id: str, device_id: str, access_token: str) -> None:
        self.login = {"user_id": user_id, "device_id": device_id, "access_token": access_token}
        self._dirty["login"] = _dump(self.login)

    def prune(self, own_curve25519: str) -> int:
        """Forget Megolm sessions nobody needs any more; the number of those."""
        now, gone = self._now(), 0
        for session in list(self._groups):
            limit = OWN_MEGOLM_S if session.sender_key == own_curve25519 else PEER_MEGOLM_S
            key = _megolm_key(session)
            if now - self._used.get(key, now) > limit:
                self._groups.drop(session)
                self._used.pop(key, None)
                self._dirty[key] = None
                gone += 1
        return gone

    def _read(self, key: str, row: dict[str, Any]) -> None:
        if key == "login":
            self.login = row
        elif key == "account":
            self.account = OlmAccount.from_pickle(row["pickle"].encode(), "", row["shared"])
            self.fallback_at = row["fallback_at"]
        elif key.startswith("olm:"):
            made, used = (datetime.fromtimestamp(row[name]) for name in ("made", "used"))
            self._sessions.add(row["sender_key"], Session.from_pickle(row["pickle"].encode(), made, "", used))
        elif key.startswith("megolm:"):
            session = InboundGroupSession.from_pickle(row["pickle"].encode(), row["ed25519"], row["sender_key"], row["room_id"], "", row["chain"])
            self._groups.add(session)
            self._used[key] = row["used"]

    # ---- nio's interface -------------------------------------------------------------------------------------------

    def load_account(self) -> Any:
        return self.account

    def save_account(self, account: Any) -> None:
        self.account = account
        # Pickled when taken: then the row also holds what nio changes after it said "save" (N29).
        self._dirty["account"] = lambda: _dump({"pickle": account.pickle("").decode(), "shared": account.shared, "fallback_at": self.fallback_at})

    def load_sessions(self) -> OlmSessions:
        return self._sessions

    def save_session(self, curve_key: str, session: Any) -> None:
        for key, old in self._sessions.excess(curve_key):
            self._dirty[_olm_key(key, old.id)] = None
        self._dirty[_olm_key(curve_key, session.id)] = lambda: _olm_row(curve_key, session)

    def load_inbound_group_sessions(self) -> MegolmSessions:
        return self._groups

    def save_inbound_group_session(self, session: Any) -> None:
        if self._groups.get(session.room_id, session.sender_key, session.id) is not session:
            return  # a copy that reads less than the one we have
        key = _megolm_key(session)
        self._used[key] = self._now()
        self._dirty[key] = lambda: _megolm_row(session, self._used[key])

    def used_group_session(self, session: Any) -> None:
        """It decrypted something: its thirty days start again (to the day, so that most messages cost no row)."""
        if self._now() - self._used.get(_megolm_key(session), 0.0) > _DAY:
            self.save_inbound_group_session(session)

    def load_device_keys(self) -> Any:
        return DeviceStore()

    def save_device_keys(self, device_keys: object) -> None:
        """Devices are not kept: `trust` judges what is served now, so none can stay deleted, or trusted, by memory."""

    def load_encrypted_rooms(self) -> set[str]:
        return set()

    def save_encrypted_rooms(self, rooms: object) -> None:
        """Every room of ours is encrypted; our own record says so."""

    def delete_encrypted_room(self, room: str) -> None:
        """See `save_encrypted_rooms`."""

    def load_outgoing_key_requests(self) -> dict[str, Any]:
        return {}

    def add_outgoing_key_request(self, key_request: object) -> None:
        """We never ask for keys: peers send again."""

    def remove_outgoing_key_request(self, key_request: object) -> None:
        """See `add_outgoing_key_request`."""

    def save_sync_token(self, token: str) -> None:
        """The token is committed with its batch, never by nio (N3)."""

    def load_sync_token(self) -> None:
        return None

    def is_device_verified(self, device: OlmDevice) -> bool:
        """nio's own trust flags are not used; for nio nobody is verified, so it shares nothing by itself."""
        return False

    is_device_ignored = is_device_verified
    verify_device = unverify_device = ignore_device = unignore_device = unblacklist_device = is_device_verified

    def is_device_blacklisted(self, device: OlmDevice) -> bool:
        return True

    blacklist_device = is_device_blacklisted

    def ignore_devices(self, devices: object) -> None:
        """Never: that is `ignore_unverified_devices` by another name (N22)."""


def _olm_row(curve_key: str, session: Any) -> bytes:
    made, used = session.creation_time.timestamp(), session.use_time.timestamp()  # nio's times are naive and local
    return _dump({"sender_key": curve_key, "pickle": session.pickle("").decode(), "made": made, "used": used})


def _megolm_row(session: Any, used: float) -> bytes:
    return _dump(
        {
            "pickle": session.pickle("").decode(),
            "ed25519": session.ed25519,
            "sender_key": session.sender_key,
            "room_id": session.room_id,
            "chain": session.forwarding_chain,
            "used": used,
        }
    )


def _olm_key(curve_key: str, session_id: str) -> str:
    return _row_id("olm", curve_key, session_id)


def _megolm_key(session: Any) -> str:
    return _row_id("megolm", session.room_id, session.sender_key, session.id)


def _row_id(kind: str, *parts: str) -> str:
    """A row's name says what kind it is and nothing else: room and user ids stand inside, sealed."""
    return f"{kind}:{base64.b32encode(hashlib.sha256('|'.join(parts).encode()).digest()[:20]).decode()}"


def _dump(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def sessions_of(store: OlmStore) -> Iterator[Any]:
    """Every inbound Megolm session, for counting."""
    yield from store.load_inbound_group_sessions()
