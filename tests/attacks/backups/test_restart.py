"""D11, T12 between hubs: whichever side comes back from a copy, in whichever moment of a referral, both end with one effect of everything."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from hub.cases.lifecycle import Side, State
from tests.attacks.backups.bench import CEM, CSMC, Filed
from tests.attacks.twins.bench import Road


@pytest.fixture
def road(tmp_path: Path) -> Road:
    return Road(net=Filed(tmp_path, CEM, CSMC))


def lost_and_restored(road: Road, name: str, parts: tuple[Path, Path], **more: object) -> None:
    """The machine is lost and another takes over; then everything settles."""
    net = road.net
    assert isinstance(net, Filed)
    net.pulse(name)
    net.machines[name].lose()
    net.restore(name, parts, **more)
    road.cem, road.csmc = net[CEM], net[CSMC]
    net.settle(20)


def backed_up(road: Road, name: str) -> tuple[Path, Path]:
    assert isinstance(road.net, Filed)
    return road.net.back_up(name)


def both(road: Road) -> tuple[State, State]:
    """The referral's state at the sender and at the recipient."""
    found = [hub.run(lambda unit: unit.referrals.all(order="-opened_at")) for hub in (road.cem, road.csmc)]
    return found[0][0].state, found[1][0].state


def disclosed(road: Road) -> tuple[set[str], set[str]]:
    """The disclosures that count as living at the sender, and those that the recipient holds."""
    ours = road.cem.run(lambda unit: {d.id for d in unit.disclosures.all(side=Side.SENDER, state="active")})
    theirs = road.csmc.run(lambda unit: {d.id for d in unit.disclosures.all(side=Side.RECIPIENT, state="active")})
    return ours, theirs


def calm(road: Road) -> None:
    """Nothing is under way, held, early, asked or frozen, and nothing was refused."""
    for hub in (road.cem, road.csmc):
        assert hub.run(lambda unit: unit.outbox.count(state__in=("ready", "held", "dispatched"))) == 0
        assert hub.run(lambda unit: unit.early.count()) == 0
        for link in hub.run(lambda unit: unit.links.all()):
            assert (link.frozen, link.asking) == (None, 0)
            assert link.acked_out == link.next_out - 1
        assert not [said.body for said in hub.said if "record_refused" in said.body]


def withdrawn_everywhere(road: Road) -> None:
    road.withdraw()
    road.net.settle(10)
    assert disclosed(road) == (set(), set())
    assert road.csmc.run(lambda unit: unit.held.count()) == 0
    states = road.cem.run(lambda unit: {d.state for d in unit.disclosures.all()})
    assert states <= {"destroyed"}


def test_d11_the_sender_forgot_the_acceptance_and_what_it_disclosed(road: Road) -> None:
    """It catches up with what the recipient holds, discloses nothing a second time, and a withdrawal reaches what it had forgotten."""
    road.offer()
    parts = backed_up(road, CEM)
    road.accept()
    assert road.holds() == 1
    lost_and_restored(road, CEM, parts)
    calm(road)
    assert both(road) == (State.ACCEPTED, State.ACCEPTED)
    ours, theirs = disclosed(road)
    assert ours == theirs
    assert len(theirs) == 1
    road.csmc.type("bea", f"!tk decir {road.referral}: ¿sigue el martes?")
    road.net.settle()
    assert sum("sigue el martes" in said.body for said in road.cem.said) == 1
    withdrawn_everywhere(road)


def test_d11_a_partial_withdrawal_reaches_a_disclosure_that_the_copy_did_not_know(road: Road) -> None:
    road.offer()
    parts = backed_up(road, CEM)
    road.accept()
    lost_and_restored(road, CEM, parts)
    (before,) = disclosed(road)[1]
    shown = road.cem.type("ana", f"!tk retirar {road.code} a csmc-comas campos salud mental")
    number = next(line.split(".")[0].strip() for line in shown.splitlines() if "retirar" in line and line.strip()[0].isdigit())
    road.cem.type("ana", number)
    road.net.settle(10)
    assert before not in disclosed(road)[1]


def test_d11_the_sender_forgot_a_whole_referral(road: Road) -> None:
    parts = backed_up(road, CEM)
    road.disclosed()
    lost_and_restored(road, CEM, parts)
    calm(road)
    assert road.cem.find("no recuerda estas derivaciones").body.count(road.referral) == 1
    assert road.cem.find("no recuerda estas derivaciones").ring, "nobody here follows it now: somebody is rung"
    assert "no recuerda esta derivación" in road.csmc.find("perdió su máquina").body
    assert road.holds() == 1
    road.csmc.type("bea", f"!tk devolver {road.referral} ella lo pidió")
    road.net.settle()
    assert road.holds() == 0


@pytest.mark.parametrize("arrived", [True, False], ids=["had arrived", "had not"])
def test_d11_what_was_on_the_road_when_the_copy_was_made_takes_effect_once(road: Road, arrived: bool) -> None:
    road.disclosed()
    road.net.spoil = lambda parcel: []
    road.cem.type("ana", f"!tk decir {road.referral}: una sola vez")
    road.net.settle(2)
    parts = backed_up(road, CEM)
    if arrived:
        road.net.spoil = lambda parcel: [parcel]
        road.net.clock.advance(timedelta(minutes=2))
        road.net.settle(3)
        assert sum("una sola vez" in said.body for said in road.csmc.said) == 1
    road.net.spoil = lambda parcel: [parcel]
    lost_and_restored(road, CEM, parts)
    calm(road)
    assert sum("una sola vez" in said.body for said in road.csmc.said) == 1
    withdrawn_everywhere(road)


