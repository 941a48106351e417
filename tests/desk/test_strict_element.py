"""A referral by typing, with Element's own crypto in strict mode, by people who were enrolled before they ever logged in (issue 2, 3.3).

The visitors have no device when the network stands. Each logs in, sets up her cross-signing, accepts what the hub invites her to, and
types. No hub message may be unreadable, unencrypted, or carry a shield; every command is answered, also across `kill -9` of her hub.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

from deploy.demo.network import HubProcess, Network
from deploy.demo.transcript import Message
from tests.jsclient.js_person import JsPerson

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]

WITHIN = 60.0
PHONE, STORY = "900 000 017", "MARCADOR-RELATO-5512"


@dataclass(kw_only=True)
class Visitor:
    """A visitor account at one institution, and the two rooms that matter to her."""

    hub: HubProcess
    client: JsPerson
    desk: str
    direct: str

    async def asks(self, words: str, answer: str, *, room: str | None = None, thread: Message | str | None = None) -> Message:
        """Type something and wait for the answer."""
        await self.client.say(room or self.desk, words, thread=thread)
        return await self.client.expect(answer, room=room or self.desk, within=WITHIN)

    async def sees(self, pattern: str, *, room: str | None = None) -> Message:
        return await self.client.expect(pattern, room=room or self.desk, within=WITHIN)


async def visit(network: Network, institution: str, stack: AsyncExitStack) -> Visitor:
    """First login of a visitor. Her first words are typed the moment her rooms are open, before the hub can have rested."""
    hub = network.hubs[institution]
    user, password = hub.accounts[hub.plan.visitor]
    desk, direct = await hub.room("desk"), await hub.room(f"direct:{user}")
    client = await stack.enter_async_context(JsPerson(url=hub.server.url, user_id=user, password=password, hubs=[hub.user_id], strict=True))
    await client.in_room(desk, with_members=[hub.user_id])
    await client.in_room(direct, with_members=[hub.user_id])
    return Visitor(hub=hub, client=client, desk=desk, direct=direct)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[AsyncExitStack]:
    """Everything that is opened on the way.

    The SDK asks for the root of every thread; that of a case older than her is refused, and in Node an unhandled refusal would end the
    client. A browser only notes it, and so must Node.
    """
    async with AsyncExitStack() as entered:
        patch = entered.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("NODE_OPTIONS", "--unhandled-rejections=warn")
        yield entered


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def visitor(network: Network, stack: AsyncExitStack) -> Visitor:
    """She comes into a desk where others already work: their older messages are not for her, and none may stand there unreadable."""
    ana, desk = network.people["ana"], await network.hubs["cem-lima"].room("desk")
    await ana.say(desk, "!tk abrir Sol Inventada, mañana a las 9")
    card = await ana.expect(r"C-\w{5} · Sol Inventada", room=desk)
    entered = await visit(network, "cem-lima", stack)
    await ana.say(desk, "anotar riesgo: alto", thread=card)
    await ana.expect("Anotado en", room=desk)
    return entered


async def nothing_odd(*visitors: Visitor) -> None:
    """Every hub message in her rooms: read, encrypted, no shield; the hub's identity asks nothing of her."""
    for one in visitors:
        shown = [m for room in (one.desk, one.direct) for m in await one.client.transcript(room) if m.sender == one.hub.user_id]
        assert shown
        odd = [(m.shield, m.body[:60]) for m in shown if not m.redacted and (m.shield is not None or m.body.startswith("UNREADABLE"))]
        assert not odd, odd
        identity = await one.client.identity(one.hub.user_id)
        assert all(identity["devices"].values()), identity
        assert not identity["needs_approval"]


async def test_help_answers_the_first_words_of_a_visitor(visitor: Visitor) -> None:
    await visitor.asks("!tk ayuda", "derivar")
    await visitor.asks("ayuda", "ver C-", room=visitor.direct)
    await nothing_odd(visitor)


async def open_by_dialogue(visitor: Visitor) -> str:
    await visitor.asks("!tk abrir", "¿Cómo quiere que la llamen")
    await visitor.asks("Alba Inventada", "próximo contacto con ella")
    await visitor.asks("mañana a las 10", "contactar sin ponerla en riesgo")
    await visitor.asks("solo mensajes, de día", "nivel de riesgo")
    await visitor.asks("alto", "¿Qué necesita")
    for _ in range(3):
        await visitor.asks("saltar", r"idiomas|apoyo|agresora")
    said = await visitor.asks("saltar", r"Listo: C-")
    return said.code("C")


