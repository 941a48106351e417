"""N12, X25 and the statement of devices between two hubs: what holds is in force at once, what is forged, old or foreign changes nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from hub.actions.devices import devices_of, hold_device, own_devices, take_devices, untold
from hub.app.rooms import trust_list
from hub.base.errors import PeerFault
from hub.testing.twin import Twin, TwinNetwork
from keys.devices import DeviceStatement, StatedDevice, manifest_device, next_number, sign_devices
from keys.manifest import Manifest
from keys.primitives import SigningKey
from keys.vectors.generate import stated_device

CEM, CSMC = "cem-lima", "csmc-comas"
NEW, SECOND = stated_device("new"), stated_device("second")


@pytest.fixture
def net() -> TwinNetwork:
    made = TwinNetwork((CEM, "emergency_centre"), (CSMC, "mental_health_centre"), ("otra", "community_organisation"))
    made.settle()
    return made


def believed(twin: Twin, peer: Twin) -> set[StatedDevice]:
    pins = twin.run(trust_list).peers
    return {StatedDevice(device_id=pin.device_id, ed25519=pin.ed25519, curve25519=pin.curve25519) for pin in pins if pin.user_id == peer.user}


def first(twin: Twin) -> StatedDevice:
    return manifest_device(Manifest.from_bytes(twin.manifest))


def stated(twin: Twin, *devices: StatedDevice, alone: bool = True) -> bytes:
    """This hub speaks from these devices now; its statement."""
    for number, device in enumerate(devices):
        twin.run(partial(hold_device, server=f"server{number}", device=device, alone=alone and number == 0))
    return twin.run(untold)[1]


def tell(sender: Twin, to: Twin, data: bytes, user: str | None = None) -> bool:
    return to.run(lambda unit: take_devices(unit, user or sender.user, data))


def refusal(sender: Twin, to: Twin, data: bytes) -> str:
    with pytest.raises(PeerFault) as refused:
        tell(sender, to, data)
    return refused.value.code


def forged(twin: Twin, **changes: object) -> DeviceStatement:
    now = twin.clock.now()
    honest = DeviceStatement(institution=twin.id, number=next_number(now), issued=now, user=twin.user, devices=(NEW,))
    return replace(honest, **changes)


def test_a_hub_that_never_changed_its_device_states_nothing(net: TwinNetwork) -> None:
    cem = net[CEM]
    assert stated(cem, first(cem)) == b""
    assert cem.run(untold) == (0, b"", ())
    assert believed(net[CSMC], cem) == {first(cem)}


def test_n12_a_restored_hub_is_believed_by_its_statement_and_its_old_device_is_out(net: TwinNetwork) -> None:
    cem, csmc = net[CEM], net[CSMC]
    data = stated(cem, NEW)
    assert set(cem.run(untold)[2]) == {csmc.user, net["otra"].user}
    assert tell(cem, csmc, data)
    assert believed(csmc, cem) == {NEW}
    assert not tell(cem, csmc, data), "the same again changes nothing"
    # It is repeated until the peer says so in an envelope of its own.
    net.settle()
    assert cem.run(untold)[2] == (net["otra"].user,)
    line = csmc.run(lambda unit: unit.log.one(about=CEM, what="peer.devices"))
    assert line is not None
    assert line.detail["devices"] == [NEW.device_id]


def test_two_servers_and_then_one(net: TwinNetwork) -> None:
    cem, csmc = net[CEM], net[CSMC]
    both = stated(cem, NEW, SECOND, alone=False)
    net.settle(1)
    assert tell(cem, csmc, both)
    assert believed(csmc, cem) == {NEW, SECOND}
    assert set(cem.run(own_devices)) == {NEW, SECOND}
    assert {device.device_id for device in cem.run(trust_list).own} == {NEW.device_id, SECOND.device_id}, "neither is a ghost on our account"
    net.settle(1)
    one = stated(cem, NEW)
    assert tell(cem, csmc, one)
    assert believed(csmc, cem) == {NEW}
    assert refusal(cem, csmc, both) == "devices.old", "the removed device does not come back with its old statement"
    assert believed(csmc, cem) == {NEW}


def test_forged_old_and_foreign_statements_change_nothing(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net["otra"]
    before = csmc.run(lambda unit: unit.peers.get(CEM))
    foreign = sign_devices(forged(cem), otra.store.given.hand.signer)
    assert refusal(cem, csmc, foreign) == "devices.signature"
    assert refusal(cem, csmc, sign_devices(forged(cem), SigningKey.generate())) == "devices.signature"
    signer = cem.store.given.hand.signer
    assert refusal(cem, csmc, sign_devices(forged(cem, user=otra.user), signer)) == "devices.other"
    assert refusal(cem, csmc, sign_devices(forged(cem, institution="otra"), signer)) == "devices.other"
    assert refusal(otra, csmc, sign_devices(forged(cem), signer)) == "devices.signature", "theirs, from another peer's account"
    assert refusal(cem, csmc, b"x" * 5000) == "devices.malformed"
    assert not tell(cem, csmc, sign_devices(forged(cem), signer), user="@nadie:cem-lima.example"), "from nobody's account"
    assert csmc.run(lambda unit: unit.peers.get(CEM)) == before
    assert believed(csmc, cem) == {first(cem)}


def test_x25_a_device_that_somebody_else_has_is_not_taken_twice(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net["otra"]
    signer = cem.store.given.hand.signer
    for theirs in (first(csmc), first(otra), replace(NEW, device_id=first(otra).device_id), replace(NEW, ed25519=first(csmc).ed25519)):
        assert refusal(cem, csmc, sign_devices(forged(cem, devices=(theirs,)), signer)) == "device_taken"
    assert believed(csmc, cem) == {first(cem)}


def test_an_unconfirmed_peer_states_nothing_to_us(net: TwinNetwork) -> None:
    cem, csmc = net[CEM], net[CSMC]
    csmc.run(lambda unit: unit.peers.put(replace(unit.peers.get(CEM), state="added")))
    assert not tell(cem, csmc, stated(cem, NEW))
    assert csmc.run(lambda unit: devices_of(unit.peers.get(CEM))) == (first(cem),)


def test_only_the_present_number_proves_that_a_peer_knows(net: TwinNetwork) -> None:
    cem, csmc = net[CEM], net[CSMC]
    old = stated(cem, NEW)
    assert tell(cem, csmc, old)
    cem.run(lambda unit: hold_device(unit, "server0", SECOND))
    net.settle()
    assert csmc.user in cem.run(untold)[2], "it holds the statement before the present one"
    assert tell(cem, csmc, cem.run(untold)[1])
    net.settle()
    assert csmc.user not in cem.run(untold)[2]
