"""`tinkuy backup verify` and `restore`: what a backup proves, and the one legitimate way from an old state back to a running hub.

Restore, numbered: (1) the place is empty (2) both parts open and are what their index says (3) they belong to each other, to this institution
and to a schema we know, and the key part is not too old (4) the KEK opens the keyring, and a key out of it has signed both parts (5) the
tombstones are the newest (6) keys that were destroyed since are left out, the rest is written, and what they sealed is taken out of the data
(7) every link is to begin anew. Up to (5) nothing was written; from (6) on a mark says that it is unfinished, the hub does not start, and the
same command begins again.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.actions.own_manifest import lacking
from hub.actions.ports import Hand
from hub.actions.restart import Restart, restart
from hub.app.backup import KEYRING
from hub.app.graves import DOUBT, EPOCH, SLACK, Graves, dig
from hub.app.manifests_beside import newer_than
from hub.app.parts import Opened, identity_of, open_part, wrapped_keys
from hub.app.settings import institution, rules
from hub.base import logs
from hub.base.clock import SystemClock
from hub.base.config import Config
from hub.base.errors import Stopped
from hub.base.kek import open_kek
from hub.base.packcheck import pack_of
from hub.chat.tell import tell
from hub.store import snapshot
from hub.store.cells import cells_of
from hub.store.database import Database
from hub.store.journal import FileJournal
from hub.store.journal_files import JOURNAL, PULSE, streams
from hub.store.key_rows import KeyTable
from hub.store.unit_of_work import Collaborators, Store, Vault
from keys import agefile, archive, ledger
from keys.casekeys import DataKeys, MemoryKeyRows
from keys.errors import CannotOpen, KeyDestroyed, KeysError, LedgerBroken, ProviderError
from keys.identity import Identity
from keys.journal import journal_key
from keys.kek import KekProvider
from keys.ledger import Head
from keys.manifest import Manifest
from keys.primitives import VerifyKey
from keys.providers.file import FileKek, sync_folder

_log = logs.get("restore")
UNFINISHED, NOTE = "restore.unfinished", "restore.json"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to look at or restore. `lost_at` is when the hub last ran, None: now; `insist` goes on without the newest tombstones."""

    data: Path | None
    keys: Path | None
    identity: Path
    kek: Path | None = None
    tombstones: tuple[Path, ...] = ()
    lost_at: datetime | None = None
    insist: bool = False
    signer: VerifyKey | None = None
    """The key that signs this institution's backups, as `backup create` printed it, when people have it from elsewhere."""


@dataclass(kw_only=True)
class Proof:
    """What `verify` could show: facts by name; `wrong` are codes of what does not hold, `unseen` of what could not be looked at."""

    facts: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def verify(config: Config | None, wanted: Wanted, now: datetime) -> Proof:
    """Open what is given and check everything that can be checked without restoring. Raises Stopped and errors of `keys` when a part is none.

    Without a configuration, as on the machine of the safe, whose institution it is cannot be held against anything: that is then `unseen`.
    """
    identities = agefile.read_identities(wanted.identity)
    data = open_part(wanted.data, identities, archive.DATA, _scratch(config)) if wanted.data else None
    keys = open_part(wanted.keys, identities, archive.KEYS) if wanted.keys else None
    proof = Proof(unseen=[] if config else ["config"])
    for part in (data, keys):
        if part:
            if config:
                _own(config, part)
            told = {"at": part.index.at.isoformat(), "backup": part.index.backup, "manifest": part.manifest.version}
            proof.facts[part.part] = told | {"members": len(part.index.parts[part.part])}
    if data and keys:
        _together(data, keys)
    if keys and keys.index.keys_expired(now):
        proof.wrong.append("backup.keys_expired")
    if wanted.signer:
        _from(wanted.signer, data, keys)
    if data:
        _schema(data)
        _prove_ledger(data, proof)
    kek = _kek(config, wanted) if keys else None
    if keys is None or kek is None:
        proof.unseen += [*([] if wanted.signer else ["origin"]), "keyring", "cells", "tombstones"]
        return proof
    identity = identity_of(keys, kek)
    _from(journal_key(identity).public, data, keys)
    graves = dig(_places(config, wanted), keys.index.institution, journal_key(identity).public, keys.index.at)
    _prove_graves(data, keys, graves, proof)
    _prove_cells(data, keys, kek, proof)
    return proof


