"""Malformed Matrix events and to-device messages, among good ones, out of a real homeserver's sync answers (T4; X14, X15, X33).

A proxy stuffs every answer with hostile parts: as a compromised peer who can encrypt (good Megolm and Olm around bad plaintext), as a
stranger, and as the homeserver itself. Between them a person and the peer say things, all of which must arrive.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import copy
import json
import random
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from bench.counting import Count
from bench.ghosts import Stage, stage
from deploy.demo.synapse import Synapses
from tests.attacks.canaries import hits, marker
from tests.attacks.matrix.test_events import OlmAttacker
from tests.exchange.test_wire import mutated
from tests.homeserver.bench import until

EACH = 250
"""Hostile parts in one sync answer."""
ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**70, 1e308, "", "x", "\ud800", "\0", "\u202e\u200b\U000e0041", "A" * 3000, "$x", "!x:y", [], [[]], {}, {"a": {}},
    [None, 5, {}], {"": ""}, {"ciphertext": 5}, {"event_id": 5}, {"rel_type": [], "event_id": {}},
)  # fmt: skip
PLAIN: tuple[bytes, ...] = (
    b"", b"not json", b"\xff\xfe", b"[]", b"5", b"{}", b"null", b'{"type":5}', b'{"a":1,"a":2}', b'{"n":NaN}', b"[" * 3000 + b"]" * 3000,
    b'{"type":"t","content":{},"room_id":"!o:x"}', b'"\\ud800"', b"-0", b"9" * 500,
)  # fmt: skip


class Stuffing:
    """Makes hostile parts of a sync answer, `left` in all, and puts them into the answers of one proxy."""

    def __init__(self, on: Stage, count: int, seed: int) -> None:
        self.on, self.left, self.rand = on, count, random.Random(seed)
        self.done = 0
        self.word = marker()
        self.seen: list[dict[str, Any]] = []
        """Good events that came by, to be copied and bent."""
        self.session, self.device = on.peer.matrix._machine._outbound[on.link].session, on.peer.matrix.device
        self.olm = OlmAttacker(on.rosa, on.hub)
        self.no_session = OlmAttacker.session_with_nobody()

    def __call__(self, body: Any) -> Any:
        rooms = body.get("rooms", {}).get("join", {})
        for room_id, room in rooms.items():
            if isinstance(room_id, str):
                self.seen += [event for event in room["timeline"]["events"] if event.get("type") == "m.room.encrypted"][:3]
        batch = min(EACH, self.left)
        if not batch or not rooms:
            return body
        self.left -= batch
        self.done += batch
        events = [self.part() for _ in range(batch)]
        cut = self.rand.randrange(batch)
        body["to_device"] = {"events": [*events[:cut:4], *body.get("to_device", {}).get("events", []), *events[cut::4]]}
        rest = [event for number, event in enumerate(events) if number % 4]
        for name in (self.on.desk, self.on.link):
            room = rooms.setdefault(name, {"timeline": {"events": [], "limited": False}, "state": {"events": []}})
            half, rest = rest[: len(rest) // 2 if name == self.on.desk else len(rest)], rest[len(rest) // 2 :]
            where = self.rand.randrange(len(half) + 1)
            room["timeline"]["events"] = [*half[:where], *room["timeline"]["events"], *half[where:]]
        return self._edges(body)

    def down_to(self, left: int) -> bool:
        """Whether no more than so many are left."""
        return self.left <= left

    def part(self) -> Any:
        """One hostile event or message."""
        makers: list[Callable[[], Any]] = [self.shape, self.bent, self.megolm, self.olm_shape, self.state, self.junk]
        return self.rand.choices(makers, weights=(25, 20, 25, 15, 10, 5))[0]()

    def shape(self) -> Any:
        """An encrypted event with any value in any place."""
        event = self._event("m.room.encrypted", self._cipher(self._bytes(self.rand.choice(PLAIN))))
        return self._spoil(event)

    def bent(self) -> Any:
        """A good event of this very room, with something changed, under another id."""
        if not self.seen:
            return self.shape()
        event = json.loads(json.dumps(self.rand.choice(self.seen)))
        event["event_id"] = f"${secrets.token_hex(12)}"
        text = event["content"].get("ciphertext")
        if isinstance(text, str) and self.rand.random() < 0.6:
            data = mutated(self.rand, base64.b64decode(text + "=" * (-len(text) % 4)))
            event["content"]["ciphertext"] = base64.b64encode(data).decode().rstrip("=")
            return event
        return self._spoil(event)

    def megolm(self) -> Any:
        """It opens with the peer's real room key; inside there is nonsense."""
        if self.rand.random() < 0.5:
            data = self.rand.choice(PLAIN)
        else:
            kind = self.rand.choice(("org.tinkuy.envelope.v1", "m.room.message", "", "m.room.encrypted"))
            content = {"data": self.word, "body": self.word, "x": self._odd()}
            inner: dict[str, Any] = {"type": kind, "room_id": self.on.link, "content": content}
            inner[self.rand.choice(("type", "content", "room_id", "x"))] = self._odd()
            if inner["type"] == "org.tinkuy.envelope.v1" and isinstance(inner["content"], dict):
                inner["room_id"] = "!other:room"  # a sound one would be accepted here, and refused where envelopes are opened
            elif inner["room_id"] == self.on.link and isinstance(inner["type"], str) and isinstance(inner["content"], dict):
                inner["content"] = []
            data = mutated(self.rand, json.dumps(inner).encode()[:-1])
        return self._event("m.room.encrypted", self._cipher(self.session._session.encrypt(data).to_base64()))

    def olm_shape(self) -> Any:
        """A to-device message of a pinned sender, to our device, that is no Olm message."""
        own = self.rand.choice((
            {"type": self.rand.choice((0, 1, 2, -1, None, "0")), "body": self._bytes(self.rand.randbytes(self.rand.randrange(200)))},
            {"type": 1, "body": self._bytes(b"\x03" + bytes(self.rand.randrange(90)))},
            {"type": self.rand.choice((0, 1)), "body": self._sealed_to_nobody()}, self._odd(),
        ))  # fmt: skip
        return self._spoil(self._event("m.room.encrypted", self.olm.content(own)), often=0.4)

    def state(self) -> Any:
        """State that no honest server sends."""
        kinds = ("m.room.member", "m.room.encryption", "m.room.power_levels", "m.room.create")
        others = ("m.room.name", "org.tinkuy.envelope.v1", "m.room.message")
        event = self._event(self.rand.choice(others), {"body": self.word, "name": self._odd(), "membership": self._odd()})
        if self.rand.random() < 0.5:
            event |= {"type": self.rand.choice(kinds), "state_key": self.rand.choice((5, None, [], {"a": 1})), "content": self._odd()}
        return event

    def junk(self) -> Any:
        """No event at all."""
        return self._odd()

    # ---- material --------------------------------------------------------------------------------------------------------

    def _event(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        sender = self.rand.choice((self.on.peer.user_id, self.on.rosa.user_id, self.on.peer.user_id, "@x:y"))
        return {"type": kind, "sender": sender, "event_id": f"${secrets.token_hex(12)}", "origin_server_ts": 1, "content": content}

    def _cipher(self, text: str) -> dict[str, Any]:
        known = {"algorithm": "m.megolm.v1.aes-sha2", "sender_key": self.device.curve25519, "device_id": self.device.device_id}
        return known | {"session_id": self.session.id, "ciphertext": text}

    def _spoil(self, event: dict[str, Any], often: float = 1.0) -> dict[str, Any]:
        while self.rand.random() < often:
            often *= 0.4
            place = event if self.rand.random() < 0.4 or not isinstance(event.get("content"), dict) else event["content"]
            name = self.rand.choice([*place, "m.relates_to", "state_key", "unsigned", "x"])
            if self.rand.random() < 0.25:
                place.pop(name, None)
            else:
                place[name] = self._odd()
        return event

    def _odd(self) -> Any:
        return copy.deepcopy(self.rand.choice(ODD))

    @staticmethod
    def _bytes(data: bytes) -> str:
        return base64.b64encode(data).decode().rstrip("=")

    def _sealed_to_nobody(self) -> str:
        _, raw = self.no_session.encrypt(self.rand.choice(PLAIN)).to_parts()
        return self._bytes(raw)

    def _edges(self, body: Any) -> Any:
        """The other parts of the answer, which nobody asked for."""
        odd = self._odd
        presence = [{"type": "m.presence", "sender": odd(), "content": {"status_msg": 5}}]
        body |= {"presence": {"events": presence}, "account_data": odd(), "groups": odd()}
        body["device_lists"] = {"changed": self.rand.choice(([5, None, [], {}], {}, "x")), "left": odd()}
        for room in body["rooms"]["join"].values():
            chatter = [{"type": "m.receipt", "content": odd()}, {"type": "m.typing", "content": odd()}]
            room["ephemeral"] = self.rand.choice(({"events": chatter}, odd()))
            room["account_data"], room["summary"], room["unread_notifications"] = odd(), odd(), odd()
        body["rooms"]["knock"] = odd()
        return body


async def run(servers: Synapses, count: int = 100_000, seed: int = 5) -> list[Count]:
    """`count` hostile parts; a word from the person and one from the peer for every answer that is stuffed."""
    async with stage(servers) as on:
        await on.peer.envelope(on.link, "antes")
        await on.hub.gets("antes")
        stuffing = Stuffing(on, count, seed)
        on.proxy.on_answer("/sync", stuffing)
        before = await on.hub.bodies()
        said: list[str] = []
        failures = 0
        while stuffing.left:
            said.append(f"buena {len(said)}")
            await on.rosa.say(on.desk, f"{said[-1]} r")
            await on.peer.envelope(on.link, f"{said[-1]} p")
            with contextlib.suppress(AssertionError):
                await until(partial(stuffing.down_to, max(0, stuffing.left - EACH)), "an answer", 10)
            failures = max(failures, on.hub.matrix.health.failures)
        on.proxy.honest()
        await asyncio.gather(*(on.hub.gets(f"{said[-1]} {who}", within=120) for who in "rp"))
        arrived = [text for text in (await on.hub.bodies())[len(before) :] if text.startswith("buena ")]
        wanted = {f"{text} {who}" for text in said for who in "rp"}
        odd = [text for text in (await on.hub.bodies())[len(before) :] if text not in wanted]
        assert on.hub._task is not None
        crashed = failures + on.hub._task.done() + sum(report.kind == "batch_failed" for report in on.hub.reports)
        stored = await on.hub.database.run(_dump)
        leaked = len(hits(stored.encode("utf-8", "replace"), {"undeclared": stuffing.word}))
    tried = stuffing.done
    return [
        Count(name="malformed Matrix events: crashes and failed batches", tried=tried, value=crashed, unit="crashes", limit=0),
        Count(name="malformed Matrix events: good ones among them lost or doubled", tried=len(wanted),
              value=len(wanted - set(arrived)) + len(arrived) - len(set(arrived)), unit="events", limit=0),
        Count(name="malformed Matrix events: accepted", tried=tried, value=len(odd), unit="events", limit=0),
        Count(name="malformed Matrix events: their words in the database", tried=tried, value=leaked, unit="markers", limit=0),
    ]  # fmt: skip


def _dump(connection: Any) -> str:
    return "\n".join(connection.connection.driver_connection.iterdump())


async def on_homeservers(folder: Path, count: int) -> list[Count]:
    """The same on two homeservers made for it."""
    async with Synapses(folder / "servers", count=2) as servers:
        return await run(servers, count)
