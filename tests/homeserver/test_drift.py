"""Rooms as a real Synapse makes, shows and spoils them, held against their classes: what is fresh is clean, what was planted is found and mended."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from hub.cases.room_classes import ROOM_CLASSES
from hub.matrix import http
from hub.matrix.ports import RoomSpec
from tests.conftest import NewAccount
from tests.homeserver.bench import BenchHub, until_async
from tests.homeserver.conftest import NewHub, NewProxied

STATE = "/_matrix/client/v3/rooms/{room}/state/{kind}/{key}"
PLANTED: tuple[tuple[str, str, dict[str, Any], str], ...] = (
    ("m.room.encryption", "", {"algorithm": "m.megolm.v1.aes-sha2", "rotation_period_msgs": 100_000}, "encryption"),
    ("m.room.history_visibility", "", {"history_visibility": "world_readable"}, "history"),
    ("m.room.join_rules", "", {"join_rule": "public"}, "join_rule"),
    ("m.room.guest_access", "", {"guest_access": "can_join"}, "guest_access"),
    ("m.room.name", "", {"name": "María Inventada, juicio del lunes"}, "name"),
    ("m.room.topic", "", {"topic": "caso de prueba"}, "topic"),
    ("m.room.avatar", "", {"url": "mxc://localhost/abc"}, "avatar"),
    ("m.room.pinned_events", "", {"pinned": ["$x"]}, "pinned"),
    ("m.space.parent", "!space", {"via": ["localhost"]}, "space"),
    ("m.room.server_acl", "", {"allow": ["*"], "deny": ["otra.example"], "allow_ip_literals": True}, "server_acl"),
    ("im.vector.modular.widgets", "w1", {"url": "https://example.invalid/$matrix_display_name"}, "stray"),
)


async def put(hub: BenchHub, room: str, kind: str, key: str, content: dict[str, Any]) -> None:
    """As who holds the hub's account could, a homeserver's administrator above all."""
    await hub.matrix.client.put(STATE.format(room=quote(room), kind=kind, key=quote(key, safe="")), content)


@pytest.mark.parametrize("purpose", sorted(ROOM_CLASSES))
async def test_a_fresh_room_of_every_class_is_as_its_class_says(new_hub: NewHub, new_account: NewAccount, purpose: Any) -> None:
    hub, somebody = await new_hub(), await new_account("alguien")
    spec = RoomSpec(purpose=purpose, members=frozenset({somebody}), name=ROOM_CLASSES[purpose].name)
    assert await hub.matrix.check_room(await hub.room(spec), spec) == []


async def test_everything_that_can_be_planted_is_found_and_mended(new_hub: NewHub, new_account: NewAccount) -> None:
    hub, rosa, stranger = await new_hub(), await new_account("rosa"), await new_account("intruso")
    spec = RoomSpec(purpose="desk", members=frozenset({rosa}), name="Tinkuy")
    room = await hub.room(spec)
    for kind, key, content, _ in PLANTED:
        await put(hub, room, kind, key, content)
    alias = f"#caso-{stranger.split(':')[0][1:]}:{stranger.split(':', 1)[1]}"
    await hub.matrix.client.put(f"/_matrix/client/v3/directory/room/{quote(alias, safe='')}", {"room_id": room})
    power = hub.matrix._rooms.view(room).state["m.room.power_levels"]
    await put(hub, room, "m.room.power_levels", "", power | {"users": {stranger: 100}, "invite": 0})
    await hub.matrix.keeper.invite(room, stranger)
    found = await hub.matrix.check_room(room, spec)
    assert {one.what for one in found} == {what for *_, what in PLANTED} | {"alias", "power", "stranger"}
    steps = await hub.matrix.mend_room(room, found)
    assert [step for step in steps if step.failed] == []
    assert await hub.matrix.check_room(room, spec) == []


async def test_what_a_name_said_is_gone_from_the_rooms_past_too(new_hub: NewHub, new_account: NewAccount) -> None:
    hub, rosa = await new_hub(), await new_account("rosa")
    spec = RoomSpec(purpose="desk", members=frozenset({rosa}), name="Tinkuy")
    room = await hub.room(spec)
    await put(hub, room, "m.room.topic", "", {"topic": "palabras inventadas"})
    found = await hub.matrix.check_room(room, spec)
    assert found[0].event
    assert [step.failed for step in await hub.matrix.mend_room(room, found)] == [""]
    path = f"/_matrix/client/v3/rooms/{quote(room)}/event/{quote(found[0].event)}"
    assert (await http.request(hub.matrix.client, "GET", path))["content"] == {}


async def test_a_change_of_state_or_members_is_told_at_once(new_hub: NewHub, new_account: NewAccount) -> None:
    hub, rosa, stranger = await new_hub(started=False), await new_account("rosa"), await new_account("intruso")
    told: list[frozenset[str]] = []
    hub.matrix._on_rooms = told.append
    async with hub:
        room = await hub.room(RoomSpec(purpose="desk", members=frozenset({rosa}), name="Tinkuy"))

        async def said() -> bool:
            return any(room in rooms for rooms in told)

        for kind, key, content in (("im.example.unknown", "k", {"any": "thing"}), ("m.room.topic", "", {"topic": "x"})):
            told.clear()
            await put(hub, room, kind, key, content)
            await until_async(said, kind, 10)
        told.clear()
        await hub.matrix.keeper.invite(room, stranger)
        await until_async(said, "the stranger", 10)


async def test_a_room_that_we_are_out_of_is_to_be_made_anew(new_hub: NewHub, new_account: NewAccount) -> None:
    hub, rosa = await new_hub(), await new_account("rosa")
    spec = RoomSpec(purpose="desk", members=frozenset({rosa}), name="Tinkuy")
    room = await hub.room(spec)
    await hub.matrix.keeper.leave(room)
    assert [(one.kind, one.what) for one in await hub.matrix.check_room(room, spec)] == [("replace", "left")]
    assert [one.what for one in await hub.matrix.check_room("!nunca-vista", spec)] == ["left"]


async def test_a_room_that_the_homeserver_lists_for_everybody_is_found(new_proxied: NewProxied, new_account: NewAccount) -> None:
    (hub, proxy), rosa = await new_proxied(), await new_account("rosa")
    spec = RoomSpec(purpose="desk", members=frozenset({rosa}), name="Tinkuy")
    room = await hub.room(spec)
    proxy.on_answer("/directory/list/room", lambda body: body | {"visibility": "public"})
    found = await hub.matrix.check_room(room, spec)
    assert [(one.kind, one.what) for one in found] == [("unlist", "listed")]
    assert [step.failed for step in await hub.matrix.mend_room(room, found)] == [""]
