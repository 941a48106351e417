"""A road in memory for attacks: two or three institutions, one case on its way, and a forger who holds a hub's own keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hub.actions.dispatch import Parcel
from hub.actions.receive import receive
from hub.exchange import wire
from hub.exchange.records import Link
from hub.exchange.wire import encode, pack
from hub.testing import Twin, TwinNetwork
from keys import envelope
from keys.envelope import Inner, SignedInner
from keys.primitives import OpeningKey, SealingKey, random_bytes

CEM, CSMC, COL, OTRA = "cem-lima", "csmc-comas", "colectiva-miluska", "otra"
HUBS = ((CEM, "emergency_centre"), (CSMC, "mental_health_centre"), (COL, "community_organisation"))


@dataclass(kw_only=True)
class Road:
    """Ana at the emergency centre, Bea at the mental-health centre, Carla at the community organisation."""

    net: TwinNetwork = field(default_factory=lambda: TwinNetwork(*HUBS))
    code: str = ""
    referral: str = ""

    def __post_init__(self) -> None:
        self.cem, self.csmc, self.col = self.net[CEM], self.net[CSMC], self.net[COL]
        self.cem.enrol("ana", "lola")
        self.cem.enrol("sofia", role="supervisor")
        self.csmc.enrol("bea")
        self.col.enrol("carla")
        self.net.settle()

    def open(self, name: str = "Luz Inventada") -> str:
        """A case with consent for the mental-health centre; its code."""
        said = self.cem.type("ana", f"!tk abrir {name}, mañana a las 10")
        self.code = found(r"C-\w{5}", said)
        self.cem.type("ana", f"!tk anotar {self.code} salud mental: insomnio inventado")
        line = f"!tk consentimiento {self.code} oral a csmc-comas para salud mental campos lo necesario hasta 3 meses explicado"
        assert "consentimiento anotado" in self.cem.type("ana", line)
        return self.code

    def preview(self, code: str | None = None) -> tuple[str, str]:
        """The number that would send the offer, and the preview."""
        shown = self.cem.type("ana", f"!tk derivar {code or self.code} a csmc-comas por salud mental")
        return found(r"(\d+)[.)]? +enviar", shown), shown

    def offer(self) -> str:
        """Confirm; the offer has arrived and was acknowledged. The referral's code."""
        self.open()
        self.referral = found(r"R-\w{5}", self.cem.type("ana", self.preview()[0]))
        self.net.settle()
        return self.referral

    def accept(self) -> None:
        """Bea takes it; what may be disclosed was disclosed."""
        self.csmc.type("bea", f"!tk aceptar {self.referral}")
        self.net.settle()

    def disclosed(self) -> str:
        """All the way to a disclosure; the referral's code."""
        self.offer()
        self.accept()
        assert self.holds() == 1
        return self.referral

    def withdraw(self) -> str:
        """Ana takes it back; nothing has travelled yet."""
        shown = self.cem.type("ana", f"!tk retirar {self.code}")
        return self.cem.type("ana", found(r"(\d+)[.)]? +retirar", shown))

    def holds(self) -> int:
        """How many disclosures the recipient can read now."""
        return int(self.csmc.run(lambda unit: unit.disclosures.count(state="active")))

    def referral_id(self, twin: Twin | None = None) -> str:
        return str((twin or self.cem).run(lambda unit: unit.referrals.one(code=self.referral)).id)


def found(pattern: str, text: str) -> str:
    """The (first group of the) first match; what was said instead when there is none."""
    match = re.search(pattern, text)
    assert match, text
    return match[1] if match.groups() else match[0]


def link(twin: Twin, peer: str) -> Link:
    """One end of a link, as it stands."""
    row = twin.run(lambda unit: unit.links.one(peer=peer))
    assert row is not None
    return row


def craft(twin: Twin, peer: str, kind: str, body: bytes, **other: Any) -> SignedInner:
    """A message signed with this hub's real key: the next of its line, but for what `other` says of the header."""
    line = link(twin, peer)
    given: dict[str, Any] = {
        "message_id": random_bytes(16), "sender": twin.id, "recipient": peer, "link": line.id, "epoch": line.epoch_out,
        "sequence": 0 if kind in wire.UNSEQUENCED else line.next_out, "previous": line.head_out, "manifest_version": 1, "kind": kind,
        "body": body, "sent_at": int(twin.clock.now().timestamp() * 1000), "checkpoint": b"", "extensions": (),
    }  # fmt: skip
    return envelope.sign_inner(Inner(**given | other), twin.store.given.hand.signer)


def sealed(sender: Twin, to: Twin, signed: bytes, *, line: str | None = None, claim: str | None = None) -> bytes:
    """Signed bytes as the event of a link room: sealed to `to`, said to come from `claim` (or the sender) on `line`."""
    info = envelope.info_bytes(claim or sender.id, to.id, line or link(to, claim or sender.id).id)
    return envelope.seal(pack([signed]), day_key(to).public, info)


def day_key(twin: Twin) -> OpeningKey:
    """Its opening key of today, private half included."""
    found = twin.run(lambda unit: unit.daily.today(unit.now))
    assert isinstance(found, OpeningKey)
    return found


def send(sender: Twin, to: Twin, record: SignedInner) -> int:
    """Hand a crafted message over in the right room, as the right user. Raises what `receive` raises."""
    room = str(link(to, sender.id).room)
    bytes_ = sealed(sender, to, record.data)
    done = to.run(lambda unit: receive(unit, room, sender.user, bytes_))
    to.post()
    return int(done)


def say(road: Road, text: str, **other: Any) -> SignedInner:
    """Ana's hub says something to Bea's about the referral, as a forger with its keys could."""
    ref = road.referral_id()
    row = road.cem.run(lambda unit: unit.referrals.get(ref))
    assert row is not None
    body = encode(wire.Say(referral=ref, text=text, by="Ana"))
    boxed = wire.box(ref, envelope.seal_body(SealingKey(row.their_key), (ref, CEM, "say"), body))
    return craft(road.cem, CSMC, "say", boxed, **other)


def parcels(net: TwinNetwork) -> list[tuple[str, Parcel]]:
    """From here on everything that is put is kept in this list too: (room, parcel)."""
    kept: list[tuple[str, Parcel]] = []
    road = net.spoil

    def listen(parcel: Parcel) -> list[Parcel]:
        kept.append((parcel.room, parcel))
        return road(parcel)

    net.spoil = listen
    return kept


def alarms(twin: Twin) -> str:
    """Everything the admin room was told."""
    return "\n".join(said.body for said in twin.said if said.room.endswith(".admin"))


SECOND = timedelta(seconds=1)
