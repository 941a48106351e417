"""X01, X03, X30, I03 on the running network: the homeserver's administrator is the attacker, the people are real clients."""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from deploy.demo.network import HubProcess, Network
from deploy.demo.person import Person
from deploy.demo.synapse import Homeserver
from tests.attacks.road import facts
from tests.attacks.road.player import PATIENCE

OPEN = "!tk abrir Ola Inventada, mañana a las 10"


@pytest.fixture
def hub(network: Network) -> HubProcess:
    return network.hubs["colectiva-miluska"]


@pytest_asyncio.fixture(loop_scope="session")
async def rosa(network: Network, hub: HubProcess) -> AsyncIterator[Person]:
    """A caseworker enrolled for one test, with her rooms ready; off-boarded after it."""
    password = secrets.token_urlsafe(9)
    name = f"rosa-{secrets.token_hex(3)}"
    user = await hub.server.register(name, password)
    async with Person(url=hub.server.url, user_id=user, password=password, hubs=[hub.user_id]) as person:
        await hub.ask("staff.add", user_id=user, display="Rosa Ejemplo", role="caseworker", language="es", on_duty=False)
        for purpose in ("desk", f"direct:{user}"):
            await person.in_room(await hub.room(purpose), with_members=[hub.user_id])
        yield person
        await hub.ask("staff.remove", user_id=user)


async def homeserver_admin(server: Homeserver) -> str:
    """A token of the homeserver's administrator."""
    name, password = f"root-{secrets.token_hex(3)}", secrets.token_urlsafe(9)
    user = await server.register(name, password, admin=True)
    who = {"type": "m.id.user", "user": user}
    login = {"type": "m.login.password", "identifier": who, "password": password}
    return str((await server.call("POST", "/_matrix/client/v3/login", login))["access_token"])


async def ghost_of(person: Person, server: Homeserver, **more: Any) -> Person:
    """The administrator resets her password, keeps her logged in, and logs in as her on a device of his own."""
    password = secrets.token_urlsafe(9)
    path = f"/_synapse/admin/v1/reset_password/{person.user_id}"
    await server.call("POST", path, {"new_password": password, "logout_devices": False}, token=await homeserver_admin(server))
    return await Person(url=server.url, user_id=person.user_id, password=password, hubs=person.hubs, **more).start()


def cases(hub: HubProcess) -> int:
    return int(facts.value(hub, "SELECT count(*) FROM cases"))


async def asks_help(person: Person, room: str) -> None:
    """She speaks with the hub and is answered."""
    await person.say(room, "!tk ayuda")
    await person.expect("abrir", room=room, within=PATIENCE)


async def test_x01_a_ghost_device_reads_nothing_and_rings_the_alarm(network: Network, hub: HubProcess, rosa: Person) -> None:
    desk, direct = await hub.room("desk"), await hub.room(f"direct:{rosa.user_id}")
    await asks_help(rosa, desk)
    ghost = await ghost_of(rosa, hub.server, unsigned=True)
    try:
        admin = network.people["admin-col"]
        alarm = await admin.expect(ghost.device_id, room=await hub.room("admin"), within=60)
        assert rosa.user_id in alarm.body
        notice = await rosa.expect("dispositivo sin verificar", room=direct, within=60)
        assert rosa.user_id in notice.mentions
        await asks_help(rosa, desk)
        await ghost.in_room(desk)
        told = [m for m in rosa.transcript if m.sender == hub.user_id and m.time >= notice.time]
        assert told, "the good device reads on"
        await ghost.until(lambda: {m.event_id for m in told} <= {m.event_id for m in ghost.transcript}, within=30, what="the events")
        assert {m.shield for m in ghost.transcript if m.sender == hub.user_id} == {"unreadable"}
        assert not ghost.client.olm.session_store.get(hub_curve25519(hub)), "the hub opened an Olm session to the ghost"
        before = cases(hub)
        await ghost.say(desk, OPEN)
        await asks_help(rosa, desk)
        assert cases(hub) == before, "a command from an unsigned device was carried out (I03)"
    finally:
        await ghost.log_out()


def hub_curve25519(hub: HubProcess) -> str:
    """The identity key of the hub's device, from its manifest."""
    from keys.manifest import Manifest

    return Manifest.from_bytes((hub.folder / "s" / "manifest.json").read_bytes()).profile.device_curve25519


