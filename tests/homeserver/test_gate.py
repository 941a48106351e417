"""The gate at real homeservers: two of the table, with the module and the signed list, and one that nobody listed, federated by mistake."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import pytest_asyncio

from deploy.demo.synapse import Homeserver, HomeserverError, Synapses
from hub.actions.homeserver import pin
from hub.base.synapse import GATE_PATH, Gate
from hub.matrix.ports import RoomSpec
from hub.matrix.rooms import create_body
from keys.network import KIND, Member, NetworkList, Roll, Steward, make_list
from keys.primitives import SigningKey
from keys.statement import sign
from tests.conftest import PASSWORD
from tests.homeserver.bench import BenchHub

pytestmark = pytest.mark.asyncio(loop_scope="module")
_numbers = itertools.count(1)
ROOTS = {name: SigningKey.generate() for name in ("cem-lima", "colectiva-miluska", "csmc-comas")}
HUBS = (("cem-lima", 0), ("csmc-comas", 1))
ENCRYPTED = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


def roll(names: Sequence[str], version: int = 1, **changes: Any) -> Roll:
    """The table: two institutions with a hub, a community organisation without one; two of three sign, the community's seat among them."""
    now = datetime.now(UTC).replace(microsecond=0)
    hubs = [
        Member(
            institution=name, kind="emergency_centre", display_name=name, territory="Lima", server=names[server],
            matrix_user=f"@tinkuy-{name}:{names[server]}", roots="0" * 64,
        )
        for name, server in HUBS
    ]  # fmt: skip
    community = Member(institution="colectiva-miluska", kind="community_organisation", display_name="Colectiva", territory="Lima")
    stewards = tuple(Steward(institution=n, roots=(k.public,), threshold=1, community=n == "colectiva-miluska") for n, k in ROOTS.items())
    fixed: dict[str, Any] = {
        "table": "mesa-lima", "name": "Mesa", "version": version, "issued": now, "expires": now + timedelta(days=365),
        "previous": None if version == 1 else b"\0" * 32, "members": (*hubs, community), "stewards": stewards, "threshold": 2,
        "community_signs": True,
    }  # fmt: skip
    return Roll(**(fixed | changes))


def signed(each: Roll) -> bytes:
    return make_list(each, list(ROOTS.values()))


@dataclass
class Person:
    """Somebody with an account and a token: a caseworker, a hub, a stranger."""

    server: Homeserver
    user: str
    token: str

    async def do(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        return await self.server.call(method, f"/_matrix/client/v3{path}", body, token=self.token)

    async def make(self, *, invite: Sequence[str] = (), **body: Any) -> str:
        given = {"preset": "private_chat", "initial_state": [ENCRYPTED], "invite": list(invite)} | body
        return str((await self.do("POST", "/createRoom", given))["room_id"])

    async def invite(self, room: str, user: str) -> None:
        await self.do("POST", f"/rooms/{quote(room)}/invite", {"user_id": user})

    async def join(self, room: str, via: str = "") -> None:
        await self.do("POST", f"/join/{quote(room)}" + (f"?via={quote(via)}" if via else ""), {})

    async def state(self, room: str, kind: str) -> dict[str, Any]:
        return await self.do("GET", f"/rooms/{quote(room)}/state/{kind}")

    async def set(self, room: str, kind: str, content: Any) -> None:
        await self.do("PUT", f"/rooms/{quote(room)}/state/{kind}", content)


@dataclass
class Table:
    """Three homeservers; `path` is where both gates look for the list."""

    servers: Synapses
    path: Path
    names: list[str] = field(default_factory=list)

    async def person(self, server: int, name: str = "", *, admin: bool = False) -> Person:
        home = self.servers[server]
        user = await home.register(name or f"persona-{next(_numbers)}", PASSWORD, admin=admin)
        login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}, "password": PASSWORD}
        return Person(home, user, str((await home.call("POST", "/_matrix/client/v3/login", login))["access_token"]))

    async def hub(self, number: int) -> Person:
        name, server = HUBS[number]
        login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": f"tinkuy-{name}"}, "password": PASSWORD}
        home = self.servers[server]
        return Person(home, f"@tinkuy-{name}:{home.name}", str((await home.call("POST", "/_matrix/client/v3/login", login))["access_token"]))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def table(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Table]:
    folder = tmp_path_factory.mktemp("gate")
    path = folder / "network-mesa-lima.json"

    def gate(index: int, names: Sequence[str]) -> Gate | None:
        if index == 2:
            return None
        first = NetworkList.from_bytes(signed(roll(names)))
        return Gate(hubs=(f"@tinkuy-{HUBS[index][0]}:{names[index]}",), lists=(pin(first, str(path)),))

    async with Synapses(folder / "servers", count=3, gate=gate) as servers:
        table = Table(servers, path, [server.name for server in servers.servers])
        for name, server in HUBS:
            await servers[server].register(f"tinkuy-{name}", PASSWORD)
        yield table


