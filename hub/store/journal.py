"""The tombstone journal on disk (`keys.journal`): in the state folder, and again beside the backups, each line durable before its key dies.

The copy beside the backups is what a restore on another machine finds. When that disk is away the key is destroyed all the same (the promise
to her comes first); the missing lines follow as soon as it is back, and `doctor` says that the copy is behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from hub.base import logs
from hub.base.errors import Stopped
from keys import journal
from keys.errors import KeysError
from keys.journal import Buried, Mark
from keys.primitives import SigningKey
from keys.providers.file import sync_folder

_log = logs.get("journal")
NAME, PULSE_NAME = "tombstones-{institution}-{stream}.journal", "tombstones-{institution}-{stream}.pulse"
PULSE_EVERY = 300.0
"""Seconds between two pulses of a running hub."""


class FileJournal:
    """The journal of this machine. `copies` is the folder of the backups, or None."""

    def __init__(self, institution: str, state: Path, copies: Path | None, signer: SigningKey) -> None:
        self._institution, self._signer, self._copies = institution, signer, copies
        self._turn = threading.Lock()
        self._state = state
        found = sorted(state.glob(f"tombstones-{institution}-*.journal"))
        stream = found[0].stem.rpartition("-")[2] if found else secrets.token_hex(8)
        self._whole = False
        self._call(stream)
        self.mark = self._settled(stream)
        self._go_on_after_rollback()

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
            lines: list[bytes] = []
            after = self.mark
            for owner in owners:
                line, after = journal.append(self._institution, after, owner, at, self._signer)
                lines.append(line)
            try:
                _append(self._state / self._name, b"".join(lines))
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
                    _replace(folder / self._pulse_name, told)
                except OSError as error:
                    _log.warning("journal.copy_behind", error=error)

    def owners(self) -> set[str]:
        """Everybody who stands in it."""
        return {buried.owner for buried, _ in self._read()}

    def _call(self, stream: str) -> None:
        self._name = NAME.format(institution=self._institution, stream=stream)
        self._pulse_name = PULSE_NAME.format(institution=self._institution, stream=stream)

    def _go_on_after_rollback(self) -> None:
        """The copy knows what we do not: our folder is an older one. A new stream takes up both; the copy is never cut down to ours (R14)."""
        for folder in self._reachable():
            old, copy = self._state / self._name, folder / self._name
            if not copy.exists() or old.read_bytes().startswith(_whole(copy.read_bytes())):
                continue
            stream = old.stem.rpartition("-")[2]
            try:
                there = journal.read(copy.read_bytes(), self._institution, stream, self._signer.public)
            except KeysError as error:  # not our words: kept for people to look at, and written anew
                _log.error("journal.copy_broken", error=error)
                copy.replace(copy.with_suffix(".broken"))
                continue
            _log.error("journal.rolled_back", count=len(there))
            both = [buried for buried, _ in (*self._read(), *there)]
            self._call(secrets.token_hex(8))
            self.mark = self._settled(self._name.removesuffix(".journal").rpartition("-")[2])
            self.bury_all(dict.fromkeys(buried.owner for buried in both), max(buried.at for buried in both))
            for each in (old, old.with_suffix(".pulse")):
                each.unlink(missing_ok=True)

    def _settled(self, stream: str) -> Mark:
        """The mark of the file as it is. A line that a crash cut short is taken away: its key was not deleted yet."""
        path = self._state / self._name
        if not path.exists():
            _append(path, b"")
        data = path.read_bytes()
        whole = _whole(data)
        if whole != data:
            with path.open("r+b") as file:
                file.truncate(len(whole))
                os.fsync(file.fileno())
        return journal.end(self._read(), self._institution, stream)

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


def follow(original: Path, copy: Path) -> None:
    """Append to `copy` what `original` has more, also when another process does the same. A line that is there is never taken away.

    Only whole lines are taken: the hub may be writing one this moment. A copy that says something else is left as it is, and we are behind.
    """
    data = _whole(original.read_bytes())
    with os.fdopen(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        there = file.read()
        start = len(_whole(there))
        if data[:start] == there[:start] and len(data) > start:
            file.seek(start)
            file.write(data[start:])
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        elif not there.startswith(data):
            _log.error("journal.copy_differs")
    sync_folder(copy.parent)


def _whole(data: bytes) -> bytes:
    """Without what a crash left behind the last line break."""
    return data[: data.rfind(b"\n") + 1]


def beside(institution: str, state: Path, folder: Path) -> None:
    """The journal into the folder of a backup, from outside the hub, which may be running. No pulse: only who leads knows of every death."""
    for path in state.glob(f"tombstones-{institution}-*.journal"):
        follow(path, folder / path.name)


def _append(path: Path, data: bytes) -> None:
    fresh = not path.exists()
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b") as file:
        start = file.seek(0, os.SEEK_END)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:  # a full disk: half a line would stand in the way of the next one
            with contextlib.suppress(OSError):
                os.ftruncate(file.fileno(), start)
            raise
    if fresh:
        sync_folder(path.parent)


def _replace(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)
