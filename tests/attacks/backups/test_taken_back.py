"""What a hostile reading of restores found, each as it was done: a withdrawn consent came back, one peer moved every line's epoch out of reach,
a new manifest named the lost device, the restored hub's key of the day did not count, a full disk cost a withdrawal (R14, D11, N12, X32, R01).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.actions.claims import devices_of
from hub.actions.devices import hold_device, keep_device, own_devices, state_devices, take_devices, untold
from hub.actions.erase import shred
from hub.actions.ports import Unit
from hub.actions.record_consent import Terms, record_consent
from hub.actions.restart import bury, intend_on
from hub.app.graves import dig
from hub.app.keyturn import KeyTurner
from hub.app.offline import open_identity
from hub.base.errors import Stopped
from hub.base.ids import new_id
from hub.cases.lifecycle import State
from keys.devices import StatedDevice
from keys.journal import journal_key
from keys.keyring import FileRows, Keyring
from keys.manifest import Manifest
from keys.vectors.generate import stated_device
from tests.attacks.backups.bench import CEM, CSMC, Filed
from tests.attacks.backups.test_restart import backed_up, both, lost_and_restored
from tests.attacks.twins.bench import COL, Road, alarms, found, link

OLD, NEW = stated_device("old server"), stated_device("new")


@pytest.fixture
def road(tmp_path: Path) -> Road:
    return Road(net=Filed(tmp_path, CEM, CSMC))


def permitted(road: Road) -> bool:
    """Whether any consent of hers stands; where none does, a referral would show nothing, and the preview says why."""
    stands = any(consent.withdrawn_at is None for consent in road.cem.run(lambda unit: unit.consents.all()))
    if not stands:
        assert "Ella retiró su permiso" in road.cem.type("ana", f"!tk derivar {road.code} a csmc-comas por salud mental")
    return stands


# ---- what she took back ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("referred", [True, False])
def test_r14_a_consent_that_she_took_back_after_the_copy_does_not_come_back_with_it(road: Road, referred: bool) -> None:
    """It has no key that could die, so it has a tombstone of its own: also when nothing was ever sent on it and no peer could tell."""
    if referred:
        road.disclosed()
    else:
        road.open()
    assert permitted(road)
    parts = backed_up(road, CEM)
    road.net.clock.advance(timedelta(hours=2))
    road.withdraw()
    road.net.settle(10)
    lost_and_restored(road, CEM, parts)
    assert not permitted(road)
    assert road.holds() == 0


def unheard(road: Road, parts: tuple[Path, Path]) -> None:
    """Nothing of ours arrives any more; the machine is lost, and its successor comes back from the copy with the journal beside it."""
    net = road.net
    assert isinstance(net, Filed)
    net.settle(2)
    net.pulse(CEM)
    net.mute = set()
    lost_and_restored(road, CEM, parts)


@pytest.mark.parametrize("known", [True, False], ids=["the copy knows the disclosure", "it does not"])
def test_r14_a_withdrawal_that_had_not_arrived_reaches_the_holder_after_the_restore(road: Road, known: bool) -> None:
    road.offer()
    before = backed_up(road, CEM)
    road.accept()
    assert road.holds() == 1
    road.net.clock.advance(timedelta(minutes=2))
    parts = backed_up(road, CEM) if known else before
    road.net.mute = {CEM}
    road.withdraw()
    unheard(road, parts)
    assert road.holds() == 0
    assert road.cem.run(lambda unit: [d.state for d in unit.disclosures.all()]) == ["destroyed"], "and its receipt came"
    assert road.cem.run(lambda unit: unit.consents.count(withdrawn_at=None)) == 0
    if known:
        assert not permitted(road)
        assert both(road) == (State.CANCELLED, State.CANCELLED)


@pytest.mark.parametrize("accepted", [True, False])
def test_r14_an_offer_that_was_taken_back_unheard_ends_on_both_sides(road: Road, accepted: bool) -> None:
    """The journal names the key of the referral: with an open state in the copy its answer could be opened by nobody, for ever."""
    road.offer()
    parts = backed_up(road, CEM)
    road.net.mute = {CEM}
    road.withdraw()
    if accepted:
        road.csmc.type("bea", f"!tk aceptar {road.referral}")
    unheard(road, parts)
    assert both(road) == (State.CANCELLED, State.CANCELLED)
    assert road.holds() == 0


def test_r14_a_referral_that_the_holder_completed_after_the_copy_is_completed_not_cancelled(road: Road) -> None:
    """Its key died too; what the holder keeps is known again, so that a withdrawal reaches it."""
    road.offer()
    parts = backed_up(road, CEM)
    road.accept()
    shown = road.csmc.type("bea", f"!tk terminar {road.referral}")
    road.csmc.type("bea", found(r"(\d+)[.)]? +Se atendió lo que", shown))
    road.net.settle(10)
    before = both(road)
    assert before == (State.COMPLETED, State.COMPLETED)
    lost_and_restored(road, CEM, parts)
    assert both(road) == before
    assert road.holds() == 1
    road.withdraw()
    road.net.settle(10)
    assert road.holds() == 0


def test_r14_a_disclosure_that_is_known_to_be_dead_is_not_taken_again(road: Road) -> None:
    """Its owner's retry arrives after a restore here whose journal names it: signed for as destroyed, and no key is made."""
    road.offer()
    road.net.mute = {CEM}
    road.accept()
    (name,) = road.cem.run(lambda unit: [d.id for d in unit.disclosures.all()])
    road.csmc.run(bury, {name})
    road.net.mute = set()
    for _ in range(5):
        road.net.clock.advance(timedelta(seconds=40))
        road.net.settle(6)
    assert road.holds() == 0
    assert not road.csmc.store.given.keys.exists(name)
    assert road.cem.run(lambda unit: [d.state for d in unit.disclosures.all()]) == ["destroyed"]


