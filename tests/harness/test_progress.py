"""The progress display: plain lines wherever nobody watches a terminal, and the terminal given back in order."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from deploy.demo.progress import Display


def shown(*, terminal: bool) -> str:
    out = io.StringIO()
    with Display(Console(file=out, force_terminal=terminal, width=80)) as display:
        display.begin("Synapse [uno]")
        display.begin("dos")
        display.done("Synapse [uno]")
        display.done("dos")
    return out.getvalue()


def test_without_a_terminal_it_writes_plain_lines() -> None:
    lines = shown(terminal=False).splitlines()
    assert [line.partition(" (")[0] for line in lines] == ["… Synapse [uno]", "… dos", "✓ Synapse [uno]", "✓ dos"]


def test_no_color_means_plain_lines_on_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[?25l" not in shown(terminal=True)


def test_on_a_terminal_the_cursor_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    out = shown(terminal=True)
    assert out.rindex("\x1b[?25h") > out.rindex("\x1b[?25l")
    assert "Synapse [uno]" in out
