"""What the exchange keeps: peers, links, outgoing records, ids seen, the ledger. One frozen type a table."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Peer:
    """Another institution's hub. `manifest` is its public signed file; `profile` what it last told of its services and duty."""

    id: str
    manifest: bytes
    state: str
    added_at: datetime
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    profile: dict[str, Any] = field(default_factory=dict)
    devices: bytes = b""
    """Its latest statement on its Matrix devices (`keys.devices`); empty: the manifest's device."""
    told: int = 0
    """The number of our own device statement that it says it holds."""
    opening: bytes = b""
    """The newest key of the day that it stated, as it signed it (`keys.freshness`); empty when none was heard."""
    fresh_at: datetime | None = None
    """When, by our clock, it last said that the manifest we hold is its current one; `fresh_issued` is the newest of its own dates."""
    fresh_issued: datetime | None = None
    denied: dict[str, Any] = field(default_factory=dict)
    """Keys of Matrix devices that people decided are another institution's, and which one's."""


@dataclass(frozen=True, kw_only=True)
class HubDevice:
    """One living Matrix device of our own account, by the name of the server that runs it (empty: the only one)."""

    id: str
    device_id: str
    ed25519: str
    curve25519: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class OwnStatement:
    """The latest public statement of ours of one kind, as it travels."""

    id: str
    number: int
    data: bytes
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Link:
    """The numbered line to one peer. It outlives its room. Epochs start anew after a restore; sequences count from 1."""

    id: str
    peer: str
    room: str | None = None
    epoch_out: int = 1
    next_out: int = 1
    head_out: bytes = b"\0" * 32
    acked_out: int = 0
    epoch_in: int = 0
    next_in: int = 1
    head_in: bytes = b"\0" * 32
    acked_in: int = 0
    ack_due_at: datetime | None = None
    resend_asked_at: datetime | None = None
    resent_at: datetime | None = None
    """When we last said again what the peer asked for by `resend`; `resend_asked_at` is when we asked."""
    frozen: str | None = None
    ledger_size: int = 0
    """How long the peer's disclosure ledger was when it last spoke, and what its head was; `checkpoint` is its signed word for that."""
    ledger_head: bytes = b""
    checkpoint: bytes = b""
    holds: int = 0
    """Which version of our manifest the peer holds, by its own word; `pushed` is the highest that went out since."""
    pushed: int = 0
    told_key_at: datetime | None = None
    owes_key: bool = False
    """The peer asked for our key of the day, or took a manifest: it gets a `hek`. `asked_key` counts how often we asked in vain."""
    asked_key: int = 0
    asked_key_at: datetime | None = None
    behind: bool = False
    """The peer speaks of a newer manifest than the one we hold; `gone`: something came under a key that is dead here."""
    gone: bool = False
    asking: int = 0
    """After our restore: the epoch of ours that the copy ended in, until the peer says how far it took effect; 0: nothing is asked."""
    peer_restore: str = ""
    """The peer's restore that we answered last."""
    spoke: int = 0
    """Of which version of its own manifest the peer last gave its word; older than the one we hold: it came back from a copy."""

    @property
    def awaited(self) -> bool:
        """Whether after our restore nothing of ours may turn before this peer has answered. A frozen link never answers: that would have no end."""
        return bool(self.asking) and not self.frozen


@dataclass(frozen=True, kw_only=True)
class ManifestVersion:
    """One version of a manifest, ours or a peer's, as it was signed. Kept for good: what an old key signed must still verify."""

    id: str
    institution: str
    version: int
    data: bytes
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ListVersion:
    """One version of a network list (`keys.network`). `offered`: a first one whose code people have not compared yet; `held`: it counts, or did."""

    id: str
    table: str
    version: int
    state: str
    source: str
    """Who brought it: an institution, or `people`."""
    data: bytes
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """An intent in the outbox (kind + references, never a value) and, from dispatch to acknowledgement, the signed inner, sealed."""

    id: str
    order: int
    link: str
    kind: str
    ref: dict[str, Any]
    state: str
    not_before: datetime
    made_at: datetime
    owner: str = "hub"
    epoch: int = 0
    seq: int = 0
    message: str = ""
    digest: bytes = b""
    sealed: bytes = b""
    attempts: int = 0
    sent_at: datetime | None = None
    parcel: str = ""
    """The transaction id of the event it was put in last."""
    acked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A message id that was accepted, with the digest of its signed inner: a twin is acknowledged again, a changeling is an alarm."""

    id: str
    link: str
    epoch: int
    seq: int
    digest: bytes
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Early:
    """A message that came before its turn: its signed inner, sealed, waiting for the gap to close."""

    id: str
    link: str
    epoch: int
    seq: int
    sealed: bytes
    at: datetime


@dataclass(frozen=True, kw_only=True)
class LedgerRow:
    """One row of the hash chain (`keys.md` §4). `entry` holds names and references, never a value."""

    id: int
    at: datetime
    previous: bytes
    hash: bytes
    entry: bytes


@dataclass(frozen=True, kw_only=True)
class ProtocolProposal:
    """A version of a sharing protocol that is before its parties, or was; `id` is the digest that they sign. Its bytes are a `ProtocolPaper`."""

    id: str
    protocol: str
    version: int
    proposer: str
    seat: str
    parties: tuple[str, ...]
    starts: str
    consulted: str
    closes: str
    expires: str
    """ISO dates; `expires` is the document's own."""
    stage: str
    at: datetime
    signed_at: datetime | None = None
    """Since when it is known here that all have signed."""
    warned: int = 99
    """The last warning that was told: days before it expires."""


@dataclass(frozen=True, kw_only=True)
class ProtocolPaper:
    """The signed proposal as it travelled, and the document's bytes. Kept for good: decisions name the version that made them."""

    id: str
    statement: bytes
    document: bytes


@dataclass(frozen=True, kw_only=True)
class ProtocolWord:
    """One party's signed word on a proposal, verified when it came."""

    id: str
    proposal: str
    institution: str
    kind: str
    data: bytes
    at: datetime


@dataclass(frozen=True, kw_only=True)
class VoiceCode:
    """A contribution code of ours that was handed out and may be used once: not the code but a name for it that only this hub can compute."""

    id: str
    proposal: str
    made_at: datetime
    used_at: datetime | None = None
