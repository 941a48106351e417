"""The documents as the tests of this folder read them."""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("README.md", "CONTRIBUTING.md", "deploy/runbook.md", "deploy/config/postgresql.md", "docs")
MADE = {".git", ".venv", ".demo", ".test", "node_modules", "__pycache__", "dist", "build"}
"""Folders that are made here and belong to nobody's repository."""


@functools.cache
def tracked() -> tuple[Path, ...]:
    """Every file of the repository, those not committed yet included; by walking where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode == 0 and listed.stdout:
        names = [Path(name) for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
    kept = (n for n in names if not MADE & set(n.parts) and not any(p.startswith(".") and p.endswith("_cache") for p in n.parts))
    return tuple(sorted(n for n in kept if (ROOT / n).is_file()))


def markdown(*, ours: bool = False) -> list[Path]:
    """The Markdown files; with `ours`, only those that this folder's tests hold word by word."""
    found = [name for name in tracked() if name.suffix == ".md"]
    return [name for name in found if not ours or name.as_posix().startswith(OURS)]


def read(name: Path | str) -> str:
    """A file of the repository as text."""
    return (ROOT / name).read_text(encoding="utf-8")


def shell_lines(text: str) -> Iterator[str]:
    """The lines of shell blocks, without prompts and comments."""
    for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, re.S):
        for line in block.splitlines():
            bare = line.strip().removeprefix("$ ").split("  #")[0].split(" # ")[0].strip()
            if bare and not bare.startswith("#"):
                yield bare


def spans(text: str) -> Iterator[str]:
    """Code spans outside of code blocks."""
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))


def tables(text: str, after: str) -> list[list[str]]:
    """The rows of the first table that follows the words `after`, cells stripped; `\\|` is not used in ours."""
    lines = text[text.index(after) :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return rows
