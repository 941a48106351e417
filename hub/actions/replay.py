"""What a restore takes again: decisions to trust less that are younger than the copy (`hub/actions/facts.py`).

Only in this direction. Whoever was enrolled again after her removal, or a link that people opened again, is decided anew by people: the
journal cannot know whether they would do the same with what the copy has forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hub.actions.common import SYSTEM, note
from hub.actions.facts import BLOCKED, FROZEN, REMOVED, SERVED, facts_of, freeze
from hub.actions.ports import Unit
from hub.actions.staff import remove_staff
from hub.cases.events import Alarm

UNKNOWN_KEY = "?"
"""Stands for a master key that only the journal speaks of: whatever is served differs from it, so the block is never taken for settled."""


def replay(unit: Unit, owners: Iterable[str]) -> int:
    """Take these decisions again, as far as they are not in force. Returns how many."""
    taken = []
    people = {unit.vault.alias(each.id): each for each in unit.staff.all(removed_at=None)}
    links = {link.id: link for link in unit.links.all(frozen=None)}
    facts = facts_of(owners)
    gone = [people.pop(subject).id for what, subject, _ in facts if what == REMOVED and subject in people]
    for what, subject, why in facts:
        if what == BLOCKED and subject in people:
            found = people.pop(subject)
            pinned = found.master if why == SERVED else None  # after a new pin the old one is no longer hers
            unit.staff.put(replace(found, refused_master=found.refused_master or UNKNOWN_KEY, master=pinned or UNKNOWN_KEY))
            note(unit, found.id, SYSTEM, "staff.key_changed")
            taken.append(found.id)
        elif what == FROZEN and subject in links:
            link = links.pop(subject)
            freeze(unit, link, why)
            taken.append(link.peer)
    for user in gone:  # last: what she had in hand goes to nobody who was blocked
        remove_staff(unit, user)
    taken += gone
    if taken:
        unit.announce(Alarm(code="decided_again", params=(("number", str(len(taken))), ("detail", ", ".join(taken)))))
    return len(taken)
