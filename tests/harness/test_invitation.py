"""What the demo shows at its end: a visitor for each desk, one who administers, and lines that can be copied as they stand."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.demo.invitation import COMMANDS, GOVERN, Account, lines
from deploy.demo.network import PLANS
from hub.chat.admin_policy import EXAMPLE
from hub.chat.admin_verbs import VERBS
from hub.chat.fold import fold
from hub.cli import app


@pytest.fixture
def screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ".demo"
    found = [
        (plan, name, governs) for plan in PLANS for name, governs in ((plan.visitor, False), (plan.second, False), (plan.governor, True)) if name
    ]
    accounts = [
        Account(name=p.name, url="http://127.0.0.1:1", user=f"@{name}:x", password="clave-inventada", config=folder / p.id / "tinkuy.toml", governs=g)
        for p, name, g in found
    ]
    return list(lines(accounts, folder))


def test_it_is_short_and_shows_every_account_once(screen: list[str]) -> None:
    assert len(screen) <= 20
    assert max(map(len, screen)) <= 130
    for name in [plan.visitor for plan in PLANS] + ["visita-admin", "visita2-csmc"]:
        assert sum(f"usuario @{name}:x" in line for line in screen) == 1
    assert any("visita-admin" in line and "clave-inventada" in line for line in screen), "an administrator can look in"


def test_what_is_to_be_typed_is_understood(screen: list[str]) -> None:
    words = {word for verb in VERBS.values() for word in verb.words}
    assert GOVERN[0] == EXAMPLE
    for said in GOVERN:
        assert f"    {said}" in screen
        assert fold(said).split()[0] in words
    typed = [shlex.split(line) for line in screen if "tinkuy.toml" in line]
    assert [line[2] for line in typed] == [f".demo/{plan.id}/tinkuy.toml" for plan in PLANS]
    assert [" ".join(line[3:]) for line in typed] == list(COMMANDS)
    for line in typed:
        shown = CliRunner().invoke(app, [*line[3:5], "--help"])
        assert shown.exit_code == 0, line