async def test_x03_a_replaced_master_key_blocks_until_repinned(network: Network, hub: HubProcess, rosa: Person) -> None:
    """The administrator gives her account a whole new identity: nothing is believed and nothing shown until an administrator re-pins."""
    desk, direct = await hub.room("desk"), await hub.room(f"direct:{rosa.user_id}")
    await asks_help(rosa, direct)
    other = await ghost_of(rosa, hub.server)  # with cross-signing keys of its own, which replace hers
    try:
        admin = network.people["admin-col"]
        await admin.expect(rf"La llave de {rosa.user_id} cambió", room=await hub.room("admin"), within=60)
        await other.in_room(direct)
        before = cases(hub)
        await other.say(direct, OPEN)
        await other.say(desk, OPEN)
        await asks_help(network.people["carla"], desk)  # the hub heard what came before
        assert cases(hub) == before
        assert {m.shield for m in other.transcript if m.sender == hub.user_id} <= {"unreadable"}
        await hub.ask("staff.repin", user_id=rosa.user_id, fingerprint=other.fingerprint)
        await other.say(direct, OPEN)
        await other.expect("Listo: C-", room=direct, within=PATIENCE)
        assert cases(hub) == before + 1
    finally:
        await other.log_out()


async def test_i03_clear_text_is_no_command(hub: HubProcess, rosa: Person) -> None:
    """Enrolled, verified, in the right room, and not encrypted."""
    desk, direct = await hub.room("desk"), await hub.room(f"direct:{rosa.user_id}")
    before = cases(hub)
    for room in (desk, direct):
        await rosa.say(room, OPEN, clear=True)
    await asks_help(rosa, direct)
    assert cases(hub) == before
    assert facts.value(hub, "SELECT count(*) FROM matrix_quarantine WHERE sender = ? AND reason = 'NotEncrypted'", rosa.user_id) >= 2


async def test_i03_strangers_are_not_heard_and_not_visited(network: Network, hub: HubProcess) -> None:
    """Somebody who is not enrolled invites the hub into a room of her own: it does not come, and does nothing."""
    password = secrets.token_urlsafe(9)
    user = await hub.server.register(f"nadie-{secrets.token_hex(3)}", password)
    before = cases(hub)
    async with Person(url=hub.server.url, user_id=user, password=password) as stranger:
        room = await stranger.create_room(invite=[hub.user_id], direct=True)
        await stranger.say(room, OPEN)
        await stranger.until(lambda: hub.user_id not in stranger.client.rooms[room].users, within=60, what="the hub turning the invitation down")
    assert cases(hub) == before


# ---- X30: what is in clear in link rooms -------------------------------------------------------------------------------------

STATE = {
    "m.room.create", "m.room.member", "m.room.power_levels", "m.room.join_rules", "m.room.history_visibility", "m.room.encryption",
    "m.room.guest_access",
}  # fmt: skip
CIPHER = {"algorithm", "sender_key", "device_id", "session_id", "ciphertext"}
STEP = 4096 * 4 // 3


def link_events(network: Network) -> list[tuple[str, dict[str, Any]]]:
    """Every event of every link room, as the homeservers keep them."""
    found = []
    for server in network.synapses.servers:
        with sqlite3.connect(f"file:{server.place.database}?mode=ro", uri=True) as database:
            for purpose, room in links(network):
                rows = database.execute("SELECT json FROM event_json WHERE room_id = ?", (room,)).fetchall()
                found += [(purpose, json.loads(row[0])) for row in rows]
    return found


def links(network: Network) -> set[tuple[str, str]]:
    rooms = [(r["purpose"], r["id"]) for hub in network.hubs.values() for r in facts.rows(hub, "SELECT * FROM rooms WHERE purpose LIKE 'link:%'")]
    return {("link", room) for _, room in rooms}


async def test_x30_link_rooms_show_members_times_and_padded_sizes(network: Network) -> None:
    """No name, no topic, no alias, no avatar, no clear event, no relation; ciphertexts come in steps of 4 KiB."""
    from tests.attacks.road.player import ShortRoad

    await ShortRoad(network=network).play()
    await facts.at_rest(network)
    events = [event for _, event in link_events(network)]
    kinds = Counter(event["type"] for event in events)
    assert kinds["m.room.encrypted"] > 20
    assert set(kinds) <= STATE | {"m.room.encrypted"}, kinds
    for event in events:
        if event["type"] == "m.room.encrypted":
            assert set(event["content"]) == CIPHER
            assert "state_key" not in event
        if event["type"] == "m.room.create":
            assert event["content"]["room_version"] == "12"
    words = json.dumps([event["content"] for event in events if event["type"] != "m.room.encrypted"])
    assert "avatar" not in words.replace('"avatar_url": null', "").replace('"m.room.avatar"', "")
    sizes = sorted({len(base64.b64decode(e["content"]["ciphertext"] + "==")) for e in events if e["type"] == "m.room.encrypted"})
    steps = {size: round((size - sizes[0]) / STEP) for size in sizes}
    assert all(abs(size - sizes[0] - step * STEP) < 64 for size, step in steps.items()), steps
    assert max(steps.values()) < 8
