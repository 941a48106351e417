"""Tables of the Matrix room: the Olm machine's rows, sync batches, and events on their way in. Every body is sealed.

What belongs to one Matrix device stands under its id: two servers of one hub have two devices. What an event comes to stands once.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from hub.store.tables import metadata

_ID = BigInteger().with_variant(Integer, "sqlite")

olm = Table(
    "matrix_olm",
    metadata,
    Column("device", String(20), primary_key=True),
    Column("row_id", String(80), primary_key=True),
    Column("counter", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""One row per account, Olm session, Megolm session. `counter` only grows and is bound into the seal."""

facts = Table(
    "matrix_facts",
    metadata,
    Column("device", String(20), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("value", String, nullable=False),
)
"""`counter`, `census` (sealed: which rows with which counters exist) and `next_batch`."""

batches = Table(
    "matrix_batch",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("device", String(20), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""Sync batches between T1 and T2."""

events = Table(
    "matrix_event",
    metadata,
    Column("event_id", String(255), primary_key=True),
    Column("room_id", String(255), nullable=False),
    Column("session_id", String(64)),
    Column("message_index", BigInteger),
    Column("at", Float, nullable=False),
    UniqueConstraint("session_id", "message_index", name="matrix_event_once"),
)
"""Every event that was handled in whatever way. The same Megolm message under another event id is a replay."""

inbox = Table(
    "matrix_inbox",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("event_id", String(255), nullable=False, unique=True),
    Column("sealed", LargeBinary, nullable=False),
)
"""Decrypted and accepted events until the application has handled them."""

quarantine = Table(
    "matrix_quarantine",
    metadata,
    Column("event_id", String(255), primary_key=True),
    Column("room_id", String(255), nullable=False),
    Column("sender", String(255), nullable=False),
    Column("reason", String(60), nullable=False),
    Column("at", Float, nullable=False),
)
"""Refused events: ids and the reason, never a content."""

waiting = Table(
    "matrix_waiting",
    metadata,
    Column("device", String(20), primary_key=True),
    Column("event_id", String(255), primary_key=True),
    Column("room_id", String(255), nullable=False),
    Column("session_id", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""Events whose room key has not come, as they came."""

Index("matrix_event_at", events.c.at)
