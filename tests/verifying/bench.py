"""One whole hub in this process, on a real homeserver: administrator and caseworker with matrix-js-sdk, the terminal by its control socket."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.demo.network import HubProcess, Plan
from hub.app import house as houses
from hub.base.config import load
from hub.cases.records import Staff, Verification
from tests.conftest import PASSWORD
from tests.jsclient.js_person import JsPerson

WITHIN = 60.0
PLAN = Plan(
    id="cem-prueba", name="CEM Prueba (inventado)", kind="emergency_centre", server=0, territory="Lima", needs=("emergency_care",), people=(),
    visitor="",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where the hub finds its homeserver: the real one, or a proxy in front of it."""

    url: str


@dataclass(kw_only=True)
class WholeHub:
    """`open` and `close` it as often as needed; its databases stay."""

    folder: Path
    url: str
    person_url: str
    user_id: str
    process: HubProcess = field(init=False)
    house: houses.House = field(init=False)
    people: dict[str, JsPerson] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.process = HubProcess(plan=PLAN, folder=self.folder, user_id=self.user_id, password=PASSWORD, server=Address(url=self.url))
        self.process.short = self.folder

    async def init(self) -> None:
        await self.process.init()

    async def open(self) -> None:
        """Start serving; returns when the control socket answers."""
        self._stopping = asyncio.Event()
        found = await houses.open_house(load(self.process.config), self._stopping)
        assert found
        self.house = found
        self._task = asyncio.create_task(houses._serve(self.house, self._stopping))
        await self.process.answers()

    async def close(self) -> None:
        """Stop it; what was in memory only is gone."""
        self._stopping.set()
        with contextlib.suppress(Exception):
            await self._task
        await houses._close(self.house)

    async def tinkuy(self, *words: str) -> str:
        """A command at the terminal."""
        return await self.process.command(*words)

    def terminal(self, *words: str) -> list[str]:
        """How to run such a command."""
        return [sys.executable, "-m", "hub", "--config", str(self.process.config), *words]

    async def ask(self, command: str, **args: Any) -> Any:
        return await self.process.ask(command, **args)

    async def room(self, purpose: str) -> str:
        return await self.process.room(purpose)

    async def enrol(self, stack: AsyncExitStack, user_id: str, role: str = "caseworker", **more: Any) -> JsPerson:
        """A person who logs in, sets up her identity, is enrolled, and stands in her rooms."""
        person = await stack.enter_async_context(
            JsPerson(url=self.person_url, user_id=user_id, password=PASSWORD, hubs=[self.user_id], **more)
        )
        await self.tinkuy("staff", "add", user_id, "--role", role, "--display", f"{user_id.partition(':')[0].lstrip('@')} Inventada")
        await person.in_room(await self.room(f"direct:{user_id}"), with_members=[self.user_id], within=WITHIN)
        await person.in_room(await self.room("desk"), with_members=[self.user_id], within=WITHIN)
        if role == "administrator":
            await person.in_room(await self.room("admin"), with_members=[self.user_id], within=WITHIN)
        return person

    async def person(self, user_id: str) -> Staff:
        found = await self.house.store.run(lambda unit: unit.staff.get(user_id), quiet=True)
        assert found
        return found

    async def rows(self) -> list[Verification]:
        return await self.house.store.run(lambda unit: unit.verifications.all(order="asked_at"), quiet=True)

    async def until(self, state: str, within: float = WITHIN) -> Verification:
        """Wait until the newest verification is in this state."""
        seen = ""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    rows = await self.rows()
                    if rows and rows[-1].state == state:
                        return rows[-1]
                    seen = f"{[(row.state, row.why) for row in rows]}"
                    await asyncio.sleep(0.05)
        raise AssertionError(f"no verification became {state} in {within} s: {seen}")
