"""The seam to the Olm machine: what came in is opened, and room keys go out to exactly the devices named by the caller.

`open_*` are synchronous and change only memory; a malformed message raises and changes nothing that matters. Errors of nio,
vodozemac and its Rust core (whose panics are not `Exception`s) end here (N1, N2).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import vodozemac
from nio.crypto import OutboundGroupSession
from nio.events import DummyEvent, RoomKeyEvent

from hub.matrix import http, signatures
from hub.matrix.client import HubClient
from hub.matrix.errors import CannotRead
from hub.matrix.ports import Device
from keys import strictjson

MAX_BODY = 128 * 1024
"""Characters of one ciphertext; a Matrix event cannot be longer than 64 KiB."""
MAX_MESSAGES = 100
MAX_AGE = timedelta(days=1)
CHUNK = 20
"""Devices per sendToDevice request."""
UNWEDGE_EVERY_S = 60.0
"""A device whose Olm session broke gets a new one at most this often (nio: once an hour)."""
RECLAIM_EVERY_S = 30.0
"""A device that had no one-time key left is asked again after this."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One decrypted room event, and whose key opened it. Nobody is believed yet."""

    type: str
    content: dict[str, Any] = field(repr=False)
    curve25519: str
    ed25519: str
    session_id: str
    index: int


class NoRoomKey(CannotRead):
    """its room key has not come (yet)."""


@dataclass(kw_only=True)
class _Outbound:
    """The Megolm session we encrypt with in one room, and who has its key."""

    session: Any
    shared: frozenset[Device] = frozenset()
    unreachable: dict[Device, float] = field(default_factory=dict)


def guarded(step: Callable[[], T]) -> T:
    """Run `step` over hostile bytes; whatever goes wrong becomes CannotRead with the class name as reason."""
    try:
        return step()
    except CannotRead:
        raise
    except Exception as error:
        raise CannotRead(type(error).__name__) from None
    except BaseException as error:
        # A Rust panic in vodozemac derives from BaseException; Ctrl-C and cancellation must pass.
        if type(error).__name__ != "PanicException":
            raise
        raise CannotRead("PanicException") from None


