"""Where referrals are measured: two paired hubs on two homeservers that federate, and at each a caseworker and a plain client."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar

from bench.stage import PASSWORD, Hub, Raw, account, linked, pair
from deploy.demo.network import PLANS, HubProcess, Plan
from deploy.demo.person import Person
from deploy.demo.synapse import Homeserver, Synapses


class Startable(Hub, Protocol):
    """A hub that can be set up and served."""

    setup: HubProcess

    def running(self) -> AbstractAsyncContextManager[Self]: ...


H = TypeVar("H", bound=Startable)


@dataclass(frozen=True, kw_only=True)
class Desks(Generic[H]):
    """The sender's side first."""

    hubs: list[H]
    people: list[Person]
    plain: list[Raw]
    room: str
    """Where the plain clients talk."""


@contextlib.asynccontextmanager
async def desks(servers: Synapses, folder: Path, hub_of: Callable[[Plan, Homeserver, Path, str], H]) -> AsyncIterator[Desks[H]]:
    """Build it, and take it down. Everybody has their rooms, and nothing is on the road."""
    plans = {plan.id: plan for plan in PLANS}
    async with contextlib.AsyncExitStack() as stack:
        hubs, people, plain = [], [], []
        for server, institution, name in ((servers[0], "cem-lima", "ana"), (servers[1], "csmc-comas", "bea")):
            hub = hub_of(plans[institution], server, folder, await account(server, institution))
            hubs.append(await stack.enter_async_context(hub.running()))
            client = Person(url=server.url, user_id=await account(server, name), password=PASSWORD, hubs=[hub.setup.user_id])
            people.append(await stack.enter_async_context(client))
            plain.append(await stack.enter_async_context(Raw(server, await account(server, f"plain-{name}"))))
        await pair(hubs[0], hubs[1])
        for hub, person in zip(hubs, people, strict=True):
            await hub.ask("staff.add", user_id=person.user_id, display="Persona Ejemplo", role="caseworker", language="es", on_duty=True)
            for purpose in ("desk", f"direct:{person.user_id}"):
                await person.in_room(await hub.setup.room(purpose), with_members=[hub.setup.user_id])
        await linked(*hubs)
        yield Desks(hubs=hubs, people=people, plain=plain, room=await plain[0].room_with(plain[1]))
