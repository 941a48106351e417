"""D02, D05: what the dispatcher does when the homeserver was away, or when the process died before it noted what it had put."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from hub.actions.common import intend
from hub.actions.dispatch import dispatch
from hub.app.outbox import Dispatcher
from hub.app.puts import Rests
from hub.base.faults import Faults
from hub.exchange.records import Link
from hub.matrix.errors import Held
from tests.actions.road import CEM, CSMC, HOGAR, Net, fresh, working
from tests.exchange.test_delivery import say

HUBS = ((CEM, "emergency_centre"), (CSMC, "mental_health_centre"))


class Homeserver:
    """What a dispatcher sees of Matrix. Rooms in `closed` take nothing: their peer is not there."""

    def __init__(self) -> None:
        self.put: list[str] = []
        self.tried = 0
        self.closed: set[str] = set()
        self.slow: dict[str, asyncio.Event] = {}
        self.broken: set[str] = set()
        self.health = SimpleNamespace(returns=0)

    async def send(self, room: str, _type: str, _content: object, _txn: str) -> str:
        self.tried += 1
        if room in self.closed:
            raise Held("matrix.peer_not_joined", "the peer has not joined its link room yet")
        if room in self.broken:
            raise ZeroDivisionError
        if room in self.slow:
            await self.slow[room].wait()
        self.put.append(room)
        return f"$e{len(self.put)}"


async def test_d05_back_from_an_outage_we_speak_first_and_once() -> None:
    """The peers' homeservers keep what they have for us until they hear from ours: so every peer hears something at once."""
    net = fresh(*HUBS)
    working(net)
    net.settle(6)
    server = Homeserver()
    worker = Dispatcher(net.csmc.store, server, Faults(), asyncio.Event())
    await worker.turn()
    server.put.clear()
    await worker.turn()
    assert server.put == [], "nothing to say: this would prove nothing"
    server.health.returns += 1
    await worker.turn()
    (link,) = net.csmc.run(lambda unit: unit.links.all())
    assert server.put == [link.room]
    await worker.turn()
    assert len(server.put) == 1


def alone(net: Net) -> tuple[Homeserver, Dispatcher, dict[str, Link]]:
    """A dispatcher of the first hub that has nothing to say just now, and its links."""
    server = Homeserver()
    worker = Dispatcher(net.cem.store, server, Faults(), asyncio.Event())
    return server, worker, {link.peer: link for link in net.cem.run(lambda unit: unit.links.all())}


def room_of(links: dict[str, Link], peer: str) -> str:
    return links[peer].room or ""


async def test_d05_a_key_that_could_not_be_told_is_told_as_soon_as_the_room_takes_it() -> None:
    """Between two hubs nothing goes before they have each other's key of the day. One that was written, and taken by nobody, was not told."""
    net = fresh(*HUBS)
    server, worker, links = alone(net)
    (before,) = links.values()
    net.cem.run(lambda unit: unit.links.put(replace(before, told_key_at=None, owes_key=True)))
    server.closed.add(room_of(links, CSMC))
    await worker.turn()
    assert (server.tried, server.put) == (1, [])
    (link,) = net.cem.run(lambda unit: unit.links.all())
    assert (link.told_key_at, link.owes_key) == (None, True)
    server.closed.clear()
    await worker.turn()
    assert server.tried == 1, "it rests for a moment"
    worker._rests.clear()
    await worker.turn()
    assert server.put == [room_of(links, CSMC)]
    (link,) = net.cem.run(lambda unit: unit.links.all())
    assert (link.told_key_at, link.owes_key) == (net.clock.now(), False)


async def test_d05_a_question_that_nobody_took_is_not_counted_as_asked() -> None:
    """Else it would be asked again after half an hour, and nothing would go over the link until then."""
    net = fresh(*HUBS)
    server, worker, links = alone(net)
    net.clock.advance(timedelta(days=8))  # the key of the day that we hold is over
    server.closed.add(room_of(links, CSMC))
    for _ in range(6):
        await worker.turn()
        worker._rests.clear()
    (link,) = net.cem.run(lambda unit: unit.links.all())
    assert server.tried == 6
    assert (link.asked_key, link.asked_key_at) == (0, None)


