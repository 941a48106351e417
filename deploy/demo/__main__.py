"""`make demo`: the whole road on this machine, on real homeservers, with real encryption. `ONCE=1` plays, verifies and stops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from deploy.demo.network import Network, write_access
from deploy.demo.progress import Display
from deploy.demo.road import Road, conversation

FOLDER = Path(".demo")


def main() -> None:
    """Exit status 0 when every station of the road was verified."""
    once = os.environ.get("ONCE") == "1"
    try:
        sys.exit(asyncio.run(_demo(once)))
    except KeyboardInterrupt:
        sys.exit(130)


async def _demo(once: bool) -> int:
    folder = Path(os.environ.get("DEMO_FOLDER", FOLDER)).absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, _stop, stopping, asyncio.current_task())
    began = time.monotonic()
    try:
        with Display() as display:
            network = Network(folder, display)
            await network.start()
            write_access(folder / "access.json", await network.access())
        failed = await _play(network)
        print(f"\n{'OK' if not failed else 'FALLÓ / FAILED'} · {time.monotonic() - began:.0f} s")
        if not once and not failed:
            _invite(network, folder)
            await stopping.wait()
        return 1 if failed else 0
    except asyncio.CancelledError:
        return 130
    finally:
        with contextlib.suppress(UnboundLocalError):
            await asyncio.shield(network.stop())


def _stop(stopping: asyncio.Event, task: asyncio.Task[object] | None) -> None:
    """Ctrl-C while waiting ends the wait; during the road it cancels the road. Everything started is stopped either way."""
    if task and not stopping.is_set() and task.get_coro() and not getattr(task, "waiting", False):
        task.cancel()
    stopping.set()


async def _play(network: Network) -> bool:
    road = Road(network=network)
    failure: BaseException | None = None
    try:
        await road.play()
    except (AssertionError, TimeoutError, RuntimeError) as error:
        failure = error
    for plan, account in (("cem-lima", "ana"), ("csmc-comas", "bea")):
        print("\n" + await conversation(network.hubs[plan], [network.people[account]]))
    print("\nVerificado / verified:")
    for check in road.checks:
        print(f"  ✓ {check}")
    if failure:
        print(f"  ✗ {failure}")
    return failure is not None


def _invite(network: Network, folder: Path) -> None:
    print("\nPara probar con Element u otro cliente / to try it with Element or any client:")
    for hub in network.hubs.values():
        user, password = hub.accounts[hub.plan.visitor]
        print(f"  {hub.plan.name}: {hub.server.url}  usuario {user}  contraseña {password}")
    print("  Acepte las invitaciones de «Tinkuy» y escriba: !tk ayuda")
    print(f"  Datos para programas / machine-readable: {folder.name}/access.json")
    print("Ctrl-C termina y detiene todo. / Ctrl-C stops everything.")


if __name__ == "__main__":
    main()
