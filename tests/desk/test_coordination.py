"""A coordination room on whole hubs and two federated homeservers, with real encrypted clients: who reads the card, and who does not any more."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import quote

import pytest

from deploy.demo.network import Network
from deploy.demo.person import Person, PersonError
from deploy.demo.transcript import Message

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]
NEEDS = (("csmc-comas", "bea", "salud mental"), ("colectiva-miluska", "carla", "acompañamiento"))


async def answered(who: Person, room: str, words: str, answer: str, thread: Message | str | None = None) -> Message:
    await who.say(room, words, thread=thread)
    return await who.expect(answer, room=room)


async def out(watcher: Person, room: str, user: str) -> None:
    """As somebody sees it who is still there."""
    await watcher.until(lambda: user not in watcher.client.rooms[room].users, within=60, what=f"{user} put out of the room")


async def stands_on_top(who: Person, room: str, words: str) -> Message:
    """The one message that is pinned, once it is the newest with these words."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(PersonError):
                state = await who.request("GET", f"/_matrix/client/v3/rooms/{quote(room)}/state/m.room.pinned_events")
                found = [one for one in who.seen(words, room=room) if state == {"pinned": [one.event_id]}]
                if found:
                    return found[0]
            await asyncio.sleep(0.2)


async def two_referrals(network: Network) -> tuple[str, Message, dict[str, Message]]:
    """A case of Ana's with two accepted referrals, at two institutions on two homeservers: its code, its card, the cards over there."""
    ana, desk = network.people["ana"], await network.hubs["cem-lima"].room("desk")
    said = await answered(ana, desk, "!tk abrir Luz Inventada, mañana a las 10", r"Listo: C-")
    code = said.code("C")
    card = await ana.expect(rf"{code} · Luz Inventada", room=desk)
    for words in ("anotar contacto seguro: solo por la mañana", "anotar riesgo: alto", "anotar distrito: Comas", "anotar relato: RELATO-INVENTADO"):
        await answered(ana, desk, words, "Anotado en", thread=card)
    both = "a csmc-comas, colectiva-miluska para salud mental, acompañamiento campos lo necesario hasta 3 meses explicado"
    await answered(ana, desk, f"!tk consentimiento {code} oral {both}", "consentimiento anotado")
    offers = {}
    for institution, person, need in NEEDS:
        shown = await answered(ana, desk, f"!tk derivar {code} a {institution} por {need}", "Vista previa")
        said = await answered(ana, desk, shown.choice("enviar"), r"R-\w{5} en camino")
        there, other = network.people[person], await network.hubs[institution].room("desk")
        offers[institution] = await there.expect(rf"{said.code('R')} · derivación", room=other)
        await there.say(other, offers[institution].choice("aceptar"), thread=offers[institution])
        await there.expect("llegaron los datos", room=other)
    await ana.expect("se entregaron los datos", room=desk)
    return code, card, offers


async def test_a_card_that_every_institution_present_may_see(network: Network) -> None:
    cem = network.hubs["cem-lima"]
    ana, bea, carla = (network.people[name] for name in ("ana", "bea", "carla"))
    for person in (bea, carla):
        person.hubs.add(cem.user_id)  # as somebody who accepts the invitation in her client
    desk = await cem.room("desk")
    code, _, _ = await two_referrals(network)

    shown = await answered(ana, desk, f"!tk reunir {code} a csmc-comas y colectiva-miluska", "Todas leerían lo mismo")
    assert "Responda con el número" in shown.body
    opened = await answered(ana, desk, shown.choice("abrir la sala"), r"sala S-\w{5} abierta")
    room_code = opened.code("S")
    for institution, name, _ in NEEDS:
        there, other = network.people[name], await network.hubs[institution].room("desk")
        asked = await there.expect(rf"reunión de caso \({room_code}\)", room=other)
        await there.say(other, asked.choice("participar"), thread=asked.thread)
        await there.expect("participa usted", room=other)

    card_there = rf"{room_code} · reunión de caso\nPresentes: .*CSMC.*\n"
    seen = [await person.expect(card_there, sender=cem.user_id, within=60) for person in (bea, carla)]
    room = seen[0].room
    assert seen[1].room == room
    for message in seen:
        assert "Luz Inventada" in message.body
        assert "RELATO-INVENTADO" not in message.body
        assert message.shield is None, "the hub's device is one that its own identity signed"

    await stands_on_top(carla, room, "quién hace qué")  # R49; the state holds its event id alone

    who = await answered(bea, room, "!tk quién ve", "Aquí no se muestra, se sepa o no")
    assert all(name in who.body for name in ("CSMC Comas", "Colectiva Miluska", "(bea)"))
    await bea.say(room, "colegas, ¿quién la acompaña el martes?")
    await carla.expect("quién la acompaña el martes", room=room)
    refused = await answered(carla, room, "!tk ver", "chat directo")
    assert refused.sender == network.hubs["colectiva-miluska"].user_id, "her own hub tells her"
    table = await answered(carla, room, "!tk responsables", "quién hace qué")
    assert "Lleva el caso: CEM Lima" in table.body

    # Administrators see who is there, and keep tables, which carry nothing of anybody.
    assert "bea" in await cem.command("tables", "who", room_code)
    opened_table = await cem.command("tables", "open", "Mesa Lima Norte", "--with", "csmc-comas")
    print(await cem.command("tables", "list"), opened_table, sep="\n")

    # Off-boarded at her own institution: out of the room within the next turn, and the next words are not for her.
    csmc = network.hubs["csmc-comas"]
    await csmc.command("staff", "remove", bea.user_id, "--yes")
    await out(ana, room, bea.user_id)
    await ana.say(room, "sigamos sin ella: PALABRAS-DESPUES")
    await carla.expect("PALABRAS-DESPUES", room=room)
    assert not bea.seen("PALABRAS-DESPUES")
    assert "(bea)" not in (await answered(ana, room, "!tk quién ve", "nadie ahora")).body

    # She takes it back from one: its people go, the card they saw is redacted, the rest goes on.
    stops = await answered(ana, desk, f"!tk retirar {code} de colectiva-miluska", "se retira")
    await ana.say(desk, stops.choice("retirar"))
    await carla.expect_redacted(seen[1], within=60)
    await out(ana, room, carla.user_id)
    await carla.until(lambda: not carla.seen("Luz Inventada|solo por la mañana"), within=60, what="nothing of hers, at her own desk either")
