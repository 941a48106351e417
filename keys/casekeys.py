"""The key store: one data key per case, disclosure or referral, and what destroying it means (keys.md 3).

An *owner* is whatever is shredded as one: a case, a disclosure, a referral. Its key lies apart from its data, wrapped by the
KEK; destroying the key is what retention and withdrawal do. A missing key therefore is an answer, `KeyDestroyed`, and never a
reason to make a new one.

    wrapped key  = KEK wrap, aad join("TINKUY-v1 owner key", owner, what)
    sealed field = 0x01 | key version (2) | AES-256-GCM, aad join("TINKUY-v1 cell", table, row, column, owner, key version)

so a cell copied to another row, column, table or case does not open.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from keys.codec import aware
from keys.errors import CannotOpen, KeyDestroyed, KeyExists, Malformed
from keys.kek import KekProvider
from keys.primitives import SECRET_SIZE, aead_open, aead_seal, hkdf, join, random_bytes, sha256

KEY_VERSION: Final = 1
_FORMAT: Final = b"\x01"
_CACHE_SIZE: Final = 256
_DATA_KEY: Final = b"data key"
_SECRET: Final = b"secret"


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Where a sealed value stands: table, row id, column."""

    table: str
    row: str
    column: str

    def aad(self, owner: str, key_version: int) -> bytes:
        names = (self.table, self.row, self.column, owner)
        return join(b"TINKUY-v1 cell", *(name.encode("utf-8") for name in names), key_version.to_bytes(2, "big"))


class KeyRows(Protocol):
    """The key store's rows, owner -> wrapped key. `put` refuses nothing; `delete` of an absent owner is fine."""

    def get(self, owner: str) -> bytes | None: ...
    def put(self, owner: str, wrapped: bytes, created: datetime) -> None: ...
    def delete(self, owner: str) -> None: ...
    def owners(self) -> Iterable[str]: ...
    def swap(self, owner: str, wrapped: bytes) -> None: ...


class KeyCache:
    """At most 256 unwrapped keys, for providers where each unwrap is a round trip. Share one between units of work.

    Entries are looked up by owner *and* the hash of the wrapped row just read, so that a key destroyed by another process, or
    one whose destruction is still uncommitted here, never opens anything from memory.
    """

    def __init__(self, size: int = _CACHE_SIZE) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._keys: OrderedDict[str, tuple[bytes, bytes]] = OrderedDict()

    def get(self, owner: str, row_hash: bytes) -> bytes | None:
        with self._lock:
            found = self._keys.get(owner)
            if found is None or found[0] != row_hash:
                return None
            self._keys.move_to_end(owner)
            return found[1]

    def put(self, owner: str, row_hash: bytes, key: bytes) -> None:
        with self._lock:
            self._keys[owner] = (row_hash, key)
            self._keys.move_to_end(owner)
            while len(self._keys) > self._size:
                self._keys.popitem(last=False)

    def forget(self, owner: str) -> None:
        with self._lock:
            self._keys.pop(owner, None)

    def __len__(self) -> int:
        return len(self._keys)


