"""D12: two hub processes on one database would each ratchet the same Olm account. The second must not even start."""

from __future__ import annotations

import asyncio
import sys

from deploy.demo.network import HubProcess, Network, _environment
from hub.cli_base import Exit

REFUSED = int(Exit.REFUSED)


async def test_d12_a_second_process_is_refused_in_words(network: Network) -> None:
    hub = network.hubs["colectiva-miluska"]
    code, said = await run_another(hub)
    assert code == REFUSED
    assert "database.in_use" in said, said
    assert "Traceback" not in said
    sentence = said.lower()
    assert "otro hub ya usa esta base de datos" in sentence, "it says what failed and why"
    assert (await hub.ask("status"))["institution"] == hub.plan.id, "the first one goes on"


async def test_d12_the_lock_dies_with_its_process(network: Network) -> None:
    """A lock that outlived `kill -9` would keep the hub down for good."""
    hub = network.hubs["colectiva-miluska"]
    hub.kill()
    assert hub.process
    await hub.process.wait()
    await hub.start()
    assert (await hub.ask("status"))["institution"] == hub.plan.id


async def run_another(hub: HubProcess) -> tuple[int | None, str]:
    """`tinkuy run` once more with the same configuration: exit status and everything it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", "--config", str(hub.config), "run",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=_environment(),
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return process.returncode, out.decode(errors="replace")
