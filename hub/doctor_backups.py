"""What `tinkuy doctor` says about backups: how old the last one is, whether a key part outlived its week, whether the journal is beside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hub.app import backup
from hub.app.manifest import manifest_path
from hub.app.restore import read_note
from hub.base.config import Config
from hub.base.i18n import NEVER, stamped
from hub.store.journal_files import streams
from keys import archive

WARN, FAIL = timedelta(hours=26), timedelta(days=7)
"""Daily with slack; after a week no key part is left that could be restored."""
Verdict = tuple[str, str, dict[str, Any]]
"""(id of the check, level, parameters)"""


def judge(config: Config, now: datetime) -> Iterator[Verdict]:
    """Every verdict that can be given without opening anything."""
    folder = config.paths.backups
    if folder is None:
        yield "backups_unset", "warn", {}
    else:
        yield from _judge_parts(config, folder, now)
        yield "backup_journal", "warn" if _behind(config, folder) else "ok", {}
    yield from _judge_restore(config)


def _judge_parts(config: Config, folder: Path, now: datetime) -> Iterator[Verdict]:
    parts = [p for p in backup.found(folder, config.backup.keys_folder or folder / "keys") if p.institution == config.institution.id]
    made = backup.newest(config)
    age = now - made if made else None
    level = "fail" if age is None or age >= FAIL else "warn" if age >= WARN else "ok"
    signed = _manifest_made(config)
    if signed is not None and made is not None:
        yield "backup_before_manifest", "warn" if made < signed else "ok", {}
    hours = int(age.total_seconds() // 3600) if age is not None else None
    yield "backups", level, {"hours": hours, "age": NEVER if hours is None else (f"hace {hours} h", f"{hours} h ago")}
    old = sum(p.part == archive.KEYS and now - p.at > archive.KEY_LIFE for p in parts)
    yield "backup_keys_old", "fail" if old else "ok", {"count": old}


def _manifest_made(config: Config) -> datetime | None:
    """When the manifest in force came into force here: a backup from before lacks its keys, and a hub restored from it would not be current."""
    try:
        return datetime.fromtimestamp(manifest_path(config).stat().st_mtime, UTC).replace(microsecond=0)
    except OSError:
        return None


def _behind(config: Config, folder: Path) -> bool:
    """Whether any journal of the state folder is not beside the backups as long as it is here. A hub that never ran has none."""
    for original in streams(config.paths.state, config.institution.id).values():
        copy = folder / original.name
        try:
            if copy.stat().st_size < original.stat().st_size:
                return True
        except OSError:
            return True
    return False


def _judge_restore(config: Config) -> Iterator[Verdict]:
    told = read_note(config)
    if told is not None:
        until = stamped(str(told.get("tombstones_until", "?")), config.institution.zone)
        yield "restored_in_doubt", "ok" if told.get("proven") else "warn", {"until": until}
