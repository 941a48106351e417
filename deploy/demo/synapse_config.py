"""The configuration of one loopback homeserver: `performance.md` section 5, each line of which was tested by leaving it out.

Only data and files here; `synapse` runs them.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.demo.certificates import TlsFiles
from hub.base.synapse import Gate, settings


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one homeserver lives: its folder and its two ports on 127.0.0.1."""

    directory: Path
    client_port: int
    federation_port: int

    @property
    def name(self) -> str:
        """The server name. The port stands in it, so that neither DNS nor a well-known file is needed."""
        return f"localhost:{self.federation_port}"

    @property
    def url(self) -> str:
        """Where clients log in (plain HTTP, loopback only)."""
        return f"http://127.0.0.1:{self.client_port}"

    @property
    def config(self) -> Path:
        return self.directory / "homeserver.yaml"

    @property
    def database(self) -> Path:
        return self.directory / "homeserver.db"

    @property
    def log(self) -> Path:
        return self.directory / "homeserver.log"

    @property
    def output(self) -> Path:
        """What the process printed itself, before its log was set up or when it died."""
        return self.directory / "process.log"


def write_files(place: Place, tls: TlsFiles, *, secret: str, federation: Sequence[str], gate: Gate | None = None) -> None:
    """Everything Synapse reads, before it starts: its signing key too, so that no separate run has to make one.

    `secret` opens the registration API; `federation` names every server it may talk to, itself included. With a `gate` it runs as
    an institution's own does, module and all; without, it lets tests do what strangers would.
    """
    place.directory.mkdir()
    seed = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    (place.directory / "signing.key").write_text(f"ed25519 a_{secrets.token_hex(2)} {seed}\n")
    (place.directory / "log.yaml").write_text(json.dumps(_log_config(place.log)))
    # JSON is YAML: Synapse reads it, and nothing has to be quoted by hand.
    place.config.write_text(json.dumps(_config(place, tls, secret, federation, gate), indent=1))


def _config(place: Place, tls: TlsFiles, secret: str, federation: Sequence[str], gate: Gate | None) -> dict[str, Any]:
    """`performance.md` section 5, plus what keeps a demonstration quick and quiet."""
    loopback = {"type": "http", "bind_addresses": ["127.0.0.1"]}
    return {
        **(settings(federation, gate) if gate else {"federation_domain_whitelist": list(federation)}),
        "server_name": place.name,
        "pid_file": str(place.directory / "homeserver.pid"),
        "listeners": [
            {"port": place.client_port, "resources": [{"names": ["client"]}], **loopback},
            {"port": place.federation_port, "tls": True, "resources": [{"names": ["federation"]}], **loopback},
        ],
        "public_baseurl": f"{place.url}/",
        "tls_certificate_path": str(tls.certificate),
        "tls_private_key_path": str(tls.key),
        "federation_custom_ca_list": [str(tls.authority)],
        "ip_range_blacklist": [],
        # A server that comes back is found again in seconds. Synapse's own values suit the Internet: up to a minute between
        # the tries of one request, ten minutes and more between requests.
        "federation": {
            "destination_min_retry_interval": "1s",
            "destination_max_retry_interval": "5s",
            "max_long_retry_delay": "1s",
            "max_short_retry_delay": "1s",
        },
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "report_stats": False,
        "signing_key_path": str(place.directory / "signing.key"),
        "media_store_path": str(place.directory / "media"),
        "database": {"name": "sqlite3", "args": {"database": str(place.database)}},
        "registration_shared_secret": secret,
        "macaroon_secret_key": secrets.token_urlsafe(24),
        "form_secret": secrets.token_urlsafe(24),
        "log_config": str(place.directory / "log.yaml"),
        "default_room_version": "12",
        "presence": {"enabled": False},
        "url_preview_enabled": False,
        # Invented passwords of invented people: bcrypt at full cost would only add seconds of CPU to every log-in.
        "bcrypt_rounds": 4,
        **_no_rate_limits(),
    }


def _no_rate_limits() -> dict[str, Any]:
    """Every `rc_*` that Synapse 1.163 knows; its defaults allow a user one message in five seconds."""
    free = {"per_second": 100_000, "burst_count": 100_000}
    plain = (
        "message registration registration_token_validity admin_redaction joins_per_room key_requests 3pid_validation "
        "third_party_invite media_create delayed_event_mgmt room_creation reports user_directory profile"
    )
    nested = {
        "rc_login": ("address", "account", "failed_attempts"),
        "rc_joins": ("local", "remote"),
        "rc_invites": ("per_room", "per_user", "per_issuer"),
        "rc_presence": ("per_user",),
    }
    federation = {"window_size": 1, "sleep_limit": 100_000, "sleep_delay": 1, "reject_limit": 100_000, "concurrent": 1_000}
    limits: dict[str, Any] = {f"rc_{name}": free for name in plain.split()}
    limits |= {name: dict.fromkeys(parts, free) for name, parts in nested.items()}
    return limits | {"rc_federation": federation}


def _log_config(path: Path) -> dict[str, Any]:
    return {
        "version": 1,
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {"file": {"class": "logging.FileHandler", "filename": str(path), "formatter": "line"}},
        "root": {"level": "WARNING", "handlers": ["file"]},
        "disable_existing_loggers": False,
    }
