"""Rows of the Matrix room on SQLAlchemy Core. Implements `hub.matrix.ports.MatrixRows` without knowing it: plain bytes both ways.

Every body goes through the `seal` / `open` pair of the constructor, which binds the institution; the row id handed to it
holds table, device, key and counter. A row of one place does not open in another, an older row does not open under a newer counter, and
the census tells when rows were put back together with their counters.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Table, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from hub.base.errors import Stopped
from hub.store.database import Database
from hub.store.matrix_tables import (
    batches,
    events,
    facts,
    inbox,
    olm,
    quarantine,
    waiting,
)

Seal = Callable[[str, bytes], bytes]
UNSIGNED: Final = "UnverifiedDevice"
"""Why a message was refused that nobody whom we trust signed the device of (`hub.matrix.receiving`)."""
CHUNK: Final = 400
"""Names per IN list: SQLite and PostgreSQL both have a limit, this is below either."""


class _Inbox(Protocol):
    @property
    def event_id(self) -> str: ...
    @property
    def room_id(self) -> str: ...
    @property
    def session_id(self) -> str: ...
    @property
    def index(self) -> int: ...
    @property
    def body(self) -> bytes: ...


class _Refused(Protocol):
    @property
    def event_id(self) -> str: ...
    @property
    def room_id(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def reason(self) -> str: ...


class _Waiting(Protocol):
    @property
    def event_id(self) -> str: ...
    @property
    def room_id(self) -> str: ...
    @property
    def session_id(self) -> str: ...
    @property
    def body(self) -> bytes: ...


class _Result(Protocol):
    @property
    def inbox(self) -> Sequence[_Inbox]: ...
    @property
    def quarantine(self) -> Sequence[_Refused]: ...
    @property
    def waiting(self) -> Sequence[_Waiting]: ...
    @property
    def resolved(self) -> Sequence[str]: ...


class SqlMatrixRows:
    """The one writer of the `matrix_*` tables."""

    def __init__(
        self, database: Database, *, seal: Seal, unseal: Seal, device: str = "", now: Callable[[], float] = time.time,
        decides: Callable[[], bool] = lambda: True,
    ) -> None:
        """`device` is the Matrix device whose Olm rows, batches and waiting events these are. `decides`: whether a refusal counts; that of a
        server that stands by does not, or it would stand in the way of the one that leads.
        """
        self._database = database
        self._device, self._decides = device, decides
        self._seal = seal
        self._open = unseal
        self._now = now

    # ---- Olm rows ------------------------------------------------------------------------------------------------------

    async def load_olm(self) -> dict[str, bytes]:
        """All Olm rows, opened. Raises hub.base.errors.Stopped when the set is not the one last saved."""
        return await self._database.run(self._load_olm)

    async def save_olm(self, changes: Mapping[str, bytes | None]) -> None:
        """Write rows, or with None delete them, in one transaction."""
        await self._database.run(lambda connection: self._save_olm(connection, changes))

    async def counter(self) -> int:
        """How often Olm rows were saved; it only grows. Kept outside the database too, it shows an old copy."""
        return await self._database.run(lambda connection: int(self._fact(connection, "counter") or 0))

    def _load_olm(self, connection: Connection) -> dict[str, bytes]:
        rows = connection.execute(select(olm).where(olm.c.device == self._device)).all()
        census = self._read_census(connection)
        if _sum(_mark(row.row_id, row.counter) for row in rows) != census:
            raise Stopped("matrix.rows_rolled_back")
        return {row.row_id: self._open(f"matrix_olm|{self._device}|{row.row_id}|{row.counter}", row.sealed) for row in rows}

    def _save_olm(self, connection: Connection, changes: Mapping[str, bytes | None]) -> None:
        if not changes:
            return
        counter = int(self._fact(connection, "counter") or 0) + 1
        census = self._read_census(connection)
        for names in _chunks(list(changes)):
            for row in connection.execute(select(olm.c.row_id, olm.c.counter).where(olm.c.device == self._device, olm.c.row_id.in_(names))):
                census = (census - _mark(row.row_id, row.counter)) % _SPACE
            connection.execute(delete(olm).where(olm.c.device == self._device, olm.c.row_id.in_(names)))
        new = [(name, self._seal(f"matrix_olm|{self._device}|{name}|{counter}", body)) for name, body in changes.items() if body is not None]
        census = (census + _sum(_mark(name, counter) for name, _ in new)) % _SPACE
        if new:
            connection.execute(olm.insert(), [{"device": self._device, "row_id": name, "counter": counter, "sealed": sealed} for name, sealed in new])
        self._set_fact(connection, "counter", str(counter))
        self._set_fact(connection, "census", self._seal(f"matrix_facts|{self._device}|census|{counter}", str(census).encode()).hex())

    def _read_census(self, connection: Connection) -> int:
        sealed = self._fact(connection, "census")
        if sealed is None:
            return 0
        return int(self._open(f"matrix_facts|{self._device}|census|{self._fact(connection, 'counter')}", bytes.fromhex(sealed)))

    def _fact(self, connection: Connection, name: str) -> str | None:
        value = connection.execute(select(facts.c.value).where(facts.c.device == self._device, facts.c.name == name)).scalar_one_or_none()
        return None if value is None else str(value)

    def _set_fact(self, connection: Connection, name: str, value: str) -> None:
        changed = connection.execute(facts.update().where(facts.c.device == self._device, facts.c.name == name).values(value=value)).rowcount
        if not changed:
            connection.execute(facts.insert().values(device=self._device, name=name, value=value))

    # ---- batches -------------------------------------------------------------------------------------------------------

    async def save_batch(self, raw: bytes, next_batch: str) -> int:
        """T1: the batch and the token that comes after it, in one transaction."""

        def t1(connection: Connection) -> int:
            number = int(connection.execute(batches.insert().values(device=self._device, sealed=b"").returning(batches.c.id)).scalar_one())
            sealed = self._seal(f"matrix_batch|{number}", raw)
            connection.execute(batches.update().where(batches.c.id == number).values(sealed=sealed))
            self._set_fact(connection, "next_batch", next_batch)
            return number

        return await self._database.run(t1)

    async def pending_batches(self) -> list[tuple[int, bytes]]:
        """Batches that have no T2 yet, oldest first."""

        def read(connection: Connection) -> list[tuple[int, bytes]]:
            rows = connection.execute(select(batches).where(batches.c.device == self._device).order_by(batches.c.id)).all()
            return [(row.id, self._open(f"matrix_batch|{row.id}", row.sealed)) for row in rows]

        return await self._database.run(read)

    async def finish_batch(self, batch: int | None, olm_changes: Mapping[str, bytes | None], result: _Result) -> list[str]:
        """T2: everything one batch changes, in one transaction. Returns event ids whose Megolm message had come before."""

        def t2(connection: Connection) -> list[str]:
            self._save_olm(connection, olm_changes)
            replays = [row.event_id for row in result.inbox if not self._accept(connection, row)]
            for refused in result.quarantine:
                self._refuse(connection, refused)
            for kept in result.waiting:
                self._wait(connection, kept)
            for names in _chunks(list(result.resolved)):
                connection.execute(delete(waiting).where(waiting.c.device == self._device, waiting.c.event_id.in_(names)))
            if batch is not None:
                connection.execute(delete(batches).where(batches.c.id == batch))
            return replays

        return await self._database.run(t2)

    async def sync_token(self) -> str | None:
        return await self._database.run(lambda connection: self._fact(connection, "next_batch"))

    async def known_events(self, event_ids: Collection[str]) -> set[str]:
        """Those of the ids that were handled before."""

        def read(connection: Connection) -> set[str]:
            found: set[str] = set()
            for names in _chunks(list(event_ids)):
                found |= set(connection.execute(select(events.c.event_id).where(events.c.event_id.in_(names))).scalars())
            return found

        return await self._database.run(read)

    async def waiting(self) -> list[tuple[str, str, str]]:
        """(event id, room id, session id) of events without a key, oldest first."""

        def read(connection: Connection) -> list[tuple[str, str, str]]:
            names = select(waiting.c.event_id, waiting.c.room_id, waiting.c.session_id).where(waiting.c.device == self._device)
            return [(row.event_id, row.room_id, row.session_id) for row in connection.execute(names.order_by(waiting.c.at))]

        return await self._database.run(read)

    async def waiting_bodies(self, event_ids: Collection[str]) -> dict[str, bytes]:
        """The kept bodies of these events."""

        def read(connection: Connection) -> dict[str, bytes]:
            found: dict[str, bytes] = {}
            for names in _chunks(list(event_ids)):
                for row in connection.execute(select(waiting).where(waiting.c.device == self._device, waiting.c.event_id.in_(names))):
                    found[row.event_id] = self._open(f"matrix_waiting|{row.event_id}", row.sealed)
            return found

        return await self._database.run(read)

    async def prune(self, *, older_than_s: float) -> None:
        """Forget ids of handled, refused and waiting events that are older than that."""
        limit = self._now() - older_than_s

        def forget(connection: Connection) -> None:
            for table in (events, quarantine, waiting):
                connection.execute(delete(table).where(table.c.at < limit))

        await self._database.run(forget)

    def _accept(self, connection: Connection, row: _Inbox) -> bool:
        """False when it is a replay: the same message of the same session under another event id (N28)."""
        known = {
            "event_id": row.event_id,
            "room_id": row.room_id,
            "session_id": row.session_id,
            "message_index": row.index,
            "at": self._now(),
        }
        if _insert_once(connection, events, known):
            connection.execute(inbox.insert().values(event_id=row.event_id, sealed=self._seal(f"matrix_inbox|{row.event_id}", row.body)))
            return True
        same = connection.execute(select(events.c.event_id).where(events.c.event_id == row.event_id)).first()
        return same is not None

    def _refuse(self, connection: Connection, row: _Refused) -> None:
        if not self._decides():
            return
        _insert_once(connection, events, {"event_id": row.event_id, "room_id": row.room_id, "at": self._now()})
        values = {
            "event_id": row.event_id,
            "room_id": row.room_id,
            "sender": row.sender[:255],
            "reason": row.reason[:60],
            "at": self._now(),
        }
        _insert_once(connection, quarantine, values)

    def _wait(self, connection: Connection, row: _Waiting) -> None:
        values = {
            "device": self._device,
            "event_id": row.event_id,
            "room_id": row.room_id,
            "session_id": row.session_id[:64],
            "at": self._now(),
            "sealed": self._seal(f"matrix_waiting|{row.event_id}", row.body),
        }
        _insert_once(connection, waiting, values)

    # ---- for the application, inside its own unit of work ---------------------------------------------------------------

    def inbox_next(self, connection: Connection, limit: int = 1) -> list[tuple[str, bytes]]:
        """(event id, body) of the oldest accepted events; `hub.matrix.Inbound.from_bytes` reads the body."""
        rows = connection.execute(select(inbox).order_by(inbox.c.id).limit(limit)).all()
        return [(row.event_id, self._open(f"matrix_inbox|{row.event_id}", row.sealed)) for row in rows]

    def inbox_done(self, connection: Connection, event_id: str) -> None:
        """The event was handled in this very unit: forget its content; its id stays known."""
        connection.execute(delete(inbox).where(inbox.c.event_id == event_id))

    def quarantined(self, connection: Connection, limit: int = 100) -> list[tuple[str, str, str, str]]:
        """(event id, room id, sender, reason), newest first."""
        rows = connection.execute(select(quarantine).order_by(quarantine.c.at.desc()).limit(limit)).all()
        return [(row.event_id, row.room_id, row.sender, row.reason) for row in rows]

    def unsigned_writers(self, connection: Connection) -> dict[str, int]:
        """Whose messages were refused because nobody whom we trust signed the device, and how many, most first."""
        number = func.count().label("number")
        wanted = select(quarantine.c.sender, number).where(quarantine.c.reason == UNSIGNED).group_by(quarantine.c.sender)
        return {row.sender: int(row.number) for row in connection.execute(wanted.order_by(number.desc(), quarantine.c.sender)).all()}

    def counts(self, connection: Connection) -> dict[str, int]:
        """Sizes of the tables, for metrics."""
        tables = {"inbox": inbox, "quarantine": quarantine, "waiting": waiting, "batches": batches, "olm": olm}
        return {name: int(connection.execute(select(func.count()).select_from(table)).scalar_one()) for name, table in tables.items()}


_SPACE: Final = 2**256


def _mark(row_id: str, counter: int) -> int:
    # A multiset hash: order does not matter, and one row more, less or older changes the sum. The sum itself is sealed.
    return int.from_bytes(hashlib.sha256(json.dumps([row_id, counter]).encode()).digest(), "big")


def _sum(marks: Iterable[int]) -> int:
    return sum(marks) % _SPACE


def _insert_once(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert unless a unique key stands already; whether it was inserted."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    # RETURNING and not rowcount: that one is undefined for an INSERT (-1 on psycopg), and a wrong "no" here loses an event.
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return connection.execute(statement).first() is not None


def _chunks(names: list[str]) -> list[list[str]]:
    return [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
