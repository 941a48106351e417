"""One referral between twins, by typing, as the demo plays it; for tests that need a whole road over some database."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from hub.store.database import Database
from hub.testing import Twin, TwinNetwork

CEM, CSMC = "cem-lima", "csmc-comas"
PHONE = "900 000 001"


@contextmanager
def network(url: Callable[[str], str] = lambda name: "sqlite://") -> Iterator[TwinNetwork]:
    """Two twins with one caseworker each."""
    made = TwinNetwork((CEM, "emergency_centre"), (CSMC, "mental_health_centre"), url=url)
    try:
        made[CEM].enrol("ana")
        made[CSMC].enrol("bea")
        made.settle()
        yield made
    finally:
        for twin in made.twins.values():
            database_of(twin).engine.dispose()


def database_of(twin: Twin) -> Database:
    """Where a twin keeps its rows."""
    return twin.store._database


class Walk:
    """The stations; each leaves both hubs settled unless it says otherwise."""

    def __init__(self, made: TwinNetwork) -> None:
        self.network, self.cem, self.csmc = made, made[CEM], made[CSMC]

    def all(self) -> str:
        """The whole road. Returns both desks' transcripts, codes made equal."""
        self.open()
        self.refer()
        self.accept()
        self.network.settle()
        assert PHONE in self.csmc.type("bea", "ver", thread=self.offer)
        self.csmc.type("bea", "decir: ¿le sirve el martes a las 9?", thread=self.offer)
        self.network.settle()
        self.cem.type("ana", f"!tk quién sabe {self.code}")
        self.network.clock.advance(timedelta(days=1))
        self.cem.ring()
        self.network.settle()
        self.withdraw()
        self.network.settle()
        assert "destruido, confirmado" in self.cem.type("ana", f"!tk quién sabe {self.code}")
        assert (self.cem.refused, self.csmc.refused) == ([], [])
        return self.transcript()

    def open(self) -> None:
        """A case with values and consent."""
        self.code = _found(r"C-\w{5}", self.cem.type("ana", "!tk abrir Luz Inventada, mañana a las 10"))
        self.card = self.cem.find(f"{self.code} · Luz Inventada").event
        for words in ("anotar riesgo: alto", "anotar salud mental: insomnio (inventado)", f"anotar teléfono: {PHONE}"):
            self.cem.type("ana", words, thread=self.card)
        terms = "oral a csmc-comas para salud mental campos lo necesario hasta 3 meses explicado"
        self.cem.type("ana", f"!tk consentimiento {self.code} {terms}")

    def refer(self) -> None:
        """Offered and acknowledged."""
        shown = self.cem.type("ana", f"!tk derivar {self.code} a {CSMC} por salud mental")
        self.referral = _found(r"R-\w{5}", self.cem.type("ana", _found(r"(\d+)[.)]? +enviar", shown)))
        self.network.settle()
        self.offer = self.csmc.find(f"{self.referral} · derivación").event

    def accept(self) -> None:
        """Accepted there and heard here: the disclosure now waits in the sender's outbox."""
        number = _found(r"(\d+)[.)]? +aceptar", self.csmc.find(f"{self.referral} · derivación").body)
        self.csmc.type("bea", number, thread=self.offer)
        self.network.clock.advance(timedelta(seconds=1))
        self.network.deliver(self.csmc)

    def withdraw(self) -> None:
        """Taken back, and the signed withdrawal is on its way."""
        shown = self.cem.type("ana", f"!tk retirar {self.code}")
        self.cem.type("ana", _found(r"(\d+)[.)]? +retirar", shown))

    def transcript(self) -> str:
        """What stands in every room."""
        said = [f"{twin.id} {one.room} {one.body}" for twin in (self.cem, self.csmc) for one in twin.said]
        return re.sub(r"\b([CR])-\w{5}\b", r"\1-XXXXX", "\n".join(said))


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, f"`{pattern}` was not said"
    return match[match.lastindex or 0]
