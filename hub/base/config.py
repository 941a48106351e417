"""One TOML file, overridden by the environment: everything a hub is told from outside.

What may enter: `tinkuy.toml`; variables `TINKUY_<SECTION>__<KEY>` (they win); `<secret>_file` for every secret, so that none need
stand in the file or the environment. What leaves: one frozen `Config` whose paths are absolute. An unknown key is an error and
never a shrug: a misspelt `undo_secnds` that quietly meant "the default" would be found by a caseworker, not by the administrator.

Findings never repeat a *value*: the wrong thing in a password field is often the password.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError
from rapidfuzz import fuzz, process

from hub.base.errors import TinkuyError
from hub.base.sections import (
    Backup,
    Chat,
    Checkins,
    Control,
    Database,
    Exchange,
    Faults,
    Institution,
    Keys,
    Log,
    Matrix,
    Paths,
    Protocols,
    Rooms,
    Section,
    Staff,
    Web,
    is_loopback,
)

PREFIX = "TINKUY_"
PATH_VARIABLE, DEFAULT_NAME = "TINKUY_CONFIG", "tinkuy.toml"
"""Where the file is; and its name here, when nobody says."""
LANGUAGE_VARIABLE = "TINKUY_LANG"
"""In which language the command line speaks. These two variables of ours are no settings."""
SOCKET_LIMIT = 107
"""Bytes of an AF_UNIX path (`sun_path`, unix(7)) without its final NUL."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing wrong with the configuration, in words for the person who wrote it."""

    key: str
    """Dotted, as in the file: `chat.undo_seconds`; empty when the whole file is meant."""
    code: str
    """Stable: `config.unknown_key`, `config.missing`, `config.bad_value`, `config.no_file` or `config.not_toml`."""
    es: str
    en: str