def test_d11_an_offer_that_arrived_after_the_copy_was_made_is_not_said_again(road: Road) -> None:
    road.open()
    road.net.spoil = lambda parcel: []
    road.cem.type("ana", road.preview()[0])
    road.net.settle(2)
    parts = backed_up(road, CEM)
    road.net.spoil = lambda parcel: [parcel]
    road.net.clock.advance(timedelta(minutes=2))
    road.net.settle(3)
    assert both(road) == (State.REQUESTED, State.RECEIVED)
    lost_and_restored(road, CEM, parts)
    calm(road)
    assert both(road) == (State.REQUESTED, State.RECEIVED)
    assert road.cem.run(lambda unit: unit.referrals.one().delivered_at) is not None, "the peer's answer is its receipt"


def test_d11_what_the_peer_said_while_nobody_was_there_arrives_once(road: Road) -> None:
    road.disclosed()
    parts = backed_up(road, CEM)
    road.net.spoil = lambda parcel: []
    road.csmc.type("bea", f"!tk decir {road.referral}: ¿me leen?")
    road.net.settle(2)
    road.net.spoil = lambda parcel: [parcel]
    lost_and_restored(road, CEM, parts)
    calm(road)
    assert sum("me leen" in said.body for said in road.cem.said) == 1


def test_d11_the_recipient_forgot_an_offer(road: Road) -> None:
    parts = backed_up(road, CSMC)
    road.offer()
    lost_and_restored(road, CSMC, parts)
    calm(road)
    assert both(road) == (State.REQUESTED, State.RECEIVED)
    road.accept()
    assert disclosed(road)[0] == disclosed(road)[1] != set()
    withdrawn_everywhere(road)


@pytest.mark.parametrize("knows_the_offer", [True, False])
def test_d11_the_recipient_forgot_that_it_accepted(road: Road, knows_the_offer: bool) -> None:
    """Its key of the referral is lost with the machine: it is asked once more, what it held is recalled and counts as destroyed."""
    if knows_the_offer:
        road.offer()
    parts = backed_up(road, CSMC)
    if not knows_the_offer:
        road.offer()
    road.accept()
    lost_and_restored(road, CSMC, parts)
    calm(road)
    assert both(road) == (State.REQUESTED, State.RECEIVED)
    assert disclosed(road) == (set(), set())
    assert "no recuerda su respuesta" in road.cem.find("perdió su máquina").body
    road.accept()
    ours, theirs = disclosed(road)
    assert ours == theirs
    assert len(theirs) == 1
    withdrawn_everywhere(road)


def test_r14_a_withdrawal_is_said_again_to_a_recipient_that_came_back_without_its_journal(road: Road, tmp_path: Path) -> None:
    """The second net: where no tombstone is left, the sender's own knowledge destroys it again."""
    road.disclosed()
    parts = backed_up(road, CSMC)
    road.withdraw()
    road.net.settle(10)
    assert road.holds() == 0
    alone = tmp_path / "alone"
    alone.mkdir()
    moved = tuple(path.rename(alone / path.name) for path in parts)
    lost_and_restored(road, CSMC, (moved[0], moved[1]), disk=alone, insist=True)
    assert "SIN las últimas destrucciones" in road.csmc.find("restored_in_doubt").body
    assert road.holds() == 0
    assert road.csmc.run(lambda unit: unit.held.count()) == 0
    assert both(road) == (State.CANCELLED, State.CANCELLED)


def test_d11_the_recipient_forgot_that_it_had_finished(road: Road) -> None:
    road.disclosed()
    parts = backed_up(road, CSMC)
    road.csmc.type("bea", f"!tk resultado {road.referral} atendida")
    road.net.settle()
    states = both(road)
    lost_and_restored(road, CSMC, parts)
    calm(road)
    assert both(road) == states


def test_d11_the_same_copy_restored_twice_and_both_sides_at_once(road: Road) -> None:
    """Numbers of an earlier restore are never used again, and two hubs that both ask come to an end."""
    road.disclosed()
    parts, theirs = backed_up(road, CEM), backed_up(road, CSMC)
    lost_and_restored(road, CEM, parts)
    first = road.cem.run(lambda unit: max(link.epoch_out for link in unit.links.all()))
    lost_and_restored(road, CEM, parts)
    assert road.cem.run(lambda unit: min(link.epoch_out for link in unit.links.all())) > first
    calm(road)
    net = road.net
    assert isinstance(net, Filed)
    for name in (CEM, CSMC):
        net.pulse(name)
        net.machines[name].lose()
    net.restore(CEM, parts)
    net.restore(CSMC, theirs)
    road.cem, road.csmc = net[CEM], net[CSMC]
    net.settle(30)
    calm(road)
    road.cem.type("ana", f"!tk decir {road.referral}: seguimos aquí")
    net.settle(5)
    assert sum("seguimos aquí" in said.body for said in road.csmc.said) == 1
    withdrawn_everywhere(road)


def test_d11_an_answer_that_nobody_asked_for_changes_nothing(road: Road) -> None:
    """A hostile peer sends a `standing` unasked: it may neither acknowledge nor add disclosures."""
    from hub.actions.restart import intend_on

    road.disclosed()
    road.csmc.run(lambda unit: intend_on(unit, unit.links.one(peer=CEM), "standing", restore="rst_x", epoch=1, upto=99))
    before = road.cem.run(lambda unit: [(row.id, row.state) for row in unit.outbox.all()])
    road.net.settle()
    assert road.cem.run(lambda unit: [(row.id, row.state) for row in unit.outbox.all()]) == before
    assert "not_asked" in road.cem.find("record_refused").body
