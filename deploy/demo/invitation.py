"""The last thing that the demo says: who may come in as a visitor, where, and what is worth trying first. Pure text."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Account:
    """One visitor: an account that no program of the demo uses."""

    name: str
    """Of the institution."""
    url: str
    user: str
    password: str
    config: Path
    """The hub's configuration file."""
    governs: bool = False
    """Whether she administers the institution."""


DESK = "!tk ayuda"
GOVERN = ("política matriz refugio teléfono", "protocolo lista", "salas")
"""In the admin room, as they are typed."""
COMMANDS = ("policy matrix mental-health --field phone", "protocol list", "rooms show")
"""On the command line, one for each institution in turn."""


def lines(accounts: Sequence[Account], folder: Path) -> Iterator[str]:
    """What stands on the screen at the end, in both languages; what is to be typed stands alone on its line."""
    desks, governors = [one for one in accounts if not one.governs], [one for one in accounts if one.governs]
    yield "Para probar con Element, en esta máquina / to try it with Element, on this machine:"
    yield from map(_account, desks)
    yield f"  Acepte las invitaciones de «Tinkuy»; en la mesa escriba / at the desk type:  {DESK}"
    yield "Para gobernar / to govern:"
    yield from map(_account, governors)
    yield "  En «Tinkuy · administración», una por línea / in the admin room, one a line:"
    yield from (f"    {line}" for line in GOVERN)
    yield "  Y en otra terminal, en esta carpeta / and in another terminal, in this folder:"
    command = _here(Path(sys.executable).parent / "tinkuy")
    configs = dict.fromkeys(one.config for one in desks)
    yield from (f"    {command} -c {_here(config)} {said}" for config, said in zip(configs, COMMANDS, strict=False))
    yield f"Datos para programas / machine-readable: {_here(folder / 'access.json')}"
    yield "Ctrl-C termina y detiene todo. / Ctrl-C stops everything."


def _account(one: Account) -> str:
    return f"  {one.name}: {one.url}  usuario {one.user}  contraseña {one.password}"


def _here(path: Path) -> str:
    """As it is typed from this folder: short where it is below it."""
    short = os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else str(path)
    return shlex.quote(short)