async def refused(what: Any, words: str) -> None:
    """It is refused with 403 and a sentence for the person, Spanish first."""
    with pytest.raises(HomeserverError) as caught:
        await what
    assert "403" in str(caught.value), str(caught.value)
    assert words in str(caught.value), str(caught.value)


async def test_without_the_list_nobody_is_let_in_and_with_it_the_gate_opens_by_itself(table: Table) -> None:
    ours, theirs = await table.hub(0), await table.hub(1)
    room = await ours.make()
    await refused(ours.invite(room, theirs.user), "no está en la lista de la mesa")  # no file: whom a list would let in is not let in
    table.path.write_bytes(sign(KIND, roll(table.names).to_payload(), ROOTS["cem-lima"], SigningKey.generate()).to_bytes())
    await refused(ours.invite(room, theirs.user), "no está en la lista de la mesa")  # nor by a file that the stewards did not sign
    table.path.write_bytes(signed(roll(table.names)))
    await ours.invite(room, theirs.user)
    await theirs.join(room, table.names[0])
    assert theirs.user in (await ours.do("GET", f"/rooms/{quote(room)}/joined_members"))["joined"]


async def test_a_listed_hub_goes_through_as_hubs_do(table: Table) -> None:
    """Two real hubs, a real link room, a sealed envelope each way."""
    async with (
        BenchHub(url=table.servers[0].url, user_id=f"@tinkuy-cem-lima:{table.names[0]}", password=PASSWORD) as ours,
        BenchHub(url=table.servers[1].url, user_id=f"@tinkuy-csmc-comas:{table.names[1]}", password=PASSWORD) as theirs,
    ):
        await ours.trust_peer(theirs)
        await theirs.trust_peer(ours)
        room = await ours.link_to(theirs)
        await ours.envelope(room, "ida")
        await theirs.gets("ida")
        await theirs.envelope(room, "vuelta")
        await ours.gets("vuelta")


async def test_staff_invite_inside_the_house_and_nobody_outside_it(table: Table) -> None:
    ana, sofia, hub, stranger = await table.person(0), await table.person(0), await table.hub(0), await table.person(2)
    bea, there = await table.person(1), await table.hub(1)
    room = await ana.make(invite=[sofia.user])
    await sofia.join(room)
    for outsider in (stranger, bea, there):
        await refused(ana.invite(room, outsider.user), "Solo se invita a personas de este servidor")
        await refused(ana.make(invite=[outsider.user]), "Solo se invita a personas de este servidor")
    shared = await hub.make()
    await hub.invite(shared, bea.user)  # a hub brings staff of listed institutions together
    await bea.join(shared, table.names[0])
    await refused(hub.invite(shared, stranger.user), "no está en la lista de la mesa")
    administrator = await table.person(0, admin=True)
    mine = await administrator.make()
    await refused(administrator.invite(mine, stranger.user), "Solo se invita")  # whoever runs the server is no exception


async def test_strangers_do_not_get_in_from_a_server_that_is_federated_by_mistake(table: Table) -> None:
    ana, hub, stranger, there = await table.person(0), await table.hub(0), await table.person(2), await table.person(1)
    theirs = await stranger.make()
    for target in (ana, hub):
        await refused(stranger.invite(theirs, target.user), "Solo los centros (hubs) de la lista")
    outside = await stranger.make(preset="public_chat", visibility="private")
    await refused(ana.join(outside, table.names[2]), "solo con invitación")
    bea = await there.make()  # a colleague of a listed institution is no hub
    await refused(there.invite(bea, ana.user), "Solo se invita a personas de este servidor")


