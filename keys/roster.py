"""Who of an institution takes part in one coordination room, stated under its hub signing key (design §3, keys.md 5).

Other hubs give room keys to a person of another institution only as far as such a statement of *her own* hub names her and the master key that
was pinned there, and only in the room that it names. It is believed for its signature under the accepted manifest, never for how it came: who
owns the room carries the rosters of the others and cannot write one. No members: nobody of ours is there any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keys import strictjson
from keys.codec import aware, check_id, time_text, time_value
from keys.errors import BadSignature, KeysError, Malformed, RosterRefused
from keys.manifest import CLOCK_SLACK, Manifest
from keys.primitives import SigningKey
from keys.profile import MATRIX_KEY_PATTERN, USER_PATTERN
from keys.statement import Statement, sign, verify

KIND: Final = "roster"
MAX_BYTES: Final = 16 * 1024
MAX_MEMBERS: Final = 40
ROOM_PATTERN: Final = re.compile(r"coo_[0-9a-f]{24}")
ROLE_PATTERN: Final = re.compile(r"[a-z][a-z_]{0,30}")


@dataclass(frozen=True, kw_only=True)
class Member:
    """One person: her Matrix account, the cross-signing master key that her own hub pinned, what she is there, since when she takes part."""

    user: str
    master: str
    role: str
    since: datetime

    def __post_init__(self) -> None:
        check_id(self.user, "Matrix user id", USER_PATTERN)
        check_id(self.master, "master key", MATRIX_KEY_PATTERN)
        check_id(self.role, "role", ROLE_PATTERN)


@dataclass(frozen=True, kw_only=True)
class Roster:
    """All people of one institution in one room, and no other."""

    institution: str
    room: str
    number: int
    """Strictly growing, also over a restore: the time of issue in milliseconds, as in a device statement."""
    issued: datetime
    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        check_id(self.institution, "institution id")
        check_id(self.room, "coordination room id", ROOM_PATTERN)
        if type(self.number) is not int or not 0 < self.number < 2**53:
            raise Malformed("the number of a roster is a whole number from 1")
        users, masters = {one.user for one in self.members}, {one.master for one in self.members}
        if len(self.members) > MAX_MEMBERS or len(users) != len(self.members) or len(masters) != len(self.members):
            raise Malformed(f"a roster lists at most {MAX_MEMBERS} people, each account and key once")


def sign_roster(roster: Roster, signer: SigningKey) -> bytes:
    """The signed statement."""
    members = [{"user": m.user, "master": m.master, "role": m.role, "since": time_text(m.since)} for m in roster.members]
    payload = {
        "institution": roster.institution, "room": roster.room, "number": roster.number, "issued": time_text(roster.issued), "members": members,
    }  # fmt: skip
    return sign(KIND, strictjson.dumps(payload), signer).to_bytes()


def read_roster(data: bytes) -> Roster:
    """What a statement says that nobody has verified: names to expect, never keys to believe. Raises `Malformed`."""
    return _parse(Statement.from_bytes(data, max_bytes=2 * MAX_BYTES).payload)


def verify_roster(data: bytes, manifest: Manifest) -> Roster:
    """The roster, once a hub signing key of `manifest` signed it about its own institution. Raises `Malformed`, `BadSignature`, `RosterRefused`."""
    roster = _parse(verify(KIND, Statement.from_bytes(data, max_bytes=2 * MAX_BYTES), manifest.profile.hub_signing))
    if roster.institution != manifest.institution:
        raise RosterRefused("the roster speaks of another institution", code="roster.other")
    return roster


def kept_roster(kept: bytes, manifest: Manifest) -> Roster | None:
    """The roster that is kept, as long as it still holds under the manifest that is accepted now."""
    try:
        return verify_roster(kept, manifest) if kept else None
    except KeysError:
        return None


def accept_roster(last: int, candidate: bytes, manifest: Manifest, room: str, now: datetime) -> Roster:
    """The roster of `candidate`, once it may replace the one with the number `last`.

    Raises `RosterRefused` whose `code` names the check: (1) well-formed (2) signed by a hub signing key of `manifest` (3) about that institution
    and this very room (4) not dated in the future (5) a higher number than the last.
    """
    try:
        found = verify_roster(candidate, manifest)  # (1) (2)
    except BadSignature:
        raise RosterRefused("the roster is not signed by this institution's hub", code="roster.signature") from None
    except RosterRefused:
        raise
    except KeysError as error:
        raise RosterRefused(f"the roster cannot be read: {error}", code="roster.malformed") from error
    if found.room != room:  # (3)
        raise RosterRefused("the roster speaks of another room", code="roster.other")
    latest = aware(now) + CLOCK_SLACK
    if found.issued > latest or found.number > int(latest.timestamp() * 1000) + 1:  # (4)
        raise RosterRefused("the roster is dated in the future; check both clocks", code="roster.future")
    if found.number <= last:  # (5)
        raise RosterRefused("the roster is older than the one we hold", code="roster.old")
    return found


def _parse(payload: bytes) -> Roster:
    found: Any = strictjson.loads(payload, max_bytes=MAX_BYTES, max_depth=4)
    try:
        return Roster(
            institution=found["institution"], room=found["room"], number=found["number"], issued=time_value(found["issued"], "time"),
            members=tuple(
                Member(user=one["user"], master=one["master"], role=one["role"], since=time_value(one["since"], "time")) for one in found["members"]
            ),
        )  # fmt: skip
    except (KeyError, TypeError):
        raise Malformed("the roster lacks a field or has one of a wrong type") from None
