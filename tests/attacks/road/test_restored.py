"""D11 and T12 on real hubs: backed up while it runs, work goes on, the machine is lost; another takes over, and there is one effect of everything."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pyrage
import pytest_asyncio

from deploy.demo.network import PLANS, HubProcess, Network
from keys.identity import ROOT
from keys.keyring import FileRows
from tests.attacks.road import facts
from tests.attacks.road.player import ShortRoad


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pair(tmp_path_factory: object) -> AsyncIterator[Network]:
    """Two institutions on two homeservers: a network of their own, for one of them loses its machine."""
    async with Network(tmp_path_factory.mktemp("lost"), plans=(PLANS[0], PLANS[2])) as running:
        yield running


async def with_backups(hub: HubProcess) -> Path:
    """Give it a backup disk and a recipient, and take its roots offline; the identity file."""
    identity = pyrage.x25519.Identity.generate()
    safe, disk = hub.folder / "identity", hub.folder / "disk"
    safe.write_text(f"{identity}\n")
    safe.chmod(0o600)
    disk.mkdir()
    text = hub.config.read_text().replace('state = "s"', f'state = "s"\nbackups = "{disk}"')
    hub.config.write_text(text + f'\n[backup]\nrecipients = ["{identity.to_public()}"]\n')
    await hub.stop()
    FileRows(hub.folder / "s" / "keyring.json").delete(ROOT)
    await hub.start()
    return safe


async def lose(hub: HubProcess) -> None:
    """The power fails and the disk is gone. The file of settings, the KEK and the backups were elsewhere."""
    hub.kill()
    assert hub.process
    await hub.process.wait()
    shutil.rmtree(hub.folder / "s")
    (hub.folder / "s").mkdir(mode=0o700)


async def test_d11_a_hub_restored_from_its_backup_goes_on_and_nothing_is_lost_or_doubled(pair: Network) -> None:
    cem, csmc = pair.hubs["cem-lima"], pair.hubs["csmc-comas"]
    identity = await with_backups(cem)
    known, later = ShortRoad(network=pair), ShortRoad(network=pair)
    await known.until_disclosed()
    await facts.at_rest(pair)
    made = json.loads(await cem.command("backup", "create", "--json"))
    device = (cem.folder / "s" / "device_id").read_text()

    await later.until_disclosed()  # after the backup: only the peer will know it
    await known._say(known.ana, known.desk, "decir: esto fue después del respaldo", f"sellado .{known.referral}", thread=known.card)
    await known._hear(known.bea, "esto fue después del respaldo", known.there)
    await facts.at_rest(pair)
    cem.kill()
    await known.bea.say(known.there, "decir: ¿me leen?", thread=known.offer)  # on the road while nobody is there
    await known._hear(known.bea, f"sellado .{known.referral}", known.there)
    await lose(cem)

    began = time.monotonic()
    done = json.loads(
        await cem.command("backup", "restore", "--data", made["data"], "--keys", made["keys"], "--identity", str(identity), "--json")
    )
    assert done["proven"], done
    await cem.start()
    await known._hear(known.ana, "¿me leen", known.desk)
    print(f"restored and heard again after {time.monotonic() - began:.1f} s")

    told = await known._hear(known.ana, rf"no recuerda estas derivaciones a .*{later.referral}", known.desk)
    assert known.referral not in told.body
    await known._hear(known.bea, rf"{later.referral}: .*no recuerda esta derivación", known.there)
    assert (cem.folder / "s" / "device_id").read_text() != device
    assert json.loads((cem.folder / "s" / "restore.json").read_text())["old_devices_out"], "the lost machine is signed out"
    await known.talk()
    assert len(known.ana.seen(r"¿me leen")) == 1
    assert len(known.bea.seen("esto fue después del respaldo")) == 1
    await known.withdraw()
    await known.bea.say(known.there, "devolver: ella lo pidió", thread=later.offer)
    await known._hear(known.bea, f"{later.referral}: devuelta", known.there)
    await facts.at_rest(pair)
    assert facts.value(csmc, "SELECT count(*) FROM held_values") == 0
    (ours,) = facts.rows(cem, "SELECT * FROM referrals WHERE code = ?", known.referral)
    for hub in (cem, csmc):
        (disclosure,) = facts.rows(hub, "SELECT * FROM disclosures WHERE referral = ?", ours["id"])
        assert disclosure["state"] == "destroyed"
        (link,) = facts.rows(hub, "SELECT * FROM links")
        assert link["frozen"] is None
        assert link["asking"] == 0
        assert link["acked_out"] == link["next_out"] - 1
    fresh = ShortRoad(network=pair)
    await fresh.play()
    await facts.at_rest(pair)
    facts.assert_one_of_everything(pair, fresh.referral)
    assert "rolled_back" not in cem.log.read_text(), "no quarrel with the homeserver about key ids"
