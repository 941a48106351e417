"""The network list: which institutions sit at a coordination table, as a public signed file (design.md 4, ADR 0025).

A list is believed as a manifest is: a first one because people compared a short code aloud, a later one because it is the very next
version and enough *stewards of the version before* signed it. A steward is an institution, and it has signed when its own root
threshold did, so that no single thief of a key speaks for it. Where the list says so, one of the signing stewards holds a
community seat (R105): then no state of affairs among authorities alone changes who belongs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from keys import strictjson
from keys.codec import KIND_PATTERN, aware, b64, check_id, time_text, time_value, unb64
from keys.errors import BadSignature, KeysError, Malformed, NetworkRefused
from keys.manifest import CLOCK_SLACK, WARNING_DAYS
from keys.primitives import SigningKey, VerifyKey, join, sha256
from keys.profile import USER_PATTERN, Profile
from keys.statement import MAX_BYTES, Statement, sign, verify

KIND: Final = "network-list"
MAX_LIFE: Final = timedelta(days=400)
MAX_MEMBERS: Final = 100
MAX_STEWARDS: Final = 9
SERVER_PATTERN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(?::\d{1,5})?|\[[0-9a-fA-F:.]{2,45}\](?::\d{1,5})?")
_HEX: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Member:
    """One institution of the table. One without a hub (R111: without legal form, or a computer) belongs all the same: its last three are empty."""

    institution: str
    kind: str
    display_name: str
    territory: str
    server: str = ""
    """The Matrix server name of its hub's account."""
    matrix_user: str = ""
    roots: str = ""
    """`roots_digest` of its manifest: the same through every turn of its hub's keys, another one when its roots change."""

    def __post_init__(self) -> None:
        check_id(self.institution, "institution id")
        check_id(self.kind, "institution kind", KIND_PATTERN)
        _check_text(self.display_name, 1, 120, "display name")
        _check_text(self.territory, 0, 60, "territory")
        if not self.server and not self.matrix_user and not self.roots:
            return
        check_id(self.server, "Matrix server name", SERVER_PATTERN)
        check_id(self.matrix_user, "Matrix user id", USER_PATTERN)
        check_id(self.roots, "roots digest", _HEX)
        if self.matrix_user.partition(":")[2] != self.server:
            raise Malformed("a member's hub has its account on the server that the list names")


@dataclass(frozen=True, kw_only=True)
class Steward:
    """A member that answers for the list: it has signed when `threshold` of its roots have."""

    institution: str
    roots: tuple[VerifyKey, ...]
    threshold: int
    community: bool = False

    def __post_init__(self) -> None:
        check_id(self.institution, "steward")
        if not 1 <= len(set(self.roots)) == len(self.roots) <= 9 or not _whole(self.threshold) or self.threshold > len(self.roots):
            raise Malformed("a steward has 1 to 9 root keys, each once, and a threshold within them")


@dataclass(frozen=True, kw_only=True)
class Roll:
    """What a network list states, before anybody signed it. Times are aware and count in whole seconds."""

    table: str
    name: str
    version: int
    issued: datetime
    expires: datetime
    previous: bytes | None
    """`NetworkList.digest` of the version before; None exactly for version 1."""
    members: tuple[Member, ...]
    stewards: tuple[Steward, ...]
    threshold: int
    """How many stewards must sign the next version (and this one)."""
    community_signs: bool = False
    """Whether one of them must hold a community seat."""

    def __post_init__(self) -> None:
        check_id(self.table, "table id")
        _check_text(self.name, 1, 120, "table name")
        _check_numbers(self)
        _check_people(self)

    def member(self, institution: str) -> Member | None:
        """The member of that id."""
        return next((each for each in self.members if each.institution == institution), None)

    def to_payload(self) -> bytes:
        """The bytes to sign, members and stewards in order of their ids."""
        return strictjson.dumps(
            {
                "table": self.table,
                "name": self.name,
                "version": self.version,
                "issued": time_text(self.issued),
                "expires": time_text(self.expires),
                "previous": None if self.previous is None else self.previous.hex(),
                "members": [vars(each) for each in sorted(self.members, key=lambda each: each.institution)],
                "stewards": [
                    {"institution": s.institution, "roots": [b64(key.raw) for key in s.roots], "threshold": s.threshold, "community": s.community}
                    for s in sorted(self.stewards, key=lambda each: each.institution)
                ],
                "threshold": self.threshold,
                "community_signs": self.community_signs,
            }
        )


