"""A hub's Matrix room on its own: real rows, real encryption, a list for an application."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from typing import Any, Self

import hub.store.matrix_tables  # noqa: F401 - attaches its tables to the metadata
from deploy.demo.synapse import Homeserver
from hub.matrix import Account, CrossSigningSeeds, Inbound, Matrix, PeerPin, Report, RoomRecord, TrustList
from hub.matrix.ports import ENVELOPE_TYPE, RoomSpec, StaffPin
from hub.store.database import Database
from hub.store.matrix_rows import SqlMatrixRows
from hub.store.tables import metadata
from keys import primitives

WITHIN = 30.0


def device_id() -> str:
    """Ten random base32 characters."""
    return base64.b32encode(secrets.token_bytes(10)).decode()[:10]


class Seals:
    """AES-256-GCM with the row's name as additional data."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def seal(self, row: str, body: bytes) -> bytes:
        return primitives.aead_seal(self._key, body, row.encode())

    def unseal(self, row: str, body: bytes) -> bytes:
        return primitives.aead_open(self._key, body, row.encode())


class BenchHub:
    """One hub's Matrix over an SQLite database; `restart` is a crash followed by a new process on the same database."""

    def __init__(self, *, url: str, user_id: str, password: str, database: str = "sqlite://", trust: TrustList | None = None) -> None:
        self.user_id = user_id
        self.url = url
        self.password = password
        self.device_id = device_id()
        self.seeds = CrossSigningSeeds(master=secrets.token_bytes(32), self_signing=secrets.token_bytes(32), user_signing=secrets.token_bytes(32))
        self.seals = Seals()
        self.database = Database(database)
        metadata.create_all(self.database.engine)
        self.rows = SqlMatrixRows(self.database, seal=self.seals.seal, unseal=self.seals.unseal)
        self.trust = trust or TrustList()
        self.records: dict[str, RoomRecord] = {}
        self.reports: list[Report] = []
        self.inbox: list[Inbound] = []
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.matrix = self._new()

    def _new(self) -> Matrix:
        account = Account(homeserver=self.url, user_id=self.user_id, device_id=self.device_id, password=self.password)
        return Matrix(
            account=account,
            seeds=self.seeds,
            rows=self.rows,
            trust_list=self.trust,
            report=self._note,
            rooms=self.records.values(),
            on_inbox=self._news.set,
        )

    async def start(self) -> Self:
        await self.matrix.start()
        self._task = asyncio.create_task(self.matrix.run())
        await asyncio.wait({asyncio.ensure_future(self.matrix.first_sync()), self._task}, timeout=WITHIN, return_when="FIRST_COMPLETED")
        if self._task.done():
            self._task.result()
        return self

    async def stop(self) -> None:
        await self.matrix.stop()
        if self._task:
            await asyncio.wait([self._task])

    async def crash(self) -> None:
        """Stop without any of the care that stopping takes."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self.matrix.client.close()

    async def restart(self) -> None:
        self.matrix = self._new()
        await self.start()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        await self.database.close()

    async def _note(self, report: Report) -> None:
        self.reports.append(report)
        if report.kind == "first_sight":
            staff = tuple(
                StaffPin(user_id=pin.user_id, master_key=report.detail) if pin.user_id == report.user_id else pin for pin in self.trust.staff
            )
            self.trust = TrustList(staff=staff, peers=self.trust.peers)
        self._news.set()

    # ---- people and peers ------------------------------------------------------------------------------------------------

    @property
    def pin(self) -> PeerPin:
        """What our manifest would say."""
        device = self.matrix.device
        return PeerPin(user_id=device.user_id, device_id=device.device_id, ed25519=device.ed25519, curve25519=device.curve25519)

    async def trust_peer(self, *peers: BenchHub) -> None:
        await self.set_trust(TrustList(staff=self.trust.staff, peers=(*self.trust.peers, *(peer.pin for peer in peers))))

    async def trust_staff(self, *users: str) -> None:
        staff = (*self.trust.staff, *(StaffPin(user_id=user, master_key=None) for user in users))
        await self.set_trust(TrustList(staff=staff, peers=self.trust.peers))

    async def set_trust(self, trust: TrustList) -> None:
        self.trust = trust
        await self.matrix.set_trust(trust)

    # ---- rooms -----------------------------------------------------------------------------------------------------------

    async def room(self, spec: RoomSpec) -> str:
        record = await self.matrix.make_room(spec)
        self.records[record.room_id] = record
        return record.room_id

    def note_room(self, room_id: str, purpose: Any, members: Iterable[str]) -> None:
        record = RoomRecord(room_id=room_id, purpose=purpose, members=frozenset(members))
        self.records[room_id] = record
        self.matrix.set_room(record)

    async def link_to(self, peer: BenchHub) -> str:
        """A link room that both have on record and joined."""
        room_id = await self.room(RoomSpec(purpose="link", members=frozenset({peer.user_id})))
        await peer.reported("joined_by_invite", lambda report: report.room_id == room_id)
        peer.note_room(room_id, "link", [self.user_id])
        await self.members(room_id, peer.user_id)
        return room_id

    async def members(self, room_id: str, *users: str) -> None:
        """Wait until these have joined, by what was synced."""
        await until(lambda: (view := self.matrix._rooms.get(room_id)) is not None and view.joined >= set(users), "members")

    # ---- messages --------------------------------------------------------------------------------------------------------

    async def say(self, room_id: str, text: str, **more: Any) -> str:
        content = {"msgtype": "m.text", "body": text}
        return await self.matrix.send(room_id, "m.room.message", content, secrets.token_hex(8), **more)

    async def envelope(self, room_id: str, data: str, txn: str | None = None) -> str:
        return await self.matrix.send(room_id, ENVELOPE_TYPE, {"data": data}, txn or secrets.token_hex(8))

    async def received(self) -> list[Inbound]:
        """Everything accepted so far; taken from the inbox table as an application would."""

        def take(connection: Any) -> list[bytes]:
            rows = self.rows.inbox_next(connection, 10_000)
            for event_id, _ in rows:
                self.rows.inbox_done(connection, event_id)
            return [body for _, body in rows]

        self.inbox += [Inbound.from_bytes(body) for body in await self.database.run(take)]
        return self.inbox

    async def bodies(self) -> list[str]:
        return [str(one.content.get("body", one.content.get("data"))) for one in await self.received()]

    async def gets(self, text: str, within: float = WITHIN) -> Inbound:
        """Wait until an event with this body or data is accepted."""
        found: list[Inbound] = []

        async def there() -> bool:
            found[:] = [one for one in await self.received() if text in (one.content.get("body"), one.content.get("data"))]
            return bool(found)

        await until_async(there, f"{text!r}", within)
        return found[0]

    async def reported(self, kind: str, which: Callable[[Report], bool] = lambda _: True, within: float = WITHIN) -> Report:
        def found() -> list[Report]:
            return [report for report in self.reports if report.kind == kind and which(report)]

        await until(lambda: bool(found()), f"report {kind}; there are {[report.kind for report in self.reports]}", within)
        return found()[0]

    async def refused(self) -> list[str]:
        """Reasons in the quarantine table."""
        return [row[3] for row in await self.database.run(lambda connection: self.rows.quarantined(connection))]


async def until(there: Callable[[], bool], what: str, within: float = WITHIN) -> None:
    async def look() -> bool:
        return there()

    await until_async(look, what, within)


async def until_async(there: Any, what: str, within: float = WITHIN) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            while True:
                if await there():
                    return
                await asyncio.sleep(0.03)
    raise AssertionError(f"not seen in {within} s: {what}")


def on_disk(homeserver: Homeserver) -> bytes:
    """Every byte of a homeserver's folder: database with its write-ahead log, logs, configuration."""
    files = [path for path in homeserver.place.directory.rglob("*") if path.is_file()]
    assert homeserver.place.database in files, "nothing to search in"
    return b"".join(path.read_bytes() for path in files)


def stored_events(homeserver: Homeserver, room_id: str) -> list[dict[str, Any]]:
    """Every event of a room as the homeserver's admin can read it."""
    with contextlib.closing(sqlite3.connect(homeserver.place.database)) as connection:
        rows = connection.execute("SELECT json FROM event_json WHERE room_id = ?", (room_id,)).fetchall()
    assert rows, "nothing to look at"
    return [json.loads(row[0]) for row in rows]
