"""Hostile envelopes from a peer with its real keys, and from everybody on the road (T3, T4, T5; X15, P01).

Whole hubs in memory, every envelope through `receive`, in a unit of its own. Among them are honest ones, which must all arrive.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bench.counting import Count
from hub.actions.dispatch import Parcel, dispatch, mark_sent
from hub.actions.ports import Unit
from hub.actions.receive import receive
from hub.base.errors import PeerFault
from hub.exchange import wire
from hub.exchange.records import Link
from hub.testing import Twin
from keys import envelope
from keys.envelope import SignedInner
from keys.primitives import random_bytes
from policies.holding import ceiling
from tests.actions.road import CEM, CSMC, PACK, Net, everything, fresh, working
from tests.attacks.canaries import hits, marker
from tests.attacks.twins.bench import day_key
from tests.exchange.test_delivery import heard, say
from tests.exchange.test_fuzz import STRANGE, Liar, sample
from tests.exchange.test_wire import mutated

OURS = {"TypeError", "ValueError", "KeyError", "AttributeError", "OverflowError", "IndexError", "RecursionError", "AssertionError"}
"""Refused for such a reason means that a check was missing and the net under it caught the fall: counted as a crash."""
RENEWALS = {"hek", "manifest"}
"""Unnumbered, and about keys: a repertoire of their own."""
MOVES = wire.UNSEQUENCED | {"finish", "give-back", "withdraw", "cancel", "decline", "chunk", "skip"}
"""Kinds that end the referral or belong to the line itself; the tests of those stand in tests/exchange/test_fuzz.py."""
OVERSHARED = ("legal_name", "document_number", "address", "hiv_status", "notes", "inventado", "ｐhone", "phone\u200b", "PHONE", "../phone")


class _Undo(Exception):
    """Leaves a unit of work without a trace."""


@dataclass
class Seen:
    """What came of it all."""

    tried: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    valid: int = 0
    lost: int = 0
    undeclared: int = 0
    canaries: int = 0


class Fuzz:
    """One direction of one link: a compromised peer `sender`, its honest neighbour `target`."""

    def __init__(self, sender: str, target: str, seed: int) -> None:
        self.rand = random.Random(seed)
        self.net: Net = fresh()
        _, referral = working(self.net)
        self.target: Twin = self.net[target]
        self.liar = Liar(self.net, sender, target)
        self.sender = self.net[sender]
        found: Any = self.target.run(lambda unit: (unit.referrals.get(referral.id), unit.disclosures.all()[0].id))
        self.ours = found[0]  # it is there: `working` made it
        self.disclosure: str = found[1]
        self.room = str(self.target.run(_link, sender).room)
        self.info = envelope.info_bytes(sender, target, self.liar.link)
        self.key = day_key(self.target).public
        self.word = marker()
        self.kinds = sorted(set(wire.KINDS) - MOVES)
        self.last = self._sealed([self.liar.say("say", self._words("mensaje-x"), self.ours)])
        self.seen = Seen()
        self._take(self.last)
        self.said: list[str] = ["mensaje-x"]

    # ---- the attacker's repertoire ---------------------------------------------------------------------------------------

    def body(self) -> None:
        """Signed, numbered, sealed well; and it says whatever it likes."""
        kind = "disclose" if self.rand.random() < 0.2 else self.rand.choice(self.kinds)
        table = sample(kind, self.ours, self.rand.choice((self.disclosure, f"dis_{self.rand.randbytes(12).hex()}")))
        oversharing = kind == "disclose" and self.rand.random() < 0.6
        if oversharing:  # well formed but for what it carries: it reaches the last check
            table["disclosure"] = f"dis_{self.rand.randbytes(12).hex()}"
        for name in self.rand.sample(sorted(table), k=0 if oversharing else self.rand.randint(1, min(3, len(table)))):
            table[name] = self.rand.choice(STRANGE)
        if oversharing:
            value = {"outcome": self.rand.choice(("release", "generalise", "presence", "x", 5)), "value": self.word}
            table["fields"] = {self.rand.choice(OVERSHARED): value, self.rand.choice(OVERSHARED): {"value": {"a": [self.word]}}}
        if self.rand.random() < 0.2:
            table[f"x_{self.rand.randrange(9)}"] = self.word
        data = json.dumps(table).encode()
        raw = mutated(self.rand, data) if self.rand.random() < 0.3 else data
        self._take(self._sealed([self.liar.say(kind, table, self.ours, raw=raw)]))

    def chore(self) -> None:
        """Keys and manifests that are none, outside the numbers."""
        kind, number, head = self.rand.choice(sorted(RENEWALS)), self.liar.number, self.liar.head
        table = sample(kind, self.ours, self.disclosure)
        table[self.rand.choice(sorted(table))] = self.rand.choice((*STRANGE, self.rand.randbytes(40).hex()))
        record = self.liar.record(kind, json.dumps(table).encode(), sequence=0)
        self.liar.number, self.liar.head = number, head
        self._take(self._sealed([record]))

    def header(self) -> None:
        """A good signature over a header that says anything; in a unit that is undone, because it may rightly freeze the line."""
        number, head = self.liar.number, self.liar.head
        odd = self.rand.choice((0, 1, number - 1, number + 1, number + 40, 10_000, 2**53 - 1))
        more: dict[str, Any] = {"sequence": odd, "previous": random_bytes(32), "epoch": self.rand.choice((0, 1, 2, 9, 999, 2**32 - 1))}
        chosen = dict(self.rand.sample(sorted(more.items()), k=self.rand.randint(1, 3)))
        kind = self.rand.choice((*self.kinds, "teleport", "ack", "resend", "skip", "chunk", "hello"))
        record = self.liar.record(kind, self.rand.choice((b"{}", b"[]", b"\xff", self.rand.randbytes(60))), **chosen)
        wrong = self.rand.choice((None, {"recipient": "otra"}, {"sender": "otra"}, {"link": "lnk-x"}, {"checkpoint": self.rand.randbytes(80)}))
        if wrong is not None:
            record = envelope.sign_inner(replace(record.inner, **wrong), self.liar.signer)
        self.liar.number, self.liar.head = number, head
        self._take(self._sealed([record]), undone=True)

    def frame(self) -> None:
        """What was sealed for us is no bundle of records, or one of them was changed after it was signed."""
        number, head = self.liar.number, self.liar.head
        good = wire.pack([self.liar.say("say", self._words("nada"), self.ours).data])
        self.liar.number, self.liar.head = number, head
        self._take(envelope.seal(mutated(self.rand, good) or b"x", self.key, self.info), undone=True)

    def outer(self) -> None:
        """Somebody on the road changed the envelope."""
        data = mutated(self.rand, self.last)
        self._take(data if data != self.last else data[:-1])

    def again(self) -> None:
        """The very envelope once more."""
        self._take(self.last)

    def foreign(self) -> None:
        """A good envelope in another room, or put by another user."""
        place = self.rand.choice((("!otra:sala", self.sender.user), (self.room, "@otra:casa.example"), ("", ""), (self.room, "")))
        self._take(self.last, place=place)

    def honest(self) -> None:
        """The next word that the peer means."""
        text = f"mensaje-{len(self.said)}"
        self.said.append(text)
        self.last = self._sealed([self.liar.say("say", self._words(text), self.ours)])
        self._take(self.last)

    # ---- one after another -----------------------------------------------------------------------------------------------

    def run(self, count: int) -> Seen:
        """So many hostile envelopes, an honest one after each fifty."""
        hostile: list[Callable[[], None]] = [self.body, self.header, self.frame, self.outer, self.again, self.foreign, self.chore]
        for number in range(count):
            attack = self.rand.choices(hostile, weights=(40, 15, 10, 20, 10, 5, 5))[0]
            self.seen.tried[attack.__name__] += 1
            attack()
            if number % 50 == 49:
                self.honest()
                self.target.post()
        return self._judged()

    def _judged(self) -> Seen:
        self.target.post()
        self.seen.valid = len(self.said)
        arrived = heard(self.target)
        self.seen.lost = len(self.said) - len(set(arrived)) if arrived == self.said else max(1, len(set(self.said) - set(arrived)))
        refusals = {line.detail["why"] for line in self.target.run(lambda unit: unit.log.all(what="record.refused"))}
        self.seen.crashes += sorted(refusals & OURS)
        allowed = set(ceiling(PACK.protocols["mental-health"], "mental_health_centre", purpose="mental_health_care"))
        held = self.target.run(lambda unit: [value.field for value in unit.held.all()])
        self.seen.undeclared = len([name for name in held if name not in allowed])
        self.seen.canaries = len(hits(everything(self.target), {"undeclared": self.word}))
        self.target.ring()
        self.target.run(dispatch)
        return self.seen

    def _words(self, text: str) -> dict[str, Any]:
        return {"referral": self.ours.id, "text": text, "by": "Ana"}

    def _sealed(self, records: list[SignedInner]) -> bytes:
        return envelope.seal(wire.pack([one.data for one in records]), self.key, self.info)

    def _take(self, sealed: bytes, *, place: tuple[str, str] | None = None, undone: bool = False) -> None:
        room, user = place or (self.room, self.sender.user)

        def run(unit: Any) -> None:
            receive(unit, room, user, sealed)
            if undone:
                raise _Undo

        try:
            self.target.run(run)
        except (PeerFault, _Undo):
            pass
        except Exception as error:
            self.seen.crashes.append(type(error).__name__)


def envelopes(count: int, seed: int = 1) -> list[Count]:
    """`count` hostile envelopes, half in each direction of a link."""
    found = [Fuzz(one, other, seed).run(count // 2) for one, other, seed in ((CEM, CSMC, seed), (CSMC, CEM, seed + 1))]
    tried, valid = sum(sum(one.tried.values()) for one in found), sum(one.valid for one in found)
    return [
        Count(name="fuzzed envelopes: crashes", tried=tried, value=sum(len(one.crashes) for one in found), unit="crashes", limit=0),
        Count(name="fuzzed envelopes: honest ones among them lost, doubled or out of order", tried=valid, value=sum(one.lost for one in found),
              unit="envelopes", limit=0),
        Count(name="fuzzed envelopes: undeclared fields stored", tried=tried, value=sum(one.undeclared for one in found), unit="fields", limit=0),
        Count(name="fuzzed envelopes: markers of undeclared values in the database", tried=tried, value=sum(one.canaries for one in found),
              unit="markers", limit=0),
    ]  # fmt: skip


def tampering(count: int, seed: int = 3) -> list[Count]:
    """T3: of real envelopes of the product, changed copies, repeats and such that come before their turn; in rounds of one hundred."""
    rand, net = random.Random(seed), fresh()
    _, referral = working(net)
    tried: Counter[str] = Counter()
    effects: Counter[str] = Counter()
    said: list[str] = []
    for _ in range(max(1, count // 100)):
        parcels = []
        for _ in range(20):
            said.append(f"mensaje-{len(said)}")
            say(net, net.cem, referral, said[-1])
            parcels += _put(net)
        before = len(said) - len(parcels)
        for _ in range(40):
            tried["changed"] += 1
            effects["changed"] += _changed(net, rand, rand.choice(parcels))
        for number, parcel in enumerate(reversed(parcels)):  # the last first: none but the first of the line may have an effect
            tried["re-ordered"] += 1
            net.hand(net.cem, parcel)
            net.csmc.post()
            effects["re-ordered"] += len(heard(net.csmc)) != (before if number < len(parcels) - 1 else len(said))
        for number in range(40):
            tried["replayed"] += 1
            effects["replayed"] += _replayed(net, rand, rand.choice(parcels), by_another=number % 2 == 0)
        net.settle(2)
    net.settle(6)
    lost = 0 if heard(net.csmc) == said else max(1, len(set(said) - set(heard(net.csmc))))
    frozen = net.csmc.run(lambda unit: len([link for link in unit.links.all() if link.frozen]))
    return [
        *(Count(name=f"{kind} envelopes that had an effect", tried=tried[kind], value=effects[kind], unit="effects", limit=0) for kind in tried),
        Count(name="the envelopes they were made of: lost, doubled or out of order", tried=len(said), value=lost + frozen, unit="envelopes", limit=0),
    ]


def _link(unit: Unit, peer: str) -> Link:
    link = unit.links.one(peer=peer)
    assert link is not None, "it is paired"
    return link


def _put(net: Net) -> list[Parcel]:
    made = [parcel for parcel in net.cem.run(dispatch) if parcel.rows]
    for parcel in made:
        net.cem.run(mark_sent, parcel)
    return made


def _state(unit: Any) -> tuple[Any, ...]:
    links = [(link.next_in, link.head_in, link.frozen) for link in unit.links.all(order="id")]
    return (links, unit.seen.count(), unit.early.count(), unit.held.count(), unit.posts.count(), unit.disclosures.count())


def _changed(net: Net, rand: random.Random, parcel: Parcel) -> bool:
    """Whether a copy with something changed was taken."""
    data = bytearray(parcel.sealed)
    if rand.random() < 0.7:
        data[rand.randrange(len(data))] ^= 1 << rand.randrange(8)
    else:
        data = bytearray(mutated(rand, parcel.sealed))
    if bytes(data) == parcel.sealed:
        return False
    return _effect(net, parcel.room, net.cem.user, bytes(data))


def _replayed(net: Net, rand: random.Random, parcel: Parcel, *, by_another: bool) -> bool:
    """Whether the very bytes had a second effect; or any, from another user or in another room."""
    room, user = rand.choice((("!otra:sala", net.cem.user), (parcel.room, net.hogar.user))) if by_another else (parcel.room, net.cem.user)
    return _effect(net, room, user, parcel.sealed)


def _effect(net: Net, room: str, user: str, sealed: bytes) -> bool:
    """Whether anything was taken. The name of a key that is none of ours may be answered by a question; nothing else may come of it."""
    before = net.csmc.run(_state)
    done = 0
    with contextlib.suppress(PeerFault):
        done = net.csmc.run(lambda unit: receive(unit, room, user, sealed))
    return bool(done or net.csmc.run(_state) != before)
