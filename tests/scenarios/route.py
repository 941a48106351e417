"""The institutions of the route around one emergency centre, each with its own hub, all with the shipped protocols as they are.

Everything is typed, as people type: what a scenario says is what somebody at a desk could do and read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any
from unittest import mock

from keys.primitives import sha256
from tests.actions import road
from tests.fields.road import code_in, pick, thread, typed

CEM, COLECTIVA, POSTA, HOGAR = "cem-lima", "colectiva-miluska", "posta-comas", "hogar-luz"
FISCALIA, COMISARIA, INSPECTORIA, MIGRACIONES, ITS = "fiscalia-norte", "comisaria-sur", "inspectoria-pnp", "migraciones-lima", "centro-its"
KINDS = {
    CEM: "emergency_centre", COLECTIVA: "community_organisation", POSTA: "health_facility", HOGAR: "shelter", FISCALIA: "prosecutor",
    COMISARIA: "police_station", INSPECTORIA: "police_internal_affairs", MIGRACIONES: "migration_office", ITS: "sti_hiv_centre",
}  # fmt: skip


@cache
def _network() -> road.Net:
    # Nobody compares a short code here; its slow hash, once for each pair, would be most of the time.
    with mock.patch("keys.shortcode.argon2id", lambda secret, *, length, **_: sha256(secret)[:length]):
        return road.Net(*KINDS.items())


@dataclass(kw_only=True)
class Route:
    """One woman's case at the emergency centre, and everybody around it."""

    net: road.Net
    code: str = ""
    card: str = ""

    @classmethod
    def opened(cls, **fields: str) -> Route:
        """Opened and noted in words; the last word of a field's name may be anything the vocabulary calls it."""
        net = _network().again()
        made = cls(net=net)
        made.code = code_in(typed(net.cem, "!tk abrir Luz Inventada, mañana a las 10", None), "C")
        made.card = thread(net.cem, f"{made.code} · ")
        for field, value in fields.items():
            label = road.PACK.vocabulary.fields[field].label.es
            assert "Anotado" in made.ana(f"anotar {label}: {value}"), field
        return made

    def ana(self, words: str, name: str = "ana") -> str:
        return typed(self.net.cem, words, self.card, name)

    def agrees(self, to: str, purpose: str, fields: str = "todo lo necesario") -> None:
        assert "consentimiento anotado" in self.ana(f"consentimiento oral a {to} para {purpose} campos {fields} hasta 3 meses explicado")

    def preview(self, to: str, need: str) -> str:
        return self.ana(f"derivar a {to} por {need}")

    def refers(self, to: str, need: str) -> Desk:
        """Offered, accepted and delivered: the other desk, in its thread."""
        self.ana(pick(self.preview(to, need), "enviar la oferta"))
        self.net.settle()
        there = self.desk(to)
        typed(there.twin, "aceptar", there.card)
        self.net.settle()
        return there

    def desk(self, name: str) -> Desk:
        twin = self.net[name]
        code = code_in(twin.find("· derivación de").body, "R")
        return Desk(net=self.net, twin=twin, code=code, card=thread(twin, f"{code} · derivación"))

    def holds(self, name: str, words: str) -> bool:
        """Whether these words stand in any byte of that hub, or were said in any of its rooms."""
        twin = self.net[name]
        twin.post()
        return words.encode() in road.everything(twin) or any(words in said.body for said in twin.said)

    def offered(self, name: str) -> int:
        """How many referrals that hub ever heard of."""
        count: int = self.net[name].run(lambda unit: unit.referrals.count())
        return count


@dataclass(kw_only=True)
class Desk:
    """The desk of an institution that received her."""

    net: road.Net
    twin: Any
    code: str
    card: str

    def types(self, words: str, name: str = "ana") -> str:
        said = typed(self.twin, words, self.card, name)
        self.net.settle()
        return said

    def sees(self) -> dict[str, str]:
        """Each field it holds, as it may be read in the direct chat there."""
        code = self.code
        found = self.twin.run(lambda unit: unit.referrals.one(code=code))
        return {field: value for field, (_, value) in road.held(self.twin, found).items()}
