"""Real Synapse homeservers on the loopback address that federate over TLS with each other and with nobody else.

    async with Synapses(directory, count=2) as servers:
        await servers[0].register("rosa", "a password")      # -> "@rosa:localhost:21345"

Their configuration stands in `synapse_config`. Synapse (AGPL) is a separate process.

How they end, and why nothing is left behind: `stop` asks each process group to end and kills it when it does not;
and the kernel ends a server when the process that started it dies in whatever way (`_LAUNCHER`), SIGKILL included.
That tie is to the starting *thread*, so start them from the main one.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from deploy.demo.certificates import make_tls_files
from deploy.demo.progress import Progress, Silent
from deploy.demo.synapse_config import Place, write_files
from hub.base.synapse import Gate

READY_WITHIN = 90.0
"""Seconds. An idle machine takes three; one that runs the whole test suite at the same time takes ten times that."""
STOP_WITHIN = 10.0
"""Seconds between the polite request to end and the kill."""
POLL = 0.1
"""Seconds between two looks at a server that is starting."""
PORTS = range(20_000, 32_000)
"""Below the range from which Linux takes the ports of outgoing connections, so that none is snatched away."""

GUARD_FOLDER = Path(__file__).parents[1] / "synapse"
"""Where the module lies: on the PYTHONPATH of every homeserver, used by those that have a gate."""

_taken: set[int] = set()

_LAUNCHER = """
import ctypes, os, runpy, signal, sys
parent = int(sys.argv.pop(1))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
if os.getppid() != parent:
    sys.exit("the process that wanted this homeserver is gone")
runpy.run_module("synapse.app.homeserver", run_name="__main__", alter_sys=True)
"""


class HomeserverError(RuntimeError):
    """A homeserver did not do what it had to: the text says which, what happened, and how its log ends."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on and that this process has not given away before."""
    for port in random.sample(PORTS, len(PORTS)):
        if port in _taken:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _taken.add(port)
            return port
    raise HomeserverError("no free port between 20000 and 32000: stop what occupies them")


