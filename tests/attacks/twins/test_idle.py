"""D09, D11, X12: a peer that acknowledges nothing, and a hub that nobody would believe, cost no processor time while they wait."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.actions.common import intend
from hub.actions.dispatch import dispatch, mark_sent, next_send
from hub.actions.own_manifest import tell_again
from hub.actions.ports import Unit
from hub.exchange.pacing import RECORDS
from hub.testing import Twin
from keys.manifest import Manifest, make_manifest
from keys.primitives import SigningKey
from keys.succession import successor
from tests.attacks.twins.bench import CSMC, SECOND, Road, link

IDLE = timedelta(seconds=1)


@pytest.fixture
def road() -> Road:
    return Road()


def look(twin: Twin) -> timedelta:
    """What the dispatcher does at each look; how long it then pauses."""
    for parcel in twin.run(dispatch):
        twin.run(mark_sent, parcel)
    return twin.run(next_send)


def burden(unit: Unit, count: int) -> None:
    for _ in range(count):
        intend(unit, CSMC, "profile")


def test_d09_a_full_window_is_not_looked_at_until_the_peer_makes_room(road: Road) -> None:
    """More is ready than the window takes and nobody acknowledges: nothing can leave, so nothing is due but the retries."""
    road.net.mute.add(CSMC)
    road.cem.run(burden, RECORDS + 12)
    for _ in range(6):
        road.net.clock.advance(SECOND)
        look(road.cem)
    assert road.cem.run(lambda unit: unit.outbox.count(state="ready")) >= 12
    for wait in (SECOND, timedelta(hours=2)):
        road.net.clock.advance(wait)
        assert min(look(road.cem), look(road.cem)) >= IDLE
    road.net.mute.clear()
    road.net.clock.advance(timedelta(hours=1))
    road.net.settle(12)
    assert road.cem.run(lambda unit: unit.outbox.count(state__in=("ready", "dispatched"))) == 0


def test_d09_what_the_window_has_room_for_is_still_due_at_once(road: Road) -> None:
    road.cem.run(burden, 1)
    assert road.cem.run(next_send) < IDLE


def voiceless(road: Road) -> None:
    """Restored from before a withdrawal of its signing key, the hub took its manifest back: none of its keys is listed any more."""
    cem, lost = road.cem, SigningKey.generate()
    data = make_manifest(successor(cem.store.given.hand.manifest, road.net.clock.now(), hub_signing=(lost.public,)), [cem.root])
    cem.store.given = replace(cem.store.given, hand=replace(cem.store.given.hand, manifest=Manifest.from_bytes(data)))
    cem.run(tell_again)
    cem.run(lambda unit: [unit.links.put(replace(line, holds=2)) for line in unit.links.all()])


def test_d11_a_hub_whose_keys_nobody_accepts_waits_in_peace(road: Road) -> None:
    """It owes its key and would ask for others', and can sign neither: a new manifest ends that, not another look."""
    voiceless(road)
    assert link(road.cem, CSMC).owes_key
    road.net.clock.advance(timedelta(days=8))  # the peers' keys of the day are over too: they would be asked
    assert road.cem.run(dispatch) == []
    assert look(road.cem) >= IDLE


def test_x12_what_could_not_be_opened_is_asked_for_when_its_time_comes_and_not_before(road: Road) -> None:
    def missed(unit: Unit) -> None:
        line = unit.links.one(peer=CSMC)
        assert line
        unit.links.put(replace(line, gone=True, resend_asked_at=unit.now))

    look(road.cem)
    road.cem.run(missed)
    assert road.cem.run(dispatch) == []
    assert road.cem.run(next_send) >= IDLE
    road.net.clock.advance(2 * SECOND)
    assert road.cem.run(next_send) < IDLE
    assert len(road.cem.run(dispatch)) == 1
    assert not link(road.cem, CSMC).gone
