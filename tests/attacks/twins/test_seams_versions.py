"""Attacks on the seam of versions and what travels: grants, emergencies, retries, alarms."""

from __future__ import annotations

import pytest

from hub.actions import open_case, receive_disclosure, version_refused, withdraw, work
from hub.actions.agreed import AHEAD
from hub.actions.onward_receipts import will_go_again
from hub.base.errors import PeerFault
from hub.cases.events import Alarm
from tests.actions import road
from tests.actions.road import CEM, CSMC, HOGAR, held
from tests.fields import road as fields
from tests.fields.test_glass import broken
from tests.fields.test_glass import row as glass_row
from tests.fields.test_onward import ASKED, granted
from tests.fields.test_onward import row as onward_row


@pytest.fixture
def net():
    return fields.fresh()


class Behind:
    """A hub that lacks a signature until `until`."""

    def __init__(self, net, hub, patch):
        self.net, self.on, real = net, True, receive_disclosure.agreed

        def agreed(unit, peer, protocol, version):
            if self.on and unit.me.id == hub:
                raise PeerFault(AHEAD, institution=peer)
            return real(unit, peer, protocol, version)

        patch.setattr(receive_disclosure, "agreed", agreed)


def test_what_is_passed_on_arrives_when_the_last_signature_does(net, monkeypatch):
    case, referral = fields.begun(net)
    onward, child = granted(net, referral)
    behind = Behind(net, HOGAR, monkeypatch)
    road.taken(net, child, HOGAR)
    net.settle(12)
    behind.on = False
    for _ in range(8):
        net.wait(minutes=16)
    net.settle(6)
    assert set(held(net.hogar, child)) == set(ASKED)
    (now,) = net.hogar.run(lambda unit: unit.disclosures.all(referral=child.id))
    assert (onward_row(net.cem, onward).state, onward_row(net.cem, onward).disclosures) == ("passed", (now.id,))
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, HOGAR, ()))
    net.settle(16)
    assert held(net.hogar, child) == {}
    assert [onward_row(twin, onward).state for twin in (net.cem, net.csmc)] == ["ended", "ended"]


def test_what_never_arrived_is_over_when_she_takes_it_back(net, monkeypatch):
    case, referral = fields.begun(net)
    onward, child = granted(net, referral)
    Behind(net, HOGAR, monkeypatch)
    road.taken(net, child, HOGAR)
    net.settle(12)
    assert onward_row(net.cem, onward).state == "passed"
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, HOGAR, ()))
    net.settle(16)
    assert [onward_row(twin, onward).state for twin in (net.cem, net.csmc)] == ["ended", "ended"]


def test_a_grant_that_ends_before_the_signature_comes_is_over(net, monkeypatch):
    _case, referral = fields.begun(net)
    onward, child = granted(net, referral)
    Behind(net, HOGAR, monkeypatch)
    road.taken(net, child, HOGAR)
    net.settle(12)
    for _ in range(8):
        net.wait(minutes=16)
    for _ in range(9):
        net.wait(hours=25)
    assert [onward_row(twin, onward).state for twin in (net.cem, net.csmc)] == ["ended", "ended"]


def test_an_emergency_is_answered_when_the_last_signature_comes(net, monkeypatch):
    _, referral = fields.begun(net, shelter=False)
    behind = Behind(net, CSMC, monkeypatch)
    glass = broken(net, referral)
    behind.on = False
    for _ in range(8):
        net.wait(minutes=16)
    net.settle(6)
    assert glass_row(net.csmc, glass).state != "asked"


def test_a_signature_of_tomorrow_still_brings_her_data(net, monkeypatch):
    case = road.opened(net.cem, fields.VALUES)
    road.consented(net.cem, case)
    behind = Behind(net, CSMC, monkeypatch)
    referral = road.taken(net, road.offered(net, case))
    for _ in range(12):
        net.wait(minutes=16)
    behind.on = False
    for _ in range(30):
        net.wait(hours=1)
    assert held(net.csmc, referral)


def test_people_read_that_it_is_not_sent_any_more(net, monkeypatch):
    monkeypatch.setattr(version_refused, "MOST_TRIES", 2)
    case = road.opened(net.cem, fields.VALUES)
    road.consented(net.cem, case)
    Behind(net, CSMC, monkeypatch)
    referral = road.taken(net, road.offered(net, case))
    net.cem.post()
    assert "se envía otra vez solo" in net.cem.find("NO guardó").body
    for _ in range(4):
        net.wait(minutes=16)
    net.cem.post()
    assert net.cem.run(lambda unit: unit.disclosures.count(referral=referral.id)) == 3
    assert "Ya NO se envía otra vez solo" in net.cem.find(f"{referral.code}: Csmc Comas NO guardó").body
    assert [e.code for e in net.events[CEM] if isinstance(e, Alarm) and "_there" in e.code] == ["version_ahead_there", "version_stopped_there"]


def test_one_referral_does_not_use_up_the_tries_of_another(net, monkeypatch):
    monkeypatch.setattr(version_refused, "MOST_TRIES", 1)
    case = road.opened(net.cem, fields.VALUES)
    road.consented(net.cem, case)
    Behind(net, CSMC, monkeypatch)
    first = road.taken(net, road.offered(net, case))
    net.csmc.run(lambda unit: work.give_back(unit, net.csmc.person("ana"), first.id, "moved_away"))
    net.settle()
    second = road.taken(net, road.offered(net, case))
    assert net.cem.run(lambda unit: will_go_again(unit, second))


@pytest.mark.parametrize("whose", ["institution:cem-lima", "emergency_centre"])
def test_administrators_do_not_read_the_code_of_a_colleagues_case(net, monkeypatch, whose):
    case = road.opened(net.cem, fields.VALUES)
    road.consented(net.cem, case)
    net.cem.run(lambda unit: open_case.set_field(unit, net.cem.person("ana"), case.id, "aggressor_affiliation", whose))
    Behind(net, CSMC, monkeypatch)
    referral = road.taken(net, road.offered(net, case))
    alarms = [e for e in net.events[CEM] if isinstance(e, Alarm)]
    assert not any(referral.code in str(a) for a in alarms)
