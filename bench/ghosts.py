"""A homeserver's administrator puts devices of his own on the accounts of a caseworker, of the hub and of a peer's hub (T2; X01-X05).

Real homeservers, real encryption. While a handful of ghosts is there, the hub gives out fresh room keys; a proxy before it notes every
device, by its key, to which anything was sealed. Then they are taken away, and the next come.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from bench.counting import Count
from bench.rows import percentile
from bench.stage import PASSWORD, account
from deploy.demo.person import Person
from deploy.demo.synapse import Homeserver, Synapses
from hub.matrix.crosssigning import CrossSigningSeeds, key_object
from hub.matrix.ports import Report, RoomSpec
from hub.matrix.signatures import sign
from keys import matrixjson
from keys.primitives import SigningKey
from tests.homeserver.bench import BenchHub, until
from tests.homeserver.proxy import HostileProxy

AT_ONCE = 20
ALARM_WITHIN = 60.0
ALARMS = {"unverified_device", "own_ghost", "peer_differs", "master_changed", "hidden_device"}


@dataclass(kw_only=True)
class Stage:
    """One hub behind the proxy, two people at its desk, one peer on the other homeserver."""

    servers: Synapses
    hub: BenchHub
    proxy: HostileProxy
    peer: BenchHub
    rosa: Person
    luz: Person
    desk: str
    link: str
    foreign: CrossSigningSeeds
    said: int = 0

    @property
    def good(self) -> set[tuple[str, str, str]]:
        """(user, device, key) of everybody who may be given a room key."""
        people = {(one.user_id, one.device_id, str(one.client.olm.account.identity_keys["curve25519"])) for one in (self.rosa, self.luz)}
        return people | {(self.peer.user_id, self.peer.device_id, self.peer.pin.curve25519)}


@dataclass(kw_only=True)
class Ghost:
    """One device that nobody of ours made."""

    user: str
    device: str
    kind: str
    token: str = ""
    since: float = 0.0
    delay: float | None = None


@dataclass
class Found:
    """What came of it."""

    kinds: dict[str, int] = field(default_factory=dict)
    shared: int = 0
    claimed: int = 0
    unread: int = 0
    delays: list[float] = field(default_factory=list)


@contextlib.asynccontextmanager
async def stage(servers: Synapses) -> AsyncIterator[Stage]:
    """Everybody in place and in conversation."""
    async with contextlib.AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(HostileProxy(servers[0].url))
        users = [await account(servers[number], name) for name, number in (("hub", 0), ("peer", 1), ("rosa", 0), ("luz", 0))]
        hub = await stack.enter_async_context(BenchHub(url=proxy.url, user_id=users[0], password=PASSWORD))
        peer = await stack.enter_async_context(BenchHub(url=servers[1].url, user_id=users[1], password=PASSWORD))
        rosa, luz = [
            await stack.enter_async_context(Person(url=servers[0].url, user_id=user, password=PASSWORD, hubs=[hub.user_id])) for user in users[2:]
        ]
        await hub.trust_staff(rosa.user_id, luz.user_id)
        desk = await hub.room(RoomSpec(purpose="desk", members=frozenset(users[2:]), name="Tinkuy"))
        for one in (rosa, luz):
            await one.in_room(desk, with_members=[hub.user_id, *users[2:]])
        await hub.members(desk, *users[2:])
        await hub.trust_peer(peer)
        await peer.trust_peer(hub)
        link = await hub.link_to(peer)
        foreign = CrossSigningSeeds(master=secrets.token_bytes(32), self_signing=secrets.token_bytes(32), user_signing=secrets.token_bytes(32))
        on = Stage(servers=servers, hub=hub, proxy=proxy, peer=peer, rosa=rosa, luz=luz, desk=desk, link=link, foreign=foreign)
        await _talk(on)
        yield on


async def run(servers: Synapses, attempts: int = 1000) -> list[Count]:
    """So many ghosts, in every way and on every account by turns."""
    found = Found()
    async with stage(servers) as on:
        kinds = itertools.cycle([(who, kind) for kind in KINDS for who in ("rosa", "hub", "peer")])
        left = attempts
        while left:
            handful = [next(kinds) for _ in range(min(AT_ONCE, left))]
            left -= len(handful)
            await _round(on, handful, found)
        for served in SERVED:
            for _ in range(max(1, attempts // 50)):
                await _served(on, served, found)
    tried, late = sum(found.kinds.values()), max(found.delays, default=0.0)
    return [
        Count(name=f"ghost devices ({len(found.kinds)} kinds): room keys sealed to one", tried=tried, value=found.shared, unit="keys", limit=0),
        Count(name="ghost devices: one-time keys of one asked for", tried=tried, value=found.claimed, unit="claims", limit=0),
        Count(name="ghost devices: messages that a good device could not read meanwhile", tried=on.said * 3, value=found.unread, unit="messages",
              limit=0),
        Count(name="ghost devices: without an alarm", tried=tried, value=tried - len(found.delays), unit="ghosts", limit=0),
        Count(name="ghost devices: longest wait for the alarm", tried=tried, value=round(late, 2), unit="s", limit=ALARM_WITHIN),
        Count(name="ghost devices: alarm p95", tried=tried, value=round(percentile(found.delays, 0.95), 2), unit="s", limit=ALARM_WITHIN),
    ]  # fmt: skip


# ---- ghosts that are really on the homeserver ------------------------------------------------------------------------------


async def _round(on: Stage, handful: list[tuple[str, str]], found: Found) -> None:
    before = len(on.proxy.requests)
    ghosts = await asyncio.gather(*(_appear(on, who, kind) for who, kind in handful))
    await _alarmed(on, ghosts, found)
    await _talk(on, found)
    _count(on, before, found)
    for ghost in ghosts:
        found.kinds[ghost.kind] = found.kinds.get(ghost.kind, 0) + 1
        await _call(on.servers.of(ghost.user), "POST", "/logout", {}, ghost.token)


async def _appear(on: Stage, who: str, kind: str) -> Ghost:
    """Log in as that account on a new device, and publish keys for it."""
    user = {"rosa": on.rosa.user_id, "hub": on.hub.user_id, "peer": on.peer.user_id}[who]
    server = on.servers.of(user)
    login = {"type": "m.login.password", "identifier": {"type": "m.id.user", "user": user}, "password": PASSWORD}
    answer = await _call(server, "POST", "/login", login)
    ghost = Ghost(user=user, device=str(answer["device_id"]), kind=kind, token=str(answer["access_token"]))
    keys = KINDS[kind](on, ghost)
    await _call(server, "POST", "/keys/upload", {"device_keys": keys}, ghost.token)
    ghost.since = time.monotonic()
    return ghost


def _document(ghost: Ghost, *, own: SigningKey | None = None, curve: str | None = None) -> dict[str, Any]:
    own = own or SigningKey(secrets.token_bytes(32))
    name = ghost.device
    keys = {f"ed25519:{name}": matrixjson.unpadded(own.public.raw), f"curve25519:{name}": curve or matrixjson.unpadded(secrets.token_bytes(32))}
    algorithms = ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"]
    value = {"user_id": ghost.user, "device_id": name, "algorithms": algorithms, "keys": keys}
    return matrixjson.sign_json(value, ghost.user, f"ed25519:{name}", own)


def _by_itself(on: Stage, ghost: Ghost) -> dict[str, Any]:
    return _document(ghost)


def _by_nobody(on: Stage, ghost: Ghost) -> dict[str, Any]:
    return _document(ghost) | {"signatures": {ghost.user: {}}}


def _by_a_foreign_key(on: Stage, ghost: Ghost) -> dict[str, Any]:
    return sign(_document(ghost), ghost.user, on.foreign.self_signing)


def _by_a_foreign_master(on: Stage, ghost: Ghost) -> dict[str, Any]:
    return sign(_document(ghost), ghost.user, on.foreign.master)


def _replayed(on: Stage, ghost: Ghost) -> dict[str, Any]:
    """All signatures of the person's real device, on the ghost's keys."""
    real = on.rosa.client.own_device_document()
    assert on.rosa.identity is not None
    good = on.rosa.identity.sign_device(real)["signatures"][on.rosa.user_id]
    value = _document(ghost)
    value["signatures"][ghost.user] |= good
    return value


def _broken(on: Stage, ghost: Ghost) -> dict[str, Any]:
    """Signed by itself, then changed."""
    value = _document(ghost)
    value["keys"][f"curve25519:{ghost.device}"] = matrixjson.unpadded(secrets.token_bytes(32))
    return value


def _stolen_key(on: Stage, ghost: Ghost) -> dict[str, Any]:
    """With the identity key of the person's real device, so that what is sealed to her would look as if it went to both."""
    return _document(ghost, curve=str(on.rosa.client.olm.account.identity_keys["curve25519"]))


