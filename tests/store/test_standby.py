"""Two servers of one hub on one PostgreSQL: the one that leads is killed or stopped in the middle of a referral, and nothing is lost or doubled.

How soon the other one acts is measured by `bench/standby.py`; here it only has to, within a time that a busy machine keeps.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
import pytest
import pytest_asyncio

from deploy.demo.network import PLANS, HubProcess, Network
from hub.web.control import ControlError, HubAway
from tests.attacks.road import facts
from tests.attacks.road.player import ShortRoad
from tests.homeserver.bench import until_async
from tests.store.conftest import Server
from tests.store.second import second

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(500)]
TAKEOVER = 10.0
"""Seconds in which the other server acts, from the moment that the leading one stops; a loaded machine of two cores gets more."""
SLACK = 20.0


@dataclass(kw_only=True)
class Pair:
    """The two servers of the emergency centre, and the network that they work in."""

    network: Network
    servers: list[HubProcess]
    url: str

    async def role(self, server: HubProcess) -> str:
        try:
            return str((await server.ask("status"))["role"])
        except (HubAway, OSError, ControlError):
            return "away"

    async def leader(self) -> HubProcess:
        """The one that leads now, waited for."""
        async with asyncio.timeout(60):
            while True:
                for server in self.servers:
                    if server.process and server.process.returncode is None and await self.role(server) == "leader":
                        return server
                await asyncio.sleep(0.05)

    def other(self, server: HubProcess) -> HubProcess:
        return next(one for one in self.servers if one is not server)

    async def leads_soon(self, server: HubProcess) -> None:
        """This one leads, soon enough."""

        async def leading() -> bool:
            return await self.role(server) == "leader"

        await until_async(leading, f"{server.folder.name} leads", TAKEOVER + SLACK)

    async def fail_over(self, how: signal.Signals = signal.SIGKILL) -> HubProcess:
        """Kill (freeze, ask to stop) the leading server now; the other one leads. The one that fell."""
        fallen = await self.leader()
        assert fallen.process is not None
        os.kill(fallen.process.pid, how)
        await self.leads_soon(self.other(fallen))
        return fallen

    async def back(self, server: HubProcess) -> None:
        """Start a server again that has ended; it stands by."""
        assert server.process is not None
        await asyncio.wait_for(server.process.wait(), 30)
        await server.start()
        assert await self.role(server) == "standby"

    def one(self, query: LiteralString, *values: object) -> object:
        with psycopg.connect(plain(self.url)) as connection:
            found = connection.execute(query, values).fetchone()
        assert found is not None
        return found[0]


def plain(url: str) -> str:
    """The same database for the driver alone."""
    return url.replace("postgresql+psycopg://", "postgresql://")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    url, keys = postgres.new_database(), postgres.new_database()
    extras = {"cem-lima": f'\n[database]\nurl = "{url}"\nkeys_url = "{keys}"\nserver = "uno"\n'}
    async with Network(tmp_path_factory.mktemp("two"), plans=(PLANS[0], PLANS[2]), extras=extras) as network:
        first = network.hubs["cem-lima"]
        other = second(first, "dos")
        try:
            await other.start()
            yield Pair(network=network, servers=[first, other], url=url)
        finally:
            for server in (first, other):
                if server.process and server.process.returncode is None:
                    os.kill(server.process.pid, signal.SIGCONT)
            await other.stop()


def one_of_everything(pair: Pair, road: ShortRoad) -> None:
    """Every number of the line once, acknowledged; one referral, and each message of it once, at both hubs."""
    assert pair.one("SELECT count(*) FROM referrals WHERE code = %s", road.referral) == 1
    assert pair.one("SELECT count(*) FROM outbox WHERE seq > 0 AND state <> 'acked'") == 0
    assert pair.one("SELECT count(*) - count(DISTINCT (link, epoch, seq)) FROM outbox WHERE seq > 0") == 0
    assert pair.one("SELECT next_out - 1 - (SELECT count(*) FROM outbox WHERE seq > 0) FROM links") == 0
    assert pair.one("SELECT count(*) FROM ledger") == pair.one("SELECT count(*) FROM outbox WHERE seq > 0")
    assert pair.one("SELECT count(*) FROM links WHERE frozen IS NOT NULL") == 0
    kinds = "SELECT string_agg(kind, ' ' ORDER BY kind) FROM outbox WHERE ref::json->>'referral' = (SELECT id FROM referrals WHERE code = %s)"
    assert pair.one(kinds, road.referral) == "disclose offer say withdraw"


def seen_once(road: ShortRoad, calm: dict[str, Counter[str]]) -> None:
    """Each person sees what she would have seen without any fall, each message as often."""
    for name, messages in road.seen().items():
        assert messages - calm[name] == Counter(), f"{name} saw something twice, or something else"
        assert calm[name] - messages == Counter(), f"{name} missed something"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def calm(pair: Pair) -> dict[str, Counter[str]]:
    """What is seen when nobody falls, with both servers there."""
    await facts.acquainted(pair.network)
    road = ShortRoad(network=pair.network)
    await road.play()
    await facts.at_rest(pair.network)
    return road.seen()


async def test_one_leads_the_other_stands_by_and_the_peer_believes_both(pair: Pair, calm: dict[str, Counter[str]]) -> None:
    leader = await pair.leader()
    other = pair.other(leader)
    assert await pair.role(other) == "standby"
    assert pair.one("SELECT count(*) FROM hub_devices") == 2

    async def told() -> bool:
        return bool(pair.one("SELECT p.told = s.number FROM peers p, own_statements s WHERE s.id = 'devices'"))

    await until_async(told, "the peer holds the statement of both devices")
    with pytest.raises(ControlError) as refused:
        await other.ask("staff.duty", user_id="@x:y", on_duty=True)
    assert refused.value.code == "server.standby"
    assert (await other.ask("rooms")) == (await leader.ask("rooms"))
    assert sum(calm["ana"].values()) > 5
    assert not [m for person in pair.network.people.values() for m in person.seen("own_ghost")], "the other server is no ghost"


async def test_killed_at_several_points_of_a_referral(pair: Pair, calm: dict[str, Counter[str]]) -> None:
    """`kill -9` of whoever leads, right after somebody spoke, three times on one road."""
    road = ShortRoad(network=pair.network)
    await road.begin()

    async def fall_after(step: Coroutine[Any, Any, None], delay: float) -> None:
        task = asyncio.create_task(step)
        await asyncio.sleep(delay)
        fallen = await pair.fail_over()
        await asyncio.gather(task, pair.back(fallen))

    await road.open()
    await road.consent()
    await fall_after(road.refer(), 0.5)
    await fall_after(road.accept(), 0.4)
    await road.talk()
    await fall_after(road.withdraw(), 0.6)
    await facts.at_rest(pair.network)
    one_of_everything(pair, road)
    seen_once(road, calm)


async def test_d02_a_post_that_was_put_and_not_marked_shows_once(pair: Pair) -> None:
    """The one that leads dies between the homeserver's answer and its own note of it; the other one finds the post in the room."""
    ana, desk = pair.network.people["ana"], await (await pair.leader()).room("desk")
    doomed = pair.other(await pair.leader())
    assert doomed.process is not None
    doomed.process.terminate()
    await asyncio.wait_for(doomed.process.wait(), 30)
    plain_config = doomed.config.read_text()
    doomed.config.write_text(plain_config + '\n[faults]\nkill_at = ["post.sent"]\n')
    await doomed.start()
    doomed.config.write_text(plain_config)
    await pair.back(await pair.fail_over(signal.SIGTERM))
    await ana.say(desk, "!tk abrir Mar Inventada, mañana a las 10")
    assert await asyncio.wait_for(doomed.process.wait(), 30) == -signal.SIGKILL
    shown = await ana.expect(r"Listo: C-\w{5}", room=desk, within=60)
    await facts.at_rest(pair.network)
    await pair.back(doomed)
    code = shown.body.partition("Listo: ")[2][:7]
    assert len(ana.seen(rf"Listo: {code}")) == 1
    assert len([m for m in ana.seen(rf"{code} · Mar Inventada", room=desk) if m.sender != ana.user_id]) == 1


