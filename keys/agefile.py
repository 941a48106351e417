"""Backups are age files (age-encryption.org/v1): X25519 recipients only, never a passphrase, so that nothing secret is typed to make one.

The machine that makes backups knows recipients alone and cannot read its own old ones; whoever holds the identity file can, with this program
or with `age -d`. age says nothing about who wrote a file: that is what the signed index inside is for (`keys.archive`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

import pyrage

from keys.errors import CannotOpen, Malformed, ProviderError, WrongKey
from keys.providers.file import read_private

_IDENTITY = "AGE-SECRET-KEY-1"
_MAX_FILE = 64 * 1024


def check_recipient(text: str) -> str:
    """An `age1…` X25519 recipient, as it was given. Raises `WrongKey` `backup.recipient`."""
    try:
        pyrage.x25519.Recipient.from_str(text)
    except Exception:  # pyrage raises its own and, for odd text, plain ones
        raise WrongKey("a backup's recipient is an age1… key as `age-keygen` prints it", code="backup.recipient") from None
    return text


def read_identities(path: Path) -> tuple[Any, ...]:
    """The X25519 identities of a file that only its owner can read, as `age-keygen -o` writes it. Raises `ProviderError`, `WrongKey`."""
    lines = read_private(path, "identity file", limit=_MAX_FILE).decode("ascii", "replace").splitlines()
    texts = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not texts or not all(text.startswith(_IDENTITY) for text in texts):
        raise ProviderError("the identity file holds no AGE-SECRET-KEY-1… line", code="backup.identity_form")
    try:
        return tuple(pyrage.x25519.Identity.from_str(text) for text in texts)
    except Exception:
        raise WrongKey("the identity file holds a line that is no age key", code="backup.identity_form") from None


def seal(plain: IO[bytes], sealed: IO[bytes], recipients: Iterable[str]) -> None:
    """Encrypt what `plain` gives into `sealed`, for every recipient. Raises `WrongKey` without any."""
    keys = [pyrage.x25519.Recipient.from_str(check_recipient(text)) for text in recipients]
    if not keys:
        raise WrongKey("a backup needs at least one recipient", code="backup.no_recipient")
    pyrage.encrypt_io(plain, sealed, keys)


def open_sealed(sealed: IO[bytes], plain: IO[bytes], identities: Iterable[Any]) -> None:
    """Decrypt `sealed` into `plain`; what was written before a failure must not be used.

    Raises `Malformed` `backup.not_age` for another kind of file, `CannotOpen` `backup.wrong_identity`, and `CannotOpen` `backup.damaged`
    when the file was cut or changed.
    """
    if sealed.read(22) != b"age-encryption.org/v1\n":
        raise Malformed("this is no age file", code="backup.not_age")
    sealed.seek(0)
    try:
        pyrage.decrypt_io(sealed, plain, list(identities))
    except Exception as error:
        if "No matching keys" in str(error):
            raise CannotOpen("this identity is none of those the backup was made for", code="backup.wrong_identity") from None
        raise CannotOpen("the backup was cut short or changed", code="backup.damaged") from None
