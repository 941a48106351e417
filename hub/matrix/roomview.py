"""What the homeserver says a room is like: pure bookkeeping over state events. A claim to compare, never a permission."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hub.cases.room_classes import MEGOLM

MOST_STATE = 2_000
"""State events of one room that are followed, members apart: who may set state could invent any number of kinds."""


@dataclass(kw_only=True)
class RoomView:
    """The state of one room as last told. `ours` is our own membership."""

    room_id: str
    state: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    """By event type, where the state key is empty."""
    keyed: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict, repr=False)
    """By event type and state key, all other state but members."""
    events: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    """Which event set it, where that is known."""
    members: dict[str, str] = field(default_factory=dict)
    """By account: `join`, `invite`, `knock` or `ban`."""

    def take(self, event: dict[str, Any]) -> bool:
        """Follow one state event; anything that is not one is passed over. Whether anything is other than before."""
        kind, key, content = event.get("type"), event.get("state_key"), event.get("content")
        if not isinstance(kind, str) or not isinstance(key, str) or not isinstance(content, dict):
            return False
        if kind == "m.room.member":
            return self._member(key, content.get("membership"))
        if (kind, key) not in self.events and len(self.events) >= MOST_STATE:
            return True
        self.events[kind, key] = str(event.get("event_id", ""))
        content = {**content, "sender": event.get("sender")} if kind == "m.room.create" else content
        before = self.keyed.get((kind, key)) if key else self.state.get(kind)
        if key:
            self.keyed[kind, key] = content
        else:
            self.state[kind] = content
        return before != content

    def _member(self, user: str, membership: Any) -> bool:
        before = self.members.get(user)
        if membership in ("join", "invite", "knock", "ban"):
            self.members[user] = membership
        else:
            self.members.pop(user, None)
        return before != self.members.get(user)

    def enter(self, own: str) -> None:
        """We are in it: the sync says so by where it lists the room. Its `state` may still tell of an invitation before (measured)."""
        self.members[own] = "join"

    @property
    def present(self) -> frozenset[str]:
        """Joined or invited: an invited user can have the history opened to her."""
        return frozenset(user for user, state in self.members.items() if state in ("join", "invite"))

    @property
    def joined(self) -> frozenset[str]:
        return frozenset(user for user, state in self.members.items() if state == "join")

    @property
    def banned(self) -> frozenset[str]:
        return frozenset(user for user, state in self.members.items() if state == "ban")

    @property
    def encrypted(self) -> bool:
        return bool(self.get("m.room.encryption", "algorithm") == MEGOLM)

    @property
    def version(self) -> str:
        return str(self.get("m.room.create", "room_version") or "1")

    @property
    def creators(self) -> frozenset[str]:
        """All-powerful members of a version 12 room."""
        more = self.get("m.room.create", "additional_creators")
        named = {one for one in more if isinstance(one, str)} if isinstance(more, list) else set()
        sender = self.get("m.room.create", "sender")
        return frozenset(named | ({sender} if isinstance(sender, str) else set()))

    def get(self, kind: str, key: str) -> Any:
        return self.state.get(kind, {}).get(key)


class Rooms:
    """Views of all rooms we are in or invited to."""

    def __init__(self) -> None:
        self._views: dict[str, RoomView] = {}

    def get(self, room_id: str) -> RoomView | None:
        return self._views.get(room_id)

    def view(self, room_id: str) -> RoomView:
        return self._views.setdefault(room_id, RoomView(room_id=room_id))

    def replace(self, room_id: str, events: Iterable[dict[str, Any]]) -> RoomView:
        """The whole state anew (`full_state`, or asked for)."""
        self._views[room_id] = RoomView(room_id=room_id)
        for event in events:
            self._views[room_id].take(event)
        return self._views[room_id]

    def drop(self, room_id: str) -> None:
        self._views.pop(room_id, None)

    def __iter__(self) -> Any:
        return iter(list(self._views.values()))
