"""A version is called by its number: what is shown is what is signed, and no other version is ever meant instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.actions import protocols
from hub.actions.ports import Unit
from hub.actions.protocol_state import find_proposal, said_of
from hub.app import protocol_commands as commands
from hub.base.errors import Refused
from hub.exchange.records import ProtocolProposal
from tests.actions.road import Net
from tests.governance.agreement import CEM, HOGAR, RED, agree, fresh, propose, terms, text_of


def worded_until(net: Net, data: bytes, first: str) -> ProtocolProposal:
    """A proposer words its reason until the digest of the proposal begins with these digits."""

    def attempt(unit: Unit, number: int) -> ProtocolProposal:
        row = protocols.propose(unit, "ada", data, replace(terms(net), why=f"Cambio {number}."))
        if not row.id.startswith(first):
            raise Refused("again")
        return row

    for number in range(400):
        try:
            row = net[CEM].run(attempt, number)
        except Refused:
            continue
        net.settle(3)
        return row
    raise AssertionError("no digest begins so")


def test_m01_a_number_is_never_the_beginning_of_a_digest() -> None:
    """Whoever proposes chooses the reason, and with it how the digest begins: `shelter@2` stays version 2."""
    net = fresh()
    agree(net)
    three = worded_until(net, text_of(3, "weapons: withhold"), "2")
    net[RED].run(protocols.sign, "ada", three.id)
    net.settle(3)
    for name in ("shelter@2", "shelter 2", "Shelter v2"):
        assert net[HOGAR].run(lambda unit, name=name: find_proposal(unit, name).version) == 2, name
    with pytest.raises(Refused, match="not_open"):
        net[HOGAR].run(lambda unit: commands._sign(unit, {"protocol": "shelter@2"}))
    assert net[HOGAR].run(lambda unit: said_of(unit, three.id).signed) == {RED}
    with pytest.raises(Refused, match="unknown"):
        net[HOGAR].run(lambda unit: find_proposal(unit, "shelter@7"))
    assert net[HOGAR].run(lambda unit: find_proposal(unit, f"shelter@{three.id[:8]}").version) == 3


@pytest.mark.parametrize("version", ["versión 2", "n° 2", ", 2", "v. 2", "@v2", "@ v2", "#2", "#dos", "-2", "２", "v2", "2", "@2"])
@pytest.mark.parametrize("said", ["firmar shelter {}", "comentar shelter {} No estamos de acuerdo."])
def test_m01_however_it_is_written_no_other_version_is_signed_or_spoken_of(said: str, version: str) -> None:
    net = fresh()
    agree(net)
    three = propose(net, text_of(3, "weapons: withhold"), starts=3, consulted=2)
    net[HOGAR].type("ada", f"protocolo {said.format(version)}", room="admin")
    net.settle(3)
    assert "versión 3" not in net[HOGAR].said[-1].body
    assert not net[CEM].run(lambda unit: said_of(unit, three).comments)


def test_m01_several_under_way_are_named_and_none_is_chosen() -> None:
    net = fresh()
    propose(net)
    propose(net, text_of(3, "weapons: withhold"))
    with pytest.raises(Refused, match=r"protocol\.several"):
        net[HOGAR].run(lambda unit: find_proposal(unit, "shelter"))
    net[HOGAR].type("ada", "protocolo firmar shelter", room="admin")
    assert "shelter@2, shelter@3" in net[HOGAR].said[-1].body


def test_m01_what_was_shown_is_what_is_signed() -> None:
    """The command line asks by name once; what it signs is what it showed, whatever a peer proposes meanwhile."""
    net = fresh()
    two = propose(net, consulted=0)
    net[RED].run(protocols.sign, "ada", two)
    net.settle(3)
    shown = net[HOGAR].run(lambda unit: commands._sign(unit, {"protocol": "shelter", "ask": True}))
    propose(net, text_of(3, "weapons: withhold"))
    assert net[HOGAR].run(lambda unit: commands._sign(unit, {"protocol": shown["id"]}))["version"] == shown["version"] == 2


def test_the_text_of_a_rival_is_read_by_its_digest() -> None:
    net = fresh()
    two = propose(net)
    for name in (f"shelter@{two[:8]}", two, "shelter@2", "Shelter v2"):
        assert net[HOGAR].run(lambda unit, name=name: commands._text(unit, {"protocol": name})["version"]) == 2, name
    assert net[HOGAR].run(lambda unit: commands._text(unit, {"protocol": "shelter"})["version"]) == 1
    for name in ("shelter@2b", "shelter@dos"):
        with pytest.raises(Refused, match="unknown"):
            net[HOGAR].run(lambda unit, name=name: commands._text(unit, {"protocol": name}))
