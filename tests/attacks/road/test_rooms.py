"""Rooms on the running network: the homeserver's administrator plants strangers, state and invitations; the hub finds, mends and says so.

The promise is sixty seconds; what it took is printed.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from deploy.demo.network import HubProcess, Network
from deploy.demo.person import Person
from tests.attacks.road.player import PATIENCE

PROMISE = 60.0
STATE = "/_matrix/client/v3/rooms/{room}/state/{kind}/"


@pytest.fixture
def hub(network: Network) -> HubProcess:
    return network.hubs["colectiva-miluska"]


@pytest_asyncio.fixture(loop_scope="session")
async def rogue(hub: HubProcess) -> AsyncIterator[Person]:
    """The homeserver's administrator, with a client that keeps whatever it can read."""
    password = secrets.token_urlsafe(9)
    user = await hub.server.register(f"root-{secrets.token_hex(3)}", password, admin=True)
    async with Person(url=hub.server.url, user_id=user, password=password) as person:
        yield person


@pytest_asyncio.fixture(loop_scope="session")
async def admin(network: Network, hub: HubProcess) -> Person:
    person = network.people["admin-col"]
    await person.in_room(await hub.room("admin"), with_members=[hub.user_id])
    return person


async def as_hub(hub: HubProcess, rogue: Person) -> str:
    """A token of the hub's own account: the administrator of a homeserver can make one."""
    path = f"/_synapse/admin/v1/users/{quote(hub.user_id)}/login"
    return str((await hub.server.call("POST", path, {}, token=rogue.client.access_token))["access_token"])


async def clean(hub: HubProcess) -> list[str]:
    """What still differs, by kind; asked until nothing does or the promise is over."""
    began = time.monotonic()
    while True:
        found = [step["what"] for row in (await hub.ask("rooms.drift"))["rooms"] for step in row["steps"]]
        if not found or time.monotonic() - began > PROMISE:
            return found


async def members(hub: HubProcess, room: str, token: str) -> set[str]:
    answer = await hub.server.call("GET", f"/_matrix/client/v3/rooms/{quote(room)}/joined_members", token=token)
    return set(answer["joined"])


async def test_x07_a_stranger_in_the_desk_is_put_out_and_reads_nothing(
    network: Network, hub: HubProcess, rogue: Person, admin: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    desk, carla, token = await hub.room("desk"), network.people["carla"], rogue.client.access_token
    with hub.asleep():  # awake it takes the invitation back before she can use it
        await hub.server.call("POST", f"/_synapse/admin/v1/rooms/{quote(desk)}/make_room_admin", {"user_id": rogue.user_id}, token=token)
        await hub.server.call("POST", f"/_matrix/client/v3/rooms/{quote(desk)}/join", {}, token=token)
    began = time.monotonic()
    await carla.say(desk, "!tk ayuda")  # what the hub answers now must wait, or reach her alone
    alarm = await admin.expect(rf"{rogue.user_id} apareció en la sala del equipo", room=await hub.room("admin"), within=PROMISE)
    found = time.monotonic() - began
    assert "[stranger]" in alarm.body
    assert admin.user_id in alarm.mentions
    await carla.expect("abrir", room=desk, within=PATIENCE)
    assert rogue.user_id not in await members(hub, desk, carla.client.access_token)
    assert {m.shield for m in rogue.transcript if m.sender == hub.user_id} <= {"unreadable"}
    assert "abrir" not in " ".join(m.body for m in rogue.transcript if m.room == desk)
    assert await clean(hub) == []
    with capsys.disabled():
        print(f"\n[rooms] stranger found, put out and told after {found:.2f} s")


async def test_x29_planted_state_is_set_back(hub: HubProcess, rogue: Person, admin: Person, capsys: pytest.CaptureFixture[str]) -> None:
    desk, token = await hub.room("desk"), await as_hub(hub, rogue)
    wanted = {row["room"]: row for row in await hub.ask("rooms.show")}["desk"]["served"]
    power = await hub.server.call("GET", STATE.format(room=quote(desk), kind="m.room.power_levels"), token=token)
    alias = f"#caso-{secrets.token_hex(4)}:{hub.server.name}"
    planted: dict[str, dict[str, Any]] = {
        "m.room.history_visibility": {"history_visibility": "world_readable"},
        "m.room.encryption": {"algorithm": "m.megolm.v1.aes-sha2", "rotation_period_msgs": 10**6},
        "m.room.topic": {"topic": "palabras inventadas"},
        "m.room.power_levels": power | {"users": {rogue.user_id: 100}, "invite": 0},
        "m.room.join_rules": {"join_rule": "public"},
    }
    await hub.server.call("PUT", f"/_matrix/client/v3/directory/room/{quote(alias)}", {"room_id": desk}, token=token)
    began = time.monotonic()
    for kind, content in planted.items():
        await hub.server.call("PUT", STATE.format(room=quote(desk), kind=kind), content, token=token)
    told = await admin.expect("puso un tema a la sala del equipo", room=await hub.room("admin"), within=PROMISE)
    assert "palabras inventadas" not in told.body
    assert await clean(hub) == []
    shown = {row["room"]: row for row in await hub.ask("rooms.show")}["desk"]["served"]
    assert shown == wanted
    with capsys.disabled():
        print(f"\n[rooms] five kinds of planted state and an alias set back after {time.monotonic() - began:.2f} s")


async def test_an_invitation_by_nobodys_hub_is_refused_and_shown_with_its_reason(
    network: Network, hub: HubProcess, rogue: Person, admin: Person
) -> None:
    token, body = rogue.client.access_token, {"invite": [hub.user_id], "preset": "private_chat"}
    room = (await hub.server.call("POST", "/_matrix/client/v3/createRoom", body, token=token))["room_id"]
    await admin.expect(rf"{rogue.user_id} invitó a este hub a una sala y no entré", room=await hub.room("admin"), within=PROMISE)
    shown = [row for row in await hub.ask("rooms.invitations") if row["room"] == room]
    assert [(row["user"], row["server"], row["why"]) for row in shown] == [(rogue.user_id, hub.server.name, "own_server")]
    assert hub.user_id not in await members(hub, room, token)


async def test_off_boarding_says_room_by_room_that_she_is_out(hub: HubProcess) -> None:
    password = secrets.token_urlsafe(9)
    user = await hub.server.register(f"temporal-{secrets.token_hex(3)}", password)
    async with Person(url=hub.server.url, user_id=user, password=password, hubs=[hub.user_id]) as person:
        await hub.ask("staff.add", user_id=user, display="Temporal Ejemplo", role="caseworker", language="es", on_duty=False)
        desk, direct = await hub.room("desk"), await hub.room(f"direct:{user}")
        for room in (desk, direct):
            await person.in_room(room, with_members=[hub.user_id])
        said = await hub.command("staff", "remove", user, "--yes")
        assert f"Fuera de: equipo, directa {user}" in said
        joined = await hub.server.call("GET", "/_matrix/client/v3/joined_rooms", token=person.client.access_token)
        assert not {desk, direct} & set(joined["joined_rooms"])
    assert await clean(hub) == []
