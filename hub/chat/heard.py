"""What somebody said in a room of ours, as the desk gets it: decrypted, verified, of an enrolled person. The Matrix room made sure of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One message. Unless they are `firm`, `thread` and `reply` only select where to answer: a homeserver can re-point them (X34)."""

    room: str
    event: str
    sender: str
    type: str = "m.room.message"
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)
    thread: str | None = None
    reply: str | None = None
    firm: bool = False
    """Whether thread and reply are hers for certain: they stood inside the ciphertext."""
    edits: str | None = None
    """What this message wants to replace: an edit is never a command (I02)."""
