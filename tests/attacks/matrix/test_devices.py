"""X01-X08, X20, X25: devices, members and keys that a hostile homeserver invents, hides or exchanges."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest

from deploy.demo.person import Person
from deploy.demo.synapse import Synapses
from hub.matrix.crosssigning import CrossSigningSeeds, ensure_cross_signed
from hub.matrix.errors import Held, MatrixError, RoomFrozen
from hub.matrix.ports import MAX_STATEMENT, PeerPin, RoomRecord, StaffPin, TrustList
from tests.conftest import PASSWORD, NewAccount, NewPerson
from tests.homeserver.bench import BenchHub, on_disk, until
from tests.homeserver.conftest import Desk, Link, NewHub, NewProxied


async def ghost_of(user_id: str, synapses: Synapses) -> Person:
    """A second log-in with the person's password that her identity did not sign: the homeserver's admin can make one."""
    return await Person(url=synapses.of(user_id).url, user_id=user_id, password=PASSWORD, unsigned=True).start()


async def test_x01_ghost_device_gets_no_key_and_an_alarm(new_hub: NewHub, new_person: NewPerson, desk: Desk, synapses: Synapses) -> None:
    hub, rosa = await new_hub(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    await hub.say(room_id, "antes")
    ghost = await ghost_of(rosa.user_id, synapses)
    try:
        alarm = await hub.reported("unverified_device", lambda report: report.device_id == ghost.device_id)
        assert alarm.user_id == rosa.user_id
        sent = await hub.say(room_id, "después")
        await rosa.expect("después", room=room_id)
        await ghost.until(lambda: any(one.event_id == sent for one in ghost.transcript), within=20, what="the event")
        assert [one.shield for one in ghost.transcript if one.event_id == sent] == ["unreadable"]
        assert (sessions := ghost.client.olm.session_store) is not None
        assert not sessions.get(hub.matrix.device.curve25519), "the hub opened an Olm session to the ghost"
        # What the ghost writes is refused, and she is told.
        await ghost.say(room_id, "soy Rosa")
        assert (await hub.reported("unverified_writer")).user_id == rosa.user_id
        assert "soy Rosa" not in await hub.bodies()
    finally:
        await ghost.stop()


async def test_x02_ghost_on_the_hubs_own_account(new_hub: NewHub, new_person: NewPerson, desk: Desk, synapses: Synapses) -> None:
    hub, rosa = await new_hub(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    ghost = await ghost_of(hub.user_id, synapses)
    try:
        assert (await hub.reported("own_ghost")).device_id == ghost.device_id
        sent = await hub.say(room_id, "secreto")
        await rosa.expect("secreto", room=room_id)
        session = next(iter(hub.matrix._machine._outbound.values())).session.id
        request = {
            "action": "request",
            "request_id": "x",
            "requesting_device_id": ghost.device_id,
            "body": {
                "algorithm": "m.megolm.v1.aes-sha2",
                "room_id": room_id,
                "session_id": session,
                "sender_key": hub.matrix.device.curve25519,
            },
        }
        path = "/_matrix/client/v3/sendToDevice/m.room_key_request/x02"
        await ghost.request("PUT", path, {"messages": {hub.user_id: {hub.device_id: request}}})
        again = await hub.say(room_id, "otra vez")
        await rosa.expect("otra vez", room=room_id)
        await ghost.until(lambda: any(one.event_id == again for one in ghost.transcript), within=20, what="the event")
        assert {one.shield for one in ghost.transcript if one.event_id in (sent, again)} == {"unreadable"}
    finally:
        await ghost.stop()


async def test_x03_exchanged_master_key_blocks_that_person_only(new_hub: NewHub, new_person: NewPerson, desk: Desk) -> None:
    hub, rosa, luz = await new_hub(), await new_person("rosa"), await new_person("luz")
    room_id = await desk(hub, rosa, luz)
    await hub.say(room_id, "a las dos")
    await rosa.expect("a las dos", room=room_id)
    new = CrossSigningSeeds(master=secrets.token_bytes(32), self_signing=secrets.token_bytes(32), user_signing=secrets.token_bytes(32))
    await ensure_cross_signed(rosa.client, new, PASSWORD, replace=True)
    changed = await hub.reported("master_changed")
    assert changed.user_id == rosa.user_id
    sent = await hub.say(room_id, "solo a Luz")
    await luz.expect("solo a Luz", room=room_id)
    await rosa.until(lambda: any(one.event_id == sent for one in rosa.transcript), within=20, what="the event")
    assert [one.shield for one in rosa.transcript if one.event_id == sent] == ["unreadable"]
    # Re-pinned by an administrator, she reads again.
    pins = tuple(StaffPin(user_id=pin.user_id, master_key=changed.detail) if pin.user_id == rosa.user_id else pin for pin in hub.trust.staff)
    await hub.set_trust(TrustList(staff=pins))
    rosa.client.masters[rosa.user_id] = changed.detail
    await hub.say(room_id, "otra vez a las dos")
    await rosa.expect("otra vez a las dos", room=room_id)


async def test_x04_hidden_device_holds_the_message(new_proxied: NewProxied, new_person: NewPerson, desk: Desk) -> None:
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    await hub.say(room_id, "antes")
    proxy.on_answer("/keys/query", lambda body: {**body, "device_keys": {**body["device_keys"], rosa.user_id: {}}})
    await hub.matrix.refresh(rosa.user_id)
    assert (await hub.reported("hidden_device")).device_id == rosa.device_id
    before = len(proxy.asked("/send/m.room"))
    with pytest.raises(Held) as held:
        await hub.say(room_id, "a nadie")
    assert held.value.code == "matrix.nobody_can_read"
    assert len(proxy.asked("/send/m.room")) == before
    proxy.honest()
    await hub.matrix.refresh(rosa.user_id)
    await hub.say(room_id, "ahora sí")
    await rosa.expect("ahora sí", room=room_id)


async def test_x05_other_keys_for_a_pinned_device(new_proxied: NewProxied, new_hub: NewHub, link: Link) -> None:
    (one, proxy), two = await new_proxied("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    mallory = await new_hub("mallory")

    def exchange(body: Any) -> Any:
        if two.user_id in body["device_keys"]:
            body["device_keys"][two.user_id][two.device_id]["keys"] = {
                f"ed25519:{two.device_id}": mallory.matrix.device.ed25519,
                f"curve25519:{two.device_id}": mallory.matrix.device.curve25519,
            }
        return body

    proxy.on_answer("/keys/query", exchange)
    await one.matrix.refresh(two.user_id)
    assert (await one.reported("peer_differs")).user_id == two.user_id
    await one.envelope(room_id, "a la clave del manifiesto")
    await two.gets("a la clave del manifiesto")
    assert one.matrix.book.devices(two.user_id) == {two.pin.device}


async def test_x06_forged_one_time_key_makes_no_session(new_proxied: NewProxied, new_hub: NewHub, link: Link) -> None:
    (one, proxy), two = await new_proxied("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)

    def forge(body: Any) -> Any:
        for devices in body["one_time_keys"].values():
            for keys in devices.values():
                for value in keys.values():
                    value["key"] = one.matrix.device.curve25519
        return body

    proxy.on_answer("/keys/claim", forge)
    with pytest.raises(Held) as held:
        await one.envelope(room_id, "nunca")
    assert held.value.code == "matrix.key_not_shared"
    assert one.matrix.client.olm.session_store.get(two.matrix.device.curve25519) is None
    assert not proxy.asked("/send/m.room.encrypted")
    await one.reported("unreachable_device")
    proxy.honest()
    one.matrix._machine.forget_room(room_id)
    await one.envelope(room_id, "después")
    await two.gets("después")


async def test_x07_stranger_freezes_the_link(new_hub: NewHub, link: Link, new_account: NewAccount) -> None:
    one, two = await new_hub("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    await one.envelope(room_id, "antes")
    stranger = await new_account("intruso")
    await two.matrix.keeper.invite(room_id, stranger)
    await until(lambda: stranger in one.matrix._rooms.view(room_id).present, "the invitation")
    with pytest.raises(RoomFrozen):
        await one.envelope(room_id, "nunca")
    assert (await one.reported("stranger")).user_id == stranger
    # It stays frozen when she goes: a person must look first.
    await two.matrix.keeper.kick(room_id, stranger)
    await until(lambda: stranger not in one.matrix._rooms.view(room_id).present, "the kick")
    with pytest.raises(RoomFrozen):
        await one.envelope(room_id, "nunca")


async def test_x07_member_shown_by_the_proxy_only(new_proxied: NewProxied, new_person: NewPerson, desk: Desk) -> None:
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    fake = {
        "type": "m.room.member",
        "state_key": "@intruso:localhost",
        "sender": rosa.user_id,
        "event_id": "$fake",
        "content": {"membership": "join"},
    }

    def inject(body: Any) -> Any:
        for room in body.get("rooms", {}).get("join", {}).values():
            room["timeline"]["events"].append(fake)
        return body

    proxy.on_answer("/sync", inject)
    await rosa.say(room_id, "algo")
    await hub.gets("algo")
    with pytest.raises(RoomFrozen):
        await hub.say(room_id, "nunca")


async def test_x08_room_shown_as_clear_gets_nothing_in_clear(new_proxied: NewProxied, new_person: NewPerson, desk: Desk, synapses: Synapses) -> None:
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    canary = secrets.token_hex(8)

    def strip(body: Any) -> Any:
        for room in body.get("rooms", {}).get("join", {}).values():
            for part in (room["timeline"], room["state"]):
                part["events"] = [event for event in part["events"] if event["type"] != "m.room.encryption"]
        return body

    proxy.on_answer("/sync", strip)
    proxy.on_answer("/state", lambda body: [event for event in body if event["type"] != "m.room.encryption"])
    room_id = await desk(hub, rosa)
    with pytest.raises(Held) as held:
        await hub.say(room_id, canary)
    assert held.value.code == "matrix.room_clear"
    assert (await hub.reported("room_drift")).room_id == room_id
    proxy.honest()
    await hub.matrix.keeper.look(room_id)
    await hub.say(room_id, canary)
    await rosa.expect(canary, room=room_id)
    assert canary.encode() not in on_disk(synapses[0])
    # The guard has no way around: even asked directly, the client does not send.
    with pytest.raises(MatrixError):
        await hub.matrix.client.room_send(room_id, "m.room.message", {"body": canary})


async def test_x20_another_user_of_the_peers_server(new_hub: NewHub, link: Link, new_person: NewPerson) -> None:
    one, two = await new_hub("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    other = await new_person("otra", server=1, hubs=[two.user_id])
    await two.matrix.keeper.invite(room_id, other.user_id)
    await other.in_room(room_id, with_members=[one.user_id])
    await other.say(room_id, "me hago pasar")
    assert (await one.reported("foreign_event")).user_id == other.user_id
    assert await one.bodies() == []


async def second_device(hub: BenchHub) -> BenchHub:
    """The same institution on a new device: restored, or its second server."""
    other = BenchHub(url=hub.url, user_id=hub.user_id, password=hub.password, trust=hub.trust)
    other.seeds = hub.seeds
    other.records = dict(hub.records)
    other.matrix = other._new()
    return other


async def test_n12_a_new_device_by_statement_and_the_old_one_is_out(new_hub: NewHub, link: Link) -> None:
    one, two = await new_hub("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    await one.envelope(room_id, "al aparato viejo")
    await two.gets("al aparato viejo")
    async with await second_device(two) as new:
        # Without a statement it is a ghost: what it sends is refused.
        assert (await one.reported("peer_differs", lambda report: report.device_id == new.device_id)).user_id == two.user_id
        await new.envelope(room_id, "todavía nadie me cree")
        await one.reported("unverified_writer")
        # The statement travels in clear from a device that nobody believes; the application decides, here by taking it.
        await new.matrix.state_devices(one.user_id, b'{"payload":"...","sigs":[]}')
        told = await one.reported("device_statement")
        assert (told.user_id, told.detail) == (two.user_id, '{"payload":"...","sigs":[]}')
        await one.set_trust(TrustList(peers=(new.pin,)))
        before = next(iter(one.matrix._machine._outbound.values()), None)
        assert before is None, "the room key that the old device has encrypts nothing more"
        await one.envelope(room_id, "al aparato nuevo")
        await new.gets("al aparato nuevo")
        await new.envelope(room_id, "ahora sí")
        await one.gets("ahora sí")
        # The old one is still there and hears nothing; nor is it heard.
        await two.envelope(room_id, "sigo aquí")
        await until(lambda: len([r for r in one.reports if r.kind == "unverified_writer"]) >= 2, "the old device's word refused")
        assert "al aparato nuevo" not in await two.bodies()
        assert "sigo aquí" not in await one.bodies()
        assert "todavía nadie me cree" not in await one.bodies()


async def test_statements_are_heard_of_peers_only_and_bounded(new_hub: NewHub, new_person: NewPerson, desk: Desk, link: Link) -> None:
    one, two, rosa = await new_hub("uno"), await new_hub("dos", server=1), await new_person("rosa")
    await desk(one, rosa)
    await link(one, two)
    stranger = await new_hub("mallory")
    path = "/_matrix/client/v3/sendToDevice/org.tinkuy.devices.v1/"
    await rosa.request("PUT", path + "a", {"messages": {one.user_id: {"*": {"statement": "de una persona"}}}})
    await stranger.matrix.state_devices(one.user_id, b"de nadie")
    for body in ({"statement": 7}, {}, {"statement": "x" * 50_000}, {"statement": "y" * 50_000}):
        await two.matrix.client.put(path + secrets.token_hex(4), {"messages": {one.user_id: {"*": body}}})
    await one.reported("device_statement", lambda report: report.detail.startswith("y"))
    heard = [report for report in one.reports if report.kind == "device_statement"]
    assert {report.user_id for report in heard} == {two.user_id}
    assert all(len(report.detail) <= MAX_STATEMENT + 1 for report in heard)


async def test_x02_a_second_device_of_ours_is_no_ghost_by_its_keys_alone(new_hub: NewHub) -> None:
    hub = await new_hub()
    async with await second_device(hub) as other:
        await hub.reported("own_ghost", lambda report: report.device_id == other.device_id)
        hub.reports.clear()
        await hub.set_trust(TrustList(own=frozenset({other.matrix.device})))
        await hub.matrix.refresh(hub.user_id)
        assert not [report for report in hub.reports if report.kind == "own_ghost"]
        lying = replace(other.matrix.device, curve25519=hub.matrix.device.curve25519)
        await hub.set_trust(TrustList(own=frozenset({lying})))
        await hub.matrix.refresh(hub.user_id)
        assert (await hub.reported("own_ghost")).device_id == other.device_id


async def test_x25_equal_device_ids_are_refused(new_hub: NewHub) -> None:
    hub: BenchHub = await new_hub(started=False)
    hub.trust = TrustList(peers=(PeerPin(user_id="@hub:example.org", device_id=hub.device_id, ed25519="a", curve25519="b"),))
    hub.matrix = hub._new()
    with pytest.raises(MatrixError) as refused:
        await hub.matrix.start()
    assert refused.value.code == "matrix.device_id_taken"


async def test_no_record_no_send(new_hub: NewHub, new_person: NewPerson, desk: Desk) -> None:
    hub, rosa = await new_hub(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    hub.matrix.drop_room(room_id)
    with pytest.raises(Held):
        await hub.say(room_id, "nunca")
    hub.matrix.set_room(RoomRecord(room_id=room_id, purpose="desk", members=frozenset()))
    with pytest.raises(RoomFrozen):
        await hub.say(room_id, "nunca")
