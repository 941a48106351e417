"""The twelve rules of `matrix-facts.md` 1.5 against a real homeserver; rules 4, 5, 8 and 9 stand in `tests/attacks/matrix`."""

from __future__ import annotations

import ast
import asyncio
import logging
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.cases.room_classes import ROOM_CLASSES
from hub.matrix import chores, crosssigning, logs
from hub.matrix.client import HubClient, check_libraries
from hub.matrix.errors import HomeserverRefused, IdentityConflict, LoginLost, MatrixError, RolledBack, Unsuitable
from hub.matrix.olm_store import OlmStore
from hub.matrix.ports import RoomSpec, TrustList
from tests.conftest import NewJsPerson, NewPerson
from tests.homeserver.bench import BenchHub, until
from tests.homeserver.conftest import Desk, Link, NewHub, NewProxied

ROOT = Path(__file__).parents[2]


async def test_rule_1_one_sync_and_at_most_eight_sends_at_once(new_proxied: NewProxied, new_hub: NewHub, link: Link) -> None:
    (one, proxy), two = await new_proxied("uno"), await new_hub("dos")
    room_id = await link(one, two)
    proxy.delay = 0.02
    await asyncio.gather(*(one.envelope(room_id, str(number)) for number in range(120)))
    await two.gets("119")
    await until(lambda: two.matrix.health.waiting == 0, "no event waits")
    assert sorted(map(int, await two.bodies())) == list(range(120)), "also across a rotation of the room key"
    assert proxy.at_once["/send/"] == 8
    assert proxy.at_once["/sync"] == 1