async def test_a_join_of_an_unlisted_server_is_refused_where_an_invitation_stood_from_before(table: Table) -> None:
    """An invitation made while the server was still listed: the list changed meanwhile, and the door is shut."""
    hub, stranger = await table.hub(0), await table.person(2)
    third = Member(
        institution="otra", kind="shelter", display_name="otra", territory="", server=table.names[2],
        matrix_user=f"@tinkuy-otra:{table.names[2]}", roots="0" * 64,
    )  # fmt: skip
    listed = roll(table.names, 2)
    table.path.write_bytes(signed(roll(table.names, 2, members=(*listed.members, third))))
    room = await hub.make()
    await hub.invite(room, stranger.user)
    table.path.write_bytes(signed(roll(table.names, 3)))
    with pytest.raises(HomeserverError, match=r"403|502|404"):
        await stranger.join(room, table.names[0])
    joined = await hub.do("GET", f"/rooms/{quote(room)}/joined_members")
    assert stranger.user not in joined["joined"]
    table.path.write_bytes(signed(roll(table.names, 2, members=(*listed.members, third))))  # yesterday's file brings nobody back
    await refused(hub.invite(await hub.make(), stranger.user), "no está en la lista de la mesa")
    table.path.write_bytes(signed(roll(table.names, 3)))


async def test_rooms_are_private_and_encrypted_and_stay_so(table: Table) -> None:
    ana = await table.person(0)
    await refused(ana.make(preset="public_chat"), "no hay salas públicas")
    await refused(ana.make(visibility="public"), "no hay salas públicas")
    await refused(ana.make(room_alias_name="aqui"), "no hay salas públicas")
    await refused(ana.make(initial_state=[]), "debe estar cifrada desde el principio")
    readable = {"type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": "world_readable"}}
    await refused(ana.make(initial_state=[ENCRYPTED, readable]), "no hay salas públicas")
    room = await ana.make()
    assert (await ana.state(room, "m.room.guest_access"))["guest_access"] == "forbidden"
    for kind, content in (
        ("m.room.join_rules", {"join_rule": "public"}),
        ("m.room.join_rules", {"join_rule": "knock"}),
        ("m.room.history_visibility", {"history_visibility": "world_readable"}),
        ("m.room.guest_access", {"guest_access": "can_join"}),
    ):
        await refused(ana.set(room, kind, content), "no hay salas públicas")
    await refused(ana.do("PUT", f"/directory/list/room/{quote(room)}", {"visibility": "public"}), "no hay salas públicas")
    await refused(ana.do("PUT", f"/directory/room/{quote('#aqui:' + table.names[0])}", {"room_id": room}), "no hay salas públicas")
    await refused(ana.do("PUT", f"/rooms/{quote(room)}/send/m.room.message/1", {"msgtype": "m.text", "body": "hola"}), "sin cifrar y no salió")
    await ana.set(room, "m.room.name", {"name": "una sala suya"})  # her own room, her own words


async def test_in_a_room_of_the_hub_only_the_hub_sets_what_is_seen_in_clear(table: Table) -> None:
    hub, ana = await table.hub(0), await table.person(0)
    levels = {"users_default": 100, "events": {}}
    room = str((await hub.do("POST", "/createRoom", create_body(RoomSpec(purpose="desk", members=frozenset(), name="Tinkuy"))))["room_id"])
    loose = await hub.make(power_level_content_override=levels, room_version="11")
    for each in (room, loose):
        await hub.invite(each, ana.user)
        await ana.join(each)
    for kind, content in (("m.room.name", {"name": "caso"}), ("m.room.topic", {"topic": "caso"}), ("m.room.power_levels", levels | {"invite": 0})):
        await refused(ana.set(loose, kind, content), "los pone el centro (Tinkuy)")
    await hub.set(room, "m.room.name", {"name": "Mesa"})


async def test_the_gate_shows_versions_and_digests_and_no_name(table: Table) -> None:
    await (await table.hub(0)).make()
    async with aiohttp.ClientSession() as http, http.get(table.servers[0].url + GATE_PATH) as answer:
        text = await answer.text()
        shown = await answer.json()
    held = NetworkList.from_bytes(table.path.read_bytes())
    assert shown["lists"] == [{"table": "mesa-lima", "version": held.version, "digest": held.digest.hex()}]
    assert len(shown["servers"]) == len(shown["hubs"]) == 64
    assert not any(name in text for name in (*table.names, "cem-lima", "colectiva"))


