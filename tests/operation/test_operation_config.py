"""One file, environment over it, secrets by file, and no key misunderstood in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hub.base.config import Config, ConfigError, from_mapping, load
from hub.base.reference import redacted, reference, schema
from tests.operation.samples import CANARY, ROOT


def refused(table: dict[str, Any], folder: Path) -> tuple[str, str, str]:
    with pytest.raises(ConfigError) as caught:
        from_mapping(table, folder=folder)
    (finding,) = caught.value.findings
    assert CANARY not in str(caught.value)
    assert finding.es != finding.en
    return finding.key, finding.code, finding.es


def test_relative_paths_start_at_the_file(table: dict[str, Any], tmp_path: Path) -> None:
    config = from_mapping(table, folder=tmp_path)
    assert config.paths.state == tmp_path / "state"
    assert config.socket == tmp_path / "state" / "control.sock"
    assert config.database.url == f"sqlite:///{tmp_path}/state/hub.db"
    assert config.database.keys_url != config.database.url


def test_environment_wins(table: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table["chat"] = {"undo_seconds": 30, "show_minutes": 9}
    monkeypatch.setenv("TINKUY_CHAT__UNDO_SECONDS", "90")
    monkeypatch.setenv("TINKUY_INSTITUTION__NEEDS", '["shelter"]')
    config = from_mapping(table, folder=tmp_path)
    assert (config.chat.undo_seconds, config.chat.show_minutes) == (90, 9)
    assert config.institution.needs == ("shelter",)


@pytest.mark.parametrize(
    ("section", "key", "near"),
    [
        ("chat", "undo_secnds", "chat.undo_seconds"),
        ("matrix", "pasword", "matrix.password"),
        ("chatt", "x", "chat"),
        ("web", "prot", "web.port"),
    ],
)
def test_unknown_key_names_the_nearest(table: dict[str, Any], tmp_path: Path, section: str, key: str, near: str) -> None:
    table.setdefault(section, {})[key] = CANARY
    _, code, es = refused(table, tmp_path)
    assert code == "config.unknown_key"
    assert f"`{near}`" in es


@pytest.mark.parametrize(
    ("variable", "near"), [("TINKUY_CHATT__UNDO", "TINKUY_CHAT__…"), ("TINKUY_MATRIX__PASWORD", "matrix.password")]
)
def test_unknown_variable_is_an_error(
    table: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, near: str
) -> None:
    monkeypatch.setenv(variable, CANARY)
    _, code, es = refused(table, tmp_path)
    assert code == "config.unknown_key"
    assert near in es


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("chat", "undo_seconds", CANARY),
        ("institution", "zone", CANARY),
        ("institution", "id", CANARY),
        ("log", "level", CANARY),
        ("matrix", "homeserver_url", f"http://{CANARY}@127.0.0.1"),
        ("matrix", "homeserver_url", "http://matrix.example.org"),
        ("matrix", "user_id", CANARY),
        ("web", "host", "0.0.0.0"),
        ("web", "port", 70000),
        ("checkins", "ring_minutes", [0]),
        ("checkins", "days", {"high": 0}),
        ("chat", "safe_from", CANARY),
        ("database", "url_file", f"/{CANARY}"),
        ("exchange", "erasure_days", 0),
        ("control", "socket", "x" * 200),
    ],
)
def test_bad_value_is_told_without_it(table: dict[str, Any], tmp_path: Path, section: str, key: str, value: Any) -> None:
    table.setdefault(section, {})[key] = value
    found, code, _ = refused(table, tmp_path)
    assert code == "config.bad_value"
    assert found.startswith(section)


def test_bad_value_in_the_environment_is_told_without_it(
    table: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINKUY_INSTITUTION__NEEDS", CANARY)
    assert refused(table, tmp_path)[1] == "config.bad_value"


def test_one_database_for_data_and_keys_is_refused(table: dict[str, Any], tmp_path: Path) -> None:
    table["database"] = {"url": "sqlite:///same.db", "keys_url": "sqlite:///same.db"}
    assert refused(table, tmp_path)[0] == "database.keys_url"


def test_secret_by_file(table: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql+psycopg://tinkuy:palabra@localhost/tinkuy\n")
    monkeypatch.setenv("TINKUY_DATABASE__URL_FILE", str(secret))
    config = from_mapping(table, folder=tmp_path)
    assert config.database.url == "postgresql+psycopg://tinkuy:palabra@localhost/tinkuy"
    assert "palabra" not in json.dumps(redacted(config))
    assert "palabra" not in repr(config)


def test_value_and_file_together_are_refused(table: dict[str, Any], tmp_path: Path) -> None:
    table["database"] = {"url": "sqlite:///a.db", "url_file": "b"}
    assert refused(table, tmp_path)[1] == "config.bad_value"


def test_password_serves_the_first_login_and_may_vanish(table: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "clave").write_text("inventada\n")
    table["matrix"]["password_file"] = "clave"
    config = from_mapping(table, folder=tmp_path)
    assert config.matrix.first_password() == "inventada"
    (tmp_path / "clave").unlink()
    assert config.matrix.first_password() is None


@pytest.mark.parametrize("secret", ["palabra", "pa/la@bra", "pa?la"])
def test_redaction_hides_passwords_of_any_spelling(table: dict[str, Any], tmp_path: Path, secret: str) -> None:
    table["database"] = {"url": f"postgresql://tinkuy:{secret}@localhost/tinkuy?password={secret}"}
    table["matrix"]["password"] = secret
    shown = json.dumps(redacted(from_mapping(table, folder=tmp_path)))
    assert secret not in shown


def test_days_left_out_keep_their_default(table: dict[str, Any], tmp_path: Path) -> None:
    table["checkins"] = {"days": {"critical": 2}}
    days = from_mapping(table, folder=tmp_path).checkins.days
    assert days["critical"] == 2
    assert days["default"] == 3


def test_frozen(settings: Config) -> None:
    with pytest.raises(Exception, match="frozen"):
        settings.chat.undo_seconds = 1


def test_no_file_and_no_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as absent:
        load(tmp_path / "none.toml")
    assert absent.value.findings[0].code == "config.no_file"
    (tmp_path / "bad.toml").write_text(f'[chat]\nx = "{CANARY}')
    with pytest.raises(ConfigError) as broken:
        load(tmp_path / "bad.toml")
    assert broken.value.findings[0].code == "config.not_toml"
    assert CANARY not in str(broken.value)
    assert "final del archivo" in broken.value.findings[0].es
    (tmp_path / "bad.toml").write_text(f"[chat]\nx = {CANARY}\n")
    with pytest.raises(ConfigError) as wrong:
        load(tmp_path / "bad.toml")
    assert "línea 2, columna 5" in wrong.value.findings[0].es


def test_schema_accepts_the_sample_and_refuses_a_stranger() -> None:
    import tomllib

    sample = tomllib.loads((ROOT / "deploy/config/tinkuy.toml").read_text())
    validator = jsonschema.Draft202012Validator(schema())
    assert list(validator.iter_errors(sample)) == []
    sample["chat"]["undo_secnds"] = 1
    assert [error.validator for error in validator.iter_errors(sample)] == ["additionalProperties"]


def test_sample_loads() -> None:
    config = load(ROOT / "deploy/config/tinkuy.toml")
    assert config.checkins.days["default"] == 3
    assert config.faults.kill_at == ()


def test_reference_page_is_current() -> None:
    assert (ROOT / "docs/configuration.md").read_text() == reference()