def restore(config: Config, wanted: Wanted, now: datetime) -> dict[str, Any]:
    """Bring a backup back to life in an empty place. Returns counts. Raises Stopped and errors of `keys`; then nothing was changed."""
    _empty(config)  # (1)
    if wanted.data is None or wanted.keys is None:
        raise Stopped("backup.absent")
    identities = agefile.read_identities(wanted.identity)
    keys = open_part(wanted.keys, identities, archive.KEYS)  # (2)
    data = open_part(wanted.data, identities, archive.DATA, _scratch(config))
    _own(config, data)  # (3)
    _own(config, keys)
    _together(data, keys)
    _schema(data)
    _young(keys, now)
    kek = open_kek(config.keys)
    identity = identity_of(keys, kek)  # (4)
    for key in filter(None, (journal_key(identity).public, wanted.signer)):
        _from(key, data, keys)
    graves = dig(_places(config, wanted), config.institution.id, journal_key(identity).public, data.index.at)
    if graves.has(data.index.journal):  # who was dead when it was made stands in the data part, and who died since would stand in this journal
        graves.until = max(graves.until, data.index.at)
    if wanted.lost_at and not max(data.index.at, keys.index.at, graves.until) <= wanted.lost_at.astimezone(UTC) <= now:
        raise Stopped("backup.lost_at", seen=max(data.index.at, keys.index.at, graves.until).isoformat(timespec="minutes"))
    proven = _newest(data, keys, graves, wanted.lost_at or now)  # (5)
    if not proven and not wanted.insist:
        raise Stopped("backup.tombstones_old", until=graves.until.isoformat(timespec="minutes"))
    chain = newer_than(keys.manifest, [place for place in _places(config, wanted) if place.is_dir()], now)
    return _write(config, data, keys, (identity, kek), graves, now, chain, proven=proven)


def _write(
    config: Config, data: Opened, keys: Opened, who: tuple[Identity, KekProvider], graves: Graves, now: datetime, chain: list[Manifest], *,
    proven: bool,
) -> dict[str, Any]:
    state = config.paths.state
    (state / UNFINISHED).write_text(data.index.backup)
    sync_folder(state)
    buried = graves.owners | {str(row["id"]) for row in data.rows("tables/tombstones.jsonl")}
    given = Restart(
        buried=frozenset(buried), made_at=data.index.at, known_until=graves.until, proven=proven, epochs=graves.epochs,
        manifests=(keys.manifest, *chain),
    )  # fmt: skip
    database, keys_database = Database(config.database.url), Database(config.database.keys_url)
    try:
        for each in (database, keys_database):
            snapshot.wipe(each)  # only what an interrupted restore had begun: (1) saw to it
        rows = [row for owner, row in wrapped_keys(keys).items() if owner not in buried]
        keys_database.run_now(lambda connection: snapshot.fill_keys(connection, rows))  # (6)
        database.run_now(lambda connection: snapshot.fill(connection, data.index.schema, data.tables()))
        doubts = graves.doubts if proven else graves.doubts | {f"{DOUBT}{now.astimezone(UTC).isoformat(timespec='seconds')}"}
        tombstones = _files(config, keys, given.manifests[-1], who[0], buried | doubts, now)
        store = _store(config, given.manifests[-1], who, database, keys_database, tombstones)
        told = store.run_now(lambda unit: restart(unit, given))  # (7)
        tombstones.bury_all([f"{EPOCH}{link}/{epoch}" for link, epoch in told.pop("epochs").items()], now)
        tombstones.pulse(now)
    finally:
        database.engine.dispose()
        keys_database.engine.dispose()
    told_until = graves.until.isoformat()
    write_note(config, {"at": now.isoformat(), "backup": data.index.backup, "tombstones_until": told_until, "proven": proven})
    (state / UNFINISHED).unlink()
    sync_folder(state)
    _log.warning("restore.done", count=len(rows))
    return {
        "backup": data.index.backup, "keys": len(rows), "buried": len(buried), "until": graves.until.isoformat(), "proven": proven,
        "manifest": given.manifests[-1].version, "lost": list(lacking(store.given.hand)), **told,
    }  # fmt: skip


