"""Where values of hers may be read, and which: one table for every place that shows them (R1-R4, R74; idea 15).

A surface is not a right: whoever reads it must have that first (a protocol's decision, an assignment). It is a second, narrower gate, the same
for everybody: what stands in a room that many open shows the name she chose and what the work needs now; everything else only where one
person looks, for some minutes.
"""

from __future__ import annotations

from enum import Enum

from policies.decision import Outcome
from policies.protocol import OFFER_FIELDS
from policies.vocabulary import Vocabulary


class Surface(Enum):
    """A kind of place where people read."""

    DESK = "desk"
    """Cards, prompts and lists in the room of an institution's staff."""
    ROOM = "room"
    """The card of a coordination room, read by several institutions: what every one of them may see, and it survives on their devices."""
    PREVIEW = "preview"
    """What would leave, read before it is confirmed: identifiers are named there, not shown."""
    OFFER = "offer"
    """What travels before anybody accepted."""
    DIRECT = "direct"
    """One person's own chat with the hub, redacted after minutes, every reading logged."""


DESK_FIELDS = frozenset({"social_name", "pronouns", "safe_contact", "risk_level", "needs", "account_source"})
"""The name to call her by, how to reach her safely, how much haste, what for, and that she told it already."""
ROOM_FIELDS = frozenset({"social_name", "pronouns", "safe_contact", "risk_level"})
"""Sensitive fields that stand on the card of several institutions all the same: whoever meets her must know them."""
NEVER_BUT_DIRECT = frozenset({"legal_name", "document_number", "phone", "email", "address", "occupation", "account", "notes"})
"""Whatever the vocabulary of a pack says about them."""


def may_show(surface: Surface, field: str, vocabulary: Vocabulary, outcome: Outcome = Outcome.RELEASE) -> bool:
    """Whether a value of this field may be read there. Presence never is a value; a field nobody knows is shown nowhere."""
    known = vocabulary.fields.get(field)
    if known is None or outcome in (Outcome.WITHHOLD, Outcome.PRESENCE):
        return False
    if surface is Surface.DIRECT:
        return True
    if surface is Surface.OFFER:
        return field in OFFER_FIELDS
    if surface is Surface.DESK:
        return field in DESK_FIELDS
    if surface is Surface.ROOM:
        return field not in NEVER_BUT_DIRECT and (field in ROOM_FIELDS or known.sensitivity in ("low", "medium"))
    if outcome is Outcome.GENERALISE:  # its outline is what the reader is to judge
        return True
    chosen = field in ("social_name", "safe_contact")
    return field not in NEVER_BUT_DIRECT and (chosen or not known.person_identifying) and known.sensitivity != "critical"
