"""What `docs/governance/life.md` shows is what its commands print, between three hubs in one process that do the page from top to bottom."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from hub import cli_protocol, cli_protocol_proof
from hub.actions.protocols_now import forget
from hub.app.protocol_commands import protocol_handlers
from hub.cli import app
from hub.testing import Twin
from tests.actions.road import Net

PAGE = Path(__file__).resolve().parents[2] / "docs/governance/life.md"
CEM, CSMC, COL = "cem-lima", "csmc-comas", "colectiva-miluska"
BLOCK = re.compile(r"```sh\n(?P<lines>.*?)```\n\n(?P<shown>(?:    [^\n]*\n)*)", re.DOTALL)
SPEAKS = {"comment": CSMC, "codes": COL, "diff": COL, "sign": COL, "refuse": CSMC}
"""Who gives a command on the page; all others are the proposer's."""


def store_of(twin: Twin) -> Any:
    async def run(fn: Callable[..., Any], *given: Any, **_: Any) -> Any:
        return twin.run(fn, *given)

    return SimpleNamespace(store=SimpleNamespace(run=run, look=run))


class Desk:
    """The terminals of three institutions."""

    def __init__(self) -> None:
        self.net = Net((CEM, "emergency_centre"), (CSMC, "mental_health_centre"), (COL, "community_organisation"))
        forget()
        for twin in self.net.twins.values():
            twin.enrol("ada", role="administrator")
        self._handlers = {name: protocol_handlers(store_of(twin)) for name, twin in self.net.twins.items()}
        self._who = CEM

    def ask(self, command: str, args: Mapping[str, Any] | None = None, *, as_json: bool = False) -> Any:
        return asyncio.run(self._handlers[self._who][command](args or {}))  # type: ignore[arg-type]

    def type(self, line: str, *, who: str = "", answer: str = "") -> str:
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)][1:]
        self._who = who or (COL if "--code" in words else SPEAKS.get(words[1], CEM))
        said = CliRunner().invoke(app, words, input=answer).output
        self.net.settle(3)
        return said


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.chdir(tmp_path)
    made = Desk()
    for module in (cli_protocol, cli_protocol_proof):
        monkeypatch.setattr(module, "ask", made.ask)
    monkeypatch.setattr("hub.cli_base.at_terminal", lambda: True)
    yield made
    forget()


def same(text: str) -> list[str]:
    """Its lines without what is another in every run: fingerprints, and the spaces of a table."""
    text = re.sub(r"\b[0-9a-f]{16,64}\b", "0", text.replace("[s/N] s\n", "[s/N] "))
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def shows(sample: list[str], said: list[str]) -> bool:
    """Whether these are the lines; `[…]` stands for any number of others."""
    pattern = "\n".join("(?:.*\n?)*?" if line == "[…]" else re.escape(line) for line in sample).replace("(?:.*\n?)*?\n", "(?:.*\n)*?")
    return re.fullmatch(pattern, "\n".join(said)) is not None


def test_the_page_from_top_to_bottom(desk: Desk) -> None:
    draft, compared = Path("nuevo.yaml"), 0
    for block in BLOCK.finditer(PAGE.read_text()):
        for line in block["lines"].splitlines():
            if "protocol check" in line:  # the slip of the page, and its mending
                wrong = "relese" not in draft.read_text()
                draft.write_text(re.sub(r"(?m)^  occupation: .*$", f"  occupation: {'relese' if wrong else 'release'}", draft.read_text()))
            if "--code " in line:
                line = re.sub(r"--code \S+", f"--code {desk.type('tinkuy protocol codes mental-health@2 --count 1').split()[0]}", line)
            if "protocol history" in line:  # the others sign in their turn
                for who in (CEM, CSMC):
                    desk.type("tinkuy protocol sign mental-health@2 --yes", who=who)
            said = same(desk.type(line, answer="n\n" if "protocol refuse" in line else "s\n"))
        if block["shown"].strip():
            assert shows(same(block["shown"]), said), f"{line}\n" + "\n".join(said)
            compared += 1
    assert compared >= 9