def _files(config: Config, keys: Opened, manifest: Manifest, identity: Identity, buried: set[str], now: datetime) -> FileJournal:
    """Keyring, manifest and a journal of this machine that begins with everything that is dead. No device id: a new one is made (N12)."""
    for path, content in ((config.keyring_file, keys.read(KEYRING)), (config.paths.state / "manifest.json", manifest.raw)):
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    for suffix in (JOURNAL, PULSE):
        for old in streams(config.paths.state, config.institution.id, suffix).values():
            old.unlink()
    journal = FileJournal(config.institution.id, config.paths.state, config.paths.backups, journal_key(identity))
    journal.complete(sorted(buried), now)
    return journal


def _store(
    config: Config, manifest: Manifest, who: tuple[Identity, KekProvider], database: Database, keys_database: Database, journal: FileJournal
) -> Store:
    identity, kek = who
    hand = Hand(signer=identity.hub_signing, opening=identity.opening, manifest=manifest)
    given = Collaborators(
        me=institution(config), rules=rules(config), pack=pack_of(config), hand=hand, keys=DataKeys(kek, KeyTable(keys_database)),
        clock=SystemClock(), bury=journal.bury,
    )  # fmt: skip
    return Store(database, given, tell)


def read_note(config: Config) -> dict[str, Any] | None:
    """What is written down about the last restore here; None when there was none."""
    try:
        found = json.loads((config.paths.state / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_note(config: Config, told: dict[str, Any]) -> None:
    """Write it down, whole or not at all."""
    fresh = config.paths.state / f"{NOTE}.new"
    fresh.write_text(json.dumps(told), encoding="utf-8")
    fresh.replace(config.paths.state / NOTE)


def _empty(config: Config) -> None:
    """(1) Nothing of a hub is here, or only what an interrupted restore left. Raises Stopped `backup.not_empty`, `backup.no_state`."""
    state = config.paths.state
    if not state.is_dir():
        raise Stopped("backup.no_state")
    if (state / UNFINISHED).exists():
        return
    used = not all(snapshot.is_empty(url) for url in (config.database.url, config.database.keys_url))
    if used or any((state / name).exists() for name in ("device_id", "manifest.json")) or config.keyring_file.exists():
        raise Stopped("backup.not_empty")


def _own(config: Config, part: Opened) -> None:
    if part.index.institution != config.institution.id:
        raise Stopped("backup.other_institution", institution=part.index.institution)


def _from(key: VerifyKey, *parts: Opened | None) -> None:
    for part in parts:
        if part:
            part.check_origin(key)


def _together(data: Opened, keys: Opened) -> None:
    """The key part is of the same moment or of a later one: an older one would lack keys of what came after it."""
    if data.index.institution != keys.index.institution or set(data.manifest.profile.roots) != set(keys.manifest.profile.roots):
        raise Stopped("backup.other_institution", institution=keys.index.institution)
    if keys.index.at < data.index.at:
        raise Stopped("backup.keys_before_data")


def _schema(data: Opened) -> None:
    if not snapshot.known(data.index.schema):
        raise Stopped("database.newer")


def _young(keys: Opened, now: datetime) -> None:
    if keys.index.keys_expired(now):
        raise Stopped("backup.keys_expired", at=keys.index.at.date().isoformat())
    if keys.index.at - now > SLACK:
        raise Stopped("backup.from_the_future", at=keys.index.at.isoformat())


def _newest(data: Opened, keys: Opened, graves: Graves, lost_at: datetime) -> bool:
    """(5) Whether every destruction up to the loss is known: the journals hold what both indexes saw, and reach to the machine's last minutes."""
    return graves.reaches(data.index.journal) and graves.reaches(keys.index.journal) and graves.until >= lost_at.astimezone(UTC) - SLACK


def _places(config: Config | None, wanted: Wanted) -> Iterable[Path]:
    """Beside the parts, on the backup disk, in the state folder, and what was named."""
    folders = {path.resolve().parent for path in (wanted.data, wanted.keys) if path}
    ours = (config.paths.backups, config.paths.state) if config else ()
    usual = {path.resolve() for path in ours if path and path.is_dir()}
    return [*sorted(folders | usual), *wanted.tombstones]


def _kek(config: Config | None, wanted: Wanted) -> KekProvider | None:
    if wanted.kek:
        return FileKek.open(wanted.kek)
    with contextlib.suppress(ProviderError):
        return open_kek(config.keys) if config else None
    return None


def _scratch(config: Config | None) -> Path | None:
    return config.paths.state if config and config.paths.state.is_dir() else None


def _prove_ledger(data: Opened, proof: Proof) -> None:
    head: Head = ledger.genesis(data.index.institution)
    rows = sorted(data.rows("tables/ledger.jsonl"), key=lambda row: int(row["id"]))
    try:
        head = ledger.verify([ledger.Row(seq=r["id"], previous=r["previous"], entry=r["entry"], hash=r["hash"]) for r in rows], head)
    except LedgerBroken:
        proof.wrong.append("ledger.broken")
        return
    proof.facts["ledger"] = head.size
    if head != data.index.ledger:
        proof.wrong.append("ledger.broken")


def _prove_graves(data: Opened | None, keys: Opened, graves: Graves, proof: Proof) -> None:
    """What is buried now, and whether a key was still in the key part although it was dead when that was made."""
    dead = {str(row["id"]) for row in data.rows("tables/tombstones.jsonl") if row["confirmed_at"] is not None} if data else set()
    there = set(wrapped_keys(keys))
    proof.facts["tombstones"] = {"known": len(graves.owners), "until": graves.until.isoformat(), "later": len(there & graves.owners)}
    if there & dead:
        proof.wrong.append("backup.dead_key")
    if not (graves.reaches(keys.index.journal) and (data is None or graves.reaches(data.index.journal))):
        proof.wrong.append("backup.tombstones_old")


def _prove_cells(data: Opened | None, keys: Opened, kek: KekProvider, proof: Proof) -> None:
    """Every sealed value opens, or its key is dead."""
    if data is None:
        proof.unseen.append("cells")
        return
    rows = MemoryKeyRows()
    for owner, row in wrapped_keys(keys).items():
        rows.put(owner, row["wrapped"], data.index.at)
    vault = Vault(DataKeys(kek, rows), data.index.at)
    counts: Counter[str] = Counter()
    for table, found in data.tables():
        for row in found:
            for cell in cells_of(table, row):
                counts[_opens(vault, cell.owner, cell.place, cell.sealed)] += 1
    proof.facts["cells"] = {"open": counts["open"], "dead": counts["dead"], "broken": counts["broken"]}
    if counts["broken"]:
        proof.wrong.append("backup.cells_broken")


def _opens(vault: Vault, owner: str, place: str, sealed: bytes) -> str:
    try:
        vault.open(owner, place, sealed)
    except KeyDestroyed:
        return "dead"
    except (CannotOpen, KeysError):
        return "broken"
    return "open"
