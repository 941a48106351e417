"""`make soak`: the long one. `SOAK_REFERRALS`, `SOAK_FAULTS`, `SOAK_SEED`, `SOAK_MINUTES`, `SOAK_STRETCH` and `SOAK_SENDER`
(sqlite, postgres) change it.

It plays stretches of `SOAK_STRETCH` referrals (1000), each on a network of its own with a seed of its own, and writes `bench/results/soak.json`
after each: what was done counts, whenever it ends. It ends when all is played, the minutes are over, or something was lost.
`SOAK_CONTINUE=1` goes on where the file ends, with the next seed; a stretch that failed stays in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.attacks.soak.campaign import Campaign
from tests.attacks.soak.stage import ROOT, staged

RESULT = ROOT / "bench" / "results" / "soak.json"


def _number(name: str, usual: int) -> int:
    return int(os.environ.get(name, usual))


async def play(folder: Path, *, referrals: int, faults: int, seed: int, postgres: bool) -> dict[str, Any]:
    """One stretch on a fresh network."""
    async with staged(folder, postgres=postgres) as stage:
        say = lambda words: print(words, flush=True)  # noqa: E731
        return await Campaign(stage=stage, referrals=referrals, faults=faults, seed=seed, say=say).play()


def total(stretches: list[dict[str, Any]]) -> dict[str, Any]:
    """One figure of many stretches."""
    kinds: Counter[str] = Counter()
    for one in stretches:
        kinds.update(one["faults_by_kind"])
    added = {name: sum(one[name] for one in stretches) for name in ("referrals", "faults", "lost", "doubled", "unacked_after_60_s", "wrong")}
    return {
        **added, "seconds": round(sum(one["seconds"] for one in stretches)), "faults_by_kind": dict(sorted(kinds.items())),
        "slowest_rest_seconds": max(one["seconds_to_rest"] for one in stretches),
        "most_rss_mib": max(rss["most"] for one in stretches for rss in one["rss_mib"].values()),
        "seeds": [one["seed"] for one in stretches], "stretches": stretches,
    }  # fmt: skip


def main() -> int:
    """0 when nothing was lost, doubled, left unacknowledged or otherwise wrong."""
    referrals, faults, seed = _number("SOAK_REFERRALS", 10_000), _number("SOAK_FAULTS", 320), _number("SOAK_SEED", 1)
    deadline = time.monotonic() + 60 * _number("SOAK_MINUTES", 300)
    postgres = os.environ.get("SOAK_SENDER", "postgres") != "sqlite"
    done: list[dict[str, Any]] = json.loads(RESULT.read_text())["stretches"] if os.environ.get("SOAK_CONTINUE") else []
    while (played := sum(one["referrals"] for one in done)) < referrals and time.monotonic() < deadline:
        size = min(_number("SOAK_STRETCH", 1000), referrals - played)
        with tempfile.TemporaryDirectory(prefix="soak") as folder:
            share = -(-faults * size // referrals)
            done.append(asyncio.run(play(Path(folder), referrals=size, faults=share, seed=seed + len(done), postgres=postgres)))
        RESULT.write_text(json.dumps(total(done), indent=1, ensure_ascii=False) + "\n")
        one = done[-1]
        print(f"seed {one['seed']}: {one['referrals']} referrals, {one['faults']} faults, {one['verdict']}", flush=True)
        if one["lost"] or one["doubled"] or one["unacked"] or one["wrong"]:
            print(f"FAILED with seed {one['seed']}: SOAK_SEED={one['seed']} SOAK_REFERRALS={size} SOAK_FAULTS={share} make soak", flush=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
