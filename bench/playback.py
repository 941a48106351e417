"""A homeserver that plays: it passes everything on to a real one until told to play, then answers /sync with batches it was given.

What it plays is real: Megolm events that a real peer's own Olm machine encrypted, around envelopes that the peer's own keys signed and
sealed, and the room keys they need as Olm messages. A hub cannot tell it from a busy homeserver, and it costs far less than one.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import secrets
from typing import Any, Self

import aiohttp
from aiohttp import web

from bench.stage import Whole
from deploy.demo.synapse import Homeserver
from hub.actions.opening_keys import key_for
from hub.actions.peers import manifest_of
from hub.actions.ports import Unit
from hub.exchange.records import Link, Peer
from hub.exchange.wire import Body, encode, pack
from hub.matrix.client import HubClient
from hub.matrix.machine import Machine
from hub.matrix.ports import ENVELOPE_TYPE, Device
from keys import envelope
from keys.envelope import Inner
from keys.primitives import SealingKey, random_bytes

_HOP = {"content-length", "transfer-encoding", "content-encoding", "connection", "date", "server"}
KEYS_LEFT = {"device_one_time_keys_count": {"signed_curve25519": 50}, "device_unused_fallback_key_types": ["signed_curve25519"]}
Batch = dict[str, Any]


class Playback(Homeserver):
    """Stands in front of `server` under an address of its own."""

    def __init__(self, server: Homeserver) -> None:
        super().__init__(server.place, "")
        self._behind = server
        self._address = ""
        self._batches: asyncio.Queue[Batch] | None = None
        self._numbers = itertools.count(1)
        self.taken = 0
        """Events that the hub put while it was played to."""

    @property
    def url(self) -> str:
        return self._address

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120))
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._address = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._http.close()

    def play(self) -> None:
        """From the next request on, /sync brings what `give` was given, and what is sent goes nowhere."""
        self._batches = asyncio.Queue(maxsize=4)

    async def give(self, room: str, events: list[dict[str, Any]], to_device: list[dict[str, Any]]) -> None:
        """One sync answer; waits while the hub is four behind."""
        assert self._batches is not None
        timeline = {"events": events, "limited": False, "prev_batch": "p"}
        await self._batches.put({"rooms": {"join": {room: {"timeline": timeline}}}, "to_device": {"events": to_device}})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self._batches is not None and request.method == "GET" and request.path.endswith("/sync"):
            return web.json_response({"next_batch": f"played{next(self._numbers)}", **KEYS_LEFT, **await self._next()})
        if self._batches is not None and request.method == "PUT" and "/send/" in request.path:
            self.taken += 1
            return web.json_response({"event_id": f"$taken{next(self._numbers)}"})
        data = await request.read()
        headers = {key: value for key, value in request.headers.items() if key.lower() not in {"host", "content-length", "accept-encoding"}}
        async with self._http.request(request.method, self._behind.url + request.raw_path, data=data, headers=headers) as answer:
            kept = {key: value for key, value in answer.headers.items() if key.lower() not in _HOP}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def _next(self) -> Batch:
        assert self._batches is not None
        try:
            async with asyncio.timeout(20):
                return await self._batches.get()
        except TimeoutError:
            return {}


class Dictating(Machine):
    """A peer's Olm machine over its account once more: the room keys are kept, to be played, and not sent."""

    def __init__(self, client: HubClient) -> None:
        super().__init__(client)
        self.kept: list[dict[str, Any]] = []

    async def _to_device(self, messages: dict[Device, tuple[str, dict[str, Any]]]) -> None:
        for device, (kind, content) in messages.items():
            self.kept.append(self.client.olm._olm_encrypt(self._session(device), device, kind, content))


class Author:
    """A peer of the hub under test, as whom events are written: its keys, its Olm machine, its numbers."""

    def __init__(self, peer: Whole, reader: Device, link: Link, theirs: Peer) -> None:
        self._house, self._reader, self._link, self._theirs = peer.house, reader, link, theirs
        self._sequence, self._previous = link.next_out, link.head_out
        self._machine = Dictating(peer.house.matrix.client)

    @classmethod
    async def of(cls, peer: Whole, reader: str) -> Author:
        """Writes as `peer` to the institution `reader`."""

        def look(unit: Unit) -> tuple[Link, Peer, str]:
            link, theirs = unit.links.one(peer=reader), unit.peers.get(reader)
            assert link is not None
            assert theirs is not None
            return link, theirs, manifest_of(unit, reader).profile.matrix_user

        link, theirs, user = await peer.house.store.run(look, quiet=True)
        (device,) = peer.house.matrix.book.devices(user)
        return cls(peer, device, link, theirs)

    @property
    def room(self) -> str:
        return str(self._link.room)

    async def write(self, bodies: list[Body]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """One event a body; the events, and the to-device messages that bring their keys."""
        key = await self._house.store.run(key_for, self._theirs, quiet=True)
        assert key is not None, "the reader has told no key of the day"
        events = []
        for body in bodies:
            await self._machine.share(self.room, frozenset({self._reader}))
            content = self._machine.encrypt(self.room, ENVELOPE_TYPE, {"v": 1, "sealed": self._sealed(body, key)})
            events.append(self._event("m.room.encrypted", content) | {"event_id": f"$played{secrets.token_hex(12)}", "origin_server_ts": 0})
        keys, self._machine.kept = self._machine.kept, []
        return events, [self._event("m.room.encrypted", key) for key in keys]

    def _sealed(self, body: Body, key: SealingKey) -> str:
        inner = Inner(
            message_id=random_bytes(16), sender=self._house.config.institution.id, recipient=self._theirs.id, link=self._link.id,
            epoch=self._link.epoch_out, sequence=self._sequence, previous=self._previous, manifest_version=1, kind=body.kind,
            body=encode(body), sent_at=0, checkpoint=b"", extensions=(),
        )  # fmt: skip
        signed = envelope.sign_inner(inner, self._house.identity.hub_signing)
        self._sequence, self._previous = self._sequence + 1, signed.digest
        info = envelope.info_bytes(inner.sender, inner.recipient, inner.link)
        return base64.b64encode(envelope.seal(pack([signed.data]), key, info)).decode()

    def _event(self, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        return {"type": kind, "sender": self._house.config.matrix.user_id, "content": content}
