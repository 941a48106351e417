"""Hubs as processes on PostgreSQL: the demo's whole road, a hub killed on it, and a database that cuts the line under its feet (D12)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio

from deploy.demo.network import PLANS, HubProcess, Network
from deploy.demo.road import Road
from tests.store.conftest import Server

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(400)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def databases(postgres: Server) -> dict[str, tuple[str, str]]:
    """A database of data and one of keys for each institution."""
    return {plan.id: (postgres.new_database(), postgres.new_database()) for plan in PLANS}


class Unhurried(Network):
    """Administrators who do not sit side by side: one confirms while the other has the manifest only, or does not even have that."""

    async def pair(self) -> None:
        cem, col, csmc = self.hubs.values()
        for a, b in ((cem, col), (cem, csmc), (col, csmc)):
            await a.ask("peer.add", manifest=(await b.ask("peer.manifest"))["manifest"])
            if a is cem and b is csmc:
                await b.ask("peer.add", manifest=(await a.ask("peer.manifest"))["manifest"])
            code = (await a.ask("peer.code", institution=b.plan.id))["code"]
            await a.ask("peer.confirm", institution=b.plan.id, code=code)
        await asyncio.sleep(3)  # the invitations have arrived, where nobody is trusted yet
        for a, b in ((cem, col), (cem, csmc), (col, csmc)):
            await b.ask("peer.add", manifest=(await a.ask("peer.manifest"))["manifest"])
            code = (await b.ask("peer.code", institution=a.plan.id))["code"]
            await b.ask("peer.confirm", institution=a.plan.id, code=code)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network(databases: dict[str, tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """The demo's network, every hub on PostgreSQL, paired without haste."""
    extras = {name: f'\n[database]\nurl = "{data}"\nkeys_url = "{keys}"\n' for name, (data, keys) in databases.items()}
    async with Unhurried(tmp_path_factory.mktemp("pg"), extras=extras) as running:
        yield running


def plain(url: str) -> str:
    """The same database for the driver alone."""
    return url.replace("postgresql+psycopg://", "postgresql://")


async def test_the_whole_road_on_postgresql(network: Network, databases: dict[str, tuple[str, str]]) -> None:
    await Road(network=network).play()
    for hub in network.hubs.values():
        assert not list(hub.folder.rglob("*.db")), "nothing was quietly kept in SQLite"
    with psycopg.connect(plain(databases["csmc-comas"][0])) as connection:
        assert connection.execute("SELECT count(*) FROM held_values").fetchone() == (0,), "withdrawn: nothing is held"


async def ended(hub: HubProcess, within: float = 30.0) -> int:
    """The exit status of a hub that stops by itself."""
    assert hub.process is not None
    return await asyncio.wait_for(hub.process.wait(), within)


async def test_d12_a_hub_that_lost_its_database_line_stops_and_comes_back_whole(network: Network, databases: dict[str, tuple[str, str]]) -> None:
    """The server drops every connection: the lock is gone, so another hub could take the database. Ours stops within seconds."""
    hub, ana = network.hubs["cem-lima"], network.people["ana"]
    url = plain(databases[hub.plan.id][0])
    name = url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        connection.execute(cut, [name])
    began = time.monotonic()
    assert await ended(hub) != 0
    assert time.monotonic() - began < 20
    assert "database.lock_lost" in (hub.folder / "output.txt").read_text() + hub.log.read_text()
    await hub.start()
    desk = await hub.room("desk")
    await ana.say(desk, "!tk casos")
    await ana.expect(r"C-\w{5}", room=desk)


async def test_d01_killed_on_postgresql_it_takes_up_where_it_was(network: Network) -> None:
    hub, ana = network.hubs["cem-lima"], network.people["ana"]
    desk = await hub.room("desk")
    await ana.say(desk, "!tk abrir Mar Inventada, mañana a las 10")
    hub.kill()
    await ended(hub)
    await hub.start()
    await ana.expect(r"· Mar Inventada", room=desk)
    await ana.say(desk, "!tk casos")
    listed = await ana.expect(r"Mar Inventada", room=desk)
    assert listed.body.count("Mar Inventada") == 1
