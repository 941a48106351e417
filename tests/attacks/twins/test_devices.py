"""N12, X25 and the statement of devices between two hubs: what holds is in force at once, what is forged, old or foreign changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from hub.actions.claims import devices_of
from hub.actions.devices import hold_device, own_devices, take_devices, untold
from hub.app.reports import Reports
from hub.app.rooms import trust_list
from hub.base.errors import PeerFault
from hub.matrix import Report
from hub.matrix.errors import HomeserverAway
from hub.matrix.ports import Device
from hub.testing.twin import Twin, TwinNetwork
from keys.devices import DeviceStatement, StatedDevice, manifest_device, next_number, sign_devices
from keys.manifest import Manifest
from keys.primitives import SigningKey
from keys.vectors.generate import stated_device
from tests.attacks.twins.bench import alarms

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


def tell(sender: Twin, to: Twin, data: bytes, user: str | None = None, **served: Iterable[StatedDevice]) -> bool:
    """`served`: by institution, what its homeserver serves for its hub."""
    shown = {f"@hub:{name.replace('_', '-')}.example": frozenset(devices) for name, devices in served.items()} if served else None
    return to.run(lambda unit: take_devices(unit, user or sender.user, data, shown))


def refusal(sender: Twin, to: Twin, data: bytes, **served: Iterable[StatedDevice]) -> str:
    with pytest.raises(PeerFault) as refused:
        tell(sender, to, data, **served)
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
    ours, compared = replace(NEW, device_id=first(csmc).device_id), replace(NEW, curve25519=first(otra).curve25519)
    for theirs in (first(csmc), first(otra), ours, compared, replace(NEW, ed25519=first(csmc).ed25519)):
        assert refusal(cem, csmc, sign_devices(forged(cem, devices=(theirs,)), signer)) == "device_taken"
    assert believed(csmc, cem) == {first(cem)}


def claims(twin: Twin, *devices: StatedDevice) -> bytes:
    return sign_devices(forged(twin, devices=(first(twin), *devices)), twin.store.given.hand.signer)


def test_x25_who_claims_anothers_new_device_first_stands_in_nobodys_way(net: TwinNetwork) -> None:
    """It sees the id, and perhaps the keys, in what the homeserver shows, and states them before the institution itself is heard."""
    cem, csmc, otra = net[CEM], net[CSMC], net["otra"]
    csmc.enrol("jefa", role="administrator")
    for copied in (replace(SECOND, device_id=NEW.device_id), NEW, replace(SECOND, curve25519=NEW.curve25519)):
        net.clock.advance(timedelta(minutes=16))  # the same alarm again within a quarter of an hour is counted, not told
        assert tell(otra, csmc, claims(otra, copied))
        honest = stated(cem, replace(NEW))
        keyed = {copied.ed25519, copied.curve25519} & {NEW.ed25519, NEW.curve25519}
        if keyed:
            assert refusal(cem, csmc, honest) == "device_taken", "until somebody has looked who has it"
            assert refusal(cem, csmc, honest, cem_lima=[], otra=[]) == "device_taken", "neither is proven: the claim waits, no link stands still"
            assert refusal(cem, csmc, honest, otra=[]) == "device_taken"
        assert tell(cem, csmc, honest, cem_lima=[NEW], otra=[first(otra)])
        assert believed(csmc, cem) == {NEW}
        net.clock.advance(timedelta(minutes=1))
        assert believed(csmc, otra) == ({first(otra)} if keyed else {first(otra), copied})
        assert refusal(otra, csmc, claims(otra, NEW), cem_lima=[NEW], otra=[first(otra)]) == "device_taken"
        csmc.run(lambda unit: [unit.peers.put(replace(p, devices=b"")) for p in unit.peers.all()])
        cem.run(lambda unit: [unit.hub_devices.delete(d.id) for d in unit.hub_devices.all()])
    csmc.post()
    told = alarms(csmc)
    assert told.count("[devices_contested]") == 2, "one name in two accounts is two devices, and no matter for anybody"
    assert all(name in told for name in (CEM, "otra"))
    assert all(row.frozen is None for row in csmc.run(lambda unit: unit.links.all()))


def test_x25_a_key_that_both_show_is_nobodys_new_device(net: TwinNetwork) -> None:
    """A curve key can be shown by who does not have it, and sessions are found by it: whoever states it second waits for people."""
    cem, csmc, otra = net[CEM], net[CSMC], net["otra"]
    honest, thief = stated(cem, NEW), replace(SECOND, curve25519=NEW.curve25519)
    assert tell(cem, csmc, honest)
    assert refusal(otra, csmc, claims(otra, thief), cem_lima=[NEW], otra=[first(otra), thief]) == "device_taken"
    assert refusal(otra, csmc, claims(otra, thief), otra=[first(otra), thief]) == "device_taken", "no news of the other is not bad news"
    assert believed(csmc, cem) == {NEW}
    named = replace(SECOND, device_id=NEW.device_id)
    net.clock.advance(timedelta(minutes=1))
    assert tell(otra, csmc, claims(otra, named), cem_lima=[NEW], otra=[first(otra), named]), "one name in two accounts is two devices"
    assert believed(csmc, cem) == {NEW}
    assert believed(csmc, otra) == {first(otra), named}


class Shown:
    """What reports ask of Matrix, and of the keeper of rooms."""

    def __init__(self, **devices: list[Device]) -> None:
        self.devices, self.asked, self.trusted = devices, list[tuple[str, ...]](), 0
        self.first: dict[str, str] = {}

    def shown_first(self) -> dict[str, str]:
        return self.first

    async def served_devices(self, *users: str) -> dict[str, frozenset[Device]]:
        self.asked.append(users)
        if not self.devices:
            raise HomeserverAway("matrix.away", "the homeserver is away")
        return {f"@hub:{name.replace('_', '-')}.example": frozenset(found) for name, found in self.devices.items()}

    async def trust(self) -> None:
        self.trusted += 1


async def test_x25_the_hub_asks_the_homeserver_who_has_a_contested_device(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net["otra"]
    csmc.enrol("jefa", role="administrator")
    assert tell(otra, csmc, claims(otra, replace(SECOND, curve25519=NEW.curve25519)))
    report = Report(kind="device_statement", user_id=cem.user, detail=stated(cem, NEW).decode())
    has = Device(user_id=cem.user, device_id=NEW.device_id, ed25519=NEW.ed25519, curve25519=NEW.curve25519)
    for shown, taken in ((Shown(), 0), (Shown(cem_lima=[], otra=[]), 0), (Shown(cem_lima=[has], otra=[]), 1)):
        reports = Reports()
        reports.serve(csmc.store, shown, shown)
        await reports.hear(report)
        assert shown.asked == [(cem.user, otra.user)]
        assert shown.trusted == taken
        assert believed(csmc, cem) == ({NEW} if taken else {first(cem)})
    csmc.post()
    assert "[devices_disputed]" in alarms(csmc)


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
