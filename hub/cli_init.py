"""`tinkuy init`: from nothing to a hub that can start. Writes the file, the key that wraps keys, and the institution's identity.

Nothing is ever overwritten. The order is such that an interrupted `init` can be repeated: folder, key, identity, and the file
last, whose presence is what says "done".
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.base.config import Config, ConfigError, from_mapping
from hub.base.packcheck import pack_of
from hub.base.sections import Institution
from hub.cli_base import JSON, Exit, complain, end_with, say, setting, show_json, words
from hub.key_words import disk_words
from keys.errors import KeysError
from keys.identity import Identity, create_identity
from keys.keyring import FileRows, Keyring
from keys.providers.file import FileKek
from policies import packs
from policies.errors import PackError

_QUESTIONS: tuple[tuple[str, str, str], ...] = (
    ("id", "Nombre corto de la institución, en minúsculas (ejemplo: csmc-comas)", "Short name, lower case (example: csmc-comas)"),
    ("name", "Nombre como lo dice la gente", "Name as people say it"),
    ("kind", "Tipo de institución en el paquete (ejemplo: mental_health_centre)", "Kind of institution in the pack (example: mental_health_centre)"),
    ("territory", "Territorio que atiende (código)", "Territory served (code)"),
    ("homeserver", "Dirección de su servidor Matrix (https://…)", "Address of your homeserver (https://…)"),
    ("user", "Cuenta Matrix del hub (@…:…), creada antes en su servidor", "The hub's Matrix account (@…:…), made there before"),
)


def init(
    id: Annotated[str, typer.Option(help="Nombre corto. · Short name.")] = "",
    name: Annotated[str, typer.Option(help="Nombre. · Name.")] = "",
    kind: Annotated[str, typer.Option(help="Tipo. · Kind.")] = "",
    territory: Annotated[str, typer.Option(help="Territorio. · Territory.")] = "",
    homeserver: Annotated[str, typer.Option(help="Dirección del servidor Matrix. · Homeserver address.")] = "",
    user: Annotated[str, typer.Option(help="Cuenta Matrix del hub. · The hub's Matrix account.")] = "",
    password_file: Annotated[Path | None, typer.Option(help="Archivo con su contraseña. · File with its password.")] = None,
    need: Annotated[list[str] | None, typer.Option(help="Necesidad que atiende; repetible. · Need served; repeatable.")] = None,
    language: Annotated[str, typer.Option(help="es | en")] = "es",
    zone: Annotated[str, typer.Option(help="Zona horaria. · Time zone.")] = "America/Lima",
    pack: Annotated[str, typer.Option(help="Paquete de políticas (país). · Policies pack (country).")] = "",
    roots_offline: Annotated[bool, typer.Option("--roots-offline", help="Raíz fuera de aquí. · Root kept elsewhere.")] = False,
    as_json: bool = JSON,
) -> None:
    """Prepara una institución: archivo, claves e identidad · Prepare an institution: file, keys and identity"""
    target = setting.get().config or Path("tinkuy.toml")
    if target.exists():
        complain(f"`{target}` ya existe; `init` no sobrescribe nada.", f"`{target}` exists already; `init` overwrites nothing.")
        raise typer.Exit(Exit.REFUSED)
    given = {"id": id, "name": name, "kind": kind, "territory": territory, "homeserver": homeserver, "user": user}
    answers = _asked(given, interactive=sys.stdin.isatty() and not as_json)
    answers["kind"], *needs = _codes((("kinds", answers["kind"]), *(("needs", each) for each in need or ())), pack)
    table = _table(answers, language=language, zone=zone, needs=tuple(needs), password_file=password_file, pack=pack)
    config = _valid(table, target)
    try:
        identity = _made(config, root_here=not roots_offline)
    except (KeysError, OSError) as error:
        if isinstance(error, KeysError):
            end_with(error.code)
        es, en = disk_words(error)
        complain(f"No se pudieron crear las claves: {es}.", f"The keys could not be made: {en}.")
        raise typer.Exit(Exit.REFUSED) from None
    _write(target, to_toml(table))
    _tell(config, identity, target, as_json=as_json)


def to_toml(table: dict[str, dict[str, Any]]) -> str:
    """The tables as TOML. A JSON string of printable text is a TOML basic string too (TOML 1.0, Strings); DEL alone differs."""
    lines = ["# Tinkuy. `tinkuy config check` lo revisa; `tinkuy config schema` describe cada clave.", ""]
    for section, pairs in table.items():
        lines.append(f"[{section}]")
        for key, value in pairs.items():
            text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
            lines.append(f"{key} = {text}")
        lines.append("")
    return "\n".join(lines)


def _asked(given: dict[str, str], *, interactive: bool) -> dict[str, str]:
    missing = [key for key, _, _ in _QUESTIONS if not given[key]]
    if missing and not interactive:
        flags = ", ".join(f"--{key}" for key in missing)
        complain(f"Faltan: {flags}", f"Missing: {flags}")
        raise typer.Exit(Exit.USAGE)
    asked = {key: typer.prompt(words(es, en)).strip() for key, es, en in _QUESTIONS if not given[key]}
    return {**given, **asked}


def _codes(said: Iterable[tuple[str, str]], pack: str) -> list[str]:
    """The codes of words that the pack knows by their label; what it does not know stays as it was typed, for the check that follows to say."""
    try:
        known = packs.load(pack or Institution.model_fields["pack"].default).vocabulary
    except PackError:
        return [word for _, word in said]
    found = [(known.match(where, word), word) for where, word in said]
    return [term.id if term else word for term, word in found]


def _table(
    answers: dict[str, str], *, language: str, zone: str, needs: tuple[str, ...], password_file: Path | None, pack: str
) -> dict[str, dict[str, Any]]:
    institution = {key: answers[key] for key in ("id", "name", "kind", "territory")} | ({"pack": pack} if pack else {})
    matrix: dict[str, Any] = {"homeserver_url": answers["homeserver"], "user_id": answers["user"]}
    if password_file is not None:
        matrix["password_file"] = str(password_file.resolve())
    return {
        "institution": {**institution, "language": language, "zone": zone, "needs": list(needs)},
        "matrix": matrix,
        "paths": {"state": "state"},
        "keys": {"kek_file": "kek"},
    }


def _valid(table: dict[str, dict[str, Any]], target: Path) -> Config:
    """The same check that `run` will make, before anything is written."""
    try:
        made = from_mapping(table, folder=target.resolve().parent)
        pack_of(made)
        return made
    except ConfigError as error:
        for finding in error.findings:
            complain(finding.es, finding.en)
        raise typer.Exit(Exit.CONFIG) from None


def _made(config: Config, *, root_here: bool) -> Identity:
    config.paths.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    config.paths.state.chmod(0o700)
    config.keys.kek_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kek = FileKek.open(config.keys.kek_file) if config.keys.kek_file.exists() else FileKek.create(config.keys.kek_file)
    return create_identity(Keyring(config.institution.id, kek, FileRows(config.keyring_file)), root_here=root_here)


def _write(target: Path, text: str) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    tomllib.loads(target.read_text(encoding="utf-8"))


def _tell(config: Config, identity: Identity, target: Path, *, as_json: bool) -> None:
    if as_json:
        return show_json(
            {
                "config": str(target),
                "state": str(config.paths.state),
                "kek": str(config.keys.kek_file),
                "master_fingerprint": identity.master_fingerprint,
                "next": "tinkuy run",
            }
        )
    say(
        f"Listo: {target}. Huella de la identidad Matrix: {identity.master_fingerprint}",
        f"Done: {target}. Fingerprint of the Matrix identity: {identity.master_fingerprint}",
    )
    say(
        f"Guarde aparte una copia de {config.keys.kek_file}: sin ella nada se lee; con ella y la base, se lee todo.",
        f"Keep a copy of {config.keys.kek_file} elsewhere: without it nothing can be read, with it and the database everything.",
    )
    say(
        "Siguiente paso: tinkuy doctor; después tinkuy run y tinkuy staff add.",
        "Next step: tinkuy doctor; then tinkuy run and tinkuy staff add.",
    )
    return None
