"""C08 on running hubs: rows that decide over trust, edited with SQL by somebody who has the database and not the keys."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from deploy.demo.network import HubProcess, Network
from tests.attacks.road.test_one_hub import REFUSED, run_another

EDIT = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=30) as database:
    for statement in sys.argv[2:]:
        database.execute(statement)
database.close()
"""


def edit(hub: HubProcess, *statements: str) -> None:
    """From a process of its own, as a stranger would: what this one has open of the database is no part of the attack."""
    subprocess.run([sys.executable, "-c", EDIT, str(hub.folder / "s" / "hub.db"), *statements], check=True)


@pytest.mark.parametrize("attack", ["pin", "manifest"])
async def test_c08_a_hub_whose_trust_was_edited_does_not_start(network: Network, attack: str) -> None:
    hub = network.hubs["colectiva-miluska"]
    await hub.stop()
    edit(hub, "CREATE TABLE kept_staff AS SELECT * FROM staff", "CREATE TABLE kept_peers AS SELECT * FROM peers")
    try:
        edit(hub, {"pin": "UPDATE staff SET master = 'A' || substr(master, 2)", "manifest": "UPDATE peers SET state = 'added'"}[attack])
        code, said = await run_another(hub)
        assert code == REFUSED, said
        assert "database.row_forged" in said
        assert "cambió por fuera del hub" in said, "it says what failed and why"
        assert "Traceback" not in said
    finally:
        edit(
            hub, "DELETE FROM staff", "INSERT INTO staff SELECT * FROM kept_staff", "DELETE FROM peers", "INSERT INTO peers SELECT * FROM kept_peers",
            "DROP TABLE kept_staff", "DROP TABLE kept_peers",
        )  # fmt: skip
        await hub.start()
    assert (await hub.ask("status"))["institution"] == hub.plan.id


async def test_c08_a_running_hub_stops_when_its_trust_is_edited(network: Network) -> None:
    """The look at the trust rows comes every ten seconds, or sooner when a row is used."""
    hub = network.hubs["colectiva-miluska"]
    edit(hub, "CREATE TABLE kept_staff AS SELECT * FROM staff", "UPDATE staff SET role = 'administrator' WHERE role = 'caseworker'")
    assert hub.process
    try:
        async with asyncio.timeout(60):
            assert await hub.process.wait() != 0
        assert "database.row_forged" in (hub.folder / "output.txt").read_text(errors="replace")
    finally:
        edit(hub, "DELETE FROM staff", "INSERT INTO staff SELECT * FROM kept_staff", "DROP TABLE kept_staff")
        hub.process.terminate() if hub.process.returncode is None else None
        await hub.process.wait()
        await hub.start()
    assert (await hub.ask("status"))["institution"] == hub.plan.id
