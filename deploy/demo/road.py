"""The demo's one referral, played by real encrypted clients and checked at every station (`design.md` §5).

Everybody is invented. Each station waits for what its person would see, and raises when she does not see it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from deploy.demo.network import HubProcess, Network
from deploy.demo.person import Person
from deploy.demo.transcript import Message, render

SECRET_ACCOUNT = "MARCADOR-RELATO-7391"
"""Written into a field that the protocol withholds: it must never be seen at the recipient."""


@dataclass(kw_only=True)
class Road:
    """The stations, in order. `checks` says what was verified."""

    network: Network
    checks: list[str] = field(default_factory=list)

    async def play(self) -> None:
        """Open, consent, refer, accept, disclose, a second referral declined, talk, ask, check in, who knows, withdraw, confirmed."""
        self.cem, self.csmc = self.network.hubs["cem-lima"], self.network.hubs["csmc-comas"]
        self.ana, self.bea = self.network.people["ana"], self.network.people["bea"]
        self.desk, self.desk_there = await self.cem.room("desk"), await self.csmc.room("desk")
        await self._open()
        await self._consent()
        await self._refer()
        await self._accept()
        await self._declined()
        await self._talk()
        await self._ask_more()
        await self._check_in()
        await self._who_knows()
        await self._withdraw()

    def _passed(self, what: str) -> None:
        self.checks.append(what)

    async def _say(self, who: Person, room: str, words: str, answer: str, thread: Message | str | None = None) -> Message:
        """Type something and wait for the hub's answer."""
        await who.say(room, words, thread=thread)
        return await who.expect(answer, room=room)

    async def _open(self) -> None:
        said = await self._say(self.ana, self.desk, "!tk abrir Luz Inventada, mañana a las 10", r"Listo: C-")
        self.code = said.code("C")
        self.card = await self.ana.expect(rf"{self.code} · Luz Inventada", room=self.desk)
        for words in (
            "anotar contacto seguro: solo por la mañana, puede contestar su hermana", "anotar riesgo: alto",
            "anotar salud mental: insomnio y miedo (inventado)", "anotar teléfono: 900 000 001", f"anotar relato: {SECRET_ACCOUNT}",
            "anotar nombre legal: Nombre Legal Inventado",
        ):  # fmt: skip
            await self._say(self.ana, self.desk, words, "Anotado en", thread=self.card)
        await self._say(self.ana, self.desk, "control en 1 minuto", "aviso de seguimiento", thread=self.card)
        self._passed("caso abierto con nombre elegido y próxima fecha; control programado")

    async def _consent(self) -> None:
        words = (
            f"!tk consentimiento {self.code} oral a csmc-comas, colectiva-miluska para salud mental, acompañamiento "
            "campos lo necesario hasta 3 meses explicado"
        )
        await self._say(self.ana, self.desk, words, "consentimiento anotado")
        self._passed("consentimiento oral, informado, con plazo")

    async def _refer(self) -> None:
        shown = await self._say(self.ana, self.desk, f"!tk derivar {self.code} a csmc-comas por salud mental", "Vista previa")
        assert "No sale" in shown.body and "Nombre legal" in shown.body, shown.body
        assert SECRET_ACCOUNT not in shown.body
        number = shown.choice("enviar")
        said = await self._say(self.ana, self.desk, number, r"R-\w{5} en camino")
        self.referral = said.code("R")
        self.offer = await self.bea.expect(rf"{self.referral} · derivación", room=self.desk_there)
        assert "Luz" not in self.offer.body, "an offer names nobody"
        await self.ana.expect(rf"{self.referral}: .*acuse firmado", room=self.desk)
        self._passed("vista previa, oferta sin ninguna persona, acuse firmado")

    async def _accept(self) -> None:
        number = self.offer.choice("aceptar")
        await self.bea.say(self.desk_there, number, thread=self.offer)
        await self.ana.expect(rf"{self.referral}: .*aceptó", room=self.desk)
        await self.bea.expect(r"llegaron los datos", room=self.desk_there)
        card = await self.bea.expect(r"Luz Inventada", room=self.desk_there)
        assert "900 000 001" not in card.body, "identifiers are shown only in the direct chat"
        direct = await self.csmc.room(f"direct:{self.bea.user_id}")
        await self.bea.say(self.desk_there, "ver", thread=self.offer)
        self.shown = await self.bea.expect(r"insomnio", room=direct)
        assert SECRET_ACCOUNT not in self.shown.body and "Nombre Legal" not in self.shown.body, "withheld fields arrived"
        self._passed("aceptada; llegó solo lo permitido; los datos se muestran en el chat directo")

    async def _declined(self) -> None:
        """The third institution is asked too, at the same time and under another code; it cannot, and never saw a person."""
        carla, there = self.network.people["carla"], await self.network.hubs["colectiva-miluska"].room("desk")
        shown = await self._say(self.ana, self.desk, f"!tk derivar {self.code} a colectiva-miluska por acompañamiento", "Vista previa")
        number = shown.choice("enviar")
        said = await self._say(self.ana, self.desk, number, r"R-\w{5} en camino")
        other = said.code("R")
        assert other != self.referral, "two institutions never share a code"
        offer = await carla.expect(rf"{other} · derivación", room=there)
        await carla.say(there, "rechazar sin cupo", thread=offer)
        await self.ana.expect(rf"{other}: .*no puede", room=self.desk)
        assert not carla.seen("Luz|insomnio|900 000 001"), "an institution that declines never sees a person"
        self._passed("la tercera institución no puede: motivo codificado, y nunca vio a la persona")

    async def _talk(self) -> None:
        await self._say(self.bea, self.desk_there, "decir: ¿le sirve el martes a las 9?", "Enviado a", thread=self.offer)
        got = await self.ana.expect(r"martes a las 9", room=self.desk)
        await self.ana.say(self.desk, "decir: sí, ella puede", thread=got.thread or self.card)
        await self.bea.expect(r"sí, ella puede", room=self.desk_there)
        await self.ana.say(self.desk, "nota interna: no olvidar el pasaje", thread=self.card)
        await self._say(self.bea, self.desk_there, "avance en curso", "en curso", thread=self.offer)
        await self.ana.expect(rf"{self.referral}: .*atendiendo", room=self.desk)
        assert not self.bea.seen("pasaje"), "an internal note went out"
        self._passed("conversación sellada entre mesas; la nota interna no salió")

    async def _ask_more(self) -> None:
        await self.bea.say(self.desk_there, "pedir medicinas que toma para no duplicar la receta", thread=self.offer)
        asked = await self.ana.expect(r"pide un dato más", room=self.desk)
        number = asked.choice("no darlo")
        await self._say(self.ana, self.desk, number, "no se da", thread=asked.thread)
        await self.bea.expect(r"no da «", room=self.desk_there)
        self._passed("pedido de un dato más, con motivo, decidido por número")

    async def _check_in(self) -> None:
        rung = await self.ana.expect(r"toca el contacto de seguimiento", room=self.desk, within=100)
        assert self.ana.user_id in rung.mentions, "the lead is rung"
        number = rung.choice("contactada y a salvo")
        await self._say(self.ana, self.desk, number, "anotado, contactada", thread=rung.thread)
        self._passed("el control sonó a su hora y se respondió por número")

    async def _who_knows(self) -> None:
        known = await self._say(self.ana, self.desk, f"!tk quién sabe {self.code}", "quién sabe qué")
        assert "CSMC Comas" in known.body and "lo tiene" in known.body and "consentimiento" in known.body, known.body
        self._passed("quién sabe qué: institución, datos, desde, hasta, protocolo y consentimiento")

    async def _withdraw(self) -> None:
        stops = await self._say(self.ana, self.desk, f"!tk retirar {self.code}", "se retira")
        number = stops.choice("retirar")
        await self._say(self.ana, self.desk, number, "retirado")
        await self.ana.expect(rf"{self.referral}: .*destruyó los datos", room=self.desk)
        await self.bea.expect(r"retirado", room=self.desk_there)
        await self.bea.expect_redacted(self.shown)
        known = await self._say(self.ana, self.desk, f"!tk quién sabe {self.code}", "destruido, confirmado con firma")
        assert "CSMC Comas" in known.body
        hers = "Luz Inventada|insomnio|900 000 001"
        # Each message is taken out by an event of its own: the receipt of the destruction does not wait for the last one to reach her screen.
        await self.bea.until(lambda: not self.bea.seen(hers), within=30, what="the end of every message that shows her at the recipient")
        self._passed("retirada confirmada con firma; en la otra mesa queda solo el código")


async def conversation(hub: HubProcess, people: list[Person]) -> str:
    """What each person of an institution saw, for printing."""
    rooms = {room: {"desk": "mesa"}.get(purpose.split(":")[0], purpose.split(":")[0]) for purpose, room in (await hub.ask("rooms")).items()}
    names = {user: account for account, (user, _) in hub.accounts.items()} | {hub.user_id: "Tinkuy"}

    def seen(person: Person) -> str:
        words = render(person.transcript, names=lambda user: names.get(user, user), room_names=lambda room: rooms.get(room, "directo"))
        return f"=== {hub.plan.name}: así lo vio {names[person.user_id]} ===\n{words}"

    return "\n\n".join(seen(person) for person in people)
