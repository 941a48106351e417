"""A backup's part, opened and held against its signed index: what `verify` and `restore` both begin with.

The key part is opened in memory only; the data part in an unlinked file. Everything is checked before anything of it is used.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hub.app.backup import INDEX, KEY_ROWS, KEYRING, MANIFEST, SIGNER, TABLES, digest_of
from hub.base.errors import Stopped
from hub.store import snapshot
from keys import agefile, archive, strictjson
from keys.archive import Index, read_index
from keys.codec import unb64
from keys.errors import KeysError
from keys.identity import Identity, load_identity
from keys.journal import journal_key
from keys.kek import KekProvider
from keys.keyring import Keyring, MemoryRows
from keys.manifest import Manifest
from keys.primitives import VerifyKey

_IN_MEMORY = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One part whose every byte is what its index says."""

    part: str
    index: Index
    manifest: Manifest
    tar: tarfile.TarFile
    signed: bytes
    """The index as it was signed."""

    def check_origin(self, key: VerifyKey) -> None:
        """Raises Stopped `backup.foreign_signer` unless this key made it: not that of the manifest inside, which whoever forges brings along."""
        try:
            archive.check_origin(self.signed, key)
        except KeysError:
            raise Stopped("backup.foreign_signer") from None

    def read(self, name: str) -> bytes:
        """A small member, whole."""
        return _member(self.tar, name).read()

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """The rows of a table's member. Raises Stopped `backup.damaged`."""
        try:
            yield from snapshot.rows_of(_member(self.tar, name))
        except (ValueError, TypeError, KeyError):
            raise Stopped("backup.damaged") from None

    def tables(self) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
        """Every table of the data part."""
        for name in sorted(self.index.parts[archive.DATA]):
            if name.startswith(TABLES):
                yield name.removeprefix(TABLES).removesuffix(".jsonl"), self.rows(name)


def open_part(path: Path, identities: Iterable[Any], part: str, scratch: Path | None = None) -> Opened:
    """Open and check one part.

    Raises Stopped `backup.absent`, `backup.other_part`, `backup.damaged`, `backup.other_institution`, `backup.newer`; errors of `keys`:
    `backup.not_age`, `backup.wrong_identity`, `keys.bad_signature`.
    """
    plain: IO[bytes] = io.BytesIO() if part == archive.KEYS else _spool(scratch)
    try:
        with path.open("rb") as sealed:
            agefile.open_sealed(sealed, plain, identities)
    except OSError:
        raise Stopped("backup.absent") from None
    plain.seek(0)
    try:
        tar = tarfile.TarFile(fileobj=plain, mode="r")
        names = tar.getnames()
    except tarfile.TarError:
        raise Stopped("backup.damaged") from None
    if INDEX not in names or MANIFEST not in names:
        raise Stopped("backup.damaged")
    manifest = Manifest.from_bytes(_member(tar, MANIFEST).read())
    signed = _member(tar, INDEX).read()
    known = [VerifyKey(_member(tar, SIGNER).read())] if SIGNER in names else []
    index = read_index(signed, manifest, *known)
    _check(tar, names, index, part)
    return Opened(part=part, index=index, manifest=manifest, tar=tar, signed=signed)


def _check(tar: tarfile.TarFile, names: list[str], index: Index, part: str) -> None:
    """Each member has its size and digest, and there is neither one more nor one less."""
    other = archive.KEYS if part == archive.DATA else archive.DATA
    there = sorted(name for name in names if name != INDEX)
    if there != sorted(index.parts[part]):
        raise Stopped("backup.other_part" if there == sorted(index.parts[other]) else "backup.damaged")
    for name, member in index.parts[part].items():
        file = _member(tar, name)
        if (tar.getmember(name).size, digest_of(file)) != (member.size, member.sha256):
            raise Stopped("backup.damaged")


def _spool(scratch: Path | None) -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(scratch) if scratch else None)


def identity_of(keys: Opened, kek: KekProvider) -> Identity:
    """The institution's identity out of the key part, opened by the KEK and held against who signed the part.

    Raises Stopped `backup.wrong_kek`, `backup.damaged`, `backup.foreign_signer`.
    """
    try:
        found: Any = strictjson.loads(keys.read(KEYRING), max_depth=3)
        rows = MemoryRows()
        for name, wrapped in found["rows"].items():
            rows.put(name, unb64(wrapped, "keyring row"))
    except (KeysError, KeyError, TypeError, AttributeError):
        raise Stopped("backup.damaged") from None
    try:
        identity = load_identity(Keyring(keys.index.institution, kek, rows))
    except KeysError:
        raise Stopped("backup.wrong_kek") from None
    keys.check_origin(journal_key(identity).public)  # not the manifest's key: a hub that took its manifest back may lack that one
    return identity


def wrapped_keys(keys: Opened) -> dict[str, dict[str, Any]]:
    """owner → row of the key store."""
    return {str(row["owner"]): row for row in keys.rows(KEY_ROWS)}


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    file = tar.extractfile(name)
    if file is None:
        raise Stopped("backup.damaged")
    return file
