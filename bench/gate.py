"""`python -m bench.gate`: what the gate at the homeserver costs a message: two Synapses, alike but for the module, one message here and one there."""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from bench.rows import Row, compare, keep, show
from deploy.demo.synapse import Homeserver, Synapses
from hub.base.synapse import Gate
from hub.matrix.desired import create_body
from hub.matrix.ports import RoomSpec

ROUNDS, MESSAGES = 9, 60
PASSWORD = "una contraseña inventada"
MEMBERS = (2, 40)
"""People in the room: a link or a direct chat, and a large desk. The module is handed the room's whole state with each event."""


class Room:
    """A room of a hub on one homeserver, and a connection that stays open."""

    def __init__(self, server: Homeserver, http: aiohttp.ClientSession) -> None:
        self._server, self._http, self._number = server, http, 0

    async def prepare(self, name: str, members: int) -> None:
        """The room with so many people in it."""
        self._token = await self._login(await self._server.register(name, PASSWORD))
        self._room = str((await self._call("POST", "/createRoom", create_body(RoomSpec(purpose="desk", members=frozenset()))))["room_id"])
        for number in range(members - 1):
            user = await self._server.register(f"{name}-{number}", PASSWORD)
            await self._call("POST", f"/rooms/{quote(self._room)}/invite", {"user_id": user})
            await self._call("POST", f"/join/{quote(self._room)}", {}, token=await self._login(user))

    async def send(self) -> float:
        """Milliseconds from the request to the answer."""
        self._number += 1
        body = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x" * 4096, "session_id": "x", "sender_key": "x", "device_id": "X"}
        began = time.perf_counter()
        await self._call("PUT", f"/rooms/{quote(self._room)}/send/m.room.encrypted/{self._number}", body)
        return (time.perf_counter() - began) * 1000

    async def _login(self, user: str) -> str:
        body = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}, "password": PASSWORD}
        return str((await self._call("POST", "/login", body, token=""))["access_token"])

    async def _call(self, method: str, path: str, body: Any, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token if token is None else token}"} if token != "" else {}
        async with self._http.request(method, f"{self._server.url}/_matrix/client/v3{path}", json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


async def run(folder: Path) -> list[Row]:
    """One row a size of room: milliseconds with the gate over milliseconds without."""

    def gated(_: int, names: Sequence[str]) -> Gate:
        return Gate(hubs=tuple(f"@hub-{size}:{name}" for size in MEMBERS for name in names))

    async with Synapses(folder / "servers", count=2, gate=gated) as servers, aiohttp.ClientSession() as http:
        await _without_gate(servers[1])
        rows = []
        for size in MEMBERS:
            pair = Room(servers[0], http), Room(servers[1], http)
            for room in pair:
                await room.prepare(f"hub-{size}", size)
            rows.append(await _measured(f"message of 4 KiB, room of {size}", *pair))
        return rows


async def _without_gate(server: Homeserver) -> None:
    config = json.loads(server.place.config.read_text())
    assert config.pop("modules"), "there was no gate to take away"
    server.place.config.write_text(json.dumps(config))
    await server.restart()


async def _measured(name: str, ours: Room, plain: Room) -> Row:
    with_gate, without = [], []
    for _ in range(ROUNDS + 1):
        taken: tuple[list[float], list[float]] = [], []
        for _ in range(MESSAGES):
            taken[0].append(await ours.send())
            taken[1].append(await plain.send())
        with_gate.append(statistics.median(taken[0]))
        without.append(statistics.median(taken[1]))
    return compare(name, "ms", with_gate[1:], without[1:])  # the first round warms both


def main() -> None:
    """Measure, show, keep."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        rows = asyncio.run(run(Path(folder)))
    keep("gate", rows)
    show(rows)


if __name__ == "__main__":
    main()
