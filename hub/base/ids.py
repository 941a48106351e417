"""Names for the ids that travel through the hub, and the one place that makes new ones."""

from __future__ import annotations

import secrets
from typing import NewType

InstitutionId = NewType("InstitutionId", str)
"""Short public slug, for example `csmc-comas`: lower-case letters, digits and hyphens."""
CaseId = NewType("CaseId", str)
"""Internal id of a case at its own institution; never leaves it."""
ReferralId = NewType("ReferralId", str)
"""Id of a referral, shared by both sides; random, says nothing."""
DisclosureId = NewType("DisclosureId", str)
"""Id of one disclosure to one recipient: the owner of its key."""
ConsentId = NewType("ConsentId", str)
StaffId = NewType("StaffId", str)
"""Matrix user id of an enrolled person."""
RoomId = NewType("RoomId", str)
EventId = NewType("EventId", str)


def new_id(prefix: str) -> str:
    """A fresh random id: `prefix` + 96 random bits in hex. Ids carry no time and no meaning."""
    return f"{prefix}_{secrets.token_hex(12)}"
