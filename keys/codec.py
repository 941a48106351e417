"""Strict binary reading, strict base64, and time as text: what every format here is written with.

A reader hands out exactly what was asked for and refuses a short or a long input, so that what parses prints back identically.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Any, Final

from keys.errors import Malformed, TooLarge

ID_PATTERN: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
"""Institution ids: lower case, 1 to 64 characters, no `|`, no `/`, so that they are safe inside AADs and file names."""
KIND_PATTERN: Final = re.compile(r"[a-z](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Reader:
    """Take fields one after another from `data`; any shortage is `Malformed`."""

    def __init__(self, data: bytes, what: str) -> None:
        self._data, self._at, self._what = data, 0, what

    def take(self, size: int) -> bytes:
        end = self._at + size
        if size < 0 or end > len(self._data):
            raise Malformed(f"the {self._what} is cut short", code="bytes.short")
        part, self._at = self._data[self._at : end], end
        return part

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def block(self, size_bytes: int, limit: int) -> bytes:
        size = self.number(size_bytes)
        if size > limit:
            raise TooLarge(f"a part of the {self._what} is longer than {limit} bytes")
        return self.take(size)

    def text(self, size_bytes: int, limit: int) -> str:
        try:
            return self.block(size_bytes, limit).decode("utf-8")
        except UnicodeDecodeError:
            raise Malformed(f"a text in the {self._what} is not UTF-8") from None

    def end(self) -> None:
        if self._at != len(self._data):
            raise Malformed(f"the {self._what} goes on after its end", code="bytes.trailing")


def block(size_bytes: int, data: bytes) -> bytes:
    """`data` behind its length in `size_bytes` bytes, big endian."""
    try:
        return len(data).to_bytes(size_bytes, "big") + data
    except OverflowError:
        raise TooLarge(f"a part of {len(data)} bytes does not fit its length field") from None


def b64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: Any, what: str, *, size: int | None = None) -> bytes:
    """Strict inverse of `b64`: one spelling per value, since two spellings of one signature would be two messages."""
    if not isinstance(text, str):
        raise Malformed(f"the {what} is not base64 text")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(f"the {what} is not base64") from None
    if b64(data) != text or (size is not None and len(data) != size):
        raise Malformed(f"the {what} has the wrong length or spelling")
    return data


def check_id(value: Any, what: str, pattern: re.Pattern[str] = ID_PATTERN) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Malformed(f"the {what} has a form that is not allowed")
    return value


def aware(moment: datetime) -> datetime:
    """`moment` in UTC; a naive clock reading is a bug here, never a guess."""
    if moment.tzinfo is None:
        raise Malformed("a time without a zone was handed in")
    return moment.astimezone(UTC)


def time_text(moment: datetime) -> str:
    """RFC 3339 in UTC to the second."""
    return aware(moment).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")


def time_value(text: Any, what: str) -> datetime:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise Malformed(f"the {what} is not a time like 2026-01-31T12:00:00Z")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Malformed(f"the {what} is not a date that exists") from None


def moment(seconds: int) -> datetime:
    """Whole seconds since 1970 as an aware time; `Malformed` for one no calendar holds."""
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (OverflowError, OSError, ValueError):
        raise Malformed("a time stands outside every calendar") from None
