"""A hostile peer with a valid key, and a hostile road: nothing but PeerFault is raised, the line goes on, nothing undeclared is stored (P01, P05)."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import replace
from typing import Any

import pytest

from hub.actions import receive as receiving
from hub.actions.dispatch import Parcel, dispatch
from hub.actions.peers import link_id
from hub.base.errors import PeerFault
from hub.cases.records import Referral
from hub.exchange import wire
from hub.testing import Twin
from keys import envelope
from keys.chunks import CHUNK_SIZE, chunk_body
from keys.envelope import Inner, SignedInner
from keys.primitives import OpeningKey, SealingKey, random_bytes
from policies.holding import ceiling
from tests.actions.road import CANARY, CEM, CSMC, PACK, Net, everything, working
from tests.exchange.test_wire import fields_of, mutated

HOSTILE = "PROHIBIDO"
STRANGE: tuple[Any, ...] = (
    "", "a", "A" * 8000, "A" * 8001, "ref_" + "0" * 24, "case_" + "0" * 24, "hub", "\u202e\u200b\U000e0041", "ñ" * 300, None, True, 0, -1, 2**53 - 1,
    1.5, [], ["x"] * 200, [["x"]], {}, {"value": HOSTILE}, {"outcome": "release", "value": HOSTILE}, "0001-01-01T00:00:00+00:00",
    "9999-12-31T23:59:59+00:00", "AAAA", "../../etc", "' OR 1=1 --", "R-7QK4M", "{0.__class__}", {"on": "sí", "roles": 7, "next": {}},
)  # fmt: skip


class Liar:
    """An institution's hub that signs and numbers well, and says whatever it likes."""

    def __init__(self, net: Net, sender: str, target: str) -> None:
        self.me, self.target = net[sender], net[target]
        link = self.me.run(lambda unit: unit.links.one(peer=target))
        self.link, self.number, self.head = link.id, link.next_out, link.head_out
        self.signer = self.me.store.given.hand.signer

    def record(self, kind: str, body: bytes, **more: Any) -> SignedInner:
        given = {"epoch": 1, "sequence": self.number, "previous": self.head} | more
        inner = Inner(
            message_id=random_bytes(16), sender=self.me.id, recipient=self.target.id, link=self.link, manifest_version=1, kind=kind, body=body,
            sent_at=0, **given,
        )  # fmt: skip
        self.number += 1
        record = envelope.sign_inner(inner, self.signer)
        self.head = b"\0" * 32 if kind == "skip" else record.digest
        return record

    def say(self, kind: str, table: Any, their: Referral, *, raw: bytes | None = None, **more: Any) -> SignedInner:
        plain = json.dumps(table, ensure_ascii=False).encode("utf-8", "replace") if raw is None else raw
        if not wire.KINDS[kind].sealed:
            return self.record(kind, plain, **more)
        sealed = envelope.seal_body(SealingKey(their.our_key), (their.id, self.me.id, kind), plain)
        return self.record(kind, wire.box(their.id, sealed), **more)


def take(target: Twin, records: list[SignedInner], peer: str) -> None:
    """As the road would bring them, one unit for all of them."""

    def run(unit: Any) -> None:
        for record in records:
            try:
                receiving._take(unit, link_id(target.id, peer), record)
            except PeerFault:
                continue

    target.run(run)
    target.post()


def sample(kind: str, referral: Referral, disclosure: str) -> dict[str, Any]:
    """A body that is well formed."""
    by_name = {
        "referral": referral.id, "disclosure": disclosure, "code": "R-7QK4M", "need": referral.need, "purpose": referral.purpose,
        "protocol": referral.protocol, "urgency": "routine", "reason": "no_capacity", "outcome": "needs_met", "move": "start", "field": "phone",
        "disclosures": [disclosure], "fields": {}, "opened_at": "2026-11-23T14:00:00+00:00", "respond_by": "2026-11-23T18:00:00+00:00",
        "until": "2027-11-23T18:00:00+00:00", "version": 1,
    }  # fmt: skip
    by_type = {str: "texto", int: 1, bool: True, bytes: "AAAA", tuple: [], dict: {}}
    return {name: by_name.get(name, by_type.get(hint)) for name, hint in fields_of(kind).items()}


def canary_free(twin: Twin, marker: str) -> None:
    assert marker.encode() not in everything(twin)


