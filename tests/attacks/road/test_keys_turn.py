"""R11, R12: the drills of the runbook (chapter 15) on real hub processes, by the very commands that an administrator types."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from deploy.demo.network import HubProcess, Network
from tests.attacks.road import facts
from tests.attacks.road.player import PATIENCE, ShortRoad


async def keys(hub: HubProcess, *words: str) -> Any:
    """`tinkuy keys …`, as it answers programs."""
    return json.loads(await hub.command("keys", *words, "--json"))


async def holds(hub: HubProcess, institution: str, version: int) -> None:
    """Wait until this hub holds that version of the other's manifest."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if any(row["institution"] == institution and row["version"] == version for row in await hub.ask("peer.list")):
                return
            await asyncio.sleep(0.2)


async def test_r11_drill_turned_missed_and_withdrawn_keys_with_a_referral_under_way(network: Network) -> None:
    """Turn the sender's signing key between offer and answer; turn it twice while the recipient is down; withdraw the recipient's."""
    road = ShortRoad(network=network)
    cem, csmc = road.cem, road.csmc
    first = (await keys(cem, "status"))["manifest_version"]
    await road.begin()
    await road.open()
    await road.consent()
    await road.refer()
    turned = await keys(cem, "rotate", "signing")
    assert (turned["state"], turned["version"]) == ("active", first + 1)
    await holds(csmc, "cem-lima", first + 1)
    await road.accept()
    await csmc.stop()
    for _ in range(2):
        await keys(cem, "rotate", "signing")
    assert (await keys(cem, "status"))["manifest_version"] == first + 3
    await csmc.start()
    await holds(csmc, "cem-lima", first + 3)
    versions = facts.rows(csmc, "SELECT version FROM manifest_versions WHERE institution = 'cem-lima' ORDER BY version")
    assert [row["version"] for row in versions] == list(range(first, first + 4)), "each in its order"
    await road.talk()
    before = (await keys(csmc, "status"))["signing_keys"]
    revoked = await keys(csmc, "revoke", "signing", "--yes")
    assert not set(revoked["signing_keys"]) & set(before)
    await holds(cem, "csmc-comas", revoked["version"])
    await road.withdraw()
    await facts.at_rest(network)
    facts.assert_lines_whole(network)
    facts.assert_ledgers_hold(network)
    facts.assert_one_of_everything(network, road.referral)


async def test_r11_a_turn_survives_kill_9_and_the_hub_speaks_with_its_new_key(network: Network) -> None:
    hub, peer = network.hubs["csmc-comas"], network.hubs["cem-lima"]
    turned = await keys(hub, "rotate", "signing")
    hub.kill()
    assert hub.process
    await hub.process.wait()
    await hub.start()
    await holds(peer, "csmc-comas", turned["version"])
    assert (await keys(hub, "status"))["signing_keys"] == turned["signing_keys"]
    road = ShortRoad(network=network)
    await road.play()
    await facts.at_rest(network)
    facts.assert_one_of_everything(network, road.referral)


async def test_r12_drill_roots_two_of_three_offline(network: Network, tmp_path: Path) -> None:
    """One root on the hub becomes two of three elsewhere; one stolen root alone changes nothing; two renew the hub's key."""
    hub, peer = network.hubs["colectiva-miluska"], network.hubs["cem-lima"]
    first = (await keys(hub, "status"))["manifest_version"]
    for name in ("a", "b", "c"):
        await hub.command("keys", "root", "new", str(tmp_path / name))
    public = [str(tmp_path / f"{name}.pub") for name in ("a", "b", "c")]
    waiting = await keys(hub, "root", "replace", "--threshold", "2", *public)
    assert (waiting["state"], [each["count"] for each in waiting["missing"]]) == ("waiting", [2])
    file = Path(waiting["file"])

    async def signed(*roots: str) -> Any:
        moved = tmp_path / "to-sign"
        moved.write_bytes(file.read_bytes())
        for root in roots:
            await hub.command("keys", "sign-manifest", str(moved), "--root", str(tmp_path / root), "--yes")
        return await keys(hub, "activate", str(moved))

    assert [each["count"] for each in (await signed("a"))["missing"]] == [1], "who is missing is named"
    assert (await signed("b"))["version"] == first + 1, "signatures are joined"
    await holds(peer, "colectiva-miluska", first + 1)
    status = await keys(hub, "status")
    assert (status["roots"], status["root_here"]) == ("2/3", False)
    checks = {check["id"]: check["level"] for check in json.loads(await _doctor(hub))}
    assert checks["root_here"] == "ok"
    waiting = await keys(hub, "rotate", "signing")
    assert (waiting["state"], waiting["missing"][0]["count"]) == ("waiting", 2)
    assert (await signed("c"))["state"] == "waiting", "one root moves nothing"
    assert (await signed("a"))["version"] == first + 2
    await holds(peer, "colectiva-miluska", first + 2)
    await hub.stop()
    await hub.start()
    assert (await keys(hub, "status"))["manifest_version"] == first + 2, "a start needs no root"


async def _doctor(hub: HubProcess) -> str:
    """`doctor` ends with 1 when anything is to be attended to, which is none of this test's matter."""
    try:
        return await hub.command("doctor", "--json")
    except RuntimeError:
        answers = await hub.ask("doctor")
        return json.dumps([{"id": "root_here", "level": "ok" if answers["root_here"] is False else "warn"}])
