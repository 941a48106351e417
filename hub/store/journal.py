"""The tombstone journal on disk (`keys.journal`): in the state folder, and again beside the backups, each line durable before its key dies.

The copy beside the backups is what a restore on another machine finds. When that disk is away the key is destroyed all the same (the promise
to her comes first); the missing lines follow as soon as it is back, and `doctor` says that the copy is behind.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from hub.base import logs
from hub.base.errors import Stopped
from hub.store.journal_files import PULSE, append, drop_unfinished, follow, name_of, replace, streams, whole
from keys import journal
from keys.errors import KeysError
from keys.journal import Buried, Mark
from keys.primitives import SigningKey

_log = logs.get("journal")
PULSE_EVERY = 300.0
"""Seconds between two pulses of a running hub."""
_NOBODY = datetime(1970, 1, 1, tzinfo=UTC)


class FileJournal:
    """The journal of this machine. `copies` is the folder of the backups, or None."""

    def __init__(self, institution: str, state: Path, copies: Path | None, signer: SigningKey) -> None:
        self._institution, self._signer, self._copies = institution, signer, copies
        self._turn = threading.Lock()
        self._state = state
        self._whole = False
        drop_unfinished(state, institution)
        here = streams(state, institution)
        if here:
            self._call(min(here))
            self.mark = self._settled()
        known = list(self._everybody(here))
        if not here or self._set_back():
            self._begin(known)
        elif missing := _but(self.owners(), known):
            _log.warning("journal.taken_up", count=len(missing))
            self.bury_all(missing, max(each.at for each in known))
        self._follow()
        self._leave([path for path in here.values() if path.name != self._name])

    @property
    def behind(self) -> bool:
        """Whether the copy beside the backups lacks something, or there is none."""
        try:
            return self._copies is None or (self._copies / self._name).stat().st_size != (self._state / self._name).stat().st_size
        except OSError:
            return True

    def bury(self, owner: str, at: datetime) -> None:
        """Make a tombstone durable. Raises Stopped `journal.unwritable`: then the key must not be deleted yet, its tombstone row stays."""
        self.bury_all([owner], at)

    def bury_all(self, owners: Iterable[str], at: datetime) -> None:
        """Several at once, durable together."""
        with self._turn:
            lines, after = self._lines(self.mark, owners, at)
            try:
                append(self._state / self._name, lines)
            except OSError:
                raise Stopped("journal.unwritable") from None
            self.mark = after
            self._follow()

    def complete(self, owners: Iterable[str], at: datetime) -> None:
        """Take up what another server, or a release before the journal, destroyed: only then does our pulse tell the truth."""
        known = self.owners()
        self.bury_all([owner for owner in owners if owner not in known], at)
        self._whole = True

    def pulse(self, at: datetime, waiting: Iterable[str] = ()) -> None:
        """Say, here and beside the backups, that every destruction up to `at` is in this journal. `waiting` are condemned and may not be in it yet.

        Raises Stopped `journal.incomplete` before `complete`: another server may have buried what stands nowhere here. `journal.unwritable`.
        """
        if not self._whole:
            raise Stopped("journal.incomplete")
        if owners := list(waiting):
            self.complete(owners, at)
        with self._turn:
            self._follow()
            told = journal.sign_pulse(self._institution, self.mark, at, self._signer)
            for folder in (self._state, *self._reachable()):
                try:
                    replace(folder / self._pulse_name, told)
                except OSError as error:
                    _log.warning("journal.copy_behind", error=error)

    def owners(self) -> set[str]:
        """Everybody who stands in it."""
        return {buried.owner for buried, _ in self._read()}

    def _call(self, stream: str) -> None:
        self._name, self._pulse_name = name_of(self._institution, stream), name_of(self._institution, stream, PULSE)

    def _everybody(self, here: dict[str, Path]) -> Iterator[Buried]:
        """Whoever stands in any stream of ours, here and beside the backups: whichever file we go on with, none that was left hides a death.

        Raises what `keys.journal.read` raises for one here. On the other disk others may write: one that does not hold is told, and passed by.
        """
        for stream, path in here.items():
            yield from self._told(stream, path)
        for folder in self._reachable():
            for stream, path in streams(folder, self._institution).items():
                try:
                    yield from self._told(stream, path)
                except OSError as error:
                    _log.warning("journal.copy_behind", error=error)
                except KeysError as error:
                    _log.error("journal.copy_broken", error=error)
                    if stream in here:  # not our words: kept for people to look at, and written anew
                        path.replace(path.with_suffix(".broken"))

    def _told(self, stream: str, path: Path) -> list[Buried]:
        return [buried for buried, _ in journal.read(path.read_bytes(), self._institution, stream, self._signer.public)]

    def _set_back(self) -> bool:
        """The copy says what we do not: our folder is an older one. The copy is never cut down to ours (R14)."""
        copies = [folder / self._name for folder in self._reachable() if (folder / self._name).exists()]
        ours = (self._state / self._name).read_bytes()
        if all(ours.startswith(whole(copy.read_bytes())) for copy in copies):
            return False
        _log.error("journal.rolled_back")
        return True

    def _begin(self, known: list[Buried]) -> None:
        """A new stream, with everybody in it from its first moment: before it is whole there is none, and what it replaces stays (R14)."""
        stream = secrets.token_hex(8)
        at = max((each.at for each in known), default=_NOBODY)
        lines, mark = self._lines(journal.genesis(self._institution, stream), _but(set(), known), at)
        try:
            replace(self._state / name_of(self._institution, stream), lines)
        except OSError:
            raise Stopped("journal.unwritable") from None
        self._call(stream)
        self.mark = mark

    def _leave(self, others: list[Path]) -> None:
        """The streams that we do not go on with, once what they say lies beside the backups; ours says it too."""
        for folder in self._reachable():
            for path in others:
                try:
                    follow(path, folder / path.name)
                except OSError as error:
                    _log.warning("journal.copy_behind", error=error)
                    continue
                for each in (path, path.with_suffix(PULSE)):
                    each.unlink(missing_ok=True)

    def _lines(self, mark: Mark, owners: Iterable[str], at: datetime) -> tuple[bytes, Mark]:
        lines: list[bytes] = []
        for owner in owners:
            line, mark = journal.append(self._institution, mark, owner, at, self._signer)
            lines.append(line)
        return b"".join(lines), mark

    def _settled(self) -> Mark:
        """The mark of the file as it is. A line that a crash cut short is taken away: its key was not deleted yet."""
        path = self._state / self._name
        data = path.read_bytes()
        if whole(data) != data:
            with path.open("r+b") as file:
                file.truncate(len(whole(data)))
                os.fsync(file.fileno())
        return journal.end(self._read(), self._institution, self._name.removesuffix(".journal").rpartition("-")[2])

    def _read(self) -> list[tuple[Buried, Mark]]:
        stream = self._name.removesuffix(".journal").rpartition("-")[2]
        return journal.read((self._state / self._name).read_bytes(), self._institution, stream, self._signer.public)

    def _follow(self) -> None:
        """Bring the copy up to the original: usually one line."""
        for folder in self._reachable():
            try:
                follow(self._state / self._name, folder / self._name)
            except OSError as error:
                _log.warning("journal.copy_behind", error=error)

    def _reachable(self) -> Iterator[Path]:
        if self._copies is not None and self._copies.is_dir():
            yield self._copies


def _but(known: set[str], buried: Iterable[Buried]) -> list[str]:
    """Everybody else, once each, in the order of their lines."""
    return [owner for owner in dict.fromkeys(each.owner for each in buried) if owner not in known]
