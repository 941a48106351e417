"""The sections of `tinkuy.toml`, key by key: this file is the reference that `tinkuy config schema` prints.

Every key has a default that is safe for a small institution; what has none is what only its administrator can know.
"""

from __future__ import annotations

import ipaddress
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError


def _wrong(es: str, en: str) -> PydanticCustomError:
    return PydanticCustomError("tinkuy", "{en}", {"es": es, "en": en})


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: `localhost` or a loopback address. A name that would need a resolver is not."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Section(BaseModel):
    """A frozen table of the file that knows exactly its own keys, and reads `<secret>_file` where it has a secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        read = dict(data)
        for key in data:
            name = key.removesuffix("_file")
            if name == key or key in cls.model_fields or name not in cls.model_fields:
                continue
            if name in data:
                raise _wrong(f"`{name}` y `{key}` a la vez: deje solo uno", f"both `{name}` and `{key}` are given: keep one")
            read[name] = _secret(read.pop(key), key)
        return read


def _secret(path: Any, key: str) -> str:
    """Read a secret's file, without its last line break.

    Raises:
        PydanticCustomError: it cannot be read (the sentence names the key, not the path's content).
    """
    try:
        return Path(str(path)).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(
            f"no se puede leer el archivo de `{key}`: revise la ruta y los permisos",
            f"the file named by `{key}` cannot be read: check its path and permissions",
        ) from error


class Institution(Section):
    """Who we are."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$", description="Short lasting name, as `csmc-comas`; peers know us by it.")
    name: str = Field(min_length=2, max_length=120, description="As people say it.")
    kind: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", description="Kind of institution, an id of the policies pack.")
    pack: str = Field(default="pe", pattern=r"^[a-z][a-z0-9_]*$", description="Policies pack.")
    territory: str = Field(min_length=2, max_length=64, description="Where we serve: a territory code of the pack.")
    language: Literal["es", "en"] = "es"
    zone: str = Field(default="America/Lima", description="IANA time zone of the people here.")
    needs: tuple[str, ...] = Field(default=(), description="Needs we answer to, ids of the pack.")

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, KeyError) as error:
            raise _wrong(
                "no es una zona horaria IANA (ejemplo: America/Lima)", "is not an IANA time zone (example: America/Lima)"
            ) from error
        return value


class Matrix(Section):
    """Our account on our own homeserver."""

    homeserver_url: str = Field(description="Client address of our homeserver, e.g. https://matrix.example.org")
    user_id: str = Field(pattern=r"^@[a-z0-9._=/+-]+:[A-Za-z0-9.:\[\]-]+$", max_length=255, description="The hub's own id.")
    password: SecretStr | None = Field(default=None, description="First login only.")
    password_file: Path | None = Field(default=None, description="File with the password; may be removed after the first login.")
    ca_file: Path | None = Field(default=None, description="Extra certificate authority for the homeserver's TLS.")
    device_name: str = Field(default="Tinkuy", max_length=64)

    @field_validator("homeserver_url")
    @classmethod
    def _a_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise _wrong("debe ser una dirección http(s) sin usuario", "must be an http(s) address without a user name in it")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise _wrong(
                "http solo se acepta en esta misma máquina: use https", "plain http is accepted on this machine only: use https"
            )
        return value.rstrip("/")

    def first_password(self) -> str | None:
        """The password for the first login; None when none is given or its file is gone (as it should be afterwards)."""
        if self.password is not None:
            return self.password.get_secret_value()
        if self.password_file is None or not self.password_file.exists():
            return None
        return self.password_file.read_text(encoding="utf-8").rstrip("\r\n") or None


class Database(Section):
    """SQLite by default; PostgreSQL as `postgresql+psycopg://…`. `url_file` and `keys_url_file` keep a password out of here."""

    url: str = Field(default="", repr=False, description="Data; empty means hub.db in the state folder.")
    keys_url: str = Field(default="", repr=False, description="Keys, a database apart; empty means keys.db in the state folder.")
    server: str = Field(
        default="", pattern="^([a-z][a-z0-9-]{0,15})?$",
        description="Name of this server when two share one PostgreSQL, one leading and one standing by; empty when it is alone.",
    )

    @model_validator(mode="after")
    def _two_need_postgresql(self) -> Self:
        if self.server and not (self.url.startswith("postgresql") and self.keys_url.startswith("postgresql")):
            raise _wrong(
                "`server` es para dos servidores sobre PostgreSQL: indique también `url` y `keys_url` de PostgreSQL, o quite `server`",
                "`server` is for two servers on PostgreSQL: give `url` and `keys_url` of PostgreSQL too, or remove `server`",
            )
        return self


class Paths(Section):
    """Where we keep things."""

    state: Path = Field(default=Path("state"), description="Our own folder, mode 0700.")
    backups: Path | None = Field(default=None, description="Where backups land, and the hub's tombstone journal. Restart after a change.")


