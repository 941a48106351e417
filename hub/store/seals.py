"""Rows that decide over trust carry the hub's own seal: whoever can write to the database still cannot pin a key, undo a
freeze, confirm a peer, exchange a manifest, invent a consent or move a room (C08).

    seal = HMAC-SHA-256(key derived from the hub's data key, "TINKUY-v1 row" | table | every column, as the database holds it)

A row with another seal is never used: reading it raises `Forged`, and the hub stops or does not start. What a seal cannot say is that
a row was removed, or that an older version of the very row came back: that is what the ledger's checkpoints at the peers are for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.base.errors import Forged
from keys.casekeys import DataKeys
from keys.primitives import equal, hmac_sha256, join

HUB_OWNER = "hub"


class Seals:
    """Makes and checks the seals of one hub. The key is derived once."""

    def __init__(self, keys: DataKeys) -> None:
        self._keys = keys
        self._key: bytes | None = None

    def of(self, table: str, values: Iterable[Any]) -> bytes:
        """32 bytes over a row's columns, in their order. Raises `KeyDestroyed` when the hub's key is gone."""
        if self._key is None:
            self._key = self._keys.derive(HUB_OWNER, b"rows")
        return hmac_sha256(self._key, join(b"TINKUY-v1 row", table.encode(), *map(_bytes, values)))

    def check(self, table: str, key: Any, values: Iterable[Any], seal: bytes) -> None:
        """Raises Forged `database.row_forged` unless this very row was sealed by us."""
        if not equal(self.of(table, values), bytes(seal)):
            raise Forged("database.row_forged", table=table, row=str(key)[:120])


def _bytes(value: Any) -> bytes:
    """A column's value with its kind in front, so that no two values look alike; a truth is a number in SQLite."""
    if value is None:
        return b"-"
    if isinstance(value, str):
        return b"s" + value.encode()
    if isinstance(value, int):
        return b"i" + str(int(value)).encode()
    return b"b" + bytes(value)