class ConfigError(TinkuyError):
    """The configuration cannot be used; `findings` say why and what to do (never with the value that was given)."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("config.invalid", findings=len(findings))
        self.findings = findings

    def __str__(self) -> str:
        return "; ".join(finding.en for finding in self.findings)


class Config(BaseSettings):
    """All of it. Build it with `load` (a file) or `from_mapping` (tests and the demo), so that paths are settled."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__", hide_input_in_errors=True, title="tinkuy.toml"
    )

    institution: Institution
    matrix: Matrix
    database: Database = Database()
    paths: Paths = Paths()
    keys: Keys = Keys()
    backup: Backup = Backup()
    chat: Chat = Chat()
    checkins: Checkins = Checkins()
    exchange: Exchange = Exchange()
    staff: Staff = Staff()
    rooms: Rooms = Rooms()
    protocols: Protocols = Protocols()
    web: Web = Web()
    control: Control = Control()
    log: Log = Log()
    faults: Faults = Faults()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which arrives as keyword arguments; nothing else is looked at."""
        return env_settings, init_settings

    @property
    def socket(self) -> Path:
        """The control socket; always absolute after `load`."""
        return self.control.socket or self.paths.state / "control.sock"

    @property
    def keyring_file(self) -> Path:
        """Where `tinkuy init` keeps the wrapped lasting secrets (`keys.keyring.FileRows`)."""
        return self.paths.state / "keyring.json"


def load(path: Path | None = None) -> Config:
    """Read the file (default: `$TINKUY_CONFIG`, else `tinkuy.toml` here) and the environment.

    Raises:
        ConfigError: no file, not TOML, unknown key, missing or wrong value.
    """
    where = path or Path(os.environ.get(PATH_VARIABLE, DEFAULT_NAME))
    try:
        table = tomllib.loads(where.read_text(encoding="utf-8"))
    except OSError as error:
        raise _single(
            "",
            "config.no_file",
            f"no se puede leer `{where}`: créelo con `tinkuy init` o indique otro con --config",
            f"`{where}` cannot be read: make it with `tinkuy init` or name another with --config",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        place = match.group() if (match := re.search(r"line \d+, column \d+", str(error))) else "end of file"
        spanish = place.replace("line", "línea").replace("column", "columna").replace("end of file", "final del archivo")
        raise _single(
            "", "config.not_toml", f"el archivo no es TOML válido ({spanish})", f"the file is not valid TOML ({place})"
        ) from error
    return from_mapping(table, folder=where.resolve().parent)


def from_mapping(table: Mapping[str, Any], *, folder: Path) -> Config:
    """Build from nested tables; relative paths start at `folder`; the environment still wins.

    Raises:
        ConfigError: as `load`.
    """
    findings = tuple(_unknown_variables())
    if findings:
        raise ConfigError(findings)
    try:
        config = Config(**table)
    except ValidationError as error:
        raise ConfigError(tuple(_finding(detail) for detail in error.errors(include_url=False, include_input=False))) from error
    except SettingsError as error:
        raise _single(
            "",
            "config.bad_value",
            'una variable TINKUY_… no es JSON válido (las listas se escriben ["a"])',
            'a TINKUY_… variable is not valid JSON (lists are written ["a"])',
        ) from error
    return _checked(_settled(config, folder))


def _settled(config: Config, folder: Path) -> Config:
    """Make paths absolute and fill what depends on the state folder."""

    def at(path: Path | None) -> Path | None:
        return None if path is None else (folder / path.expanduser())

    def section(name: str) -> dict[str, Any]:
        part: BaseModel = getattr(config, name)
        paths = {key: at(value) for key, value in part if isinstance(value, Path)}
        return {name: part.model_copy(update=paths)} if paths else {}

    changed = {name: part for each in type(config).model_fields for name, part in section(each).items()}
    state = changed["paths"].state
    changed["database"] = config.database.model_copy(
        update={
            "url": config.database.url or f"sqlite:///{state / 'hub.db'}",
            "keys_url": config.database.keys_url or f"sqlite:///{state / 'keys.db'}",
        }
    )
    return config.model_copy(update=changed)


def _checked(config: Config) -> Config:
    """What only the settled whole can show."""
    if config.database.url == config.database.keys_url:
        raise _single(
            "database.keys_url",
            "config.bad_value",
            "las claves necesitan una base aparte: si no, borrar una clave no borra nada en los respaldos",
            "keys need a database of their own: else destroying a key destroys nothing in backups",
        )
    if len(os.fsencode(config.socket)) > SOCKET_LIMIT:
        raise _single(
            "control.socket",
            "config.bad_value",
            f"la ruta del socket es demasiado larga (más de {SOCKET_LIMIT} bytes): elija una más corta",
            f"the socket's path is too long (over {SOCKET_LIMIT} bytes): choose a shorter one",
        )
    return config


def _unknown_variables() -> Iterator[Finding]:
    """pydantic-settings passes over variables of sections it does not know; we do not."""
    known = {name.upper() for name in Config.model_fields}
    ours = {PATH_VARIABLE, LANGUAGE_VARIABLE}
    for variable in sorted(os.environ):
        section = variable.upper().removeprefix(PREFIX).split("__")[0]
        if variable.upper().startswith(PREFIX) and variable not in ours and section not in known:
            yield _unknown(variable, [f"{PREFIX}{name}__…" for name in sorted(known)])


def _single(key: str, code: str, es: str, en: str) -> ConfigError:
    return ConfigError((Finding(key=key, code=code, es=es, en=en),))


def _finding(detail: ErrorDetails) -> Finding:
    key = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return _unknown(key, _siblings(detail["loc"]))
    if detail["type"] == "missing":
        return Finding(key=key, code="config.missing", es=f"falta `{key}`: es obligatorio", en=f"`{key}` is missing and required")
    context = detail.get("ctx", {})
    ours = detail["type"] == "tinkuy"
    es, en = (context["es"], context["en"]) if ours else (_in_spanish(detail["type"], context), detail["msg"])
    return Finding(key=key, code="config.bad_value", es=f"`{key}`: {es}", en=f"`{key}`: {en}")


def _in_spanish(kind: str, context: Mapping[str, Any]) -> str:
    """pydantic speaks English only; these are the kinds our fields can raise."""
    said = {
        "int_parsing": "debe ser un número entero",
        "int_type": "debe ser un número entero",
        "string_type": "debe ser un texto",
        "string_pattern_mismatch": f"no tiene la forma {context.get('pattern', '')}",
        "literal_error": f"debe ser {str(context.get('expected', '')).replace(' or ', ' o ')}",
        "greater_than_equal": f"debe ser {context.get('ge', '')} o más",
        "less_than_equal": f"debe ser {context.get('le', '')} o menos",
        "string_too_short": "es demasiado corto",
        "string_too_long": "es demasiado largo",
        "tuple_type": "debe ser una lista",
        "path_type": "debe ser una ruta",
        "time_parsing": "debe ser una hora, como 08:00",
        "model_type": "debe ser una sección, así: [seccion]",
    }
    return said.get(kind, "no es un valor válido")


def _siblings(loc: tuple[int | str, ...]) -> list[str]:
    """The keys that could have stood where an unknown one stands, dotted."""
    if len(loc) < 2:
        return sorted(Config.model_fields)
    section = Config.model_fields[str(loc[0])].annotation
    fields = section.model_fields if isinstance(section, type) and issubclass(section, Section) else {}
    return [f"{loc[0]}.{name}" for name in fields]


def _unknown(key: str, known: list[str]) -> Finding:
    best = process.extractOne(key, known, scorer=fuzz.ratio, score_cutoff=60)
    es, en = (f" ¿Quiso decir `{best[0]}`?", f" Did you mean `{best[0]}`?") if best else ("", "")
    return Finding(
        key=key, code="config.unknown_key", es=f"no se conoce la clave `{key}`.{es}", en=f"the key `{key}` is not known.{en}"
    )


__all__ = [
    "LANGUAGE_VARIABLE",
    "PATH_VARIABLE",
    "Backup",
    "Chat",
    "Checkins",
    "Config",
    "ConfigError",
    "Control",
    "Database",
    "Exchange",
    "Faults",
    "Finding",
    "Institution",
    "Keys",
    "Log",
    "Matrix",
    "Paths",
    "Protocols",
    "Rooms",
    "Section",
    "Staff",
    "Web",
    "from_mapping",
    "is_loopback",
    "load",
]
