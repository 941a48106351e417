"""What a unit of work offers to the actions. `hub/store` builds the real one; the composition root fills in the collaborators.

A unit is one database transaction. An action is a plain function over it; everything an action changes, tells, logs or intends to send
is in that one transaction or does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Protocol, TypeVar

from hub.cases import records as c
from hub.cases.events import Event
from hub.exchange import records as x
from keys.dailykeys import DailyKeys
from keys.manifest import Manifest
from keys.primitives import OpeningKey, SigningKey
from policies.packs import Pack

R = TypeVar("R")
T = TypeVar("T")


class Rows(Protocol[R]):
    """The rows of one record type. Conditions are equalities; `field__le`, `__ge`, `__not`, `__in`, `__notin` say more."""

    def get(self, key: Any) -> R | None: ...
    def one(self, *, order: str | None = None, **where: Any) -> R | None: ...
    def all(self, *, order: str | None = None, limit: int | None = None, **where: Any) -> list[R]: ...
    def count(self, **where: Any) -> int: ...
    def add(self, row: R) -> None: ...
    def put(self, row: R) -> None: ...
    def delete(self, key: Any) -> None: ...
    def next(self, column: str) -> int: ...


class Vault(Protocol):
    """Sealing under the key of an owner: a case, a disclosure, a referral's private half, or the hub itself."""

    def create(self, owner: str) -> None: ...
    def exists(self, owner: str) -> bool: ...
    def seal(self, owner: str, place: str, value: bytes) -> bytes: ...
    def open(self, owner: str, place: str, sealed: bytes) -> bytes: ...
    def keep_secret(self, owner: str, secret: bytes) -> None: ...
    def secret(self, owner: str) -> bytes: ...
    def alias(self, subject: str) -> str: ...
    def destroy(self, owner: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Institution:
    """Who we are. `needs` are the need types that we serve; `response` and texts come from the protocols."""

    id: str
    name: str
    kind: str
    territory: str
    language: str
    zone: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The knobs of an institution that actions read, all from the configuration file."""

    undo_seconds: int = 60
    show_minutes: int = 5
    checkin_grace_minutes: int = 120
    checkin_ring_minutes: tuple[int, ...] = (60, 60)
    checkin_days: Mapping[str, int] = field(default_factory=lambda: {"critical": 1, "high": 2, "medium": 3, "low": 7, "default": 3})
    erasure_days: int = 1
    accept_automatically: bool = True
    only_signed: bool = False
    """Shipped protocols count for nothing: only what parties signed."""
    safe_from: time = time(8)
    safe_until: time = time(20)


@dataclass(frozen=True, kw_only=True)
class Hand:
    """What this institution signs and opens with, and its own public manifest."""

    signer: SigningKey
    opening: OpeningKey
    """The long one."""
    manifest: Manifest
    older: tuple[SigningKey, ...] = ()
    """Former signing keys, newest first: for peers that have not heard of the newest yet."""
    older_openings: tuple[OpeningKey, ...] = ()


class Unit(Protocol):
    """One unit of work."""

    now: datetime
    me: Institution
    rules: Rules
    shipped: Pack
    """The pack as it is shipped and configured; `pack`: with what parties signed, as it counts today."""
    hand: Hand
    vault: Vault
    cases: Rows[c.Case]
    fields: Rows[c.CaseField]
    consents: Rows[c.Consent]
    referrals: Rows[c.Referral]
    disclosures: Rows[c.Disclosure]
    held: Rows[c.HeldValue]
    holds: Rows[c.LegalHold]
    bases: Rows[c.LegalBasis]
    asks: Rows[c.Ask]
    onwards: Rows[c.Onward]
    glasses: Rows[c.Glass]
    accounts: Rows[c.Account]
    checkins: Rows[c.CheckIn]
    timers: Rows[c.Timer]
    staff: Rows[c.Staff]
    verifications: Rows[c.Verification]
    rooms: Rows[c.Room]
    coordinations: Rows[c.Coordination]
    seats: Rows[c.Seat]
    room_findings: Rows[c.RoomFinding]
    invitations: Rows[c.Invitation]
    questions: Rows[c.Question]
    dialogues: Rows[c.Dialogue]
    posts: Rows[c.Post]
    log: Rows[c.LogLine]
    undoables: Rows[c.Undoable]
    tombstones: Rows[c.Tombstone]
    handled: Rows[c.Handled]
    guard_modes: Rows[c.GuardMode]
    advice: Rows[c.Advice]
    guard_counts: Rows[c.GuardCount]
    peers: Rows[x.Peer]
    links: Rows[x.Link]
    outbox: Rows[x.Outgoing]
    seen: Rows[x.Seen]
    early: Rows[x.Early]
    ledger: Rows[x.LedgerRow]
    hub_devices: Rows[x.HubDevice]
    own_statements: Rows[x.OwnStatement]
    manifests: Rows[x.ManifestVersion]
    lists: Rows[x.ListVersion]
    proposals: Rows[x.ProtocolProposal]
    papers: Rows[x.ProtocolPaper]
    protocol_words: Rows[x.ProtocolWord]
    voice_codes: Rows[x.VoiceCode]
    daily: DailyKeys

    @property
    def pack(self) -> Pack: ...
    def protocols_changed(self) -> None: ...
    def announce(self, event: Event) -> None: ...
    def attempt(self, fn: Callable[[], T]) -> T: ...


def lines(unit: Unit, about: str) -> Sequence[c.LogLine]:
    """What happened to a case or referral, oldest first."""
    return unit.log.all(about=about, order="at")
