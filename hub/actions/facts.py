"""Decisions to trust less, told outside every database: who was removed or blocked, which link was frozen (1b of R14).

A copy that was made before would bring them back in force. So each such decision leaves a tombstone of its own, in the same transaction, and
with it a line in the journal (`keys/journal.py`), as a destroyed key does. A restore that finds a line which the copy does not hold knows that
the decision is younger than the copy, and takes it again; one that the copy holds is in its tables already, with all that followed. No fact
says who somebody is: people are named by an alias that only the hub's own key makes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hub.actions.ports import Unit
from hub.base.ids import new_id
from hub.cases.events import Alarm
from hub.cases.records import Tombstone
from hub.exchange.records import Link

PREFIX = "fact/"
REMOVED, BLOCKED, FROZEN = "removed", "blocked", "frozen"
SERVED, REPINNED = "served", "repinned"
"""Why a pin is in doubt: another master key was served, or people accepted another one, so that the one in a copy is the former."""


def tell(unit: Unit, what: str, subject: str, why: str = "-") -> None:
    """Journal one decision. It has an id of its own each time: the same decision may be taken again after it was undone."""
    unit.tombstones.add(Tombstone(id=f"{PREFIX}{what}/{subject}/{why}/{new_id('f')}", why="fact", at=unit.now))


def freeze(unit: Unit, link: Link, why: str) -> None:
    """Nothing goes in or out of this link until people have looked; administrators are told."""
    unit.links.put(replace(link, frozen=why))
    tell(unit, FROZEN, link.id, why)
    unit.announce(Alarm(code="link_frozen", params=(("institution", link.peer), ("why", why))))


def freeze_link_of(unit: Unit, room: str, why: str) -> None:
    """A stranger stands in a link room: nothing is dispatched there until a person has looked, also after a restart (X07)."""
    link = unit.links.one(room=room)
    if link and not link.frozen:
        freeze(unit, link, why)


def facts_of(owners: Iterable[str]) -> list[tuple[str, str, str]]:
    """Of journal lines, those that are decisions: what, about whom or what, why. Oldest order is not known, and does not matter."""
    found = (owner.removeprefix(PREFIX).split("/") for owner in sorted(owners) if owner.startswith(PREFIX))
    return [(parts[0], parts[1], parts[2]) for parts in found if len(parts) == 4]
