"""What one person saw in her rooms: messages in the order of arrival, with edits and redactions applied.

Pure: events as plain JSON go in, frozen `Message` values come out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hub.base.i18n import city

ZONE = ZoneInfo("America/Lima")
"""Where the demo's institutions are: the hour that the people in it would see."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message as it stands now."""

    event_id: str
    room: str
    sender: str
    time: datetime
    """When the homeserver took it, UTC."""
    body: str
    html: str | None = None
    kind: str = "m.text"
    """`m.text`, `m.notice` … as sent."""
    thread: str | None = None
    """Event id of the thread's first message."""
    reply_to: str | None = None
    mentions: frozenset[str] = frozenset()
    edits: int = 0
    redacted: bool = False
    shield: str | None = None
    """Why a careful client would warn here: `clear`, `unreadable`, `unknown-device`, `unsigned-device`; None when all is well."""
    sender_key: str | None = field(default=None, repr=False)
    """Curve25519 key of the sending device; None for clear text and for what could not be decrypted."""

    def code(self, kind: str) -> str:
        """The first code in it that begins with `kind`: C for a case, R for a referral. Raises AssertionError."""
        return self._found(rf"{kind}-\w{{5}}")

    def choice(self, label: str) -> str:
        """The number that stands before an option whose label begins so. Raises AssertionError."""
        return self._found(rf"\d+(?=[.)]? +{label})")

    def _found(self, pattern: str) -> str:
        found = re.search(pattern, self.body)
        assert found, f"no {pattern} in: {self.body}"
        return found[0]


class Transcript:
    """Collects events. `arrivals` keeps every version as it came, `messages` only the present state."""

    def __init__(self) -> None:
        self.arrivals: list[Message] = []
        self._messages: dict[str, Message] = {}
        self._redacted_early: set[str] = set()
        self._edits: set[str] = set()

    @property
    def messages(self) -> list[Message]:
        return list(self._messages.values())

    def get(self, event_id: str) -> Message | None:
        return self._messages.get(event_id)

    def take(self, room: str, event: Mapping[str, Any], *, sender_key: str | None, shield: str | None = None) -> None:
        """Take one timeline event, decrypted where that was possible; taking it again changes nothing.

        Whatever is not shown to people is passed over.
        """
        if event.get("type") == "m.room.redaction":
            self._redact(str(event.get("redacts") or event["content"].get("redacts")))
        elif event.get("type") == "m.room.encrypted":
            self._add(_message(room, event, {"body": "(no se puede descifrar)"}, sender_key=None, shield="unreadable"))
        elif event.get("type") == "m.room.message":
            self._take_message(room, event, sender_key=sender_key, shield=shield)

    def _take_message(self, room: str, event: Mapping[str, Any], *, sender_key: str | None, shield: str | None) -> None:
        content = event["content"]
        if "body" not in content:  # redacted before we came
            return
        relation = content.get("m.relates_to") or {}
        if relation.get("rel_type") != "m.replace":
            self._add(_message(room, event, content, sender_key=sender_key, shield=shield))
            return
        if event["event_id"] in self._edits:
            return
        self._edits.add(str(event["event_id"]))
        self._messages.pop(str(event["event_id"]), None)  # it stood as unreadable until its key came
        original = self._messages.get(str(relation.get("event_id")))
        # An edit counts only from the author of what it edits; clients show nothing of any other.
        if original and original.sender == event["sender"] and not original.redacted:
            new = _message(room, event, content.get("m.new_content") or {}, sender_key=sender_key, shield=shield)
            edited = replace(
                original,
                body=new.body,
                html=new.html,
                kind=new.kind,
                mentions=new.mentions,
                sender_key=sender_key,
                shield=shield,
                edits=original.edits + 1,
            )
            self._messages[original.event_id] = edited
            self.arrivals.append(edited)

    def _add(self, message: Message) -> None:
        known = self._messages.get(message.event_id)
        # Nothing is taken twice, except that what could not be read may become readable.
        if known and (known.shield != "unreadable" or message.shield == "unreadable"):
            return
        if message.event_id in self._redacted_early:
            message = replace(message, body="", html=None, redacted=True)
        self._messages[message.event_id] = message
        self.arrivals.append(message)

    def _redact(self, target: str) -> None:
        message = self._messages.get(target)
        if message is None:
            self._redacted_early.add(target)
            return
        self._messages[target] = replace(message, body="", html=None, redacted=True)


def _message(
    room: str, event: Mapping[str, Any], content: Mapping[str, Any], *, sender_key: str | None, shield: str | None
) -> Message:
    relation = event["content"].get("m.relates_to") or {}
    html = content.get("formatted_body")
    return Message(
        event_id=str(event["event_id"]),
        room=room,
        sender=str(event["sender"]),
        time=datetime.fromtimestamp(event["origin_server_ts"] / 1000, UTC),
        body=str(content.get("body", "")),
        html=str(html) if html is not None else None,
        kind=str(content.get("msgtype", "")),
        thread=relation.get("event_id") if relation.get("rel_type") == "m.thread" else None,
        reply_to=(relation.get("m.in_reply_to") or {}).get("event_id"),
        mentions=frozenset((content.get("m.mentions") or {}).get("user_ids") or ()),
        sender_key=sender_key,
        shield=shield,
    )


def render(messages: Iterable[Message], *, names: Callable[[str], str] = str, room_names: Callable[[str], str] = str) -> str:
    """Plain lines for a console: room headings, time, who, text; thread answers indented below their first message."""
    messages = list(messages)
    lines = []
    for room in dict.fromkeys(message.room for message in messages):
        lines.append(f"── hora de {city(ZONE)} · {room_names(room)}")
        here = [message for message in messages if message.room == room]
        known = {message.event_id for message in here}
        for root in (message for message in here if message.thread not in known):
            lines += _lines(root, names, indent="")
            for answer in (message for message in here if message.thread == root.event_id):
                lines += _lines(answer, names, indent="    ↳ ")
    return "\n".join(lines)


def _lines(message: Message, names: Callable[[str], str], *, indent: str) -> list[str]:
    notes = ["editado"] if message.edits else []
    notes += [f"⚠ {message.shield}"] if message.shield else []
    body = "(retirado)" if message.redacted else message.body
    first, *rest = body.splitlines() or [""]
    head = f"{indent}{message.time.astimezone(ZONE):%H:%M:%S} {names(message.sender)}: "
    tail = f"  [{', '.join(notes)}]" if notes else ""
    return [
        head + first + ("" if rest else tail),
        *(" " * len(head) + line for line in rest[:-1]),
        *([" " * len(head) + rest[-1] + tail] if rest else []),
    ]
