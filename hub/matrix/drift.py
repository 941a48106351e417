"""How a room differs from what its class says, and the steps that mend it. Pure: a view in, actions out; nobody reads a message.

A room of a class that is never repaired (a link), and any room that nothing can bring back, is replaced: one action, which says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from hub.cases.room_classes import ROOM_CLASSES
from hub.matrix.desired import power_of, state_of
from hub.matrix.ports import RoomSpec
from hub.matrix.roomview import RoomView

ActionKind = Literal["invite", "kick", "ban", "unban", "state", "alias", "unlist", "replace"]
Drift = Literal[
    "missing", "stranger", "encryption", "history", "join_rule", "guest_access", "power", "name", "topic", "avatar", "alias", "pin", "pinned",
    "space", "server_acl", "stray", "listed", "departed", "version", "creators", "tombstone", "left",
]  # fmt: skip
_NAMED: Mapping[str, Drift] = {
    "m.room.encryption": "encryption",
    "m.room.history_visibility": "history",
    "m.room.join_rules": "join_rule",
    "m.room.guest_access": "guest_access",
    "m.room.power_levels": "power",
    "m.room.name": "name",
    "m.room.topic": "topic",
    "m.room.avatar": "avatar",
    "m.room.canonical_alias": "alias",
    "m.room.aliases": "alias",
    "m.room.pinned_events": "pinned",
    "m.space.parent": "space",
    "m.space.child": "space",
    "m.room.server_acl": "server_acl",
}
_PINS = "m.room.pinned_events"
_EMPTY: Mapping[str, dict[str, Any]] = {
    "m.room.name": {"name": ""},
    "m.room.topic": {"topic": ""},
    "m.room.pinned_events": {"pinned": []},
    "m.room.server_acl": {"allow": ["*"], "deny": [], "allow_ip_literals": True},
}
"""What says nothing, where no content at all is refused (Synapse wants a topic in a topic) or means much: an empty server list shuts all out."""
AT_ONCE = 50
"""Kinds of stray state that one plan empties: each mended one wakes the next look, and what matters more is not kept waiting."""
_SETTLED = ("m.room.create", "m.room.member", "m.room.power_levels", "m.room.tombstone")
"""Kinds of state that have a check of their own."""


@dataclass(frozen=True, kw_only=True)
class Action:
    """One difference, and the one step from the room as it is to the room as it should be."""

    kind: ActionKind
    what: Drift
    target: str
    """An account, a state event type, an alias, or why the room must be replaced."""
    key: str = ""
    """The state key."""
    content: dict[str, Any] = field(default_factory=dict)
    event: str = ""
    """An event whose text must go too: a reset alone leaves it readable in the room's past."""


def plan(spec: RoomSpec, view: RoomView, own: str) -> list[Action]:
    """What is to be done so that the room is as it should be; empty when it is."""
    invites = list(_missing(spec, view))
    if ROOM_CLASSES[spec.purpose].mend == "replace":  # a peer may have turned us down before its people compared the code
        left = [] if own in view.joined else ["left"]
        return [one for reason in (*link_faults(spec, view, own), *left) for one in _replaced(reason, spec, view, own)] or invites
    lost = [one for reason in beyond_repair(spec, view, own) for one in _replaced(reason, spec, view, own)]
    if lost:
        return lost
    return [*_strangers(spec, view, own), *invites, *_settings(spec, view), *_pins(spec, view), *islice(_strays(spec, view), AT_ONCE)]


def beyond_repair(spec: RoomSpec, view: RoomView, own: str) -> list[Drift]:
    """Why no step of ours brings this room back: it was never ours, somebody stands above us in it, or it is closed to us."""
    wanted = ROOM_CLASSES[spec.purpose]
    creators = spec.members | {own} if wanted.creators == "both" else {own}
    faults: list[Drift] = [] if own in view.joined else ["left"]
    faults += [] if view.version == wanted.version else ["version"]
    faults += [] if view.creators == creators else ["creators"]
    faults += ["tombstone"] if any(view.state.get("m.room.tombstone", {}).values()) else []
    return faults


def link_faults(spec: RoomSpec, view: RoomView, own: str) -> list[str]:
    """Why a room is not fit to be a link; empty when it is. Power is held against ours only where it is looser: both hubs stand above it,
    and a hub of another release may have set it a little otherwise.
    """
    wanted = ROOM_CLASSES[spec.purpose]
    faults: list[str] = [fault for fault in beyond_repair(spec, view, own) if fault != "left"]
    faults += [] if view.present <= spec.members | {own} else ["members"]
    faults += [] if view.encrypted else ["encryption"]
    faults += [] if view.get("m.room.history_visibility", "history_visibility") == wanted.history else ["history"]
    faults += [] if view.get("m.room.join_rules", "join_rule") == wanted.join_rule else ["join_rule"]
    faults += ["guest_access"] if view.get("m.room.guest_access", "guest_access") not in (wanted.guest_access, None) else []
    faults += ["power"] if looser(view.state.get("m.room.power_levels", {}), power_of(spec)) else []
    return [*faults, *dict.fromkeys(action.target for action in _strays(spec, view))]


