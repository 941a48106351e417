"""A figure that is a count: how often something was tried, and how often what must never happen did."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.rows import RESULTS


@dataclass(frozen=True, kw_only=True)
class Count:
    """One promise: in so many tries, so much of what must not be."""

    name: str
    tried: int
    """How often the attacker tried; how many places were looked into."""
    value: float
    """What came of it, in `unit`."""
    unit: str
    limit: float
    """No more than this may come of it: 0 for what must never happen, seconds for what must happen soon."""

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return self.value <= self.limit


def keep_counts(name: str, counts: Iterable[Count], folder: Path = RESULTS) -> Path:
    """Write `<name>.json`: a list of counts. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps([asdict(one) | {"kept": one.kept} for one in counts], indent=1, ensure_ascii=False) + "\n")
    return path


def show_counts(counts: Iterable[Count], console: Console | None = None) -> None:
    """One table of all counts."""
    table = Table("promise", title="Tinkuy under attack")
    for heading in ("tried", "came of it", "unit", "at most", "kept"):
        table.add_column(heading, justify="left" if heading == "unit" else "right")
    for one in counts:
        table.add_row(one.name, f"{one.tried:,}", f"{one.value:,g}", one.unit, f"{one.limit:,g}", "yes" if one.kept else "NO")
    (console or Console(width=150)).print(table)
