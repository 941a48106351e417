"""One event that came in: accepted, refused, or kept until its key comes. Each for itself, so that none can stop another.

The numbered steps are those of `judge_event`; an event that fails one is written down by ids and reason, never by content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hub.matrix import sas
from hub.matrix.batches import MAX_ID, as_dict, is_id, well_formed
from hub.matrix.errors import CannotRead
from hub.matrix.machine import Machine, NoRoomKey, Opened
from hub.matrix.ports import BatchResult, Inbound, InboxRow, QuarantineRow, Report, WaitingRow
from hub.matrix.trust import TrustBook

MAX_WAITING = 2_000
"""Events kept without a key. A homeserver can invent any number in the name of a pinned sender."""
IGNORED = ("m.room.redaction", "m.reaction")
"""Clear text by the protocol's nature; they decide nothing here (X31)."""


@dataclass(kw_only=True)
class Gathered:
    """What the events of one batch came to."""

    inbox: list[InboxRow] = field(default_factory=list)
    quarantine: list[QuarantineRow] = field(default_factory=list)
    waiting: list[WaitingRow] = field(default_factory=list)
    resolved: list[str] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)

    def result(self) -> BatchResult:
        return BatchResult(inbox=tuple(self.inbox), quarantine=tuple(self.quarantine), waiting=tuple(self.waiting), resolved=tuple(self.resolved))

    def refuse(self, room_id: str, raw: dict[str, Any], kind: Any, reason: str) -> None:
        event_id, sender = _printable(raw.get("event_id")), _printable(raw.get("sender"))
        self.quarantine.append(QuarantineRow(event_id=event_id, room_id=room_id, sender=sender, reason=reason))
        self.reports.append(Report(kind=kind, room_id=room_id, user_id=sender, event_id=event_id, detail=reason))


class Receiver:
    """Decides event by event, with the keys of `machine` and the verdicts of `book`."""

    def __init__(self, machine: Machine, book: TrustBook, waiting: Callable[[], int] = lambda: 0) -> None:
        self._machine = machine
        self._book = book
        self._waiting = waiting

    def judge_event(self, room_id: str, raw: Any, into: Gathered) -> None:
        """Look at one timeline event and write what becomes of it into `into`. Never raises."""
        # 1. It has the shape of an event, and an id that can be kept.
        if not well_formed(raw) or not _is_event_id(raw.get("event_id")) or not is_id(room_id):
            if isinstance(raw, dict):
                into.refuse(room_id, raw, "malformed_event", "EventShape")
            return
        # 2. It is not our own, no state, and not one of the kinds that mean nothing to us.
        if raw["sender"] == self._book.own.user_id or "state_key" in raw or raw["type"] in IGNORED:
            return
        # A redacted event has no content any more; a redaction has no effect on our records.
        if "redacted_because" in as_dict(raw.get("unsigned")) and not raw["content"]:
            return
        # 3. Its sender is pinned: nobody else's bytes are decrypted.
        if self._book.standing_in(room_id, raw["sender"]) is None:
            return into.refuse(room_id, raw, "foreign_event", "NotPinned")
        # 4. It is encrypted (N24), or a person's verification, which protects itself and which Element Web sends in clear (ADR 0017).
        clear = raw["type"] != "m.room.encrypted"
        if clear and not (self._book.standing(raw["sender"]) == "staff" and sas.is_verification(raw["type"], raw["content"])):
            return into.refuse(room_id, raw, "clear_event", "NotEncrypted")
        try:
            if clear:
                into.inbox.append(_clear(room_id, raw))
                return
            opened = self._machine.open_room_event(room_id, raw)
            inbound = self._believe(room_id, raw, opened)
            row = InboxRow(
                event_id=inbound.event_id,
                room_id=room_id,
                session_id=opened.session_id,
                index=opened.index,
                body=inbound.to_bytes(),
            )
        except NoRoomKey:
            return self._keep(room_id, raw, into)
        except CannotRead as error:
            kind = "unverified_writer" if error.reason == "UnverifiedDevice" else "malformed_event"
            return into.refuse(room_id, raw, kind, error.reason)
        except Exception as error:  # the isolation itself: whatever a hostile event finds, the next one is handled
            return into.refuse(room_id, raw, "malformed_event", type(error).__name__)
        into.inbox.append(row)

    def retry(self, event_id: str, room_id: str, raw: Any, into: Gathered) -> None:
        """A room key came for an event that was kept: judge it again; unless it waits on, it leaves the waiting table."""
        trial = Gathered()
        self.judge_event(room_id, raw, trial)
        if trial.waiting:
            return
        into.inbox += trial.inbox
        into.quarantine += trial.quarantine
        into.reports += trial.reports
        into.resolved.append(event_id)

    def _believe(self, room_id: str, raw: dict[str, Any], opened: Opened) -> Inbound:
        """5. The key that opened it belongs to a trusted device of exactly this sender. Raises CannotRead."""
        device = self._book.device(raw["sender"], opened.curve25519, opened.ed25519)
        standing = self._book.standing_in(room_id, raw["sender"])
        if device is None or standing is None:
            raise CannotRead("UnverifiedDevice")
        # A relation inside the ciphertext cannot be re-pointed (Element and nio put it there too); one that stands outside alone can (X34).
        content = dict(opened.content)
        inner = content.pop("m.relates_to", None)
        firm = isinstance(inner, dict)
        relation = _relation(inner if firm else raw["content"].get("m.relates_to"))
        return Inbound(
            room_id=room_id,
            event_id=raw["event_id"],
            sender=raw["sender"],
            device_key=device.ed25519,
            type=opened.type,
            content=content,
            ts_ms=_stamp(raw),
            standing=standing,
            firm=firm,
            **relation,
        )

    def _keep(self, room_id: str, raw: dict[str, Any], into: Gathered) -> None:
        session_id = raw["content"].get("session_id")
        if not is_id(session_id) or len(session_id) > 64:
            return into.refuse(room_id, raw, "malformed_event", "SessionShape")
        if self._waiting() + len(into.waiting) >= MAX_WAITING:
            return into.refuse(room_id, raw, "undecryptable", "TooManyWaiting")
        kept = {name: raw[name] for name in ("type", "sender", "content", "event_id", "origin_server_ts") if name in raw}
        into.waiting.append(WaitingRow(event_id=raw["event_id"], room_id=room_id, session_id=session_id, body=json.dumps(kept).encode()))
        into.reports.append(Report(kind="undecryptable", room_id=room_id, user_id=raw["sender"], event_id=raw["event_id"]))