def looser(actual: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether these levels let anybody do more than they should. What is absent or no number counts as looser: doubt is a fault."""
    needs = ("invite", "kick", "ban", "redact", "state_default")
    if any(not _number(actual.get(name)) or actual[name] < wanted[name] for name in needs):
        return True
    users, events = actual.get("users", {}), actual.get("events", {})
    if not isinstance(users, dict) or not isinstance(events, dict) or not _number(actual.get("users_default", 0)):
        return True
    if any(not _number(level) or level > wanted["users_default"] for level in (*users.values(), actual.get("users_default", 0))):
        return True
    governed = {kind: level for kind, level in events.items() if kind not in wanted["events"]}
    floor = {kind: wanted["state_default"] if kind.startswith("m.room.") else wanted["events_default"] for kind in governed}
    return any(not _number(level) or level < floor[kind] for kind, level in governed.items()) or any(
        not _number(events.get(kind)) or events[kind] < level for kind, level in wanted["events"].items()
    )


def _missing(spec: RoomSpec, view: RoomView) -> Iterator[Action]:
    late = {user for user, other in spec.behind.items() if other not in view.joined}
    for user in sorted(spec.members - view.present - late):
        if user in view.banned:
            yield Action(kind="unban", what="missing", target=user)
        yield Action(kind="invite", what="missing", target=user)


def _strangers(spec: RoomSpec, view: RoomView, own: str) -> list[Action]:
    return [Action(kind="kick", what="stranger", target=user) for user in sorted(view.present - spec.members - {own})]


def _settings(spec: RoomSpec, view: RoomView) -> Iterator[Action]:
    for kind, content in {**state_of(spec), "m.room.power_levels": power_of(spec)}.items():
        actual = view.state.get(kind, {})
        if any(actual.get(key) != value for key, value in content.items()):
            worded = view.events.get((kind, ""), "") if kind == "m.room.name" else ""
            yield Action(kind="state", what=_NAMED[kind], target=kind, content=content, event=worded)


def _pins(spec: RoomSpec, view: RoomView) -> Iterator[Action]:
    """In a coordination room who does what is pinned (R49), by its owner alone. Our own pins move with the message; others are taken away."""
    wanted = {"pinned": [spec.pinned] if spec.pinned else []}
    actual = view.state.get(_PINS, {"pinned": []})
    if spec.purpose != "coordination" or actual == wanted or not (spec.pinned or any(actual.values())):
        return
    found = actual.get("pinned", [])
    ours = set(actual) <= {"pinned"} and isinstance(found, list) and all(isinstance(one, str) and one in spec.ours for one in found)
    event = "" if ours else view.events.get((_PINS, ""), "")
    yield Action(kind="state", what="pin" if ours else "pinned", target=_PINS, content=wanted, event=event)


def _strays(spec: RoomSpec, view: RoomView) -> Iterator[Action]:
    """State that no room of ours has: it is emptied, and what it said is redacted."""
    known = {*state_of(spec), *_SETTLED, "m.room.guest_access", *([_PINS] if spec.purpose == "coordination" else [])}
    present = {**{(kind, ""): content for kind, content in view.state.items()}, **view.keyed}
    for (kind, key), content in sorted(present.items()):
        if (kind in known and not key) or _says_nothing(kind, content):
            continue
        event = "" if kind == "m.room.server_acl" else view.events.get((kind, key), "")  # that one is no text, and Synapse keeps it
        yield Action(kind="state", what=_NAMED.get(kind, "stray"), target=kind, key=key, content=_EMPTY.get(kind, {}), event=event)


def _says_nothing(kind: str, content: Mapping[str, Any]) -> bool:
    if kind == "m.room.server_acl":
        return content.get("allow") == ["*"] and not content.get("deny")
    return not any(content.values())


def _replaced(reason: str, spec: RoomSpec, view: RoomView, own: str) -> list[Action]:
    """Why a room must be made anew; strangers one by one, by name."""
    if reason == "members":
        return [Action(kind="replace", what="stranger", target=user) for user in sorted(view.present - spec.members - {own})]
    what: Any = reason if reason in _REASONS else _NAMED.get(reason, "stray")
    return [Action(kind="replace", what=what, target=reason)]


_REASONS = ("encryption", "history", "join_rule", "guest_access", "power", "version", "creators", "tombstone", "left")


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def coordination_faults(view: RoomView, owner: str) -> list[str]:
    """Why a room that a peer announced is not fit to be a coordination room of its; empty when it is."""
    wanted = ROOM_CLASSES["coordination"]
    faults: list[str] = [] if view.version == wanted.version else ["version"]
    faults += [] if view.creators == {owner} else ["creators"]
    faults += [] if view.encrypted else ["encryption"]
    faults += [] if view.get("m.room.history_visibility", "history_visibility") == wanted.history else ["history"]
    faults += [] if view.get("m.room.join_rules", "join_rule") == wanted.join_rule else ["join_rule"]
    faults += [] if view.get("m.room.name", "name") in (None, wanted.name) else ["m.room.name"]
    clear = ("m.room.topic", "m.room.avatar", "m.room.canonical_alias")
    return faults + [kind for kind in clear if any(view.state.get(kind, {}).values())]
