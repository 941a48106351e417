"""Desired state of our rooms: make them, compare, repair. `plan` is pure; `apply` does what a plan says.

A link room is never repaired but replaced: its plan says `replace`, and the application makes a new one.
Names, topics and every other state are clear text to every homeserver, so nothing here ever takes one from a case.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from hub.matrix import http
from hub.matrix.client import HubClient
from hub.matrix.errors import HomeserverRefused, MatrixError
from hub.matrix.ports import ENVELOPE_TYPE, RoomRecord, RoomSpec
from hub.matrix.roomview import MEGOLM, Rooms, RoomView

VERSION = "12"
"""No state resets of the 2025 kind, and creators whose power nobody can take (X29)."""
ActionKind = Literal["invite", "kick", "state", "replace"]


@dataclass(frozen=True, kw_only=True)
class Action:
    """One step from the room as it is to the room as it should be."""

    kind: ActionKind
    target: str
    """A user id, a state event type, or why the room must be replaced."""
    content: dict[str, Any] = field(default_factory=dict)


def state_of(spec: RoomSpec) -> dict[str, dict[str, Any]]:
    """The state that a room of this kind has, by event type; what is absent here should be absent there."""
    state: dict[str, dict[str, Any]] = {
        "m.room.encryption": {"algorithm": MEGOLM, "rotation_period_ms": 86_400_000, "rotation_period_msgs": 100},
        "m.room.history_visibility": {"history_visibility": "joined"},
        "m.room.join_rules": {"join_rule": "invite"},
        "m.room.guest_access": {"guest_access": "forbidden"},
    }
    if spec.name:
        state["m.room.name"] = {"name": spec.name}
    return state


def power_of(spec: RoomSpec) -> dict[str, Any]:
    """Power levels. The creator (in a link: both) stands above them in version 12 and must not be listed."""
    everything_ours = {"invite": 100, "kick": 100, "ban": 100, "redact": 100, "state_default": 100}
    speak = {"m.room.encrypted": 0, ENVELOPE_TYPE: 100}
    return {
        **everything_ours,
        "users_default": 0,
        "events_default": 0,
        "users": {},
        "events": {**speak, "m.room.encryption": 100},
    }


def create_body(spec: RoomSpec) -> dict[str, Any]:
    """The createRoom request. Encryption is there from the first event on; nobody is invited in it: one who cannot be would spoil it for all.

    Raises MatrixError for a link with a name, or with other than one member.
    """
    if spec.purpose == "link" and (spec.name or len(spec.members) != 1):
        raise MatrixError("matrix.bad_link_spec", "a link room has one peer and no name")
    creation = {"additional_creators": sorted(spec.members)} if spec.purpose == "link" else {}
    state = [{"type": kind, "state_key": "", "content": content} for kind, content in state_of(spec).items()]
    return {
        "visibility": "private",
        "preset": "private_chat",
        "room_version": VERSION,
        "creation_content": creation,
        "is_direct": spec.purpose == "direct",
        "initial_state": state,
        "power_level_content_override": power_of(spec),
    }


def plan(spec: RoomSpec, view: RoomView, own: str) -> list[Action]:
    """What is to be done so that the room is as it should be; empty when it is."""
    invites = [Action(kind="invite", target=user) for user in sorted(spec.members - view.present)]
    if spec.purpose == "link":  # a peer may have turned us down before its people compared the code
        return [Action(kind="replace", target=reason) for reason in link_faults(spec, view, own)] or invites
    actions = [Action(kind="kick", target=user) for user in sorted(view.present - spec.members - {own})] + invites
    for kind, content in state_of(spec).items():
        if not _covers(view.state.get(kind, {}), content):
            actions.append(Action(kind="state", target=kind, content=content))
    for kind in ("m.room.name", "m.room.topic", "m.room.avatar", "m.room.canonical_alias"):
        if kind not in state_of(spec) and any(view.state.get(kind, {}).values()):
            actions.append(Action(kind="state", target=kind, content={}))
    return actions


def link_faults(spec: RoomSpec, view: RoomView, own: str) -> list[str]:
    """Why a room is not fit to be a link; empty when it is."""
    both = spec.members | {own}
    faults = [] if view.version == VERSION else ["version"]
    faults += [] if view.creators == both else ["creators"]
    faults += [] if view.present <= both else ["members"]
    faults += [] if view.encrypted else ["encryption"]
    faults += [] if view.get("m.room.history_visibility", "history_visibility") == "joined" else ["history"]
    faults += [] if view.get("m.room.join_rules", "join_rule") == "invite" else ["join_rule"]
    clear = ("m.room.name", "m.room.topic", "m.room.avatar", "m.room.canonical_alias")
    return faults + [kind for kind in clear if any(view.state.get(kind, {}).values())]


class RoomKeeper:
    """Makes and repairs rooms through the homeserver."""

    def __init__(self, client: HubClient, rooms: Rooms) -> None:
        self._client = client
        self._rooms = rooms

    async def create(self, spec: RoomSpec) -> RoomRecord:
        """A new room, its members invited as far as they can be; `check` says who is missing. Raises HomeserverAway, HomeserverRefused."""
        answer = await http.request(self._client, "POST", "/_matrix/client/v3/createRoom", create_body(spec))
        record = RoomRecord(room_id=answer["room_id"], purpose=spec.purpose, members=spec.members)
        with contextlib.suppress(MatrixError):
            await self.apply(record.room_id, [Action(kind="invite", target=user) for user in sorted(spec.members)])
        return record

    async def check(self, room_id: str, spec: RoomSpec) -> list[Action]:
        """The plan for a room as the homeserver shows it now; nothing is changed."""
        return plan(spec, await self.look(room_id), self._client.user_id)

    async def apply(self, room_id: str, actions: Sequence[Action]) -> None:
        """Do what `check` said, all that can be done: an account that does not exist keeps nobody else out. Raises the first error, after that.

        `replace` is not ours to do and raises MatrixError.
        """
        errors: list[MatrixError] = []
        for action in actions:
            if action.kind == "replace":
                raise MatrixError("matrix.link_replace", "a link room is never repaired: make a new one")
            try:
                await self._do(room_id, action)
            except MatrixError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    async def look(self, room_id: str) -> RoomView:
        """The whole state, asked for now."""
        events = await http.request_list(self._client, "GET", f"/_matrix/client/v3/rooms/{quote(room_id)}/state")
        return self._rooms.replace(room_id, [event for event in events if isinstance(event, dict)])

    async def invite(self, room_id: str, user: str, *, again: bool = False) -> None:
        """With `again` also when an invitation stands: a homeserver sends an equal one only once, so a count tells them apart."""
        body = {"user_id": user} | ({"reason": str(time.time_ns())} if again else {})
        await http.request(self._client, "POST", f"/_matrix/client/v3/rooms/{quote(room_id)}/invite", body)

    async def kick(self, room_id: str, user: str) -> None:
        await self._do(room_id, Action(kind="kick", target=user))

    async def join(self, room_id: str) -> None:
        await http.request(self._client, "POST", f"/_matrix/client/v3/rooms/{quote(room_id)}/join", {}, seconds=60)

    async def leave(self, room_id: str) -> None:
        """Leave, or turn an invitation down; a room that is gone already is left."""
        try:
            await http.request(self._client, "POST", f"/_matrix/client/v3/rooms/{quote(room_id)}/leave", {})
        except HomeserverRefused as error:
            if error.status not in (403, 404):
                raise

    async def _do(self, room_id: str, action: Action) -> None:
        base = f"/_matrix/client/v3/rooms/{quote(room_id)}"
        if action.kind == "state":
            await self._client.put(f"{base}/state/{quote(action.target)}", action.content)
        else:
            await http.request(self._client, "POST", f"{base}/{action.kind}", {"user_id": action.target})


def _covers(actual: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(actual.get(key) == value for key, value in wanted.items())
