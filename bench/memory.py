"""Does a hub's memory grow with what passes through it?

    python -m bench.memory [events]        (`make bench` plays 10,000; 100,000 take some ten minutes)

A real hub process behind `playback`: real ciphertext of a real peer comes down /sync, and is opened, judged, kept, handled and
acknowledged as ever. Every event is an envelope with one numbered record. The limit is what the hub held after the first tenth.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import sys
import tempfile
from pathlib import Path

from bench.inside import resident_mb
from bench.load import Process
from bench.playback import Author, Playback
from bench.rows import Row, compare, keep, show
from bench.stage import Whole, account, pair, until
from deploy.demo.network import PLANS
from deploy.demo.synapse import Synapses
from hub.exchange.wire import Profile

EVENTS, EACH = 10_000, 50
"""How many in all, and in one sync answer."""
WAITING = 200
"""Events that may wait in the hub's inbox before it gets more."""
Sample = tuple[int, float]
"""Events given, MB resident."""


async def run(servers: Synapses, folder: Path, *, events: int = EVENTS) -> list[Row]:
    """Play, and look at the process after every hundredth of the events."""
    plans = {plan.id: plan for plan in PLANS}
    server = servers[0]
    async with contextlib.AsyncExitStack() as stack:
        front = await stack.enter_async_context(Playback(server))
        hub = Process(plans["cem-lima"], front, folder, await account(server, "memoria"))
        await stack.enter_async_context(hub.running())
        peer = Whole(plans["csmc-comas"], server, folder, await account(server, "autora"))
        await stack.enter_async_context(peer.running())
        await pair(hub, peer)
        author = await Author.of(peer, hub.plan.id)
        samples = await _play(hub, front, author, events)
    after = [mb for count, mb in samples if count >= events // 10]
    name = f"memory after {events:,} events, beside after {events // 10:,}"
    return [compare(name, "MB", [statistics.median(after[-5:])], [statistics.median(after[:5])])]


async def _play(hub: Process, front: Playback, author: Author, events: int) -> list[Sample]:
    front.play()
    samples: list[Sample] = []
    pid = hub.setup.process.pid if hub.setup.process else 0
    before = await _received(hub, "seen")

    async def keeps_up() -> bool:
        return await _received(hub, "inbox") <= WAITING

    async def whole() -> bool:
        return await _received(hub, "seen") - before == events

    for number in range(0, events, EACH):
        await front.give(author.room, *await author.write([_body(number + one) for one in range(EACH)]))
        if number % max(EACH, events // 100) < EACH:
            await until(keeps_up, "a hub that keeps up")
            samples.append((number, resident_mb(pid)))
    await until(whole, "every event played", 120)
    return [*samples, (events, resident_mb(pid))]


async def _received(hub: Process, what: str) -> int:
    found: dict[str, int] = await hub.do("received")
    return found[what]


def _body(number: int) -> Profile:
    return Profile(name="CSMC Comas (demo)", territory="Comas", needs=("mental_health",), languages=("es",), duty={"on": bool(number % 2)})


async def main(events: int = EVENTS) -> None:
    """Measure alone."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        async with Synapses(Path(folder) / "servers", count=1) as servers:
            rows = await run(servers, Path(folder) / "hubs", events=events)
    keep("memory", rows)
    show(rows)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