async def test_rule_2_and_d03_a_crash_between_t1_and_t2_loses_nothing(new_hub: NewHub, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = await new_hub("uno"), await new_hub("dos")
    room_id = await link(one, two)
    broken = asyncio.Event()

    async def dies(*_: Any) -> Any:
        broken.set()
        raise OSError("the power goes")

    monkeypatch.setattr(two.rows, "finish_batch", dies)
    await one.envelope(room_id, "con su clave de sala")
    await asyncio.wait_for(broken.wait(), 20)
    assert await two.bodies() == []
    await two.crash()
    monkeypatch.undo()
    await two.restart()
    await two.gets("con su clave de sala")
    await one.envelope(room_id, "después")
    await two.gets("después")
    assert await two.bodies() == ["con su clave de sala", "después"]


async def test_rule_2_a_failing_commit_is_tried_again_from_the_rows(new_hub: NewHub, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = await new_hub("uno"), await new_hub("dos")
    room_id = await link(one, two)
    finish, failures = two.rows.finish_batch, [1, 2]

    async def twice(*args: Any) -> Any:
        if failures:
            failures.pop()
            raise OSError("disk full")
        return await finish(*args)

    monkeypatch.setattr(two.rows, "finish_batch", twice)
    machine = two.matrix.client.olm
    await one.envelope(room_id, "a la tercera")
    await two.gets("a la tercera")
    assert two.matrix.client.olm is not machine, "the machine that was ahead of the disk is gone"
    await two.envelope(room_id, "y vuelve")
    await one.gets("y vuelve")
    assert await two.bodies() == ["a la tercera"]


async def test_rule_3_and_x24_rows_are_on_disk_before_the_server_sees_them(new_proxied: NewProxied, new_hub: NewHub, link: Link) -> None:
    (one, proxy), two = await new_proxied("uno"), await new_hub("dos")
    room_id = await link(one, two)
    dirty: list[str] = []

    def look(request: Any) -> None:
        if request.method != "GET" and one.matrix.client.store.is_dirty:
            dirty.append(request.path)

    proxy.before = look
    for number in range(3):
        one.matrix._machine.forget_room(room_id)
        await one.envelope(room_id, str(number))
    assert proxy.asked("/sendToDevice/")
    assert dirty == []


async def test_rule_3_and_x24_killed_while_uploading_keys(new_proxied: NewProxied, new_hub: NewHub, link: Link) -> None:
    """The server took the one-time keys, the answer never came, the process died: later Olm messages still open (X24)."""
    (two, proxy), one = await new_proxied("dos"), await new_hub("uno")
    proxy.fail("/keys/upload", times=99, after=True)
    client = two.matrix.client
    client.olm.uploaded_key_count = 0
    with pytest.raises(MatrixError):
        await client.upload_keys()
    await two.crash()
    proxy.honest()
    await two.restart()
    room_id = await link(one, two)
    for number in range(3):
        one.matrix._machine.forget_room(room_id)
        await one.matrix._machine.renew(two.pin.device)
        one.matrix._machine._unwedged.clear()
        await one.envelope(room_id, str(number))
    await two.gets("2")


async def test_rule_6_and_d04_everything_said_while_away_arrives_in_order(new_hub: NewHub, link: Link) -> None:
    """500 events, more than one timeline holds, and more than 100 to-device messages."""
    one, two = await new_hub("uno"), await new_hub("dos")
    room_id = await link(one, two)
    await one.envelope(room_id, "antes")
    await two.gets("antes")
    await two.crash()
    for start in range(0, 500, 4):
        if start < 440:
            one.matrix._machine.forget_room(room_id)  # a fresh room key, so a to-device message
        await asyncio.gather(*(one.envelope(room_id, str(number)) for number in range(start, start + 4)))
    assert len(await two.bodies()) == 1
    await two.restart()
    await two.gets("499")
    await until(lambda: two.matrix.health.waiting == 0, "no event waits")
    numbers = [int(body) for body in await two.bodies() if body != "antes"]
    assert sorted(numbers) == list(range(500))
    groups = [number // 4 for number in numbers]
    assert groups == sorted(groups), "handled in the order in which they were said"


async def test_rule_6_sweep_finds_what_the_server_left_out(new_proxied: NewProxied, new_hub: NewHub, link: Link) -> None:
    (two, proxy), one = await new_proxied("dos"), await new_hub("uno")
    room_id = await link(one, two)
    lost: list[Any] = []

    def drop(body: Any) -> Any:
        for room in body.get("rooms", {}).get("join", {}).values():
            events = room["timeline"]["events"]
            lost.extend(event for event in events if event["type"] == "m.room.encrypted")
            room["timeline"]["events"] = [event for event in events if event["type"] != "m.room.encrypted"]
        return body

    proxy.on_answer("/sync", drop)
    await one.envelope(room_id, "retenido")
    await until(lambda: bool(lost), "the event that is withheld")
    proxy.honest()
    await one.envelope(room_id, "siguiente")
    await two.gets("siguiente")
    assert await two.bodies() == ["siguiente"]
    assert await two.matrix.sweep(room_id) == 1
    assert await two.bodies() == ["siguiente", "retenido"]


async def test_rule_7_device_changes_while_away_are_known_before_the_first_send(
    new_hub: NewHub, new_person: NewPerson, desk: Desk, synapses: Any
) -> None:
    hub, rosa = await new_hub(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    await hub.say(room_id, "antes")
    await rosa.expect("antes", room=room_id)
    await hub.crash()
    second = await new_person("rosa", user_id=rosa.user_id, identity=rosa.identity, hubs=[hub.user_id])
    await rosa.log_out()
    await second.in_room(room_id, with_members=[hub.user_id])
    await hub.restart()
    await hub.say(room_id, "al segundo teléfono")
    await second.expect("al segundo teléfono", room=room_id)
    assert {device.device_id for device in hub.matrix.book.devices(rosa.user_id)} == {second.device_id}
    await second.say(room_id, "recibido")
    await hub.gets("recibido")


async def test_a_device_that_vanishes_and_returns_is_revived(new_proxied: NewProxied, new_person: NewPerson, desk: Desk) -> None:
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    proxy.on_answer("/keys/query", lambda body: {**body, "device_keys": {**body["device_keys"], rosa.user_id: {}}})
    await hub.matrix.refresh(rosa.user_id)
    assert hub.matrix.book.devices(rosa.user_id) == frozenset()
    proxy.honest()
    await hub.matrix.refresh(rosa.user_id)
    await hub.say(room_id, "de vuelta")
    await rosa.expect("de vuelta", room=room_id)


async def test_rule_9_who_left_gets_no_later_room_key(new_hub: NewHub, new_person: NewPerson, desk: Desk) -> None:
    hub, rosa, luz = await new_hub(), await new_person("rosa"), await new_person("luz")
    room_id = await desk(hub, rosa, luz)
    await hub.say(room_id, "a las dos")
    await rosa.expect("a las dos", room=room_id)
    before = hub.matrix._machine._outbound[room_id]
    assert {device.user_id for device in before.shared} == {rosa.user_id, luz.user_id}
    await rosa.leave(room_id)
    await until(lambda: rosa.user_id not in hub.matrix._rooms.view(room_id).present, "that she left")
    await hub.say(room_id, "solo a Luz")
    await luz.expect("solo a Luz", room=room_id)
    after = hub.matrix._machine._outbound[room_id]
    assert after.session.id != before.session.id
    assert {device.user_id for device in after.shared} == {luz.user_id}


def test_rule_10_only_the_carrier_puts_events_into_rooms() -> None:
    """No call of nio's senders anywhere, and the send path of the API stands in one module."""
    files = [path for room in ("hub", "adapters", "policies", "keys") for path in (ROOT / room).rglob("*.py")]
    assert len(files) > 30
    for path in files:
        tree = ast.parse(path.read_text())
        called = {node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}
        assert not called & {"room_send", "room_put_state", "room_redact", "update_receipt_marker", "share_group_session"}, path
        texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
        if any("/send/m." in text or "m.room.encrypted/" in text for text in texts):
            assert (path.parent.name, path.name) in {("matrix", "carrier.py"), ("matrix", "machine.py")}, path
        imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        if any(name.split(".")[0] in ("nio", "vodozemac") for name in imported):
            assert path.parent.name == "matrix", path


async def test_rule_11_the_same_transaction_id_has_one_effect(new_proxied: NewProxied, new_hub: NewHub, link: Link) -> None:
    (one, proxy), two = await new_proxied("uno"), await new_hub("dos")
    room_id = await link(one, two)
    proxy.fail("/send/m.room.encrypted/", times=2, after=True)
    first = await one.envelope(room_id, "una vez", txn="row-1")
    again = await one.envelope(room_id, "una vez", txn="row-1")
    assert first == again
    await one.crash()
    await one.restart()
    assert await one.envelope(room_id, "una vez", txn="row-1") == first
    await one.envelope(room_id, "fin")
    await two.gets("fin")
    assert await two.bodies() == ["una vez", "fin"]


async def test_rule_12_error_answers_raise(new_proxied: NewProxied) -> None:
    hub, proxy = await new_proxied()
    proxy.fail("/whoami", status=403)
    with pytest.raises(LoginLost):
        await hub.matrix.whoami()
    with pytest.raises(HomeserverRefused):
        await hub.matrix.client.joined_members("!nowhere:localhost")  # one of nio's own calls, which would return the error


# ---- around the rules --------------------------------------------------------------------------------------------------


async def test_the_login_happens_once_and_the_token_is_sealed(new_hub: NewHub, synapses: Any) -> None:
    hub = await new_hub()
    token = hub.matrix.client.access_token
    await hub.crash()
    hub.password = "no longer known"
    await hub.restart()
    assert hub.matrix.client.access_token == token

    def dump(connection: Any) -> str:
        return "\n".join(connection.connection.driver_connection.iterdump())

    text = await hub.database.run(dump)
    assert "matrix_olm" in text
    for secret in (token, hub.user_id, hub.matrix.device.curve25519):
        assert secret not in text


async def test_r15_an_old_copy_of_the_rows_stops_the_hub(new_hub: NewHub) -> None:
    """N12: the homeserver refuses re-used key ids; we stop instead of retrying for ever."""
    hub = await new_hub()
    old = OlmStore(await hub.rows.load_olm())
    client = hub.matrix.client
    client.olm.uploaded_key_count = 0
    await client.upload_keys()
    client.replace_store(old)
    client.olm.uploaded_key_count = 0
    with pytest.raises(RolledBack):
        await client.upload_keys()


async def test_cross_signing_is_published_kept_and_put_back(new_hub: NewHub, new_person: NewPerson, desk: Desk) -> None:
    hub, rosa = await new_hub(), await new_person("rosa")
    assert await crosssigning.is_cross_signed(hub.matrix.client, hub.seeds)
    assert await hub.matrix.look_at_cross_signing() is True
    # Seen by another client, whose own code checks the chain: no shield.
    room_id = await desk(hub, rosa)
    await hub.say(room_id, "sin escudo")
    message = await rosa.expect("sin escudo", room=room_id)
    assert message.shield is None
    assert rosa.client.masters[hub.user_id] == hub.matrix.fingerprint
    assert await hub.matrix.query_master(rosa.user_id) == rosa.fingerprint
    assert await hub.matrix.has_account(rosa.user_id) is True
    assert await hub.matrix.has_account(f"@nadie-asi:{rosa.user_id.partition(':')[2]}") is False
    assert await hub.matrix.has_account("@rosa:otro.example") is None


async def test_a_vanished_signature_is_put_back_and_a_foreign_master_never_replaced(new_proxied: NewProxied) -> None:
    hub, proxy = await new_proxied()

    def strip(body: Any) -> Any:
        device = body["device_keys"][hub.user_id][hub.device_id]
        device["signatures"][hub.user_id] = {
            name: value for name, value in device["signatures"][hub.user_id].items() if name == f"ed25519:{hub.device_id}"
        }
        return body

    vanished = [strip]
    proxy.on_answer("/keys/query", lambda body: vanished.pop()(body) if vanished else body)
    assert await hub.matrix.look_at_cross_signing() is False
    assert len(proxy.asked("/keys/signatures/upload")) == 2
    foreign = crosssigning.CrossSigningSeeds(
        master=secrets.token_bytes(32), self_signing=secrets.token_bytes(32), user_signing=secrets.token_bytes(32)
    )
    with pytest.raises(IdentityConflict):
        await crosssigning.ensure_cross_signed(hub.matrix.client, foreign, hub.password)
    with pytest.raises(HomeserverRefused):
        await crosssigning.ensure_cross_signed(hub.matrix.client, foreign, "wrong", replace=True)
    assert await crosssigning.is_cross_signed(hub.matrix.client, hub.seeds)


async def test_elements_crypto_in_strict_mode_reads_and_is_read(new_hub: NewHub, new_js_person: NewJsPerson) -> None:
    hub = await new_hub()
    rosa = await new_js_person("rosa", hubs={hub.user_id})
    await hub.trust_staff(rosa.user_id)
    room_id = await hub.room(RoomSpec(purpose="direct", members=frozenset({rosa.user_id}), name="Tinkuy"))
    await rosa.in_room(room_id, with_members=[hub.user_id])
    await hub.members(room_id, rosa.user_id)
    await rosa.say(room_id, "!tk ayuda")
    await hub.gets("!tk ayuda")
    await hub.say(room_id, "cuatro verbos")
    assert (await rosa.expect("cuatro verbos", room=room_id)).shield is None


def test_an_old_vodozemac_is_refused() -> None:
    check_libraries("0.10.0")
    check_libraries("1.0")
    with pytest.raises(Unsuitable):
        check_libraries("0.9.0.post2")


def test_nio_stays_silent_whatever_is_configured(caplog: pytest.LogCaptureFixture) -> None:
    logs.pin()
    for name in ("nio", "nio.responses", "nio.events.misc", "nio.crypto.log"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        logger.propagate = True
        logger.disabled = False
        logger.filters.clear()
        logger.critical("canary")
        logger.debug("canary")
    assert "canary" not in caplog.text


async def test_no_decrypted_content_and_no_token_in_any_log(
    new_hub: NewHub, new_person: NewPerson, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logs.pin()
    hub, rosa = await new_hub(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    canary = secrets.token_hex(12)
    await rosa.request("PUT", f"/_matrix/client/v3/rooms/{room_id}/send/m.room.message/1", {"msgtype": "m.text", "body": canary, "format": 5})
    await rosa.say(room_id, canary)
    await hub.gets(canary)
    assert hub.matrix.client.access_token
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("peewee"))  # the person's own store
    assert not [line for line in ours.splitlines() if canary in line or hub.matrix.client.access_token in line]


async def test_invitations_of_others_than_peers_are_turned_down(new_hub: NewHub, new_person: NewPerson) -> None:
    hub, rosa = await new_hub(), await new_person("rosa")
    await hub.trust_staff(rosa.user_id)
    room_id = await rosa.create_room(invite=[hub.user_id])
    report = await hub.reported("invite_refused")
    assert (report.room_id, report.user_id, report.detail) == (room_id, rosa.user_id, "not_a_peer")


async def test_the_invitation_of_a_hub_whose_code_is_not_compared_yet_waits(new_hub: NewHub) -> None:
    """Two administrators seldom confirm in the same second: whoever comes second finds the invitation of the first."""
    one, two = await new_hub("uno"), await new_hub("dos")
    await two.matrix.set_trust(TrustList(awaited=frozenset({one.user_id})))
    await one.room(RoomSpec(purpose="link", members=frozenset({two.user_id})))
    await asyncio.sleep(1.5)
    assert not [report for report in two.reports if report.kind in ("invite_refused", "joined_by_invite")]
    await two.trust_peer(one)
    assert (await two.reported("joined_by_invite")).user_id == one.user_id


async def test_a_peer_that_turned_us_down_is_invited_again(new_hub: NewHub) -> None:
    one, two = await new_hub("uno"), await new_hub("dos")
    spec = RoomSpec(purpose="link", members=frozenset({two.user_id}))
    room_id = await one.room(spec)
    assert (await two.reported("invite_refused")).detail == "not_a_peer"
    await two.trust_peer(one)
    steps = await one.matrix.mend_room(room_id, await one.matrix.check_room(room_id, spec))
    assert [(step.action.kind, step.failed) for step in steps] == [("invite", "")]
    assert (await two.reported("joined_by_invite")).room_id == room_id


async def test_an_invitation_whose_refusal_was_lost_is_made_anew(new_hub: NewHub) -> None:
    """The peer's server turned it down before ours had stored it: here it stands as open for ever, there it is gone."""
    one, two = await new_hub("uno"), await new_hub("dos")
    await two.matrix.set_trust(TrustList(awaited=frozenset({one.user_id})))
    room_id = await one.room(RoomSpec(purpose="link", members=frozenset({two.user_id})))
    await until(lambda: bool(two.matrix._chores._invites), "the invitation")
    two.matrix._chores._invites.clear()
    await two.trust_peer(one)
    await until(lambda: one.matrix.invited(room_id) == {two.user_id}, "it stands")
    await one.matrix.invite_again(room_id, two.user_id)
    assert (await two.reported("joined_by_invite")).room_id == room_id


async def test_a_peers_invitation_into_an_unfit_room_is_turned_down(new_hub: NewHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chores, "ANNOUNCED_WITHIN", 0.0)
    one, two = await new_hub("uno"), await new_hub("dos")
    await two.trust_peer(one)
    await one.room(RoomSpec(purpose="desk", members=frozenset({two.user_id}), name="Tinkuy"))
    assert (await two.reported("invite_refused")).detail in ("creators", "m.room.name")


def meeting_with(guest: BenchHub) -> RoomSpec:
    return RoomSpec(purpose="coordination", members=frozenset({guest.user_id}), name=ROOM_CLASSES["coordination"].name)


async def announced(guest: BenchHub, room_id: str, owner: BenchHub) -> None:
    await guest.set_trust(replace(guest.trust, expected=frozenset({(room_id, owner.user_id)})))


async def test_an_invitation_that_came_before_its_announcement_waits_for_it(new_hub: NewHub) -> None:
    """The room's own invitation is quicker than the sealed word in the link: it is not turned down, to be made anew a moment later."""
    one, two = await new_hub("uno"), await new_hub("dos")
    await two.trust_peer(one)
    room_id = await one.room(meeting_with(two))
    await until(lambda: bool(two.matrix._chores._invites), "the invitation")
    await two.matrix._chores.answer_invites()
    assert not [report for report in two.reports if report.kind in ("invite_refused", "joined_by_invite")]
    await announced(two, room_id, one)
    assert (await two.reported("joined_coordination")).room_id == room_id


async def test_invited_anew_after_leaving_a_hub_knows_that_it_is_in(new_hub: NewHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """After leave, invitation and join Synapse tells of the old invitation once more, as state: what we sent there would wait for ever."""
    monkeypatch.setattr(chores, "ANNOUNCED_WITHIN", 0.0)
    one, two = await new_hub("uno"), await new_hub("dos")
    await two.trust_peer(one)
    spec = meeting_with(two)
    room_id = await one.room(spec)
    await two.reported("invite_refused")
    await announced(two, room_id, one)
    await one.matrix.mend_room(room_id, await one.matrix.check_room(room_id, spec))
    await two.reported("joined_coordination")
    await until(lambda: two.user_id in two.matrix.joined(room_id), "our own membership")
    invitation = {"type": "m.room.member", "state_key": two.user_id, "content": {"membership": "invite"}, "event_id": "$before"}
    kept = {"state": {"events": [invitation]}, "timeline": {"events": []}}  # so it came, where two servers' joins crossed
    two.matrix._listener._follow_state(room_id, kept, inside=True)
    assert two.user_id in two.matrix.joined(room_id)


async def test_being_removed_from_a_room_is_told(new_hub: NewHub, new_person: NewPerson) -> None:
    one, two = await new_hub("uno"), await new_hub("dos")
    await one.trust_peer(two)
    await two.trust_peer(one)
    room_id = await one.link_to(two)
    await one.envelope(room_id, "lo último")
    await one.matrix.leave(room_id)
    await two.gets("lo último")
    await two.matrix.leave(room_id)
    assert (await two.reported("left_room")).room_id == room_id


async def test_undecryptable_events_wait_for_their_key(new_proxied: NewProxied, new_hub: NewHub, link: Link) -> None:
    (two, proxy), one = await new_proxied("dos"), await new_hub("uno")
    room_id = await link(one, two)
    held: list[Any] = []

    def hold(body: Any) -> Any:
        events = body.get("to_device", {}).get("events", [])
        held.extend(events)
        return {**body, "to_device": {"events": []}}

    proxy.on_answer("/sync", hold)
    await one.envelope(room_id, "sin clave todavía")
    await two.reported("undecryptable")
    assert two.matrix.health.waiting == 1
    await two.crash()
    proxy.honest()

    def release(body: Any) -> Any:
        events, held[:] = list(held), []
        return {**body, "to_device": {"events": events}}

    proxy.on_answer("/sync", release)
    await two.restart()
    await two.gets("sin clave todavía")
    assert two.matrix.health.waiting == 0


async def test_a_lost_room_key_is_shared_anew_on_request(new_proxied: NewProxied, new_hub: NewHub, link: Link) -> None:
    (two, proxy), one = await new_proxied("dos"), await new_hub("uno")
    room_id = await link(one, two)
    proxy.on_answer("/sync", lambda body: {**body, "to_device": {"events": []}})
    await one.envelope(room_id, "perdido")
    await two.reported("undecryptable")
    proxy.honest()
    await one.matrix.renew(two.user_id)  # what the application does when the peer asks to send again
    await one.envelope(room_id, "otra vez")
    await two.gets("otra vez")


def test_a_client_without_login_row_needs_a_password(tmp_path: Path) -> None:
    hub = BenchHub(url="http://127.0.0.1:1", user_id="@x:localhost", password="")
    object.__setattr__(hub.matrix._account, "password", None)
    with pytest.raises(LoginLost):
        asyncio.run(hub.matrix.start())
    assert issubclass(HubClient, object)
