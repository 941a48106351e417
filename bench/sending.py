"""How fast does a hub send, beside plain PUTs without encryption, on the same homeserver in the same minute?

Ours is everything that a hub does to send: the guard's checks, the Megolm key with exactly the trusted devices, encryption, and the
sync loop that runs all the time. The limit is a client that only PUTs clear text. Rooms of two members; the other one is away, so
that only sending is measured, and comes back at the end: then every message must be there, decrypted, once, and in order for c = 1.

A hub has eight PUTs under way at most, whoever asks (`hub.matrix.carrier.IN_FLIGHT`), so with 16 at a time the ratio shows what that
bound costs, and with eight what the hub costs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.rows import Row, compare
from bench.stage import Lone, Raw, account
from deploy.demo.synapse import Homeserver

ROUNDS = 7
MESSAGES = {1: 40, 8: 64, 16: 96}
BODY = 420


async def run(server: Homeserver, folder: Path, *, rounds: int = ROUNDS, messages: dict[int, int] = MESSAGES) -> list[Row]:
    """Messages a second for each number of sends at a time (the keys of `messages`)."""
    hub, peer = await _started(server, folder)
    try:
        async with Raw(server, await account(server, "llano")) as raw, Raw(server, await account(server, "otra")) as other:
            link, clear = await hub.link_to(peer), await raw.room_with(other)
            await hub.send(link, _body("key", 0))  # the room key travels once; its price is the first message's alone
            await peer.stop()
            sent: list[str] = [_body("key", 0)]
            found = []
            for together, count in messages.items():
                ours, limits = [], []
                for number in range(rounds):
                    bodies = [_body(f"{together}-{number}", one) for one in range(count)]
                    ours.append(count / await _timed(bodies, together, lambda body: hub.send(link, body)))
                    limits.append(count / await _timed(bodies, together, lambda body: raw.put(clear, body)))
                    sent += bodies
                found.append(compare(f"E2EE send with the sync loop, {together} at a time, beside raw PUT", "messages/s", ours, limits))
            await peer.start()
            check(await peer.received(len(sent)), await raw.bodies(clear), sent, alone=messages.get(1, 0) * rounds)
            await peer.stop()
    finally:
        await hub.stop()
        await hub.close()
        await peer.close()
    return found


async def _started(server: Homeserver, folder: Path) -> tuple[Lone, Lone]:
    hubs = [await Lone(server, await account(server, name), folder / f"{name}.db").start() for name in ("emisor", "receptor")]
    return hubs[0], hubs[1]


def check(sealed: list[str], clear: list[str], sent: list[str], *, alone: int) -> None:
    """Raise AssertionError unless both rooms hold what was sent. The first `alone` after the key went one by one: their order too."""
    if sorted(sealed) != sorted(sent) or sorted(clear) != sorted(sent[1:]):
        raise AssertionError(f"of {len(sent)} messages {len(set(sealed))} arrived decrypted and {len(set(clear))} in clear")
    if [one for one in sealed if one in set(sent[: alone + 1])] != sent[: alone + 1]:
        raise AssertionError("messages sent one after the other arrived in another order")


def _body(series: str, number: int) -> str:
    return f"{series}/{number:04d} ".ljust(BODY, "x")


async def _timed(bodies: list[str], together: int, send: Callable[[str], Awaitable[None]]) -> float:
    """Seconds until all have been answered, `together` of them under way at a time."""
    waiting = iter(bodies)

    async def sender() -> None:
        for body in waiting:
            await send(body)

    start = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(together)))
    return time.perf_counter() - start
