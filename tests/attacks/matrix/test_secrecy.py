"""X23, X30, X26, X27: what the homeserver and a holder of room keys can read, and requests that fail half-way."""

from __future__ import annotations

import secrets

import pytest
import vodozemac

from deploy.demo.synapse import Synapses
from hub.matrix.errors import HomeserverAway, HomeserverRefused
from keys import primitives
from tests.homeserver.bench import on_disk, stored_events
from tests.homeserver.conftest import Link, NewHub, NewProxied

STATE_IN_A_LINK = {
    "m.room.create", "m.room.member", "m.room.power_levels", "m.room.encryption", "m.room.history_visibility",
    "m.room.join_rules", "m.room.guest_access",
}  # fmt: skip


async def test_x23_room_keys_open_only_sealed_bytes(new_hub: NewHub, link: Link, synapses: Synapses) -> None:
    one, two = await new_hub("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    canary = secrets.token_hex(16)
    key = primitives.OpeningKey(secrets.token_bytes(32))
    sealed = primitives.hpke_seal(key.public, canary.encode(), b"test")
    await one.envelope(room_id, sealed.hex())
    await two.gets(sealed.hex())
    # Whoever has the room keys: here, everything the receiving machine holds.
    session = two.matrix.client.store.load_inbound_group_sessions().find(room_id, _session_of(one, room_id))[0]
    event = next(event for event in stored_events(synapses[0], room_id) if event["type"] == "m.room.encrypted")
    plaintext = session._session.decrypt(vodozemac.MegolmMessage.from_base64(event["content"]["ciphertext"])).plaintext
    assert sealed.hex().encode() in plaintext, "this is the right event"
    assert canary.encode() not in plaintext
    for server in synapses.servers:
        assert canary.encode() not in on_disk(server)
        assert sealed.hex()[:64].encode() not in on_disk(server), "even the sealed bytes are inside the room's encryption"


async def test_x30_a_link_room_says_nothing_in_clear(new_hub: NewHub, link: Link, synapses: Synapses) -> None:
    one, two = await new_hub("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    for _ in range(3):
        await one.envelope(room_id, "x" * 4096)
    await two.gets("x" * 4096)
    events = stored_events(synapses[0], room_id)
    state = [event for event in events if "state_key" in event]
    assert {event["type"] for event in state} <= STATE_IN_A_LINK
    create = next(event["content"] for event in state if event["type"] == "m.room.create")
    assert create["room_version"] == "12"
    assert create["additional_creators"] == [two.user_id]
    visibility = next(event["content"] for event in state if event["type"] == "m.room.history_visibility")
    assert visibility == {"history_visibility": "joined"}
    messages = [event for event in events if event["type"] == "m.room.encrypted"]
    assert {frozenset(event["content"]) for event in messages} == {frozenset({"algorithm", "sender_key", "device_id", "session_id", "ciphertext"})}
    lengths = {len(event["content"]["ciphertext"]) for event in messages}
    assert max(lengths) - min(lengths) <= 4, "equal bodies look equal (a message index takes a byte more)"
    assert {event["type"] for event in events} == {"m.room.encrypted"} | {event["type"] for event in state}
    # Nobody reads receipts or typing notices out of it either.
    await two.matrix.read(room_id, messages[0].get("event_id", "$x"))
    await two.matrix.typing(room_id, True)


async def test_relations_are_refused_in_link_rooms(new_hub: NewHub, link: Link) -> None:
    from hub.matrix.errors import MatrixError

    one, two = await new_hub("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    with pytest.raises(MatrixError) as refused:
        await one.say(room_id, "x", relates_to={"rel_type": "m.thread", "event_id": "$x"})
    assert refused.value.code == "matrix.relation_in_link"


async def test_x26_claiming_keys_fails_once(new_proxied: NewProxied, new_hub: NewHub, link: Link) -> None:
    (one, proxy), two = await new_proxied("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    proxy.fail("/keys/claim")
    with pytest.raises(HomeserverAway):
        await one.envelope(room_id, "primera")
    await one.envelope(room_id, "segunda")
    await two.gets("segunda")


@pytest.mark.parametrize("after", [False, True], ids=["not taken", "taken, unanswered"])
async def test_x27_a_failing_key_share_is_not_success(new_proxied: NewProxied, new_hub: NewHub, link: Link, after: bool) -> None:
    (one, proxy), two = await new_proxied("uno"), await new_hub("dos", server=1)
    room_id = await link(one, two)
    proxy.fail("/sendToDevice/", times=4, status=500, after=after)
    with pytest.raises((HomeserverAway, HomeserverRefused)):
        await one.envelope(room_id, "primera")
    assert not proxy.asked("/send/m.room.encrypted"), "nothing was sent that nobody could read"
    await one.envelope(room_id, "segunda")
    await two.gets("segunda")


def _session_of(hub: object, room_id: str) -> str:
    return str(hub.matrix._machine._outbound[room_id].session.id)
