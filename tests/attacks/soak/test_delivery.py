"""Bursts and outages over real homeservers: everything arrives, once, in its order, proven by the numbers of both sides (D04, D05).

How fast stands in `bench/results/delivery.json`; here only what must never fail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench.delivery import Line, burst, killed_in_mid_burst, line, outage
from deploy.demo.synapse import Synapses
from hub.exchange.pacing import WINDOW

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    folder: Path = tmp_path_factory.mktemp("delivery")
    async with Synapses(folder / "servers", count=2) as servers, line(servers, folder / "hubs") as built:
        yield built


async def test_a_burst_of_400_arrives_whole_and_in_order_within_the_window(on: Line) -> None:
    await burst(on, 400)
    assert 0 < on.most_under_way <= WINDOW < 100, "a homeserver prunes a room's inbound queue at 100 staged events"


async def test_d05_an_outage_of_300_arrives_whole_and_in_order_and_the_first_at_once(on: Line) -> None:
    """The peer's homeserver speaks first when it is back, so that ours need not wait for its own next try."""
    first, _ = await outage(on, 300)
    assert first < 5, "seconds; the usual is one, and without a word from the returned it is many"


@pytest.mark.parametrize("whose", [0, 1], ids=["sender", "recipient"])
async def test_d05_a_homeserver_killed_in_mid_burst(on: Line, whose: int) -> None:
    await killed_in_mid_burst(on, on.servers[whose], 200)
