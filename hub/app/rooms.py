"""The rooms of this hub and whom it trusts, kept equal to what the tables say: desk, admin, a direct room for each person, a link each peer.

What changes in a room or about a device wakes the keeper (`Stir`); it looks at that room at once, and at every room now and then. Each look
ends in findings: what was mended, and what was not and why. Nothing here reads a message.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence

from hub.actions.claims import pinned_devices
from hub.actions.coordination import room_made
from hub.actions.devices import own_devices
from hub.actions.facts import freeze_link_of
from hub.actions.peers import open_link_room
from hub.actions.ports import Unit
from hub.actions.room_findings import BLOCKED, DEVICE_KINDS, DEVICES, Seen, note_findings, note_owed
from hub.actions.rosters import trusted_guests
from hub.app.coordination_rooms import CoordinationRooms, expected_rooms
from hub.app.room_news import Known, Stir, Tried
from hub.app.wanted_rooms import Wanted, user_of, wanted_rooms
from hub.app.worker import Worker
from hub.base import logs
from hub.cases.records import Room
from hub.matrix import Matrix, MatrixError, PeerPin, RoomRecord, StaffPin, TrustList
from hub.matrix.drift import Action
from hub.matrix.errors import HomeserverAway, IdentityConflict
from hub.matrix.ports import Device, GuestPin, RoomSpec
from hub.store.unit_of_work import Store
from keys.devices import StatedDevice

_log = logs.get("rooms")
SHORTEST, LONGEST = 5.0, 600.0
"""Seconds between two looks."""
LOOK = 300.0
"""Seconds after which a room is looked at though nothing woke us: what a sync did not bring is found then."""
PENDING = 15.0
"""Seconds after which an invitation that nobody answered may be one whose refusal was lost."""
REPLACE_AGAIN = 3600.0
"""Seconds in which a room that is not a link is replaced once: a homeserver that spoils each new one would else have us make thousands."""


_QUIET = ("missing", "pin")
"""What is done each time somebody or something of ours is new: told only when it fails."""


class RoomsKeeper(Worker):
    """Turns whenever staff, peers, rooms or devices changed, and looks at every room every five minutes."""

    name = "rooms"

    def __init__(self, store: Store, matrix: Matrix, stir: Stir | None = None, *, repairs: bool = True) -> None:
        """Without `repairs`, strangers and state wait for an administrator; inviting, and putting out whom people removed, go on."""
        self._stir = stir or Stir()
        super().__init__(self._stir.waiting)
        self._store, self._matrix, self._repairs = store, matrix, repairs
        self._settled: dict[str, RoomSpec] = {}
        self._looked: dict[str, float] = {}
        self._replaced: dict[str, float] = {}
        self._said: dict[str, list[Seen]] = {}
        self._people_looked: set[str] = set()
        self._one_at_a_time = asyncio.Lock()
        self._waiting_since: dict[str, float] = {}
        self._asked: dict[str, float] = {}
        self._followed: TrustList | None = None
        self._coordination = CoordinationRooms(store, matrix)
        self._tried: list[Tried] = []

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
                self._matrix.set_room(_record(wanted, wanted.room))

    async def turn(self) -> float:
        """Bring trust and rooms to their desired state; what cannot be reached now is tried again soon."""
        await self._matrix.first_sync()
        async with self._one_at_a_time:
            self._tried = []
            return await self._settle_all()

    async def apply(self) -> list[Tried]:
        """Look at every room now and mend what is ours to mend, as an administrator asked; each step that was tried."""
        await self._matrix.first_sync()
        async with self._one_at_a_time:
            self._tried = []
            await self._settle_all(every=True)
            if any(one.step in ("make", "replace") for one in self._tried):
                await self._settle_all(every=True)  # a room just made is looked at once more: whether everybody could be invited
            return list(dict.fromkeys(self._tried))

    def stirred(self, room: str) -> None:
        """This room is to be looked at now."""
        self._stir.changed(frozenset({room}))

    def poke_if_asked(self) -> None:
        """After a commit: an administrator may have asked for a repair in it."""
        if self._stir.asked:
            self.poke()

    async def _settle_all(self, *, every: bool = False) -> float:
        await self._matrix.set_trust(await self._store.run(trust_list, quiet=True))
        wanted_now, known = await self._store.run(lambda unit: (wanted_rooms(unit), Known.now(unit)), quiet=True)
        self._forget_settled(wanted_now, known)
        done, away = {}, False
        for wanted in wanted_now:
            done[wanted.purpose], gone = (False, True) if away else await self._settle(wanted, known, every=every)
            away = away or gone
        late = not await self._retire(known)
        await self._devices()
        pause = min((self._patience(wanted, done=done[wanted.purpose]) for wanted in wanted_now), default=LOOK)
        return min(SHORTEST if late else LOOK, pause)

    def _forget_settled(self, wanted_now: Sequence[Wanted], known: Known) -> None:
        """What must be looked at again: it is gone, it changed, somebody asked, or nobody looked for long."""
        stirred, now = self._stir.take(), time.monotonic()
        rooms = {wanted.purpose: wanted.room for wanted in wanted_now}
        for purpose in list(self._settled):
            old = now - self._looked.get(purpose, 0.0) > LOOK
            if purpose not in rooms or rooms[purpose] in stirred or purpose in known.asked or old:
                del self._settled[purpose]

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
        asked_at = self._asked.setdefault(wanted.purpose, now)
        since = self._waiting_since.get(wanted.purpose, now)
        if pending and now - asked_at >= max(PENDING, (now - since) / 2):
            self._asked[wanted.purpose] = now
            for user in pending:
                await self._matrix.invite_again(room, user)

    def _complete(self, wanted: Wanted) -> bool:
        """Whether everybody of a room has joined it, as far as we followed it."""
        return wanted.room is not None and wanted.spec.members <= self._matrix.joined(wanted.room)

    def look_again(self, purpose: str) -> None:
        """People have looked at a link that stood still: hold its room against its desired state now, and make it anew if it must be."""
        self._people_looked.add(purpose)
        self._settled.pop(purpose, None)
        self.poke()

    # ---- one room --------------------------------------------------------------------------------------------------------

    async def _settle(self, wanted: Wanted, known: Known, *, every: bool = False) -> tuple[bool, bool]:
        """Whether the room is as it should be, as far as it is ours to see to; and whether the homeserver is away."""
        patient = wanted.spec.purpose != "link" or not wanted.ours_to_make or self._complete(wanted) or wanted.purpose in known.frozen
        if wanted.room is not None and self._settled.get(wanted.purpose) == wanted.spec and patient and not every:
            return True, False
        if wanted.room is None and not wanted.ours_to_make:
            return True, False  # the peer invites us
        try:
            if wanted.spec.purpose == "coordination":
                done = await self._meet(wanted, known, every=every)
            elif wanted.room is None:
                await self._make(wanted)
                return False, False  # whether everybody could be invited shows the next look
            else:
                done = await self._mend(wanted, wanted.room, known, every=every)
        except MatrixError as error:
            _log.warning("rooms.behind", error=error)
            await self._owe(wanted, known, error)
            return False, isinstance(error, HomeserverAway)
        self._looked[wanted.purpose] = time.monotonic()
        if done:
            self._settled[wanted.purpose] = wanted.spec
        return done, False

    async def _make(self, wanted: Wanted) -> None:
        record = await self._matrix.make_room(wanted.spec)
        self._tried.append(Tried(room=wanted.purpose, what="missing_room", about="", step="make"))
        await self._store.run(lambda unit: keep_room(unit, wanted.purpose, record.room_id))

    async def _meet(self, wanted: Wanted, known: Known, *, every: bool) -> bool:
        """A coordination room: mended like every other, once what must not be kept is taken away."""

        async def mend(room: str) -> bool:
            return await self._mend(wanted, room, known, every=every)

        return await self._coordination.settle(wanted, mend, due=every or self._settled.get(wanted.purpose) != wanted.spec)

    async def _mend(self, wanted: Wanted, room: str, known: Known, *, every: bool) -> bool:
        self._matrix.set_room(_record(wanted, room))
        actions = await self._matrix.check_room(room, wanted.spec)
        if any(action.kind == "replace" for action in actions):
            return await self._replace(wanted, room, known, actions, every=every)
        now = every or self._repairs or wanted.purpose in known.asked
        doing = [action for action in actions if now or action.kind == "invite" or action.what == "pin" or _what(action, known) == "departed"]
        seen = [Seen(what=_what(a, known), about=_about(a), why="asks") for a in actions if a not in doing]
        steps = await self._matrix.mend_room(room, doing)
        for step in steps:
            what, about = _what(step.action, known), _about(step.action)
            self._tried.append(Tried(room=wanted.purpose, what=what, about=about, step=step.action.kind, why=step.failed))
            if what not in _QUIET or step.failed:
                seen.append(Seen(what=what, about=about, why=step.failed))
        await self._say(wanted.purpose, seen)
        await self._ask_again(wanted, room)
        return not any(step.failed for step in steps)

    async def _replace(self, wanted: Wanted, room: str, known: Known, lost: Sequence[Action], *, every: bool) -> bool:
        """A room that is never believed again, or that nothing brings back: what was in it stays there, a new one takes its place."""
        why, now = "", time.monotonic()
        cleared = wanted.purpose in self._people_looked
        if wanted.spec.purpose == "link" and not cleared:
            if any(action.what == "stranger" for action in lost):
                await self._store.run(freeze_link_of, room, "stranger")
                why = "frozen"
            why = "frozen" if wanted.purpose in known.frozen else why
        elif wanted.spec.purpose != "link" and not every and wanted.purpose not in known.asked:
            again = now - self._replaced.get(wanted.purpose, -REPLACE_AGAIN) < REPLACE_AGAIN
            why = "asks" if not self._repairs else "too_soon" if again else ""
        for action in lost:
            self._tried.append(Tried(room=wanted.purpose, what=_what(action, known), about=_about(action), step="replace", why=why))
        seen = [Seen(what=_what(action, known), about=_about(action), why=why) for action in lost]
        if why:
            await self._say(wanted.purpose, seen)
            return True
        self._replaced[wanted.purpose] = now
        self._people_looked.discard(wanted.purpose)
        await self._make(wanted)
        await self._say(wanted.purpose, seen)
        if wanted.spec.purpose != "link":
            with contextlib.suppress(MatrixError):
                await self._matrix.leave(room)
        return False

    async def _owe(self, wanted: Wanted, known: Known, error: MatrixError) -> None:
        """Nobody can look now: who left and is still inside, by what we last knew, is owed until it is done."""
        inside = self._matrix.present(wanted.room) & known.departed if wanted.room else frozenset()
        if inside:
            await self._store.run(note_owed, wanted.purpose, [Seen(what="departed", about=user, why=error.code) for user in sorted(inside)])
            self._said.pop(wanted.purpose, None)

    async def _say(self, purpose: str, seen: list[Seen]) -> None:
        """Keep what a look came to; a look like the one before, with nothing in it, is not written down again."""
        if seen or self._said.get(purpose) != seen:
            await self._store.run(note_findings, purpose, seen)
        self._said[purpose] = seen

    # ---- beside the rooms ------------------------------------------------------------------------------------------------

    async def _retire(self, known: Known) -> bool:
        """The direct rooms of people who left: everybody out, and forgotten. Whether all of it is done."""
        for room in known.surplus:
            person = room.purpose.removeprefix("direct:")
            try:
                await self._matrix.retire_room(room.id)
            except MatrixError as error:
                await self._store.run(note_owed, room.purpose, [Seen(what="departed", about=person, why=error.code)])
                return False
            self._tried.append(Tried(room=room.purpose, what="departed", about=person, step="retire"))
            await self._store.run(_retired, room)
        return True

    async def _devices(self) -> None:
        """What is wrong with devices now, ours first; only people can mend theirs."""
        doubts = [one for one in self._matrix.doubts() if one.kind in DEVICE_KINDS]
        seen = [Seen(what=one.kind, about=f"{one.user_id} {one.device_id or ''}".strip()[:200], why="people") for one in doubts]
        blocked = {one.user_id for one in doubts if one.kind == BLOCKED}  # of her devices nothing is known now: what was in doubt still is
        seen += [one for one in self._said.get(DEVICES, []) if one.about.partition(" ")[0] in blocked and one not in seen]
        now = time.monotonic()
        if now - self._looked.get(DEVICES, -LOOK) >= LOOK:
            self._looked[DEVICES] = now
            seen += await self._own_device()
        await self._say(DEVICES, sorted(seen, key=lambda one: (one.what, one.about)))

    async def _own_device(self) -> list[Seen]:
        """Our own device as the homeserver serves it; a signature that vanished is put back on the way."""
        try:
            kept = await self._matrix.look_at_cross_signing()
        except IdentityConflict as error:
            return [Seen(what="hub_device", about=self._matrix.device.user_id, why=error.code)]
        except MatrixError:
            return []  # it says nothing now
        return [] if kept else [Seen(what="hub_device", about=self._matrix.device.user_id)]


def _record(wanted: Wanted, room: str) -> RoomRecord:
    return RoomRecord(room_id=room, purpose=wanted.spec.purpose, members=wanted.spec.members)


def _what(action: Action, known: Known) -> str:
    return "departed" if action.what == "stranger" and action.target in known.departed else action.what


def _about(action: Action) -> str:
    """An account or a kind of state, in one line: who planted it chose the words."""
    return "".join(char if char.isprintable() else "?" for char in action.target)[:200]


def _retired(unit: Unit, room: Room) -> None:
    unit.rooms.delete(room.id)
    note_findings(unit, room.purpose, [])


def keep_room(unit: Unit, purpose: str, room: str) -> None:
    """Remember a room by its purpose; a link's identity outlives its room."""
    old = unit.rooms.one(purpose=purpose)
    if old:
        unit.rooms.delete(old.id)
    unit.rooms.add(Room(id=room, purpose=purpose, made_at=unit.now))
    if purpose.startswith("link:"):
        open_link_room(unit, purpose.removeprefix("link:"), room)
    if purpose.startswith("coordination:"):
        room_made(unit, purpose.removeprefix("coordination:"), room)