class Homeserver:
    """One Synapse: where it is (`place`), and what a test may do to it."""

    def __init__(self, place: Place, secret: str) -> None:
        self.place = place
        self.process: subprocess.Popen[bytes] | None = None
        self._secret = secret

    @property
    def name(self) -> str:
        """The server name: the part after the first colon of the ids of its users."""
        return self.place.name

    @property
    def url(self) -> str:
        """Where clients log in."""
        return self.place.url

    @property
    def pid(self) -> int | None:
        """The process id while it runs (also while it is paused)."""
        return self.process.pid if self.process and self.process.poll() is None else None

    def launch(self) -> None:
        """Start the process; `ready` waits for it. In the main thread, see the top of this module."""
        if self.pid is not None:
            raise HomeserverError(f"homeserver {self.name} runs already")
        command = [sys.executable, "-c", _LAUNCHER, str(os.getpid()), "-c", str(self.place.config)]
        with self.place.output.open("ab") as output:
            self.process = subprocess.Popen(  # our own interpreter and our own paths, no shell
                command,
                cwd=self.place.directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | {"PYTHONPATH": str(GUARD_FOLDER), "PYTHONDONTWRITEBYTECODE": "1"},
            )

    async def ready(self, within: float = READY_WITHIN) -> None:
        """Return when clients are answered and the federation port listens.

        Raises HomeserverError with the end of the log when the process ends first or `within` seconds have passed.
        """
        deadline = time.monotonic() + within
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
            while not await self._answers(http):
                if self.pid is None:
                    raise HomeserverError(f"homeserver {self.name} ended while starting\n{self.log_tail()}")
                if time.monotonic() > deadline:
                    raise HomeserverError(f"homeserver {self.name} was not ready after {within:.0f} s\n{self.log_tail()}")
                await asyncio.sleep(POLL)

    async def register(self, user: str, password: str, *, admin: bool = False) -> str:
        """Make an account by the shared-secret API and return the full user id. It has no device until it logs in."""
        path = "/_synapse/admin/v1/register"
        nonce = (await self.call("GET", path))["nonce"]
        signed = "\x00".join([nonce, user, password, "admin" if admin else "notadmin"])
        mac = hmac.new(self._secret.encode(), signed.encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": user, "password": password, "admin": admin, "mac": mac, "inhibit_login": True}
        return str((await self.call("POST", path, body))["user_id"])

    async def call(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> dict[str, Any]:
        """One request to the client port, for what no client offers. Raises HomeserverError on any answer but 200."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        timeout = aiohttp.ClientTimeout(total=30)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.request(method, self.url + path, json=body, headers=headers) as answer,
        ):
            content = await answer.json(content_type=None)
            if answer.status != 200:
                raise HomeserverError(f"{method} {path} on {self.name} answered {answer.status}: {content}")
            return dict(content)

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open and nothing answers, as with a stuck disk."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, as a power cut would; `restart` brings it back with what it had written."""
        self._signal(signal.SIGKILL)
        if self.process:
            self.process.wait()

    async def restart(self) -> None:
        """End it politely if it still runs, start it again on the same ports and wait until it answers."""
        await self.stop()
        self.launch()
        await self.ready()

    async def stop(self) -> None:
        """End its process group; harmless when it has ended already."""
        if self.pid is None:
            return
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        for _ in range(int(STOP_WITHIN / POLL)):
            if self.pid is None:
                return
            await asyncio.sleep(POLL)
        self.kill()

    def log_tail(self, lines: int = 25) -> str:
        """The end of what it wrote, for an error message."""
        parts = []
        for path in (self.place.output, self.place.log):
            text = path.read_text(errors="replace") if path.exists() else ""
            parts.append(f"--- {path.name}:\n" + "\n".join(text.splitlines()[-lines:]))
        return "\n".join(parts)

    async def _answers(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/health") as answer:
                if answer.status != 200:
                    return False
            _, writer = await asyncio.open_connection("127.0.0.1", self.place.federation_port)
            writer.close()
        except (OSError, aiohttp.ClientError, TimeoutError):
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        # The process leads its own group (`start_new_session`), so nobody else's process can be hit.
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)


def _ungated(index: int, names: Sequence[str]) -> Gate | None:
    return None


class Synapses:
    """`count` homeservers that federate with each other; an async context manager, or `start` and `stop`.

    They are made anew below `directory` (one folder each, `hs0`, `hs1` …), which must not hold any yet. `gate` says, for a homeserver's
    number and the names of all, with which gate it runs; where it says one, the homeserver has an institution's own settings, too.
    """

    def __init__(
        self, directory: Path, *, count: int = 2, progress: Progress | None = None, gate: Callable[[int, Sequence[str]], Gate | None] = _ungated
    ) -> None:
        self.directory = directory
        self.servers: list[Homeserver] = []
        self._gate = gate
        self._count = count
        self._progress = progress or Silent()

    async def start(self) -> Self:
        """Start all at the same time and return when all are ready. Raises HomeserverError; nothing is left running then."""
        self._prepare()
        try:
            for server in self.servers:
                server.launch()
            await asyncio.gather(*(self._await_ready(server) for server in self.servers))
        except BaseException:
            await self.stop()
            raise
        return self

    async def stop(self) -> None:
        """End all of them; harmless when called twice."""
        await asyncio.gather(*(server.stop() for server in self.servers))

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    def __getitem__(self, index: int) -> Homeserver:
        return self.servers[index]

    def __len__(self) -> int:
        return len(self.servers)

    def of(self, user_id: str) -> Homeserver:
        """The homeserver of that user."""
        return next(server for server in self.servers if server.name == user_id.partition(":")[2])

    async def _await_ready(self, server: Homeserver) -> None:
        step = f"Synapse {server.name}"
        self._progress.begin(step)
        await server.ready()
        self._progress.done(step)

    def _prepare(self) -> None:
        self.directory = self.directory.resolve()
        self.directory.mkdir(parents=True, exist_ok=True)
        if any(self.directory.glob("hs*")):
            raise HomeserverError(f"`{self.directory}` holds homeservers of an earlier run: remove it or name another directory")
        tls = make_tls_files(self.directory)
        folders = [self.directory / f"hs{index}" for index in range(self._count)]
        places = [Place(directory=folder, client_port=free_port(), federation_port=free_port()) for folder in folders]
        names = [place.name for place in places]
        for index, place in enumerate(places):
            secret = secrets.token_urlsafe(24)
            write_files(place, tls, secret=secret, federation=names, gate=self._gate(index, names))
            self.servers.append(Homeserver(place, secret))
