"""The institution's lasting secrets: named random 32-byte values, each wrapped by the KEK with AAD `institution|name|version`.

Nothing is derived from a passphrase, so every provider behaves alike. The AAD binds a wrapped secret to its place: a row
copied to another name, another institution or back from an older version does not open. Rows come through a Protocol;
`MemoryRows` and `FileRows` ship here, and the hub may bring its own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, Protocol

from keys import strictjson
from keys.codec import b64, check_id, unb64
from keys.errors import CannotOpen, KeyExists, KeyMissing, Malformed, WrongKey
from keys.kek import KekProvider
from keys.primitives import SECRET_SIZE, random_bytes
from keys.providers.file import read_private, sync_folder

NAME_PATTERN: Final = re.compile(r"[a-z0-9](?:[a-z0-9._/:-]{0,94}[a-z0-9])?")
_VERSION_SIZE: Final = 4
_MAX_FILE: Final = 1 << 20


class WrappedRows(Protocol):
    """Named rows of wrapped bytes. `put` is durable when it returns; `delete` of an absent name is fine."""

    def get(self, name: str) -> bytes | None: ...
    def put(self, name: str, wrapped: bytes) -> None: ...
    def delete(self, name: str) -> None: ...
    def names(self) -> Iterable[str]: ...


class Keyring:
    """One institution's named secrets. Row = version (4 bytes) | wrapped secret."""

    def __init__(self, institution: str, kek: KekProvider, rows: WrappedRows) -> None:
        self._institution = check_id(institution, "institution id")
        self._kek = kek
        self._rows = rows

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._rows.names()))

    def has(self, name: str) -> bool:
        return self._rows.get(_named(name)) is not None

    def version(self, name: str) -> int:
        """Of the secret under `name`, from 1; `KeyMissing` when there is none."""
        return int.from_bytes(self._row(name)[:_VERSION_SIZE], "big")

    def get(self, name: str) -> bytes:
        """The 32 bytes; `KeyMissing` when absent, `CannotOpen` when the row is not this institution's, name's or version's."""
        row = self._row(name)
        version = int.from_bytes(row[:_VERSION_SIZE], "big")
        return self._kek.unwrap(row[_VERSION_SIZE:], self._aad(name, version))

    def create(self, name: str, secret: bytes | None = None) -> bytes:
        """A new random secret (or the given one) under a free name; `KeyExists` otherwise."""
        if self.has(name):
            raise KeyExists(f"there is a secret `{name}` already; rotate it instead")
        return self._put(name, secret, 1)

    def get_or_create(self, name: str) -> bytes:
        """The secret under `name`, made at first use."""
        return self.get(name) if self.has(name) else self.create(name)

    def rotate(self, name: str, secret: bytes | None = None) -> bytes:
        """A new secret in the place of the old, which is gone after this. Returns the new one."""
        return self._put(name, secret, self.version(name) + 1)

    def delete(self, name: str) -> None:
        self._rows.delete(_named(name))

    def rewrap(self, new: KekProvider) -> Keyring:
        """Every row under `new`, and a keyring that uses it. Safe to repeat: rows already under `new` stay.

        A crash in between leaves rows under both; run it again with both providers.
        """
        for name in self.names():
            row = self._row(name)
            aad = self._aad(name, int.from_bytes(row[:_VERSION_SIZE], "big"))
            if not _opens(new, row[_VERSION_SIZE:], aad):
                secret = self._kek.unwrap(row[_VERSION_SIZE:], aad)
                self._rows.put(name, row[:_VERSION_SIZE] + new.wrap(secret, aad))
        return Keyring(self._institution, new, self._rows)

    def _row(self, name: str) -> bytes:
        row = self._rows.get(_named(name))
        if row is None or len(row) <= _VERSION_SIZE:
            raise KeyMissing(f"there is no secret `{name}`; restore the keyring or run `tinkuy init`")
        return row

    def _put(self, name: str, secret: bytes | None, version: int) -> bytes:
        secret = random_bytes(SECRET_SIZE) if secret is None else secret
        if len(secret) != SECRET_SIZE:
            raise WrongKey(f"a secret of the keyring is {SECRET_SIZE} bytes")
        wrapped = self._kek.wrap(secret, self._aad(name, version))
        self._rows.put(_named(name), version.to_bytes(_VERSION_SIZE, "big") + wrapped)
        return secret

    def _aad(self, name: str, version: int) -> bytes:
        # Neither an institution id nor a name may hold `|`, so the three parts cannot be shifted into each other.
        return f"{self._institution}|{_named(name)}|{version}".encode("ascii")


def _named(name: str) -> str:
    return check_id(name, "secret's name", NAME_PATTERN)


def _opens(kek: KekProvider, wrapped: bytes, aad: bytes) -> bool:
    try:
        kek.unwrap(wrapped, aad)
    except CannotOpen:
        return False
    return True


class MemoryRows:
    """`WrappedRows` in a dictionary."""

    def __init__(self) -> None:
        self._rows: dict[str, bytes] = {}

    def get(self, name: str) -> bytes | None:
        return self._rows.get(name)

    def put(self, name: str, wrapped: bytes) -> None:
        self._rows[name] = wrapped

    def delete(self, name: str) -> None:
        self._rows.pop(name, None)

    def names(self) -> Iterable[str]:
        return tuple(self._rows)


class FileRows:
    """`WrappedRows` in one JSON file, 0600, replaced whole: after a crash either the old or the new file is there (R04).

    `step` is called with a point's name before each point where a crash could fall; tests raise from it.
    """

    def __init__(self, path: Path, *, step: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._step = step
        self._rows = _load(path) if path.exists() else {}

    def get(self, name: str) -> bytes | None:
        return self._rows.get(name)

    def put(self, name: str, wrapped: bytes) -> None:
        self._replace({**self._rows, name: wrapped})

    def delete(self, name: str) -> None:
        if name in self._rows:
            self._replace({key: value for key, value in self._rows.items() if key != name})

    def names(self) -> Iterable[str]:
        return tuple(self._rows)

    def _replace(self, rows: dict[str, bytes]) -> None:
        data = strictjson.dumps({"version": 1, "rows": {key: b64(value) for key, value in rows.items()}})
        draft = self._path.with_name(self._path.name + ".new")
        draft.unlink(missing_ok=True)
        self._step("write")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            self._step("sync")
            os.fsync(file.fileno())
        self._step("replace")
        draft.replace(self._path)
        self._rows = rows
        self._step("sync folder")
        sync_folder(self._path.parent)


def _load(path: Path) -> dict[str, bytes]:
    found: Any = strictjson.loads(read_private(path, "keyring file", limit=_MAX_FILE), max_bytes=_MAX_FILE, max_depth=3)
    if not isinstance(found, dict) or set(found) != {"version", "rows"} or found["version"] != 1:
        raise Malformed("the keyring file is not of version 1; restore it from its backup")
    if not isinstance(found["rows"], dict):
        raise Malformed("the keyring file holds no rows; restore it from its backup")
    return {name: unb64(value, "keyring row") for name, value in found["rows"].items()}
