"""Three hubs, a woman's case, two accepted referrals, everybody's key pinned: where the tests of coordination rooms begin."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from typing import Any

from hub.actions import staff
from hub.cases.records import Case, Referral, Seat
from hub.testing import Twin
from tests.actions.road import CEM, CSMC, HOGAR, HUBS, NEED, PURPOSE, Moment, Net, consented, offered, opened, taken

SHELTER, SHELTER_PURPOSE = "shelter", "shelter_protection"
LUZ = {
    "social_name": "Luz Ejemplo", "phone": "900000123", "safe_contact": "solo de día", "risk_level": "high", "district": "Comas",
    "age": "34", "account": "RELATO-INVENTADO", "needs": "mental_health,shelter", "languages": "qu", "legal_name": "Nombrelegal Inventado",
    "mental_health_summary": "insomnio", "appointment_limits": "los martes",
}  # fmt: skip


def key_of(user: str) -> str:
    """An invented master key for an account."""
    return base64.b64encode(hashlib.sha256(user.encode()).digest()).decode().rstrip("=")


@dataclass(kw_only=True)
class Meeting:
    """The network with a case in hand."""

    net: Net
    case: Case
    referrals: dict[str, Referral]
    card: str

    @property
    def cem(self) -> Twin:
        return self.net[CEM]

    @property
    def csmc(self) -> Twin:
        return self.net[CSMC]

    @property
    def hogar(self) -> Twin:
        return self.net[HOGAR]

    def settle(self) -> None:
        """Everything travels, Matrix rooms are made, everybody on a roster joins."""
        for _ in range(2):
            self.net.settle(3)
            for twin in self.net.twins.values():
                twin.make_rooms()
        self.net.settle(3)

    def joined(self) -> None:
        for room in self.cem.run(lambda unit: unit.coordinations.all(state="open", owner=CEM)):
            self.cem.joins(room.id)
        self.settle()

    def ana(self, words: str) -> str:
        return self.cem.type("ana", words, thread=self.card)

    def opens(self, *institutions: str) -> Any:
        """The whole road by hand: asked for, read, confirmed, accepted over there, joined."""
        from tests.desk.test_words import pick

        self.ana(pick(self.ana(f"reunir a {' y '.join(institutions)}"), "abrir la sala"))
        self.settle()
        for name in institutions:
            self.enters(name)
        self.joined()
        return self.room()

    def enters(self, institution: str, person: str = "ana") -> str:
        from tests.desk.test_words import pick

        twin = self.net[institution]
        asked = twin.find("¿Participa usted?")
        said = twin.type(person, pick(asked.body, "participar"), thread=asked.thread)
        self.settle()
        return said

    def room(self, twin: Twin | None = None) -> Any:
        """The newest coordination room as a hub knows it."""
        return (twin or self.cem).run(lambda unit: unit.coordinations.one(order="-made_at"))

    def seat(self, institution: str, twin: Twin | None = None) -> Seat:
        room = self.room(twin)
        found = (twin or self.cem).run(lambda unit: unit.seats.get(f"{room.id} {institution}"))
        assert found is not None
        return found

    def shown(self) -> list[str]:
        """What stands in the room now, as everybody reads it: newest form of each message."""
        room = self.room()
        return [said.body for said in self.cem.said if said.room == f"!{room.id}" and not said.redacted]


def pinned(net: Net) -> None:
    for twin in net.twins.values():
        for name in ("ana", "berta", "sara"):
            user = twin.person(name)
            twin.run(staff.pin_first_sight, user, key_of(user))
    net.settle(2)


@cache
def _saved(to: tuple[str, ...], opened_with: tuple[str, ...], consent: tuple[tuple[str, Any], ...]) -> tuple[Meeting, Moment]:
    """A beginning, built once, and how everything stood then."""
    net = Net(*HUBS)
    pinned(net)
    case = opened(net.cem, LUZ)
    purposes = {CSMC: (NEED, PURPOSE), HOGAR: (SHELTER, SHELTER_PURPOSE)}
    consented(net.cem, case, **({"recipients": to, "purposes": tuple(purposes[name][1] for name in to)} | dict(consent)))
    referrals = {name: taken(net, offered(net, case, name, purposes[name][0]), name) for name in to}
    net.cem.post()
    card = next(said.event for said in net.cem.said if said.body.startswith(f"{case.code} · "))
    made = Meeting(net=net, case=case, referrals=referrals, card=card)
    if opened_with:
        made.opens(*opened_with)
    return made, net.moment()


def meeting(*, to: tuple[str, ...] = (CSMC, HOGAR), opened_with: tuple[str, ...] = (), **consent: Any) -> Meeting:
    """The network at this beginning once more: two accepted referrals, or the room open and everybody in it."""
    made, moment = _saved(to, opened_with, tuple(consent.items()))
    made.net.back(moment)
    return made
