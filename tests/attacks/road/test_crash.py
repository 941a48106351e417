"""D01, D02, D03 and the road's promise: `kill -9` of any hub at any moment, restart, and there is exactly one of everything.

A calm road is the oracle: what people see on a road with deaths must be the same messages, each as often, whatever their order.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections import Counter
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from deploy.demo.network import HubProcess, Network
from tests.attacks.road import facts
from tests.attacks.road.guardian import Guardian, strike_at_random
from tests.attacks.road.player import ShortRoad

SEEDS = range(int(os.environ.get("TINKUY_CRASH_SEEDS", "2")))
"""How many roads with random deaths are played; a long campaign asks for more."""

AT_THE_SENDER = {
    "D01": ["post.claimed:3", "dispatch.committed", "post.claimed:2"],
    "D02": ["post.sent:3", "dispatch.sent", "dispatch.marked", "post.marked:2"],
    "D03": ["batch.saved:2", "batch.done:2", "inbox.handled:2", "batch.saved"],
}
AT_THE_RECIPIENT = {
    "D01": ["dispatch.committed", "post.claimed"],
    "D02": ["dispatch.sent", "post.sent", "dispatch.marked"],
    "D03": ["batch.saved", "inbox.handled", "batch.done"],
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calm(network: Network) -> dict[str, Counter[str]]:
    """What is seen when nobody dies."""
    await facts.acquainted(network)
    road = ShortRoad(network=network)
    await road.play()
    await settled(network, road)
    return road.seen()


async def settled(network: Network, road: ShortRoad) -> None:
    """Everything came to rest; then the tables tell of one of everything, and of nothing else."""
    await facts.at_rest(network)
    facts.assert_one_of_everything(network, road.referral)
    facts.assert_lines_whole(network)
    facts.assert_ledgers_hold(network)


async def same_as(calm: dict[str, Counter[str]], road: ShortRoad, within: float = 20.0) -> None:
    """Each person sees what she would have seen on a calm road, each message once."""
    deadline = time.monotonic() + within
    while True:
        if road.seen() == calm or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.3)
    for name, messages in road.seen().items():
        assert messages - calm[name] == Counter(), f"{name} saw something twice, or something else"
        assert calm[name] - messages == Counter(), f"{name} missed something"


@pytest.mark.parametrize("fault", ["D01", "D02", "D03"])
async def test_d01_d02_d03_killed_at_named_points(network: Network, calm: dict[str, Counter[str]], fault: str) -> None:
    """D01: between commit and send. D02: between send and its mark. D03: between receipt, effect and acknowledgement."""
    guardians = [
        Guardian(hub=network.hubs["cem-lima"], points=list(AT_THE_SENDER[fault])),
        Guardian(hub=network.hubs["csmc-comas"], points=list(AT_THE_RECIPIENT[fault])),
    ]
    road = ShortRoad(network=network)
    async with AsyncExitStack() as stack:
        for guardian in guardians:
            await stack.enter_async_context(guardian.watching())
        await road.play()
        await asyncio.gather(*(guardian.all_died() for guardian in guardians))
        await facts.at_rest(network)
    assert [guardian.died_at for guardian in guardians] == [AT_THE_SENDER[fault], AT_THE_RECIPIENT[fault]]
    await settled(network, road)
    await same_as(calm, road)


@pytest.mark.parametrize("seed", SEEDS)
async def test_killed_at_any_moment(network: Network, calm: dict[str, Counter[str]], seed: int) -> None:
    """Any of the hubs, at moments that nobody chose, also while it is starting."""
    guardians = [Guardian(hub=network.hubs[name]) for name in ("cem-lima", "csmc-comas")]
    road = ShortRoad(network=network)
    async with AsyncExitStack() as stack:
        for guardian in guardians:
            await stack.enter_async_context(guardian.watching())
        striking = asyncio.create_task(strike_at_random(guardians, seed, blows=6))
        await road.play()
        await striking
        await asyncio.gather(*(guardian.all_died() for guardian in guardians))
        await facts.at_rest(network)
    assert sum(len(guardian.died_at) for guardian in guardians) >= 4, "hardly anybody died: the test proves nothing"
    await settled(network, road)
    await same_as(calm, road)


async def test_d03_a_check_in_that_fell_due_while_the_hub_was_dead_rings_once(network: Network) -> None:
    """The hub dies again right after it rang, and still it rang once; the answer counts once (R07's downtime, on the road)."""
    road = ShortRoad(network=network)
    await road.begin()
    await road.open()
    hub = network.hubs["cem-lima"]
    guardian = Guardian(hub=hub, points=["timer.rung", "post.sent"])
    hub.kill()
    assert hub.process
    await hub.process.wait()
    make_due(hub, road.code)
    async with guardian.watching():
        rung = await road._hear(road.ana, rf"{road.code}: toca el contacto", road.desk)
        assert road.ana.user_id in rung.mentions
        await guardian.all_died()
        await facts.at_rest(network)
    assert len(road.ana.seen(rf"{road.code}: toca el contacto")) == 1
    await road.ana.say(road.desk, number_of_safe(rung.body), thread=rung.thread)
    await road._hear(road.ana, "anotado, contactada", road.desk)
    answered = 'SELECT count(*) FROM checkins c JOIN cases k ON c."case" = k.id WHERE k.code = ? AND c.answer = ?'
    assert facts.value(hub, answered, road.code, "safe") == 1


async def test_p13_retention_that_passed_while_the_hub_was_dead_comes_before_any_other_work(network: Network) -> None:
    """Bea asks to see her while the hub is down and the time runs out: at its start the key dies first, and Bea sees nothing."""
    road = ShortRoad(network=network)
    await road.until_disclosed()
    await facts.at_rest(network)
    hub = network.hubs["csmc-comas"]
    (held,) = facts.rows(hub, "SELECT d.id FROM disclosures d JOIN referrals r ON d.referral = r.id WHERE r.code = ?", road.referral)
    hub.kill()
    assert hub.process
    await hub.process.wait()
    await road.bea.say(road.there, "ver", thread=road.offer)
    run_out(hub, held["id"])
    await hub.start()
    await road._hear(road.ana, rf"{road.referral}: .*destruyó los datos", road.desk)
    await facts.at_rest(network)
    assert not road.bea.seen("insomnio", room=road.direct), "shown after its time"
    with sqlite3.connect(hub.folder / "s" / "keys.db") as keys:
        assert keys.execute("SELECT count(*) FROM wrapped_keys WHERE owner = ?", (held["id"],)).fetchone() == (0,)
    assert facts.value(hub, "SELECT state FROM disclosures WHERE id = ?", held["id"]) == "destroyed"


def run_out(hub: HubProcess, disclosure: str) -> None:
    """Time passes for one dead hub: what it holds should be gone since a minute."""
    due = int((time.time() - 60) * 1_000_000)
    with sqlite3.connect(hub.folder / "s" / "hub.db") as database:
        database.execute("UPDATE disclosures SET until = ? WHERE id = ?", (due, disclosure))
        database.execute("UPDATE timers SET due_at = ? WHERE ref = ? AND kind = 'retention'", (due, disclosure))
    database.close()


def make_due(hub: HubProcess, code: str) -> None:
    """Time passes for one dead hub's check-in: it was due a minute ago."""
    due = int((time.time() - 60) * 1_000_000)
    with sqlite3.connect(hub.folder / "s" / "hub.db") as database:
        wanted = '(SELECT c.id FROM checkins c JOIN cases k ON c."case" = k.id WHERE k.code = ?)'
        database.execute(f"UPDATE checkins SET due_at = ?, next_ring_at = ? WHERE id IN {wanted}", (due, due, code))
        database.execute(f"UPDATE timers SET due_at = ? WHERE ref IN {wanted}", (due, code))
    database.close()


def number_of_safe(body: str) -> str:
    return next(line for line in body.splitlines() if "a salvo" in line).strip().partition(".")[0]
