"""D11, R11: a copy from before a turn of keys. Peers, and the backup disk, give the hub its own newer manifest back; it never makes a second one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub import doctor_backups
from hub.actions import peers
from hub.actions.again import TOGETHER
from hub.actions.manifest_versions import keep_version
from hub.actions.opening_keys import is_fresh
from hub.actions.own_manifest import lacking
from hub.app import restore
from hub.app.key_commands import key_handlers
from hub.app.keyturn import KeyTurner
from hub.app.manifest import file_manifest, is_settled, manifest_path, own_manifest
from hub.app.offline import open_identity
from hub.app.servers import Servers
from hub.base.errors import Refused
from hub.exchange.wire import NewManifest, encode
from hub.matrix.ports import Device
from hub.store.seals import Seals
from hub.testing import Twin
from keys.keyring import FileRows, Keyring
from keys.manifest import Manifest, make_manifest
from keys.primitives import SigningKey
from keys.succession import successor
from keys.vectors.generate import stated_device
from tests.attacks.backups.bench import CEM, CSMC, Filed
from tests.attacks.twins.bench import COL, Road, alarms, craft, found, link, send


@pytest.fixture
def road(tmp_path: Path) -> Road:
    made = Road(net=Filed(tmp_path, CEM, CSMC))
    made.cem.enrol("jefa", role="administrator")
    made.offer()
    made.accept()
    return made


def house(road: Road) -> Any:
    """As much of a running hub as turns keys: the same keyring file, store and folder."""
    net = road.net
    assert isinstance(net, Filed)
    machine = net.machines[CEM]
    identity, kek = open_identity(machine.config)
    ring = Keyring(CEM, kek, FileRows(machine.config.keyring_file))
    return SimpleNamespace(
        config=machine.config, keyring=ring, identity=identity, store=net[CEM].store, clock=net.clock, servers=None, kek=kek, turning=asyncio.Lock()
    )


def opened(road: Road, *, servers: Servers | None = None, now: datetime | None = None) -> Manifest:
    """What `open_house` does with manifest and keys; it is in force then."""
    here, moment = house(road), now or road.net.clock.now()
    profile, new = here.store.given.hand.manifest.profile, stated_device("new")
    device = Device(user_id=profile.matrix_user, device_id=new.device_id, ed25519=new.ed25519, curve25519=new.curve25519)
    path, seals = manifest_path(here.config), Seals(here.store.given.keys)
    if servers:
        servers.fetch_manifest(path, here.keyring)
    settled = here.store._database.run_now(lambda connection: is_settled(connection, seals, CEM, file_manifest(path)))
    made = own_manifest(here.config, here.identity, here.keyring, device, profile.master_fingerprint, moment, settled=settled)
    if servers:
        servers.share_manifest(made, moment, here.keyring)
    asyncio.run(KeyTurner(here)._in_force(made))
    return made


def taken_up(road: Road) -> bool:
    """What `open_house` and the first step of a start do; whether a manifest of ours came back."""
    opened(road)
    done = asyncio.run(KeyTurner(house(road)).take_back())
    road.net.settle(20)
    return done


def asked(road: Road, command: str, **args: Any) -> Any:
    """What `tinkuy keys` asks of the running hub."""
    done = asyncio.run(key_handlers(house(road))[command](args))
    road.net.settle(12)
    return done


def restored(road: Road, parts: tuple[Path, Path], *, disk_knows: bool) -> dict[str, Any]:
    net = road.net
    assert isinstance(net, Filed)
    net.pulse(CEM)
    net.machines[CEM].lose()
    for path in (net.disk / f"backups-{CEM}").glob("manifest-*") if not disk_knows else ():
        path.unlink()
    done = net.restore(CEM, parts)
    road.cem, road.csmc = net[CEM], net[CSMC]
    return done


def backed_up(road: Road) -> tuple[Path, Path]:
    assert isinstance(road.net, Filed)
    return road.net.back_up(CEM)


def version_at(twin: Twin) -> int:
    return twin.run(lambda unit: peers.manifest_of(unit, CEM).version)


def offered(road: Road, name: str) -> int:
    """A new referral is confirmed; how many the peer has then."""
    road.open(name)
    road.cem.type("ana", road.preview()[0])
    road.net.settle(12)
    return road.csmc.run(lambda unit: unit.referrals.count())


def test_d11_peers_give_a_restored_hub_its_own_newer_manifest_back(road: Road) -> None:
    parts = backed_up(road)
    assert asked(road, "keys.rotate", what="signing")["version"] == 2
    assert version_at(road.csmc) == 2
    restored(road, parts, disk_knows=False)
    with pytest.raises(Refused, match="restore_unanswered"):
        asked(road, "keys.rotate", what="signing")
    road.net.settle(20)
    assert "[own_manifest_ahead]" in alarms(road.cem)
    assert "[own_manifest_back]" in alarms(road.cem)
    assert road.cem.store.given.hand.manifest.version == 1
    assert asyncio.run(KeyTurner(house(road)).take_back()), "as the inbox does after such an event, and each start"
    road.net.settle(12)
    assert road.cem.store.given.hand.manifest.version == 2
    assert "[own_keys_lost]" in alarms(road.cem)
    for _ in range(9):
        road.net.clock.advance(timedelta(days=1))
        road.net.settle(3)
    assert road.csmc.run(lambda unit: is_fresh(unit, unit.peers.get(CEM))), "it speaks of the version that they hold"
    assert offered(road, "Mar Inventada") == 1, "without its signing key it offers nothing new"
    assert asked(road, "keys.rotate", what="signing")["version"] == 3
    assert (version_at(road.csmc), link(road.csmc, CEM).frozen, link(road.cem, CSMC).frozen) == (3, None, None)
    assert lacking(road.cem.store.given.hand) == ()
    road.net.settle(12)
    assert road.csmc.run(lambda unit: unit.referrals.count()) == 2, "what waited goes now"


def near_the_end(road: Road, days: int) -> None:
    """Our manifest has so many days left."""
    net, ends = road.net, road.cem.store.given.hand.manifest.profile.expires
    net.clock.advance(ends - timedelta(days=days) - net.clock.now())
    net.settle(20)


def test_d11_a_renewal_waits_until_every_peer_has_answered(road: Road) -> None:
    """A copy from before a renewal: renewed once more by itself, there would be two of one version, and every link would freeze."""
    near_the_end(road, 20)
    parts = backed_up(road)
    road.net.clock.advance(timedelta(days=1))
    assert opened(road).version == 2, "the restart of Monday renews"
    road.net.settle(20)
    assert version_at(road.csmc) == 2
    restored(road, parts, disk_knows=False)
    assert opened(road).version == 1
    road.net.settle(20)
    assert (link(road.cem, CSMC).asking, road.cem.store.given.hand.manifest.version) == (0, 1), "answered, and not in force yet"
    assert taken_up(road), "what came back is taken before anything is made"
    assert road.cem.store.given.hand.manifest.version == 2
    assert (version_at(road.csmc), link(road.csmc, CEM).frozen, link(road.cem, CSMC).frozen) == (2, None, None)
    near_the_end(road, 20)
    assert opened(road).version == 3, "a year later it renews as ever"


def test_d11_what_came_back_is_taken_before_a_renewal_and_each_start_succeeds(road: Road) -> None:
    """Peers gave two versions back and the process died before it took them; ours is due meanwhile (p16)."""
    near_the_end(road, 40)
    parts = backed_up(road)
    for what in ("opening", "signing"):
        asked(road, "keys.rotate", what=what)
    restored(road, parts, disk_knows=False)
    road.net.settle(20)
    assert road.cem.run(lambda unit: unit.manifests.count(institution=CEM)) == 3
    assert taken_up(road)
    assert road.cem.store.given.hand.manifest.version == 3
    assert not taken_up(road)
    assert link(road.csmc, CEM).frozen is None


def test_d11_keys_turn_after_what_came_back(road: Road) -> None:
    """The command is faster than the worker that takes it."""
    parts = backed_up(road)
    asked(road, "keys.rotate", what="opening")
    restored(road, parts, disk_knows=False)
    road.net.settle(20)
    assert road.cem.store.given.hand.manifest.version == 1
    assert asked(road, "keys.rotate", what="signing")["version"] == 3
    assert (version_at(road.csmc), link(road.csmc, CEM).frozen) == (3, None)


def test_d11_a_fork_is_told_and_stops_no_start(road: Road) -> None:
    """People insisted on a turn, and what a peer had given back before does not follow it."""
    parts = backed_up(road)
    asked(road, "keys.rotate", what="opening")
    theirs = road.cem.store.given.hand.manifest
    restored(road, parts, disk_knows=False)
    asyncio.run(key_handlers(house(road))["keys.rotate"]({"what": "signing", "insist": True}))
    follows = make_manifest(successor(theirs, road.net.clock.now()), [road.cem.root])
    road.cem.run(keep_version, Manifest.from_bytes(follows))
    for _ in range(3):
        assert not asyncio.run(KeyTurner(house(road)).take_back())
    road.cem.post()
    assert alarms(road.cem).count("[own_manifest_fork]") == 1
    assert road.cem.store.given.hand.manifest.version == 2
    road.net.clock.advance(timedelta(days=1))
    near_the_end(road, 20)
    assert opened(road).version == 2, "in doubt none is made by itself"


def test_d11_no_turn_and_no_manifest_that_came_back_at_one_moment(road: Road) -> None:
    """Each follows the one before, so one waits for the other."""
    parts = backed_up(road)
    asked(road, "keys.rotate", what="opening")
    restored(road, parts, disk_knows=False)
    road.net.settle(20)

    async def together() -> Any:
        here = house(road)
        async with here.turning:
            waits = asyncio.create_task(KeyTurner(here).take_back())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(waits), 1.5)
            assert here.store.given.hand.manifest.version == 1
        return await asyncio.gather(waits, key_handlers(here)["keys.rotate"]({"what": "signing"}), KeyTurner(here).take_back())

    assert asyncio.run(together())[1]["version"] == 3
    road.net.settle(12)
    assert (version_at(road.csmc), link(road.csmc, CEM).frozen) == (3, None)
    assert "[own_manifest_fork]" not in alarms(road.cem)


def test_d11_one_of_two_servers_restored_from_before_a_turn_starts_and_starts_again(road: Road) -> None:
    """The backup disk knows the newer manifest, nobody has its keys: refused for that, no start would ever order new ones."""

    def server() -> Servers:
        here = house(road)
        made = Servers(here.config)
        made.over(here.store._database, here.store.given.keys)
        return made

    assert opened(road, servers=server()).version == 1
    parts = backed_up(road)
    asked(road, "keys.rotate", what="signing")
    assert restored(road, parts, disk_knows=True)["lost"] == ["signing"]
    assert [opened(road, servers=server()).version for _ in range(3)] == [2, 2, 2]


def test_d11_several_turns_of_both_keys_come_back_and_one_turn_replaces_what_is_lost(road: Road) -> None:
    parts = backed_up(road)
    for what in ("opening", "signing"):
        asked(road, "keys.rotate", what=what)
    assert version_at(road.csmc) == 3
    restored(road, parts, disk_knows=False)
    road.net.settle(20)
    asyncio.run(KeyTurner(house(road)).take_back())
    assert road.cem.store.given.hand.manifest.version == 3
    assert lacking(road.cem.store.given.hand) == ("signing", "opening")
    assert asked(road, "keys.rotate", what="signing")["version"] == 4
    assert lacking(road.cem.store.given.hand) == ()
    assert (version_at(road.csmc), link(road.csmc, CEM).frozen) == (4, None)


def test_d11_nobody_gives_us_a_manifest_that_our_roots_did_not_sign(road: Road) -> None:
    robber, mine = SigningKey.generate(), road.cem.store.given.hand.manifest
    forged = make_manifest(successor(mine, road.net.clock.now(), roots=(robber.public,), hub_signing=(SigningKey.generate().public,)), [robber])
    twin = make_manifest(replace(successor(mine, road.net.clock.now()), version=1, previous=None, contact="otro"), [road.cem.root])
    for data in (forged, twin):
        send(road.csmc, road.cem, craft(road.csmc, CEM, "manifest", encode(NewManifest(data=data))))
    assert alarms(road.cem).count("[own_manifest_forged]") == 1, "anybody can make that one: it keeps nobody from turning keys"
    assert alarms(road.cem).count("[own_manifest_refused]") == 1, "of that one our roots are the proof"
    assert "[own_manifest_back]" not in alarms(road.cem)
    assert road.cem.run(lambda unit: unit.manifests.count(institution=CEM)) == 1


def test_d11_a_peer_that_lies_about_what_it_holds_is_told_once_a_day_and_changes_nothing(road: Road) -> None:
    from hub.exchange.wire import Hek
    from keys.freshness import sign_freshness

    given = road.csmc.store.given.hand
    for _ in range(5):
        road.net.clock.advance(TOGETHER)  # further apart than what is told together anyway
        now = road.net.clock.now()
        stated = road.csmc.run(lambda unit: unit.daily.statement(CSMC, unit.now, given.signer))
        body = Hek(statement=stated, fresh=sign_freshness(given.manifest, now, given.signer), holds=10**6, want=False)
        send(road.csmc, road.cem, craft(road.csmc, CEM, "hek", encode(body)))
    assert alarms(road.cem).count("[own_manifest_ahead]") == 1
    assert asked(road, "keys.rotate", what="signing")["version"] == 2


def test_r11_a_withdrawn_key_does_not_come_back_with_the_copy(road: Road) -> None:
    """Peers hear nothing from it, so nobody can give it anything back; the backup disk knows."""
    parts = backed_up(road)
    stolen = road.cem.store.given.hand.signer.public
    assert asked(road, "keys.revoke", what="signing")["version"] == 2
    done = restored(road, parts, disk_knows=True)
    assert (done["manifest"], done["lost"]) == (2, ["signing"])
    here = house(road)
    new = stated_device("new")
    device = Device(user_id=road.cem.user, device_id=new.device_id, ed25519=new.ed25519, curve25519=new.curve25519)
    fingerprint = road.cem.store.given.hand.manifest.profile.master_fingerprint
    start = partial(own_manifest, here.config, here.identity, here.keyring, device, fingerprint)
    kept = start(road.net.clock.now(), settled=True)
    assert kept.version == 2, "a start turns nothing: the copy's key was stolen"
    later = start(kept.profile.expires - timedelta(days=20), settled=True)
    assert stolen not in later.profile.hub_signing, "nor does a renewal"
    (here.config.paths.state / "manifest.json").write_bytes(kept.raw)
    assert asked(road, "keys.rotate", what="signing", insist=True)["version"] == 3
    mine = road.cem.store.given.hand.manifest
    assert stolen not in mine.profile.hub_signing
    road.csmc.run(peers.add_peer, mine.raw)  # carried there by people
    road.net.settle(20)
    assert link(road.cem, CSMC).asking == 0
    assert found("[0-9]", str(offered(road, "Sol Inventada"))) == "2"


def test_d11_keys_turn_only_when_every_peer_has_answered(road: Road) -> None:
    """The first that answers may be the one that never heard of our newer manifest, or that hides it."""
    parts = backed_up(road)
    restored(road, parts, disk_knows=False)
    away = link(road.cem, CSMC).room
    road.net.spoil = lambda parcel: [] if parcel.room == away else [parcel]
    road.net.settle(20)
    assert (link(road.cem, COL).asking, bool(link(road.cem, CSMC).asking)) == (0, True)
    with pytest.raises(Refused, match="restore_unanswered"):
        asked(road, "keys.rotate", what="signing")
    road.net.spoil = lambda parcel: [parcel]
    road.net.clock.advance(timedelta(minutes=2))
    road.net.settle(20)
    assert asked(road, "keys.rotate", what="signing")["version"] == 2


def test_d11_a_frozen_link_is_not_waited_for_by_people_nor_by_the_hub_itself(road: Road) -> None:
    """It cannot answer before people open it: one rule for both. Opened while it is still asked, it is waited for again."""
    cem, known = road.cem, road.cem.store.given.hand.manifest
    seals = Seals(cem.store.given.keys)

    def put(**fields: Any) -> None:
        cem.run(lambda unit: unit.links.put(replace(unit.links.one(peer=CSMC), **fields)))

    def settled() -> bool:
        return cem.store._database.run_now(lambda connection: is_settled(connection, seals, CEM, known))

    put(asking=3)
    assert not settled()
    with pytest.raises(Refused, match="restore_unanswered"):
        asked(road, "keys.rotate", what="signing")
    put(frozen="chain_broken")
    assert settled()
    put(frozen=None)
    assert not settled()
    put(frozen="chain_broken")
    assert asked(road, "keys.rotate", what="signing")["version"] == 2


def test_r14_a_backup_of_a_hub_that_lacks_its_signing_key_opens(road: Road) -> None:
    """It took its manifest back, whose key it does not have. Its backups are signed by the journal's key too, which is what a restore trusts."""
    net = road.net
    assert isinstance(net, Filed)
    parts = backed_up(road)
    asked(road, "keys.revoke", what="signing")
    assert restored(road, parts, disk_knows=True)["lost"] == ["signing"]
    net.clock.advance(timedelta(hours=1))
    later = backed_up(road)
    assert restore.verify(net.machines[CEM].config, net.wanted(later), net.clock.now()).wrong == []
    done = restored(road, later, disk_knows=True)
    assert (done["proven"], done["manifest"], done["lost"]) == (True, 2, ["signing"])


def test_d11_doctor_asks_for_a_backup_after_each_turn_of_keys(road: Road) -> None:
    def verdict() -> str:
        return next(level for name, level, _ in doctor_backups.judge(house(road).config, road.net.clock.now()) if name == "backup_before_manifest")

    backed_up(road)
    import os

    path = house(road).config.paths.state / "manifest.json"
    before = (road.net.clock.now() - timedelta(hours=1)).timestamp()
    os.utime(path, (before, before))
    assert verdict() == "ok"
    road.net.clock.advance(timedelta(minutes=5))
    asked(road, "keys.rotate", what="signing")
    turned = road.net.clock.now().timestamp()
    os.utime(path, (turned, turned))
    assert verdict() == "warn"
    road.net.clock.advance(timedelta(minutes=5))
    backed_up(road)
    assert verdict() == "ok"
