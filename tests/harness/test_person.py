"""A `Person` is as careful as Element in strict mode, and notices what a careful person would notice."""

from __future__ import annotations

import pytest

from deploy.demo.person import NotSeen, PersonError
from tests.conftest import PASSWORD, NewAccount, NewPerson


async def test_thread_reply_mention_edit_and_redaction_across_federation(new_person: NewPerson) -> None:
    rosa = await new_person("rosa")
    bea = await new_person("bea", server=1, hubs={rosa.user_id})
    room = await rosa.create_room(invite=[bea.user_id])
    await rosa.in_room(room, with_members=[bea.user_id])

    card = await rosa.say(room, "tarjeta", mention=bea.user_id)
    seen = await bea.expect("tarjeta", room=room)
    await bea.say(room, "aceptar", thread=seen, reply_to=seen)
    answer = await rosa.expect("aceptar", thread=card)
    await rosa.edit(card, "tarjeta: aceptada")
    edited = await bea.expect("aceptada")
    await rosa.redact(card)
    await bea.expect_redacted(seen)

    assert (seen.shield, answer.shield, edited.shield) == (None, None, None)
    assert seen.mentions == {bea.user_id}
    assert (answer.thread, answer.reply_to) == (card, card)
    assert (edited.event_id, edited.edits) == (card, 1)
    assert [m.redacted for m in bea.transcript] == [True, False]


async def test_she_joins_only_where_her_hub_invites(new_person: NewPerson) -> None:
    hub = await new_person("enlace")
    stranger = await new_person("extranjera")
    bea = await new_person("bea", hubs={hub.user_id})
    refused = await stranger.create_room(invite=[bea.user_id])
    accepted = await hub.create_room(invite=[bea.user_id])
    await bea.in_room(accepted)
    assert bea.rooms == [accepted]
    assert refused not in bea.rooms


async def test_an_unsigned_device_gets_no_key_and_its_messages_carry_a_shield(new_person: NewPerson) -> None:
    rosa = await new_person("rosa")
    ghost = await new_person("sombra", hubs={rosa.user_id}, unsigned=True)
    room = await rosa.create_room(invite=[ghost.user_id])
    await rosa.in_room(room, with_members=[ghost.user_id])
    await rosa.say(room, "no es para ti")
    await ghost.say(room, "soy una sombra")
    assert (await rosa.expect("soy una sombra")).shield == "unsigned-device"
    assert (await ghost.expect("descifrar")).shield == "unreadable"
    with pytest.raises(PersonError, match="no cross-signing identity"):
        _ = ghost.fingerprint


async def test_a_second_device_reads_only_with_the_identity(new_person: NewPerson, new_account: NewAccount) -> None:
    rosa = await new_person("rosa")
    bea = await new_person("bea", hubs={rosa.user_id})
    room = await rosa.create_room(invite=[bea.user_id])
    await rosa.in_room(room, with_members=[bea.user_id])
    tablet = await new_person(user_id=bea.user_id, identity=bea.identity)
    ghost = await new_person(user_id=bea.user_id, unsigned=True)
    for device in (tablet, ghost):
        await device.in_room(room)
    await rosa.trusts(bea.user_id, tablet.device_id)

    await rosa.say(room, "para las dos")

    assert (await tablet.expect("para las dos")).shield is None
    assert (await bea.expect("para las dos")).shield is None
    assert (await ghost.expect("descifrar")).shield == "unreadable"


async def test_clear_text_in_an_encrypted_room_carries_a_shield(new_person: NewPerson) -> None:
    rosa = await new_person("rosa")
    bea = await new_person("bea", hubs={rosa.user_id})
    room = await rosa.create_room(invite=[bea.user_id])
    await rosa.in_room(room, with_members=[bea.user_id])
    await rosa.say(room, "a la vista", clear=True)
    assert (await bea.expect("a la vista")).shield == "clear"


async def test_she_does_not_speak_into_a_room_that_is_not_encrypted(new_person: NewPerson) -> None:
    rosa = await new_person("rosa")
    room = await rosa.create_room(encrypted=False)
    with pytest.raises(NotSeen):
        await rosa.in_room(room, within=0.5)


async def test_each_message_is_expected_once(new_person: NewPerson) -> None:
    rosa = await new_person("rosa")
    bea = await new_person("bea", hubs={rosa.user_id})
    room = await rosa.create_room(invite=[bea.user_id])
    await rosa.in_room(room, with_members=[bea.user_id])
    await rosa.say(room, "uno")
    await rosa.say(room, "dos")
    assert (await bea.expect("dos")).body == "dos"  # an earlier one that does not match stays waiting
    assert (await bea.expect("uno|dos")).body == "uno"
    with pytest.raises(NotSeen, match=r"(?s)waited 0 s.*uno.*dos"):
        await bea.expect("uno|dos", within=0.3)


async def test_a_wrong_password_is_told(new_account: NewAccount, new_person: NewPerson) -> None:
    user_id = await new_account("rosa")
    with pytest.raises(PersonError, match=r"log-in of .*rosa.* failed"):
        await new_person(user_id=user_id, password=PASSWORD + "!")
