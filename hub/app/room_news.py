"""What wakes the keeper of the rooms, what it goes by in a turn, and what it tried."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from hub.actions.ports import Unit
from hub.actions.room_findings import asked
from hub.app.wanted_rooms import surplus_rooms
from hub.cases.events import CoordinationMoved, Event, RepairAsked
from hub.cases.records import Room


@dataclass(kw_only=True)
class Stir:
    """What woke the keeper: rooms that changed, by the sync loop; or an administrator, by what a unit of work announced."""

    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    rooms: set[str] = field(default_factory=set)
    asked: bool = False

    def changed(self, rooms: frozenset[str]) -> None:
        """State or members of these rooms, or (with none) devices of somebody."""
        self.rooms |= rooms
        self.waiting.set()

    def heard(self, event: Event) -> None:
        """On the writer's thread, before the commit: what follows it wakes us."""
        self.asked = self.asked or isinstance(event, RepairAsked | CoordinationMoved)

    def take(self) -> frozenset[str]:
        """The rooms that changed since the last time."""
        rooms, self.rooms, self.asked = frozenset(self.rooms), set(), False
        return rooms


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a turn goes by beside the wanted rooms."""

    departed: frozenset[str]
    frozen: frozenset[str]
    """Purposes of links that stand still."""
    asked: frozenset[str]
    surplus: tuple[Room, ...]

    @classmethod
    def now(cls, unit: Unit) -> Known:
        return cls(
            departed=frozenset(person.id for person in unit.staff.all(removed_at__not=None)),
            frozen=frozenset(f"link:{link.peer}" for link in unit.links.all(frozen__not=None)),
            asked=asked(unit),
            surplus=tuple(surplus_rooms(unit)),
        )


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One step of a repair, for the report: `why` says what kept it from being done."""

    room: str
    what: str
    about: str
    step: str
    why: str = ""
