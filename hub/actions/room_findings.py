"""What is wrong with our rooms, kept until it is right again: told once when it is found, once when it is mended, and counted meanwhile.

Whoever plants the same again and again is put right each time and told of once in a quarter of an hour: people must still find the rest (T9).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from hub.actions.common import SYSTEM, note
from hub.actions.ports import Unit
from hub.cases.events import RepairAsked, RoomFound
from hub.cases.records import RoomFinding

QUIET = timedelta(minutes=15)
DEVICES = "devices"
"""The purpose of findings about devices: they are of no room alone."""
BLOCKED = "master_changed"
DEVICE_KINDS = ("unverified_device", "own_ghost", "peer_differs", BLOCKED)
"""Doubts about devices that stand until somebody ends them."""
STRANGERS = ("stranger", "departed")
MOST_TOLD = 5
"""Sentences that one look makes; the rest is counted in one more."""
MOST = 500
"""Findings of one purpose that are kept: a homeserver can show any number of strangers."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One difference as a look at a room found it, and what came of it."""

    what: str
    about: str
    why: str = ""
    """What keeps it from being mended; empty: it is mended."""


def called(unit: Unit, purpose: str) -> str:
    """A room as people may be told of it: a coordination room by its code (S-…), which they can type, and not by our id."""
    kind, _, which = purpose.partition(":")
    room = unit.coordinations.get(which) if kind == "coordination" else None
    return f"{kind}:{room.code}" if room else purpose


def note_findings(unit: Unit, purpose: str, seen: Iterable[Seen]) -> None:
    """One whole look at a room: what is new is told, what is not there any more is over."""
    found = {f"{purpose}|{one.what}|{one.about}": one for one in list(seen)[:MOST]}
    known = {row.id: row for row in unit.room_findings.all(purpose=purpose)}
    told = [name for name, one in found.items() if _note(unit, name, purpose, one, known.get(name))]
    for name in told[:MOST_TOLD]:
        unit.announce(RoomFound(purpose=purpose, what=found[name].what, about=found[name].about, why=found[name].why))
    if len(told) > MOST_TOLD:
        unit.announce(RoomFound(purpose=purpose, what="more", about=str(len(told) - MOST_TOLD), why="more"))
    for name, row in known.items():
        if name not in found:
            _over(unit, row)


def note_owed(unit: Unit, purpose: str, owed: Iterable[Seen]) -> None:
    """What could not be done while nobody could look: nothing else about the room is known."""
    for one in owed:
        name = f"{purpose}|{one.what}|{one.about}"
        if _note(unit, name, purpose, one, unit.room_findings.get(name)):
            unit.announce(RoomFound(purpose=purpose, what=one.what, about=one.about, why=one.why))


def _note(unit: Unit, name: str, purpose: str, one: Seen, row: RoomFinding | None) -> bool:
    """Keep one difference; whether it is to be told."""
    mended = None if one.why else unit.now
    if row is None:
        note(unit, purpose, SYSTEM, f"room.{one.what}", whom=one.about, why=one.why)
        unit.room_findings.add(
            RoomFinding(id=name, purpose=purpose, what=one.what, about=one.about, found_at=unit.now, why=one.why, mended_at=mended)
        )
        return True
    told = bool(mended and row.mended_at is None) or (row.mended_at is not None and unit.now - row.found_at > QUIET)
    if told:
        note(unit, purpose, SYSTEM, f"room.{one.what}", whom=one.about, why=one.why)
    since, again = (unit.now if told else row.found_at), row.mended_at is not None
    asked_for = row.asked and not mended
    unit.room_findings.put(replace(row, found_at=since, why=one.why, times=row.times + again, mended_at=mended, asked=asked_for))
    return told


def _over(unit: Unit, row: RoomFinding) -> None:
    if row.mended_at is None:
        note(unit, row.purpose, SYSTEM, "room.well", whom=row.about, was=row.what)
        unit.announce(RoomFound(purpose=row.purpose, what=row.what, about=row.about, why="", over=True))
        unit.room_findings.delete(row.id)
    elif unit.now - row.mended_at > QUIET:
        unit.room_findings.delete(row.id)


def standing(unit: Unit) -> list[RoomFinding]:
    """What is not right now, oldest first."""
    return unit.room_findings.all(mended_at=None, order="found_at")


def ask_repair(unit: Unit, by: str) -> int:
    """An administrator wants what stands to be mended; how many there are."""
    rows = [row for row in standing(unit) if row.purpose != DEVICES]
    for row in rows:
        unit.room_findings.put(replace(row, asked=True))
    note(unit, "rooms", by, "rooms.repair_asked", count=len(rows))
    unit.announce(RepairAsked())
    return len(rows)


def asked(unit: Unit) -> frozenset[str]:
    """The purposes of the rooms that an administrator wants mended now."""
    return frozenset(row.purpose for row in unit.room_findings.all(asked=True))
