"""A room class in the homeserver's words: the state that a room must have, its power levels, and the request that makes it. Pure."""

from __future__ import annotations

from typing import Any

from hub.cases.room_classes import ROOM_CLASSES
from hub.matrix.errors import MatrixError
from hub.matrix.ports import RoomSpec


def state_of(spec: RoomSpec) -> dict[str, dict[str, Any]]:
    """The state that a room of this kind has, by event type, power levels apart; what is absent here should be absent there."""
    kind = ROOM_CLASSES[spec.purpose]
    crypto = kind.encryption
    state: dict[str, dict[str, Any]] = {
        "m.room.encryption": {
            "algorithm": crypto.algorithm, "rotation_period_ms": crypto.rotation_ms, "rotation_period_msgs": crypto.rotation_messages
        },
        "m.room.history_visibility": {"history_visibility": kind.history},
        "m.room.join_rules": {"join_rule": kind.join_rule},
        "m.room.guest_access": {"guest_access": kind.guest_access},
    }  # fmt: skip
    if spec.name:
        state["m.room.name"] = {"name": spec.name}
    return state


def power_of(spec: RoomSpec) -> dict[str, Any]:
    """Power levels. The creator (in a link: both) stands above them in version 12 and must not be listed."""
    power = ROOM_CLASSES[spec.purpose].power
    governing = dict.fromkeys(("invite", "kick", "ban", "redact", "state_default"), power.govern)
    return {
        **governing,
        "users_default": power.everybody,
        "events_default": power.speak,
        "users": {},
        "events": dict(power.events),
    }


def create_body(spec: RoomSpec) -> dict[str, Any]:
    """The createRoom request. Encryption is there from the first event on; nobody is invited in it: one who cannot be would spoil it for all.

    Raises MatrixError for a name or a number of members that the class does not have.
    """
    kind = ROOM_CLASSES[spec.purpose]
    fits = len(spec.members) <= (kind.members.most or len(spec.members)) and (spec.purpose != "link" or len(spec.members) == 1)
    if not fits or (spec.name and not kind.name):
        raise MatrixError("matrix.bad_room_spec", "a room of this class has no name, or another number of members")
    creation = {"additional_creators": sorted(spec.members)} if kind.creators == "both" else {}
    state = [{"type": kind, "state_key": "", "content": content} for kind, content in state_of(spec).items()]
    return {
        "visibility": "private",
        "preset": "private_chat",
        "room_version": kind.version,
        "creation_content": creation,
        "is_direct": spec.purpose == "direct",
        "initial_state": state,
        "power_level_content_override": power_of(spec),
    }
