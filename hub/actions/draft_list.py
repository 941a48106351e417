"""A network list to be signed: the first of a table, or the next with somebody more, somebody less, somebody anew. Nothing is in force by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.actions.network import held_list
from hub.actions.ports import Unit
from hub.base.errors import Refused
from keys.drafts import LIFE, draft_list, next_roll
from keys.errors import KeysError
from keys.manifest import Manifest
from keys.network import Member, NetworkList, Roll, Steward, roots_digest

COMMUNITY = "community_organisation"


@dataclass(frozen=True, kw_only=True)
class Outside:
    """An institution without a hub, as people name it (R111)."""

    kind: str
    name: str
    territory: str = ""


@dataclass(frozen=True, kw_only=True)
class Founding:
    """What people decide about a new table."""

    table: str
    name: str
    members: tuple[str, ...]
    stewards: tuple[str, ...]
    threshold: int
    community_signs: bool


def found_table(unit: Unit, wanted: Founding) -> bytes:
    """The first version, to be signed: members and stewards are linked institutions, or we. Raises Refused `network_exists`, `network_draft`."""
    if held_list(unit, wanted.table):
        raise Refused("network_exists", table=wanted.table)
    now = unit.now.replace(microsecond=0)
    names = sorted({*wanted.members, *wanted.stewards})
    return _drafted(
        lambda: Roll(
            table=wanted.table, name=wanted.name, version=1, issued=now, expires=now + LIFE, previous=None,
            members=tuple(_member(unit, name) for name in names), stewards=tuple(_steward(unit, name) for name in wanted.stewards),
            threshold=wanted.threshold, community_signs=wanted.community_signs,
        )
    )  # fmt: skip


def with_member(unit: Unit, table: str, institution: str, outside: Outside | None = None, *, steward: bool = False) -> bytes:
    """The next version with this institution, or with what its manifest says now if it is there already. Raises Refused."""
    held = _held(unit, table)
    member = _member(unit, institution) if outside is None else _without_hub(institution, outside)
    others = [each for each in held.roll.members if each.institution != institution]
    answers = steward or any(each.institution == institution for each in held.roll.stewards)
    stewards = [each for each in held.roll.stewards if each.institution != institution] + ([_steward(unit, institution)] if answers else [])
    return _drafted(lambda: next_roll(held, unit.now, members=(*others, member), stewards=tuple(stewards)))


def without_member(unit: Unit, table: str, institution: str) -> bytes:
    """The next version without it. Its stewardship ends with it; the threshold stays. Raises Refused `not_on_list`, `network_draft`."""
    held = _held(unit, table)
    if held.roll.member(institution) is None:
        raise Refused("not_on_list", institution=institution[:60], table=table)
    members = tuple(each for each in held.roll.members if each.institution != institution)
    stewards = tuple(each for each in held.roll.stewards if each.institution != institution)
    return _drafted(lambda: next_roll(held, unit.now, members=members, stewards=stewards))


def renewed(unit: Unit, table: str, *, threshold: int | None = None, community_signs: bool | None = None) -> bytes:
    """The next version with the same members and another year; on demand with another rule of signing. Raises Refused."""
    held = _held(unit, table)
    least = held.roll.threshold if threshold is None else threshold
    seat = held.roll.community_signs if community_signs is None else community_signs
    return _drafted(lambda: next_roll(held, unit.now, community_signs=seat, threshold=least))


def _held(unit: Unit, table: str) -> NetworkList:
    held = held_list(unit, table)
    if held is None:
        raise Refused("no_network_list", table=table[:60])
    return held


def _drafted(make: Callable[[], Roll]) -> bytes:
    try:
        return draft_list(make())
    except KeysError as error:
        raise Refused("network_draft", why=error.code if error.code.startswith("network.") else "network.text") from None


def _without_hub(institution: str, outside: Outside) -> Member:
    try:
        return Member(institution=institution, kind=outside.kind, display_name=outside.name, territory=outside.territory)
    except KeysError:
        raise Refused("network_draft", why="network.text") from None


def _member(unit: Unit, institution: str) -> Member:
    profile, territory = _manifest(unit, institution).profile, _territory(unit, institution)
    return Member(
        institution=institution, kind=profile.kind, display_name=profile.display_name, territory=territory,
        server=profile.matrix_user.partition(":")[2], matrix_user=profile.matrix_user, roots=roots_digest(profile),
    )  # fmt: skip


def _steward(unit: Unit, institution: str) -> Steward:
    profile = _manifest(unit, institution).profile
    return Steward(institution=institution, roots=profile.roots, threshold=profile.threshold, community=profile.kind == COMMUNITY)


def _manifest(unit: Unit, institution: str) -> Manifest:
    """Ours, or that of a linked institution: whose code nobody compared cannot be vouched for. Raises Refused `not_paired`."""
    if institution == unit.me.id:
        return unit.hand.manifest
    peer = unit.peers.get(institution)
    if peer is None or peer.confirmed_at is None:
        raise Refused("not_paired", institution=institution[:60])
    return Manifest.from_bytes(peer.manifest)


def _territory(unit: Unit, institution: str) -> str:
    if institution == unit.me.id:
        return unit.me.territory
    peer = unit.peers.get(institution)
    return str(peer.profile.get("territory", "")) if peer else ""