def trust_list(unit: Unit) -> TrustList:
    """Staff by their pinned master keys, peers by exactly the devices of their manifests, or of a later statement of theirs."""
    staff = tuple(StaffPin(user_id=p.id, master_key=p.master, level=p.level) for p in unit.staff.all(removed_at=None))  # type: ignore[arg-type]  # LEVELS
    peers = [(user_of(p), one) for p in unit.peers.all(state="confirmed") for one in pinned_devices(unit, p)]
    ours = (_device(unit.hand.manifest.profile.matrix_user, one) for one in own_devices(unit))
    awaited = frozenset(user_of(p) for p in unit.peers.all(state="added"))
    return TrustList(
        staff=staff,
        awaited=awaited,
        own=frozenset(ours),
        guests=tuple(GuestPin(user_id=user, master_key=key, rooms=frozenset(rooms)) for (user, key), rooms in trusted_guests(unit).items()),
        expected=frozenset(expected_rooms(unit)),
        peers=tuple(PeerPin(user_id=user, device_id=one.device_id, ed25519=one.ed25519, curve25519=one.curve25519) for user, one in peers),
    )


def _device(user: str, one: StatedDevice) -> Device:
    return Device(user_id=user, device_id=one.device_id, ed25519=one.ed25519, curve25519=one.curve25519)
