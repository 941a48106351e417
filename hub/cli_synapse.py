"""`tinkuy network synapse`: the homeserver's settings and its gate, from the lists and links of this hub. Doing it again says what changed."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.base.synapse import FRAGMENT, Gate, render, sections
from hub.cli_base import JSON, Exit, ask, complain, say, show_json
from hub.key_words import disk_words

HEAD = "Written by `tinkuy network synapse`. Do not edit: the next time it is written anew. A further --config-path of Synapse."
_FLOOR = re.compile(rb'"version": \d+, ')
_LISTED = re.compile(r"^  - (\".*\")$", re.MULTILINE)


@dataclass(kw_only=True)
class Changes:
    """What writing did."""

    files: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    restart: bool = False


def synapse(
    out: Annotated[Path, typer.Option("--out", metavar="CARPETA", help="Donde se escriben los archivos. · Where the files are written.")],
    seen_as: Annotated[
        str | None,
        typer.Option("--seen-as", metavar="RUTA", help="Esa carpeta, como la ve Synapse (contenedor). · That folder as Synapse sees it (container)."),
    ] = None,
    as_json: bool = JSON,
) -> None:
    """Escribe la configuración de Synapse y de su puerta (módulo) · Write the configuration of Synapse and of its gate (module)"""
    answer = ask("network.homeserver", {"folder": seen_as or str(out.absolute())}, as_json=as_json)
    try:
        changes = write(out, answer)
    except OSError as error:
        es, en = disk_words(error)
        complain(f"`{out}` no se pudo escribir: {es}.", f"`{out}` could not be written: {en}.")
        raise typer.Exit(Exit.REFUSED) from None
    if as_json:
        return show_json({"servers": answer["servers"], "kept": answer["kept"], **vars(changes)})
    return _tell(changes, answer)


def write(out: Path, answer: dict[str, Any]) -> Changes:
    """The fragment and one file for each list. What is already as it should be is not touched, so that nothing is read again for nothing."""
    out.mkdir(parents=True, exist_ok=True)
    gate = Gate(hubs=tuple(answer["hubs"]), lists=tuple(each["pin"] for each in answer["lists"]))
    text = render(sections(answer["servers"], gate), HEAD).encode()
    path, changes = out / FRAGMENT, Changes()
    before = path.read_bytes() if path.exists() else b""
    changes.added, changes.removed = _moved(_servers(before.decode()), answer["servers"])
    changes.restart = _pinned(before) != _pinned(text)
    wanted = {each["name"]: base64.b64decode(each["data"], validate=True) for each in answer["lists"]}
    for name, data in {**wanted, FRAGMENT: text}.items():
        if not (out / name).exists() or (out / name).read_bytes() != data:
            _replace(out / name, data)
            changes.files.append(name)
    for old in sorted(out.glob("network-*.json")):
        if old.name not in wanted:
            old.unlink()
            changes.files.append(f"-{old.name}")
    return changes


def _pinned(text: bytes) -> bytes:
    """The fragment but for the floors: the gate has read the newer list by itself, and the newer floor counts from its next start."""
    return _FLOOR.sub(b"", text)


def _replace(path: Path, data: bytes) -> None:
    """Whole or not at all: the gate may be reading it at this moment."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(data)
    fresh.chmod(0o644)
    fresh.replace(path)


def _servers(text: str) -> list[str]:
    part = text.partition("federation_domain_whitelist:")[2].partition("\ntrusted_key_servers")[0]
    return [str(json.loads(each)) for each in _LISTED.findall(part)]


def _moved(before: Iterable[str], after: Iterable[str]) -> tuple[list[str], list[str]]:
    old, new = set(before), set(after)
    return sorted(new - old), sorted(old - new)


def _tell(changes: Changes, answer: dict[str, Any]) -> None:
    if not changes.files:
        return say("La carpeta ya está al día: no se escribió nada.", "The folder is up to date: nothing was written.")
    say(f"Escrito: {', '.join(changes.files)}", f"Written: {', '.join(changes.files)}")
    for sign, names in (("+", changes.added), ("-", changes.removed)):
        for name in names:
            say(f"  {sign} servidor {name}", f"  {sign} server {name}")
    for name in answer["kept"] if answer["lists"] else ():
        say(f"  {name} no está en ninguna lista, pero sigue enlazada: su servidor queda. Si ya no debe: tinkuy peer stop {name}",
            f"  {name} is on no list but still linked: its server stays. If it should not: tinkuy peer stop {name}")  # fmt: skip
    if changes.restart:
        order = "systemctl restart matrix-synapse"
        return say(f"Reinicie Synapse para que valga: {order}", f"Restart Synapse for it to count: {order}")
    return say("La puerta lo lee sola; no hace falta reiniciar.", "The gate reads it by itself; no restart is needed.")
