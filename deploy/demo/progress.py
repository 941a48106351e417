"""Tells a waiting person what is going on: moving bars on a terminal, plain lines anywhere else.

Plain lines are also what a screen reader, a CI log or somebody who set `NO_COLOR` gets. Steps are named by the
caller and carry no case and no person.
"""

from __future__ import annotations

import os
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Progress(Protocol):
    """What the starting code needs to know of a display."""

    def begin(self, step: str) -> None:
        """A step has begun; several may be open at once."""

    def done(self, step: str) -> None:
        """The step of that name has ended well."""


class Silent:
    """Shows nothing: for tests."""

    def begin(self, step: str) -> None:
        pass

    def done(self, step: str) -> None:
        pass


class Display:
    """Progress for people; a context manager, so that the terminal is always given back in order."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._started: dict[str, float] = {}
        self._tasks: dict[str, TaskID] = {}
        plain = not self.console.is_terminal or "NO_COLOR" in os.environ
        columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        self._bars = None if plain else Bars(*columns, console=self.console)

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bars:
            self._bars.stop()

    def begin(self, step: str) -> None:
        self._started[step] = time.monotonic()
        if self._bars:
            self._tasks[step] = self._bars.add_task(step, total=1)
        else:
            self.console.print(f"… {step}", markup=False, highlight=False)

    def done(self, step: str) -> None:
        seconds = time.monotonic() - self._started.pop(step)
        if self._bars:
            self._bars.update(self._tasks.pop(step), completed=1)
        else:
            self.console.print(f"✓ {step} ({seconds:.1f} s)", markup=False, highlight=False)
