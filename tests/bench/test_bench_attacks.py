"""The figures under attack, played small in every run: T2, T3, T4, T5 (X01-X05, X14, X15, X33, P01). The full ones: `python -m bench.attacks`."""

from __future__ import annotations

import io
import json
from pathlib import Path

from rich.console import Console

from bench import ghosts, malformed
from bench.counting import Count, keep_counts, show_counts
from deploy.demo.synapse import Synapses


def kept(found: list[Count], folder: Path) -> None:
    read = json.loads(keep_counts("sample", found, folder).read_text())
    assert [row["name"] for row in read if not row["kept"]] == []
    assert all(row["tried"] > 0 for row in read)
    assert len({row["name"] for row in read}) == len(read)


async def test_x14_x15_x33_malformed_events_among_good_ones(synapses: Synapses, tmp_path: Path) -> None:
    kept(await malformed.run(synapses, count=3000), tmp_path)


async def test_x01_x02_x05_ghost_devices_of_every_kind(synapses: Synapses, tmp_path: Path) -> None:
    kept(await ghosts.run(synapses, attempts=len(ghosts.KINDS) * 3), tmp_path)


def test_a_promise_that_was_not_kept_is_shown_as_such() -> None:
    out = io.StringIO()
    bad, good = Count(name="a", tried=5, value=1, unit="x", limit=0), Count(name="b", tried=5, value=1.5, unit="s", limit=60)
    assert (bad.kept, good.kept) == (False, True)
    show_counts([bad, good], Console(file=out, width=150))
    assert "NO" in out.getvalue()
