"""A hub, an administrator whose fingerprint was given, and a caseworker, for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.demo.synapse import Synapses
from tests.conftest import NewAccount
from tests.homeserver.proxy import HostileProxy
from tests.jsclient.js_person import JsPerson
from tests.verifying.bench import WholeHub


@dataclass(kw_only=True)
class Scene:
    """Everybody who takes part."""

    hub: WholeHub
    proxy: HostileProxy
    """Between the hub and its homeserver; honest until told otherwise."""
    ana: JsPerson
    admin: JsPerson
    direct: str
    """Ana's direct room."""
    admins: str
    """The admin room."""
    stack: AsyncExitStack
    new_account: NewAccount


@pytest.fixture
async def scene(tmp_path: Path, synapses: Synapses, new_account: NewAccount) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(HostileProxy(synapses[0].url))
        hub = WholeHub(folder=tmp_path / "h", url=proxy.url, person_url=synapses[0].url, user_id=await new_account("hub"))
        await hub.init()
        await hub.open()
        try:
            admin = await hub.enrol(stack, await new_account("admin"), "administrator")
            await hub.tinkuy("staff", "repin", admin.user_id, "--fingerprint", admin.fingerprint)
            ana = await hub.enrol(stack, await new_account("ana"))
            yield Scene(
                hub=hub, proxy=proxy, ana=ana, admin=admin, direct=await hub.room(f"direct:{ana.user_id}"), admins=await hub.room("admin"),
                stack=stack, new_account=new_account,
            )  # fmt: skip
        finally:
            await hub.close()
