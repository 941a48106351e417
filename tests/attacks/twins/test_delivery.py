"""X10, X11, X12, D05, D06, D07, D10: whatever a homeserver or the road does, each word has one effect, in order, and withholding is noticed."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from hub.actions.dispatch import Parcel, dispatch, mark_sent
from hub.exchange.pacing import RESEND_AFTER, WINDOW
from hub.exchange.wire import Resend, encode
from tests.actions.road import CEM, CSMC, Net, fresh, opened, well, working
from tests.attacks.twins.bench import craft, link, send
from tests.exchange.test_delivery import heal, heard, say

HUBS = ((CEM, "emergency_centre"), (CSMC, "mental_health_centre"))


@pytest.fixture
def net() -> Net:
    return fresh(*HUBS)


def words(count: int, start: int = 0) -> list[str]:
    return [f"mensaje-{number}" for number in range(start, start + count)]


def kept_back(net: Net, referral: Any, count: int) -> list[Parcel]:
    """Each word in an event of its own; the homeserver has them all and passes none on."""
    kept: list[Parcel] = []
    for line in words(count):
        say(net, net.cem, referral, line)
        for parcel in net.cem.run(dispatch):
            kept.append(parcel)
            net.cem.run(mark_sent, parcel)
    return kept


@pytest.mark.parametrize("seed", range(6))
def test_x10_reordered_doubled_and_two_days_late(net: Net, seed: int) -> None:
    _, referral = working(net)
    kept = kept_back(net, referral, 20)
    net.clock.advance(timedelta(hours=48))
    shuffled = kept + random.Random(seed).choices(kept, k=15)
    random.Random(seed).shuffle(shuffled)
    for parcel in shuffled:
        net.hand(net.cem, parcel)
    net.settle(6)
    assert heard(net.csmc) == words(20)
    assert not net.csmc.refused
    well(net)


def test_x11_one_withheld_is_missed_asked_for_and_told(net: Net) -> None:
    """The homeserver drops one for good, the repeats too: asked for within the minute, an alarm after a quarter of an hour, on both sides."""
    _, referral = working(net)
    kept = kept_back(net, referral, 3)
    asked: list[Parcel] = []

    def road(parcel: Parcel) -> list[Parcel]:
        if not parcel.rows and parcel.room == kept[0].room:
            asked.append(parcel)
        return [] if set(parcel.rows) & set(kept[1].rows) else [parcel]

    for parcel in (kept[0], kept[2]):
        net.hand(net.cem, parcel)
    net.spoil = road
    net.settle(6)
    assert net.csmc.run(lambda unit: unit.links.one(peer=CEM)).resend_asked_at is not None
    assert heard(net.csmc) == ["mensaje-0"], "what came later waits for it"
    net.wait(minutes=14)
    assert "gap_open" not in net.alarms(net.csmc)
    net.wait(minutes=2)
    assert net.alarms(net.csmc).count("gap_open") == 1
    assert "peer_silent" in net.alarms(net.cem)
    heal(net)
    assert heard(net.csmc) == words(3)
    well(net)


def put(net: Net) -> int:
    """How many events with words leave now."""
    parcels = [parcel for parcel in net.cem.run(dispatch) if parcel.rows]
    for parcel in parcels:
        net.cem.run(mark_sent, parcel)
    return len(parcels)


def test_x12_a_peer_that_asks_for_all_of_it_again_without_end_is_answered_every_two_seconds(net: Net) -> None:
    """Each answer seals and puts a window; the question costs the peer nothing. An honest one that loses the answer too is served again."""
    _, referral = working(net)
    kept_back(net, referral, WINDOW + 8)
    assert put(net) == 0, "it waits for acknowledgements"
    wants = craft(net.csmc, CEM, "resend", encode(Resend(epoch=link(net.cem, CSMC).epoch_out, first=1, last=10**6)))
    answers = []
    for _ in range(10):
        send(net.csmc, net.cem, wants)
        answers.append(put(net))
    assert 0 < answers[0] <= WINDOW
    assert answers[1:] == [0] * 9
    net.clock.advance(RESEND_AFTER)
    send(net.csmc, net.cem, wants)
    assert 0 < put(net) <= WINDOW
    net.clock.advance(-timedelta(hours=1))
    send(net.csmc, net.cem, wants)
    assert put(net) > 0, "a clock that was set back does not mute us"
    net.clock.advance(timedelta(hours=2))
    heal(net)
    assert heard(net.csmc) == words(WINDOW + 8)
    well(net)


def test_d06_a_peer_that_was_away_for_eight_days(net: Net) -> None:
    _, referral = working(net)
    net.spoil = lambda parcel: []
    for line in words(5):
        say(net, net.cem, referral, line)
    for _ in range(8):
        net.wait(days=1)
    net.spoil = lambda parcel: [parcel]
    net.wait(minutes=31)
    assert heard(net.csmc) == words(5)
    well(net)


def test_x13_each_side_is_shown_another_history(net: Net) -> None:
    """The homeserver shows the recipient a part, and that again and again; the sender only old words of the recipient, for new ones."""
    _, referral = working(net)
    old: list[Parcel] = []
    net.spoil = lambda parcel: old.append(parcel) or [parcel]
    say(net, net.cem, referral, "mensaje-0")
    net.settle(4)
    answers = [parcel for parcel in old if not parcel.rows]
    assert answers, "acknowledgements that can be shown once more"
    net.spoil = lambda parcel: []
    kept = kept_back(net, referral, 3)
    for _ in range(5):
        net.hand(net.cem, kept[0])
        for parcel in answers:
            net.hand(net.csmc, parcel)
    line = net.cem.run(lambda unit: unit.links.one(peer=CSMC))
    there = net.csmc.run(lambda unit: unit.links.one(peer=CEM))
    assert line.acked_out < there.next_in <= line.next_out - 2, "the sender believes no more than was signed for"
    assert line.frozen is None
    net.wait(minutes=16)
    assert "peer_silent" in net.alarms(net.cem), "the fork is noticed"
    heal(net)
    assert heard(net.csmc) == ["mensaje-0", *words(3)]
    well(net)


def test_d07_what_was_lost_on_the_way_is_asked_for_and_comes_within_seconds(net: Net) -> None:
    """Long before the sender would try again by itself: the one behind it shows the gap."""
    _, referral = working(net)
    kept = kept_back(net, referral, 2)
    net.hand(net.cem, kept[1])
    net.settle(4)
    net.clock.advance(timedelta(seconds=5))
    net.settle(4)
    assert heard(net.csmc) == words(2)
    well(net)


@pytest.mark.parametrize("direction", [CEM, CSMC])
def test_d07_a_road_that_is_open_in_one_direction_only(net: Net, direction: str) -> None:
    """Either the words do not arrive, or their receipts do not: once it heals there is one of each."""
    _, referral = working(net)
    net.mute = {direction}
    for line in words(4):
        say(net, net.cem, referral, line)
        net.settle(2)
    net.wait(hours=1)
    net.mute = set()
    heal(net)
    assert heard(net.csmc) == words(4)
    well(net)


def test_d10_a_homeserver_that_forgot_a_day(net: Net) -> None:
    """Restored from yesterday it lost what nobody had read, and its memory of transaction ids; what it delivered before comes once more."""
    _, referral = working(net)
    kept = kept_back(net, referral, 6)
    for parcel in kept[:2]:
        net.hand(net.cem, parcel)
    net.clock.advance(timedelta(days=1))
    for parcel in kept[:1]:  # delivered before the backup was taken: the restored server delivers it anew
        net.hand(net.cem, parcel)
    heal(net)
    assert heard(net.csmc) == words(6)
    well(net)


def test_an_outage_of_three_hundred_arrives_whole_and_in_order(net: Net) -> None:
    _, referral = working(net)
    net.spoil = lambda parcel: []
    for line in words(300):
        say(net, net.cem, referral, line)
    net.settle(3)
    heal(net)
    net.settle(60)
    assert heard(net.csmc) == words(300)
    well(net)


def test_nothing_is_said_of_gaps_that_were_closed(net: Net) -> None:
    _, referral = working(net)
    kept = kept_back(net, referral, 2)
    net.hand(net.cem, kept[1])
    net.settle(4)
    net.wait(minutes=20)
    assert heard(net.csmc) == words(2)
    assert "gap_open" not in net.alarms(net.csmc)
    assert opened(net.cem)
