"""The one guarded send. Nothing else in the house puts an event into a room (an AST test holds that).

Before anything is encrypted, in this order: our own record knows the room (1), nobody froze it (2), the content may be there (3),
who is in it may be in it (4), it is encrypted for everybody else too (5), devices are known as of now (6), and the room key is
with exactly the trusted devices (7). Any doubt raises and nothing has left. Clear text has no road at all (N23).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from hub.matrix import http
from hub.matrix.client import HubClient
from hub.matrix.drift import link_faults
from hub.matrix.errors import Held, HomeserverAway, HomeserverRefused, MatrixError, RoomFrozen
from hub.matrix.machine import Machine
from hub.matrix.ports import Device, Report, Reporter, RoomRecord, RoomSpec
from hub.matrix.roomview import Rooms, RoomView
from hub.matrix.trust import TrustBook

IN_FLIGHT = 8
SEND_WITHIN_S = 60.0
LINGER_S = 0.03
"""Longer than a worker's pause between two messages of one errand, shorter than anybody's answer."""


@contextlib.asynccontextmanager
async def _within(seconds: float) -> AsyncIterator[None]:
    """A time limit whose passing is the homeserver's silence."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise HomeserverAway("matrix.away", f"the homeserver did not take it within {seconds:.0f} s") from error


