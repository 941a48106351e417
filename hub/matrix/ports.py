"""What this room needs and gives: frozen values, and the Protocol of its rows.

`hub/store` never imports this module (the two are siblings), so its side of the contract is kept structural: plain bytes and
strings in, plain bytes and strings out.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from hub.cases.room_classes import Purpose
from keys import strictjson

Standing = Literal["staff", "peer", "guest"]

ENVELOPE_TYPE = "org.tinkuy.envelope.v1"
"""The only event type that is sent into link rooms."""
DEVICES_TYPE = "org.tinkuy.devices.v1"
"""A to-device event in clear with nothing but a signed public statement: whoever gets it cannot yet believe the device it comes from."""
MAX_STATEMENT = 4096
"""Characters of one statement."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """One Matrix device by its keys. Two devices with the same id and other keys are two devices."""

    user_id: str
    device_id: str
    ed25519: str
    curve25519: str


@dataclass(frozen=True, kw_only=True)
class StaffPin:
    """A person's pinned cross-signing master key."""

    user_id: str
    master_key: str | None
    """Unpadded base64 of the Ed25519 key; None = not seen yet, pin at first sight."""
    level: Literal["seen", "given", "verified"] = "seen"


@dataclass(frozen=True, kw_only=True)
class PeerPin:
    """A peer hub's device, exactly as its signed manifest says."""

    user_id: str
    device_id: str
    ed25519: str
    curve25519: str

    @property
    def device(self) -> Device:
        return Device(user_id=self.user_id, device_id=self.device_id, ed25519=self.ed25519, curve25519=self.curve25519)


@dataclass(frozen=True, kw_only=True)
class GuestPin:
    """A person of another institution: believed by the master key that her own hub signed for, and in these rooms only."""

    user_id: str
    master_key: str
    rooms: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class TrustList:
    """Everybody who may be believed. Whoever is not on it does not exist for us."""

    staff: tuple[StaffPin, ...] = ()
    peers: tuple[PeerPin, ...] = ()
    own: frozenset[Device] = frozenset()
    """Our own account's living devices besides this one: another server of ours runs them."""
    awaited: frozenset[str] = frozenset()
    """Hubs whose manifest is known and whose code nobody has compared yet: not believed, but their invitation waits instead of being refused."""

    guests: tuple[GuestPin, ...] = ()
    expected: frozenset[tuple[str, str]] = frozenset()
    """(room, hub): the coordination rooms into which a peer said, in a signed envelope, that it invites us."""

    @property
    def users(self) -> frozenset[str]:
        return frozenset({pin.user_id for pin in self.staff} | {pin.user_id for pin in self.peers} | {pin.user_id for pin in self.guests})


@dataclass(frozen=True, kw_only=True)
class RoomRecord:
    """Our own record of a room that we may send into. The homeserver's word never replaces it."""

    room_id: str
    purpose: Purpose
    members: frozenset[str]
    """Everybody who may be in it besides us. For a link: exactly the one peer."""
    frozen: bool = False
    """A stranger was seen in it: nothing is sent until a person has looked. Reported as `stranger`, kept by the application."""
    leaving: frozenset[str] = frozenset()
    """Who was a member and must go: nothing is sent while they are still there, and they are no strangers."""


