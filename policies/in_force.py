"""Which version of a protocol counts on a day, and between whom (ADR 0022).

Between two institutions the newest version counts that both have signed and whose date has come; where they have signed none, the shipped
one, unless only signed ones count. An ended newest version is not replaced by an older one: then nothing counts, and nothing leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from policies.engine import Compiled
from policies.protocol import Protocol


@dataclass(frozen=True, kw_only=True)
class SignedVersion:
    """A version that every one of `parties` has signed."""

    compiled: Compiled
    parties: frozenset[str]
    starts: date

    @property
    def protocol(self) -> Protocol:
        """What was signed."""
        return self.compiled.protocol


def counting(signed: Iterable[SignedVersion], today: date, peer: str | None = None) -> dict[str, SignedVersion]:
    """Protocol id → the newest signed version whose date has come; with `peer`, of those that it signed too."""
    found: dict[str, SignedVersion] = {}
    for each in sorted(signed, key=lambda one: one.protocol.version):
        if each.starts <= today and (peer is None or peer in each.parties):
            found[each.protocol.id] = each
    return found


def replaced_on(signed: Iterable[SignedVersion], protocol: str, version: int, peer: str) -> date | None:
    """The day on which a later version that `peer` signed took the place of this one; None while none has a date."""
    later = [s.starts for s in signed if s.protocol.id == protocol and s.protocol.version > version and peer in s.parties]
    return min(later, default=None)
