"""X16, X17, X18, T4: a stranger takes all our keys and floods us; a peer shares sessions that say less, or are somebody else's.

`TINKUY_FLOOD=100000 TINKUY_CLAIMS=5000` play the catalogue's full numbers; without them it is a short flood.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from pathlib import Path
from typing import Any

from deploy.demo.person import Person
from tests.attacks.matrix.test_events import OlmAttacker
from tests.conftest import NewPerson
from tests.homeserver.bench import BenchHub, until
from tests.homeserver.conftest import Desk, Link, NewHub, NewProxied

FLOOD = int(os.environ.get("TINKUY_FLOOD", "1500"))
CLAIMS = int(os.environ.get("TINKUY_CLAIMS", "600"))
AT_ONCE = 8
LATE = 60.0
GROWN = 50 * 1024
"""KiB of memory more than before, at most."""


def resident() -> int:
    """KiB of memory that this process (hub and attacker together) holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


async def in_parallel(count: int, step: Any) -> None:
    left = iter(range(count))

    async def worker() -> None:
        for number in left:
            await step(number)

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def flood(mallory: Person, hub: BenchHub, count: int) -> None:
    """So many to-device messages that look like Olm, as quickly as the homeserver takes them."""
    body = {"messages": {hub.user_id: {hub.device_id: OlmAttacker(mallory, hub).content({"type": 0, "body": "A" * 400})}}}

    async def one(_: int) -> None:
        await mallory.request("PUT", f"/_matrix/client/v3/sendToDevice/m.room.encrypted/{secrets.token_hex(8)}", body)

    await in_parallel(count, one)


async def test_x17_a_flood_delays_nobody_for_long(new_hub: NewHub, new_person: NewPerson, desk: Desk) -> None:
    """While it pours in, and after it piled up behind a hub that was away."""
    hub, rosa, mallory = await new_hub(), await new_person("rosa"), await new_person("mallory")
    room = await desk(hub, rosa)
    await rosa.say(room, "antes")
    await hub.gets("antes")
    before, delays = resident(), []
    pouring = asyncio.create_task(flood(mallory, hub, FLOOD // 2))
    while not pouring.done():
        text = f"durante {len(delays)}"
        began = time.monotonic()
        await rosa.say(room, text)
        await hub.gets(text, within=LATE)
        delays.append(time.monotonic() - began)
    await pouring
    assert delays
    await hub.crash()
    await flood(mallory, hub, FLOOD - FLOOD // 2)
    await rosa.say(room, "detrás de todo")
    await hub.restart()
    began = time.monotonic()
    await hub.gets("detrás de todo", within=LATE)
    await hub.say(room, "sigo aquí")
    await rosa.expect("sigo aquí", room=room, within=LATE)
    assert max(delays) < LATE
    assert time.monotonic() - began < LATE
    assert hub.matrix.health.failures == 0
    assert resident() - before < GROWN
    assert not [report for report in hub.reports if report.user_id == mallory.user_id], "a stranger's messages are dropped unseen"


async def test_x16_claimed_over_and_over_it_stays_reachable(new_hub: NewHub, new_person: NewPerson, desk: Desk) -> None:
    """Every claim is answered, with the fallback key when nothing else is left; whoever is honest reaches it at any time; then it refills."""
    hub, rosa, mallory = await new_hub(), await new_person("rosa"), await new_person("mallory", server=1)
    room = await desk(hub, rosa)
    await until(lambda: (hub.matrix.health.one_time_keys or 0) > 30, "one-time keys on the server")
    unanswered = []
    body = {"one_time_keys": {hub.user_id: {hub.device_id: "signed_curve25519"}}}

    async def claim(number: int) -> None:
        answer = await mallory.request("POST", "/_matrix/client/v3/keys/claim", body)
        if not answer["one_time_keys"].get(hub.user_id, {}).get(hub.device_id):
            unanswered.append(number)

    claiming = asyncio.create_task(in_parallel(CLAIMS, claim))
    said = 0
    while not claiming.done():
        rosa.client.olm.session_store._entries.pop(hub.matrix.device.curve25519, None)  # she, too, must claim a key anew
        rosa.client.invalidate_outbound_session(room)
        said += 1
        await rosa.say(room, f"en medio {said}")
        await hub.gets(f"en medio {said}", within=LATE)
    await claiming
    assert unanswered == []
    assert said
    await hub.reported("keys_drained")
    await rosa.say(room, "un sync")
    await hub.gets("un sync")
    await until(lambda: (hub.matrix.health.one_time_keys or 0) > 30, "one-time keys again")


async def test_x18_a_session_shared_again_later_or_by_another_loses_nothing(new_proxied: NewProxied, new_hub: NewHub, link: Link) -> None:
    """First the key of a later index, then the true one; and a third hub that says the session is its own is not believed."""
    (two, proxy), one, three = await new_proxied("dos"), await new_hub("uno"), await new_hub("tres")
    room = await link(one, two)
    await two.trust_peer(three)
    held: list[Any] = []

    def hold(body: Any) -> Any:
        held.extend(body.get("to_device", {}).get("events", []))
        return {**body, "to_device": {"events": []}}

    proxy.on_answer("/sync", hold)
    await one.envelope(room, "uno")
    await two.reported("undecryptable")
    proxy.honest()
    outbound = one.matrix._machine._outbound[room]
    await one.matrix._machine._send_key(room, outbound, [two.pin.device])
    await one.envelope(room, "dos")
    await two.gets("dos")
    assert await two.bodies() == ["dos"], "what came before the key it has waits"

    def release(body: Any) -> Any:
        events, held[:] = list(held), []
        return {**body, "to_device": {"events": [*events, *body.get("to_device", {}).get("events", [])]}}

    proxy.on_answer("/sync", release)
    await one.envelope(room, "tres")
    await two.gets("uno")
    # The thief has the room key, and gives it to us as if the session were its own.
    machine = three.matrix._machine
    await machine._open_sessions([two.pin.device])
    key = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": room, "session_id": outbound.session.id, "session_key": outbound.session.session_key}
    await machine._to_device({two.pin.device: ("m.room_key", key)})
    await one.envelope(room, "cuatro")
    heard = await two.gets("cuatro")
    assert (heard.sender, heard.device_key) == (one.user_id, one.matrix.device.ed25519)
    assert sorted(await two.bodies()) == ["cuatro", "dos", "tres", "uno"]
    assert two.matrix.health.waiting == 0
