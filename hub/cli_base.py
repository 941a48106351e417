"""What every command shares: where the configuration is, how to ask the running hub, how to speak, and how to end.

People read Spanish first (`--lang en` or TINKUY_LANG=en for English); programs read `--json` and the exit status, a stable one:
0 done · 1 refused, or a check failed · 2 wrong usage · 3 configuration · 4 no hub answers · 70 a fault of ours.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from hub.base.config import DEFAULT_NAME, PATH_VARIABLE, Config, ConfigError, load
from hub.base.i18n import stamped
from hub.base.packcheck import pack_of
from hub.cli_words import sentence, shown_code
from hub.key_words import disk_words
from hub.web.control import ControlError, HubAway, call


class Exit(IntEnum):
    """Exit statuses; scripts rely on them."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    CONFIG = 3
    AWAY = 4
    FAULT = 70


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The global options of this run."""

    config: Path | None = None
    english: bool = False


_PLAIN = Setting()
ROLES = {
    "alone": ("está solo", "is alone"),
    "leader": ("dirige", "leads"),
    "standby": ("en espera", "stands by"),
    "away": ("no está en marcha", "does not run"),
}
"""What a server of the hub does."""
STAFF_ROLES = {
    "caseworker": ("acompañante", "caseworker"),
    "supervisor": ("supervisión", "supervisor"),
    "administrator": ("administración", "administrator"),
}
"""What somebody of this institution is at the hub."""
PAIR = 2
"""So many people an emergency takes: who asks, and who confirms or reviews."""
YES = typer.Option(False, "--yes", "-y", help="Sin preguntar; para programas. · Do not ask; for programs.")
_ROOMS = {
    "desk": ("equipo", "desk"),
    "admin": ("administración", "admin"),
    "direct": ("directa", "direct"),
    "link": ("enlace", "link"),
    "coordination": ("coordinación", "coordination"),
}
_YES = ("s", "si", "sí", "y", "yes")
setting: ContextVar[Setting] = ContextVar("setting", default=_PLAIN)
JSON = typer.Option(False, "--json", help="Resultado para programas. · Output for programs.")


def new_app(help_text: str, group: type[TyperGroup] | None = None) -> typer.Typer:
    """A command group that never shows local variables in a traceback and reads well without colours."""
    return typer.Typer(
        cls=group,
        help=help_text,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def room_name(row: Mapping[str, Any]) -> str:
    """A room of an answer as people call it: a coordination room by the code that they can type."""
    kind, _, which = str(row.get("called") or row["room"]).partition(":")
    return f"{words(*_ROOMS.get(kind, (kind, kind)))} {which}".strip()


def words(es: str, en: str) -> str:
    """The sentence in the language of this run."""
    return en if setting.get().english else es


def say(es: str, en: str) -> None:
    """A sentence for the person, on standard output."""
    typer.echo(words(es, en))


def complain(es: str, en: str) -> None:
    """A sentence about something wrong, on standard error."""
    typer.echo(words(es, en), err=True)


def show_json(value: Any) -> None:
    """One JSON document, on standard output."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def config(*, with_pack: bool = False) -> Config:
    """The configuration of this run, on demand also held against its policies pack; on findings, tells them all and ends with 3."""
    try:
        settings = load(setting.get().config)
        if with_pack:
            pack_of(settings)
        return settings
    except ConfigError as error:
        for finding in error.findings:
            complain(f"configuración: {finding.es}  ({finding.code})", f"configuration: {finding.en}  ({finding.code})")
        raise typer.Exit(Exit.CONFIG) from None


def config_if_any() -> Config | None:
    """The configuration of this run; None on a machine that has none, where nobody named one. A file that is wrong ends with 3, as always."""
    named = setting.get().config is not None or PATH_VARIABLE in os.environ
    return None if not named and not Path(DEFAULT_NAME).exists() else config()


def stamp(iso: str, settings: Config | None) -> str:
    """A time as people read it: in the institution's zone, which is named; UTC where there is no institution. Never, for one that never was."""
    found = stamped(iso, settings.institution.zone if settings else "UTC")
    return found if isinstance(found, str) else words(*found)


def ask(command: str, args: Mapping[str, Any] | None = None, *, as_json: bool = False) -> Any:
    """What the running hub answers; a refusal ends the command with 1, silence with 4."""
    try:
        return asyncio.run(call(config().socket, command, args))
    except HubAway as away:
        refuse(away, Exit.AWAY, as_json=as_json)
    except ControlError as refusal:
        refuse(refusal, Exit.REFUSED, as_json=as_json)


