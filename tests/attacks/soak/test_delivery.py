"""Bursts and outages over real homeservers: everything arrives, once, in its order, proven by the numbers of both sides (D04, D05).

How fast stands in `bench/results/delivery.json`; here only what must never fail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench.delivery import Line, burst, killed_in_mid_burst, line, outage
from bench.stage import until
from deploy.demo.synapse import Synapses
from hub.exchange.pacing import WINDOW
from tests.attacks.matrix.test_events import OlmAttacker

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    folder: Path = tmp_path_factory.mktemp("delivery")
    async with Synapses(folder / "servers", count=2) as servers, line(servers, folder / "hubs") as built:
        yield built


async def test_d04_a_burst_of_400_arrives_whole_and_in_order_within_the_window(on: Line) -> None:
    await burst(on, 400)
    assert 0 < on.most_under_way <= WINDOW < 100, "a homeserver prunes a room's inbound queue at 100 staged events"


async def test_d05_an_outage_of_300_arrives_whole_and_in_order_and_the_first_at_once(on: Line) -> None:
    """The peer's homeserver speaks first when it is back, so that ours need not wait for its own next try."""
    first, _ = await outage(on, 300)
    assert first < 5, "seconds; the usual is one, and without a word from the returned it is many"


@pytest.mark.parametrize("whose", [0, 1], ids=["sender", "recipient"])
async def test_d05_a_homeserver_killed_in_mid_burst(on: Line, whose: int) -> None:
    await killed_in_mid_burst(on, on.servers[whose], 200)


async def test_x28_what_was_said_to_a_wedged_session_arrives_once(on: Line) -> None:
    """The recipient's ratchets are put back, so the next room key does not open there; a minute later everything is heard, in order."""
    recipient, sender = on.recipient.house.matrix, on.sender.house.matrix
    for sessions in recipient.client.olm.session_store.values():
        for session in sessions:
            session._session = OlmAttacker.session_with_nobody()
    for room in list(sender._machine._outbound):
        sender._machine.forget_room(room)
    before = len(on.heard)
    await on.say(5)
    await until(lambda: recipient.health.waiting > 0, "an event that cannot be read: else nothing was wedged")
    assert len(on.heard) == before
    await on.say(5)
    await on.all_heard(within=60)
