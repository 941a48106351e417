"""Hubs on the shared homeservers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Protocol

import pytest

from deploy.demo.person import Person
from deploy.demo.synapse import Synapses
from hub.matrix.ports import RoomSpec
from tests.conftest import PASSWORD, NewAccount
from tests.homeserver.bench import BenchHub
from tests.homeserver.proxy import HostileProxy


class NewHub(Protocol):
    """A started hub with an account of its own; stopped when the test ends."""

    async def __call__(self, name: str = "hub", *, server: int = 0, url: str | None = None, started: bool = True) -> BenchHub: ...


@pytest.fixture
async def new_hub(synapses: Synapses, new_account: NewAccount) -> AsyncIterator[NewHub]:
    async with AsyncExitStack() as stack:

        async def make(name: str = "hub", *, server: int = 0, url: str | None = None, started: bool = True) -> BenchHub:
            user_id = await new_account(name, server=server)
            hub = BenchHub(url=url or synapses[server].url, user_id=user_id, password=PASSWORD)
            if started:
                await stack.enter_async_context(hub)
            return hub

        yield make


class NewProxied(Protocol):
    """A started hub behind a hostile proxy of its homeserver."""

    async def __call__(self, name: str = "hub", *, server: int = 0) -> tuple[BenchHub, HostileProxy]: ...


@pytest.fixture
async def new_proxied(synapses: Synapses, new_hub: NewHub) -> AsyncIterator[NewProxied]:
    async with AsyncExitStack() as stack:

        async def make(name: str = "hub", *, server: int = 0) -> tuple[BenchHub, HostileProxy]:
            proxy = await stack.enter_async_context(HostileProxy(synapses[server].url))
            return await new_hub(name, server=server, url=proxy.url), proxy

        yield make


class Link(Protocol):
    """Two hubs that trust each other, joined by a link room."""

    async def __call__(self, one: BenchHub, two: BenchHub) -> str: ...


@pytest.fixture
def link() -> Link:
    async def make(one: BenchHub, two: BenchHub) -> str:
        await one.trust_peer(two)
        await two.trust_peer(one)
        return await one.link_to(two)

    return make


class Desk(Protocol):
    """A desk room of a hub with these people, all joined and known to each other."""

    async def __call__(self, hub: BenchHub, *people: Person) -> str: ...


@pytest.fixture
def desk() -> Desk:
    async def make(hub: BenchHub, *people: Person) -> str:
        users = [person.user_id for person in people]
        await hub.trust_staff(*users)
        for person in people:
            person.hubs.add(hub.user_id)
        room_id = await hub.room(RoomSpec(purpose="desk", members=frozenset(users), name="Tinkuy"))
        for person in people:
            await person.in_room(room_id, with_members=[hub.user_id, *users])
        await hub.members(room_id, *users)
        return room_id

    return make