KINDS: dict[str, Callable[[Stage, Ghost], dict[str, Any]]] = {
    "signed by itself": _by_itself,
    "not signed": _by_nobody,
    "signed by a foreign self-signing key": _by_a_foreign_key,
    "signed by a foreign master key": _by_a_foreign_master,
    "replayed signatures": _replayed,
    "broken signature": _broken,
    "her identity key under another device": _stolen_key,
}


# ---- ghosts that only the answers of a hostile homeserver show -------------------------------------------------------------


def _same_id(on: Stage, body: dict[str, Any], user: str) -> None:
    """The real device's id with other keys."""
    (name, *_) = body["device_keys"][user]
    ghost = Ghost(user=user, device=name, kind="")
    body["device_keys"][user][name] = sign(_document(ghost), user, on.foreign.self_signing)


def _other_signer(on: Stage, body: dict[str, Any], user: str) -> None:
    """Her own master, and a self-signing key that it did not sign, which signs the ghost."""
    ghost = Ghost(user=user, device="GHOSTGHOST", kind="")
    body["device_keys"][user]["GHOSTGHOST"] = sign(_document(ghost), user, on.foreign.self_signing)
    body["self_signing_keys"][user] = key_object(user, "self_signing", on.foreign.self_signing, signed_with=on.foreign.master)


