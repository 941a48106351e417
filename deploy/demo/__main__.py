"""`make demo`: the whole road on this machine, on real homeservers, with real encryption. `ONCE=1` plays, verifies and stops."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from deploy.demo.invitation import lines
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
    _end_on_signals()
    began = time.monotonic()
    display = Display()
    network = Network(folder, display)
    try:
        with display:
            await network.start()
            await network.invite_more()
            write_access(folder / "access.json", await network.access())
        failed = await _play(network)
        print(f"\n{'OK' if not failed else 'FALLÓ / FAILED'} · {time.monotonic() - began:.0f} s")
        if not once and not failed:
            print("", *lines(network.visitors(), folder), sep="\n")
            await _until_ctrl_c()
        return 1 if failed else 0
    except asyncio.CancelledError:
        print("\nInterrumpido; se detiene todo. / Interrupted; stopping everything.")
        return 130
    finally:
        await network.stop()


def _end_on_signals() -> None:
    """Ctrl-C or SIGTERM cancels this task; whatever was started is stopped on the way out."""
    task = asyncio.current_task()
    assert task is not None
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, task.cancel)


async def _until_ctrl_c() -> None:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        print("\nAdiós. / Goodbye.")


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
        print("  Pruebe otra vez: en una máquina muy ocupada algo puede tardar más de lo que se espera. Qué pasó dicen .demo/*/hub.log y output.txt.")
        print("  Try again: on a very busy machine something may take longer than is waited for. .demo/*/hub.log and output.txt tell what happened.")
    return failure is not None


if __name__ == "__main__":
    main()