class Keys(Section):
    """The key that wraps all keys."""

    provider: Literal["file", "credential", "pkcs11", "vault"] = Field(
        default="file", description="Where the key-encryption key is: a file, a systemd credential, a PKCS#11 token, Vault's transit engine."
    )
    kek_file: Path = Field(default=Path("kek"), description="`file`: mode 0400/0600.")
    credential: str = Field(default="kek", description="`credential`: its name in the unit (`LoadCredentialEncrypted=`).")
    pkcs11_module: Path | None = Field(default=None, description="`pkcs11`: the token's library (.so).")
    pkcs11_token: str = Field(default="tinkuy", description="`pkcs11`: label of the token.")
    pkcs11_key: str = Field(default="tinkuy-kek", description="`pkcs11`: label of the AES key in it.")
    pin_file: Path | None = Field(default=None, description="`pkcs11`: file of mode 0400/0600 with the user PIN.")
    vault_url: str = Field(default="", description="`vault`: address, https unless on this machine.")
    vault_mount: str = Field(default="transit", description="`vault`: where the transit engine is mounted.")
    vault_key: str = Field(default="tinkuy-kek", description="`vault`: name of the key in it (aes256-gcm96).")
    token_file: Path | None = Field(default=None, description="`vault`: file of mode 0400/0600 with the token.")


class Backup(Section):
    """What `tinkuy backup create` does when nothing is said."""

    recipients: tuple[str, ...] = Field(default=(), description="age1… keys that can open backups; their identities are kept elsewhere.")
    keys_folder: Path | None = Field(default=None, description="Where key parts land; empty: `keys` in paths.backups. Restart after a change.")
    keep_days: int = Field(default=30, ge=0, description="Data parts older than this are removed; 0: never. Key parts live 7 days at most.")


class Chat(Section):
    """How the hub talks."""

    undo_seconds: int = Field(default=60, ge=0, le=3600, description="How long `deshacer` works.")
    show_minutes: int = Field(default=5, ge=1, le=240, description="After how long a shown value is redacted.")
    safe_from: time = Field(default=time(8), description="Start of the contact window when she named none.")
    safe_until: time = Field(default=time(20), description="End of that window.")


_Risk = Literal["critical", "high", "medium", "low", "default"]
_DAYS: dict[_Risk, int] = {"critical": 1, "high": 2, "medium": 3, "low": 7, "default": 3}


class Checkins(Section):
    """How insistent a check-in is."""

    grace_minutes: int = Field(default=120, ge=1, description="Late by less than this: still sent once; later: escalated.")
    ring_minutes: tuple[Annotated[int, Field(ge=1, le=10080)], ...] = Field(
        default=(60, 60), max_length=5, description="Unanswered so long: rings again; after the last one the supervisor is told."
    )
    days: dict[_Risk, Annotated[int, Field(ge=1, le=365)]] = Field(
        default=_DAYS, description="First check-in after so many days, by risk. What is left out keeps its default."
    )

    @field_validator("days", mode="before")
    @classmethod
    def _rest_by_default(cls, value: Any) -> Any:
        return {**_DAYS, **value} if isinstance(value, dict) else value


class Exchange(Section):
    """Dealing with peers."""

    erasure_days: int = Field(default=1, ge=1, le=30, description="A destruction receipt later than this is shown as overdue.")
    accept_automatically: bool = Field(default=True, description="Whether a protocol's automatic acceptance is used here.")


class Staff(Section):
    """What a new staff member gets when nothing is said."""

    default_role: str = Field(default="caseworker", pattern=r"^[a-z][a-z0-9_-]*$")
    default_language: Literal["es", "en"] | None = Field(default=None, description="Empty: the institution's language.")


class Rooms(Section):
    """What the hub does about a room that is not as it should be. Whatever it is told here, nothing is sent into a room with a stranger."""

    repair: Literal["auto", "ask"] = Field(
        default="auto", description="`ask`: strangers and state wait for `tinkuy rooms apply`, or `salas reparar` in the admin room."
    )


class Protocols(Section):
    """The sharing protocols we follow."""

    active: tuple[str, ...] = Field(default=(), description="Ids of the pack; empty means all of it.")
    only_signed: bool = Field(default=False, description="Only versions that every party has signed count; the pack's own count for nothing.")


class Web(Section):
    """Health and metrics, on this machine only."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535, description="0: any free port, written to web.address in the state folder.")

    @field_validator("host")
    @classmethod
    def _loopback(cls, value: str) -> str:
        if not is_loopback(value):
            raise _wrong(
                "solo una dirección de esta máquina (127.0.0.1 o ::1)", "only an address of this machine (127.0.0.1 or ::1)"
            )
        return value


class Control(Section):
    """The socket over which the other commands speak to the running hub."""

    socket: Path | None = Field(default=None, description="Empty: control.sock in the state folder.")


class Log(Section):
    """Logs; the scrubber has no switch."""

    format: Literal["json", "console"] = "json"
    level: Literal["debug", "info", "warning", "error"] = "info"
    file: Path | None = Field(default=None, description="Empty: standard error.")


class Faults(Section):
    """Only for tests: points at which the process kills itself. Never in a real institution."""

    kill_at: tuple[str, ...] = ()