async def test_a_stopped_leader_that_wakes_up_does_nothing(pair: Pair, calm: dict[str, Counter[str]]) -> None:
    """SIGSTOP, the other takes over and works; SIGCONT, and the one that slept ends without an effect."""
    road = ShortRoad(network=pair.network)
    await road.begin()
    await road.open()
    await road.consent()
    referring = asyncio.ensure_future(road.refer())
    await asyncio.sleep(0.4)
    slept = await pair.fail_over(signal.SIGSTOP)
    await referring
    await road.accept()
    assert slept.process is not None
    os.kill(slept.process.pid, signal.SIGCONT)
    await road.talk()
    await road.withdraw()
    await pair.back(slept)
    await facts.at_rest(pair.network)
    one_of_everything(pair, road)
    seen_once(road, calm)


async def test_a_leader_that_is_told_to_stop_hands_over_at_once(pair: Pair) -> None:
    """It does not let its lease run out, which would take six seconds from its last pulse: it gives it back."""
    leader = await pair.leader()
    holder = pair.one("SELECT holder FROM leases WHERE name = 'pulse'")
    assert leader.process is not None
    leader.process.terminate()
    await asyncio.wait_for(leader.process.wait(), 30)
    assert pair.one("SELECT holder FROM leases WHERE name = 'pulse'") != holder
    assert await pair.leader() is pair.other(leader)
    await pair.back(leader)
