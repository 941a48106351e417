"""`python -m bench.attacks [NAME …]`: the figures under attack, in full, each written to `bench/results/attacks-NAME.json`.

envelopes, tampering: hubs in memory. events, ghosts: real homeservers. Together about half an hour on two cores; `make test` plays each
of them small. Canaries are planted and looked for by `tests/attacks/road/test_canaries.py`. Exit status 1 when a promise was not kept.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import fuzzing, ghosts, malformed
from bench.counting import Count, keep_counts, show_counts

MANY = 100_000
FIGURES: dict[str, Callable[[Path], list[Count]]] = {
    "envelopes": lambda folder: fuzzing.envelopes(MANY),
    "tampering": lambda folder: fuzzing.tampering(10_000),
    "events": lambda folder: asyncio.run(malformed.on_homeservers(folder, MANY)),
    "ghosts": lambda folder: asyncio.run(ghosts.on_homeservers(folder, 1000)),
}


def main(wanted: list[str]) -> int:
    """Those of these names, or all. 0 when every promise was kept."""
    for noisy in ("nio", "aiohttp.server"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    kept = True
    for name in wanted or FIGURES:
        with tempfile.TemporaryDirectory(prefix="attacks") as folder:
            counts = FIGURES[name](Path(folder))
        keep_counts(f"attacks-{name}", counts)
        show_counts(counts)
        kept = kept and all(one.kept for one in counts)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
