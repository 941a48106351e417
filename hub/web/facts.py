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
    rate_limited: int = 0
    """Answers 429 of our homeserver since start."""
    clock_skew_seconds: float | None = None
    """Our clock minus the homeserver's."""
    backup_age_seconds: float | None = None
    """Since the last finished backup."""
    manifest_days_left: float | None = None
    """Until the first of our own and our peers' manifests expires."""
    role: str = "alone"
    """`leader` or `standby` of two servers, or `alone`."""
    loop_lag_seconds: float = 0.0
    """Longest recent stall of the event loop."""


FactsProvider = Callable[[], Awaitable[Facts]]
