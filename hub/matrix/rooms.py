"""Our rooms on the homeserver: make one, look at one, do what a plan says. What a room should be like is `desired`, how it differs is `drift`.

A link room is never repaired but replaced: its plan says `replace`, and the application makes a new one.
Names, topics and every other state are clear text to every homeserver, so nothing here ever takes one from a case.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from hub.matrix import http
from hub.matrix.batches import strings
from hub.matrix.client import HubClient
from hub.matrix.desired import create_body
from hub.matrix.drift import Action, plan
from hub.matrix.errors import HomeserverRefused, MatrixError
from hub.matrix.ports import RoomRecord, RoomSpec
from hub.matrix.roomview import Rooms, RoomView

LEFT = Action(kind="replace", what="left", target="left")


@dataclass(frozen=True, kw_only=True)
class Step:
    """An action that was tried."""

    action: Action
    failed: str = ""
    """Why it could not be done: a code; empty when it is done."""


class RoomKeeper:
    """Makes and repairs rooms through the homeserver."""

    def __init__(self, client: HubClient, rooms: Rooms) -> None:
        self._client = client
        self._rooms = rooms

    async def create(self, spec: RoomSpec) -> RoomRecord:
        """A new room, its members invited as far as they can be; `check` says who is missing. Raises HomeserverAway, HomeserverRefused."""
        answer = await http.request(self._client, "POST", "/_matrix/client/v3/createRoom", create_body(spec))
        record = RoomRecord(room_id=answer["room_id"], purpose=spec.purpose, members=spec.members)
        await self.apply(record.room_id, [Action(kind="invite", what="missing", target=user) for user in sorted(spec.members - spec.behind.keys())])
        return record

    async def check(self, room_id: str, spec: RoomSpec) -> list[Action]:
        """The plan for a room as the homeserver shows it now; nothing is changed. Raises HomeserverAway."""
        try:
            view = await self.look(room_id)
        except HomeserverRefused as error:
            if error.status not in (403, 404):
                raise
            return [LEFT]
        found = plan(spec, view, self._client.user_id)
        return found if any(one.kind == "replace" for one in found) else [*found, *await self._published(room_id)]

    async def apply(self, room_id: str, actions: Sequence[Action]) -> tuple[Step, ...]:
        """Do what `check` said, all that can be done: an account that does not exist keeps nobody else out. Says of each step whether it is done."""
        steps = []
        for action in actions:
            try:
                await self._do(room_id, action)
                steps.append(Step(action=action))
            except MatrixError as error:
                steps.append(Step(action=action, failed=getattr(error, "errcode", "") or error.code))
        return tuple(steps)

    async def look(self, room_id: str) -> RoomView:
        """The whole state, asked for now."""
        events = await http.request_list(self._client, "GET", f"/_matrix/client/v3/rooms/{quote(room_id)}/state")
        return self._rooms.replace(room_id, [event for event in events if isinstance(event, dict)])

    async def invite(self, room_id: str, user: str, *, again: bool = False) -> None:
        """With `again` also when an invitation stands: a homeserver sends an equal one only once, so a count tells them apart."""
        body = {"user_id": user} | ({"reason": str(time.time_ns())} if again else {})
        await http.request(self._client, "POST", f"/_matrix/client/v3/rooms/{quote(room_id)}/invite", body)

    async def kick(self, room_id: str, user: str) -> None:
        await self._do(room_id, Action(kind="kick", what="stranger", target=user))

    async def join(self, room_id: str) -> None:
        await http.request(self._client, "POST", f"/_matrix/client/v3/rooms/{quote(room_id)}/join", {}, seconds=60)

    async def leave(self, room_id: str) -> None:
        """Leave, or turn an invitation down; a room that is gone already is left."""
        try:
            await http.request(self._client, "POST", f"/_matrix/client/v3/rooms/{quote(room_id)}/leave", {})
        except HomeserverRefused as error:
            if error.status not in (403, 404):
                raise

    async def _published(self, room_id: str) -> list[Action]:
        """Addresses that lead here, and whether the homeserver lists the room for everybody. A homeserver that does not say has none."""
        found = []
        with contextlib.suppress(HomeserverRefused):
            answer = await http.request(self._client, "GET", f"/_matrix/client/v3/rooms/{quote(room_id)}/aliases")
            found = [Action(kind="alias", what="alias", target=alias) for alias in strings(answer.get("aliases"))]
        with contextlib.suppress(HomeserverRefused):
            answer = await http.request(self._client, "GET", f"/_matrix/client/v3/directory/list/room/{quote(room_id)}")
            found += [Action(kind="unlist", what="listed", target="public")] if answer.get("visibility") == "public" else []
        return found

    async def _do(self, room_id: str, action: Action) -> None:
        base = f"/_matrix/client/v3/rooms/{quote(room_id)}"
        if action.kind == "state":
            await self._client.put(f"{base}/state/{quote(action.target)}/{quote(action.key, safe='')}", action.content)
            if action.event:
                await self._client.put(f"{base}/redact/{quote(action.event)}/{secrets.token_hex(8)}", {})
        elif action.kind == "alias":
            await http.request(self._client, "DELETE", f"/_matrix/client/v3/directory/room/{quote(action.target, safe='')}")
        elif action.kind == "unlist":
            await self._client.put(f"/_matrix/client/v3/directory/list/room/{quote(room_id)}", {"visibility": "private"})
        elif action.kind == "replace":
            raise MatrixError("matrix.room_replace", "this room is never repaired: make a new one")
        else:
            await http.request(self._client, "POST", f"{base}/{action.kind}", {"user_id": action.target})
