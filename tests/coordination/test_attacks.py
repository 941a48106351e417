"""Attacks on coordination rooms: hubs that lie about who is theirs, devices nobody signed, institutions that a conflict of interest keeps out."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from hub.actions import coordination, hear_coordination, open_case
from hub.actions.common import write_field
from hub.actions.ports import Unit
from hub.actions.rosters import take_roster, tell_room, trusted_guests
from hub.app.inbox import Inbox
from hub.app.rooms import trust_list
from hub.app.wanted_rooms import wanted_coordination
from hub.base.errors import PeerFault, Refused
from hub.exchange import wire
from hub.matrix.carrier import Carrier
from hub.matrix.drift import coordination_faults
from hub.matrix.errors import Held
from hub.matrix.ports import Device, GuestPin, Inbound, RoomRecord, StaffPin, TrustList
from hub.matrix.roomview import RoomView
from hub.matrix.trust import Served, TrustBook
from hub.testing import Twin
from keys.primitives import SigningKey
from keys.roster import Member, Roster, sign_roster
from tests.actions.road import CEM, CSMC, HOGAR, code_of
from tests.coordination.bench import LUZ, Meeting, key_of, meeting

BOTH = (CSMC, HOGAR)
SECOND = timedelta(seconds=1)


def roster(m: Meeting, institution: str, *users: str, **changes: Any) -> bytes:
    """A roster as the hub of that institution may sign it, whatever it says."""
    now = m.net.clock.now()
    members = tuple(Member(user=user, master=key_of(user), role="caseworker", since=now) for user in users)
    said = Roster(institution=institution, room=m.room().id, number=int(now.timestamp() * 1000) + 5, issued=now, members=members)
    signer = changes.pop("signer", None) or m.net[institution].store.given.hand.signer
    return sign_roster(replace(said, **changes), signer)


def unpaired(unit: Unit, institution: str) -> None:
    peer = unit.peers.get(institution)
    assert peer is not None
    unit.peers.put(replace(peer, state="added"))


def other_keys(unit: Unit) -> None:
    """Every peer's manifest names other signing keys from now on."""
    for peer in unit.peers.all():
        unit.peers.put(replace(peer, manifest=unit.hand.manifest.raw))


def says(m: Meeting, twin: Twin, peer: str, statement: bytes, institution: str | None = None) -> str:
    """A hub takes a roster that came over the link of `peer`; the code of what refused it, or nothing."""

    def take(unit: Unit) -> str:
        link = unit.links.one(peer=peer)
        assert link is not None
        body = wire.RoomRoster(room=unit.coordinations.all(state="open")[0].id, institution=institution or peer, statement=statement)
        try:
            unit.attempt(lambda: take_roster(unit, link, body))
        except PeerFault as fault:
            return fault.code
        return ""

    return twin.run(take)


# ---- a hub that lies in a roster


def test_m01_nobody_is_smuggled_in_under_a_roster_that_is_not_hers() -> None:
    m = meeting(opened_with=BOTH)
    m.net.clock.advance(SECOND)
    before = m.cem.run(trusted_guests)
    lies: dict[str, tuple[str, ...]] = {
        "roster_other_homeserver": ("@oficial:comisaria.example",),
        "roster_person_taken": (m.cem.person("ana"),),
    }
    for code, users in lies.items():
        if code == "roster_person_taken":
            continue
        assert says(m, m.cem, CSMC, roster(m, CSMC, m.csmc.person("ana"), *users)) == code
    assert m.cem.run(trusted_guests) == before
    assert says(m, m.cem, CSMC, roster(m, CSMC, m.csmc.person("ana"), m.csmc.person("berta"))) == ""