@dataclass(frozen=True, kw_only=True)
class NetworkList:
    """A list that enough of its own stewards signed. Whether it is *this table's* only `accept` or people can say."""

    roll: Roll
    raw: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    @classmethod
    def from_bytes(cls, data: bytes) -> NetworkList:
        """Parse strictly and check the list's own stewards' signatures. Raises `Malformed`, `BadSignature`."""
        return _read(bytes(data))

    @property
    def table(self) -> str:
        return self.roll.table

    @property
    def version(self) -> int:
        return self.roll.version

    def expired(self, now: datetime) -> bool:
        """True: no new institution is let in on its word. Who is linked stays linked."""
        return aware(now) >= self.roll.expires

    def warning(self, now: datetime) -> int | None:
        """The narrowest step reached, in days: 30, 14, 7, or 0 once expired; None while all is well."""
        if self.expired(now):
            return 0
        left = self.roll.expires - aware(now)
        return min((days for days in WARNING_DAYS if left <= timedelta(days=days)), default=None)


def roots_digest(profile: Profile) -> str:
    """64 hex digits over a manifest's roots and their threshold."""
    return sha256(b"TINKUY-v1 roots", join(str(profile.threshold).encode(), *sorted(key.raw for key in profile.roots))).hex()


def payload_digest(payload: bytes) -> bytes:
    """SHA-256, domain separated, over what was signed."""
    return sha256(b"TINKUY-v1 network list digest", payload)


def parse_roll(payload: bytes) -> Roll:
    """Parse the payload. Unknown keys are tolerated: they are signed, public, and a newer hub may need them."""
    found = strictjson.loads(payload, max_bytes=MAX_BYTES, max_depth=6)
    try:
        return _roll_from(found)
    except (KeyError, TypeError, AttributeError):
        raise Malformed("the network list lacks a field or has one of a wrong type") from None


def make_list(roll: Roll, roots: Sequence[SigningKey]) -> bytes:
    """The signed file. Raises `BadSignature` when `roots` do not reach the list's own threshold."""
    statement = sign(KIND, roll.to_payload(), *roots)
    check_signed(statement, roll)
    return statement.to_bytes()


def signed_by(statement: Statement, roll: Roll) -> tuple[str, ...]:
    """The stewards of `roll` whose own thresholds of signatures hold on `statement`."""
    return tuple(steward.institution for steward in roll.stewards if _has_signed(statement, steward))


def check_signed(statement: Statement, roll: Roll) -> None:
    """Raises `BadSignature` unless enough stewards of `roll` signed, one with a community seat among them where the roll says so."""
    names = signed_by(statement, roll)
    seats = {steward.institution for steward in roll.stewards if steward.community}
    if len(names) < roll.threshold or (roll.community_signs and not seats.intersection(names)):
        raise BadSignature(f"{len(names)} of {roll.threshold} stewards signed this list, or no community seat did")


def accept(previous: NetworkList | None, candidate: bytes, now: datetime) -> NetworkList:
    """The list of `candidate`, once it may replace `previous` (None: first one, people compare the code next).

    Raises `NetworkRefused` whose `code` names the check: (1) well-formed (2) signed by its own stewards (3) the same table (4) exactly
    the next version; the same bytes again are fine (5) the hash of the previous (6) signed by the previous stewards (7) issued in
    the past (8) not expired.
    """
    try:
        found = NetworkList.from_bytes(candidate)  # (1) (2)
    except BadSignature:
        raise NetworkRefused("the list is not signed by enough of its own stewards", code="network.signature") from None
    except KeysError as error:
        raise NetworkRefused(f"the list cannot be read: {error}", code="network.malformed") from error
    if found.roll.issued > aware(now) + CLOCK_SLACK:  # (7)
        raise NetworkRefused("the list is dated in the future; check both clocks", code="network.future")
    if previous is not None and found.digest == previous.digest:
        return previous
    if previous is not None:
        _check_follows(previous, found)
    if found.expired(now):  # (8)
        raise NetworkRefused("the list has expired; ask the table for its current one", code="network.expired")
    return found


def gatekeepers(roll: Roll) -> tuple[str, ...]:
    """Stewards without whom nothing changes, or who alone change everything: a table that means to have no gatekeeper has none of these (R105)."""

    def enough(present: list[Steward]) -> bool:
        return len(present) >= roll.threshold and (not roll.community_signs or any(s.community for s in present))

    alone = [s.institution for s in roll.stewards if enough([s])]
    needed = [s.institution for s in roll.stewards if not enough([other for other in roll.stewards if other is not s])]
    return tuple(sorted({*alone, *needed}))