def _other_identity(on: Stage, body: dict[str, Any], user: str) -> None:
    """A whole identity that holds in itself."""
    _other_signer(on, body, user)
    body["master_keys"][user] = key_object(user, "master", on.foreign.master)


SERVED: dict[str, Callable[[Stage, dict[str, Any], str], None]] = {
    "same device id, other keys": _same_id,
    "another self-signing key": _other_signer,
    "another identity": _other_identity,
}


async def _served(on: Stage, kind: str, found: Found) -> None:
    """The homeserver lies in its answers about one account after another. While it hides her, nobody seals anything to another."""
    for user in (on.rosa.user_id, on.peer.user_id):
        before, reports = len(on.proxy.requests), len(on.hub.reports)

        def lie(body: dict[str, Any], user: str = user) -> dict[str, Any]:
            if user in body.get("device_keys", {}):
                SERVED[kind](on, body, user)
            return body

        on.proxy.on_answer("/keys/query", lie)
        began = time.monotonic()
        await on.hub.matrix.refresh(user)
        await until(partial(_alarm, on.hub.reports, reports, user), "the alarm", ALARM_WITHIN)
        found.delays.append(time.monotonic() - began)
        found.kinds[kind] = found.kinds.get(kind, 0) + 1
        await on.hub.say(on.desk, f"mientras {on.said}")  # to Luz at least
        await on.hub.envelope(on.link, f"mientras {on.said}")
        _count(on, before, found)
        on.proxy.honest()
        await on.hub.matrix.refresh(user)
        await _talk(on, found)


def _alarm(reports: list[Report], since: int, user: str) -> bool:
    return any(report.kind in ALARMS and report.user_id == user for report in reports[since:])


# ---- what is looked at -----------------------------------------------------------------------------------------------------


async def _alarmed(on: Stage, ghosts: list[Ghost], found: Found) -> None:
    """Wait until each of them was told of, a minute and a half at most; note how long that took."""
    deadline = time.monotonic() + 1.5 * ALARM_WITHIN
    waiting = list(ghosts)
    while waiting and time.monotonic() < deadline:
        told = {(report.user_id, report.device_id) for report in on.hub.reports if report.kind in ALARMS}
        for ghost in [one for one in waiting if (one.user, one.device) in told]:
            found.delays.append(max(0.0, time.monotonic() - ghost.since))
            waiting.remove(ghost)
        await asyncio.sleep(0.02)


async def _talk(on: Stage, found: Found | None = None) -> None:
    """Fresh room keys in both rooms, and a message to each; everybody good reads it."""
    on.said += 1
    text = f"clave nueva {on.said}"
    for room in (on.desk, on.link):
        on.hub.matrix._machine.forget_room(room)
    await on.hub.say(on.desk, text)
    await on.hub.envelope(on.link, text)
    readers = [one.expect(f"^{text}$", room=on.desk) for one in (on.rosa, on.luz)]
    done = await asyncio.gather(*readers, on.peer.gets(text), return_exceptions=True)
    if found is not None:
        found.unread += sum(isinstance(one, BaseException) for one in done)


def _count(on: Stage, since: int, found: Found) -> None:
    """Everything that the hub sealed or asked for since then, against the list of the good."""
    names = {(user, device) for user, device, _ in on.good}
    for request in on.proxy.requests[since:]:
        if "/sendToDevice/m.room.encrypted" in request.path:
            for user, devices in request.body["messages"].items():
                for device, content in devices.items():
                    sealed = {(user, device, key) for key in content["ciphertext"]}
                    found.shared += len(sealed - on.good)
        if request.path.endswith("/keys/claim"):
            found.claimed += sum((user, device) not in names for user, devices in request.body["one_time_keys"].items() for device in devices)


async def _call(server: Homeserver, method: str, path: str, body: Any, token: str = "") -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, f"{server.url}/_matrix/client/v3{path}", json=body, headers=headers) as answer,
    ):
        value = await answer.json()
        if answer.status != 200:
            raise AssertionError(f"{method} {path} answered {answer.status} {value.get('errcode')}")
        return dict(value)


async def on_homeservers(folder: Path, attempts: int) -> list[Count]:
    """The same on two homeservers made for it."""
    async with Synapses(folder / "servers", count=2) as servers:
        return await run(servers, attempts)
