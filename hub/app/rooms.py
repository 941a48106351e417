"""The rooms of this hub and whom it trusts, kept equal to what the tables say: desk, admin, a direct room for each person, a link each peer."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from hub.actions.claims import pinned_devices
from hub.actions.devices import own_devices
from hub.actions.peers import open_link_room
from hub.actions.ports import Unit
from hub.app.worker import Worker
from hub.base import logs
from hub.cases.records import Room
from hub.exchange.records import Peer
from hub.matrix import Matrix, MatrixError, PeerPin, RoomRecord, RoomSpec, StaffPin, TrustList
from hub.matrix.ports import Device
from hub.store.unit_of_work import Store
from keys.devices import StatedDevice
from keys.manifest import Manifest

_log = logs.get("rooms")
DESK_NAME, ADMIN_NAME, DIRECT_NAME = "Tinkuy", "Tinkuy · administración", "Tinkuy · directo"
"""Neutral: a room's name is clear text to every homeserver and to whoever looks over her shoulder (R30)."""
SHORTEST, LONGEST = 5.0, 600.0
"""Seconds between two looks."""
PENDING = 15.0
"""Seconds after which an invitation that nobody answered may be one whose refusal was lost."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A room that should exist: its purpose, who may be in it, and its id when it was made."""

    purpose: str
    spec: RoomSpec
    room: str | None
    ours_to_make: bool = True


class RoomsKeeper(Worker):
    """Turns whenever staff or peers changed; looks for drift every ten minutes."""

    name = "rooms"

    def __init__(self, store: Store, matrix: Matrix) -> None:
        super().__init__()
        self._store, self._matrix = store, matrix
        self._settled: dict[str, RoomSpec] = {}
        self._one_at_a_time = asyncio.Lock()
        self._waiting_since: dict[str, float] = {}
        self._asked: dict[str, float] = {}
        self._followed: TrustList | None = None

    async def follow(self) -> None:
        """Hand the trust list over when another server of ours changed it."""
        trust = await self._store.look(trust_list)
        if trust != self._followed:
            self._followed = trust
            await self._matrix.set_trust(trust)

    async def trust(self) -> None:
        """Hand the trust list and the known rooms to the Matrix room, before the first event is handled."""
        await self._matrix.set_trust(await self._store.look(trust_list))
        for wanted in await self._store.look(wanted_rooms):
            if wanted.room:
                self._matrix.set_room(RoomRecord(room_id=wanted.room, purpose=wanted.spec.purpose, members=wanted.spec.members))

    async def turn(self) -> float:
        """Bring trust and rooms to their desired state; what cannot be reached now is tried again soon."""
        await self._matrix.first_sync()
        async with self._one_at_a_time:
            return await self._settle_all()

    async def _settle_all(self) -> float:
        await self._matrix.set_trust(await self._store.run(trust_list, quiet=True))
        wanted_now = await self._store.run(wanted_rooms, quiet=True)
        for gone in self._settled.keys() - {wanted.purpose for wanted in wanted_now}:
            del self._settled[gone]
        done = {wanted.purpose: await self._settle(wanted) for wanted in wanted_now}
        return min((self._patience(wanted, done=done[wanted.purpose]) for wanted in wanted_now), default=LONGEST)

    def _patience(self, wanted: Wanted, *, done: bool) -> float:
        """Seconds until the next look. A peer that has not joined is looked after soon, then ever more seldom: its administrator may confirm
        tomorrow, and an invitation that its hub turned down meanwhile must be made again.
        """
        if wanted.spec.purpose != "link":
            return LONGEST if done else SHORTEST
        if done and self._complete(wanted):
            self._waiting_since.pop(wanted.purpose, None)
            return LONGEST
        since = self._waiting_since.setdefault(wanted.purpose, time.monotonic())
        return min(max(time.monotonic() - since, SHORTEST), LONGEST)

    async def _ask_again(self, wanted: Wanted, room: str) -> None:
        """Make a link's invitation anew when it stood unanswered for a while, and ever more seldom."""
        pending = self._matrix.invited(room) & wanted.spec.members if wanted.spec.purpose == "link" else frozenset()
        now = time.monotonic()
        asked = self._asked.setdefault(wanted.purpose, now)
        since = self._waiting_since.get(wanted.purpose, now)
        if pending and now - asked >= max(PENDING, (now - since) / 2):
            self._asked[wanted.purpose] = now
            for user in pending:
                await self._matrix.invite_again(room, user)

    def _complete(self, wanted: Wanted) -> bool:
        """Whether everybody of a room has joined it, as far as we followed it."""
        return wanted.room is not None and wanted.spec.members <= self._matrix.joined(wanted.room)

    def look_again(self, purpose: str) -> None:
        """Hold this room against its desired state at the next turn, which comes now."""
        self._settled.pop(purpose, None)
        self.poke()

    async def drift(self) -> list[dict[str, object]]:
        """How the rooms differ from their desired state now, without repairing anything; `missing`: accounts of ours that are not even invited."""
        found: list[dict[str, object]] = []
        for wanted in await self._store.look(wanted_rooms):
            if wanted.room:
                actions = await self._matrix.check_room(wanted.room, wanted.spec)
                missing = [action.target for action in actions if action.kind == "invite" and wanted.spec.purpose != "link"]
                found.append({"room": wanted.purpose.split(":")[0], "drift": [action.kind for action in actions], "missing": missing})
        return found

    async def _settle(self, wanted: Wanted) -> bool:
        patient = wanted.spec.purpose != "link" or not wanted.ours_to_make or self._complete(wanted)
        if wanted.room is not None and self._settled.get(wanted.purpose) == wanted.spec and patient:
            return True
        if wanted.room is None and not wanted.ours_to_make:
            return True  # the peer invites us
        try:
            record = await self._matrix.ensure_room(wanted.spec, wanted.room)
            await self._ask_again(wanted, record.room_id)
        except MatrixError as error:
            _log.warning("rooms.behind", error=error)
            return False
        if record.room_id != wanted.room:
            await self._store.run(lambda unit: keep_room(unit, wanted.purpose, record.room_id))
            return False  # whether everybody could be invited shows the next look
        self._settled[wanted.purpose] = wanted.spec
        return True