class Carrier:
    """Sends, redacts, and shows receipts and typing in the rooms on record."""

    def __init__(
        self,
        *,
        client: HubClient,
        machine: Machine,
        book: TrustBook,
        rooms: Rooms,
        report: Reporter,
        query_keys: Callable[[frozenset[str]], Awaitable[None]],
        may_send: Callable[[], None] = lambda: None,
    ) -> None:
        self._may_send = may_send
        self._client, self._machine, self._book, self._rooms = client, machine, book, rooms
        self._report, self._query_keys = report, query_keys
        self._records: dict[str, RoomRecord] = {}
        self._frozen: set[str] = set()
        self._turns: dict[str, asyncio.Lock] = {}
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._under_way = self._begun = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._said: set[tuple[str, str]] = set()

    # ---- records ---------------------------------------------------------------------------------------------------------

    def set_record(self, record: RoomRecord) -> None:
        """This room may be sent into, under these conditions. Who was a member of a coordination room and is not any more must be gone first."""
        old = self._records.get(record.room_id)
        if old is not None and record.purpose == "coordination":
            record = replace(record, leaving=record.leaving | ((old.members | old.leaving) - record.members))
        self._records[record.room_id] = record
        if record.frozen:
            self._frozen.add(record.room_id)

    def drop_record(self, room_id: str) -> None:
        self._records.pop(room_id, None)

    def thaw(self, room_id: str) -> None:
        """A person has looked: a frozen room may be tried again."""
        self._frozen.discard(room_id)

    @property
    def records(self) -> tuple[RoomRecord, ...]:
        return tuple(self._records.values())

    # ---- sending ---------------------------------------------------------------------------------------------------------

    async def send(
        self, room_id: str, event_type: str, content: dict[str, Any], txn_id: str, relates_to: dict[str, Any] | None = None,
        clear: dict[str, str] | None = None,
    ) -> str:
        """Encrypt and send one event; its event id. The same `txn_id` (the outbox row's id) may be tried again, with one effect
        (within the 24 h that Synapse remembers it). `clear` stands beside the ciphertext for everybody: random ids, never in a link room.

        Raises Held (try again when the cause is gone), RoomFrozen, HomeserverAway (also after 60 s), HomeserverRefused.
        """
        record = self._records.get(room_id)
        if record is None:  # 1
            raise Held("matrix.room_unknown", "no record of ours allows sending into this room")
        if room_id in self._frozen:  # 2
            raise RoomFrozen("matrix.room_frozen", "this room is frozen until a person has looked at it")
        if record.purpose == "link" and (relates_to is not None or clear or "m.relates_to" in content):  # 3
            raise MatrixError("matrix.relation_in_link", "relations are clear text and have no place in a link room")
        async with self._counted(), _within(SEND_WITHIN_S):
            async with self._turns.setdefault(room_id, asyncio.Lock()):
                await self._ready(record)
                # Inside too: clients that look there see a relation that no homeserver can re-point.
                relation = relates_to or content.get("m.relates_to")
                related = {"m.relates_to": relation} if relation else {}
                body = {**self._machine.encrypt(room_id, event_type, {**content, **related}), **related, **(clear or {})}
            path = f"/_matrix/client/v3/rooms/{quote(room_id)}/send/m.room.encrypted/{quote(txn_id, safe='')}"
            async with self._slots:
                self._may_send()
                return str((await self._client.put(path, body))["event_id"])

    async def redact(self, room_id: str, event_id: str, txn_id: str) -> str:
        """Ask for an event's removal. A request, not a deletion: see the design's honest words on shredding."""
        self._known(room_id)
        path = f"/_matrix/client/v3/rooms/{quote(room_id)}/redact/{quote(event_id)}/{quote(txn_id, safe='')}"
        async with self._counted(), _within(SEND_WITHIN_S), self._slots:
            return str((await self._client.put(path, {}))["event_id"])

    async def read(self, room_id: str, event_id: str) -> None:
        """Read receipt. Never in link rooms; failing is no harm."""
        if self._known(room_id).purpose == "link":
            return
        with contextlib.suppress(MatrixError):
            path = f"/_matrix/client/v3/rooms/{quote(room_id)}/receipt/m.read/{quote(event_id)}"
            await http.request(self._client, "POST", path, {}, seconds=10)

    async def typing(self, room_id: str, on: bool, *, ms: int = 10_000) -> None:
        """Typing notice; the caller clears it. Never in link rooms; failing is no harm."""
        if self._known(room_id).purpose == "link":
            return
        with contextlib.suppress(MatrixError):
            path = f"/_matrix/client/v3/rooms/{quote(room_id)}/typing/{quote(self._client.user_id)}"
            await http.request(self._client, "PUT", path, {"typing": on, **({"timeout": ms} if on else {})}, seconds=10)

    async def idle(self, seconds: float) -> None:
        """Return when no send has been under way for `LINGER_S`, or after `seconds`.

        Without the linger a caller who sends one after the other would be idle for a moment after each, and each would cost a sync.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                begun = -1
                while begun != self._begun or self._under_way:
                    await self._idle.wait()
                    begun = self._begun
                    await asyncio.sleep(LINGER_S)

    @property
    def under_way(self) -> int:
        return self._under_way

    # ---- the checks ------------------------------------------------------------------------------------------------------

    async def _ready(self, record: RoomRecord) -> None:
        view = await self._view(record.room_id)
        await self._check_members(record, view)  # 4
        await self._check_state(record, view)  # 5
        await self._query_keys(record.members - self._book.peers)  # 6
        wanted = self._wanted(record, view)
        if not wanted:
            await self._once("nobody_can_read", record.room_id, "")
            raise Held("matrix.nobody_can_read", "no trusted device is left in this room")
        missed = await self._machine.share(record.room_id, wanted)  # 7
        for device in missed:
            await self._once("unreachable_device", record.room_id, device.device_id, device)
        if missed and (record.purpose == "link" or missed == wanted):
            raise Held("matrix.key_not_shared", "the room key did not reach every device that must have it", devices=len(missed))

    async def _check_members(self, record: RoomRecord, view: RoomView) -> None:
        if record.leaving & view.present:
            self._machine.forget_room(record.room_id)
            raise Held("matrix.members_leaving", "somebody who may not be in this room any more is still there")
        strangers = view.present - record.members - {self._client.user_id}
        if strangers:
            self._machine.forget_room(record.room_id)
            if record.purpose == "link":
                self._frozen.add(record.room_id)
            for user in sorted(strangers):
                await self._once("stranger", record.room_id, user)
            raise RoomFrozen("matrix.stranger", "somebody is in this room who may not be there", strangers=len(strangers))
        if self._client.user_id not in view.joined:
            raise Held("matrix.not_joined", "we are not in this room (any more)")
        if record.purpose == "link" and not record.members <= view.joined:
            raise Held("matrix.peer_not_joined", "the peer has not joined its link room yet")

    async def _check_state(self, record: RoomRecord, view: RoomView) -> None:
        if not view.encrypted:
            await self._once("room_drift", record.room_id, "encryption")
            raise Held("matrix.room_clear", "the homeserver shows this room as unencrypted")
        spec = RoomSpec(purpose="link", members=record.members)
        for fault in link_faults(spec, view, self._client.user_id) if record.purpose == "link" else ():
            await self._once("room_drift", record.room_id, fault)
            raise Held("matrix.link_fault", "this room is not fit to be a link (any more): replace it", fault=fault)

    def _wanted(self, record: RoomRecord, view: RoomView) -> frozenset[Device]:
        """Trusted devices of members on our record who have joined; not of the invited: history is theirs from joining (N25)."""
        trusted = (user for user in record.members & view.joined if self._book.standing_in(record.room_id, user) is not None)
        return frozenset(device for user in trusted for device in self._book.devices(user))

    async def _view(self, room_id: str) -> RoomView:
        """The state as synced; a room just made is asked for."""
        view = self._rooms.get(room_id)
        if view is not None and view.members:
            return view
        try:
            answer: Any = await http.request_list(self._client, "GET", f"/_matrix/client/v3/rooms/{quote(room_id)}/state")
        except HomeserverRefused as error:
            raise Held("matrix.not_joined", "we are not in this room (any more)") from error
        return self._rooms.replace(room_id, [event for event in answer if isinstance(event, dict)])

    def _known(self, room_id: str) -> RoomRecord:
        if room_id not in self._records:
            raise Held("matrix.room_unknown", "no record of ours knows this room")
        return self._records[room_id]

    @contextlib.asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self._under_way += 1
        self._begun += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    async def _once(self, kind: Any, room_id: str, detail: str, device: Device | None = None) -> None:
        """Report, but not for every message that meets the same obstacle."""
        if (kind, room_id + detail) in self._said:
            return
        self._said.add((kind, room_id + detail))
        user = device.user_id if device else detail if kind == "stranger" else None
        await self._report(Report(kind=kind, room_id=room_id, user_id=user, device_id=device.device_id if device else None, detail=detail))
