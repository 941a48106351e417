"""X09, X14-X16, X19, X31, X33, X34: events and to-device messages that are malformed, repeated, re-pointed, or come in clear."""

from __future__ import annotations

import base64
import json
import secrets
import sys
from collections.abc import Iterable
from typing import Any

import pytest
import vodozemac

from deploy.demo.person import Person
from hub.matrix import http
from hub.matrix.errors import HomeserverAway
from hub.matrix.ports import ENVELOPE_TYPE
from tests.conftest import NewPerson
from tests.homeserver.bench import BenchHub, until
from tests.homeserver.conftest import Desk, Link, NewHub, NewProxied

DEEP = "[" * 5_000 + "]" * 5_000


class OlmAttacker:
    """Olm sessions with a hub, made without any client library, under the account of `person`."""

    def __init__(self, person: Person, hub: BenchHub) -> None:
        self.person, self.hub = person, hub
        self.account = vodozemac.Account()
        self.curve = self.account.curve25519_key.to_base64()

    @staticmethod
    def session_with_nobody() -> Any:
        """An Olm session that no other side has."""
        mine, other = vodozemac.Account(), vodozemac.Account()
        other.generate_one_time_keys(1)
        return mine.create_outbound_session(other.curve25519_key, next(iter(other.one_time_keys.values())))

    async def sealed(self, plaintext: bytes) -> dict[str, Any]:
        """Content of a to-device message that decrypts to `plaintext`."""
        body = {"one_time_keys": {self.hub.user_id: {self.hub.device_id: "signed_curve25519"}}}
        answer = await self.person.request("POST", "/_matrix/client/v3/keys/claim", body)
        key = next(iter(answer["one_time_keys"][self.hub.user_id][self.hub.device_id].values()))["key"]
        target = vodozemac.Curve25519PublicKey.from_base64(self.hub.matrix.device.curve25519)
        session = self.account.create_outbound_session(target, vodozemac.Curve25519PublicKey.from_base64(key))
        kind, raw = session.encrypt(plaintext).to_parts()
        return self.content({"type": kind, "body": base64.b64encode(raw).decode().rstrip("=")})

    def content(self, own: Any, **more: Any) -> dict[str, Any]:
        known = {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": self.curve}
        return {**known, "ciphertext": {self.hub.matrix.device.curve25519: own}, **more}

    def payload(self, kind: str = "m.room_key", content: Any = None, **more: Any) -> bytes:
        value = {
            "type": kind,
            "sender": self.person.user_id,
            "sender_device": "X",
            "keys": {"ed25519": "x"},
            "recipient": self.hub.user_id,
            "recipient_keys": {"ed25519": self.hub.matrix.device.ed25519},
            "content": content or {},
        }
        return json.dumps(value | more).encode()

    async def all_bodies(self) -> list[dict[str, Any]]:
        """The N1 list."""
        room_key = {"algorithm": "m.megolm.v1.aes-sha2", "room_id": "!x:y", "session_id": "s", "session_key": "bad"}
        plaintexts = [
            b"not json",
            b"\xff\xfe",
            DEEP.encode(),
            b"[]",
            b"5",
            b"{}",
            self.payload(content=room_key),
            self.payload(recipient_keys={}),
            self.payload(keys={}),
            self.payload(content=5),
            self.payload("m.forwarded_room_key"),
            self.payload("m.dummy", sender_device=5),
            self.payload(content={**room_key, "room_id": 5}),
            self.payload(sender="@other:x"),
        ]
        shapes: list[dict[str, Any]] = [
            self.content({"type": 0, "body": "bad"}),
            self.content({"type": 1, "body": "bad"}),
            self.content({"type": 7, "body": "AAAA"}),
            self.content({"type": 0, "body": 5}),
            self.content({"type": 0}),
            self.content([]),
            self.content("x"),
            self.content(None),
            self.content({"type": 0, "body": "A" * 1000}),
            self.content({"type": 1, "body": "A" * 1000}),
            self.content({"type": 0, "body": "AA"}, sender_key=5),
            self.content({"type": 0, "body": "AA"}, sender_key="bad"),
            self.content({"type": 1, "body": base64.b64encode(b"\x03" + b"\x00" * 60).decode()}),
            {"algorithm": 5},
            {"ciphertext": {}},
        ]
        return shapes + [await self.sealed(plaintext) for plaintext in plaintexts]

    async def put(self, contents: Iterable[Any]) -> int:
        count = 0
        for content in contents:
            path = f"/_matrix/client/v3/sendToDevice/m.room.encrypted/{secrets.token_hex(8)}"
            await self.person.request("PUT", path, {"messages": {self.hub.user_id: {self.hub.device_id: content}}})
            count += 1
        return count


@pytest.mark.parametrize("pinned", [False, True], ids=["stranger", "pinned"])
async def test_x14_malformed_olm_bodies_harm_nothing(new_hub: NewHub, new_person: NewPerson, desk: Desk, pinned: bool) -> None:
    hub, rosa, mallory = await new_hub(), await new_person("rosa"), await new_person("mallory", server=1)
    room_id = await desk(hub, rosa)
    if pinned:
        await hub.trust_staff(mallory.user_id)
    hub_stops = hub.matrix.client.olm
    await hub.crash()
    attacker = OlmAttacker(mallory, hub)
    assert await attacker.put(await attacker.all_bodies()) > 25
    await rosa.say(room_id, "en el mismo lote")
    await attacker.put(await attacker.all_bodies())
    await hub.restart()
    await hub.gets("en el mismo lote")
    await rosa.say(room_id, "después")
    await hub.gets("después")
    await hub.say(room_id, "sigo aquí")
    await rosa.expect("sigo aquí", room=room_id)
    assert hub.matrix.client.olm is not hub_stops
    assert hub.matrix.health.failures == 0
    counted = [report for report in hub.reports if report.kind == "malformed_event" and report.user_id == mallory.user_id]
    assert bool(counted) is pinned, "a stranger's messages are dropped before they are looked at"


async def test_x15_malformed_megolm_plaintext_harms_nothing(new_hub: NewHub, link: Link) -> None:
    one, two = await new_hub("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    await one.envelope(room_id, "antes")
    outbound = one.matrix._machine._outbound[room_id].session
    bad = [
        b"not json",
        b"\xff\xfe",
        DEEP.encode(),
        b"[]",
        b"5",
        b"{}",
        b'{"type":5,"content":{},"room_id":"x"}',
        b'{"a":1,"a":2}',
        json.dumps({"type": "t", "content": [], "room_id": room_id}).encode(),
        json.dumps({"type": "t", "content": {}, "room_id": "!o"}).encode(),
        b'{"type":"t","content":{"n":1e999},"room_id":' + json.dumps(room_id).encode() + b"}",
    ]
    device = one.matrix.device
    for plaintext in bad:
        ciphertext = outbound._session.encrypt(plaintext).to_base64()
        await _put(
            one,
            room_id,
            {
                "algorithm": "m.megolm.v1.aes-sha2",
                "sender_key": device.curve25519,
                "device_id": device.device_id,
                "session_id": outbound.id,
                "ciphertext": ciphertext,
            },
        )
    for content in (
        {},
        {"algorithm": 5},
        {"session_id": 5, "ciphertext": 5, "algorithm": "m.megolm.v1.aes-sha2"},
        {"session_id": outbound.id, "ciphertext": "bad", "algorithm": "m.megolm.v1.aes-sha2"},
    ):
        await _put(one, room_id, content)
    await one.envelope(room_id, "después")
    await two.gets("después")
    assert await two.bodies() == ["antes", "después"]
    assert len(await two.refused()) == len(bad) + 4
    assert two.matrix.health.failures == 0


async def test_x14_nesting_as_deep_as_a_homeserver_lets_through(new_proxied: NewProxied, new_person: NewPerson, desk: Desk) -> None:
    """What one JSON reader lets through can be too deep for the next; then no sync would ever do again."""
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    deep = DEEP.encode()

    def stuff(body: Any) -> Any:
        odd = {"type": "m.room.encrypted", "sender": rosa.user_id, "event_id": "$deep", "content": {"x": "DEEP"}}
        body["to_device"] = {"events": [*body.get("to_device", {}).get("events", []), odd]}
        for room in body.get("rooms", {}).get("join", {}).values():
            room["timeline"]["events"].append(odd)
        return body

    proxy.on_answer("/sync", stuff)
    proxy.rewrite = lambda body: body.replace(b'"DEEP"', deep)
    for text in ("uno", "dos"):
        await rosa.say(room_id, text)
        await hub.gets(text)
    assert hub.matrix.health.failures == 0
    assert "MegolmShape" in await hub.refused() or "KeyError" in await hub.refused()


async def test_parsing_goes_deeper_than_python_does_by_itself() -> None:
    deep = b"[" * 5_000 + b"]" * 5_000
    limit = sys.getrecursionlimit()
    assert len(await http._parse(b'{"x":' + deep + b"}")) == 1
    assert sys.getrecursionlimit() == limit
    with pytest.raises(HomeserverAway):
        await http._parse(deep[:-1])


async def test_x28_a_wedged_olm_session_heals_by_itself(new_hub: NewHub, link: Link) -> None:
    one, two = await new_hub("uno"), await new_hub("dos")
    room_id = await link(one, two)
    await two.envelope(room_id, "hola")
    await one.gets("hola")
    await one.envelope(room_id, "antes")
    await two.gets("antes")
    # One side's ratchets are put back: its next room keys will not open at the other, nor the other's here.
    for sessions in two.matrix.client.olm.session_store.values():
        for session in sessions:
            session._session = OlmAttacker.session_with_nobody()
    one.matrix._machine.forget_room(room_id)
    await one.envelope(room_id, "no se abre")
    await two.reported("undecryptable")
    await until(lambda: room_id not in one.matrix._machine._outbound, "the dummy that says so")
    await one.envelope(room_id, "sana")
    await two.gets("sana")
    await two.envelope(room_id, "y al revés")
    await one.gets("y al revés")


async def test_x16_claiming_all_one_time_keys(new_hub: NewHub, new_person: NewPerson, desk: Desk) -> None:
    hub, rosa, mallory = await new_hub(), await new_person("rosa"), await new_person("mallory", server=1)
    room_id = await desk(hub, rosa)
    await until(lambda: (hub.matrix.health.one_time_keys or 0) > 30, "one-time keys on the server")
    await hub.crash()  # nothing refills meanwhile
    body = {"one_time_keys": {hub.user_id: {hub.device_id: "signed_curve25519"}}}
    seen = []
    for _ in range(70):
        answer = await mallory.request("POST", "/_matrix/client/v3/keys/claim", body)
        seen.append(next(iter(answer["one_time_keys"][hub.user_id][hub.device_id].values())))
    assert seen[-1].get("fallback") is True, "the hub stays reachable by its fallback key"
    await rosa.say(room_id, "con la clave de reserva")
    await hub.restart()
    await hub.gets("con la clave de reserva")
    await until(lambda: (hub.matrix.health.one_time_keys or 0) >= 40, "refilled keys")
    fresh = await mallory.request("POST", "/_matrix/client/v3/keys/claim", body)
    assert "fallback" not in next(iter(fresh["one_time_keys"][hub.user_id][hub.device_id].values()))


async def test_x19_clear_event_of_our_type_is_refused(new_hub: NewHub, link: Link) -> None:
    one, two = await new_hub("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    # The room's own power levels already forbid it, at both servers.
    path = f"/_matrix/client/v3/rooms/{room_id}/send/{ENVELOPE_TYPE}/1"
    await one.matrix.client.put(path, {"data": "en claro"})  # one of the two creators: above all power levels
    report = await two.reported("clear_event")
    assert report.user_id == one.user_id
    assert await two.bodies() == []
    assert await two.refused() == ["NotEncrypted"]


async def test_clear_text_of_a_caseworker_is_refused_and_told(new_hub: NewHub, new_person: NewPerson, desk: Desk) -> None:
    hub, rosa = await new_hub(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    sent = await rosa.request("PUT", f"/_matrix/client/v3/rooms/{room_id}/send/m.room.message/1", {"msgtype": "m.text", "body": "en claro"})
    assert (await hub.reported("clear_event")).event_id == sent["event_id"]
    assert await hub.bodies() == []


async def test_x09_replay_under_a_new_event_id_has_one_effect(new_proxied: NewProxied, new_person: NewPerson, desk: Desk) -> None:
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    caught: list[dict[str, Any]] = []

    def replay(body: Any) -> Any:
        for room in body.get("rooms", {}).get("join", {}).values():
            events = room["timeline"]["events"]
            caught.extend(event for event in events if event["type"] == "m.room.encrypted" and event["sender"] == rosa.user_id)
            events.extend({**event, "event_id": f"${secrets.token_hex(16)}"} for event in caught[:1])
        return body

    proxy.on_answer("/sync", replay)
    await rosa.say(room_id, "una vez")
    await hub.gets("una vez")
    await rosa.say(room_id, "dos")
    await hub.gets("dos")
    await hub.reported("replayed_event")
    await hub.crash()
    await hub.restart()
    await rosa.say(room_id, "tres")
    await hub.gets("tres")
    assert await hub.bodies() == ["una vez", "dos", "tres"]


async def test_x31_redaction_has_no_effect(new_hub: NewHub, link: Link) -> None:
    one, two = await new_hub("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    sent = await one.envelope(room_id, "queda")
    await two.gets("queda")
    await one.matrix.redact(room_id, sent, "r1")
    await one.envelope(room_id, "sigue")
    await two.gets("sigue")
    assert await two.bodies() == ["queda", "sigue"]


async def test_x33_malformed_parts_of_a_sync_answer(new_proxied: NewProxied, new_person: NewPerson, desk: Desk) -> None:
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    odd: list[Any] = [
        5,
        None,
        [],
        {},
        {"type": 5},
        {"type": "m.room.encrypted", "sender": rosa.user_id, "content": None, "event_id": "$1"},
        {"type": "m.room.encrypted", "sender": rosa.user_id, "content": {}, "event_id": 5},
        {"type": "m.room.member", "state_key": 5, "sender": rosa.user_id, "content": {"membership": []}, "event_id": "$2"},
        {"type": "m.room.member", "state_key": rosa.user_id, "sender": 5, "content": 5, "event_id": "$3"},
        {"type": "m.room.message", "sender": rosa.user_id + "\ud800", "content": {}, "event_id": "$half\udfff"},
        {"type": "m.room.message", "sender": rosa.user_id, "content": {}, "event_id": "$nul\0"},
        *({"type": "m.room.encrypted", "sender": rosa.user_id, "content": {}, "event_id": f"$u{n}", "unsigned": n} for n in (5, 1.5, True, "x", [])),
        {
            "type": "m.room.encrypted",
            "sender": rosa.user_id,
            "content": {"algorithm": "m.megolm.v1.aes-sha2", "session_id": "xx", "ciphertext": "AAAA"},
            "event_id": "$half\ud800",
        },
        {"type": "m.room.message", "sender": rosa.user_id, "content": {}, "event_id": "$" + "x" * 500, "origin_server_ts": 1.5},
    ]

    def spoil(body: Any) -> Any:
        presence = [{"type": "m.presence", "sender": rosa.user_id, "content": {"status_msg": 5, "presence": 5}}]
        body |= {"presence": {"events": presence}, "account_data": 5, "device_lists": {"changed": [5, None], "left": 5}}
        body["to_device"] = {"events": [*body.get("to_device", {}).get("events", []), *odd]}
        for room in body.get("rooms", {}).get("join", {}).values():
            room["timeline"]["events"] = [*odd, *room["timeline"]["events"]]
            room["ephemeral"] = {"events": [{"type": "m.receipt", "content": 5}, {"type": "m.typing"}]}
            room["account_data"] = []
        return body

    proxy.on_answer("/sync", spoil)
    for text in ("uno", "dos"):
        await rosa.say(room_id, text)
        await hub.gets(text)
    assert hub.matrix.health.failures == 0


async def test_sync_answers_that_are_no_answers(new_proxied: NewProxied, new_person: NewPerson, desk: Desk) -> None:
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    nonsense: list[Any] = [[], {"next_batch": 5}]
    proxy.on_answer("/sync", lambda body: nonsense.pop() if nonsense else body)
    await rosa.say(room_id, "a pesar de todo")
    await hub.gets("a pesar de todo")


async def test_x34_repointed_relation_changes_no_answer(new_proxied: NewProxied, new_person: NewPerson, desk: Desk) -> None:
    (hub, proxy), rosa = await new_proxied(), await new_person("rosa")
    room_id = await desk(hub, rosa)
    right, wrong = await hub.say(room_id, "tarjeta uno"), await hub.say(room_id, "tarjeta dos")
    await rosa.expect("tarjeta dos", room=room_id)

    def repoint(body: Any) -> Any:
        for room in body.get("rooms", {}).get("join", {}).values():
            for event in room["timeline"]["events"]:
                if event["type"] == "m.room.encrypted" and event["sender"] == rosa.user_id:
                    event["content"]["m.relates_to"] = {"rel_type": "m.thread", "event_id": wrong}
        return body

    proxy.on_answer("/sync", repoint)
    # Her client puts the relation inside the ciphertext too: then the outer one is not believed.
    await rosa.say(room_id, "2", thread=right)
    heard = await hub.gets("2")
    assert (heard.thread_root, heard.firm) == (right, True)
    # A message without any relation of its own can be moved to another card; its content stays what she wrote, and carries none.
    await rosa.say(room_id, "3")
    moved = await hub.gets("3")
    assert (moved.thread_root, moved.firm, moved.content) == (wrong, False, {"msgtype": "m.text", "body": "3"})


async def _put(hub: BenchHub, room_id: str, content: dict[str, Any]) -> None:
    """Straight past every guard, as a compromised peer would."""
    await hub.matrix.client.put(f"/_matrix/client/v3/rooms/{room_id}/send/m.room.encrypted/{secrets.token_hex(8)}", content)
