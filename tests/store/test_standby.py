"""Two servers of one hub on one PostgreSQL: the one that leads is killed or stopped in the middle of a referral, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import psycopg
import pytest
import pytest_asyncio

from bench.rows import compare, keep
from deploy.demo.network import PLANS, HubProcess, Network
from hub.store.lease import LASTS
from hub.web.control import ControlError, HubAway
from tests.attacks.road import facts
from tests.attacks.road.player import ShortRoad
from tests.homeserver.bench import until_async
from tests.store.conftest import Server

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(500), pytest.mark.long]
TAKEOVER = 10.0
"""Seconds in which the other server acts, from the moment that the leading one stops; a loaded machine of two cores gets a little more."""
SLACK = 5.0


@dataclass(kw_only=True)
class Pair:
    """The two servers of the emergency centre, and the network that they work in."""

    network: Network
    servers: list[HubProcess]
    url: str
    took: dict[str, list[float]] = field(default_factory=dict)

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

    async def leads_within(self, server: HubProcess, began: float, what: str) -> None:
        """This one leads, soon enough after `began`."""

        async def leading() -> bool:
            return await self.role(server) == "leader"

        await until_async(leading, f"{server.folder.name} leads", TAKEOVER + SLACK)
        self.took.setdefault(what, []).append(time.monotonic() - began)

    async def fail_over(self, *, stop: bool = False) -> HubProcess:
        """Kill (or freeze) the leading server now; the other one leads. The one that fell."""
        fallen = await self.leader()
        assert fallen.process is not None
        began = time.monotonic()
        os.kill(fallen.process.pid, signal.SIGSTOP if stop else signal.SIGKILL)
        await self.leads_within(self.other(fallen), began, "frozen" if stop else "killed")
        return fallen

    async def back(self, server: HubProcess) -> None:
        """Start a server again that has ended; it stands by."""
        assert server.process is not None
        await asyncio.wait_for(server.process.wait(), 30)
        await server.start()
        assert await self.role(server) == "standby"

    def one(self, query: str, *values: object) -> object:
        with psycopg.connect(plain(self.url)) as connection:
            found = connection.execute(query, values).fetchone()  # type: ignore[arg-type]  # the queries stand in this file
        assert found is not None
        return found[0]


def plain(url: str) -> str:
    """The same database for the driver alone."""
    return url.replace("postgresql+psycopg://", "postgresql://")


def second(first: HubProcess, name: str, database: str) -> HubProcess:
    """The other server, as the runbook says: the same KEK, keyring and password, a folder and a name of its own."""
    folder = first.folder.with_name(f"{first.plan.id}-{name}")
    (folder / "s").mkdir(parents=True)
    for file in (*first.folder.glob("*"), first.folder / "s" / "keyring.json"):
        if file.is_file() and file.name not in ("output.txt", "hub.log"):
            shutil.copy2(file, folder / file.relative_to(first.folder))
    other = HubProcess(
        plan=first.plan, folder=folder, user_id=first.user_id, password=first.password, server=first.server, short=first.short / name
    )
    other.short.mkdir(exist_ok=True)
    text = first.config.read_text().replace(str(first.folder), str(folder)).replace(str(first.socket), str(other.socket))
    other.config.write_text(text.replace('server = "uno"', f'server = "{name}"'))
    return other


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    url, keys = postgres.new_database(), postgres.new_database()
    extras = {"cem-lima": f'\n[database]\nurl = "{url}"\nkeys_url = "{keys}"\nserver = "uno"\n'}
    async with Network(tmp_path_factory.mktemp("two"), plans=(PLANS[0], PLANS[2]), extras=extras) as network:
        first = network.hubs["cem-lima"]
        other = second(first, "dos", url)
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
    """`kill -9` of whoever leads, right after somebody spoke, four times on one road."""
    road = ShortRoad(network=pair.network)
    await road.begin()

    async def fall_after(step: object, delay: float) -> None:
        task = asyncio.ensure_future(step)  # type: ignore[arg-type, var-annotated]  # a coroutine
        await asyncio.sleep(delay)
        fallen = await pair.fail_over()
        await asyncio.gather(task, pair.back(fallen))

    await fall_after(road.open(), 0.3)
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
    await pair.back(await pair.fail_over())
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
    slept = await pair.fail_over(stop=True)
    await referring
    assert slept.process is not None
    os.kill(slept.process.pid, signal.SIGCONT)
    await pair.back(slept)
    await road.accept()
    slept = await pair.fail_over(stop=True)
    await road.talk()
    os.kill(slept.process.pid, signal.SIGCONT)  # type: ignore[union-attr]  # it runs
    await road.withdraw()
    await pair.back(slept)
    await facts.at_rest(pair.network)
    one_of_everything(pair, road)
    seen_once(road, calm)


async def test_a_leader_that_is_told_to_stop_hands_over_at_once(pair: Pair) -> None:
    leader = await pair.leader()
    began = time.monotonic()
    assert leader.process is not None
    leader.process.terminate()
    await pair.leads_within(pair.other(leader), began, "told to stop")
    await pair.back(leader)
    if os.environ.get("TINKUY_KEEP_FIGURES"):
        limits = {"killed": LASTS, "frozen": LASTS, "told to stop": 1.0}
        rows = [compare(f"leader {what} → the other server acts", "s", took, [limits[what]] * len(took)) for what, took in pair.took.items()]
        keep("standby", rows)