def test_r14_an_offer_under_a_buried_name_is_not_taken(road: Road) -> None:
    road.net.mute = {CEM}
    road.offer()
    road.csmc.run(bury, {road.referral_id()})
    road.net.mute = set()
    for _ in range(5):
        road.net.clock.advance(timedelta(seconds=40))
        road.net.settle(6)
    assert road.csmc.run(lambda unit: unit.referrals.count()) == 0
    assert "(referral_exists)" in alarms(road.csmc)


def test_r14_a_key_under_a_buried_name_dies_all_the_same(road: Road) -> None:
    """A confirmed tombstone is no proof that nothing lives: else a receipt would say `destroyed` over a living key."""
    road.csmc.run(bury, {"dis_inventada"})
    road.csmc.run(lambda unit: unit.vault.create("dis_inventada"))
    assert road.csmc.store.given.keys.exists("dis_inventada")
    road.csmc.run(shred, "dis_inventada", "withdrawn")
    assert not road.csmc.store.given.keys.exists("dis_inventada")
    assert road.csmc.run(lambda unit: unit.tombstones.get("dis_inventada").confirmed_at) is not None


def test_r14_without_the_journal_the_peer_still_knows_that_she_took_it_back(road: Road, tmp_path: Path) -> None:
    """The second net: a recipient that was told so says «cancelled», and nothing goes there until she agrees anew."""
    road.disclosed()
    parts = backed_up(road, CEM)
    road.withdraw()
    road.net.settle(10)
    alone = tmp_path / "alone"
    alone.mkdir()
    moved = tuple(path.rename(alone / path.name) for path in parts)
    lost_and_restored(road, CEM, (moved[0], moved[1]), disk=alone, insist=True)
    assert [state.value for state in both(road)] == ["cancelled", "cancelled"]
    assert not permitted(road)


def test_d11_one_peer_that_says_cancelled_ends_no_consent_for_another(road: Road) -> None:
    road.open()
    case = road.cem.run(lambda unit: unit.cases.one())
    until = road.net.clock.now() + timedelta(days=80)
    terms = Terms(recipients=(CSMC, COL), purposes=("mental_health_care",), fields=("social_name",), until=until, mode="oral", explained=True)
    road.cem.run(lambda unit: record_consent(unit, road.cem.person("ana"), case.id, terms))
    road.referral = found(r"R-\w{5}", road.cem.type("ana", road.preview()[0]))
    road.net.settle()
    road.accept()
    parts = backed_up(road, CEM)
    road.csmc.run(lambda unit: [unit.referrals.put(replace(r, state=State.CANCELLED, ended_at=unit.now)) for r in unit.referrals.all()])
    lost_and_restored(road, CEM, parts)
    living = road.cem.run(lambda unit: {name for consent in unit.consents.all(withdrawn_at=None) for name in consent.recipients})
    assert living == {COL}


def test_r01_r14_a_journal_that_cannot_be_written_costs_no_withdrawal(road: Road) -> None:
    """The state folder is full while the database is not: her key lives a little longer, and everything else happens."""
    road.disclosed()
    whole = road.cem.store.given

    def full(owner: str, at: datetime) -> None:
        raise Stopped("journal.unwritable")

    road.cem.store.given = replace(whole, bury=full)
    assert "retirado" in road.withdraw()
    road.net.settle(10)
    assert road.holds() == 0, "the recipient was told at once"
    held = road.cem.run(lambda unit: [disclosure.id for disclosure in unit.disclosures.all()])
    assert all(whole.keys.exists(name) for name in held), "unwritten, no key dies"
    road.cem.store.given = whole
    road.net.settle(2)
    assert not any(whole.keys.exists(name) for name in held)


# ---- lines, keys and devices of a restored hub -------------------------------------------------------------------------------


