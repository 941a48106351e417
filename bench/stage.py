"""Who plays in the benchmarks on real homeservers: a raw client without encryption, a hub's Matrix room alone, a whole hub.

All run in this process, so that one clock reads the moment at which each of them does something.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import inspect
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import quote

import aiohttp

import hub.store.matrix_tables  # noqa: F401 - attaches its tables to the metadata
from bench.inside import acquainted
from deploy.demo.network import HubProcess, Plan
from deploy.demo.synapse import Homeserver
from hub.app import house as app
from hub.base import config
from hub.matrix import Account, CrossSigningSeeds, Inbound, Matrix, PeerPin, Report, RoomRecord, TrustList
from hub.matrix.ports import ENVELOPE_TYPE, RoomSpec
from hub.store.database import Database
from hub.store.matrix_rows import SqlMatrixRows
from hub.store.tables import metadata
from keys import primitives

PASSWORD = "una contraseña inventada"
WITHIN = 60.0
_numbers = itertools.count(1)


async def account(server: Homeserver, name: str) -> str:
    """A new account; its user id."""
    return await server.register(f"bench-{name}-{next(_numbers)}", PASSWORD)


async def until(there: Callable[[], Any], what: str, within: float = WITHIN) -> None:
    """Wait until `there()`, or what it promises, is true. Raises AssertionError after `within` seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            while True:
                found = there()
                if await found if inspect.isawaitable(found) else found:
                    return
                await asyncio.sleep(0.02)
    raise AssertionError(f"not seen in {within:.0f} s: {what}")


class Raw:
    """The fastest client there is: plain text, one PUT a message, no state but the sync token."""

    def __init__(self, server: Homeserver, user_id: str) -> None:
        self.server, self.user_id = server, user_id
        self.arrived: dict[str, float] = {}
        """Body -> when /sync brought it."""
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        who = {"type": "m.id.user", "user": self.user_id}
        answer = await self.call("POST", "/login", {"type": "m.login.password", "identifier": who, "password": PASSWORD})
        self._http.headers["Authorization"] = f"Bearer {answer['access_token']}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._http.close()

    async def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        async with self._http.request(method, f"{self.server.url}/_matrix/client/v3{path}", json=body) as answer:
            value = await answer.json()
            if answer.status != 200:
                raise AssertionError(f"{method} answered {answer.status} {value.get('errcode')}")
            return dict(value)

    async def room_with(self, other: Raw) -> str:
        """A room in clear that both have joined."""
        room = str((await self.call("POST", "/createRoom", {"preset": "private_chat", "invite": [other.user_id]}))["room_id"])
        via = self.server.name
        await other.call("POST", f"/join/{quote(room)}?server_name={quote(via)}&via={quote(via)}", {})
        return room

    async def put(self, room: str, text: str) -> None:
        await self.call("PUT", f"/rooms/{quote(room)}/send/m.room.message/{secrets.token_hex(8)}", {"msgtype": "m.text", "body": text})

    async def listen(self) -> None:
        """Sync from now on, for ever, in the background."""
        since = (await self.call("GET", "/sync?timeout=0"))["next_batch"]
        self._task = asyncio.create_task(self._listen(since))

    async def _listen(self, since: str) -> None:
        while True:
            answer = await self.call("GET", f"/sync?timeout=30000&since={quote(since)}")
            since, now = answer["next_batch"], time.perf_counter()
            for room in answer.get("rooms", {}).get("join", {}).values():
                for event in room["timeline"]["events"]:
                    self.arrived.setdefault(str(event["content"].get("body")), now)

    async def bodies(self, room: str) -> list[str]:
        """Every message of a room, as the homeserver has it, oldest first."""
        found: list[str] = []
        start = ""
        while True:
            answer = await self.call("GET", f"/rooms/{quote(room)}/messages?dir=f&limit=1000{start}")
            found += [event["content"]["body"] for event in answer["chunk"] if event["type"] == "m.room.message"]
            if "end" not in answer:
                return found
            start = f"&from={quote(answer['end'])}"


