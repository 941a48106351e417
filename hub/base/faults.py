"""Named points at which a process under test kills itself (D01–D03). Armed only by `faults.kill_at`, loudly; otherwise nothing."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterable

POINTS = (
    "batch.saved", "batch.done", "inbox.handled", "dispatch.committed", "dispatch.sent", "dispatch.marked",
    "post.claimed", "post.sent", "post.marked", "timer.rung",
)  # fmt: skip
"""Where the hub may be killed: between every commit and the effect that follows it."""


class Faults:
    """`kill_at` holds points, or `point:n` for the n-th time it is reached."""

    def __init__(self, kill_at: Iterable[str] = ()) -> None:
        self._kill_at = frozenset(kill_at)
        self._reached: Counter[str] = Counter()

    def reach(self, point: str) -> None:
        """Die here when told to, as by `kill -9`: nothing is flushed, nothing is closed."""
        if not self._kill_at:
            return
        self._reached[point] += 1
        if (point in self._kill_at and f"{point}:1" not in self._kill_at) or f"{point}:{self._reached[point]}" in self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
