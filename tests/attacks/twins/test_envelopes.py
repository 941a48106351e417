"""X21, X22, P06, D08, D09, D15: a peer with its real keys that does not keep to the protocol."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from hub.actions.dispatch import Parcel, dispatch
from hub.actions.receive import receive
from hub.base.errors import PeerFault
from hub.exchange import wire
from hub.exchange.wire import encode, pack, unpack
from keys import envelope, strictjson
from keys.primitives import SealingKey
from tests.attacks.twins.bench import CEM, COL, CSMC, SECOND, Road, alarms, craft, day_key, link, parcels, say, sealed, send


def a_parcel(road: Road, to: str) -> Parcel:
    """One event that the emergency centre puts for `to`."""
    kept = parcels(road.net)
    road.offer()
    room = link(road.cem, to).room
    return next(parcel for place, parcel in kept if place == room and parcel.rows)


# ---- X21: relayed --------------------------------------------------------------------------------------------------------


def test_x21_an_envelope_for_another_hub_is_refused() -> None:
    """The mental-health centre opens what was sealed to it and passes the signed bytes on, sealed anew, as if meant for the third."""
    road = Road()
    parcel = a_parcel(road, CSMC)
    info = envelope.info_bytes(CEM, CSMC, link(road.csmc, CEM).id)
    (signed, *_) = unpack(envelope.unseal(parcel.sealed, day_key(road.csmc), info))
    room = str(link(road.col, CSMC).room)
    relayed = sealed(road.csmc, road.col, signed)
    with pytest.raises(PeerFault) as refused:
        road.col.run(lambda unit: receive(unit, room, road.csmc.user, relayed))
    assert refused.value.params["why"] == "keys.unknown_signer"
    assert road.col.run(lambda unit: unit.referrals.count()) == 0


def test_x21_the_recipient_stands_inside_the_signature() -> None:
    """Even its own author cannot give one signed message to two: what was signed for one hub is refused by the other."""
    road = Road()
    road.offer()
    record = craft(road.cem, CSMC, "profile", b"{}")
    room = str(link(road.col, CEM).room)
    other = sealed(road.cem, road.col, record.data)
    with pytest.raises(PeerFault, match="wrong_address"):
        road.col.run(lambda unit: receive(unit, room, road.cem.user, other))


# ---- X22: copied into another room ---------------------------------------------------------------------------------------


def test_x22_an_envelope_in_another_room_is_refused() -> None:
    """The very bytes, in the room of another link, by either user."""
    road = Road()
    parcel = a_parcel(road, CSMC)
    room = str(link(road.csmc, COL).room)
    before = road.csmc.run(lambda unit: unit.referrals.count())
    for user in (road.cem.user, road.col.user):
        with pytest.raises(PeerFault, match=r"wrong_sender|envelope_refused"):
            road.csmc.run(receive, room, user, parcel.sealed)
    assert road.csmc.run(lambda unit: unit.referrals.count()) == before
    with pytest.raises(PeerFault, match="no_link"):
        road.csmc.run(lambda unit: receive(unit, "!another:room", road.cem.user, parcel.sealed))


def test_x20_another_user_of_the_peers_homeserver_is_refused() -> None:
    """The right bytes in the right room, put by somebody else: the pinned sender is asked for before anything is opened."""
    road = Road()
    road.disclosed()
    room = str(link(road.csmc, CEM).room)
    good = sealed(road.cem, road.csmc, say(road, "hola").data)
    with pytest.raises(PeerFault, match="wrong_sender"):
        road.csmc.run(lambda unit: receive(unit, room, f"@other:{CEM}.example", good))
    assert road.csmc.run(lambda unit: receive(unit, room, road.cem.user, good)) == 1


def test_x22_the_link_stands_inside_the_signature() -> None:
    road = Road()
    road.offer()
    record = craft(road.cem, CSMC, "profile", b"{}", link=link(road.cem, COL).id)
    with pytest.raises(PeerFault, match="wrong_address"):
        send(road.cem, road.csmc, record)


# ---- P06: another purpose ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"purpose": "legal_aid"}, "wrong_purpose"),
        ({"purpose": ""}, "wrong_purpose"),
        ({"protocol": "shelter"}, "no_protocol"),
        ({"protocol": "no-such"}, "no_protocol"),
        ({"need": "shelter"}, "no_protocol"),
    ],
)
def test_p06_an_offer_outside_the_contract_is_refused(change: dict[str, str], why: str) -> None:
    road = Road()
    moment = road.net.clock.now()
    given = {
        "referral": "ref_" + "0" * 24, "code": "R-QNX3Z", "need": "mental_health", "purpose": "mental_health_care", "protocol": "mental-health",
        "version": 1, "urgency": "routine", "territory": "Lima", "languages": (), "accessibility": (), "opened_at": moment,
        "respond_by": moment + timedelta(days=1), "key": road.cem.store.given.hand.opening.public.raw,
    }  # fmt: skip
    send(road.cem, road.csmc, craft(road.cem, CSMC, "offer", encode(wire.Offer(**given | change))))
    assert road.csmc.run(lambda unit: unit.referrals.count()) == 0
    assert why in alarms(road.csmc)
    assert link(road.csmc, CEM).next_in == link(road.cem, CSMC).next_out + 1, "the line goes on: it was numbered"


# ---- D08: gap, duplicate, changed twin, step back --------------------------------------------------------------------------


def test_d08_a_gap_is_asked_for_and_order_is_kept() -> None:
    """The first of three messages is lost on the road: nothing takes effect before it, and it comes again because it is asked for."""
    road = Road()
    road.disclosed()
    lost: list[Parcel] = []
    room = link(road.cem, CSMC).room

    def lose_the_first(parcel: Parcel) -> list[Parcel]:
        if parcel.room == room and parcel.rows and not lost:
            lost.append(parcel)
            return []
        return [parcel]

    road.net.spoil = lose_the_first
    for words in ("uno", "dos", "tres"):
        road.cem.type("ana", f"!tk decir {road.referral} {words}")
        road.net.deliver(road.cem)
    assert lost
    assert not [s for s in road.csmc.said if "> dos" in s.body or "> tres" in s.body], "an effect before its turn"
    road.net.settle()
    heard = [w for s in road.csmc.said for w in ("uno", "dos", "tres") if f"> {w}" in s.body]
    assert heard == ["uno", "dos", "tres"]
    assert road.cem.run(lambda unit: unit.outbox.count(state="dispatched")) == 0


def test_d08_an_equal_duplicate_is_acknowledged_again_and_has_one_effect() -> None:
    road = Road()
    road.net.spoil = lambda parcel: [parcel, parcel, parcel]
    road.disclosed()
    assert road.csmc.run(lambda unit: unit.referrals.count()) == 1
    assert road.cem.run(lambda unit: unit.disclosures.count()) == 1
    record = say(road, "otra vez")
    assert send(road.cem, road.csmc, record) == 1
    for twin in road.net.twins.values():
        twin.run(dispatch)  # whatever acknowledgement was owed is gone
    road.net.clock.advance(SECOND)
    road.csmc.run(dispatch)
    assert link(road.csmc, CEM).ack_due_at is None
    assert send(road.cem, road.csmc, record) == 0
    assert link(road.csmc, CEM).ack_due_at is not None, "a duplicate says that our acknowledgement was lost"
    assert len([s for s in road.csmc.said if "otra vez" in s.body]) == 1


def test_d08_a_changed_twin_freezes_the_link() -> None:
    road = Road()
    road.disclosed()
    first = say(road, "uno")
    send(road.cem, road.csmc, first)
    send(road.cem, road.csmc, say(road, "dos", sequence=first.inner.sequence))
    assert link(road.csmc, CEM).frozen == "changed_twin"
    assert "con contenido distinto" in alarms(road.csmc)
    assert not [s for s in road.csmc.said if "> dos" in s.body]
    with pytest.raises(PeerFault, match="no_link"):
        send(road.cem, road.csmc, say(road, "tres", sequence=first.inner.sequence + 1))


@pytest.mark.parametrize("then", [{"sequence": 10_000}, {"epoch": 0}, {"epoch": 99}], ids=["far ahead", "epoch back", "invented epoch"])
def test_d08_a_fault_in_the_same_event_does_not_thaw_what_was_frozen(then: dict[str, int]) -> None:
    """One event carries the changed twin and, behind it, a record whose fault takes the whole event back."""
    road = Road()
    road.disclosed()
    first = say(road, "uno")
    send(road.cem, road.csmc, first)
    records = [say(road, "dos", sequence=first.inner.sequence), say(road, "tres", **then)]
    info = envelope.info_bytes(CEM, CSMC, link(road.csmc, CEM).id)
    event = envelope.seal(pack([one.data for one in records]), day_key(road.csmc).public, info)
    room = str(link(road.csmc, CEM).room)
    assert road.csmc.run(lambda unit: receive(unit, room, road.cem.user, event)) == 0
    road.csmc.post()
    assert link(road.csmc, CEM).frozen == "changed_twin"
    assert "con contenido distinto" in alarms(road.csmc)


def test_d08_a_changed_twin_of_one_that_waits_for_its_turn_freezes_the_link() -> None:
    road = Road()
    road.disclosed()
    ahead = link(road.cem, CSMC).next_out + 2
    send(road.cem, road.csmc, say(road, "uno", sequence=ahead))
    send(road.cem, road.csmc, say(road, "dos", sequence=ahead))
    assert link(road.csmc, CEM).frozen == "changed_twin"


def test_d08_a_step_back_is_refused() -> None:
    """An older epoch is refused; a number that was never seen but lies behind freezes the link."""
    road = Road()
    road.disclosed()
    with pytest.raises(PeerFault, match="epoch_back"):
        send(road.cem, road.csmc, say(road, "uno", epoch=0))
    with pytest.raises(PeerFault, match="far_ahead"):
        send(road.cem, road.csmc, say(road, "uno", sequence=10_000))
    send(road.cem, road.csmc, say(road, "uno", sequence=0))
    assert link(road.csmc, CEM).frozen == "behind_unseen"


# ---- D09: false acknowledgement --------------------------------------------------------------------------------------------


def unacked(road: Road) -> int:
    return int(road.cem.run(lambda unit: unit.outbox.count(state="dispatched")))


@pytest.mark.parametrize("riding", [False, True])
@pytest.mark.parametrize("beyond", [False, True])
def test_d09_a_false_ack_is_refused(beyond: bool, riding: bool) -> None:
    """Of a number we never sent, or of the right number with a digest of something else; alone, or riding on a message."""
    road = Road()
    road.disclosed()
    road.net.spoil = lambda parcel: []
    road.cem.type("ana", f"!tk decir {road.referral} hola")
    road.net.deliver(road.cem)
    line = link(road.cem, CSMC)
    upto = line.next_out + 5 if beyond else line.next_out - 1
    if riding:
        value = line.epoch_out.to_bytes(4, "big") + upto.to_bytes(8, "big") + b"\1" * 32
        record = craft(road.csmc, CEM, "profile", b"{}", extensions=(("ack", value),))
    else:
        record = craft(road.csmc, CEM, "ack", encode(wire.Ack(epoch=line.epoch_out, upto=upto, digest=b"\1" * 32)))
    send(road.csmc, road.cem, record)
    assert unacked(road) == 1
    assert link(road.cem, CSMC).acked_out == line.acked_out
    assert "false_ack" in alarms(road.cem)


# ---- D15: a newer peer -----------------------------------------------------------------------------------------------------


def disclose(road: Road, fields: dict[str, object], **more: object) -> None:
    """The emergency centre's hub discloses whatever it likes, with a body of a later schema."""
    ref = road.referral_id()
    row = road.cem.run(lambda unit: unit.referrals.get(ref))
    assert row is not None
    until = (road.net.clock.now() + timedelta(days=30)).isoformat()
    body = {"referral": ref, "disclosure": "dis_" + "1" * 24, "protocol": "mental-health", "version": 1, "until": until, "fields": fields}
    body |= {"grant": "", "glass": ""}
    boxed = envelope.seal_body(SealingKey(row.their_key), (ref, CEM, "disclose"), strictjson.dumps(body | more))
    send(road.cem, road.csmc, craft(road.cem, CSMC, "disclose", wire.box(ref, boxed), extensions=(("later", b"?"),)))


