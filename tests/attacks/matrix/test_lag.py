"""R19: nothing that arrives, and nothing that waits for the disk, keeps the event loop from its other work."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import AsyncExitStack, closing
from pathlib import Path

from bench.inside import TICK_S, Lag
from bench.playback import Author, Playback
from bench.stage import Whole, account, pair, until
from deploy.demo.network import PLANS
from deploy.demo.synapse import Synapses
from hub.exchange.wire import Profile

ENVELOPES, HELD_S, WORK_S = 100, 4.0, 0.5
"""A loop that waits for the disk stands still for as long as somebody else holds it; that is seen by the clock, with half of it to spare for a
machine that is busy with other things. A loop that works too long at a time is seen by its processor time, of which no other process has any."""
WORDS = Profile(name="CSMC Comas (demo)", territory="Comas", needs=("mental_health",), languages=("es",), duty={"on": True})


def hold(database: Path) -> None:
    """Somebody else (a backup, a slow disk) holds the database meanwhile."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(HELD_S)
        other.execute("ROLLBACK")


async def test_r19_a_hundred_envelopes_over_a_database_that_is_held_do_not_stall_the_loop(synapses: Synapses, tmp_path: Path) -> None:
    plans = {plan.id: plan for plan in PLANS}
    async with AsyncExitStack() as stack:
        front = await stack.enter_async_context(Playback(synapses[0]))
        hub = Whole(plans["cem-lima"], front, tmp_path, await account(synapses[0], "lag"))
        peer = Whole(plans["csmc-comas"], synapses[0], tmp_path, await account(synapses[0], "lag-peer"))
        for one in (hub, peer):
            await stack.enter_async_context(one.running())
        await pair(hub, peer)
        author = await Author.of(peer, hub.plan.id)
        first = await hub.house.store.run(lambda unit: unit.seen.count(), quiet=True)
        events, keys = await author.write([WORDS] * ENVELOPES)
        front.play()
        lag = Lag()
        probe = asyncio.create_task(lag.run())
        holding = asyncio.create_task(asyncio.to_thread(hold, tmp_path / hub.plan.id / "s" / "hub.db"))
        await front.give(author.room, events, keys)

        async def all_there() -> bool:
            return await hub.house.store.run(lambda unit: unit.seen.count(), quiet=True) == first + ENVELOPES

        await until(all_there, "every envelope")
        await holding
        probe.cancel()
        assert max(lag.late) < HELD_S / 2, f"the loop stood still for {max(lag.late):.2f} s of {HELD_S:.0f} s"
        assert max(lag.worked) < WORK_S, f"the loop worked for {max(lag.worked):.2f} s at a time"
        assert sum(lag.late) + TICK_S * len(lag.late) > HELD_S, "the probe ran all the while"
