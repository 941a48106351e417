"""What this institution should watch itself by: counts alone, of nobody in particular."""

from __future__ import annotations

from datetime import timedelta

from hub.actions.ports import Unit

WINDOW = timedelta(days=90)


def indicators(unit: Unit) -> dict[str, float]:
    """How often she was asked again (R23), and how often an emergency opened what is withheld (R76), reviewed or not."""
    since = unit.now - WINDOW
    due = unit.glasses.all(review_by__le=unit.now, verdict="")
    return {
        "told_again": unit.log.count(what="account.asked_again", at__ge=since),
        "emergencies": unit.glasses.count(state__in=("open", "ended"), at__ge=since),
        "unreviewed": len([row for row in due if row.review_by is not None]),
    }


def bases_by_code(unit: Unit) -> dict[str, int]:
    """How often a legal basis stood in for a consent, by its code: every code of the vocabulary, so that none is missing where it is zero (R70)."""
    since = unit.now - WINDOW
    return {code: unit.bases.count(basis=code, state__in=("active", "ended"), at__ge=since) for code in unit.pack.vocabulary.lists["legal_bases"]}