async def test_t9_a_peer_that_left_its_room_costs_the_others_nothing() -> None:
    """One of them leaves the room of the link while something is under way to it, or never comes there."""
    net = fresh(*HUBS, (HOGAR, "shelter"))
    working(net)
    net.settle(6)
    server, worker, links = alone(net)
    await worker.turn()
    server.put.clear()
    server.closed.add(room_of(links, CSMC))
    net.cem.run(lambda unit: intend(unit, CSMC, "profile"))
    pauses = [await worker.turn() for _ in range(4)]
    tried = server.tried
    net.clock.advance(timedelta(seconds=30))
    pauses += [await worker.turn() for _ in range(4)]
    assert server.tried == tried, "while it rests nothing is written for it, however often somebody pokes"
    assert server.put == [], "and no other peer hears an acknowledgement that it has already"
    assert min(pauses) > 0.5
    net.cem.run(lambda unit: intend(unit, HOGAR, "profile"))
    await worker.turn()
    assert server.put == [room_of(links, HOGAR)], "what is for the others goes as ever"


def test_rests_grow_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("hub.app.puts.time.monotonic", lambda: now[0])
    rests = Rests()
    assert rests.pause(()) == float("inf")
    pauses = []
    for _ in range(40):
        rests.note((), ["lnk"])
        pauses.append(rests.pause(()))
        assert rests.resting() == {"lnk"}
        now[0] += pauses[-1]
        assert rests.resting() == frozenset()
    assert pauses[:5] == [1.0] * 5
    assert pauses[-1] == 15.0
    rests.note(["lnk"], ["other"])
    rests.note((), ["lnk"])
    assert rests.pause(["other"]) == 15.0, "one that was left alone in a turn has proven nothing, however long that took"
    rests.note((), [])
    assert rests.pause(()) == float("inf"), "one that has nothing to say any more wakes nobody"
    rests.note((), ["lnk"])
    assert rests.pause(()) == 1.0


async def test_t9_a_room_that_takes_its_time_keeps_no_other_waiting() -> None:
    """Its homeserver answers each question for keys after ten seconds. The others' events leave meanwhile, and its own once, when it is done."""
    net = fresh(*HUBS, (HOGAR, "shelter"))
    server, worker, links = alone(net)
    slow = asyncio.Event()
    server.slow = {room_of(links, CSMC): slow}
    net.cem.run(lambda unit: [intend(unit, peer, "profile") for peer in (CSMC, HOGAR)])
    await asyncio.wait_for(worker.turn(), timeout=5)
    assert server.put == [room_of(links, HOGAR)]
    net.cem.run(lambda unit: [intend(unit, peer, "profile") for peer in (CSMC, HOGAR)])
    for _ in range(3):
        await asyncio.wait_for(worker.turn(), timeout=5)
    assert server.put == [room_of(links, HOGAR)] * 2
    assert server.tried == 3, "nothing is put a second time while it is under way"
    worker._poked.clear()
    slow.set()
    await asyncio.wait_for(worker._poked.wait(), timeout=5)
    await worker.turn()
    assert server.put == [room_of(links, HOGAR)] * 2 + [room_of(links, CSMC)]
    await worker.turn()
    assert server.put.count(room_of(links, CSMC)) == 2, "what came meanwhile follows"


async def test_d05_what_waits_for_an_answer_of_yesterday_is_put_again_at_once() -> None:
    """The homeserver vanished in mid-request. It is back, and the request would hang for a minute."""
    net = fresh(*HUBS)
    server, worker, links = alone(net)
    server.slow = {room_of(links, CSMC): asyncio.Event()}
    net.cem.run(lambda unit: intend(unit, CSMC, "profile"))
    await worker.turn()
    assert server.put == []
    server.slow.clear()
    server.health.returns += 1
    await worker.turn()
    await worker.turn()
    assert room_of(links, CSMC) in server.put


async def test_t9_a_fault_on_one_link_takes_nothing_back_from_the_others() -> None:
    net = fresh(*HUBS, (HOGAR, "shelter"))
    server, worker, links = alone(net)
    server.broken.add(room_of(links, CSMC))
    net.cem.run(lambda unit: [intend(unit, peer, "profile") for peer in (CSMC, HOGAR)])
    with pytest.raises(ZeroDivisionError):
        await worker.turn()
    rows = net.cem.run(lambda unit: {row.link: row.attempts for row in unit.outbox.all(state="dispatched")})
    assert rows == {links[CSMC].id: 0, links[HOGAR].id: 1}, "what left is marked"


def test_d02_what_may_have_been_put_is_put_again_under_its_own_name() -> None:
    """Killed between the PUT and its mark: the same transaction id tells the homeserver that it has this event already."""
    net: Net = fresh(*HUBS)
    _, referral = working(net)
    say(net, net.cem, referral, "una vez")
    (first,) = net.cem.run(dispatch)
    (again,) = net.cem.run(dispatch)
    assert (first.txn, first.rows) == (again.txn, again.rows)
