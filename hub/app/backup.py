"""`tinkuy backup create` and `list`: one backup is two age files, data and keys, that live apart (`docs/adr/0016`).

Safe beside a running hub: the data are read in one snapshot, then the keys, so that every datum has its key unless that was destroyed
meanwhile. Keys never touch the disk unsealed on their way; data do, in an unlinked file of the state folder, as sealed as they lie there anyway.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from hub.app.manifests_beside import lay_beside
from hub.app.offline import open_identity
from hub.base import logs
from hub.base.config import Config
from hub.base.errors import Stopped
from hub.store import snapshot
from hub.store.journal_files import beside, streams
from keys import agefile, archive, ledger
from keys.archive import Index, Member
from keys.codec import b64
from keys.journal import Mark, end, genesis, journal_key, read
from keys.ledger import Head
from keys.manifest import Manifest
from keys.primitives import VerifyKey
from keys.providers.file import sync_folder

_log = logs.get("backup")
INDEX, MANIFEST, SIGNER, KEYRING, KEY_ROWS, TABLES = "index", "manifest.json", "signer", "keyring.json", "keys.jsonl", "tables/"
_NAME = re.compile(r"tinkuy-(?P<institution>[a-z0-9._-]+)-(?P<at>\d{8}T\d{6}Z)\.(?P<part>data|keys)\.age")
_TIME = "%Y%m%dT%H%M%SZ"
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of a backup, by its name: nothing inside it was looked at."""

    path: Path
    institution: str
    at: datetime
    part: str
    size: int


def create(config: Config, recipients: Iterable[str], folder: Path, keys_folder: Path, now: datetime) -> dict[str, Any]:
    """Make a backup, drop parts that are too old, and bring the tombstone journal beside it.

    Raises Stopped `backup.no_manifest`, `backup.exists`, `backup.schema_behind`, `database.newer`; errors of `keys`.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    to = tuple(agefile.check_recipient(text) for text in recipients)
    manifest = config.paths.state / "manifest.json"
    if not manifest.exists():
        raise Stopped("backup.no_manifest")
    identity, _ = open_identity(config)
    name = f"tinkuy-{config.institution.id}-{now.strftime(_TIME)}"
    data_path, keys_path = folder / f"{name}.{archive.DATA}.age", keys_folder / f"{name}.{archive.KEYS}.age"
    for each in (folder, keys_folder):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
    if data_path.exists() or keys_path.exists():
        raise Stopped("backup.exists")
    with tempfile.TemporaryFile(dir=config.paths.state) as spool, io.BytesIO() as secret:
        data, keys = _Tar(spool), _Tar(secret)
        heads: list[Head] = [ledger.genesis(config.institution.id)]
        schema = snapshot.read_data(config.database.url, lambda table, lines: _table(config, data, heads, table, lines))
        data.add(MANIFEST, manifest.read_bytes())
        signer = journal_key(identity).public
        mark = _keys(config, keys, manifest, signer)
        for tar in (data, keys):
            tar.add(SIGNER, signer.raw)
        index = Index(
            institution=config.institution.id, backup=name, at=now, schema=schema, ledger=heads[-1], journal=mark,
            parts={archive.DATA: data.members, archive.KEYS: keys.members},
        )  # fmt: skip
        signed = archive.sign_index(index, identity.hub_signing, journal_key(identity))
        archive.read_index(signed, Manifest.from_bytes(manifest.read_bytes()), signer)  # what does not open is no backup: before one is dropped
        for tar, path in ((keys, keys_path), (data, data_path)):
            tar.close(signed)
            _seal(tar.file, path, to)
        lay_beside(config, Manifest.from_bytes(manifest.read_bytes()), folder)
        beside(config.institution.id, config.paths.state, folder)
    dropped = prune(config, folder, keys_folder, now)
    rows = sum(member.rows for member in data.members.values())
    return {
        "backup": name, "data": str(data_path), "keys": str(keys_path), "rows": rows, "dropped": [str(p.path) for p in dropped],
        "signer": b64(signer.raw),
    }  # fmt: skip


def prune(config: Config, folder: Path, keys_folder: Path, now: datetime) -> list[Part]:
    """Remove our key parts older than seven days, wherever of the two folders they lie, and data parts older than `backup.keep_days`."""
    dropped = []
    for part in found(folder, keys_folder):
        life = archive.KEY_LIFE if part.part == archive.KEYS else timedelta(days=config.backup.keep_days or 36500)
        if part.institution == config.institution.id and now - part.at > life:
            part.path.unlink(missing_ok=True)
            dropped.append(part)
    return dropped


def prune_keys(config: Config, now: datetime) -> None:
    """What the running hub does by itself, so that no key part outlives its week because nobody made a backup. A disk that is away can wait."""
    if config.paths.backups is not None:
        keys_folder = config.backup.keys_folder or config.paths.backups / "keys"
        try:
            prune(config, config.paths.backups, keys_folder, now)
        except OSError as error:
            _log.warning("backup.not_pruned", error=error)


def found(*folders: Path) -> list[Part]:
    """The parts that lie in these folders, oldest first."""
    parts = {}
    for folder in folders:
        for path in folder.glob("tinkuy-*.age") if folder.is_dir() else ():
            name = _NAME.fullmatch(path.name)
            if name:
                at = datetime.strptime(name["at"], _TIME).replace(tzinfo=UTC)
                parts[path.resolve()] = Part(path=path, institution=name["institution"], at=at, part=name["part"], size=path.stat().st_size)
    return sorted(parts.values(), key=lambda part: (part.at, part.part))


def backup_settings(config: Config) -> list[str]:
    """The settings by which a running hub keeps backups, as they are compared with those in the file."""
    return [str(config.paths.backups or ""), str(config.backup.keys_folder or ""), str(config.backup.keep_days)]


def newest(config: Config) -> datetime | None:
    """When the last backup with both parts was made, by the names in the configured folders."""
    folder = config.paths.backups
    if folder is None:
        return None
    parts = [p for p in found(folder, config.backup.keys_folder or folder / "keys") if p.institution == config.institution.id]
    return max({p.at for p in parts if p.part == archive.DATA} & {p.at for p in parts if p.part == archive.KEYS}, default=None)


def digest_of(file: IO[bytes]) -> str:
    """SHA-256 of the rest of a file, which need not fit into memory."""
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()


class _Tar:
    """A part while it is made: members with their digests, the signed index at the end."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.members: dict[str, Member] = {}
        self._tar = tarfile.TarFile(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name: str, data: bytes, rows: int = 0) -> None:
        self.add_file(name, io.BytesIO(data), rows)

    def add_file(self, name: str, file: IO[bytes], rows: int) -> None:
        file.seek(0)
        self.members[name] = Member(sha256=digest_of(file), size=file.seek(0, os.SEEK_END), rows=rows)
        file.seek(0)
        self._put(name, file, self.members[name].size)

    def close(self, signed: bytes) -> None:
        self._put(INDEX, io.BytesIO(signed), len(signed))
        self._tar.close()
        self.file.seek(0)

    def _put(self, name: str, file: IO[bytes], size: int) -> None:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o600
        self._tar.addfile(entry, file)


