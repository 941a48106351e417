"""`python -m bench`: everything, one table, and one file a benchmark in `bench/results/`. About seven minutes on two cores."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path

from bench import delivery, durable, federated, load, memory, policy, policy_costs, policy_diff, sending, talking, year
from bench.rows import Row, keep, show
from deploy.demo.synapse import Synapses
from hub.base import logs
from hub.base.sections import Log


async def on_homeservers(folder: Path) -> dict[str, list[Row]]:
    """The benchmarks that need real homeservers: two that federate, made for this and thrown away."""
    async with Synapses(folder / "servers", count=2) as servers:
        sent = await sending.run(servers[0], folder)
        async with federated.stage(servers, folder / "hubs") as on:
            found = {"send": sent, "chat": await talking.run(on), "federated": await federated.run(on)}
        found["load"] = await load.run(servers, folder / "pair")
        found["memory"] = await memory.run(servers, folder / "played")
        found["year"] = await year.run(servers[0], folder / "year")
        return found | {"delivery": await delivery.run(servers, folder / "lines")}  # last: it kills homeservers


def main() -> None:
    """Measure, show, keep. Raises AssertionError when two sides that are compared gave different answers."""
    # First what needs no server: nothing else of ours runs meanwhile.
    found = {"policy": [*policy.run(), *policy_costs.run(), *policy_diff.run()], "durable": durable.run(), "hear": talking.in_memory()}
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        logs.setup(Log(level="error", file=Path(folder) / "hubs.log"))
        logging.getLogger("nio").setLevel(logging.CRITICAL)
        found |= asyncio.run(on_homeservers(Path(folder)))
    for name, rows in found.items():
        keep(name, rows)
    show(row for rows in found.values() for row in rows)


if __name__ == "__main__":
    main()
