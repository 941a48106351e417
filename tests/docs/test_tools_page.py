"""What `docs/governance/tools.md` shows is what its commands print: the page's own draft is made, changed as it says, and every sample replayed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from policies import packs
from tests.operation.test_operation_cli import FakeHub, home, hub

PAGE = Path(__file__).resolve().parents[2] / "docs/governance/tools.md"
SAMPLE = re.compile(r"```sh\n(?P<line>tinkuy [^\n]+)\n(?:[^`]*)```\n\n```text\n(?P<shown>.*?)```", re.DOTALL)
CHANGED = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
MISTYPED = re.compile(r"Con `(\w+)` en lugar de `(\w+)`[^\n]*\n\n```text\n(.*?)```", re.DOTALL)
__all__ = ["home", "hub"]


def printed(line: str) -> str:
    words = [word.strip('"') for word in line.split()[1:]]
    return plain(CliRunner().invoke(app, words, env={"COLUMNS": "100"}).stdout)


def plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def change(document: Path, lines: str) -> None:
    """As an editor would: each line takes the place of the one with its key."""
    text = document.read_text()
    for line in lines.splitlines():
        key = line.partition(":")[0]
        text, count = re.subn(rf"^{key}:.*$", line.replace("\\", r"\\"), text, flags=re.MULTILINE)
        assert count == 1, key
    document.write_text(text)


def test_the_page_shows_what_the_commands_print(home: Path, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.answers["protocol.text"] = {"protocol": "shelter", "version": 1, "state": "shipped", "text": packs.protocol_text("pe", "shelter")}
    hub.answers["protocol.history"] = [{"version": 1}]
    page = PAGE.read_text()
    samples = SAMPLE.findall(page)
    assert len(samples) >= 5
    draft, shown = samples[0]
    assert printed(draft) == plain(shown)
    document = home / "refugio" / "protocol.yaml"
    change(document, CHANGED.findall(page)[0])
    for line, shown in samples[1:]:
        assert printed(line) == plain(shown), line
    ((wrong, right, shown),) = MISTYPED.findall(page)
    document.write_text(document.read_text().replace(f"  {right}:", f"  {wrong}:"))
    assert printed("tinkuy policy check refugio") == plain(shown)