class Machine:
    """Everything that happens inside our Olm account."""

    def __init__(self, client: HubClient) -> None:
        self.client = client
        self._outbound: dict[str, _Outbound] = {}
        self._unwedged: dict[Device, float] = {}
        self.exclusive = asyncio.Lock()
        """Held from an Olm ratchet step until the server has the result: the machine is not exchanged in between."""

    # ---- inbound -----------------------------------------------------------------------------------------------------

    def open_to_device(self, raw: dict[str, Any]) -> tuple[str, str] | None:
        """Decrypt one to-device message of a pinned sender.

        Returns (room id, session id) when it brought a room key. None for anything else, a failure to decrypt included: nio
        cannot tell a broken session from a stranger's, so `broken` looks at it. Raises CannotRead when malformed.
        """
        return guarded(lambda: self._open_to_device(raw))

    def _open_to_device(self, raw: dict[str, Any]) -> tuple[str, str] | None:
        sender, content = raw["sender"], raw["content"]
        own = content["ciphertext"][self.client.own_device.curve25519]
        body = own["body"]
        if not isinstance(body, str) or len(body) > MAX_BODY or not isinstance(content["sender_key"], str):
            raise CannotRead("OlmShape")
        vodozemac.Curve25519PublicKey.from_base64(content["sender_key"])
        message: Any
        if own["type"] == 0:
            message = vodozemac.PreKeyMessage.from_base64(body)
        else:
            message = vodozemac.AnyOlmMessage.normal(base64.b64decode(body + "=" * (-len(body) % 4)))
        event = self.client.olm.decrypt(sender, content["sender_key"], message)
        if isinstance(event, DummyEvent):
            self.forget_rooms_of(sender)
        if event is None:
            raise CannotRead("OlmNotOpened")
        return (event.room_id, event.session_id) if type(event) is RoomKeyEvent else None

    def open_room_event(self, room_id: str, raw: dict[str, Any]) -> Opened:
        """Decrypt one room event. Raises NoRoomKey, or CannotRead when it is malformed or not what it says."""
        return guarded(lambda: self._open_room_event(room_id, raw))

    def _open_room_event(self, room_id: str, raw: dict[str, Any]) -> Opened:
        content = raw["content"]
        session_id, ciphertext = content["session_id"], content["ciphertext"]
        if content["algorithm"] != "m.megolm.v1.aes-sha2" or not isinstance(ciphertext, str) or len(ciphertext) > MAX_BODY:
            raise CannotRead("MegolmShape")
        sessions = self.client.store.load_inbound_group_sessions().find(room_id, session_id)
        if not sessions:
            raise NoRoomKey("NoRoomKey")
        # Somebody else may have given us the same session under his own device key (X18): the named one first.
        sessions.sort(key=lambda one: one.sender_key != content.get("sender_key"))
        session = sessions[0]
        if ciphertext_index(ciphertext) < session.first_known_index:
            raise NoRoomKey("EarlierThanOurKey")
        opened = session._session.decrypt(vodozemac.MegolmMessage.from_base64(ciphertext))
        payload = strictjson.loads(opened.plaintext, max_bytes=MAX_BODY)
        # The room stands inside the ciphertext; nio does not compare it (N32).
        if not isinstance(payload, dict) or payload.get("room_id") != room_id:
            raise CannotRead("OtherRoom")
        if not isinstance(payload.get("type"), str) or not isinstance(payload.get("content"), dict):
            raise CannotRead("PayloadShape")
        self.client.store.used_group_session(session)
        return Opened(
            type=payload["type"],
            content=payload["content"],
            curve25519=session.sender_key,
            ed25519=session.ed25519,
            session_id=session_id,
            index=opened.message_index,
        )

    # ---- outbound ----------------------------------------------------------------------------------------------------

    def encrypt(self, room_id: str, event_type: str, content: dict[str, Any]) -> dict[str, Any]:
        """The `m.room.encrypted` content. `share` must have succeeded just before, with no await in between."""
        outbound = self._outbound[room_id]
        plaintext = strictjson.dumps({"type": event_type, "content": content, "room_id": room_id}).decode()
        own = self.client.own_device
        return {
            "algorithm": "m.megolm.v1.aes-sha2",
            "sender_key": own.curve25519,
            "device_id": own.device_id,
            "session_id": outbound.session.id,
            "ciphertext": outbound.session.encrypt(plaintext),
        }

    async def share(self, room_id: str, wanted: frozenset[Device]) -> frozenset[Device]:
        """Make sure that exactly `wanted` can read what is encrypted next; those that could not be reached are returned.

        A device that had the key and is not wanted any more ends the session. A failing request raises, nothing counts as
        shared then, and the next try goes again (N6, N7).
        """
        async with self.exclusive:
            return await self._share(room_id, wanted)

    async def _share(self, room_id: str, wanted: frozenset[Device]) -> frozenset[Device]:
        outbound = self._outbound.get(room_id)
        if outbound is None or outbound.session.expired or not outbound.shared <= wanted:
            outbound = self._outbound[room_id] = _Outbound(session=_new_session())
        now = time.monotonic()
        missing = [one for one in wanted - outbound.shared if now - outbound.unreachable.get(one, -RECLAIM_EVERY_S) >= RECLAIM_EVERY_S]
        if missing:
            await self._open_sessions(missing)
            reachable = [one for one in missing if self._session(one) is not None]
            outbound.unreachable.update({one: now for one in missing if one not in reachable})
            await self._send_key(room_id, outbound, reachable)
        return wanted - outbound.shared

    async def _open_sessions(self, devices: Iterable[Device], *, fresh: bool = False) -> None:
        """Claim one-time keys for devices without an Olm session (with `fresh`: for all), and open sessions.

        A key that the *pinned* device did not sign makes no session (X06).
        """
        claim: dict[str, dict[str, str]] = {}
        wanted = [device for device in devices if fresh or self._session(device) is None]
        for device in wanted:
            claim.setdefault(device.user_id, {})[device.device_id] = "signed_curve25519"
        if not claim:
            return
        answer = await http.request(self.client, "POST", "/_matrix/client/v3/keys/claim", {"one_time_keys": claim, "timeout": 10_000})
        for device in wanted:
            with contextlib.suppress(CannotRead):
                guarded(partial(self._open_session, device, answer))

    async def renew(self, device: Device) -> None:
        """A device cannot read us, or we not it: open a fresh Olm session and say so (`m.dummy`), at most once a minute."""
        now = time.monotonic()
        if now - self._unwedged.get(device, -UNWEDGE_EVERY_S) < UNWEDGE_EVERY_S:
            return
        self._unwedged[device] = now
        async with self.exclusive:
            await self._open_sessions([device], fresh=True)
            self.forget_rooms_of(device.user_id)
            if self._session(device) is not None:
                await self._to_device({device: ("m.dummy", {})})

    def forget_rooms_of(self, user_id: str) -> None:
        """Encrypt with a new session, shared anew, wherever this user reads."""
        for room_id in [room for room, one in self._outbound.items() if any(device.user_id == user_id for device in one.shared)]:
            del self._outbound[room_id]

    def forget_room(self, room_id: str) -> None:
        """Encrypt with a new session in this room from the next message on."""
        self._outbound.pop(room_id, None)

    def _session(self, device: Device) -> Any:
        return self.client.olm.session_store.get(device.curve25519)

    def _open_session(self, device: Device, answer: dict[str, Any]) -> None:
        one_time_key = next(iter(answer["one_time_keys"][device.user_id][device.device_id].values()))
        if not signatures.verifies(one_time_key, user_id=device.user_id, key_id=device.device_id, key=device.ed25519):
            raise CannotRead("ForgedOneTimeKey")
        session = self.client.olm.create_session(one_time_key["key"], device.curve25519)
        session.use_time = datetime.now()

    async def _send_key(self, room_id: str, outbound: _Outbound, devices: list[Device]) -> None:
        session = outbound.session
        key = {
            "algorithm": "m.megolm.v1.aes-sha2",
            "room_id": room_id,
            "session_id": session.id,
            "session_key": session.session_key,
        }
        for start in range(0, len(devices), CHUNK):
            chunk = devices[start : start + CHUNK]
            await self._to_device(dict.fromkeys(chunk, ("m.room_key", key)))
            # Only what the server took counts as shared.
            outbound.shared |= frozenset(chunk)
        session.mark_as_shared()

    async def _to_device(self, messages: dict[Device, tuple[str, dict[str, Any]]]) -> None:
        body: dict[str, dict[str, Any]] = {}
        for device, (kind, content) in messages.items():
            sealed = self.client.olm._olm_encrypt(self._session(device), device, kind, content)
            body.setdefault(device.user_id, {})[device.device_id] = {**sealed, "org.matrix.msgid": uuid.uuid4().hex}
        await self.client.put(f"/_matrix/client/v3/sendToDevice/m.room.encrypted/{uuid.uuid4().hex}", {"messages": body})


def ciphertext_index(ciphertext: str) -> int:
    """The message index, which stands in clear in every Megolm message. Raises DecodeException."""
    return int(vodozemac.MegolmMessage.from_base64(ciphertext).message_index())


def _new_session() -> Any:
    session = OutboundGroupSession()
    session.max_messages, session.max_age = MAX_MESSAGES, MAX_AGE
    return session
