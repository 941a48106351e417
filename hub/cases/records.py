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
    grant: bytes = b""
    """The owner's signed word under which somebody else passed it on (`keys.grant`); `owner` is that institution, empty: the sender."""
    owner: str = ""
    glass: str = ""
    """The emergency that opened it, when one did."""
    by_law: dict[str, str] = field(default_factory=dict)
    """Fields that left without her consent, and the recorded legal bases (`LegalBasis.id`, with spaces between) that let each out."""

    @property
    def bases(self) -> frozenset[str]:
        """All of those bases."""
        return frozenset(name for names in self.by_law.values() for name in names.split())


@dataclass(frozen=True, kw_only=True)
class LegalBasis:
    """A law or an order stands in for her consent: one case, named recipients, until a moment (R70). `sealed` is the reason in words.

    waiting (for whoever confirms) → active → ended; from waiting also → lapsed. What it covers the protocol says, not this row.
    """

    id: str
    case: str
    basis: str
    recipients: tuple[str, ...]
    until: datetime
    by: str
    at: datetime
    state: str
    sealed: bytes
    confirmed_by: str = ""
    ended_at: datetime | None = None


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
    reason: str = ""
    """Why not: a code of `hub.cases.answers`."""
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class Onward:
    """A wish to pass fields of a referral on to a third institution, at the owner (`side` sender) and at the holder (recipient) (R71).

    asked → refused | granted → passed → called_back → ended. `fields` maps each field that was asked for to how it may go on
    (`policies.preview.Passage`), empty where it may not; `child` is the holder's own referral to the third institution.
    """

    id: str
    referral: str
    side: Side
    third: str
    need: str
    fields: dict[str, str]
    state: str
    at: datetime
    by: str = ""
    reason: str = ""
    grant: bytes = b""
    until: datetime | None = None
    child: str | None = None
    disclosures: tuple[str, ...] = ()
    due_at: datetime | None = None
    ended_at: datetime | None = None
    receipt: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Glass:
    """An emergency that asks for one withheld field (R76), at who asks (`side` recipient) and at the owner (sender).

    waiting (for a second person) → asked → open | refused; from waiting also → lapsed. `owner` and `words` are the sealed reason in words,
    until it left. `review_by` is set where supervision looks at it afterwards.
    """

    id: str
    referral: str
    side: Side
    field: str
    reason: str
    role: str
    by: str
    state: str
    at: datetime
    confirmed_by: str = ""
    owner: str = ""
    words: str = ""
    until: datetime | None = None
    why_not: str = ""
    review_by: datetime | None = None
    reviewed_by: str = ""
    reviewed_at: datetime | None = None
    verdict: str = ""


@dataclass(frozen=True, kw_only=True)
class Account:
    """That she told what happened (`id` is the case), once: who told it, to whom, when, how and in which language. The words are a case field.

    `times` counts conversations. A further one needs a reason: `again` is its code, good until `again_until`.
    """

    id: str
    teller: str
    heard_by: str
    mode: str
    language: str
    told_at: datetime
    times: int = 1
    again: str = ""
    again_until: datetime | None = None


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


CASE, TABLE = "case", "table"
"""What a coordination room is about."""


@dataclass(frozen=True, kw_only=True)
class Coordination:
    """A coordination room as a hub in it knows it. The owner's hub made it, builds its membership and posts its card; nothing of this is in Matrix.

    proposed → open → closed. `sort` is `case` (about one woman's referrals) or `table` (a territory; no case data by construction).
    """

    id: str
    code: str
    sort: str
    owner: str
    label: str = ""
    """What people call a table; always empty for a case."""
    purposes: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    """Under which it stands: `id version`."""
    case: str | None = None
    """Whose it is about: known to the owner alone."""
    state: str
    by: str
    made_at: datetime
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    room: str | None = None
    """The Matrix room, once it is made."""
    card: str = ""
    """Owner of the key that seals what stands in the room now; every narrowing kills it and a new one begins."""
    shown: dict[str, str] = field(default_factory=dict)
    """Field → how the card shows it. At a guest: what the owner says that it shows, by name."""
    drawn: str = ""
    """A keyed digest of what stands in the room, so that it is drawn anew when that changed, and not else."""
    greeted: tuple[str, ...] = ()
    """Who had joined when the card was last put: whoever comes later cannot see what stood there before."""


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One institution in one coordination room: invited → present → out. `people`: who of it takes part, by its own roster."""

    id: str
    coordination: str
    institution: str
    state: str
    why: str = ""
    people: tuple[str, ...] = ()
    number: int = 0
    roster: bytes = b""
    """The signed roster; empty while there is none, or none that we could verify."""
    hub: str = ""
    """Its hub's Matrix account, where the owner's word is all we have."""
    referrals: tuple[str, ...] = ()
    at: datetime


@dataclass(frozen=True, kw_only=True)
class RoomFinding:
    """Something that is not as it should be: about a room of ours, or (purpose `devices`) about a device. Accounts, kinds and codes only."""

    id: str
    """Purpose, what and about whom or what, with bars between."""
    purpose: str
    what: str
    about: str
    found_at: datetime
    why: str
    """Why it is not mended yet: a code; empty once it is."""
    times: int = 1
    mended_at: datetime | None = None
    asked: bool = False
    """An administrator asked in the admin room that it be mended."""


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """An invitation that the hub turned down. The room is named by its id alone: what it calls itself is the inviter's word."""

    id: str
    user: str
    why: str
    """`staff`, `removed`, `own_server`, `peer_server`, `unlisted`, `withdrawn`, or what is wrong with the room."""
    detail: str
    """A code beside it; empty for none."""
    times: int
    at: datetime
    last_at: datetime


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
class GuardMode:
    """How the language guard behaves in a class of rooms (`id`): `advise`, `redact` or `off`. Vouched: who may write rows could silence it."""

    id: str
    mode: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Advice:
    """That somebody was told about a class of the guard's. `id` is an alias of her and of what it was: no row says who wrote what."""

    id: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class GuardCount:
    """How often the guard saw a class (`id`), for the metrics: never whose, where or what."""

    id: str
    seen: int


@dataclass(frozen=True, kw_only=True)
class Handled:
    """An event whose effect is committed: it is never acted on again."""

    id: str
    at: datetime
