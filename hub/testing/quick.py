"""What is slow on purpose, or the same every time, is done once and cheaply where tests build hubs by the hundred."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import cache
from unittest import mock

from hub.store.database import Database
from hub.store.migrate import upgrade
from keys import shortcode
from keys.primitives import argon2id


def raw(database: Database) -> sqlite3.Connection:
    """The driver's own connection of an in-memory database."""
    connection = database.engine.raw_connection().driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection


@cache
def _empty() -> sqlite3.Connection:
    database = Database("sqlite://")
    upgrade(database)
    return raw(database)


def upgraded(database: Database) -> None:
    """The schema: migrated once and copied for databases in memory, migrated for every other."""
    if str(database.engine.url) == "sqlite://":
        _empty().backup(raw(database))
    else:
        upgrade(database)


@contextlib.contextmanager
def quick_codes() -> Iterator[None]:
    """Pairing codes over little memory: between hubs whose codes nobody overhears the wait of a quarter of a second proves nothing."""
    with mock.patch.object(shortcode, "argon2id", _light):
        yield


def _light(secret: bytes, *, salt: bytes, length: int, **cost: int) -> bytes:
    return argon2id(secret, salt=salt, length=length, memory_kib=64, passes=1)
