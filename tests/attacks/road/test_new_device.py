"""N12: a hub whose Olm rows are gone comes back on a new Matrix device, with its roots offline, in the middle of a referral."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.demo.network import PLANS, HubProcess, Network
from keys.identity import ROOT
from keys.keyring import FileRows
from tests.attacks.road import facts
from tests.attacks.road.player import ShortRoad


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """Two institutions on two homeservers: a network of their own, for one of them changes its device."""
    async with Network(tmp_path_factory.mktemp("device"), plans=(PLANS[0], PLANS[2])) as running:
        yield running


async def on_a_new_device(hub: HubProcess) -> tuple[str, str]:
    """Stop it, take its roots offline, forget its Olm rows as a restore does, and start it again; the device before and after."""
    await hub.stop()
    FileRows(hub.folder / "s" / "keyring.json").delete(ROOT)
    with contextlib.closing(sqlite3.connect(hub.folder / "s" / "hub.db")) as database, database:
        for table in ("matrix_olm", "matrix_facts", "matrix_batch", "matrix_waiting"):
            database.execute(f"DELETE FROM {table}")
    device = hub.folder / "s" / "device_id"
    before = device.read_text()
    device.unlink()
    await hub.start()
    return before, device.read_text()


async def test_n12_work_goes_on_both_ways_from_a_new_device(pair: Network) -> None:
    cem, csmc = pair.hubs["cem-lima"], pair.hubs["csmc-comas"]
    road = ShortRoad(network=pair)
    await road.until_disclosed()
    await facts.at_rest(pair)
    manifest = (await cem.ask("peer.manifest"))["manifest"]
    before, after = await on_a_new_device(cem)
    assert before != after
    assert (await cem.ask("peer.manifest"))["manifest"] == manifest, "no new manifest, for the roots are away"
    await road.talk()
    await road.withdraw()
    await facts.at_rest(pair)
    facts.assert_lines_whole(pair)
    facts.assert_one_of_everything(pair, road.referral)
    (peer,) = facts.rows(csmc, "SELECT devices, length(devices) AS size FROM peers WHERE id = 'cem-lima'")
    assert peer["size"] > 0
    (told,) = facts.rows(cem, "SELECT p.told = s.number AS known FROM peers p, own_statements s WHERE p.id = 'csmc-comas'")
    assert told["known"], "the peer said in an envelope that it holds the statement, so it is not repeated"
    # The other side changes too: each now knows the other by a statement alone.
    road = ShortRoad(network=pair)
    await asyncio.gather(on_a_new_device(cem), on_a_new_device(csmc))
    await road.play()
    await facts.at_rest(pair)
    facts.assert_one_of_everything(pair, road.referral)