@dataclass(frozen=True, kw_only=True)
class RoomSpec:
    """A room as it should be."""

    purpose: Purpose
    members: frozenset[str]
    """Without the hub itself."""
    name: str = ""
    """Neutral, the same for every room of its kind; must be empty for links."""
    behind: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Who is asked in only once somebody else has joined: what a person says before her own hub is there, her hub can never read."""
    pinned: str = ""
    """The one message that is pinned, by its event; `ours`: messages of ours there, which may be pinned still from before."""
    ours: frozenset[str] = field(default=frozenset(), compare=False)


@dataclass(frozen=True, kw_only=True)
class Inbound:
    """One decrypted, verified event of a pinned person or peer. The application decides what it means."""

    room_id: str
    event_id: str
    sender: str
    device_key: str
    """Ed25519 key of the sending device, unpadded base64."""
    type: str
    content: dict[str, Any] = field(repr=False)
    ts_ms: int
    """When the sender's homeserver says it was sent. A claim, good for display only."""
    thread_root: str | None = None
    reply_to: str | None = None
    edits: str | None = None
    """The event that this one wants to replace."""
    firm: bool = False
    """Whether the three relations stood inside the ciphertext. Else they are clear text, which a homeserver can add or re-point (X34)."""
    refers: str | None = None
    """The event that a message of a verification belongs to (`m.reference`)."""
    clear: bool = False
    """It came unencrypted: only a message of a verification may. Then `device_key` is empty, and nothing but its emoji proves who sent it."""
    standing: Standing

    def to_bytes(self) -> bytes:
        return strictjson.dumps(asdict(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Inbound:
        return cls(**strictjson.loads(data))


ReportKind = Literal[
    "first_sight",  # a person's master key was seen for the first time and must be stored: `detail` is the key
    "master_changed",  # the served master key is not the pinned one: she is blocked until re-pinned; `detail` is the served key
    "unverified_device",  # a pinned person has a device that her own identity did not sign
    "unverified_writer",  # ... and wrote from it
    "hidden_device",  # a device we verified before (or a manifest lists) is not served any more
    "peer_differs",  # the homeserver serves other keys or devices for a peer than its manifest
    "device_statement",  # a peer states its devices: `detail` is the signed statement, believed by nobody yet
    "own_ghost",  # our own account has a device that is not us
    "unreachable_device",  # no Olm session could be made: no key, or a forged one
    "nobody_can_read",  # a room where no trusted device is left: the message is held
    "stranger",  # somebody is in a room who may not be there; the room is frozen
    "clear_event",  # an event came unencrypted that may only come encrypted
    "foreign_event",  # an event of somebody who is not pinned
    "malformed_event",
    "replayed_event",
    "undecryptable",  # kept; retried when a room key arrives
    "invite_refused",
    "joined_by_invite",
    "joined_coordination",  # a peer's hub took us into a coordination room that it had announced
    "left_room",  # we are out of a room: kicked, banned or left
    "room_drift",
    "history_gap",  # paging back did not reach what we knew
    "keys_drained",  # somebody claims our one-time keys fast
    "rolled_back",
    "batch_failed",
]


@dataclass(frozen=True, kw_only=True)
class Report:
    """Something that the application must know of. Ids only, never contents."""

    kind: ReportKind
    room_id: str | None = None
    user_id: str | None = None
    device_id: str | None = None
    event_id: str | None = None
    detail: str = ""
    """A public key, an error code, a count: see the kinds."""


Reporter = Callable[[Report], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class InboxRow:
    """What T2 writes for one accepted event."""

    event_id: str
    room_id: str
    session_id: str
    """Megolm session and index: the same pair under another event id is a replay (N28)."""
    index: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class QuarantineRow:
    """What T2 writes for one refused event: ids, and a reason that is a code or an exception's class name."""

    event_id: str
    room_id: str
    sender: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class WaitingRow:
    """An event whose room key has not come yet, as it came."""

    event_id: str
    room_id: str
    session_id: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """All that one handled sync batch changes."""

    inbox: tuple[InboxRow, ...] = ()
    quarantine: tuple[QuarantineRow, ...] = ()
    waiting: tuple[WaitingRow, ...] = ()
    resolved: tuple[str, ...] = ()
    """Event ids that leave the waiting table."""


class MatrixRows(Protocol):
    """Rows of this room. Every `body` is sealed by the implementation, bound to its row id."""

    async def load_olm(self) -> dict[str, bytes]:
        """All Olm rows, opened. Raises when one does not open, or the set is not the one last saved."""

    async def save_olm(self, changes: Mapping[str, bytes | None]) -> None:
        """Write (or with None delete) rows in one transaction."""

    async def save_batch(self, raw: bytes, next_batch: str) -> int:
        """T1: keep a sync batch and its token in one transaction; the batch's id."""

    async def pending_batches(self) -> list[tuple[int, bytes]]:
        """Batches without T2, oldest first."""

    async def finish_batch(self, batch: int | None, olm_changes: Mapping[str, bytes | None], result: BatchResult) -> Sequence[str]:
        """T2: Olm rows, inbox, quarantine, waiting and the batch's end in one transaction; the event ids that were replays."""

    async def sync_token(self) -> str | None: ...

    async def known_events(self, event_ids: Collection[str]) -> set[str]:
        """Those of the ids that an earlier batch handled in whatever way."""

    async def waiting(self) -> list[tuple[str, str, str]]:
        """(event id, room id, session id) of events whose key has not come, oldest first."""

    async def waiting_bodies(self, event_ids: Collection[str]) -> dict[str, bytes]:
        """The kept bodies of these."""

    async def prune(self, *, older_than_s: float) -> None:
        """Forget handled event ids, refused events and waiting events older than that."""
