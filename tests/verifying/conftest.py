"""One hub and an administrator whose fingerprint was given, for a file; a caseworker of her own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count

import pytest
import pytest_asyncio

from deploy.demo.synapse import Homeserver, Synapses
from tests.conftest import PASSWORD
from tests.homeserver.proxy import HostileProxy
from tests.jsclient.js_person import JsPerson
from tests.verifying.bench import WholeHub

_numbers = count(1)


@dataclass(kw_only=True)
class Stage:
    """What a file's tests share."""

    hub: WholeHub
    proxy: HostileProxy
    """Between the hub and its homeserver; honest until told otherwise."""
    server: Homeserver
    admin: JsPerson
    admins: str
    """The admin room."""

    async def account(self, name: str) -> str:
        return await self.server.register(f"{name}-v{next(_numbers)}", PASSWORD)


@dataclass(kw_only=True)
class Scene(Stage):
    """A stage, and who asks on it."""

    ana: JsPerson
    direct: str
    """Her direct room."""
    stack: AsyncExitStack


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        folder = tmp_path_factory.mktemp("verifying")
        synapses = await stack.enter_async_context(Synapses(folder / "synapse", count=1))
        server = synapses[0]
        proxy = await stack.enter_async_context(HostileProxy(server.url))
        hub = WholeHub(folder=folder / "h", url=proxy.url, person_url=server.url, user_id=await server.register("hub", PASSWORD))
        await hub.init()
        await hub.open()
        stack.push_async_callback(hub.close)
        admin = await hub.enrol(stack, await server.register("admin", PASSWORD), "administrator")
        await hub.tinkuy("staff", "repin", admin.user_id, "--fingerprint", admin.fingerprint)
        yield Stage(hub=hub, proxy=proxy, server=server, admin=admin, admins=await hub.room("admin"))


@pytest_asyncio.fixture(loop_scope="module")
async def scene(stage: Stage) -> AsyncIterator[Scene]:
    stage.proxy.honest()
    async with AsyncExitStack() as stack:
        ana = await stage.hub.enrol(stack, await stage.account("ana"))
        yield Scene(**vars(stage), ana=ana, direct=await stage.hub.room(f"direct:{ana.user_id}"), stack=stack)
    stage.proxy.honest()
