"""The route: given what is known, which institution kinds are competent, in which order, how soon, and which rights to tell her.

Steps: (1) what the need is served by and what the pack's rules name, (2) without whoever a conflict of interest or a rule keeps out,
(3) the nearest level of government first. Conflict of interest stands in code and is taken from everything that was gathered, so that
no rule can bring an excluded kind back (R61-R63). A route proposes kinds, never a person nor an institution, and never says yes to
anything: what may leave is decided elsewhere, by protocol and consent.

A fact that is not known fulfils no condition. `situation` is only ever what somebody recorded with a reason; nothing here concludes one
class from another, nor from an occupation (R35).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from policies import conflict
from policies.routes import Emergency, Right, RouteRule, Routes
from policies.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class RouteFacts:
    """What is known. None means "not known"; so do no affiliations."""

    need: str
    level: str | None = None
    affiliations: frozenset[str] = frozenset()
    risk: str | None = None
    urgency: str | None = None
    situation: str | None = None
    age_band: str | None = None

    def values(self) -> Mapping[str, frozenset[str]]:
        """Each fact as the set of its values, by the names that rules use."""
        single = {"need": self.need, "level": self.level, "risk": self.risk, "urgency": self.urgency}
        single |= {"situation": self.situation, "age_band": self.age_band}
        known = {name: frozenset((value,)) for name, value in single.items() if value is not None}
        return known | {"affiliation": self.affiliations}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One competent kind: by when it should answer, under which laws, and the rules that put it here."""

    kind: str
    within: timedelta | None
    cite: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Route:
    """The answer. `excluded` are the kinds a conflict of interest keeps out; `rules` are those that spoke."""

    facts: RouteFacts
    steps: tuple[Step, ...]
    excluded: frozenset[str]
    rules: tuple[RouteRule, ...]
    rights: tuple[Right, ...]
    emergency: tuple[Emergency, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The competent kinds, best first."""
        return tuple(step.kind for step in self.steps)


def route(facts: RouteFacts, routes: Routes, words: Vocabulary) -> Route:
    """The route for these facts. Never raises; a need nobody knows has no steps."""
    out = conflict.excluded_kinds(facts.affiliations, words.bodies, words.kinds)
    speaking = tuple(rule for rule in routes.rules if _speaks(rule, facts.values()))
    need = words.needs.get(facts.need)
    kinds = _ordered(need.served_by, speaking, out, words) if need else ()
    if facts.level is not None:
        level = facts.level
        kinds = tuple(sorted(kinds, key=lambda kind: level not in words.kinds[kind].levels))
    return Route(
        facts=facts,
        steps=tuple(_step(kind, speaking) for kind in kinds),
        excluded=out,
        rules=speaking,
        rights=tuple(routes.rights[code] for code in dict.fromkeys(code for rule in speaking for code in rule.rights)),
        emergency=tuple(item for item in routes.emergency if item.kind not in out and not any(item.kind in r.never for r in speaking)),
    )


def _speaks(rule: RouteRule, known: Mapping[str, frozenset[str]]) -> bool:
    return all(not known.get(fact, frozenset()).isdisjoint(values) for fact, values in rule.when.items())


def _ordered(served_by: Iterable[str], speaking: tuple[RouteRule, ...], out: frozenset[str], words: Vocabulary) -> tuple[str, ...]:
    first, only, also, never = (tuple(kind for rule in speaking for kind in getattr(rule, part)) for part in ("first", "only", "also", "never"))
    # For a body that is kept out, those who can look into it come before the others who serve the need.
    competent = conflict.alternatives((*only, *served_by), out, words.bodies)
    kinds = [kind for kind in dict.fromkeys((*first, *only, *competent, *also)) if kind not in out and kind not in never]
    agreed = [kind for kind in kinds if all(kind in rule.only for rule in speaking if rule.only)]
    # Rules that leave nobody, because the aggressor belongs to all they name, must not leave her alone: then the others who are competent.
    return tuple(agreed or kinds)


def _step(kind: str, speaking: tuple[RouteRule, ...]) -> Step:
    own = [rule for rule in speaking if kind in rule.names or not rule.names]
    times = [rule.within for rule in own if rule.within is not None]
    cite = tuple(dict.fromkeys(law for rule in own for law in rule.cite))
    # The shortest time wins, so that a rule more never makes anybody wait longer.
    return Step(kind=kind, within=min(times, default=None), cite=cite, rules=tuple(rule.id for rule in own))