@pytest.mark.parametrize("who", ["ours", "a hub", "another's"])
def test_m01_a_person_of_somebody_else_is_nobody_of_theirs(who: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where institutions share a homeserver the name alone does not say whose she is."""
    m = meeting(opened_with=BOTH)
    m.net.clock.advance(SECOND)
    users = {"ours": m.cem.person("berta"), "a hub": m.cem.user, "another's": m.hogar.person("ana")}
    monkeypatch.setattr("hub.actions.rosters._home", lambda manifest: None)
    assert says(m, m.cem, CSMC, roster(m, CSMC, users[who])) == "roster_person_taken"


def test_m02_a_roster_is_believed_for_its_own_hubs_signature_alone() -> None:
    m = meeting(opened_with=BOTH)
    m.net.clock.advance(SECOND)
    user = m.hogar.person("berta")
    forged = roster(m, HOGAR, user, signer=m.cem.store.given.hand.signer)
    assert says(m, m.csmc, CEM, forged, HOGAR) == "roster.signature", "who owns the room cannot write another's roster"
    assert says(m, m.cem, HOGAR, roster(m, HOGAR, user, signer=SigningKey.generate())) == "roster.signature"
    assert says(m, m.cem, HOGAR, roster(m, HOGAR, user, room="coo_" + "0b" * 12)) == "roster.other"
    assert says(m, m.cem, HOGAR, roster(m, HOGAR, user, number=1)) == "roster.old"
    assert says(m, m.cem, HOGAR, roster(m, HOGAR, user, number=2**52)) == "roster.future"
    assert says(m, m.cem, CSMC, roster(m, HOGAR, user), HOGAR) == "room_not_theirs", "a guest speaks for itself alone"
    assert says(m, m.cem, HOGAR, roster(m, HOGAR, user)) == ""


def test_m02_whoever_cannot_be_verified_is_expected_and_never_trusted() -> None:
    """Two guests that are not paired: their people see each other in the room, and no hub gives a key to a stranger's word."""
    m = meeting(opened_with=BOTH)
    m.net.clock.advance(SECOND)
    user = m.hogar.person("berta")
    m.csmc.run(unpaired, HOGAR)
    assert says(m, m.csmc, CEM, roster(m, HOGAR, user, signer=SigningKey.generate()), HOGAR) == ""
    assert not any(name == user for name, _ in m.csmc.run(trusted_guests))
    assert m.seat(HOGAR, m.csmc).roster == b"", "what nobody could verify is not kept as if it were signed: it would count once they are paired"
    (wanted,) = m.csmc.run(wanted_coordination)
    assert user in wanted.spec.members


def test_m02_a_stolen_signing_key_falls_with_its_manifest() -> None:
    m = meeting(opened_with=BOTH)
    assert m.cem.run(trusted_guests)
    m.cem.run(other_keys)
    assert m.cem.run(trusted_guests) == {}


# ---- foreign devices


def book(*guests: GuestPin, staff: tuple[StaffPin, ...] = ()) -> TrustBook:
    own = Device(user_id="@hub:a", device_id="OWN", ed25519="e" * 43, curve25519="c" * 43)
    return TrustBook(own, TrustList(guests=guests, staff=staff))


def test_m03_a_guest_is_nobody_outside_her_room() -> None:
    found = book(GuestPin(user_id="@bea:b", master_key="m" * 43, rooms=frozenset({"!r"})))
    assert found.standing_in("!r", "@bea:b") == "guest"
    assert found.standing_in("!desk", "@bea:b") is None


def test_m03_two_rosters_that_differ_trust_nobody() -> None:
    one = GuestPin(user_id="@bea:b", master_key="m" * 43, rooms=frozenset({"!r"}))
    found = book(one, replace(one, master_key="n" * 43, rooms=frozenset({"!s"})))
    found.apply({"@bea:b": Served(devices={})})
    assert found.devices("@bea:b") == frozenset()


def test_m03_one_of_ours_is_never_judged_by_anothers_roster() -> None:
    found = book(GuestPin(user_id="@ana:a", master_key="m" * 43, rooms=frozenset({"!r"})), staff=(StaffPin(user_id="@ana:a", master_key="k" * 43),))
    assert found.standing("@ana:a") == "staff"
    assert found.trust.guests == ()


def test_m03_a_hub_is_nobodys_guest() -> None:
    assert book(GuestPin(user_id="@hub:a", master_key="m" * 43, rooms=frozenset({"!r"}))).trust.guests == ()


# ---- relations and envelopes in company


def test_m04_an_envelope_in_a_coordination_room_is_no_envelope() -> None:
    m = meeting(opened_with=BOTH)
    room = m.room()
    inbound = Inbound(
        room_id=f"!{room.id}", event_id="$x", sender=m.csmc.user, device_key="k", type="org.tinkuy.envelope.v1",
        content={"sealed": base64.b64encode(b"x").decode()}, ts_ms=0, standing="peer",
    )  # fmt: skip

    class Rows:
        def inbox_done(self, *_: object) -> None: ...

    inbox: Any = Inbox.__new__(Inbox)
    inbox._rows, inbox._renewed, inbox._given_back = Rows(), False, False
    m.cem.run(lambda unit: inbox._handle(unit, "$x", inbound))
    assert "envelope_refused" not in m.net.alarms(m.cem)


def test_m04_a_pointer_at_a_card_decides_nothing_in_a_room() -> None:
    """A homeserver re-points what she says at the desk's card, or at the card of the room: only outright words count."""
    m = meeting(opened_with=BOTH)
    room = m.room()
    from hub.chat.desk import hear
    from hub.chat.heard import Heard

    event = next(said.event for said in m.cem.said if said.room == f"!{room.id}" and not said.redacted)
    for words in ("retirar", "1", "terminar reunión", "quién ve"):
        heard = Heard(
            room=f"!{room.id}", event=f"$e{words}", sender=m.cem.person("ana"), content={"msgtype": "m.text", "body": words}, thread=event,
            reply=m.card, firm=True,
        )  # fmt: skip
        assert m.cem.run(hear, heard, m.cem.user) is False
    assert m.room().state == "open"


def test_m04_who_is_on_no_roster_is_not_answered() -> None:
    m = meeting(opened_with=BOTH)
    assert m.cem.in_room(m.room().id, m.csmc.person("berta"), "!tk quién ve") == ""
    assert m.cem.in_room(m.room().id, "@nadie:otra.example", "!tk quién ve") == ""
    assert m.cem.in_room(m.room().id, m.cem.person("berta"), "!tk quién ve") == "", "one of ours who does not take part"


# ---- the conflict of interest, by every path


def excluded(m: Meeting) -> None:
    m.cem.run(lambda unit: open_case.set_field(unit, m.cem.person("ana"), m.case.id, "aggressor_affiliation", "shelter"))


PATHS: dict[str, Callable[[Meeting, Any], object]] = {
    "opening": lambda m, room: m.cem.run(lambda unit: coordination.propose(unit, m.cem.person("ana"), m.case.id, (HOGAR,))),
    "a proposal from before": lambda m, room: m.cem.run(lambda unit: coordination.open_room(unit, m.cem.person("ana"), room.id)),
    "adding": lambda m, room: m.cem.run(lambda unit: coordination.add_institution(unit, m.cem.person("ana"), room, HOGAR)),
    "a preview": lambda m, room: m.cem.run(lambda unit: coordination.propose_adding(unit, room, HOGAR)),
}


@pytest.mark.parametrize("path", PATHS)
def test_m05_an_excluded_institution_gets_in_by_no_path(path: str) -> None:
    proposed = path in ("opening", "a proposal from before")
    m = meeting() if proposed else meeting(opened_with=(CSMC,))
    room = m.room()
    if path == "a proposal from before":
        room = m.cem.run(lambda unit: coordination.propose(unit, m.cem.person("ana"), m.case.id, BOTH)).coordination
    # Told before anything else notices: the referral to that sector still stands.
    m.cem.run(lambda unit: write_field(unit, m.case.id, "aggressor_affiliation", "shelter", m.cem.person("ana")))
    with pytest.raises(Refused) as refused:
        PATHS[path](m, room)
    assert code_of(refused) == "conflict_of_interest"
    assert not m.cem.run(lambda unit: unit.seats.count(institution=HOGAR, state="present"))


def test_m05_its_roster_is_not_taken_once_it_is_out() -> None:
    m = meeting(opened_with=BOTH)
    excluded(m)
    m.net.clock.advance(SECOND)
    assert says(m, m.cem, HOGAR, roster(m, HOGAR, m.hogar.person("ana"))) == "room_not_in"
    users = {pin.user_id for pin in m.cem.run(trust_list).guests}
    assert users == {m.csmc.person("ana")}


def test_m05_the_card_is_cut_without_it_and_nothing_waits_for_it() -> None:
    m = meeting(opened_with=BOTH)
    room = m.room()
    m.cem.run(lambda unit: tell_room(unit, HOGAR, "room.invite", room))  # a change of the room, on its way when it is learnt
    excluded(m)
    link = m.cem.run(lambda unit: unit.links.one(peer=HOGAR))
    assert link is not None
    waiting = m.cem.run(lambda unit: unit.outbox.all(state="ready", link=link.id))
    bodies = [m.cem.run(hear_coordination.write_room, row) for row in waiting if row.kind.startswith("room.")]
    assert {type(body) for body in bodies if body} == {wire.RoomOut}, "told that it is out, and nothing else of the room"
    m.settle()
    assert not any(LUZ["social_name"] in said.body for said in m.hogar.said if not said.redacted and said.room.startswith("!coo_"))


# ---- what a peer may make us believe


BAD: dict[str, dict[str, Any]] = {
    "another's room id": {"room": "!desk"},
    "a code that is none": {"code": "S-AAAAA"},
    "the code of a case": {"code": "C-7QK4M"},
    "another sort": {"sort": "party"},
    "a name on a case": {"label": "Luz"},
    "our own desk as its room": {"matrix": "!csmc-comas.desk"},
    "no Matrix room": {"matrix": "#alias:x"},
    "without us": {"institutions": {CEM: "@hub:cem-lima.example"}},
    "without itself": {"institutions": {CSMC: "@hub:csmc-comas.example"}},
    "a purpose nobody knows": {"purposes": ("curiosity",)},
    "referrals of nobody": {"referrals": ("ref_x",)},
    "no referral": {"referrals": ()},
}


@pytest.mark.parametrize("lie", BAD)
def test_m06_an_invitation_that_does_not_hold_changes_nothing(lie: str) -> None:
    m = meeting(opened_with=(CSMC,))
    room = m.room()
    good = wire.RoomInvite(
        room="coo_" + "0c" * 12, code=room.code, sort="case", label="", matrix="!other", purposes=(), protocols=(), shown={},
        referrals=(m.referrals[CSMC].id,), institutions={CEM: m.cem.user, CSMC: m.csmc.user},
    )  # fmt: skip
    from hub.cases.codes import new_code

    good = replace(good, code=new_code("S", lambda n: 3))
    before = m.csmc.run(lambda unit: (unit.coordinations.all(), unit.seats.all(), unit.rooms.all()))

    def hears(unit: Unit, body: wire.RoomInvite) -> None:
        link = unit.links.one(peer=CEM)
        assert link is not None
        unit.attempt(lambda: hear_coordination.hear_room(unit, link, body))

    with pytest.raises(PeerFault):
        m.csmc.run(lambda unit: hears(unit, replace(good, **BAD[lie])))
    assert m.csmc.run(lambda unit: (unit.coordinations.all(), unit.seats.all(), unit.rooms.all())) == before
    m.csmc.run(lambda unit: hears(unit, good))


def test_m06_nobody_takes_over_anothers_room() -> None:
    m = meeting(opened_with=BOTH)
    room = m.room(m.csmc)
    body = wire.RoomInvite(
        room=room.id, code=room.code, sort="table", label="Mesa", matrix="!stolen", purposes=(), protocols=(), shown={}, referrals=(),
        institutions={HOGAR: m.hogar.user, CSMC: m.csmc.user},
    )  # fmt: skip

    def hears(unit: Unit, said: wire.Body) -> None:
        link = unit.links.one(peer=HOGAR)
        assert link is not None
        unit.attempt(lambda: hear_coordination.hear_room(unit, link, said))

    for said in (body, wire.RoomClosed(room=room.id)):
        with pytest.raises(PeerFault) as refused:
            m.csmc.run(hears, said)
        assert refused.value.code == "room_not_theirs"
    assert m.room(m.csmc) == room


def _next(digits: Iterator[int], _: int) -> int:
    return next(digits)


def test_m06_a_flood_of_rooms_ends() -> None:
    m = meeting(opened_with=(CSMC,))
    from hub.cases.codes import new_code

    def hears(unit: Unit) -> int:
        link = unit.links.one(peer=CEM)
        assert link is not None
        for n in range(hear_coordination.MOST_ROOMS + 5):
            digits = iter([2 + n % 28, 3 + n // 28, 5, 7] * 3)
            body = wire.RoomInvite(
                room=f"coo_{n:024x}", code=new_code("S", partial(_next, digits)), sort="table", label="Mesa", matrix=f"!t{n}",
                purposes=(), protocols=(), shown={}, referrals=(), institutions={CEM: m.cem.user, CSMC: m.csmc.user},
            )  # fmt: skip
            if n == hear_coordination.MOST_ROOMS - 1:  # one open room of a case stands already
                with pytest.raises(PeerFault, match="too_many_rooms"):
                    hear_coordination.hear_room(unit, link, body)
                return n
            hear_coordination.hear_room(unit, link, body)
        return -1

    assert m.csmc.run(hears) == hear_coordination.MOST_ROOMS - 1


@pytest.mark.parametrize("drift", ["history", "join_rule", "creators", "version", "encryption"])
def test_m07_a_room_that_is_not_as_it_must_be_is_not_entered(drift: str) -> None:
    state: dict[str, dict[str, Any]] = {
        "m.room.create": {"room_version": "12", "sender": "@hub:b"}, "m.room.encryption": {"algorithm": "m.megolm.v1.aes-sha2"},
        "m.room.history_visibility": {"history_visibility": "joined"}, "m.room.join_rules": {"join_rule": "invite"},
    }  # fmt: skip
    assert coordination_faults(RoomView(room_id="!r", state=state), "@hub:b") == []
    bad: dict[str, dict[str, dict[str, Any]]] = {
        "history": {"m.room.history_visibility": {"history_visibility": "shared"}}, "join_rule": {"m.room.join_rules": {"join_rule": "public"}},
        "creators": {"m.room.create": {"room_version": "12", "sender": "@other:b"}},
        "version": {"m.room.create": {"room_version": "10", "sender": "@hub:b"}},
        "encryption": {"m.room.encryption": {}},
    }  # fmt: skip
    assert coordination_faults(RoomView(room_id="!r", state=state | bad[drift]), "@hub:b") == [drift]


def test_m07_an_own_room_of_a_peer_is_not_ours_to_mend() -> None:
    m = meeting(opened_with=BOTH)
    (there,) = m.csmc.run(wanted_coordination)
    assert not there.ours_to_make
    (here,) = m.cem.run(wanted_coordination)
    assert here.ours_to_make
    assert {member.institution for member in here.people} == {CEM, CSMC, HOGAR}


def test_m08_nothing_is_sent_while_somebody_who_must_go_is_there() -> None:
    forgotten: list[str] = []
    stub: Any = SimpleNamespace(user_id="@hub:a", forget_room=forgotten.append)
    carrier = Carrier(client=stub, machine=stub, book=stub, rooms=stub, report=stub, query_keys=stub)
    view = RoomView(room_id="!r", members={"@hub:a": "join", "@bea:b": "join", "@caro:c": "join"})
    both = RoomRecord(room_id="!r", purpose="coordination", members=frozenset({"@bea:b", "@caro:c"}))
    carrier.set_record(both)
    asyncio.run(carrier._check_members(carrier.records[0], view))
    carrier.set_record(replace(both, members=frozenset({"@bea:b"})))
    with pytest.raises(Held) as held:
        asyncio.run(carrier._check_members(carrier.records[0], view))
    assert held.value.code == "matrix.members_leaving"
    assert forgotten == ["!r"], "whoever had the key has none of the next"
    view.members.pop("@caro:c")
    asyncio.run(carrier._check_members(carrier.records[0], view))
