"""The few numbers by which a hub is judged from outside, read together so that health and metrics never contradict each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Facts:
    """One reading. None means *not known*, which health and alerts treat as bad, never as fine."""

    database: bool
    """The database answered just now."""
    sync_age_seconds: float | None
    """Since the last completed /sync; None before the first."""
    device_trusted: bool
    """The homeserver serves our device signed by our own cross-signing keys."""
    undecryptable: int = 0
    """Events that we could not decrypt and still wait for."""
    outbox_oldest_seconds: float = 0.0
    """Age of the oldest intent that has not left."""
    outbox: Mapping[str, int] = field(default_factory=dict)
    """Rows by state: ready, sent, held."""
    unacked: int = 0
    """Messages that left and that no peer has acknowledged."""
    overdue_checkins: int = 0
    """Check-ins past due and neither rung nor escalated."""
    quarantined: int = 0
    """Malformed events set aside."""
    unsigned: int = 0
    """Messages that were not read because nobody whom we trust signed the device they came from."""
    one_time_keys: int | None = None
    """One-time keys the homeserver holds for us."""
    links_stopped: int = 0
    """Links over which nothing goes until people open them again."""
    protocols_waiting: int = 0
    """Versions of protocols that wait for this institution: its signature, its answers, or its decision between two."""
    protocols_blocked: int = 0
    """Open versions that this institution signed, and others did not yet."""
    protocol_days_left: float | None = None
    """Until the first protocol that counts here ends."""
    rooms_drifted: int = 0
    """Rooms in which something is not as it should be, and not mended yet."""
    room_strangers: int = 0
    """Accounts that are in rooms of ours where they may not be, people who left among them."""
    devices_in_doubt: int = 0
    """Devices and keys of people, peers or ourselves that get nothing from us until people have looked."""
    rate_limited: int = 0
    """Answers 429 of our homeserver since start."""
    clock_skew_seconds: float | None = None
    """Our clock minus the homeserver's."""
    backup_age_seconds: float | None = None
    """Since the last finished backup."""
    manifest_days_left: float | None = None
    """Until the first of our own and our peers' manifests expires."""
    told_again: int = 0
    """How often a person was asked again for what she had told once (R23), in the last 90 days."""
    emergencies: int = 0
    """Withheld fields opened by an emergency (R76), in the last 90 days."""
    emergencies_unreviewed: int = 0
    """Emergencies of ours that supervision did not look at in time."""
    legal_bases: Mapping[str, int] = field(default_factory=dict)
    """Legal bases recorded in place of a consent in the last 90 days, by code (R70)."""
    guard_seen: Mapping[str, int] = field(default_factory=dict)
    """What the language guard saw, by class."""
    role: str = "alone"
    """`leader` or `standby` of two servers, or `alone`."""
    loop_lag_seconds: float = 0.0
    """Longest recent stall of the event loop."""


FactsProvider = Callable[[], Awaitable[Facts]]
