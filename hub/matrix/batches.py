"""A sync answer as plain data: what is asked for, what of it is kept, and how to look into it without tripping. Pure.

Everything here must take any JSON at all: a federated server, or our own in bad hands, chooses most of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.matrix import sas
from hub.matrix.ports import DEVICES_TYPE, ENVELOPE_TYPE, MAX_STATEMENT

TIMELINE = 100
"""Synapse gives no more than this per room and sync."""
MAX_DEPTH = 40
MAX_ID = 255
NOTHING: dict[str, list[str]] = {"types": []}
MESSAGES = ("m.room.encrypted", "m.room.message", ENVELOPE_TYPE, *sas.KINDS)
"""Of the timeline, what can mean something; in clear too, so that it can be refused aloud. And every state event, of whatever kind."""
CHATTER = ["m.reaction", "m.room.redaction"]
"""Not even asked for: clear text by the protocol's nature, it decides nothing here (X31)."""


def sync_filter(limit: int = TIMELINE) -> dict[str, Any]:
    """No presence, receipts, typing or account data (N41). State of every kind: what should not be in a room can have any name."""
    room = {"timeline": {"limit": limit, "not_types": CHATTER}, "state": {}, "ephemeral": NOTHING, "account_data": NOTHING}
    return {"presence": NOTHING, "account_data": NOTHING, "room": room}


def invites_filter() -> dict[str, Any]:
    """A sync from nothing that brings little but open invitations."""
    room = {"timeline": {"limit": 1, **NOTHING}, "state": NOTHING, "ephemeral": NOTHING, "account_data": NOTHING}
    return {"presence": NOTHING, "account_data": NOTHING, "room": room}


def prefilter(raw: dict[str, Any], senders: frozenset[str], own: str) -> dict[str, Any]:
    """The part of a sync answer that is kept: no to-device message of strangers, nothing of our own (N1, rule 4)."""
    messages = [one for one in events_of(raw.get("to_device")) if well_formed(one) and one["type"] == "m.room.encrypted"]
    rooms = as_dict(raw.get("rooms"))
    return {
        "next_batch": raw["next_batch"],
        "to_device": {"events": [one for one in messages if one["sender"] in senders and not too_deep(one)]},
        "statements": _statements(raw, senders),
        "changed": strings(as_dict(raw.get("device_lists")).get("changed")),
        "rooms": {kind: _rooms(rooms.get(kind), own) for kind in ("join", "leave", "invite")},
    }


def is_empty(kept: dict[str, Any]) -> bool:
    """Nothing in it that handling would change: such a batch costs no transaction, its token need not be kept either."""
    rooms = [room for kind in kept["rooms"].values() for room in kind.values()]
    quiet = not any(room["timeline"]["events"] or room["timeline"]["limited"] or room["state"]["events"] for room in rooms)
    moved = kept["rooms"]["leave"] or kept["rooms"]["invite"]
    return quiet and not moved and not kept["to_device"]["events"] and not kept["changed"] and not kept["statements"]


def timelines(kept: dict[str, Any]) -> Iterator[Any]:
    """Every timeline event of a kept batch."""
    for kind in ("join", "leave"):
        for room in kept["rooms"][kind].values():
            yield from room["timeline"]["events"]


def inviter(room: dict[str, Any], own: str) -> str:
    """Who invited us, by the stripped state; empty when it does not say."""
    for event in events_of(room.get("invite_state")):
        if isinstance(event, dict) and event.get("type") == "m.room.member" and event.get("state_key") == own:
            return str(event.get("sender", ""))
    return ""


def has_name(room: dict[str, Any]) -> bool:
    """Whether the room that we are invited to has a name, by the stripped state."""
    return any(isinstance(event, dict) and event.get("type") == "m.room.name" for event in events_of(room.get("invite_state")))


def well_formed(raw: Any) -> bool:
    """Whether a value can be looked at as an event at all."""
    if not isinstance(raw, dict) or not isinstance(raw.get("content"), dict):
        return False
    return isinstance(raw.get("type"), str) and isinstance(raw.get("sender"), str)


def is_id(value: Any) -> bool:
    """Whether a room or event id can be kept: databases refuse NUL and half characters, and one row must not stop a batch."""
    return isinstance(value, str) and 1 < len(value) <= MAX_ID and value.isprintable()


def too_deep(value: Any, limit: int = MAX_DEPTH) -> bool:
    """Whether JSON is nested deeper than anybody needs: our own printing and parsing recurse."""
    todo = [(value, 0)]
    while todo:
        item, depth = todo.pop()
        if depth > limit:
            return True
        if isinstance(item, dict):
            todo.extend((inner, depth + 1) for inner in item.values())
        elif isinstance(item, list):
            todo.extend((inner, depth + 1) for inner in item)
    return False


def events_of(value: Any) -> list[Any]:
    """The `events` list of a part of an answer, or nothing."""
    return as_list(as_dict(value).get("events"))


def as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def strings(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _statements(raw: dict[str, Any], senders: frozenset[str]) -> list[list[str]]:
    """[sender, statement] of what says to be a device statement; of each sender the newest alone, cut where it is too long to be one."""
    found = {}
    for one in events_of(raw.get("to_device")):
        if well_formed(one) and one["type"] == DEVICES_TYPE and one["sender"] in senders:
            found[one["sender"]] = str(one["content"].get("statement"))[: MAX_STATEMENT + 1]
    return [list(pair) for pair in found.items()]


def _rooms(value: Any, own: str) -> dict[str, Any]:
    return {room_id: _room(room, own) for room_id, room in as_dict(value).items() if is_id(room_id) and isinstance(room, dict)}


def _room(room: dict[str, Any], own: str) -> dict[str, Any]:
    found = as_dict(room.get("timeline"))
    theirs = [shallow(one) for one in events_of(found) if not _is_ours(one, own) and not _means_nothing(one)]
    timeline = {"events": theirs, "limited": found.get("limited") is True, "prev_batch": found.get("prev_batch")}
    return {
        "timeline": timeline,
        **{part: {"events": [shallow(one) for one in events_of(room.get(part))]} for part in ("state", "invite_state")},
    }


def _is_ours(event: Any, own: str) -> bool:
    return isinstance(event, dict) and event.get("sender") == own and "state_key" not in event


def _means_nothing(event: Any) -> bool:
    return well_formed(event) and "state_key" not in event and event["type"] not in MESSAGES


def shallow(event: Any) -> Any:
    """A deep event keeps its ids, so that it can be refused by name; its content is not carried along."""
    if not too_deep(event):
        return event
    kept = {name: event[name] for name in ("event_id", "sender", "type") if isinstance(event.get(name), str)} if isinstance(event, dict) else {}
    return {**kept, "content": {}}
