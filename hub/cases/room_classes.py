"""The classes of rooms as declared state: what a room of each purpose must be like, and who may be in it (`design.md` §3). Pure.

One table. Whatever makes, compares, repairs or shows a room reads it here; a new class is a new row. The homeserver can change any of
this at will: the table says what we hold it against, and what we do when it differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Purpose = Literal["link", "desk", "direct", "coordination", "admin"]
MEGOLM = "m.megolm.v1.aes-sha2"
HUB = "hub"
"""The role of an account that is an institution's hub, beside the roles of its staff."""
STAFF = frozenset({"caseworker", "supervisor", "administrator"})


@dataclass(frozen=True, kw_only=True)
class Member:
    """Somebody who may be in a room: which institution vouches for the account, and as what."""

    user: str
    institution: str
    role: str
    """One of `STAFF`, or `HUB`."""


@dataclass(frozen=True, kw_only=True)
class MembersRule:
    """Who may be in rooms of a class, besides the hub that keeps them."""

    institutions: Literal["own", "peer", "parties"]
    """Ours alone; one confirmed peer alone; every institution that takes part in the room."""
    roles: frozenset[str]
    most: int | None = None
    """Never more than so many."""

    def admits(self, member: Member, own: str, parties: frozenset[str] = frozenset()) -> bool:
        """Whether this member may be in such a room of institution `own`; `parties`: the institutions that take part. Doubt means no."""
        home = {"own": member.institution == own, "peer": member.institution != own, "parties": member.institution in parties}
        return member.role in self.roles and home[self.institutions]


@dataclass(frozen=True, kw_only=True)
class Encryption:
    """How a room is encrypted. There is no class without."""

    algorithm: str = MEGOLM
    rotation_ms: int = 86_400_000
    rotation_messages: int = 100


@dataclass(frozen=True, kw_only=True)
class Power:
    """What each act needs. Creators stand above every level in version 12 and are never listed; nobody else has more than `everybody`."""

    everybody: int = 0
    govern: int = 100
    """Invite, kick, ban, redact, and every state."""
    speak: int = 0
    events: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Event types with a level of their own."""


@dataclass(frozen=True, kw_only=True)
class RoomClass:
    """What every room of one purpose must be like."""

    purpose: Purpose
    members: MembersRule
    mend: Literal["repair", "replace"]
    """Whether a room that drifted is brought back, or never believed again and made anew."""
    name: str = ""
    """The one name that such a room has: neutral, for it is clear text to every homeserver and to whoever looks over her shoulder (R30).
    Empty: it has none. No class has a topic, an avatar, an alias or a space, and none but coordination rooms a pinned event: who does what,
    by its event id alone (R49)."""
    encryption: Encryption = Encryption()
    history: str = "joined"
    join_rule: str = "invite"
    guest_access: str = "forbidden"
    power: Power = Power(events=MappingProxyType({"m.room.encrypted": 0, "org.tinkuy.envelope.v1": 100, "m.room.encryption": 100}))
    version: str = "12"
    """No state resets of the 2025 kind, and creators whose power nobody can take (X29)."""
    creators: Literal["hub", "both"] = "hub"
    """Who stands above the power levels: the hub that made the room, or every hub in it."""
    verified_hub: bool = True
    """The hub's device there must be served with its cross-signing chain: else strict clients neither read it nor are read by it."""


_OWN_STAFF = MembersRule(institutions="own", roles=STAFF)
ROOM_CLASSES: Mapping[str, RoomClass] = MappingProxyType(
    {
        one.purpose: one
        for one in (
            RoomClass(
                purpose="link", members=MembersRule(institutions="peer", roles=frozenset({HUB}), most=1), mend="replace", creators="both"
            ),
            RoomClass(purpose="desk", name="Tinkuy", members=_OWN_STAFF, mend="repair"),
            RoomClass(purpose="direct", name="Tinkuy · directo", members=MembersRule(institutions="own", roles=STAFF, most=1), mend="repair"),
            RoomClass(
                purpose="coordination", name="Tinkuy · coordinación", members=MembersRule(institutions="parties", roles=STAFF | {HUB}), mend="repair"
            ),
            RoomClass(
                purpose="admin",
                name="Tinkuy · administración",
                members=MembersRule(institutions="own", roles=frozenset({"administrator"})),
                mend="repair",
            ),
        )
    }
)
"""By purpose."""
