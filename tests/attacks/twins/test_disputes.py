"""X25: two peers that both show one device, or whose homeserver says nothing: who said it first keeps it, people are told, and people decide."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.actions.disputes import decide_owner
from hub.app.reports import Reports
from hub.base.errors import Refused
from hub.matrix import Report
from hub.matrix.ports import Device
from hub.testing.twin import Twin, TwinNetwork
from keys.devices import StatedDevice
from keys.vectors.generate import stated_device
from tests.attacks.twins.bench import CEM, CSMC, OTRA, alarms
from tests.attacks.twins.test_claims import following, hears, named
from tests.attacks.twins.test_devices import NEW, SECOND, Shown, believed, claims, first, refusal, stated, tell

THIEF = replace(SECOND, curve25519=NEW.curve25519)
"""The victim's new curve key in a device that another account really has: it signs itself with its own key."""


def shown(twin: Twin, *devices: StatedDevice) -> list[Device]:
    return [Device(user_id=twin.user, device_id=one.device_id, ed25519=one.ed25519, curve25519=one.curve25519) for one in devices]


def reported(net: TwinNetwork, sender: Twin, data: bytes, first: dict[str, str] | None = None, **devices: Any) -> None:
    """The statement comes to the third hub as its Matrix room reports it, while these devices are shown; `first`: who showed a key first."""
    csmc = net[CSMC]
    matrix = Shown(**devices)
    matrix.first = first or {}
    reports = Reports()
    reports.serve(csmc.store, matrix, matrix)
    for _ in range(3):
        asyncio.run(reports.hear(Report(kind="device_statement", user_id=sender.user, detail=data.decode())))
    csmc.post()


def owns(net: TwinNetwork, owner: str, other: str) -> tuple[str, ...]:
    keys = net[CSMC].run(decide_owner, "administrator", owner, other)
    net[CSMC].post()
    return keys


def disputed(net: TwinNetwork) -> bytes:
    """The thief stated the key first, and both homeservers show it: the honest statement, that stops here until people decide."""
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    assert tell(otra, csmc, claims(otra, THIEF))
    honest = stated(cem, NEW)
    reported(net, cem, honest, otra=shown(otra, first(otra), THIEF), cem_lima=shown(cem, NEW))
    return honest


def test_x25_a_copy_of_what_another_account_showed_first_is_refused_when_it_arrives(net: TwinNetwork) -> None:
    """The thief knows the key because it was shown; so do we, and to say it first is not to have it first."""
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    reported(net, otra, claims(otra, THIEF), {NEW.curve25519: cem.user}, otra=shown(otra, first(otra), THIEF), cem_lima=shown(cem, NEW))
    assert believed(csmc, otra) == {first(otra)}
    assert alarms(csmc).count("[devices_disputed]") == 1
    assert CEM in alarms(csmc)
    assert tell(cem, csmc, stated(cem, NEW))
    assert believed(csmc, cem) == {NEW}


def test_x25_the_order_in_which_accounts_were_seen_takes_nothing_that_was_stated(net: TwinNetwork) -> None:
    """After a start of ours the thief's homeserver answers first. It stops no later list of the owner's, and only people let it stop a first one."""
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    assert tell(cem, csmc, stated(cem, NEW))
    reported(net, cem, stated(cem, NEW, SECOND, alone=False), {NEW.curve25519: otra.user}, otra=[], cem_lima=[])
    assert believed(csmc, cem) == {NEW, SECOND}
    third = stated_device("third")
    net.clock.advance(timedelta(minutes=1))
    honest = stated(cem, third)
    reported(net, cem, honest, {third.curve25519: otra.user}, otra=[], cem_lima=[])
    assert believed(csmc, cem) == {NEW, SECOND}
    assert owns(net, CEM, OTRA) == (third.curve25519,)
    reported(net, cem, honest, {third.curve25519: otra.user}, otra=[], cem_lima=[])
    assert believed(csmc, cem) == {third}


