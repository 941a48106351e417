"""One row a number: what a benchmark hands over, how it is made from rounds, printed and kept."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measured thing beside its limit."""

    name: str
    value: float
    """Ours, the median of the rounds, in `unit`."""
    unit: str
    """`…/s`: more is better; `ms`: less is better."""
    peer: float | None
    """Somebody else's engine that answers the same, in `unit`; None when nobody's was run."""
    limit: float
    """The least that must be done for the same effect, in `unit`."""
    ratio: float
    """Value over limit: the median of the ratios of each round, because both numbers of a pair saw the same machine."""
    rounds: int
    spread: float
    """Half the distance between the largest and the smallest of those ratios, over their median."""


def compare(name: str, unit: str, ours: Sequence[float], limits: Sequence[float], *, peers: Sequence[float] = ()) -> Row:
    """The row of one thing that was measured once a round. `ours` and `limits` are of equal length, at least one round."""
    ratios = [mine / limit for mine, limit in zip(ours, limits, strict=True)]
    middle = statistics.median(ratios)
    return Row(
        name=name,
        value=_short(statistics.median(ours)),
        unit=unit,
        peer=_short(statistics.median(peers)) if peers else None,
        limit=_short(statistics.median(limits)),
        ratio=_short(middle),
        rounds=len(ratios),
        spread=round((max(ratios) - min(ratios)) / 2 / middle, 3),
    )


def keep(name: str, rows: Iterable[Row], folder: Path = RESULTS) -> Path:
    """Write `<name>.json`: a list of rows. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n")
    return path


def show(rows: Iterable[Row], console: Console | None = None) -> None:
    """One table of all rows. The last two columns are the ones to quote."""
    table = Table("benchmark", title="Tinkuy, each beside its limit in the same run (quote the ratios)")
    for heading in ("ours", "unit", "peer", "limit", "ours / limit", "±"):
        table.add_column(heading, justify="left" if heading == "unit" else "right")
    for row in rows:
        peer = "" if row.peer is None else f"{row.peer:,g}"
        table.add_row(row.name, f"{row.value:,g}", row.unit, peer, f"{row.limit:,g}", f"{row.ratio:g}", f"{row.spread:.0%}")
    (console or Console(width=150)).print(table)


def percentile(times: Iterable[float], share: float) -> float:
    """The time that this share (0 to 1) of all times does not exceed."""
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _short(number: float) -> float:
    return float(f"{number:.3g}")
