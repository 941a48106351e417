"""`docs/limits.md` lists what is not here yet. A thing that has come must leave the list; a thing on the list must be absent."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import typer.main

from hub.cli import app
from tests.docs.pages import ROOT, read

LIST = read("docs/limits.md").split('<a id="todavia-no"></a>')[1]


def used(pattern: str, *folders: str, but: tuple[str, ...] = ()) -> bool:
    """Whether any code of these folders matches."""
    files = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return any(re.search(pattern, path.read_text(encoding="utf-8")) for path in files if path.name not in but)


def commands() -> set[str]:
    return set(typer.main.get_command(app).commands)


def other_systems() -> list[Path]:
    return [path for path in (ROOT / "adapters").rglob("*.py") if path.name != "__init__.py"]


HERE: dict[str, Callable[[], bool]] = {
    "Respaldo y restauración.": lambda: bool(commands() & {"backup", "restore"}),
    "Llave de sobre diaria.": lambda: used(r"dailykeys", "hub"),
    "Bases legales.": lambda: used(r"def record_basis\(", "hub/actions"),
    "Salas de coordinación.": lambda: used(r"coordination", "hub/app", "hub/actions"),
    "Verificación con emojis": lambda: used(r"m\.key\.verification", "hub"),
    "Otros sistemas.": lambda: bool(other_systems()),
}


@pytest.mark.parametrize("what", HERE)
def test_the_list_of_what_is_missing_is_true(what: str) -> None:
    listed, here = f"**{what}**" in LIST, HERE[what]()
    assert not (listed and here), f"`{what}` is here now: take it off docs/limits.md, and say in the documents how it works"
    assert listed or here, f"`{what}` is not here and docs/limits.md does not say so"


def test_everything_on_the_list_is_watched_or_known_to_need_eyes() -> None:
    listed = set(re.findall(r"^- \*\*(.+?)\*\*", LIST, re.M))
    eyes = {"Manifiestos nuevos.", "El hilo va también en claro.", "Lo conservado por ley", "Quien llega después"}
    assert listed - set(HERE) <= eyes, "give it a probe here"


def test_nothing_missing_is_told_as_if_it_were_there() -> None:
    if not commands() & {"backup", "restore"}:
        for page in ("README.md", "deploy/runbook.md", "CONTRIBUTING.md"):
            assert not re.search(r"tinkuy (?:--config \S+ )?(?:backup|restore)", read(page)), page