@pytest.mark.parametrize("direction", [(CSMC, CEM), (CEM, CSMC)])
def test_2_000_hostile_bodies_each_way_stop_nothing_and_leave_nothing(net: Net, direction: tuple[str, str]) -> None:
    rand = random.Random(f"{direction}")
    _, referral = working(net)
    sender, target = direction
    liar = Liar(net, sender, target)
    twin = net[target]
    ours = twin.run(lambda unit: unit.referrals.get(referral.id))
    disclosure = twin.run(lambda unit: unit.disclosures.all()[0].id)
    kinds = sorted(set(wire.KINDS) - wire.UNSEQUENCED - {"finish", "give-back", "withdraw", "cancel", "decline"})
    for batch in range(40):
        records = []
        for _ in range(50):
            kind = rand.choice(kinds)
            table = sample(kind, ours, rand.choice((disclosure, f"dis_{rand.randbytes(12).hex()}")))
            for name in rand.sample(sorted(table), k=rand.randint(1, min(2, len(table)))):
                table[name] = rand.choice(STRANGE)
            if kind == "disclose" and rand.random() < 0.7:
                table["fields"] = {rand.choice(("legal_name", "inventado", "notes", "hiv_status")): {"outcome": "release", "value": HOSTILE}}
            data = json.dumps(table).encode()
            records.append(liar.say(kind, table, ours, raw=mutated(rand, data) if rand.random() < 0.3 else data))
        take(twin, records, sender)
        if batch == 0:
            assert twin.run(lambda unit: unit.links.one(peer=sender)).next_in == liar.number, "the line goes on"
    link = twin.run(lambda unit: unit.links.one(peer=sender))
    assert link.next_in == liar.number
    assert not link.frozen
    refusals = {line.detail["why"] for line in twin.run(lambda unit: unit.log.all(what="record.refused"))}
    ours = {"TypeError", "ValueError", "KeyError", "AttributeError", "OverflowError", "IndexError"}
    assert not refusals & ours, "strict before, not saved by the net"
    canary_free(twin, HOSTILE)
    allowed = set(ceiling(PACK.protocols["mental-health"], "mental_health_centre", purpose="mental_health_care"))
    assert {value.field for value in twin.run(lambda unit: unit.held.all())} <= allowed
    assert all(r.peer in (CEM, CSMC) for r in twin.run(lambda unit: unit.referrals.all()))
    twin.ring()
    twin.run(dispatch)


@pytest.mark.parametrize(
    "kind", ["finish", "give-back", "withdraw", "cancel", "decline", "accept", "progress", "ask", "erased", "report", "disclose"]
)
def test_only_the_side_that_may_make_a_move_makes_it(net: Net, kind: str) -> None:
    """The sender cannot finish for the recipient, the recipient cannot disclose to the sender, and so on for each kind."""
    from hub.actions.handle import _HANDLERS

    _, referral = working(net)
    side = _HANDLERS[wire.KINDS[kind]][0]
    assert side is not None
    wrong, speaker = (net.csmc, CEM) if side.value == "sender" else (net.cem, CSMC)
    ours = wrong.run(lambda unit: unit.referrals.get(referral.id))
    before = (ours, wrong.run(lambda unit: unit.disclosures.all(order="id")))
    liar = Liar(net, speaker, wrong.id)
    table = sample(kind, ours, before[1][0].id)
    if kind == "accept":
        table["key"] = base64.b64encode(OpeningKey.generate().public.raw).decode()
    take(wrong, [liar.say(kind, table, ours)], speaker)
    assert (wrong.run(lambda unit: unit.referrals.get(referral.id)), wrong.run(lambda unit: unit.disclosures.all(order="id"))) == before


def test_acknowledgements_with_impossible_numbers_are_ignored(net: Net) -> None:
    _, _ = working(net)
    liar = Liar(net, CSMC, CEM)
    digest = base64.b64encode(b"\0" * 32).decode()
    before = net.cem.run(lambda unit: unit.links.one(peer=CSMC))
    for epoch, upto in ((1, 2**53 - 1), (1, -5), (7, 1)):
        table = {"epoch": epoch, "upto": upto, "digest": digest}
        take(net.cem, [liar.record("ack", json.dumps(table).encode(), sequence=0)], CSMC)
    ride = (1).to_bytes(4, "big") + (2**64 - 1).to_bytes(8, "big") + b"\0" * 32
    chore = b'{"epoch":1,"first":-9,"last":9007199254740991}'
    take(net.cem, [liar.record("resend", chore, sequence=0, extensions=(("ack", ride),))], CSMC)
    assert net.cem.run(lambda unit: unit.links.one(peer=CSMC)).acked_out == before.acked_out


def test_20_000_damaged_envelopes_are_refused_whole(net: Net) -> None:
    """Every byte of an envelope is covered: a change anywhere is a refusal, never another error, and never an effect."""
    from hub.actions import work

    rand = random.Random(7)
    _, referral = working(net)
    net.cem.run(lambda unit: work.say(unit, net.cem.person("ana"), referral.id, f"{CANARY} en el camino"))
    parcel = next(p for p in net.cem.run(dispatch) if p.rows)
    before = net.csmc.run(_rows)

    def all_of_them(unit: Any) -> int:
        refused = 0
        for number in range(20_000):
            data = _shorter(rand, parcel) if number % 4 else mutated(rand, parcel.sealed)
            if data == parcel.sealed:
                refused += 1
                continue
            try:
                assert receiving.receive(unit, parcel.room, net.cem.user, data) == 0
                assert data[1:9] != parcel.sealed[1:9], "only a name of a key that is none of ours is answered, by a question"
            except PeerFault:
                pass
            refused += 1
        return refused

    assert net.csmc.run(all_of_them) == 20_000
    links, *others = net.csmc.run(_rows)
    asked = [replace(each, gone=False, owes_key=False) for each in links]
    assert (asked, *others[:2], others[3]) == (before[0], *before[1:3], before[4]), "one question to the sender, and nothing else"
    assert others[2] - before[3] <= 1
    net.hand(net.cem, parcel)
    net.csmc.post()
    assert net.csmc.find("en el camino"), "and the whole one still arrives"