async def consent_by_dialogue(visitor: Visitor, code: str) -> None:
    await visitor.asks(f"!tk consentimiento {code}", "¿Le explicó esto")
    await visitor.asks("sí", "qué instituciones")
    await visitor.asks("CSMC Comas (demo)", r"¿Para qué\?")
    await visitor.asks("salud mental", "Qué datos acepta")
    await visitor.asks("lo necesario", "Hasta cuándo")
    await visitor.asks("3 meses", "Cómo dio su consentimiento")
    await visitor.asks("de palabra", "consentimiento anotado")


async def killed(hub: HubProcess) -> None:
    """`kill -9`, and gone."""
    hub.kill()
    if hub.process:
        await hub.process.wait()


async def test_a_referral_by_typing_from_first_login_to_withdrawal(network: Network, visitor: Visitor, stack: AsyncExitStack) -> None:
    code = await open_by_dialogue(visitor)
    card = await visitor.sees(rf"{code} · Alba Inventada")
    noted = (f"teléfono: {PHONE}", f"relato: {STORY}", "salud mental: insomnio (inventado)", "nombre legal: Nombre Inventado")
    for words in noted:
        await visitor.asks(f"anotar {words}", "Anotado en", thread=card)

    await killed(visitor.hub)
    await visitor.client.say(visitor.desk, f"!tk ver {code}")  # typed while the hub is down: answered when it is back
    await visitor.hub.start()
    await visitor.sees(PHONE, room=visitor.direct)

    await consent_by_dialogue(visitor, code)
    there = await visit(network, "csmc-comas", stack)  # first login in the very minute in which work arrives
    shown = await visitor.asks(f"!tk derivar {code} a csmc-comas por salud mental", "Vista previa")
    assert "Nombre legal" in shown.body.partition("No sale")[2]
    assert STORY not in shown.body
    assert PHONE not in shown.body
    said = await visitor.asks(shown.choice("enviar"), r"R-\w{5} en camino")
    referral = said.code("R")
    offer = await there.sees(rf"{referral} · derivación")
    assert "Alba" not in offer.body
    await there.client.say(there.desk, offer.choice("aceptar"), thread=offer)
    await visitor.sees(rf"{referral}: .*aceptó")
    await there.sees("llegaron los datos")
    await there.client.say(there.desk, "ver", thread=offer)
    private = await there.sees("insomnio", room=there.direct)
    assert STORY not in private.body

    await killed(there.hub)
    await there.hub.start()
    await there.asks("decir: ¿le sirve el martes?", "Enviado a", thread=offer)
    theirs = await visitor.sees("le sirve el martes")
    await visitor.client.say(visitor.desk, "Sí, ese día puede", thread=card, reply_to=theirs)  # no verb: replying to their words is enough
    asked = await visitor.sees(r"¿se lo envío a")
    await visitor.client.say(visitor.desk, asked.choice("enviarlo"))
    await visitor.sees(rf"Enviado a .*{referral}")
    await there.sees("ese día puede")

    known = await visitor.asks(f"!tk quién sabe {code}", "quién sabe qué")
    assert "CSMC Comas" in known.body
    await visitor.client.say(visitor.direct, f"ver {code}")
    own = await visitor.sees(PHONE, room=visitor.direct)
    assert own.kind == "m.notice"
    stops = await visitor.asks(f"!tk retirar {code}", "se retira")
    await visitor.asks(stops.choice("retirar"), f"{code}: retirado")
    await visitor.sees(rf"{referral}: .*destruyó los datos")
    await there.sees("retirado")
    await gone(there, private)
    await nothing_odd(visitor, there)
    for _ in range(int(WITHIN)):  # each message is taken out by an event of its own
        left = [m.body for m in await there.client.transcript(there.desk) if not m.redacted and re.search(r"Alba|insomnio", m.body)]
        if not left:
            break
        await asyncio.sleep(1)
    assert not left, f"{len(left)} messages still show her"


async def gone(there: Visitor, message: Message) -> None:
    """Wait until what was shown in private is redacted."""
    for _ in range(int(WITHIN)):
        if any(m.event_id == message.event_id and m.redacted for m in await there.client.transcript(there.direct)):
            return
        await asyncio.sleep(1)
    raise AssertionError("what was shown in private still stands there")
