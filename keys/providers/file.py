"""A KEK in a file of its own (0600) or in a systemd credential.

The file holds `tinkuy-kek-v1 ` and 64 hex digits. It must lie apart from the databases and their backups: whoever has both
reads everything. Opening refuses links, other owners and permissions wider than the owner's, because a key that others
could read must be taken as read.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

from keys.errors import KeyExists, ProviderError
from keys.primitives import SECRET_SIZE, random_bytes
from keys.providers.memory import MemoryKek

_FORM: Final = re.compile(rb"tinkuy-kek-v1 ([0-9a-f]{64})\n?")
CREDENTIALS_VARIABLE: Final = "CREDENTIALS_DIRECTORY"


class FileKek(MemoryKek):
    """Implements `KekProvider` over a file read once at start."""

    @property
    def name(self) -> str:
        return f"file {self._id.hex()}"

    @classmethod
    def create(cls, path: Path) -> FileKek:
        """Make a new key at `path`, 0600, on disk before this returns. `KeyExists` when anything is there already."""
        key = random_bytes(SECRET_SIZE)
        draft = path.with_name(f"{path.name}.{random_bytes(4).hex()}.new")
        try:
            _write_new(draft, b"tinkuy-kek-v1 " + key.hex().encode("ascii") + b"\n")
            # A link appears whole or not at all, and never over another file: no half-written key after a crash.
            os.link(draft, path)
            draft.unlink()
            sync_folder(path.parent)
        except FileExistsError:
            draft.unlink(missing_ok=True)
            raise KeyExists("there is a key-encryption key file already; it is never overwritten", code="kek.exists") from None
        except OSError as error:
            raise ProviderError(f"the key-encryption key file cannot be made: {error.strerror}") from None
        return cls(key)

    @classmethod
    def open(cls, path: Path) -> FileKek:
        """Read the key at `path`; `ProviderError` with what to do when absent, unsafe or not a key."""
        found = _FORM.fullmatch(read_private(path, "key-encryption key file"))
        if found is None:
            raise ProviderError("the key-encryption key file does not hold a key; restore it from its backup", code="kek.form")
        return cls(bytes.fromhex(found.group(1).decode("ascii")))

    @classmethod
    def credential(cls, name: str) -> FileKek:
        """Open the systemd credential `name` (`LoadCredentialEncrypted=` in the unit)."""
        folder = os.environ.get(CREDENTIALS_VARIABLE)
        if not folder or "/" in name:
            raise ProviderError("systemd passed no credentials; start the hub from its unit, or use a key file")
        return cls.open(Path(folder) / name)


def read_private(path: Path, what: str, *, limit: int = 4096) -> bytes:
    """The bytes of a file nobody but its owner can read. Checked on the open file, so it cannot be swapped in between."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ProviderError(f"the {what} cannot be opened: {error.strerror}") from None
    try:
        _check_safe(os.fstat(descriptor), what, credential=_is_credential(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


def _write_new(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a new or replaced name in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_credential(path: Path) -> bool:
    folder = os.environ.get(CREDENTIALS_VARIABLE)
    return bool(folder) and path.parent == Path(str(folder))


def _check_safe(found: os.stat_result, what: str, *, credential: bool) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise ProviderError(f"the {what} is not a plain file", code="kek.unsafe")
    if found.st_uid not in (os.geteuid(), 0):
        raise ProviderError(f"the {what} belongs to another user; give it to the hub's user", code="kek.unsafe")
    # systemd grants a credential to the unit's user by an ACL, whose mask shows as group-readable; nobody else is in it.
    allowed = 0o440 if credential and found.st_uid == 0 else 0o600
    if stat.S_IMODE(found.st_mode) & 0o777 & ~(allowed | 0o600):
        raise ProviderError(f"others could read or change the {what}; set it to 0600 and renew it", code="kek.unsafe")
