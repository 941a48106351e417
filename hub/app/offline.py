"""What works without a running hub: the schema and the ledger (`design.md` §9)."""

from __future__ import annotations

from typing import Any

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from hub.app.manifest import file_manifest, manifest_path
from hub.app.servers import shared_manifest
from hub.base.config import Config
from hub.base.kek import open_kek
from hub.store.database import Database
from hub.store.key_rows import KeyTable
from hub.store.lock import DatabaseLock
from hub.store.migrate import alembic_config, upgrade
from hub.store.repositories import Rows
from hub.store.seals import Seals
from hub.store.tables import LEDGER
from keys import ledger
from keys.casekeys import DataKeys
from keys.errors import LedgerBroken
from keys.identity import Identity, load_identity
from keys.kek import KekProvider
from keys.keyring import FileRows, Keyring


def db_upgrade(config: Config, *, sql: bool = False) -> str:
    """Bring the data database to the newest schema; with `sql` only say what that would do. Returns the SQL, or nothing.

    Raises Stopped `database.in_use` while a hub runs on it.
    """
    if sql:
        return _sql(config)
    database = Database(config.database.url)
    lock = DatabaseLock(database)
    lock.take()
    try:
        upgrade(database)
    finally:
        lock.release()
        database.engine.dispose()
    return ""


def db_check(config: Config) -> tuple[str | None, str]:
    """The database's revision (None for an empty one) and the program's."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head() or ""
    database = Database(config.database.url)
    try:
        current = database.run_now(lambda connection: MigrationContext.configure(connection).get_current_revision())
    finally:
        database.engine.dispose()
    return current, head


def ledger_verify(config: Config) -> dict[str, Any]:
    """Walk the chain: {ok, rows, head} or {ok, broken_at}."""
    database = Database(config.database.url)
    try:
        stored = database.run_now(lambda connection: Rows(connection, LEDGER).all(order="id"))
    finally:
        database.engine.dispose()
    head = ledger.genesis(config.institution.id)
    for row in stored:
        try:
            head = ledger.verify([ledger.Row(seq=row.id, previous=row.previous, entry=row.entry, hash=row.hash)], head)
        except LedgerBroken:
            return {"ok": False, "rows": len(stored), "broken_at": head.size + 1}
    return {"ok": True, "rows": len(stored), "head": head.hash.hex()}


def server_keys_fit(config: Config) -> bool:
    """Whether this server of two has the keys that the manifest states which both share. Raises what databases and `keys` raise."""
    kek = open_kek(config.keys)
    database, keys_database = Database(config.database.url), Database(config.database.keys_url)
    try:
        seals = Seals(DataKeys(kek, KeyTable(keys_database)))
        shared = database.run_now(lambda connection: shared_manifest(connection, seals))
    finally:
        database.engine.dispose()
        keys_database.engine.dispose()
    ours = file_manifest(manifest_path(config))
    return shared is None or shared.fits(ours, Keyring(config.institution.id, kek, FileRows(config.keyring_file)))


def open_identity(config: Config) -> tuple[Identity, KekProvider]:
    """The institution's identity and the key-encryption key. Raises errors of `keys`."""
    kek = open_kek(config.keys)
    return load_identity(Keyring(config.institution.id, kek, FileRows(config.keyring_file))), kek


def _sql(config: Config) -> str:
    import io

    out = io.StringIO()
    settings = alembic_config()
    settings.output_buffer = out
    settings.attributes["url"] = config.database.url
    command.upgrade(settings, "head", sql=True)
    return out.getvalue()