def test_d11_a_hostile_peer_moves_no_epoch_but_its_own(road: Road) -> None:
    """It says twenty times that it was restored. Our line to it goes on at 22; an honest peer would never follow us there, and need not."""

    def again(unit: Unit) -> None:
        line = unit.links.one(peer=CEM)
        assert line
        intend_on(unit, line, "restored", restore=new_id("rst"), made=unit.now.isoformat())
        unit.links.put(replace(line, asking=line.epoch_out))

    road.disclosed()
    for _ in range(20):
        road.col.run(again)
        road.net.settle(6)
    assert (link(road.cem, COL).epoch_out, link(road.cem, CSMC).epoch_out) == (21, 1)
    parts = backed_up(road, CEM)
    for restores in (1, 2):
        lost_and_restored(road, CEM, parts)
        assert (link(road.cem, COL).epoch_out, link(road.cem, CSMC).epoch_out) == (21 + restores, 1 + restores), "each line has its own journal lines"
    assert road.csmc.refused == []
    road.withdraw()
    road.net.settle(10)
    assert road.holds() == 0


def test_d11_the_journal_names_the_epoch_of_each_line(road: Road) -> None:
    parts = backed_up(road, CEM)
    lost_and_restored(road, CEM, parts)
    net = road.net
    assert isinstance(net, Filed)
    key = journal_key(open_identity(net.machines[CEM].config)[0]).public
    graves = dig([parts[0].parent], CEM, key, datetime.now(UTC))
    assert graves.epochs == {link(road.cem, peer).id: 2 for peer in (CSMC, COL)}
    assert not [owner for owner in graves.owners if owner.startswith("restored/")], "they bury nobody"


def test_x32_d11_the_key_of_the_day_that_a_restored_hub_makes_anew_counts_the_same_day(road: Road) -> None:
    """Its copy is of yesterday: today's key, which it had told, is gone with the machine. What comes under the new one must open."""
    road.disclosed()
    parts = backed_up(road, CEM)
    road.net.clock.advance(timedelta(days=1))
    road.net.settle(10)
    before = road.csmc.run(lambda unit: unit.peers.get(CEM)).opening
    road.net.clock.advance(timedelta(minutes=10))
    lost_and_restored(road, CEM, parts)
    assert road.csmc.run(lambda unit: unit.peers.get(CEM)).opening != before
    assert not link(road.cem, CSMC).asking, "the peer's answer could be opened"
    road.csmc.type("bea", f"!tk decir {road.referral}: ¿me leen?")
    road.net.settle(10)
    assert sum("me leen" in said.body for said in road.cem.said) == 1
    road.withdraw()
    road.net.settle(10)
    assert road.holds() == 0


def test_n12_the_devices_of_lost_servers_are_out_with_a_restore(road: Road) -> None:
    """Two servers, both lost; the copy has both rows. One new server alone would else state the other's device, which nobody of us has."""
    road.cem.run(lambda unit: [keep_device(unit.hub_devices, unit.now, name, device) for name, device in (("a", OLD), ("b", NEW))])
    road.cem.run(state_devices)
    lost_and_restored(road, CEM, backed_up(road, CEM))
    fresh = stated_device("restored")
    road.cem.run(lambda unit: keep_device(unit.hub_devices, unit.now, "a", fresh))
    road.cem.run(state_devices)
    assert road.cem.run(own_devices) == (fresh,)
    told(road)
    assert believed(road) == (fresh,)


def told(road: Road) -> None:
    road.csmc.run(lambda unit: take_devices(unit, road.cem.user, road.cem.run(untold)[1]))


def believed(road: Road) -> tuple[StatedDevice, ...]:
    return road.csmc.run(lambda unit: devices_of(unit.peers.get(CEM)))


async def test_n12_r11_a_new_manifest_never_names_the_lost_device_again(road: Road) -> None:
    """A stolen machine: restored on another, its signing key revoked. With the key its statement of devices ends; peers fall back to the manifest."""
    parts = backed_up(road, CEM)
    lost_and_restored(road, CEM, parts)
    stolen = road.cem.store.given.hand.manifest.profile.device_id
    road.cem.run(lambda unit: hold_device(unit, "", NEW))
    told(road)
    assert believed(road) == (NEW,)
    turned = await turner(road).revoke_signing()
    assert turned["state"] == "active"
    road.net.settle(12)
    peer = road.csmc.run(lambda unit: unit.peers.get(CEM))
    assert peer
    assert Manifest.from_bytes(peer.manifest).version == turned["version"]
    assert believed(road) == (NEW,)
    assert Manifest.from_bytes(peer.manifest).profile.device_id == NEW.device_id != stolen


def turner(road: Road) -> KeyTurner:
    """The restored hub's own `tinkuy keys revoke`, without the Matrix room."""
    net = road.net
    assert isinstance(net, Filed)
    config = net.machines[CEM].config
    identity, kek = open_identity(config)
    keyring = Keyring(CEM, kek, FileRows(config.keyring_file))
    house: Any = SimpleNamespace(config=config, clock=net.clock, store=road.cem.store, identity=identity, kek=kek, servers=None, keyring=keyring)
    return KeyTurner(house)
