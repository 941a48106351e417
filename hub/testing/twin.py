"""A hub in memory, and a network of them. One shared clock, moved by hand."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar, TypeVarTuple

from hub.actions import peers, staff
from hub.actions.coordination_card import greet
from hub.actions.dispatch import Parcel, dispatch, mark_sent
from hub.actions.hear_coordination import purpose_of
from hub.actions.ports import Hand, Institution, Rules, Unit
from hub.actions.receive import receive
from hub.actions.ring import ring_due
from hub.app.posts import Errand, claim, mark
from hub.app.rooms import keep_room
from hub.base.errors import PeerFault
from hub.base.ids import new_id
from hub.cases.records import Room
from hub.chat.desk import hear
from hub.chat.heard import Heard
from hub.chat.tell import tell
from hub.store.database import Database
from hub.store.key_rows import KeyTable
from hub.store.unit_of_work import Collaborators, Store
from hub.testing.quick import quick_codes, upgraded
from keys.casekeys import DataKeys
from keys.manifest import Manifest, Profile, make_manifest
from keys.primitives import OpeningKey, SigningKey, random_bytes
from keys.providers.memory import MemoryKek
from policies import packs

T = TypeVar("T")
With = TypeVarTuple("With")
START = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
"""A Monday, 09:00 in Lima."""


def _memory(name: str) -> str:
    return "sqlite://"


class HandClock:
    """A clock that only moves when it is moved."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        """Move it."""
        self._now += by


@dataclass(kw_only=True)
class Said:
    """One message as the room shows it now: edits applied, redactions too."""

    room: str
    event: str
    body: str
    thread: str | None
    ring: tuple[str, ...]
    redacted: bool = False


@dataclass(kw_only=True)
class Twin:
    """One hub: `run` a unit, let people `type`, read what it `said`."""

    id: str
    store: Store
    manifest: bytes
    user: str
    clock: HandClock
    root: SigningKey
    keys_database: Database | None = None
    said: list[Said] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    taken_out: list[str] = field(default_factory=list)
    """Messages of people that the hub had redacted, by event."""

    def run(self, fn: Callable[[Unit, *With], T], *given: *With) -> T:
        """One unit of work, `fn(unit, *given)`."""
        return self.store.run_now(fn, *given)

    def enrol(self, *names: str, role: str = "caseworker") -> None:
        """Staff of this institution, with a desk and a direct room each."""
        for name in names:
            self.run(self._enrol, name, role)

    def _enrol(self, unit: Unit, name: str, role: str) -> None:
        user = self.person(name)
        staff.add_staff(unit, user, display=f"{name.title()} Ejemplo", role=role)
        for purpose in ("desk", "admin", f"direct:{user}"):
            if not unit.rooms.one(purpose=purpose):
                unit.rooms.add(Room(id=f"!{self.id}.{purpose}", purpose=purpose, made_at=unit.now))

    def person(self, name: str) -> str:
        """The Matrix user id of somebody here."""
        return f"@{name}:{self.id}.example"

    def in_room(self, room: str, sender: str, words: str) -> str:
        """Somebody, perhaps of another institution, types into a coordination room that this hub is in; returns what this hub answered there."""
        before = len(self.said)
        place = f"!{room}"
        heard = Heard(room=place, event=new_id("$e"), sender=sender, content={"msgtype": "m.text", "body": words})
        self.run(lambda unit: hear(unit, heard, self.user))
        self.post()
        return "\n".join(s.body for s in self.said[before:])

    def make_rooms(self) -> None:
        """What the rooms keeper would do: the coordination rooms that this hub owns get a Matrix room, and whoever is on a roster joins it."""
        for room in self.run(lambda unit: unit.coordinations.all(state="open", owner=self.id)):
            if room.room is None:
                self.run(keep_room, purpose_of(room.id), f"!{room.id}")

    def joins(self, room: str) -> None:
        """Everybody who may be in it has joined the Matrix room."""
        people = self.run(lambda unit: tuple(user for seat in unit.seats.all(coordination=room, state__not="out") for user in seat.people))
        self.run(greet, room, people)
        self.post()

    def type(self, name: str, words: str, *, room: str = "desk", thread: str | None = None, reply: str | None = None, firm: bool = True) -> str:
        """Somebody types; returns everything the hub answered, as text. Without `firm` the relation may be the homeserver's."""
        before = len(self.said)
        purpose = f"direct:{self.person(name)}" if room == "direct" else room
        content = {"msgtype": "m.text", "body": words}
        heard = Heard(
            room=f"!{self.id}.{purpose}", event=new_id("$e"), sender=self.person(name), content=content, thread=thread, reply=reply, firm=firm,
        )  # fmt: skip
        self.run(lambda unit: hear(unit, heard, self.user))
        self.post()
        return "\n".join(s.body for s in self.said[before:])

    def post(self) -> None:
        """Put every queued post into its room, as the carrier would."""
        while (errand := self.run(claim)) is not None:
            event = f"$p{len(self.said)}.{self.id}"
            self._show(errand, event)
            self.run(mark, errand, event)

    def _show(self, errand: Errand, event: str) -> None:
        relation = errand.relation or {}
        if errand.redacts:
            self.taken_out += [errand.redacts] if errand.redacts.startswith("$e") else []
            for said in self.said:
                said.redacted |= said.event == errand.redacts or said.event == f"{errand.redacts}*"
                said.body = "" if said.redacted else said.body
            return
        thread = relation.get("event_id") if relation.get("rel_type") == "m.thread" else None
        new = errand.content.get("m.new_content", errand.content)
        ring = tuple(errand.content.get("m.mentions", {}).get("user_ids", ()))
        self.said.append(Said(room=errand.room, event=event, body=str(new["body"]), thread=thread, ring=ring))

    def find(self, words: str) -> Said:
        """The newest message that contains these words."""
        return next(s for s in reversed(self.said) if words in s.body)

    def ring(self) -> None:
        """What is due now happens."""
        self.run(ring_due)
        self.post()


