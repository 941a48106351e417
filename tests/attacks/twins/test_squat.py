"""X25: a manifest that was merely added, which is a public file and may name what it saw, stops no honest institution."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.actions.devices import state_devices, untold
from hub.actions.disputes import decide_owner
from hub.actions.peers import add_peer
from hub.base.errors import Refused
from hub.testing.twin import TwinNetwork
from keys.devices import StatedDevice
from keys.manifest import Manifest, make_manifest
from keys.primitives import OpeningKey, SigningKey
from keys.vectors.generate import stated_device
from tests.attacks.twins.bench import CEM, CSMC, OTRA
from tests.attacks.twins.test_claims import following, hears, named
from tests.attacks.twins.test_devices import NEW, SECOND, believed, claims, first, refusal, stated, tell

SAME_ID, THIRD = replace(SECOND, device_id=NEW.device_id), stated_device("third")


def squatter(net: TwinNetwork, device: StatedDevice) -> bytes:
    """The first manifest of somebody nobody knows, signed by roots of its own."""
    root, signer, opening = SigningKey.generate(), SigningKey.generate(), OpeningKey.generate()
    profile = net._profile("ajena", "community_organisation", "@hub:ajena.example", root, signer, opening)
    return make_manifest(replace(profile, **named(device)), [root])


@pytest.mark.parametrize("device", [SAME_ID, NEW], ids=["id", "keys"])
def test_x25_a_first_manifest_names_no_device_that_another_states(net: TwinNetwork, device: StatedDevice) -> None:
    cem, csmc = net[CEM], net[CSMC]
    assert tell(cem, csmc, stated(cem, NEW))
    with pytest.raises(Refused) as refused:
        csmc.run(add_peer, squatter(net, device))
    assert f"({CEM})" in str(refused.value.params["why"]), "who has it is named"
    assert csmc.run(lambda unit: unit.peers.get("ajena")) is None


@pytest.mark.parametrize("device", [SAME_ID, NEW], ids=["id", "keys"])
def test_x25_a_manifest_that_nobody_confirmed_stops_no_statement_and_no_withdrawal(net: TwinNetwork, device: StatedDevice) -> None:
    """It was added before the honest one stated its new device."""
    cem, csmc = net[CEM], net[CSMC]
    csmc.run(add_peer, squatter(net, device))
    net.clock.advance(timedelta(minutes=1))
    assert tell(cem, csmc, stated(cem, NEW))
    assert believed(csmc, cem) == {NEW}
    fresh = SigningKey.generate()
    data = following(cem, hub_signing=(fresh.public,), **named(NEW))
    assert hears(csmc, cem, data) == 2, "nor the withdrawal of a stolen key"
    assert believed(csmc, cem) == {NEW}
    cem.store.given = replace(cem.store.given, hand=replace(cem.store.given.hand, manifest=Manifest.from_bytes(data), signer=fresh))
    net.clock.advance(timedelta(minutes=1))
    cem.run(state_devices)
    assert tell(cem, csmc, cem.run(untold)[1])
    assert believed(csmc, cem) == {NEW}


@pytest.mark.parametrize("device", [SAME_ID, NEW], ids=["id", "keys"])
def test_x25_a_manifest_that_nobody_confirmed_stops_no_manifest(net: TwinNetwork, device: StatedDevice) -> None:
    """It was added before, and the honest one's next manifest names its new device without a statement."""
    cem, csmc = net[CEM], net[CSMC]
    csmc.run(add_peer, squatter(net, device))
    assert hears(csmc, cem, following(cem, hub_signing=(SigningKey.generate().public,), **named(NEW))) == 2
    assert believed(csmc, cem) == {NEW}


def test_x25_one_id_in_two_accounts_is_two_devices_but_ours_is_nobodys(net: TwinNetwork) -> None:
    """N8: nio knows only our own device by its id alone."""
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    assert tell(otra, csmc, claims(otra, SAME_ID))
    assert tell(cem, csmc, stated(cem, NEW)), "no homeserver need be asked, and nobody decides"
    assert (believed(csmc, cem), believed(csmc, otra)) == ({NEW}, {first(otra), SAME_ID})
    named_alike = replace(THIRD, device_id=first(otra).device_id)
    net.clock.advance(timedelta(minutes=1))
    assert tell(cem, csmc, stated(cem, named_alike)), "nor of the one that people compared"
    net.clock.advance(timedelta(minutes=1))
    assert refusal(cem, csmc, stated(cem, replace(THIRD, device_id=first(csmc).device_id))) == "device_taken"


def test_x25_a_compared_device_that_people_gave_to_another_is_in_nobodys_way(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    copied = first(otra)
    csmc.run(lambda unit: unit.peers.put(replace(unit.peers.get(OTRA), denied=dict.fromkeys((copied.ed25519, copied.curve25519), CEM))))
    assert believed(csmc, otra) == set()
    assert tell(cem, csmc, stated(cem, copied))
    assert believed(csmc, cem) == {copied}
    csmc.run(decide_owner, "administrator", CEM, OTRA)
    assert believed(csmc, otra) == set()
