"""Who could take her, as the pack's routing rules order it (R38, R53, R61-R69): the linked institutions, and the steps that a telephone reaches.

A proposal and nothing more: what may leave is decided by protocol and consent, when she has chosen. An institution that a conflict of interest
excludes is not proposed, and nothing here lets anybody guess that it was there: its kind is not among the steps by telephone either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hub.actions.common import values_of
from hub.actions.decide import candidates, facts_of, is_excluded, peer_kind
from hub.actions.ports import Unit
from hub.cases.records import Case
from policies.routing import Route, RouteFacts


@dataclass(frozen=True, kw_only=True)
class ByPhone:
    """A competent kind with which nobody is linked: by when it should answer, and the number that is always there, if there is one."""

    kind: str
    within: timedelta | None
    number: str


@dataclass(frozen=True, kw_only=True)
class Suggested:
    """One need: the linked institutions by id, best first, and the steps by telephone."""

    need: str
    linked: tuple[str, ...]
    by_phone: tuple[ByPhone, ...]


def proposable(unit: Unit, case: Case) -> list[str]:
    """The needs that may be proposed to somebody who named none: what is only for a situation class, once that is recorded (R35)."""
    situation = values_of(unit, case.id).get("situation_class")
    return [code for code, need in unit.pack.vocabulary.needs.items() if not need.only_in or situation in need.only_in]


def suggest_route(unit: Unit, case: Case, need: str) -> Suggested:
    """The route of this case for this need, as far as anybody may be proposed."""
    facts, values = facts_of(unit, values_of(unit, case.id), need), values_of(unit, case.id)
    route = unit.pack.route(
        RouteFacts(
            need=need, affiliations=facts.aggressor_affiliation, risk=facts.risk, urgency=facts.urgency, age_band=facts.age_band,
            situation=values.get("situation_class"),
        )
    )  # fmt: skip
    kinds = {peer: peer_kind(unit, peer) for peer in candidates(unit, case, need)}
    place = {kind: at for at, kind in enumerate(route.kinds)}
    linked = sorted((peer for peer, kind in kinds.items() if kind in place), key=lambda peer: (place[kinds[peer]], peer))
    silent = {*kinds.values(), unit.me.kind, *_excluded(unit, case)}
    return Suggested(need=need, linked=tuple(linked), by_phone=tuple(_by_phone(route, silent)))


def _excluded(unit: Unit, case: Case) -> set[str]:
    """The kinds of linked institutions that are kept out by name: «call another shelter» would tell that this one is not asked."""
    return {peer_kind(unit, peer.id) for peer in unit.peers.all(state="confirmed") if is_excluded(unit, case, peer.id)}


def _by_phone(route: Route, silent: set[str]) -> list[ByPhone]:
    numbers = {item.kind: item.number for item in route.emergency}
    return [ByPhone(kind=step.kind, within=step.within, number=numbers.get(step.kind, "")) for step in route.steps if step.kind not in silent]
