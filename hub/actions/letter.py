"""A letter: what an intent really says, and why there may be none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hub.base.errors import TinkuyError
from hub.exchange import wire


class Dropped(TinkuyError):
    """The intent no longer holds: consent withdrawn, referral ended, conflict of interest. Nothing is sent."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What will be said: the body, whose key keeps its signed form until acknowledged, and the names for the ledger."""

    body: wire.Body
    owner: str = "hub"
    their_key: bytes = b""
    subject: str = ""
    ledger: dict[str, Any] = field(default_factory=dict)
