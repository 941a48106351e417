"""`python -m tests.attacks.mutate [ID …]`: disable each defence of `mutations.py` in a copy of the tree; its test must go red."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from tests.attacks.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]
COPIES = 2
PARTS = ("hub", "keys", "policies", "adapters", "deploy", "bench", "tests", "pyproject.toml", "README.md", "docs")


def main(wanted: list[str]) -> int:
    """Run those of these ids (or all); 0 when every test went red, else 1."""
    chosen = [m for m in MUTATIONS if not wanted or m.id in wanted]
    with tempfile.TemporaryDirectory(prefix="mutate") as folder:
        free: SimpleQueue[Path] = SimpleQueue()
        for number in range(COPIES):
            free.put(_copy(Path(folder) / str(number)))
        with ThreadPoolExecutor(COPIES) as pool:
            found = list(pool.map(lambda one: _try(one, free), chosen))
    survived = [m for m, red in zip(chosen, found, strict=True) if not red]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} defences are missed by their test when they are gone")
    return 1 if survived else 0


def _copy(to: Path) -> Path:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, to / part, ignore=shutil.ignore_patterns("__pycache__", "results"), symlinks=True)
        else:
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, to / part)
    return to


def _try(mutation: Mutation, free: SimpleQueue[Path]) -> bool:
    tree = free.get()
    try:
        with _disabled(tree / mutation.file, mutation):
            red = _run(tree, mutation.test) == 1
    finally:
        free.put(tree)
    print(f"{'red     ' if red else 'SURVIVED'} {mutation.id} {mutation.file}: {mutation.test.partition('::')[2] or mutation.test}", flush=True)
    return red


@contextmanager
def _disabled(file: Path, mutation: Mutation) -> Iterator[None]:
    text = file.read_text()
    file.write_text(text.replace(mutation.before, mutation.after, 1))
    try:
        yield
    finally:
        file.write_text(text)


def _run(tree: Path, test: str) -> int:
    """pytest's exit status: 1 is a failed test; anything else (nothing collected, a crash) proves nothing."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=300, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
