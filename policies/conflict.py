"""Conflict of interest: the body an aggressor belongs to is never a recipient (R61-R63).

*Who* belongs to a body is the pack's data (`Bodies`), because it differs by country. *What follows* stands here, in code, so that
no rule, role, route or version can lift it: `engine` and `meaning` ask here before they read a single rule, `routing` after it has
read all of its own. Doubt excludes: an affiliation the pack does not know keeps everything home until somebody names it properly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policies.conditions import INSTITUTION_PREFIX


@dataclass(frozen=True, kw_only=True)
class Bodies:
    """Which institution kinds belong to which affiliation, and who can look into a body.

    `owned` names every affiliation of the pack; one that is declared private owns nothing (an institution among those is named with
    `institution:<id>`). A kind that is a meeting of institutions stands under every affiliation that owns anything: whoever works
    there sits at that table too. `oversight` holds, by kind, the kinds that are competent when it is excluded; `kinds` are
    all that somebody owns. A kind outside them, of another country's pack, is a doubt.
    """

    owned: Mapping[str, frozenset[str]]
    oversight: Mapping[str, tuple[str, ...]]
    kinds: frozenset[str] = frozenset()

    @property
    def affiliations(self) -> frozenset[str]:
        """Every affiliation code that has a meaning."""
        return frozenset(self.owned)

    def kinds_of(self, affiliation: str) -> frozenset[str]:
        """The institution kinds that belong to an affiliation."""
        return self.owned.get(affiliation, frozenset())


NO_BODIES = Bodies(owned=MappingProxyType({}), oversight=MappingProxyType({}))
"""Knows no affiliation, so whoever is named excludes everybody."""


def excluded(recipient_kind: str, recipient_id: str, aggressor_affiliations: Iterable[str], bodies: Bodies) -> bool:
    """Whether this recipient must get nothing because the aggressor belongs to it. Unknown affiliations exclude."""
    given = (aggressor_affiliations,) if isinstance(aggressor_affiliations, str) else aggressor_affiliations
    for affiliation in given:
        kinds = bodies.owned.get(affiliation)
        if kinds is None:
            if _named(affiliation, recipient_id):
                return True
        elif recipient_kind in kinds or (kinds and recipient_kind not in bodies.kinds):
            return True
    return False


def _named(affiliation: str, recipient_id: str) -> bool:
    """An affiliation without meaning: it names one institution, or it is a doubt, and a doubt excludes."""
    if affiliation.startswith(INSTITUTION_PREFIX):
        return affiliation.removeprefix(INSTITUTION_PREFIX).strip().casefold() == recipient_id.strip().casefold()
    return True


def excluded_kinds(aggressor_affiliations: Iterable[str], bodies: Bodies, kinds: Iterable[str]) -> frozenset[str]:
    """The institution kinds of `kinds` that must not be reached, whichever institution it is. All of them in doubt."""
    given = tuple((aggressor_affiliations,) if isinstance(aggressor_affiliations, str) else aggressor_affiliations)
    # No institution id is empty, so an exclusion of one institution by its id leaves its kind to the others.
    bodily = [item for item in given if not item.startswith(INSTITUTION_PREFIX)]
    return frozenset(kind for kind in kinds if excluded(kind, "", bodily, bodies))


def alternatives(served_by: Iterable[str], excluded: Iterable[str], bodies: Bodies) -> tuple[str, ...]:
    """The competent institution kinds for a need served by these, best first, without the excluded ones.

    For an excluded body the ones that oversee it come first: an aggressor in the police gives court, prosecutor, internal
    affairs.
    """
    competent, kept_out = tuple(served_by), frozenset(excluded)
    oversight = [kind for body in sorted(kept_out.intersection(competent)) for kind in bodies.oversight.get(body, ())]
    return tuple(kind for kind in dict.fromkeys((*oversight, *competent)) if kind not in kept_out)
