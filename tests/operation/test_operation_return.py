"""D02, D05: what the dispatcher does when the homeserver was away, or when the process died before it noted what it had put."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from hub.actions.dispatch import dispatch
from hub.app.outbox import Dispatcher
from hub.base.faults import Faults
from tests.actions.road import CEM, CSMC, Net, fresh, working
from tests.exchange.test_delivery import say

HUBS = ((CEM, "emergency_centre"), (CSMC, "mental_health_centre"))


class Homeserver:
    """What a dispatcher sees of Matrix."""

    def __init__(self) -> None:
        self.put: list[str] = []
        self.health = SimpleNamespace(returns=0)

    async def send(self, room: str, _type: str, _content: object, _txn: str) -> str:
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


def test_d02_what_may_have_been_put_is_put_again_under_its_own_name() -> None:
    """Killed between the PUT and its mark: the same transaction id tells the homeserver that it has this event already."""
    net: Net = fresh(*HUBS)
    _, referral = working(net)
    say(net, net.cem, referral, "una vez")
    (first,) = net.cem.run(dispatch)
    (again,) = net.cem.run(dispatch)
    assert (first.txn, first.rows) == (again.txn, again.rows)
