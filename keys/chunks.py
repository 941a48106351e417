"""A body too large for one envelope, cut into several messages of kind `chunk` and joined again, strictly.

    chunk = group id (16) | index (2) | count (2) | SHA-256 of the whole (32) | kind of the whole (1+n) | piece

All pieces of one group agree in everything but index and piece. Sequence numbers already order the messages, so this layer
only proves that nothing is missing, doubled or mixed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from keys.codec import KIND_PATTERN, Reader, block, check_id
from keys.errors import Malformed, TooLarge
from keys.primitives import random_bytes, sha256

CHUNK_KIND: Final = "chunk"
CHUNK_SIZE: Final = 28 * 1024
"""Leaves 3 KiB of an envelope for header, checkpoint, extensions and signature."""
MAX_CHUNKS: Final = 64
_DOMAIN: Final = b"TINKUY-v1 chunked body"


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """One piece of a larger body."""

    group: bytes
    index: int
    count: int
    whole: bytes
    """SHA-256 of the joined body, domain separated."""
    kind: str
    piece: bytes

    def to_bytes(self) -> bytes:
        numbers = self.index.to_bytes(2, "big") + self.count.to_bytes(2, "big")
        return self.group + numbers + self.whole + block(1, self.kind.encode("ascii")) + self.piece

    @classmethod
    def from_bytes(cls, data: bytes) -> Chunk:
        """Parse one chunk body; `Malformed` when out of range."""
        reader = Reader(data, "chunk")
        group, index, count, whole = reader.take(16), reader.number(2), reader.number(2), reader.take(32)
        kind = check_id(reader.text(1, 64), "chunk's kind", KIND_PATTERN)
        piece = data[16 + 2 + 2 + 32 + 1 + len(kind) :]
        if not 1 <= count <= MAX_CHUNKS or index >= count or kind == CHUNK_KIND or not 0 < len(piece) <= CHUNK_SIZE:
            raise Malformed("a chunk is numbered, named or sized wrongly")
        return cls(group=group, index=index, count=count, whole=whole, kind=kind, piece=piece)


def chunk_body(kind: str, body: bytes, *, group: bytes | None = None) -> tuple[bytes, ...]:
    """Bodies for messages of kind `chunk`, in order; `TooLarge` above 64 pieces (1.75 MiB).

    `group` (16 bytes) is random unless given; give it to cut the same body the same way again.
    """
    if kind == CHUNK_KIND or not body:
        raise Malformed("an empty body or a chunk is never cut into chunks")
    pieces = [body[at : at + CHUNK_SIZE] for at in range(0, len(body), CHUNK_SIZE)]
    if len(pieces) > MAX_CHUNKS:
        raise TooLarge(f"a body is at most {MAX_CHUNKS * CHUNK_SIZE} bytes, in chunks too")
    group = group or random_bytes(16)
    whole = sha256(_DOMAIN, body)
    return tuple(
        Chunk(group=group, index=index, count=len(pieces), whole=whole, kind=kind, piece=piece).to_bytes()
        for index, piece in enumerate(pieces)
    )


def join_chunks(bodies: Iterable[bytes]) -> tuple[str, bytes]:
    """(kind, body) of one complete group, in any order; `Malformed` when pieces are missing, doubled, mixed or altered."""
    chunks = sorted((Chunk.from_bytes(body) for body in bodies), key=lambda each: each.index)
    if not chunks or len({(each.group, each.count, each.whole, each.kind) for each in chunks}) != 1:
        raise Malformed("the chunks do not belong to one body")
    if [each.index for each in chunks] != list(range(chunks[0].count)):
        raise Malformed("a chunk is missing or there twice")
    body = b"".join(each.piece for each in chunks)
    if sha256(_DOMAIN, body) != chunks[0].whole:
        raise Malformed("the chunks do not make the body they announce")
    return chunks[0].kind, body