@lru_cache(maxsize=64)
def _read(data: bytes) -> NetworkList:
    statement = Statement.from_bytes(data, max_bytes=MAX_BYTES)
    roll = parse_roll(statement.payload)
    check_signed(statement, roll)
    return NetworkList(roll=roll, raw=data, digest=payload_digest(statement.payload))


def _has_signed(statement: Statement, steward: Steward) -> bool:
    try:
        verify(KIND, statement, steward.roots, threshold=steward.threshold)
    except BadSignature:
        return False
    return True


def _check_follows(previous: NetworkList, found: NetworkList) -> None:
    if found.table != previous.table:  # (3)
        raise NetworkRefused("the list belongs to another table", code="network.other")
    if found.version < previous.version:  # (4)
        raise NetworkRefused("the list is older than the one we hold", code="network.rollback")
    if found.version == previous.version:
        raise NetworkRefused("there are two lists of one version; call the table's stewards", code="network.equivocation")
    if found.version != previous.version + 1:
        raise NetworkRefused("a version in between is missing; ask for it", code="network.gap")
    if found.roll.previous != previous.digest:  # (5)
        raise NetworkRefused("the list does not continue the one we hold", code="network.fork")
    try:
        check_signed(Statement.from_bytes(found.raw), previous.roll)  # (6)
    except BadSignature:
        raise NetworkRefused("the stewards we know did not sign the list", code="network.stewards") from None


def _roll_from(found: Any) -> Roll:
    previous = found["previous"]
    names = ("institution", "kind", "display_name", "territory", "server", "matrix_user", "roots")
    if not isinstance(found["members"], list) or not isinstance(found["stewards"], list):
        raise Malformed("members and stewards are lists")
    return Roll(
        table=found["table"],
        name=found["name"],
        version=found["version"],
        issued=time_value(found["issued"], "issue date"),
        expires=time_value(found["expires"], "expiry date"),
        previous=None if previous is None else bytes.fromhex(check_id(previous, "previous hash", _HEX)),
        members=tuple(Member(**{name: each[name] for name in names}) for each in found["members"]),
        stewards=tuple(_steward(each) for each in found["stewards"]),
        threshold=found["threshold"],
        community_signs=_truth(found["community_signs"]),
    )


def _steward(found: Any) -> Steward:
    roots = tuple(VerifyKey(unb64(each, "root key", size=32)) for each in found["roots"])
    return Steward(institution=found["institution"], roots=roots, threshold=found["threshold"], community=_truth(found["community"]))


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Malformed("a seat is true or false")
    return value


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < 2**31


def _check_text(value: Any, least: int, most: int, what: str) -> None:
    if not isinstance(value, str) or not least <= len(value) <= most or not (value.isprintable() or not value):
        raise Malformed(f"the {what} has {least} to {most} printable characters", code="network.text")


def _check_numbers(roll: Roll) -> None:
    if not _whole(roll.version) or not _whole(roll.threshold):
        raise Malformed("version and threshold are whole numbers from 1")
    if (roll.previous is None) != (roll.version == 1):
        raise Malformed("exactly version 1 has no previous list")
    if not timedelta(0) < aware(roll.expires) - aware(roll.issued) <= MAX_LIFE:
        raise Malformed(f"a network list lives from its issue date at most {MAX_LIFE.days} days", code="network.life")


def _check_people(roll: Roll) -> None:
    names, answering = [m.institution for m in roll.members], [s.institution for s in roll.stewards]
    users = [m.matrix_user for m in roll.members if m.matrix_user]
    if not 1 <= len(set(names)) == len(names) <= MAX_MEMBERS or len(set(users)) != len(users):
        raise Malformed(f"a network list names 1 to {MAX_MEMBERS} members, each once, each with an account of its own", code="network.people")
    if not 1 <= len(set(answering)) == len(answering) <= MAX_STEWARDS or not set(answering) <= set(names):
        raise Malformed(f"a network list has 1 to {MAX_STEWARDS} stewards, each once, all of them members", code="network.people")
    if roll.threshold > len(answering):
        raise Malformed("the threshold is higher than the number of stewards", code="network.threshold")
    if roll.community_signs and not any(s.community for s in roll.stewards):
        raise Malformed("the list asks for a community seat's signature and seats none", code="network.no_seat")
