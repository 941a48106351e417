"""The files of tombstone journals (`hub/store/journal.py`): how they are called, and how one is written so that no accident cuts it short.

Several institutions may keep theirs on one backup disk, and the name of one may begin with that of another: names are matched whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from pathlib import Path

from hub.base import logs
from keys.journal import STREAM
from keys.providers.file import sync_folder

_log = logs.get("journal")
JOURNAL, PULSE = ".journal", ".pulse"


def name_of(institution: str, stream: str, suffix: str = JOURNAL) -> str:
    """What the journal, or the pulse, of a stream is called."""
    return f"tombstones-{institution}-{stream}{suffix}"


def stream_of(path: Path, institution: str, suffix: str = JOURNAL) -> str | None:
    """Which stream of exactly this institution lies there, by the name of the file; None for anything else."""
    name = re.fullmatch(rf"tombstones-{re.escape(institution)}-({STREAM.pattern}){re.escape(suffix)}", path.name)
    return name[1] if name and path.is_file() else None


def streams(folder: Path, institution: str, suffix: str = JOURNAL) -> dict[str, Path]:
    """Every stream of exactly this institution in a folder, in the order of their names."""
    found = ((stream_of(path, institution, suffix), path) for path in sorted(folder.glob("tombstones-*")))
    return {stream: path for stream, path in found if stream}


def drop_unfinished(folder: Path, institution: str) -> None:
    """What a kill left of a file that was being written anew: nothing of it ever counted."""
    unfinished = re.compile(rf"\.tombstones-{re.escape(institution)}-{STREAM.pattern}\.(?:journal|pulse)\.new")
    for path in folder.glob(".tombstones-*.new"):
        if unfinished.fullmatch(path.name):
            path.unlink(missing_ok=True)


def follow(original: Path, copy: Path) -> None:
    """Append to `copy` what `original` has more, also when another process does the same. A line that is there is never taken away.

    Only whole lines are taken: the hub may be writing one this moment. A copy that says something else is left as it is, and we are behind.
    """
    data = whole(original.read_bytes())
    with os.fdopen(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        there = file.read()
        start = len(whole(there))
        if data[:start] == there[:start] and len(data) > start:
            file.seek(start)
            file.write(data[start:])
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        elif not there.startswith(data):
            _log.error("journal.copy_differs")
    sync_folder(copy.parent)


def whole(data: bytes) -> bytes:
    """A journal without what a crash left behind the last line break."""
    return data[: data.rfind(b"\n") + 1]


def beside(institution: str, state: Path, folder: Path) -> None:
    """The journal into the folder of a backup, from outside the hub, which may be running. No pulse: only who leads knows of every death."""
    for path in streams(state, institution).values():
        follow(path, folder / path.name)


def append(path: Path, data: bytes) -> None:
    """Durable when this returns; at a full disk nothing of it is there."""
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


def replace(path: Path, data: bytes) -> None:
    """Whole or not at all, and on disk when this returns: a kill at any moment leaves what was there, or this."""
    fresh = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)
