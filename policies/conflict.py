"""Conflict of interest: the body an aggressor belongs to is never a recipient (R61-R63).

This stands in code, not in a document, so that no rule, role or version can lift it; `engine` and `meaning` ask here before
they read a single rule. Doubt excludes: an affiliation this module does not know keeps everything home until somebody names it
properly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from policies.conditions import INSTITUTION_PREFIX
from policies.vocabulary import Term

_BODIES: Mapping[str, frozenset[str]] = {
    # Inspectoría investigates the police from outside its chain of command: the one police recipient that stays (R61).
    "police": frozenset({"police_station"}),
    "police_internal_affairs": frozenset({"police_internal_affairs"}),
    "municipality": frozenset({"municipality", "municipal_security", "child_defence"}),
    "prosecutor": frozenset({"prosecutor", "forensic_medicine", "victim_protection_unit"}),
    "court": frozenset({"court"}),
    "public_defence": frozenset({"public_defence"}),
    "health": frozenset({"health_facility", "mental_health_centre", "friendly_health_centre", "sti_hiv_centre"}),
    "migration": frozenset({"migration_office"}),
    "women_ministry": frozenset({"emergency_centre", "shelter", "helpline"}),
    "emergency_centre": frozenset({"emergency_centre"}),
    "shelter": frozenset({"shelter"}),
    "helpline": frozenset({"helpline"}),
    "ombudsman": frozenset({"ombudsman"}),
    "ngo": frozenset({"ngo"}),
    "community_organisation": frozenset({"community_organisation"}),
    "international_agency": frozenset({"international_agency"}),
}

_PRIVATE = frozenset(
    {
        "none",
        "unknown",
        "partner",
        "family",
        "client",
        "exploiter",
        "private_security",
        "armed_forces",
        "other_state_body",
        "other_private",
    }
)
"""Affiliations that own no kind of recipient; an institution among them is named with `institution:<id>`."""

_OVERSIGHT: Mapping[str, tuple[str, ...]] = {
    "police_station": ("court", "prosecutor", "police_internal_affairs"),
    "municipal_security": ("prosecutor", "ombudsman"),
    "municipality": ("prosecutor", "ombudsman"),
    "prosecutor": ("court", "ombudsman"),
    "court": ("prosecutor", "ombudsman"),
    "public_defence": ("ombudsman", "ngo"),
    "health_facility": ("ombudsman", "ngo"),
    "mental_health_centre": ("ombudsman", "ngo"),
    "migration_office": ("ombudsman", "ngo"),
    "emergency_centre": ("ombudsman", "public_defence"),
    "shelter": ("emergency_centre", "ombudsman"),
}
"""Who can act when a body is excluded: competent for the complaint and for looking into the body itself."""


def affiliations() -> frozenset[str]:
    """Every affiliation code this module knows."""
    return frozenset(_BODIES) | _PRIVATE


def kinds_of(affiliation: str) -> frozenset[str]:
    """The institution kinds that belong to an affiliation."""
    return _BODIES.get(affiliation, frozenset())


def excluded_kinds(aggressor_affiliations: Iterable[str]) -> frozenset[str]:
    """Every institution kind that must not be reached."""
    return frozenset().union(*(kinds_of(item) for item in aggressor_affiliations))


def excluded(recipient_kind: str, recipient_id: str, aggressor_affiliations: Iterable[str]) -> bool:
    """Whether this recipient must get nothing because the aggressor belongs to it. Unknown affiliations exclude."""
    given = (aggressor_affiliations,) if isinstance(aggressor_affiliations, str) else aggressor_affiliations
    return any(_reaches(item, recipient_kind, recipient_id) for item in given)


def alternatives(need: Term, excluded: Iterable[str]) -> tuple[str, ...]:
    """The competent institution kinds for a need, best first, without the excluded ones.

    For an excluded body the ones that oversee it come first: an aggressor in the police gives court, prosecutor, internal
    affairs.
    """
    kept_out = frozenset(excluded)
    oversight = [kind for body in sorted(kept_out.intersection(need.served_by)) for kind in _OVERSIGHT.get(body, ())]
    return tuple(kind for kind in dict.fromkeys((*oversight, *need.served_by)) if kind not in kept_out)


def _reaches(affiliation: str, kind: str, recipient_id: str) -> bool:
    if affiliation.startswith(INSTITUTION_PREFIX):
        return affiliation.removeprefix(INSTITUTION_PREFIX).strip().casefold() == recipient_id.strip().casefold()
    if affiliation in _BODIES:
        return kind in _BODIES[affiliation]
    return affiliation not in _PRIVATE