class TwinNetwork:
    """Several twins and the road between them. `spoil(parcel)` may return other parcels: none, two, a changed one. Those in `mute` are not heard."""

    def __init__(
        self, *hubs: tuple[str, str], url: Callable[[str], str] = _memory, keys_url: Callable[[str], str] = _memory, pack: str = "pe"
    ) -> None:
        self.clock = HandClock()
        self._keys_url = keys_url
        self._pack = packs.load(pack)
        self.twins = {name: self._twin(name, kind, url) for name, kind in hubs}
        self.spoil: Callable[[Parcel], list[Parcel]] = lambda parcel: [parcel]
        self.mute: set[str] = set()
        with quick_codes():
            self._pair()
        self._acquaint()

    def __getitem__(self, name: str) -> Twin:
        return self.twins[name]

    def _twin(self, name: str, kind: str, url: Callable[[str], str]) -> Twin:
        database, keys_database = Database(url(name)), Database(self._keys_url(name))
        upgraded(database)
        root, signer, opening = SigningKey.generate(), SigningKey.generate(), OpeningKey.generate()
        user = f"@hub:{name}.example"
        raw = make_manifest(self._profile(name, kind, user, root, signer, opening), [root])
        keys = DataKeys(MemoryKek(), KeyTable(keys_database))
        keys.create("hub", self.clock.now())
        given = Collaborators(
            me=Institution(id=name, name=name.replace("-", " ").title(), kind=kind, territory="Comas", language="es", zone="America/Lima"),
            rules=Rules(), pack=self._pack, hand=Hand(signer=signer, opening=opening, manifest=Manifest.from_bytes(raw)),
            keys=keys, clock=self.clock,
        )  # fmt: skip
        return Twin(id=name, store=Store(database, given, tell), manifest=raw, user=user, clock=self.clock, root=root, keys_database=keys_database)

    def _profile(self, name: str, kind: str, user: str, root: SigningKey, signer: SigningKey, opening: OpeningKey) -> Profile:
        def key() -> str:
            return base64.b64encode(random_bytes(32)).decode().rstrip("=")

        device = "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[b % 32] for b in random_bytes(10))
        now = self.clock.now()
        return Profile(
            institution=name, kind=kind, display_name=name, version=1, issued=now, expires=now + timedelta(days=365), previous=None,
            roots=(root.public,), threshold=1, hub_signing=(signer.public,), opening=opening.public, matrix_user=user, device_id=device,
            device_ed25519=key(), device_curve25519=key(), master_fingerprint=key(),
        )  # fmt: skip

    def _pair(self) -> None:
        for a in self.twins.values():
            for b in self.twins.values():
                if a is not b:
                    a.run(peers.add_peer, b.manifest)
                    code = a.run(peers.short_code_with, b.id)
                    a.run(peers.confirm_peer, "admin", b.id, code)
                    room = "!link." + ".".join(sorted((a.id, b.id)))
                    a.run(peers.open_link_room, b.id, room)

    def _acquaint(self) -> None:
        """Everybody has heard everybody's key of the day, as hubs have that met before."""
        for twin in self.twins.values():
            self.deliver(twin)

    def settle(self, turns: int = 8) -> None:
        """Let everything travel: dispatch, deliver, acknowledge, post; a second passes each turn."""
        for _ in range(turns):
            self.clock.advance(timedelta(seconds=1))
            for twin in self.twins.values():
                self.deliver(twin)
        for twin in self.twins.values():
            twin.post()

    def deliver(self, sender: Twin) -> None:
        """Everything that one hub has to send now."""
        for parcel in sender.run(dispatch):
            for spoilt in () if sender.id in self.mute else self.spoil(parcel):
                self.hand(sender, spoilt)
            sender.run(mark_sent, parcel)

    def hand(self, sender: Twin, parcel: Parcel) -> None:
        """Hand one parcel to whoever shares its room. A refused one is remembered by its code."""
        for twin in self.twins.values():
            if twin is not sender and parcel.room.endswith(".".join(sorted((sender.id, twin.id)))):
                try:
                    twin.run(receive, parcel.room, sender.user, parcel.sealed)
                except PeerFault as fault:
                    twin.refused.append(fault.code)