def _shorter(rand: random.Random, parcel: Parcel) -> bytes:
    """One bit changed in the head or anywhere, or cut: the cheap refusals, so that many fit."""
    data = bytearray(parcel.sealed)
    if rand.random() < 0.5:
        return bytes(data[: rand.randrange(len(data))])
    data[rand.randrange(9)] ^= 1 << rand.randrange(8)
    return bytes(data)


def _rows(unit: Any) -> tuple[Any, ...]:
    return (unit.links.all(order="id"), unit.seen.count(), unit.early.count(), unit.log.count(), unit.held.count())


@pytest.mark.parametrize("change", ["room", "sender", "link", "recipient"])
def test_an_envelope_of_another_road_is_refused(net: Net, change: str) -> None:
    """(1) pinned sender, (4) addressed to us on this link: a sound envelope elsewhere is nothing."""
    liar = Liar(net, CSMC, CEM)
    record = liar.record("profile", b"{}")
    if change == "link":
        record = envelope.sign_inner(replace(record.inner, link="lnk-" + "0" * 32), liar.signer)
    if change == "recipient":
        record = envelope.sign_inner(replace(record.inner, recipient="hogar-luz"), liar.signer)
    sealed = envelope.seal(
        wire.pack([record.data]), net.cem.run(lambda unit: unit.daily.today(unit.now)).public, envelope.info_bytes(CSMC, CEM, liar.link)
    )  # fmt: skip
    room = net.cem.run(lambda unit: unit.links.one(peer=CSMC)).room
    room = net.cem.run(lambda unit: unit.links.one(peer="hogar-luz")).room if change == "room" else room
    sender = net.csmc.user if change != "sender" else net.hogar.user
    with pytest.raises(PeerFault) as fault:
        net.cem.run(lambda unit: receiving.receive(unit, room or "", sender, sealed))
    assert fault.value.code in ("wrong_sender", "wrong_address", "envelope_refused", "no_link")


def test_a_changed_twin_freezes_and_an_equal_one_is_acknowledged_again(net: Net) -> None:
    liar = Liar(net, CSMC, CEM)
    one = liar.record("skip", b'{"reason":"x"}')
    profile = {"name": "n", "territory": "t", "needs": [], "languages": [], "duty": {}}
    first = liar.record("profile", json.dumps(profile).encode())
    take(net.cem, [one, first, first], CSMC)
    assert net.cem.run(lambda unit: unit.links.one(peer=CSMC)).frozen is None
    other = liar.record("profile", json.dumps(profile | {"name": "otra"}).encode(), sequence=first.inner.sequence)
    take(net.cem, [other], CSMC)
    assert net.cem.run(lambda unit: unit.links.one(peer=CSMC)).frozen == "changed_twin"


def test_a_box_for_one_referral_cannot_speak_of_another(net: Net) -> None:
    _, referral = working(net)
    case, other = working(net)
    liar = Liar(net, CSMC, CEM)
    ours = net.cem.run(lambda unit: unit.referrals.get(referral.id))
    record = liar.say("finish", {"referral": other.id, "outcome": "needs_met", "disclosures": []}, ours)
    take(net.cem, [record], CSMC)
    assert net.cem.run(lambda unit: unit.referrals.get(other.id)).state.value == "accepted"
    assert case


def test_pieces_that_do_not_follow_each_other_are_refused_and_kept_nowhere(net: Net) -> None:
    """A piece out of its turn, of another body, or after something else came between: no body, and nothing left lying about."""
    liar = Liar(net, CSMC, CEM)
    first, second, third = chunk_body("profile", b"x" * (2 * CHUNK_SIZE + 1))
    other = chunk_body("profile", b"y" * (2 * CHUNK_SIZE + 1))
    for pieces in ((second,), (first, third), (first, other[1], third), (first, b"basura"), (first, None, second, third)):
        records = [liar.record("skip", b'{"reason":"x"}') if piece is None else liar.record("chunk", piece) for piece in pieces]
        take(net.cem, [*records, liar.record("skip", b'{"reason":"x"}')], CSMC)
        assert net.cem.run(lambda unit: unit.early.count()) == 0
    take(net.cem, [liar.record("chunk", second)], CSMC)
    assert net.cem.run(lambda unit: unit.early.count()) == 0
    assert net.cem.run(lambda unit: unit.links.one(peer=CSMC)).next_in == liar.number
    assert net.cem.run(lambda unit: unit.peers.get(CSMC)).profile["name"] != "x"
