"""Pairing: a manifest is nothing until people compared the code over both (design §4)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.actions import peers, refer
from hub.base.errors import Refused
from tests.actions.road import CSMC, NEED, Net, code_of, consented, network, opened


def stranger() -> bytes:
    """The manifest of an institution that nobody here has met."""
    return network(("defensa-norte", "public_defence")).twins["defensa-norte"].manifest


@pytest.mark.parametrize("data", [b"", b"{}", b"no es un manifiesto", b"\xff\xfe"])
def test_what_is_no_manifest_is_refused(net: Net, data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: peers.add_peer(unit, data))
    assert code_of(refused) == "peer_manifest_refused"


def test_a_changed_manifest_is_refused(net: Net) -> None:
    data = stranger()
    for broken in (data.replace(b"A", b"B", 1), data[:-2], data + b" x"):
        with pytest.raises(Refused) as refused:
            net.cem.run(peers.add_peer, broken)
        assert code_of(refused) == "peer_manifest_refused"


def test_our_own_manifest_is_no_peer(net: Net) -> None:
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: peers.add_peer(unit, net.cem.manifest))
    assert code_of(refused) in ("manifest_own", "peer_manifest_refused")


def test_an_expired_manifest_is_refused(net: Net) -> None:
    net.clock.advance(timedelta(days=366))
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: peers.add_peer(unit, stranger()))
    assert code_of(refused) == "peer_manifest_refused"


def test_nothing_goes_to_a_peer_before_the_code_was_compared(net: Net) -> None:
    net.cem.run(lambda unit: peers.add_peer(unit, stranger()))
    case = opened(net.cem)
    consented(net.cem, case, recipients=("defensa-norte",))
    for wrong in ("", "00000 00000 00000 00000", net.cem.run(lambda unit: peers.short_code_with(unit, CSMC))):
        with pytest.raises(Refused) as refused:
            net.cem.run(peers.confirm_peer, "admin", "defensa-norte", wrong)
        assert code_of(refused) == "wrong_pairing_code"
    assert net.cem.run(lambda unit: unit.links.one(peer="defensa-norte")) is None
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: refer.draft(unit, net.cem.person("ana"), case.id, "defensa-norte", NEED))
    assert code_of(refused) == "unknown_institution"


def test_both_read_the_same_code_and_name_the_same_link(net: Net) -> None:
    one = net.cem.run(lambda unit: peers.short_code_with(unit, CSMC))
    two = net.csmc.run(lambda unit: peers.short_code_with(unit, net.cem.id))
    assert one == two
    assert peers.link_id("a", "b") == peers.link_id("b", "a") != peers.link_id("a", "c")


def test_a_link_outlives_its_room(net: Net) -> None:
    before = net.cem.run(lambda unit: unit.links.one(peer=CSMC))
    net.cem.run(lambda unit: peers.open_link_room(unit, CSMC, "!nueva"))
    after = net.cem.run(lambda unit: unit.links.one(peer=CSMC))
    assert (after.id, after.next_out, after.next_in, after.room) == (before.id, before.next_out, before.next_in, "!nueva")


def test_confirming_twice_changes_nothing(net: Net) -> None:
    code = net.cem.run(lambda unit: peers.short_code_with(unit, CSMC))
    link = net.cem.run(lambda unit: unit.links.one(peer=CSMC))
    assert net.cem.run(lambda unit: peers.confirm_peer(unit, "admin", CSMC, code)) == link