@pytest.mark.parametrize("silent", [False, True])
def test_x25_people_decide_when_the_thief_said_it_first(net: TwinNetwork, silent: bool) -> None:
    """Its account really has the copied key, or its homeserver answers nothing: no hub can prove it wrong, however long it asks."""
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    theirs = claims(otra, THIEF)
    assert tell(otra, csmc, theirs)
    honest = stated(cem, NEW)
    everywhere = {"cem_lima": shown(cem, NEW)} | ({} if silent else {"otra": shown(otra, first(otra), THIEF)})
    for _ in range(3):
        net.clock.advance(timedelta(days=2))
        reported(net, cem, honest, **everywhere)
        assert believed(csmc, cem) == {first(cem)}
        assert believed(csmc, otra) == {first(otra), THIEF}
    told = alarms(csmc)
    assert told.count("[devices_disputed]") == 3, "once for each process and day"
    assert CEM in told
    assert OTRA in told
    assert owns(net, CEM, OTRA) == (NEW.curve25519,)
    assert "[devices_decided]" in alarms(csmc)
    assert believed(csmc, otra) == {first(otra)}, "the rest of its list is no matter of theirs"
    reported(net, cem, honest, **everywhere)
    assert believed(csmc, cem) == {NEW}
    assert all(row.frozen is None for row in csmc.run(lambda unit: unit.links.all()))


def test_x25_what_was_decided_is_not_stated_again(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    honest = disputed(net)
    owns(net, CEM, OTRA)
    net.clock.advance(timedelta(minutes=1))
    assert refusal(otra, csmc, claims(otra, THIEF), otra=[first(otra), THIEF], cem_lima=[]) == "device_denied"
    net.clock.advance(timedelta(minutes=1))
    hears(csmc, otra, following(otra, **named(THIEF)))
    assert believed(csmc, otra) == {first(otra)}, "nor in a manifest"
    assert tell(cem, csmc, honest, otra=[first(otra), THIEF], cem_lima=[NEW])
    assert believed(csmc, cem) == {NEW}


def test_x25_who_said_it_first_and_rightly_keeps_it_and_the_copy_is_told_off(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    assert tell(cem, csmc, stated(cem, NEW))
    copy = claims(otra, THIEF)
    reported(net, otra, copy, otra=shown(otra, first(otra), THIEF), cem_lima=shown(cem, NEW))
    assert alarms(csmc).count("[devices_disputed]") == 1
    assert owns(net, CEM, OTRA) == (NEW.curve25519,)
    assert believed(csmc, cem) == {NEW}
    assert refusal(otra, csmc, copy, otra=[first(otra), THIEF], cem_lima=[NEW]) == "device_denied"


def test_x25_a_wrong_decision_is_decided_again(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    honest = disputed(net)
    owns(net, OTRA, CEM)
    assert refusal(cem, csmc, honest, otra=[first(otra), THIEF], cem_lima=[NEW]) == "device_denied"
    owns(net, CEM, OTRA)
    assert tell(cem, csmc, honest, otra=[first(otra), THIEF], cem_lima=[NEW])
    assert (believed(csmc, cem), believed(csmc, otra)) == ({NEW}, {first(otra)})
    owns(net, OTRA, CEM)
    assert (believed(csmc, cem), believed(csmc, otra)) == (set(), {first(otra), THIEF}), "nobody has to state anything again"


def test_x25_a_manifest_that_named_it_first_is_decided_too(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    assert hears(csmc, otra, following(otra, **named(NEW))) == 2
    assert hears(csmc, cem, following(cem, **named(NEW))) == 2
    assert believed(csmc, cem) == {first(cem)}
    owns(net, CEM, OTRA)
    assert (believed(csmc, cem), believed(csmc, otra)) == ({NEW}, {first(otra)})


def test_x25_what_people_compared_when_they_paired_is_not_decided_at_a_terminal(net: TwinNetwork) -> None:
    cem, csmc, otra = net[CEM], net[CSMC], net[OTRA]
    for owner, other, code in ((CEM, OTRA, "no_dispute"), (CEM, "nadie", "unknown_institution"), ("nadie", CEM, "unknown_institution")):
        with pytest.raises(Refused) as refused:
            owns(net, owner, other)
        assert refused.value.code == code
    assert refusal(otra, csmc, claims(otra, first(cem))) == "device_taken"
    with pytest.raises(Refused):
        owns(net, OTRA, CEM)
    assert believed(csmc, cem) == {first(cem)}
