"""A shortened road that waits through restarts: whoever types does so once, whatever becomes of the hub meanwhile."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field

from deploy.demo.network import HubProcess, Network
from deploy.demo.person import Person
from deploy.demo.transcript import Message
from hub.web.control import HubAway

PATIENCE = 90.0
"""Seconds. A hub that was killed is back after three; after a failed sync it waits some more."""
FIGURES = re.compile(r"\d+")


@dataclass(kw_only=True)
class ShortRoad:
    """Open, consent, refer, accept, disclose, talk, show, withdraw, confirmed."""

    network: Network
    code: str = ""
    referral: str = ""
    began: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ana, self.bea = self.network.people["ana"], self.network.people["bea"]
        self.cem, self.csmc = self.network.hubs["cem-lima"], self.network.hubs["csmc-comas"]

    async def play(self) -> None:
        """The whole of it."""
        await self.until_disclosed()
        await self.talk()
        await self.withdraw()

    async def until_disclosed(self) -> None:
        """From nothing to a disclosed case."""
        await self.begin()
        await self.open()
        await self.consent()
        await self.refer()
        await self.accept()

    async def begin(self) -> None:
        """Look up the rooms, and forget what earlier roads said."""
        self.desk, self.there = await room(self.cem, "desk"), await room(self.csmc, "desk")
        self.direct = await room(self.csmc, f"direct:{self.bea.user_id}")
        for person in (self.ana, self.bea):
            arrived = person._transcript.arrivals
            person._consumed.update(range(len(arrived)))
            self.began[person.user_id] = len({m.event_id for m in arrived})

    async def open(self) -> None:
        said = await self._say(self.ana, self.desk, "!tk abrir Luz Inventada, mañana a las 10", r"Listo: C-")
        self.code = said.code("C")
        self.card = await self._hear(self.ana, rf"{self.code} · Luz Inventada", self.desk)
        for words in ("anotar contacto seguro: solo por la mañana", "anotar salud mental: insomnio (inventado)"):
            await self._say(self.ana, self.desk, words, f"Anotado en {self.code}", thread=self.card)

    async def consent(self) -> None:
        words = f"!tk consentimiento {self.code} oral a csmc-comas para salud mental campos lo necesario hasta 3 meses explicado"
        await self._say(self.ana, self.desk, words, f"{self.code}: consentimiento anotado")

    async def refer(self) -> None:
        shown = await self._say(self.ana, self.desk, f"!tk derivar {self.code} a csmc-comas por salud mental", f"Vista previa · {self.code}")
        said = await self._say(self.ana, self.desk, shown.choice("enviar"), r"R-\w{5} en camino")
        self.referral = said.code("R")
        self.offer = await self._hear(self.bea, rf"{self.referral} · derivación", self.there)
        await self._hear(self.ana, rf"{self.referral}: .*acuse firmado", self.desk)

    async def accept(self) -> None:
        await self.bea.say(self.there, self.offer.choice("aceptar"), thread=self.offer)
        await self._hear(self.ana, rf"{self.referral}: .*aceptó", self.desk)
        await self._hear(self.bea, rf"{self.referral}: llegaron los datos", self.there)

    async def talk(self) -> None:
        await self._say(self.bea, self.there, "decir: ¿le sirve el martes?", f"sellado .{self.referral}", thread=self.offer)
        await self._hear(self.ana, r"le sirve el martes", self.desk)
        await self._say(self.ana, self.desk, "decir: sí, ella puede", f"sellado .{self.referral}", thread=self.card)
        await self._hear(self.bea, r"sí, ella puede", self.there)
        await self.bea.say(self.there, "ver", thread=self.offer)
        self.shown = await self._hear(self.bea, "insomnio", self.direct)

    async def withdraw(self) -> None:
        stops = await self._say(self.ana, self.desk, f"!tk retirar {self.code}", f"{self.code}: se retira")
        await self._say(self.ana, self.desk, stops.choice("retirar"), f"{self.code}: retirado")
        await self._hear(self.ana, rf"{self.referral}: .*destruyó los datos", self.desk)
        await self._hear(self.bea, rf"{self.referral}: retirado", self.there)
        await self.bea.expect_redacted(self.shown, within=PATIENCE)

    async def _say(self, who: Person, room: str, words: str, answer: str, thread: Message | None = None) -> Message:
        await who.say(room, words, thread=thread)
        return await self._hear(who, answer, room)

    async def _hear(self, who: Person, pattern: str, room: str) -> Message:
        return await who.expect(pattern, room=room, within=PATIENCE)

    def seen(self) -> dict[str, Counter[str]]:
        """What each of the two saw of this road, as it stands now: how often each message, without codes, numbers and times."""
        return {name: Counter(self._plain(m) for m in self._mine(who)) for name, who in (("ana", self.ana), ("bea", self.bea))}

    def _mine(self, who: Person) -> list[Message]:
        fresh = who.transcript[self.began[who.user_id] :]
        rooms = (self.desk, self.there, self.direct)
        # What was redacted before it could be read is an old version of a card: edits are no messages of their own.
        return [m for m in fresh if m.sender != who.user_id and m.room in rooms and not (m.redacted and not m.kind)]

    def _plain(self, message: Message) -> str:
        words = message.body.replace(self.code, "C").replace(self.referral or "R-?????", "R")
        return "(retirado)" if message.redacted else FIGURES.sub("#", words)


async def room(hub: HubProcess, purpose: str) -> str:
    """The id of a hub's room, also of a hub that is down just now."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await hub.room(purpose)
            except (HubAway, OSError):
                await asyncio.sleep(0.1)