class Lone:
    """A hub's Matrix room with its own database and nothing above it."""

    def __init__(self, server: Homeserver, user_id: str, database: Path) -> None:
        self.server, self.user_id = server, user_id
        self.device_id = base64.b32encode(secrets.token_bytes(10)).decode()[:10]
        self.trust = TrustList()
        self.joined: list[str] = []
        self.records: dict[str, RoomRecord] = {}
        self.heard: list[float] = []
        """When accepted events were committed."""
        self._seeds = CrossSigningSeeds(master=secrets.token_bytes(32), self_signing=secrets.token_bytes(32), user_signing=secrets.token_bytes(32))
        self._database = Database(f"sqlite:///{database}")
        metadata.create_all(self._database.engine)
        key = secrets.token_bytes(32)
        self._rows = SqlMatrixRows(
            self._database,
            seal=lambda row, body: primitives.aead_seal(key, body, row.encode()),
            unseal=lambda row, body: primitives.aead_open(key, body, row.encode()),
        )

    async def start(self) -> Self:
        """Log in (again), and sync in the background."""
        given = Account(homeserver=self.server.url, user_id=self.user_id, device_id=self.device_id, password=PASSWORD)
        self.matrix = Matrix(
            account=given, seeds=self._seeds, rows=self._rows, trust_list=self.trust, report=self._note, rooms=self.records.values(),
            on_inbox=lambda: self.heard.append(time.perf_counter()),
        )  # fmt: skip
        await self.matrix.start()
        self._task = asyncio.create_task(self.matrix.run())
        await self.matrix.first_sync()
        return self

    async def stop(self) -> None:
        await self.matrix.stop()
        await asyncio.wait([self._task])

    async def close(self) -> None:
        await self._database.close()

    async def _note(self, report: Report) -> None:
        if report.kind == "joined_by_invite" and report.room_id:
            self.joined.append(report.room_id)

    async def link_to(self, other: Lone) -> str:
        """A link room with another hub, on record with both and joined by both."""
        for one, peer in ((self, other), (other, self)):
            device = peer.matrix.device
            pin = PeerPin(user_id=device.user_id, device_id=device.device_id, ed25519=device.ed25519, curve25519=device.curve25519)
            one.trust = TrustList(peers=(pin,))
            await one.matrix.set_trust(one.trust)
        record = await self.matrix.make_room(RoomSpec(purpose="link", members=frozenset({other.user_id})))
        self.records[record.room_id] = record
        await until(lambda: record.room_id in other.joined, "the peer in the link room")
        other.records[record.room_id] = RoomRecord(room_id=record.room_id, purpose="link", members=frozenset({self.user_id}))
        other.matrix.set_room(other.records[record.room_id])
        return record.room_id

    async def send(self, room: str, text: str) -> None:
        await self.matrix.send(room, ENVELOPE_TYPE, {"data": text}, secrets.token_hex(8))

    async def received(self, count: int) -> list[str]:
        """Everything accepted so far, in order, once there are `count` of them."""
        found: list[str] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WITHIN):
                while len(found) < count:
                    found = await self._database.run(lambda c: [_data(body) for _, body in self._rows.inbox_next(c, 100_000)])
                    await asyncio.sleep(0.05)
        return found


def _data(body: bytes) -> str:
    return str(Inbound.from_bytes(body).content["data"])


class Whole:
    """A hub as `tinkuy run` builds it, served in this process so that its units of work can be watched."""

    def __init__(self, plan: Plan, server: Homeserver, folder: Path, user_id: str) -> None:
        self.plan = plan
        self.setup = HubProcess(plan=plan, folder=folder / plan.id, user_id=user_id, password=PASSWORD, server=server)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """`tinkuy init`, then serve until the block ends."""
        await self.setup.init()
        stopping = asyncio.Event()
        house = await app.open_house(config.load(self.setup.config), stopping)
        if house is None:
            raise AssertionError("the hub stopped before it ran")
        self.house = house
        task = asyncio.create_task(app._serve(self.house, stopping))
        try:
            await self.setup.answers()
            yield self
        finally:
            stopping.set()
            await asyncio.wait([task], timeout=20)
            await app._close(self.house)

    async def ask(self, command: str, **args: Any) -> Any:
        """One command over its control socket."""
        return await self.setup.ask(command, **args)

    async def acquainted(self) -> bool:
        """See `bench.inside.acquainted`."""
        return await acquainted(self.house)


class Hub(Protocol):
    """A hub in this process or in one of its own."""

    plan: Plan

    async def ask(self, command: str, **args: Any) -> Any: ...

    async def acquainted(self) -> bool: ...


async def pair(a: Hub, b: Hub) -> None:
    """Manifests both ways, equal short codes, and the link room in use."""
    for one, other in ((a, b), (b, a)):
        await other.ask("peer.add", manifest=(await one.ask("peer.manifest"))["manifest"])
    code = (await a.ask("peer.code", institution=b.plan.id))["code"]
    for one, other in ((a, b), (b, a)):
        await one.ask("peer.confirm", institution=other.plan.id, code=code)
    await linked(a, b)


async def linked(*hubs: Hub) -> None:
    """Wait until all of them at once have their links in use, each other's key of the day and name, and nothing on the road.

    A key of the day that still travels would be measured as somebody else's word; one that has not come keeps every word home.
    """

    async def done() -> bool:
        return all([await one.acquainted() for one in hubs])

    await until(done, "links in use")
