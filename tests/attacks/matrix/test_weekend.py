"""X16 over a weekend: the hub is away, its one-time keys run out, its peer needs one; the fallback key serves once and is then replaced."""

from __future__ import annotations

from typing import Any

from deploy.demo.person import Person
from tests.conftest import NewPerson
from tests.homeserver.bench import BenchHub, until
from tests.homeserver.conftest import Link, NewHub, NewProxied

MOST = 120
"""Claims: twice what a hub ever has on the server."""


async def run_dry(thief: Person, hub: BenchHub) -> dict[str, Any]:
    """Claim until only the fallback key is left; that key, as it is served."""
    body = {"one_time_keys": {hub.user_id: {hub.device_id: "signed_curve25519"}}}
    for _ in range(MOST):
        answer = await thief.request("POST", "/_matrix/client/v3/keys/claim", body)
        served: dict[str, Any] = next(iter(answer["one_time_keys"][hub.user_id][hub.device_id].values()))
        if served.get("fallback"):
            return served
    raise AssertionError("no fallback key: a hub whose keys ran out could not be reached")


async def filled(hub: BenchHub) -> None:
    await until(lambda: (hub.matrix.health.one_time_keys or 0) >= 40, "one-time keys on the server")


async def test_x16_a_weekend_without_keys(new_hub: NewHub, new_proxied: NewProxied, new_person: NewPerson, link: Link) -> None:
    away, (peer, proxy), thief = await new_hub("lejos"), await new_proxied("par", server=1), await new_person("mallory", server=1)
    room_id = await link(away, peer)
    await peer.envelope(room_id, "el viernes")
    await away.gets("el viernes")
    claimed: list[str] = []
    proxy.on_answer("/keys/claim", lambda answer: (claimed.append(str(answer)), answer)[1])
    spent = []
    for words in ("el lunes", "y el lunes siguiente"):
        await filled(away)
        await away.crash()
        spent.append(await run_dry(thief, away))
        peer.matrix._machine._unwedged.clear()  # more than a minute has passed since it last renewed one
        await peer.matrix.renew(away.user_id)  # a new session, as after a restore of the peer: it has to claim a key
        await peer.envelope(room_id, words)
        assert spent[-1]["key"] in claimed[-1], "the fallback key was not what the peer got: this proves nothing"
        await away.restart()
        await away.gets(words)
    assert spent[0]["key"] != spent[1]["key"], "a fallback key that was used stays in use: whoever has it opens every first message"
