"""D05, D13, D14: our own homeserver goes away, takes our token, or answers nonsense; waits and memory are bounded and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import resource
import secrets

import pytest

from deploy.demo.synapse import Synapses
from hub.matrix import http
from hub.matrix.errors import HomeserverAway, LoginLost
from tests.conftest import NewPerson
from tests.homeserver.bench import until
from tests.homeserver.conftest import Desk, Link, NewHub, NewProxied

EVERYTHING = "/_matrix"


async def test_d05_the_homeserver_is_away_and_comes_back(new_proxied: NewProxied, new_person: NewPerson, desk: Desk) -> None:
    """What was said meanwhile arrives, in order; what we wanted to say was held and can be said; the failures are visible."""
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    await rosa.say(room_id, "antes")
    await hub.gets("antes")
    proxy.fail(EVERYTHING, times=10**6)
    for number in range(5):
        await rosa.say(room_id, f"durante {number}")
    await until(lambda: hub.matrix.health.failures > 0, "failures that are counted")
    with pytest.raises(HomeserverAway):
        await hub.matrix.send(room_id, "m.room.message", {"msgtype": "m.text", "body": "retenido"}, txn := secrets.token_hex(8))
    proxy.honest()
    await hub.gets("durante 4")
    said = [body for body in await hub.bodies() if body.startswith("durante")]
    assert said == [f"durante {number}" for number in range(5)]
    await hub.matrix.send(room_id, "m.room.message", {"msgtype": "m.text", "body": "retenido"}, txn)
    await rosa.expect("retenido", room=room_id)


async def test_d13_a_token_that_is_taken_stops_the_hub_and_keeps_its_rows(
    new_hub: NewHub, new_person: NewPerson, desk: Desk, synapses: Synapses
) -> None:
    hub, rosa = await new_hub(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    await rosa.say(room_id, "antes")
    await hub.gets("antes")
    before = await hub.rows.counter()
    assert hub._task is not None
    await http.request(hub.matrix.client, "POST", "/_matrix/client/v3/logout", {})  # as an administrator who deletes the device
    with pytest.raises(LoginLost):
        await asyncio.wait_for(asyncio.shield(hub._task), 120)  # a sync that the server still holds ends first
    with pytest.raises(LoginLost):
        await hub.restart()
    assert await hub.rows.counter() >= before
    assert "antes" in await hub.bodies(), "what was accepted waits in its table"


async def test_d13_a_token_that_is_taken_while_a_batch_is_handled_stops_the_hub_too(
    new_proxied: NewProxied, new_person: NewPerson, desk: Desk
) -> None:
    """Whichever request is the first to be told: a hub that went on trying here never came back to the sync that would have said so."""
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    await rosa.say(room_id, "antes")
    await hub.gets("antes")
    proxy.fail("/keys/query", times=10**6, status=401, answer={"errcode": "M_UNKNOWN_TOKEN", "error": "gone"})
    proxy.on_answer("/sync", lambda body: {**body, "device_lists": {"changed": [rosa.user_id], "left": []}})
    await rosa.say(room_id, "durante")
    assert hub._task is not None
    with pytest.raises(LoginLost):
        await asyncio.wait_for(asyncio.shield(hub._task), 60)


async def test_d14_a_rate_limit_of_thirty_years_is_not_waited_out(
    new_proxied: NewProxied, new_hub: NewHub, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_WAIT", 0.2)
    (one, proxy), two = await new_proxied("uno"), await new_hub("dos")
    room_id = await link(one, two)
    limit = {"errcode": "M_LIMIT_EXCEEDED", "error": "slow", "retry_after_ms": 10**12}
    proxy.fail("/send/", times=10**6, status=429, answer=limit)
    began = asyncio.get_running_loop().time()
    with pytest.raises(HomeserverAway):
        await one.envelope(room_id, "uno", "txn-uno")
    assert asyncio.get_running_loop().time() - began < 70, "seconds: a send gives up within a minute"
    proxy.honest()
    await one.envelope(room_id, "uno", "txn-uno")
    await two.gets("uno")


@pytest.mark.parametrize("nonsense", ["html", "cut", "500", "huge"])
async def test_d14_nonsense_in_place_of_a_sync(new_proxied: NewProxied, new_person: NewPerson, desk: Desk, nonsense: str) -> None:
    """HTML under a 200, JSON cut in the middle, errors, and an answer without end: then the next honest one is taken."""
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    await rosa.say(room_id, "antes")
    await hub.gets("antes")
    left = [3]

    def spoil(body: bytes) -> bytes:
        if left[0] and b'"next_batch"' in body[-4096:]:
            left[0] -= 1
            endless = b"[" + b" " * (http.MAX_BYTES + 1)
            return {"html": b"<html><body>Bad gateway</body></html>", "cut": body[: len(body) // 2], "huge": endless}[nonsense]
        return body

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if nonsense == "500":
        proxy.fail("/sync", times=3, status=500)
    else:
        proxy.rewrite = spoil
    await rosa.say(room_id, "a pesar de todo")
    await hub.gets("a pesar de todo", within=60)
    assert hub._task is not None
    assert not hub._task.done()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600 * 1024, "KiB: of an endless answer only so much is read"


def test_d14_what_is_not_json_is_no_answer() -> None:
    with pytest.raises(HomeserverAway):
        asyncio.run(http._parse(b"<html>"))
    assert json.loads(b"{}") == asyncio.run(http._parse(b""))
