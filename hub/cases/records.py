"""The records that the hub keeps, one frozen type each. `hub/store` lays one table under every one of them.

A value of a person is only ever in a `sealed` column. Everything else is an id, a code, a name of a field, a count or a time (aware UTC).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.cases.lifecycle import Side, State


@dataclass(frozen=True, kw_only=True)
class Case:
    """A person's case at its own institution. The code stays home; each recipient knows another one (`design.md` §5)."""

    id: str
    code: str
    lead: str
    state: str
    opened_at: datetime
    next_contact_at: datetime
    closed_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True, kw_only=True)
class CaseField:
    """One field of a case, sealed under the case key."""

    id: str
    case: str
    field: str
    sealed: bytes
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Informed consent as recorded (R12, R72): what, to whom, for what, until when, how it was given and explained, by whom."""

    id: str
    case: str
    recipients: tuple[str, ...]
    purposes: tuple[str, ...]
    fields: tuple[str, ...]
    until: datetime
    mode: str
    explained: bool
    explained_by: str
    language: str
    notice: str
    at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Referral:
    """One referral, on either side. `offer` holds what travelled without any person in it."""

    id: str
    code: str
    side: Side
    peer: str
    case: str | None
    need: str
    purpose: str
    protocol: str
    protocol_version: int
    urgency: str
    offer: dict[str, Any] = field(default_factory=dict)
    state: State
    note: str | None = None
    by: str | None = None
    opened_at: datetime
    respond_by: datetime
    delivered_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    our_key: bytes = b""
    their_key: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Disclosure:
    """One disclosure: the fields (name → outcome) one recipient holds, why and until when. `id` owns the key of its values."""

    id: str
    referral: str
    side: Side
    consent: str | None
    protocol: str
    protocol_version: int
    fields: dict[str, str]
    at: datetime
    until: datetime
    state: str = "active"
    asked_at: datetime | None = None
    due_at: datetime | None = None
    ended_at: datetime | None = None
    basis: str | None = None
    receipt: bytes = b""


@dataclass(frozen=True, kw_only=True)
class LegalHold:
    """A law or an order obliges us to keep what we hold of a referral (`id`) until a moment, whatever is withdrawn."""

    id: str
    basis: str
    until: datetime
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class HeldValue:
    """One value we hold of another institution's person, sealed under the key of its disclosure."""

    id: str
    disclosure: str
    referral: str
    field: str
    outcome: str
    sealed: bytes


@dataclass(frozen=True, kw_only=True)
class Ask:
    """A request for one named extra field (R48), on either side."""

    id: str
    referral: str
    side: Side
    field: str
    why: str
    state: str
    at: datetime
    answered_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CheckIn:
    """A follow-up check-in. Its due times are rows; `rings` counts prompts of this one; `local` is the wall-time rule to echo."""

    id: str
    case: str
    by: str
    due_at: datetime
    zone: str
    state: str = "planned"
    rings: int = 0
    next_ring_at: datetime | None = None
    answer: str | None = None
    answered_by: str | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Timer:
    """Something to do at a time: `kind` names the action, `ref` what it is about. Done once, whatever happens."""

    id: str
    kind: str
    ref: str
    due_at: datetime
    done_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Staff:
    """An enrolled person. `master` is her pinned cross-signing master key, `level` how it was pinned (`design.md` §4)."""

    id: str
    display: str
    role: str
    language: str
    on_duty: bool
    level: str
    added_at: datetime
    master: str | None = None
    refused_master: str | None = None
    removed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Verification:
    """A person's wish to be verified by emoji (ADR 0017); `id` is the event that asked. Only the seven emoji are kept of it, for people to compare.

    asked → ready (an administrator is with her) → shown (both sides show emoji) → same (they are the same) → verified → done;
    from anywhere → broken (`why`; the other side must still be told) → ended.
    """

    id: str
    user: str
    room: str
    device: str
    state: str
    asked_at: datetime
    expires_at: datetime
    master: str = ""
    emoji: tuple[int, ...] = ()
    by: str | None = None
    why: str | None = None


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room of ours by purpose: `desk`, `admin`, `direct:<user>` or `link:<institution>`."""

    id: str
    purpose: str
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class Question:
    """Open numbered choices in a room. `first` is the number of the first option; numbers of open questions never overlap in a room."""

    id: str
    room: str
    asked: str | None
    kind: str
    ref: str
    first: int
    options: tuple[str, ...]
    code: str
    expires_at: datetime
    state: str = "open"
    thread: str | None = None
    """Where one person was asked; None in the room itself, and for what waits for anybody."""


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """A running step-by-step dialogue of one person in one room, its state sealed under the keyring."""

    id: str
    room: str
    user: str
    thread: str | None
    case: str | None
    kind: str
    sealed: bytes
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Post:
    """A message to put into a room of ours. Its text is sealed and wiped once the homeserver has it.

    `key` names the message (so that it can be edited, threaded under, redacted); `thread`, `edits`, `redacts` name other keys.
    `owner` is whose data key seals the text: a case, a disclosure, or `hub`.
    """

    id: str
    order: int
    purpose: str
    key: str | None
    thread: str | None
    edits: str | None
    redacts: str | None
    ring: tuple[str, ...]
    owner: str
    sealed: bytes
    state: str = "ready"
    event: str | None = None
    room: str | None = None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """One line of what happened to a case or referral: who did or read what, when; names and ids, no values (R79, R75)."""

    id: str
    about: str
    at: datetime
    actor: str
    what: str
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Undoable:
    """Something its author may take back for a short time, while nothing of it has left."""

    id: str
    user: str
    room: str
    kind: str
    ref: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Tombstone:
    """A key that must be dead. Written before the key is deleted; start-up finishes what a crash left."""

    id: str
    why: str
    at: datetime
    confirmed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Handled:
    """An event whose effect is committed: it is never acted on again."""

    id: str
    at: datetime