def _table(config: Config, tar: _Tar, heads: list[Head], table: str, lines: Iterator[bytes]) -> None:
    with tempfile.TemporaryFile(dir=config.paths.state) as file:
        rows = snapshot.copy_lines(lines, file)
        if table == "ledger" and rows:
            file.seek(0)
            last = max(snapshot.rows_of(file), key=lambda row: int(row["id"]))
            heads.append(Head(size=last["id"], hash=last["hash"]))
        tar.add_file(f"{TABLES}{table}.jsonl", file, rows)


def _keys(config: Config, tar: _Tar, manifest: Path, key: VerifyKey) -> Mark:
    """The key store without what is condemned: a key whose tombstone is written dies in this very moment. Returns how far the journal goes."""
    lines = list(snapshot.read_keys(config.database.keys_url))
    buried, mark = _journal(config, key)
    kept = [line for line, row in zip(lines[1:], snapshot.rows_of(lines), strict=True) if row["owner"] not in buried]
    tar.add(KEY_ROWS, b"".join(line + b"\n" for line in (lines[0], *kept)), rows=len(kept))
    tar.add(KEYRING, config.keyring_file.read_bytes())
    tar.add(MANIFEST, manifest.read_bytes())
    return mark


def _journal(config: Config, key: VerifyKey) -> tuple[set[str], Mark]:
    """Who is buried, and how far this machine's journal goes. Of two that a cut start left, all bury, and the hub goes on with the first."""
    here = config.institution.id
    said = {stream: read(path.read_bytes(), here, stream, key) for stream, path in streams(config.paths.state, here).items()}
    buried = {one.owner for lines in said.values() for one, _ in lines}
    return buried, next((end(lines, here, stream) for stream, lines in said.items()), genesis(here, "0" * 16))


def _seal(plain: IO[bytes], path: Path, recipients: tuple[str, ...]) -> None:
    """Write the age file whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
            agefile.seal(plain, file, recipients)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


__all__ = ["INDEX", "KEYRING", "KEY_ROWS", "MANIFEST", "SIGNER", "TABLES", "Part", "create", "found", "newest", "prune", "prune_keys"]
