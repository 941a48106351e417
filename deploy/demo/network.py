"""The demo's network: two federated homeservers, three hubs as processes of their own, their people, and the pairing of all with all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deploy.demo.invitation import Account
from deploy.demo.person import Person
from deploy.demo.progress import Progress, Silent
from deploy.demo.synapse import Homeserver, Synapses
from hub.base.synapse import Gate
from hub.web.control import HubAway, call

START_SECONDS = 60.0
_CHILD = """
import ctypes, os, runpy, signal, sys
parent = int(sys.argv.pop(1))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: a hub of the demo never outlives the demo
if os.getppid() != parent:
    sys.exit("the process that wanted this hub is gone")
runpy.run_module("hub", run_name="__main__", alter_sys=True)
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One invented institution of the demo."""

    id: str
    name: str
    kind: str
    server: int
    territory: str
    needs: tuple[str, ...]
    people: tuple[tuple[str, str, str], ...]
    """(account, display, role)"""
    visitor: str
    governor: str = ""
    """A visitor who administers the institution (`Network.invite_more`); of one is enough."""
    second: str = ""
    """Another visitor at the desk: what takes two people, as an emergency does, can be tried there."""


PLANS = (
    Plan(
        id="cem-lima", name="CEM Lima (demo)", kind="emergency_centre", server=0, territory="Lima", needs=("emergency_care", "protection"),
        people=(("ana", "Ana Ejemplo", "caseworker"), ("sofia", "Sofía Ejemplo", "supervisor"), ("admin-cem", "Admin CEM", "administrator")),
        visitor="visita-cem", governor="visita-admin",
    ),
    Plan(
        id="colectiva-miluska", name="Colectiva Miluska (demo)", kind="community_organisation", server=0, territory="Lima",
        needs=("accompaniment",), people=(("carla", "Carla Ejemplo", "caseworker"), ("admin-col", "Admin Colectiva", "administrator")),
        visitor="visita-colectiva",
    ),
    Plan(
        id="csmc-comas", name="CSMC Comas (demo)", kind="mental_health_centre", server=1, territory="Comas", needs=("mental_health",),
        people=(("bea", "Bea Ejemplo", "caseworker"), ("admin-csmc", "Admin CSMC", "administrator")), visitor="visita-csmc",
        second="visita2-csmc",
    ),
)  # fmt: skip


@dataclass(kw_only=True)
class HubProcess:
    """One hub as a process: its configuration, its log, its control socket."""

    plan: Plan
    folder: Path
    user_id: str
    password: str
    server: Homeserver
    extra: str = ""
    short: Path = Path()
    process: asyncio.subprocess.Process | None = None
    accounts: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "tinkuy.toml"

    @property
    def socket(self) -> Path:
        """In the state folder, or in a short place of its own when that path would be too long for a Unix socket."""
        usual = self.folder / "s" / "control.sock"
        return usual if len(str(usual)) < 100 else self.short / f"{self.plan.id}.sock"

    @property
    def log(self) -> Path:
        return self.folder / "hub.log"

    async def command(self, *arguments: str) -> str:
        """Run `tinkuy …` for this institution and return what it printed."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub", "--config", str(self.config), *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=_environment(),
        )  # fmt: skip
        out, err = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"tinkuy {' '.join(arguments[:2])}: {(err or out).decode(errors='replace').strip()[-600:]}")
        return out.decode()

    async def ask(self, command: str, **args: Any) -> Any:
        """One command over the control socket."""
        return await call(self.socket, command, args)

    async def init(self) -> None:
        """`tinkuy init` as an administrator would, then the few settings of the demo."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "password").write_text(self.password)
        needs = [part for need in self.plan.needs for part in ("--need", need)]
        await self.command(
            "init", "--id", self.plan.id, "--name", self.plan.name, "--kind", self.plan.kind, "--territory", self.plan.territory,
            "--homeserver", self.server.url, "--user", self.user_id, "--password-file", str(self.folder / "password"), *needs, "--json",
        )  # fmt: skip
        text = self.config.read_text().replace('state = "state"', 'state = "s"')
        if not (self.folder / "s").exists():
            (self.folder / "state").rename(self.folder / "s")
        self.config.write_text(text + f'\n[log]\nfile = "{self.log}"\n\n[control]\nsocket = "{self.socket}"\n{self.extra}')

    async def start(self) -> None:
        """Run the hub and wait until it answers."""
        with (self.folder / "output.txt").open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _CHILD, str(os.getpid()), "--config", str(self.config), "run",
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, env=_environment(), start_new_session=True,
            )  # fmt: skip
        await self.answers()

    async def answers(self, within: float = START_SECONDS) -> None:
        """Wait until the control socket answers. Raises RuntimeError with the output's end when the hub died."""
        async with asyncio.timeout(within):
            while True:
                try:
                    await self.ask("status")
                except (HubAway, OSError):
                    if self.process and self.process.returncode is not None:
                        tail = (self.folder / "output.txt").read_text(errors="replace")[-800:]
                        raise RuntimeError(f"{self.plan.id} stopped at its start:\n{tail}") from None
                    await asyncio.sleep(0.1)
                else:
                    return

    def kill(self) -> None:
        """`kill -9`."""
        self._signal(signal.SIGKILL)

    @contextlib.contextmanager
    def asleep(self) -> Iterator[None]:
        """Frozen (SIGSTOP) for as long as this lasts: what is done meanwhile it meets all at once."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.process and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it died a moment ago and nobody has noticed yet
                os.kill(self.process.pid, number)

    async def stop(self) -> None:
        """SIGTERM, then wait; after ten seconds SIGKILL."""
        if self.process is None or self.process.returncode is not None:
            return
        self.process.terminate()
        try:
            async with asyncio.timeout(10):
                await self.process.wait()
        except TimeoutError:
            self.kill()
            await self.process.wait()

    async def room(self, purpose: str, within: float = 30.0) -> str:
        """The id of one of its rooms, once it is made."""
        async with asyncio.timeout(within):
            while True:
                rooms = await self.ask("rooms")
                if purpose in rooms:
                    return str(rooms[purpose])
                await asyncio.sleep(0.1)


def _environment() -> dict[str, str]:
    """The process's environment without settings of somebody else's hub, in a language that does not depend on the machine."""
    return {k: v for k, v in os.environ.items() if not k.startswith("TINKUY_")} | {"TINKUY_LANG": "es", "PYTHONUNBUFFERED": "1"}


class Network:
    """All of it, started and stopped together. `people` are real encrypted clients, by account name.

    `extra` is added to the configuration of every hub, `extras` to that of one institution. `gated`: the homeservers keep strangers out.
    """

    def __init__(
        self, folder: Path, progress: Progress | None = None, *, extra: str = "", extras: Mapping[str, str] | None = None,
        plans: tuple[Plan, ...] = PLANS, gated: bool = True,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.progress = progress or Silent()
        self.plans = plans
        self.extra, self.extras = extra, extras or {}
        self.synapses = Synapses(folder / "servers", count=2, progress=self.progress, gate=self._gate if gated else lambda index, names: None)
        self._short = Path(tempfile.mkdtemp(prefix="tk-"))
        self.hubs: dict[str, HubProcess] = {}
        self.people: dict[str, Person] = {}

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    async def start(self) -> None:
        """Homeservers, hubs, pairing, people."""
        await self.synapses.start()
        await self._step("cuentas / accounts", self._accounts())
        await self._step("hubs: tinkuy init", asyncio.gather(*(hub.init() for hub in self.hubs.values())))
        await self._step("hubs: tinkuy run", asyncio.gather(*(hub.start() for hub in self.hubs.values())))
        await self._step("enlace entre instituciones / pairing", self.pair())
        await self._step("personas / people", self._enrol())

    async def _step(self, name: str, work: Any) -> None:
        self.progress.begin(name)
        await work
        self.progress.done(name)

    def _gate(self, _: int, names: Sequence[str]) -> Gate:
        """Each homeserver keeps strangers out from its first moment: the accounts of the three hubs are known before they exist."""
        return Gate(hubs=tuple(f"@tinkuy-{plan.id}:{names[plan.server]}" for plan in self.plans))

    async def _accounts(self) -> None:
        for plan in self.plans:
            server = self.synapses[plan.server]
            password = secrets.token_urlsafe(12)
            user = await server.register(f"tinkuy-{plan.id}", password)
            folder = self.folder / plan.id
            extra = self.extra + self.extras.get(plan.id, "")
            hub = HubProcess(plan=plan, folder=folder, user_id=user, password=password, server=server, extra=extra, short=self._short)
            for account in (*(name for name, _, _ in plan.people), plan.visitor):
                given = secrets.token_urlsafe(9)
                hub.accounts[account] = (await server.register(account, given), given)
            self.hubs[plan.id] = hub

    async def pair(self) -> None:
        """Every hub learns every other's manifest; the short codes must agree before they are confirmed."""
        hubs = list(self.hubs.values())
        for a in hubs:
            for b in hubs:
                if a is not b:
                    await b.ask("peer.add", manifest=(await a.ask("peer.manifest"))["manifest"])
        for index, a in enumerate(hubs):
            for b in hubs[index + 1 :]:
                code = (await a.ask("peer.code", institution=b.plan.id))["code"]
                other = (await b.ask("peer.code", institution=a.plan.id))["code"]
                if code != other:
                    raise RuntimeError("the pairing codes differ")
                await a.ask("peer.confirm", institution=b.plan.id, code=other)
                await b.ask("peer.confirm", institution=a.plan.id, code=code)

    async def _enrol(self) -> None:
        async def one(hub: HubProcess, account: str, display: str, role: str) -> None:
            user, password = hub.accounts[account]
            person = Person(url=hub.server.url, user_id=user, password=password, hubs=[hub.user_id])
            await person.start()
            self.people[account] = person
            await hub.ask("staff.add", user_id=user, display=display, role=role, language="es", on_duty=role != "administrator")

        async def visitor(hub: HubProcess) -> None:
            user, _ = hub.accounts[hub.plan.visitor]
            await hub.ask("staff.add", user_id=user, display="Visita", role="caseworker", language="es", on_duty=False)

        for hub in self.hubs.values():
            await asyncio.gather(*(one(hub, *entry) for entry in hub.plan.people))
            await visitor(hub)
        await asyncio.gather(*(self._ready(hub) for hub in self.hubs.values()))
        for plan in self.plans:
            await asyncio.gather(*(self._linked(self.hubs[plan.id], other.id) for other in self.plans if other is not plan))

    async def _ready(self, hub: HubProcess) -> None:
        for account, _, _ in hub.plan.people:
            person = self.people[account]
            await person.in_room(await hub.room("desk"), with_members=[hub.user_id])
            await person.in_room(await hub.room(f"direct:{person.user_id}"), with_members=[hub.user_id])

    async def _linked(self, hub: HubProcess, peer: str, within: float = 60.0) -> None:
        async with asyncio.timeout(within):
            while True:
                rows = await hub.ask("peer.list")
                if any(row["institution"] == peer and row["room"] and row["unacked"] == 0 for row in rows):
                    return
                await asyncio.sleep(0.1)

    async def invite_more(self) -> None:
        """Accounts for whoever wants to try to govern, and for what takes two people: enrolled, and used by no program."""
        for hub in self.hubs.values():
            for account, display, role in (
                (hub.plan.second, "Otra visita", "caseworker"), (hub.plan.governor, "Visita administradora", "administrator"),
            ):  # fmt: skip
                if account:
                    given = secrets.token_urlsafe(9)
                    user = await hub.server.register(account, given)
                    hub.accounts[account] = (user, given)
                    await hub.ask("staff.add", user_id=user, display=display, role=role, language="es", on_duty=False)

    def visitors(self) -> list[Account]:
        """Every account that waits for a visitor."""
        found = []
        for hub in self.hubs.values():
            for account, governs in ((hub.plan.visitor, False), (hub.plan.second, False), (hub.plan.governor, True)):
                if account in hub.accounts:
                    user, password = hub.accounts[account]
                    found.append(Account(name=hub.plan.name, url=hub.server.url, user=user, password=password, config=hub.config, governs=governs))
        return found

    async def stop(self) -> None:
        """Everything that was started, and only that."""
        await asyncio.gather(*(person.stop() for person in self.people.values()), return_exceptions=True)
        await asyncio.gather(*(hub.stop() for hub in self.hubs.values()), return_exceptions=True)
        await self.synapses.stop()
        shutil.rmtree(self._short, ignore_errors=True)

    async def access(self) -> dict[str, Any]:
        """Everything that somebody needs to look at, or drive, the running network: written to `access.json`."""
        return {
            "homeservers": [{"name": s.name, "url": s.url} for s in (self.synapses[0], self.synapses[1])],
            "institutions": [await self._institution(hub) for hub in self.hubs.values()],
        }

    async def _institution(self, hub: HubProcess) -> dict[str, Any]:
        state = hub.folder / "s"
        web = state / "web.address"
        return {
            "id": hub.plan.id,
            "name": hub.plan.name,
            "hub": hub.user_id,
            "homeserver": hub.server.url,
            "rooms": await hub.ask("rooms"),
            "people": {name: {"user": u, "password": p} for name, (u, p) in hub.accounts.items()},
            "visitor": {"user": hub.accounts[hub.plan.visitor][0], "password": hub.accounts[hub.plan.visitor][1]},
            "config": str(hub.config),
            "database": str(state / "hub.db"),
            "key_store": str(state / "keys.db"),
            "keyring": str(state / "keyring.json"),
            "log": str(hub.log),
            "output": str(hub.folder / "output.txt"),
            "metrics": web.read_text().strip() + "/metrics" if web.exists() else None,
            "control_socket": str(hub.socket),
            "pid": hub.process.pid if hub.process else None,
        }


def write_access(path: Path, access: dict[str, Any]) -> None:
    """The machine-readable file, readable only by its owner: it holds passwords of invented people."""
    path.write_text(json.dumps(access, indent=2, ensure_ascii=False))
    path.chmod(0o600)


__all__ = ["PLANS", "HubProcess", "Network", "Plan", "write_access"]
