"""What the rooms' keeper sees of a homeserver, in memory: rooms made by the real requests, compared by the real plan, mended step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.matrix import RoomRecord, RoomSpec
from hub.matrix.desired import create_body
from hub.matrix.drift import Action, plan
from hub.matrix.errors import HomeserverAway, HomeserverRefused
from hub.matrix.ports import Device, Report
from hub.matrix.rooms import LEFT, Step
from hub.matrix.roomview import RoomView

OWN = "@hub:cem-lima.example"


class Homeserver:
    """`away`: it does not answer. `unknown`: an account that cannot be invited. `keeps`: accounts that it does not let us put out."""

    def __init__(self) -> None:
        self.made: list[RoomSpec] = []
        self.rooms: dict[str, RoomView] = {}
        self.records: dict[str, RoomRecord] = {}
        self.reports: list[Report] = []
        self.left: list[str] = []
        self.unknown, self.away = "", False
        self.keeps: set[str] = set()
        self.signed = True
        self.device = Device(user_id=OWN, device_id="HUB", ed25519="e", curve25519="c")

    def adopt(self, room: str, spec: RoomSpec) -> RoomView:
        """A room that stands already, as its class says, its members joined."""
        view = self._made(room, spec)
        for user in spec.members:
            self.member(room, user, "join")
        return view

    def member(self, room: str, user: str, membership: str) -> None:
        self.state(room, "m.room.member", {"membership": membership}, key=user)

    def state(self, room: str, kind: str, content: dict[str, Any], *, key: str = "") -> None:
        self.rooms[room].take({"type": kind, "state_key": key, "content": content, "event_id": f"${kind}{key}"})

    async def first_sync(self) -> None: ...

    async def set_trust(self, _: object) -> None: ...

    async def make_room(self, spec: RoomSpec) -> RoomRecord:
        self._answer()
        self.made.append(spec)
        room = f"!made{len(self.made)}"
        self._made(room, spec)
        for user in spec.members - {self.unknown}:
            self.member(room, user, "invite")
        return RoomRecord(room_id=room, purpose=spec.purpose, members=spec.members)

    async def check_room(self, room: str, spec: RoomSpec) -> list[Action]:
        self._answer()
        if room not in self.rooms:  # those that a twin has on record from the beginning
            self.adopt(room, spec)
        return [LEFT] if room in self.left else plan(spec, self.rooms[room], OWN)

    async def mend_room(self, room: str, actions: Sequence[Action]) -> tuple[Step, ...]:
        self._answer()
        return tuple(Step(action=action, failed=self._do(room, action)) for action in actions)

    def _do(self, room: str, action: Action) -> str:
        if action.target in self.keeps or (action.kind == "invite" and action.target == self.unknown):
            return "M_FORBIDDEN"
        if action.kind in ("invite", "kick", "unban"):
            self.member(room, action.target, {"invite": "invite"}.get(action.kind, "leave"))
        else:
            self.state(room, action.target, action.content, key=action.key)
        return ""

    async def retire_room(self, room: str) -> None:
        self._answer()
        self.left.append(room)

    async def leave(self, room: str) -> None:
        self.left.append(room)

    async def look_at_cross_signing(self) -> bool:
        self._answer()
        kept, self.signed = self.signed, True
        return kept

    def doubts(self) -> list[Report]:
        return self.reports

    def set_room(self, record: RoomRecord) -> None:
        self.records[record.room_id] = record

    def present(self, room: str) -> frozenset[str]:
        return self.rooms[room].present if room in self.rooms else frozenset()

    def joined(self, room: str) -> frozenset[str]:
        return self.rooms[room].joined if room in self.rooms else frozenset()

    def invited(self, room: str) -> frozenset[str]:
        return self.present(room) - self.joined(room)

    async def invite_again(self, room: str, user: str) -> None: ...

    def _answer(self) -> None:
        if self.away:
            raise HomeserverAway("matrix.away", "nobody answers")

    def _made(self, room: str, spec: RoomSpec) -> RoomView:
        self.rooms[room] = view = RoomView(room_id=room)
        body = create_body(spec)
        create = {**body["creation_content"], "room_version": body["room_version"]}
        view.take({"type": "m.room.create", "state_key": "", "sender": OWN, "content": create})
        for event in (*body["initial_state"], {"type": "m.room.power_levels", "state_key": "", "content": body["power_level_content_override"]}):
            view.take(event)
        view.take({"type": "m.room.member", "state_key": OWN, "content": {"membership": "join"}})
        return view


__all__ = ["OWN", "Homeserver", "HomeserverRefused"]
