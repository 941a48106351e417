"""`tinkuy keys rotate kek`: keyring and key store under another key-encryption key, with the hub stopped (`keys.md` §1, yearly).

Row by row, each replaced whole: a kill in the middle leaves rows under both keys, and the same order, given again, goes on. Until it has
ended, no hub starts on them (`kek.unfinished`): whichever key is configured, some rows would not open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hub.base.config import Config
from hub.base.kek import open_kek, pkcs11_of
from hub.store.database import Database
from hub.store.key_rows import KeyTable
from hub.store.lock import DatabaseLock
from keys.casekeys import DataKeys
from keys.errors import KeyExists
from keys.kek import KekProvider
from keys.keyring import FileRows, Keyring
from keys.providers.file import FileKek, sync_folder


def rewrap_keys(config: Config, to: str, *, step: Callable[[str], None] = lambda _: None) -> dict[str, object]:
    """Move everything to `to`: `file:PATH`, `credential:NAME`, `pkcs11` or `vault` (these two as configured). {kek, moved, before}.

    A file or a token's key that is not there is made. Raises Stopped `database.in_use`, `ProviderError`, `CannotOpen`.
    """
    databases = Database(config.database.url), Database(config.database.keys_url)
    lock = DatabaseLock(databases[0])
    lock.take()
    try:
        old, new = open_kek(config.keys), _target(config, to)
        mark = unfinished(config)
        mark.touch(0o600)
        sync_folder(mark.parent)
        ring = Keyring(config.institution.id, old, FileRows(config.keyring_file, step=step))
        table = KeyTable(databases[1])
        moved, before = DataKeys(old, _Stepping(rows=table, step=step)).rewrap(new)
        ring.rewrap(new)  # last: while its rows are the old ones, the order can be given again as it was
        table.erase()
        mark.unlink()
        return {"kek": new.name, "moved": moved + len(ring.names()), "before": before}
    finally:
        lock.release()
        for database in databases:
            database.engine.dispose()


def unfinished(config: Config) -> Path:
    """Is there while a re-wrap is under way, or was killed: then no hub starts, for half of the keys would not open."""
    return config.paths.state / "rewrapping"


@dataclass(frozen=True, kw_only=True)
class _Stepping:
    """The key store with a named point after each row, for the drill that kills in between."""

    rows: KeyTable
    step: Callable[[str], None]

    def get(self, owner: str) -> bytes | None:
        return self.rows.get(owner)

    def put(self, owner: str, wrapped: bytes, created: datetime) -> None:
        self.rows.put(owner, wrapped, created)

    def delete(self, owner: str) -> None:
        self.rows.delete(owner)

    def owners(self) -> Iterable[str]:
        return self.rows.owners()

    def swap(self, owner: str, wrapped: bytes) -> None:
        self.rows.swap(owner, wrapped)
        self.step("swapped")


def _target(config: Config, to: str) -> KekProvider:
    kind, _, where = to.partition(":")
    if kind == "file":
        path = Path(where).expanduser()
        return FileKek.open(path) if path.exists() else FileKek.create(path)
    if kind == "credential":
        return FileKek.credential(where)
    keys = config.keys.model_copy(update={"provider": kind})
    if kind == "pkcs11":
        made, given = pkcs11_of(keys)
        try:
            return made.create(**given)
        except KeyExists:
            pass
    return open_kek(keys)
