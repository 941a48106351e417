"""The next version of a network list, from draft to signatures: stewards on several machines sign one file, one after another (ADR 0025).

As `keys.succession` does for manifests: a draft is a signed statement that may still lack signatures. Bytes in, bytes out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from keys.errors import NetworkRefused
from keys.network import KIND, NetworkList, Roll, parse_roll, signed_by
from keys.primitives import SigningKey
from keys.statement import MAX_BYTES, Statement, add_signature, join_signatures

LIFE: Final = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """What a draft still needs: `count` more stewards out of `of`; `seat`: a community seat must be among all that sign."""

    whose: str
    """`previous` or `own` stewards."""
    count: int
    of: tuple[str, ...]
    seat: bool


def next_roll(previous: NetworkList, now: datetime, **changes: Any) -> Roll:
    """What follows `previous`: the same but for `changes`, one version on, a year from now. Raises `Malformed`."""
    now = now.replace(microsecond=0)
    return replace(previous.roll, version=previous.version + 1, issued=now, expires=now + LIFE, previous=previous.digest, **changes)


def draft_list(roll: Roll) -> bytes:
    """The file that travels from steward to steward."""
    return Statement(payload=roll.to_payload(), signatures=()).to_bytes()


def read_list_draft(data: bytes) -> tuple[Statement, Roll]:
    """Parse a draft strictly; its signatures are not looked at. Raises `Malformed`."""
    statement = Statement.from_bytes(data, max_bytes=MAX_BYTES)
    return statement, parse_roll(statement.payload)


def sign_list(data: bytes, root: SigningKey) -> bytes:
    """The draft with one more signature. Also by a root that is not in it: one of the version before signs its own replacement."""
    statement, _ = read_list_draft(data)
    return add_signature(KIND, statement, root).to_bytes()


def joined_lists(drafts: Iterable[bytes]) -> bytes:
    """One file with the signatures of all. Raises `NetworkRefused` when they are not of one and the same list."""
    found = join_signatures([read_list_draft(data)[0] for data in drafts])
    if found is None:
        raise NetworkRefused("these files are not signatures over one and the same list", code="network.other_draft")
    return found.to_bytes()


def awaited(previous: NetworkList | None, statement: Statement) -> tuple[Awaited, ...]:
    """Who still has to sign: enough of the list's own stewards and, where there was one before, enough of the previous ones."""
    own = parse_roll(statement.payload)
    groups = [("own", own)] if previous is None or previous.roll.stewards == own.stewards else [("previous", previous.roll), ("own", own)]
    return tuple(each for each in (_lacking(whose, statement, roll) for whose, roll in groups) if each.count or each.seat)


def _lacking(whose: str, statement: Statement, roll: Roll) -> Awaited:
    names = signed_by(statement, roll)
    seats = {steward.institution for steward in roll.stewards if steward.community}
    others = tuple(steward.institution for steward in roll.stewards if steward.institution not in names)
    return Awaited(whose=whose, count=max(roll.threshold - len(names), 0), of=others, seat=roll.community_signs and not seats.intersection(names))
