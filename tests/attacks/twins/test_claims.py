"""X25, R11: what a peer's next manifest claims takes nothing from who has it, and stands in nobody's way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.actions.again import TOGETHER
from hub.actions.claims import check_claims, devices_of
from hub.actions.devices import hold_device, own_devices
from hub.actions.hear_manifest import VERSIONS_A_DAY
from hub.actions.peers import add_peer, confirm_peer, manifest_of, short_code_with
from hub.actions.ports import Unit
from hub.app.rooms import trust_list
from hub.base.errors import Refused
from hub.exchange.records import Peer
from hub.exchange.wire import NewManifest, encode
from hub.testing.twin import Twin, TwinNetwork
from keys.devices import StatedDevice
from keys.freshness import state_opening_key
from keys.manifest import Manifest, make_manifest
from keys.primitives import OpeningKey, SigningKey
from keys.succession import successor
from tests.attacks.twins.bench import CEM, CSMC, OTRA, alarms, craft, send
from tests.attacks.twins.test_devices import NEW, SECOND, believed, claims, first, stated, tell


def named(device: StatedDevice) -> dict[str, str]:
    return {"device_id": device.device_id, "device_ed25519": device.ed25519, "device_curve25519": device.curve25519}


def following(twin: Twin, **changes: Any) -> bytes:
    return make_manifest(successor(twin.store.given.hand.manifest, twin.clock.now(), **changes), [twin.root])


def hears(twin: Twin, sender: Twin, data: bytes) -> int:
    """The version that `twin` holds of the sender, after it was told this one."""
    twin.clock.advance(timedelta(minutes=1))
    send(sender, twin, craft(sender, twin.id, "manifest", encode(NewManifest(data=data))))
    return twin.run(manifest_of, sender.id).version


def peer_of(unit: Unit, institution: str) -> Peer:
    found = unit.peers.get(institution)
    assert found is not None
    return found


def refused_by_hand(twin: Twin, data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        twin.run(add_peer, data)
    assert refused.value.code == "peer_manifest_refused"
    return str(refused.value.params["why"])


def test_x25_a_next_manifest_claims_nothing_that_is_ours(net: TwinNetwork) -> None:
    csmc, otra = net[CSMC], net[OTRA]
    csmc.run(lambda unit: hold_device(unit, "", NEW))
    ours = csmc.store.given.hand.manifest.profile
    for changes in (named(NEW), {"opening": ours.opening}, {"hub_signing": ours.hub_signing},
                    {"device_id": NEW.device_id}, {"master_fingerprint": ours.master_fingerprint}):  # fmt: skip
        data = following(otra, **changes)
        assert hears(csmc, otra, data) == 1, changes
        assert CSMC in refused_by_hand(csmc, data), "who holds it is named"
    csmc.post()
    assert "[manifest_refused]" in alarms(csmc)


def test_x25_a_next_manifest_claims_nothing_that_people_compared(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    theirs = cem.store.given.hand.manifest.profile
    for changes in (named(first(cem)), {"opening": theirs.opening}, {"hub_signing": theirs.hub_signing},
                    {"master_fingerprint": theirs.master_fingerprint}):  # fmt: skip
        data = following(otra, **changes)
        assert hears(csmc, otra, data) == 1
        assert CEM in refused_by_hand(csmc, data)


def test_x25_another_account_waits_for_people(net: TwinNetwork) -> None:
    """Its own word for a user of ours, of a peer, or of an institution that nobody here has met yet (p28)."""
    csmc, otra = net[CSMC], net[OTRA]
    jefa = csmc.run(lambda unit: unit.staff.all()[0].id)
    for user in ("@hub:nueva.example", net[CEM].user, csmc.user, jefa):
        assert hears(csmc, otra, following(otra, matrix_user=user)) == 1
        if user != "@hub:nueva.example":
            assert "directory.matrix_user" in refused_by_hand(csmc, following(otra, matrix_user=user))
    csmc.run(add_peer, following(otra, matrix_user="@hub:nueva.example"))
    assert csmc.run(peer_of, OTRA).state == "added", "brought by hand, it is nothing before the code is compared again"
    assert not believed(csmc, otra)
    csmc.run(lambda unit: confirm_peer(unit, "admin", OTRA, short_code_with(unit, OTRA)))
    assert {pin.user_id for pin in csmc.run(trust_list).peers} == {net[CEM].user, "@hub:nueva.example"}


def test_x25_a_manifest_that_names_anothers_stated_device_gets_no_such_device_and_blocks_nothing(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    assert tell(cem, csmc, stated(cem, NEW))
    hears(csmc, otra, following(otra, **named(NEW)))
    assert believed(csmc, cem) == {NEW}
    assert believed(csmc, otra) == {first(otra)}
    csmc.post()
    assert "[manifest_contested]" in alarms(csmc)
    net.clock.advance(timedelta(minutes=1))
    assert tell(cem, csmc, stated(cem, NEW, SECOND, alone=False)), "the claim is not in the way of the next statement"
    assert believed(csmc, cem) == {NEW, SECOND}
    fresh = SigningKey.generate()
    assert hears(csmc, cem, following(cem, hub_signing=(fresh.public,), **named(NEW))) == 2, "nor of a withdrawn key"


@pytest.mark.parametrize("by", ["statement", "manifest"])
def test_r11_who_claims_a_device_first_does_not_stop_the_withdrawal_of_a_stolen_key(net: TwinNetwork, by: str) -> None:
    """Restored after a theft: a new device and new keys at once, and the rogue is heard first."""
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    if by == "statement":
        assert tell(otra, csmc, claims(otra, NEW))
    else:
        assert hears(csmc, otra, following(otra, **named(NEW))) == 2
    fresh = SigningKey.generate()
    data = following(cem, hub_signing=(fresh.public,), **named(NEW))
    assert hears(csmc, cem, data) == 2
    assert csmc.run(manifest_of, CEM).profile.hub_signing == (fresh.public,)
    assert believed(csmc, cem) == {first(cem)}, "its new device waits until it is shown"
    hand = cem.store.given.hand
    cem.store.given = replace(cem.store.given, hand=replace(hand, manifest=Manifest.from_bytes(data), signer=fresh))
    net.clock.advance(timedelta(minutes=1))
    honest = stated(cem, SECOND) and stated(cem, NEW)
    assert tell(cem, csmc, honest, cem_lima=[NEW], otra=[first(otra)])
    assert believed(csmc, cem) == {NEW}
    assert believed(csmc, otra) == {first(otra)}


def test_r11_who_lists_anothers_new_key_first_does_not_stop_it(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    fresh = SigningKey.generate()
    own = otra.store.given.hand.manifest.profile.hub_signing
    assert hears(csmc, otra, following(otra, hub_signing=(*own, fresh.public))) == 2
    assert hears(csmc, cem, following(cem, hub_signing=(fresh.public,))) == 2
    csmc.post()
    assert "[manifest_contested]" in alarms(csmc)
    assert all(name in alarms(csmc) for name in (CEM, OTRA))


def test_r11_a_key_that_its_holder_has_shown_is_not_claimed_by_another(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    fresh = SigningKey.generate()
    assert hears(csmc, cem, following(cem, hub_signing=(fresh.public, *cem.store.given.hand.manifest.profile.hub_signing))) == 2
    opening = state_opening_key(CEM, OpeningKey.generate().public, net.clock.now(), fresh)
    csmc.run(lambda unit: unit.peers.put(replace(peer_of(unit, CEM), opening=opening)))
    data = following(otra, hub_signing=(fresh.public,))
    assert hears(csmc, otra, data) == 1
    assert CEM in refused_by_hand(csmc, data)


def test_what_an_institution_held_is_not_asked_again(net: TwinNetwork) -> None:
    cem, csmc = net[CEM], net[CSMC]
    found = Manifest.from_bytes(following(cem, contact="otra línea"))
    assert csmc.run(lambda unit: check_claims(unit, found, own_devices(unit), unit.peers.get(CEM))) == ()
    assert csmc.run(lambda unit: devices_of(peer_of(unit, CEM))) == (first(cem),)


def test_x25_the_same_statement_fifty_times_is_told_once(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    assert tell(cem, csmc, stated(cem, NEW))
    copied = replace(SECOND, device_id=NEW.device_id)
    net.clock.advance(timedelta(minutes=1))
    data = claims(otra, copied)
    told = [tell(otra, csmc, data, cem_lima=[NEW], otra=[first(otra), copied]) for _ in range(50)]
    assert told == [True, *[False] * 49]
    csmc.post()
    assert alarms(csmc).count("[devices_stated]") == 2, "each institution's once"


def test_r11_forged_manifests_are_told_once_a_day(net: TwinNetwork) -> None:
    """Of ours, and of its own: the same, or a new one each time."""
    csmc, otra = net[CSMC], net[OTRA]
    for _ in range(5):
        net.clock.advance(TOGETHER)  # further apart than what is told together anyway
        robber = SigningKey.generate()
        for victim in (csmc, otra):
            before, theirs = victim.store.given.hand.manifest, (SigningKey.generate().public,)
            profile = successor(before, net.clock.now(), roots=(robber.public,), hub_signing=theirs)
            assert hears(csmc, otra, make_manifest(profile, [robber])) == 1
    csmc.post()
    assert alarms(csmc).count("[own_manifest_forged]") == 1
    assert alarms(csmc).count("[manifest_refused]") == 1
    net.clock.advance(timedelta(days=1, hours=1))
    net.settle()
    hears(csmc, otra, make_manifest(profile, [robber]))
    csmc.post()
    assert alarms(csmc).count("[manifest_refused]") == 2


def test_r11_a_peer_turns_its_manifest_only_so_often_a_day(net: TwinNetwork) -> None:
    csmc, otra = net[CSMC], net[OTRA]
    manifest = otra.store.given.hand.manifest
    for _ in range(VERSIONS_A_DAY + 3):
        data = make_manifest(successor(manifest, net.clock.now()), [otra.root])
        manifest = Manifest.from_bytes(data)
        held = hears(csmc, otra, data)
    assert held <= VERSIONS_A_DAY + 1
    assert csmc.run(lambda unit: unit.manifests.count(institution=OTRA)) <= VERSIONS_A_DAY + 1
    before = Manifest.from_bytes(csmc.run(peer_of, OTRA).manifest)
    net.clock.advance(timedelta(days=1, hours=1))
    net.settle()
    assert hears(csmc, otra, make_manifest(successor(before, net.clock.now()), [otra.root])) == before.version + 1, "a day later the next is heard"
