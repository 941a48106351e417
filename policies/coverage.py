"""Which steps of the routes somebody linked can take, territory by territory; and where one community organisation speaks alone (R104, R108).

Counted from what institutions say of themselves: their kind and their territory. Whom they serve nobody states, so it is not counted here. A kind
that only works nationally counts everywhere. No case and no person enters: routes are asked without any fact but the need.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from policies.packs import Pack
from policies.places import plain
from policies.routing import RouteFacts

COMMUNITY = "community_organisation"


@dataclass(frozen=True, kw_only=True)
class Seat:
    """One institution as the list or its manifest names it. `linked`: a referral can reach it."""

    institution: str
    kind: str
    territory: str
    linked: bool


@dataclass(frozen=True, kw_only=True)
class Uncovered:
    """A need and the kinds on its route with which nobody here is linked; `wholly` when no step of it is left."""

    need: str
    missing: tuple[str, ...]
    wholly: bool


@dataclass(frozen=True, kw_only=True)
class Territory:
    """One territory as it was written first; '' where none was given."""

    name: str
    seats: tuple[Seat, ...]
    needs: tuple[Uncovered, ...]
    community: tuple[str, ...]

    @property
    def one_voice(self) -> str:
        """The community organisation that is the only one here: whoever it does not know has no seat."""
        return self.community[0] if len(self.community) == 1 else ""


def coverage(seats: Iterable[Seat], pack: Pack) -> tuple[Territory, ...]:
    """Every territory that some seat names, by name."""
    every = sorted(seats, key=lambda seat: (seat.kind, seat.institution))
    names: dict[str, str] = {}
    for seat in every:
        names.setdefault(plain(seat.territory), seat.territory)
    return tuple(_territory(names[key], [s for s in every if plain(s.territory) == key or _everywhere(s, pack)], pack) for key in sorted(names))


def _everywhere(seat: Seat, pack: Pack) -> bool:
    kind = pack.vocabulary.kinds.get(seat.kind)
    return kind is not None and kind.levels == ("national",)


def _territory(name: str, seats: list[Seat], pack: Pack) -> Territory:
    linked = {seat.kind for seat in seats if seat.linked}
    needs = []
    for need in pack.vocabulary.needs:
        steps = pack.route(RouteFacts(need=need)).kinds
        missing = tuple(kind for kind in steps if kind not in linked)
        if missing:
            needs.append(Uncovered(need=need, missing=missing, wholly=len(missing) == len(steps)))
    community = tuple(seat.institution for seat in seats if seat.kind == COMMUNITY)
    return Territory(name=name, seats=tuple(seats), needs=tuple(needs), community=community)
