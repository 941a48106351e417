"""What the engines cost before the first decision and in memory: each is loaded in a process of its own, several times over.

Memory is what Python allocated for one, or what the process grew by where that is more: Cedar keeps its policies outside of Python.
"""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.casbin_peer import Casbin
from bench.policy import PROTOCOL, Cedar, dictionary, questions, tabulated
from bench.rows import Row, compare
from policies import packs
from policies.engine import Compiled

COPIES = 8
"""So many of each stand in memory together, so that pages count little."""
ENGINES = ("engine", "cedar", "casbin", "table", "dictionary")


def load(name: str) -> Callable[[], Any]:
    """How to make one of an engine ready; ours has answered every question, so that what it makes on the way counts too."""
    protocol = packs.load("pe").protocols[PROTOCOL]
    asked = questions(protocol)

    def engine() -> Compiled:
        compiled = Compiled(protocol)
        for request in asked:
            compiled.decide_afresh(request)
        return compiled

    makers: dict[str, Callable[[], Any]] = {
        "engine": engine, "cedar": lambda: Cedar(protocol), "casbin": lambda: Casbin(protocol), "table": lambda: tabulated(protocol),
        "dictionary": lambda: dictionary(protocol, asked),
    }  # fmt: skip
    return makers[name]


def _resident() -> int:
    """Bytes of this process that stand in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def measure(name: str) -> tuple[float, float]:
    """Milliseconds and kibibytes for one, in a process of its own."""
    done = subprocess.run([sys.executable, "-m", "bench.policy_costs", name], capture_output=True, text=True, check=True, timeout=300)
    milliseconds, kibibytes = done.stdout.split()
    return float(milliseconds), float(kibibytes)


def run(rounds: int = 3) -> list[Row]:
    """A row each for loading and memory; `limit` is the hand-written table, `peer` Cedar."""
    found = {name: [measure(name) for _ in range(rounds)] for name in ENGINES}
    rows = []
    for title, unit, which in (("ready", "ms", 0), ("in memory", "KiB", 1)):
        of = {name: [pair[which] for pair in pairs] for name, pairs in found.items()}
        rows += [
            compare(f"policy: {name} {title}, beside a table", unit, of[name], of["table"], peers=of["cedar"])
            for name in ENGINES
            if name != "table"
        ]
    return rows


def _main(name: str) -> None:
    make = load(name)
    kept = [make()]  # what is imported on the way is not what one costs
    before, start = _resident(), time.process_time()
    kept += [make() for _ in range(COPIES)]
    spent, grown = time.process_time() - start, (_resident() - before) / COPIES
    tracemalloc.start()
    kept.append(make())
    print(spent / COPIES * 1000, max(tracemalloc.get_traced_memory()[0], grown) / 1024)


if __name__ == "__main__":
    _main(sys.argv[1])