def keep_room(unit: Unit, purpose: str, room: str) -> None:
    """Remember a room by its purpose; a link's identity outlives its room."""
    old = unit.rooms.one(purpose=purpose)
    if old:
        unit.rooms.delete(old.id)
    unit.rooms.add(Room(id=room, purpose=purpose, made_at=unit.now))
    if purpose.startswith("link:"):
        open_link_room(unit, purpose.removeprefix("link:"), room)


def trust_list(unit: Unit) -> TrustList:
    """Staff by their pinned master keys, peers by exactly the devices of their manifests, or of a later statement of theirs."""
    staff = tuple(StaffPin(user_id=p.id, master_key=p.master, level=p.level) for p in unit.staff.all(removed_at=None))  # type: ignore[arg-type]  # LEVELS
    peers = [(_user(p), one) for p in unit.peers.all(state="confirmed") for one in pinned_devices(unit, p)]
    ours = (_device(unit.hand.manifest.profile.matrix_user, one) for one in own_devices(unit))
    awaited = frozenset(_user(p) for p in unit.peers.all(state="added"))
    return TrustList(
        staff=staff,
        awaited=awaited,
        own=frozenset(ours),
        peers=tuple(PeerPin(user_id=user, device_id=one.device_id, ed25519=one.ed25519, curve25519=one.curve25519) for user, one in peers),
    )


def _user(peer: Peer) -> str:
    return Manifest.from_bytes(peer.manifest).profile.matrix_user


def _device(user: str, one: StatedDevice) -> Device:
    return Device(user_id=user, device_id=one.device_id, ed25519=one.ed25519, curve25519=one.curve25519)


def wanted_rooms(unit: Unit) -> list[Wanted]:
    """Every room that should exist now."""
    people = unit.staff.all(removed_at=None, order="added_at")
    found = []
    if people:
        found.append(_wanted(unit, "desk", RoomSpec(purpose="desk", members=frozenset(p.id for p in people), name=DESK_NAME)))
    admins = frozenset(p.id for p in people if p.role == "administrator")
    if admins:
        found.append(_wanted(unit, "admin", RoomSpec(purpose="admin", members=admins, name=ADMIN_NAME)))
    for person in people:
        spec = RoomSpec(purpose="direct", members=frozenset({person.id}), name=DIRECT_NAME)
        found.append(_wanted(unit, f"direct:{person.id}", spec))
    for peer in unit.peers.all(state="confirmed", order="id"):
        user = _user(peer)
        found.append(_wanted(unit, f"link:{peer.id}", RoomSpec(purpose="link", members=frozenset({user})), ours=unit.me.id < peer.id))
    return found


def _wanted(unit: Unit, purpose: str, spec: RoomSpec, *, ours: bool = True) -> Wanted:
    room = unit.rooms.one(purpose=purpose)
    return Wanted(purpose=purpose, spec=spec, room=room.id if room else None, ours_to_make=ours)
