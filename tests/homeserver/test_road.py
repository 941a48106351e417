"""The plain road: two hubs over federation, and a hub with a caseworker's client."""

from __future__ import annotations

from hub.matrix.ports import RoomSpec
from tests.conftest import NewPerson
from tests.homeserver.conftest import NewHub


async def test_two_hubs_exchange_over_a_link(new_hub: NewHub) -> None:
    one, two = await new_hub("uno"), await new_hub("dos", server=1)
    await one.trust_peer(two)
    await two.trust_peer(one)
    room_id = await one.link_to(two)
    await one.envelope(room_id, "ida")
    there = await two.gets("ida")
    assert (there.standing, there.sender, there.device_key) == ("peer", one.user_id, one.matrix.device.ed25519)
    await two.envelope(room_id, "vuelta")
    assert (await one.gets("vuelta")).type == "org.tinkuy.envelope.v1"


async def test_a_caseworker_talks_with_the_hub(new_hub: NewHub, new_person: NewPerson) -> None:
    hub = await new_hub()
    person = await new_person("rosa", hubs={hub.user_id})
    await hub.trust_staff(person.user_id)
    desk = await hub.room(RoomSpec(purpose="desk", members=frozenset({person.user_id}), name="Tinkuy"))
    await person.in_room(desk, with_members=[hub.user_id])
    await hub.members(desk, person.user_id)
    sent = await hub.say(desk, "hola Rosa")
    await person.expect("hola Rosa", room=desk)
    root = await person.say(desk, "!tk ayuda", thread=sent)
    heard = await hub.gets("!tk ayuda")
    assert (heard.standing, heard.thread_root, heard.event_id) == ("staff", sent, root)
    assert (await hub.reported("first_sight")).user_id == person.user_id
