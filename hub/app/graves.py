"""Every tombstone journal that can be found, read together: who is buried, and until when we know it (`keys.journal`).

Two servers write two streams, and a disk may hold only one of them. So a line proves nothing but its own death. What proves that there is no
other is a pulse of the server that led: before it led, it took up every death that the database knew of, whoever had written it; and while
it led, nobody else could condemn anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.actions.erase import condemned
from hub.base import logs
from hub.base.clock import Clock
from hub.base.errors import Forged, Stopped
from hub.store.journal import PULSE_EVERY, FileJournal
from hub.store.journal_files import PULSE, stream_of
from hub.store.unit_of_work import Store
from keys.errors import KeysError
from keys.journal import Mark, end, genesis, read, read_pulse
from keys.primitives import VerifyKey

_log = logs.get("graves")
SLACK = timedelta(seconds=2 * PULSE_EVERY + 60)
"""How long before its loss a machine's last pulse may lie."""
DOUBT = "doubt/"
"""A line that buries nobody: this stream began with a restore in doubt (`doubt/<moment>`), so it proves nothing about what was made before."""
EPOCH = "restored/"
"""A line that buries nobody: a restore began this epoch on that link (`restored/<link>/<epoch>`), and no other restore may use it again."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class Graves:
    """What the journals say together."""

    owners: set[str] = field(default_factory=set)
    until: datetime = _NEVER
    """All destructions up to here are known: the time of the youngest pulse whose journal is here whole."""
    epochs: dict[str, int] = field(default_factory=dict)
    """By link, the largest epoch that a restore has begun."""
    doubts: set[str] = field(default_factory=set)
    """Lines of restores in doubt: whoever is restored after them takes them up."""
    _marks: dict[str, set[Mark]] = field(default_factory=dict)

    def reaches(self, mark: Mark) -> bool:
        """Whether a stream that something else speaks of is here as far as that saw it."""
        return mark.size == 0 or self.has(mark)

    def has(self, mark: Mark) -> bool:
        """The same of a stream that is here at all: one that says nothing is not one that is not here."""
        return mark in self._marks.get(mark.stream, set())


def dig(places: Iterable[Path], institution: str, key: VerifyKey, made_at: datetime) -> Graves:
    """Read every journal and pulse of an institution in these folders, or named as files, for a backup made then.

    Raises `backup.journal_broken` of `keys`.
    """
    graves = Graves()
    doubtful: set[str] = set()
    files = sorted({path.resolve() for place in places for path in (place.iterdir() if place.is_dir() else [place])})
    for path in files:
        stream = stream_of(path, institution)
        if stream:
            lines = read(path.read_bytes(), institution, stream, key)
            names = {one.owner for one, _ in lines}
            graves.owners |= {name for name in names if not name.startswith((EPOCH, DOUBT))}
            graves.doubts |= {name for name in names if name.startswith(DOUBT)}
            if any(name.startswith(DOUBT) and datetime.fromisoformat(name.removeprefix(DOUBT)) > made_at for name in names):
                doubtful.add(stream)
            for link, _, epoch in (name.removeprefix(EPOCH).rpartition("/") for name in names if name.startswith(EPOCH)):
                graves.epochs[link] = max(graves.epochs.get(link, 0), int(epoch))
            known = graves._marks.setdefault(stream, {genesis(institution, stream)})
            known |= {mark for _, mark in lines}
            known.add(end(lines, institution, stream))
    for path in files:
        stream = stream_of(path, institution, PULSE)
        if stream and stream not in doubtful:
            graves.until = max(graves.until, _pulse(path, institution, key, graves))
    return graves


def _pulse(path: Path, institution: str, key: VerifyKey, graves: Graves) -> datetime:
    """The time of a pulse whose journal is here whole; never for another."""
    try:
        mark, at = read_pulse(path.read_bytes(), institution, key)
    except KeysError:
        raise Stopped("backup.journal_broken") from None
    return at if graves.reaches(mark) else _NEVER


def buried_by(tombstones: FileJournal) -> set[str]:
    """Whose keys this machine's journal calls dead."""
    return {owner for owner in tombstones.owners() if not owner.startswith((EPOCH, DOUBT))}


async def say_how_far(store: Store, tombstones: FileJournal, clock: Clock) -> None:
    """A pulse of the hub that acts. Where it cannot be sure of every death it says nothing, and the next restore is in doubt.

    The moment is read before the unit, and the unit is refused to a server that does not lead (any more): so it led at that moment, however
    long it was stopped before or after. Whatever is condemned and not written yet is written first.
    """
    at = clock.now()
    try:
        waiting = await store.run(condemned, quiet=True)
        await asyncio.to_thread(tombstones.pulse, at, waiting)
    except Forged:
        raise
    except Exception as error:
        _log.warning("journal.no_pulse", error=error)