class DataKeys:
    """Seal and open values by owner; destroy an owner's key. Raises `KeyDestroyed` for every owner without one."""

    def __init__(self, kek: KekProvider, rows: KeyRows, cache: KeyCache | None = None) -> None:
        self._kek = kek
        self._rows = rows
        self._cache = cache if cache is not None else KeyCache()

    def exists(self, owner: str) -> bool:
        return self._rows.get(_owned(owner)) is not None

    def create(self, owner: str, now: datetime) -> None:
        """A fresh data key for a new owner; `KeyExists` otherwise. Commit it before the data it will seal."""
        self._store(owner, _DATA_KEY, random_bytes(SECRET_SIZE), now)

    def seal(self, owner: str, cell: Cell, plaintext: bytes) -> bytes:
        """The sealed cell, 31 bytes longer than `plaintext`."""
        key = self._load(owner, _DATA_KEY)
        return _FORMAT + KEY_VERSION.to_bytes(2, "big") + aead_seal(key, plaintext, cell.aad(owner, KEY_VERSION))

    def open(self, owner: str, cell: Cell, sealed: bytes) -> bytes:
        """The plaintext; `CannotOpen` when the cell was changed or moved, `KeyDestroyed` when its key is gone."""
        key = self._load(owner, _DATA_KEY)
        if sealed[:1] != _FORMAT or len(sealed) < 3:
            raise CannotOpen("the sealed cell has a form this release does not know")
        version = int.from_bytes(sealed[1:3], "big")
        return aead_open(key, sealed[3:], cell.aad(owner, version))

    def derive(self, owner: str, purpose: bytes) -> bytes:
        """32 bytes for something else than sealing cells, bound to the owner's data key and to `purpose`."""
        return hkdf(self._load(owner, _DATA_KEY), info=join(b"TINKUY-v1 derived", owner.encode("utf-8"), purpose))

    def put_secret(self, owner: str, secret: bytes, now: datetime) -> None:
        """Keep 32 given bytes (a referral's private opening key) as this owner's key; `KeyExists` when it has one."""
        if len(secret) != SECRET_SIZE:
            raise Malformed(f"a secret of the key store is {SECRET_SIZE} bytes")
        self._store(owner, _SECRET, secret, now)

    def get_secret(self, owner: str) -> bytes:
        return self._load(owner, _SECRET)

    def destroy(self, owner: str) -> bool:
        """Delete the wrapped key and forget it; True when there was one. Repeating it is fine.

        The bytes leave the disk as the store's page says (secure_delete and VACUUM, or VACUUM FULL) and backups in 7 days.
        """
        there = self.exists(owner)
        self._rows.delete(_owned(owner))
        self._cache.forget(owner)
        return there

    def owners(self) -> tuple[str, ...]:
        return tuple(sorted(self._rows.owners()))

    def rewrap(self, new: KekProvider) -> tuple[int, int]:
        """Every key under `new`, row by row; safe to repeat after a kill in the middle. Returns how many were moved, and how many had been.

        Raises `CannotOpen` at the first row that neither opens: nothing of it is changed.
        """
        moved = before = 0
        for owner in self.owners():
            row = self._rows.get(owner)
            if row is None:  # destroyed meanwhile: it stays destroyed
                continue
            if _opened(new, row, owner) is not None:
                before += 1
                continue
            found = _opened(self._kek, row, owner)
            if found is None:
                raise CannotOpen("a key of the key store opens neither with the old nor with the new key-encryption key", code="kek.other")
            self._rows.swap(owner, new.wrap(found[1], _aad(owner, found[0])))
            moved += 1
        return moved, before

    def _store(self, owner: str, what: bytes, secret: bytes, now: datetime) -> None:
        if self.exists(owner):
            raise KeyExists("this owner has a key already; ids are never used twice")
        self._rows.put(owner, self._kek.wrap(secret, _aad(owner, what)), aware(now))

    def _load(self, owner: str, what: bytes) -> bytes:
        # The row is read each time, also when the key is cached: the row's absence is what shredding means.
        row = self._rows.get(_owned(owner))
        if row is None:
            self._cache.forget(owner)
            raise KeyDestroyed("the key of this record was destroyed; what it sealed cannot be read again")
        row_hash = sha256(b"TINKUY-v1 row", what, row)
        key = self._cache.get(owner, row_hash)
        if key is None:
            key = self._kek.unwrap(row, _aad(owner, what))
            self._cache.put(owner, row_hash, key)
        return key


def _aad(owner: str, what: bytes) -> bytes:
    return join(b"TINKUY-v1 owner key", owner.encode("utf-8"), what)


def _opened(kek: KekProvider, row: bytes, owner: str) -> tuple[bytes, bytes] | None:
    """What kind of key the row holds, and the key; None when `kek` does not open it."""
    for what in (_DATA_KEY, _SECRET):
        try:
            return what, kek.unwrap(row, _aad(owner, what))
        except CannotOpen:
            continue
    return None


def _owned(owner: str) -> str:
    if not owner or len(owner) > 200 or not owner.isprintable():
        raise Malformed("a key's owner is a short printable id")
    return owner


class MemoryKeyRows:
    """`KeyRows` in a dictionary: the twin that ships with the product."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[bytes, datetime]] = {}

    def get(self, owner: str) -> bytes | None:
        found = self._rows.get(owner)
        return None if found is None else found[0]

    def put(self, owner: str, wrapped: bytes, created: datetime) -> None:
        self._rows[owner] = (wrapped, created)

    def delete(self, owner: str) -> None:
        self._rows.pop(owner, None)

    def swap(self, owner: str, wrapped: bytes) -> None:
        if owner in self._rows:
            self._rows[owner] = (wrapped, self._rows[owner][1])

    def owners(self) -> Iterable[str]:
        return tuple(self._rows)
