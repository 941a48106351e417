"""One hub-to-hub message as bytes: `Inner` and its length-prefixed frame, strict both ways (design.md 5).

Layout, integers big endian:

    b"TKF" 01 | message id (16) | epoch (4) | sequence (8) | manifest version (4) | sent at, ms since 1970 (8)
    | previous hash (32) | sender (1+n) | recipient (1+n) | link (1+n) | kind (1+n) | body (4+n) | checkpoint (4+n)
    | number of extensions (2) | per extension: key (1+n), value (4+n), keys strictly ascending

Every value has one spelling, so `frame(parse_frame(x)) == x` for all x that parse. Extensions are the place where a newer
hub may add header keys: an older one keeps them and reads past them (style.md 16).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from keys.codec import ID_PATTERN, KIND_PATTERN, Reader, block, check_id
from keys.errors import Malformed, TooLarge

MAGIC: Final = b"TKF\x01"
MAX_FRAME: Final = 32 * 1024
MAX_EXTENSIONS: Final = 16
MESSAGE_ID_SIZE: Final = 16
HASH_SIZE: Final = 32
NO_PREVIOUS: Final = bytes(HASH_SIZE)
"""The previous hash of the first message of an epoch."""
LINK_PATTERN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._~-]{0,126}[A-Za-z0-9])?")
_U32: Final = 2**32 - 1
_TIME_MAX: Final = 2**53 - 1


@dataclass(frozen=True, kw_only=True)
class Inner:
    """What one hub says to one other, before signing and sealing. Both identities stand inside (X21)."""

    message_id: bytes
    """16 random bytes; the receiver's key for `seen`."""
    sender: str
    recipient: str
    link: str
    """The pair's own id; outlives the room (X22)."""
    epoch: int
    """Of this direction; a restore starts the next one."""
    sequence: int
    """Of this direction and epoch, from 1; 0 for what is unsequenced (acks)."""
    previous: bytes
    """Digest of the signed message before this one in this direction and epoch, 32 bytes; zeros for the first."""
    manifest_version: int
    kind: str
    body: bytes
    sent_at: int
    """Milliseconds since 1970, the sender's clock; shown, never decided on (R05)."""
    checkpoint: bytes = b""
    """The sender's latest signed ledger checkpoint, or empty."""
    extensions: tuple[tuple[str, bytes], ...] = ()

    def __post_init__(self) -> None:
        check_id(self.sender, "sender")
        check_id(self.recipient, "recipient")
        check_id(self.link, "link id", LINK_PATTERN)
        check_id(self.kind, "message kind", KIND_PATTERN)
        _check_size(self.message_id, MESSAGE_ID_SIZE, "message id")
        _check_size(self.previous, HASH_SIZE, "previous hash")
        _check_number(self.epoch, _U32, "epoch")
        _check_number(self.sequence, _TIME_MAX, "sequence")
        _check_number(self.manifest_version, _U32, "manifest version")
        _check_number(self.sent_at, _TIME_MAX, "sending time")
        _check_extensions(self.extensions)

    def extension(self, key: str) -> bytes | None:
        """The value under `key`, or None."""
        return dict(self.extensions).get(key)


def frame(inner: Inner) -> bytes:
    """The bytes of `inner`; `TooLarge` beyond 32 KiB."""
    parts = [
        MAGIC,
        inner.message_id,
        inner.epoch.to_bytes(4, "big"),
        inner.sequence.to_bytes(8, "big"),
        inner.manifest_version.to_bytes(4, "big"),
        inner.sent_at.to_bytes(8, "big"),
        inner.previous,
        *(block(1, text.encode("ascii")) for text in (inner.sender, inner.recipient, inner.link, inner.kind)),
        block(4, inner.body),
        block(4, inner.checkpoint),
        len(inner.extensions).to_bytes(2, "big"),
        *(block(1, key.encode("ascii")) + block(4, value) for key, value in inner.extensions),
    ]
    data = b"".join(parts)
    if len(data) > MAX_FRAME:
        raise TooLarge(f"a message of {len(data)} bytes does not fit one envelope; send it in chunks")
    return data


def parse_frame(data: bytes) -> Inner:
    """The inverse of `frame`; raises `Malformed` or `TooLarge`, nothing else, for any bytes."""
    if len(data) > MAX_FRAME:
        raise TooLarge(f"a frame is at most {MAX_FRAME} bytes")
    reader = Reader(data, "message frame")
    if reader.take(len(MAGIC)) != MAGIC:
        raise Malformed("this is not a message frame of version 1", code="frame.version")
    message_id = reader.take(MESSAGE_ID_SIZE)
    epoch, sequence, manifest_version, sent_at = (reader.number(size) for size in (4, 8, 4, 8))
    previous = reader.take(HASH_SIZE)
    sender, recipient, link, kind = (reader.text(1, 255) for _ in range(4))
    body, checkpoint = reader.block(4, MAX_FRAME), reader.block(4, MAX_FRAME)
    count = reader.number(2)
    if count > MAX_EXTENSIONS:
        raise TooLarge(f"a message has at most {MAX_EXTENSIONS} extensions")
    extensions = tuple((reader.text(1, 255), reader.block(4, MAX_FRAME)) for _ in range(count))
    reader.end()
    return Inner(
        message_id=message_id,
        sender=sender,
        recipient=recipient,
        link=link,
        epoch=epoch,
        sequence=sequence,
        previous=previous,
        manifest_version=manifest_version,
        kind=kind,
        body=body,
        sent_at=sent_at,
        checkpoint=checkpoint,
        extensions=extensions,
    )


def _check_size(value: bytes, size: int, what: str) -> None:
    if not isinstance(value, bytes) or len(value) != size:
        raise Malformed(f"the {what} is {size} bytes")


def _check_number(value: int, limit: int, what: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= limit:
        raise Malformed(f"the {what} is out of range")


def _check_extensions(extensions: Sequence[tuple[str, bytes]]) -> None:
    names = [check_id(key, "extension key", KIND_PATTERN) for key, _ in extensions]
    if not all(isinstance(value, bytes) for _, value in extensions):
        raise Malformed("an extension's value is bytes")
    if len(names) > MAX_EXTENSIONS:
        raise TooLarge(f"a message has at most {MAX_EXTENSIONS} extensions")
    if any(a >= b for a, b in pairwise(names)):
        raise Malformed("extension keys stand in ascending order, each once")


__all__ = ["HASH_SIZE", "ID_PATTERN", "LINK_PATTERN", "MAX_FRAME", "NO_PREVIOUS", "Inner", "frame", "parse_frame"]