def refuse(error: ControlError, status: Exit, *, as_json: bool) -> NoReturn:
    """Tell what failed, why, what to do, and the code; then end."""
    known = sentence(error.code, error.params)
    message = error.message or words(*known[:2])
    hint = error.hint or words(*known[2:])
    if as_json:
        show_json({"ok": False, "error": {"code": error.code, "message": message, "hint": hint, "params": error.params}})
    else:
        tell_refusal(message, hint, shown_code(error.code, error.params))
    raise typer.Exit(status)


def end_with(code: str, status: Exit = Exit.REFUSED, *, as_json: bool = False, **params: str | int) -> NoReturn:
    """As `refuse`, for what this command itself or a room below found."""
    error = ControlError(code)
    error.params = params
    refuse(error, status, as_json=as_json)


def tell_refusal(message: str, hint: str, code: str) -> None:
    """The two lines of every refusal, on standard error, with the code in parentheses at the end of the first."""
    typer.echo(f"{_cell(message)}  ({_cell(code)})", err=True)
    if hint:
        typer.echo(f"→ {_cell(hint)}", err=True)


def read_file(path: Path, limit: int, *, as_json: bool = False) -> bytes:
    """A file that somebody named; ends with 2 and a sentence for one that is not there, not readable, empty, too large, or no file."""
    name = str(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            end_with("file.folder", Exit.USAGE, as_json=as_json, file=name)
        if not stat.S_ISREG(mode):  # a pipe without a writer would wait for ever, a device never ends
            end_with("file.special", Exit.USAGE, as_json=as_json, file=name)
        with path.open("rb") as opened:
            data = opened.read(limit + 1)
    except FileNotFoundError:
        end_with("file.absent", Exit.USAGE, as_json=as_json, file=name)
    except OSError as error:
        es, en = disk_words(error)
        end_with("file.unreadable", Exit.USAGE, as_json=as_json, file=name, why_es=es, why_en=en)
    if not data:
        end_with("file.empty", Exit.USAGE, as_json=as_json, file=name)
    if len(data) > limit:
        end_with("file.too_large", Exit.USAGE, as_json=as_json, file=name)
    return data


def new_file(path: Path, data: bytes, *, as_json: bool = False) -> None:
    """Write a file that is not there yet, its folders too; ends with a sentence where that fails. Nothing is ever written over."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as out:
            out.write(data)
    except OSError as error:
        es, en = disk_words(error)
        end_with("file.not_written", as_json=as_json, file=str(path), why_es=es, why_en=en)


def at_terminal() -> bool:
    """Whether a person is there to answer."""
    return sys.stdin.isatty()


def agree(es: str, en: str, *, as_json: bool = False) -> None:
    """Ask for a yes, in either language; anything else, also the end of the input, ends the command with 1.

    Where nobody is there to answer nothing is asked: what stands on a pipe was not written for this question.
    """
    if as_json or not at_terminal():
        end_with("nobody_to_ask", as_json=as_json)
    typer.echo(words(f"{es} [s/N] ", f"{en} [y/N] "), nl=False, err=True)
    if sys.stdin.readline().strip().casefold() not in _YES:
        complain("Cancelado: no se hizo nada.", "Cancelled: nothing was done.")
        raise typer.Exit(Exit.REFUSED)


def show_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[tuple[str, str, str]], *, titled: bool = False) -> None:
    """A table: columns are (key, Spanish title, English title). On a pipe, one tab-separated line a row; titles only where asked for."""
    if not sys.stdout.isatty():
        if titled:
            typer.echo("\t".join(words(es, en) for _, es, en in columns))
        for row in rows:
            typer.echo("\t".join(_cell(row.get(key)) for key, _, _ in columns))
        return
    table = Table(*(words(es, en) for _, es, en in columns), box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(_cell(row.get(key)) for key, _, _ in columns))
    Console(markup=False, highlight=False).print(table)


def show_facts(answer: Mapping[str, Any], named: Mapping[str, tuple[str, str]]) -> None:
    """What one thing is like, a line a fact, under the names that people use; one without a name keeps its own."""
    rows = [{"key": words(*named.get(key, (key, key))), "value": _plain(value)} for key, value in answer.items()]
    show_rows(rows, (("key", "DATO", "FACT"), ("value", "VALOR", "VALUE")))


def _plain(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else "–" if value is None else value


def _cell(value: Any) -> str:
    """Plain text in one line: names come from people, and a terminal obeys escape sequences."""
    if isinstance(value, bool):
        return words("sí", "yes") if value else "no"
    text = "" if value is None else str(value)
    return "".join(char if char.isprintable() else " " for char in text)