def test_d15_unknown_fields_are_dropped_and_reported_by_name() -> None:
    """Known ones are kept, unknown keys of the body and of the header are tolerated; P01: what is dropped is stored nowhere."""
    road = Road()
    road.offer()
    road.accept()
    # What our hub would have disclosed is on its way: take its number, as a peer of a later release would.
    marker = "MARCADOR-D15"
    released = {"outcome": "release", "value": marker}
    disclose(road, {"pronouns": {"outcome": "release", "value": "ella"}, "blood_group": released, "legal_name": released}, shiny="new")
    held = road.csmc.run(lambda unit: sorted(row.field for row in unit.held.all(disclosure="dis_" + "1" * 24)))
    assert held == ["pronouns"]
    reports = road.csmc.run(lambda unit: [row.ref["dropped"] for row in unit.outbox.all(kind="report")])
    assert reports == [["blood_group", "legal_name"]]
    assert marker not in str([dataclasses.astuple(row) for row in road.csmc.run(lambda unit: unit.held.all())])
    assert not [s for s in road.csmc.said if marker in s.body]


def test_d15_an_unknown_kind_is_refused_and_the_line_goes_on() -> None:
    road = Road()
    road.disclosed()
    send(road.cem, road.csmc, craft(road.cem, CSMC, "teleport", b"{}"))
    assert "unknown_kind" in alarms(road.csmc)
    line = link(road.csmc, CEM)
    assert send(road.cem, road.csmc, say(road, "después", sequence=line.next_in, previous=line.head_in)) == 1
    assert [s for s in road.csmc.said if "> después" in s.body]