def _clear(room_id: str, raw: dict[str, Any]) -> InboxRow:
    """A message of a verification as it stands, from whoever the homeserver says. It has no room key; its own id stands in for one."""
    content = {name: value for name, value in raw["content"].items() if name != "m.relates_to"}
    inbound = Inbound(
        room_id=room_id, event_id=raw["event_id"], sender=raw["sender"], device_key="", type=raw["type"], content=content, ts_ms=_stamp(raw),
        standing="staff", clear=True, **_relation(raw["content"].get("m.relates_to")),
    )  # fmt: skip
    name = hashlib.sha256(raw["event_id"].encode()).hexdigest()
    return InboxRow(event_id=raw["event_id"], room_id=room_id, session_id=name, index=0, body=inbound.to_bytes())


def _stamp(raw: dict[str, Any]) -> int:
    stamp = raw.get("origin_server_ts")
    return stamp if isinstance(stamp, int) and 0 <= stamp < 2**53 else 0


def _relation(value: Any) -> dict[str, Any]:
    """Thread, reply and edit as a relation says."""
    relation = value if isinstance(value, dict) else {}
    target = relation.get("event_id")
    kind = relation.get("rel_type")
    reply = relation.get("m.in_reply_to")
    answered = reply.get("event_id") if isinstance(reply, dict) else None
    if relation.get("is_falling_back") is True:
        answered = None
    return {
        "thread_root": target if kind == "m.thread" and _is_event_id(target) else None,
        "edits": target if kind == "m.replace" and _is_event_id(target) else None,
        "reply_to": answered if _is_event_id(answered) else None,
        "refers": target if kind == "m.reference" and _is_event_id(target) else None,
    }


def _is_event_id(value: Any) -> bool:
    return is_id(value) and value.startswith("$")


def _printable(value: Any) -> str:
    return "".join(char if char.isprintable() else "?" for char in str(value)[:MAX_ID])
