"""R10 on a real process: without its key-encryption key the hub says so, takes nothing, invents nothing. And the key's yearly turn."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.app.house import open_keyring
from hub.app.rewrap import rewrap_keys, unfinished
from hub.base.config import Config, load
from hub.base.errors import Stopped
from hub.base.kek import open_kek
from hub.store.database import Database
from hub.store.key_rows import KeyTable
from keys.casekeys import Cell, DataKeys
from keys.errors import CannotOpen, KeysError
from keys.identity import load_identity
from keys.keyring import FileRows, Keyring
from keys.providers.file import FileKek

CELL = Cell(table="case_fields", row="1", column="sealed")
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def tinkuy(config: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TINKUY_")} | env
    command = [sys.executable, "-m", "hub", "--config", str(config), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hub after `init`, with a key store of three cases."""
    path = tmp_path_factory.mktemp("fresh") / "tinkuy.toml"
    made = tinkuy(
        path, "init", "--id", "csmc-ejemplo", "--name", "CSMC Ejemplo", "--kind", "mental_health_centre", "--territory", "Comas",
        "--homeserver", "http://127.0.0.1:9", "--user", "@hub:ejemplo.example", "--need", "mental_health",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    with _store(load(path)) as keys:
        for number in range(3):
            keys.create(f"case_{number}", NOW)
        keys.put_secret("ref_1", b"s" * 32, NOW)
    return path


@pytest.fixture
def hub(fresh: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    shutil.copytree(fresh.parent, tmp_path / "hub")
    return tmp_path / "hub" / "tinkuy.toml"


class _store:
    """The key store, opened as the hub would."""

    def __init__(self, config: Config, kek: FileKek | None = None) -> None:
        self._database, self._kek = Database(config.database.keys_url), kek or open_kek(config.keys)

    def __enter__(self) -> DataKeys:
        return DataKeys(self._kek, KeyTable(self._database))

    def __exit__(self, *_: object) -> None:
        self._database.engine.dispose()


def snapshot(folder: Path) -> dict[str, str]:
    """Every file of the state folder by content, but for the log and the databases' own helpers."""
    skip = ("-wal", "-shm", ".lock", ".log")
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(skip))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize(
    ("loss", "code"),
    [("file", "kek.unavailable"), ("other", "kek.other"), ("wide", "kek.unsafe"), ("empty", "kek.form"), ("credential", "kek.unavailable"),
     ("token", "kek.unavailable"), ("vault", "kek.unavailable"), ("keyring", "keys.missing"), ("unset", "kek.unset")],
)  # fmt: skip
def test_r10_without_its_key_the_hub_says_so_and_touches_nothing(hub: Path, loss: str, code: str) -> None:
    state, kek, env = hub.parent / "state", hub.parent / "kek", {}
    pin = hub.parent / "pin"
    pin.touch(0o600)
    pin.write_text("1234")
    if loss == "file":
        kek.unlink()
    elif loss == "other":
        kek.unlink()
        FileKek.create(kek)
    elif loss == "wide":
        kek.chmod(0o644)
    elif loss == "empty":
        kek.write_text("")
    elif loss == "keyring":
        (state / "keyring.json").unlink()
    else:
        provider = {"credential": "credential", "token": "pkcs11", "vault": "vault", "unset": "vault"}[loss]
        env = {"TINKUY_KEYS__PROVIDER": provider, "TINKUY_KEYS__PKCS11_MODULE": "/absent/token.so", "TINKUY_KEYS__PIN_FILE": str(pin)}
        if loss == "vault":
            env |= {"TINKUY_KEYS__VAULT_URL": "http://127.0.0.1:9", "TINKUY_KEYS__TOKEN_FILE": str(pin)}
    before = snapshot(hub.parent)
    ran = tinkuy(hub, "run", **env)
    assert ran.returncode == 1, ran.stderr
    assert f"({code})" in ran.stderr
    assert "El hub se detuvo." in ran.stderr
    assert "Traceback" not in ran.stderr
    assert snapshot(hub.parent) == before, "no new file, no new key, nothing changed"


def test_r10_with_the_key_back_it_goes_on(hub: Path) -> None:
    kek = hub.parent / "kek"
    kept = kek.read_bytes()
    kek.unlink()
    assert tinkuy(hub, "keys", "check").returncode == 1
    kek.touch(0o600)
    kek.write_bytes(kept)
    assert tinkuy(hub, "keys", "check").returncode == 0


def test_the_yearly_turn_moves_everything_and_the_old_key_opens_nothing(hub: Path, tmp_path: Path) -> None:
    config, new = load(hub), tmp_path / "kek-2027"
    old = FileKek.open(config.keys.kek_file)
    with _store(config) as keys:
        sealed = keys.seal("case_1", CELL, b"inventado")
    done = tinkuy(hub, "keys", "rotate", "kek", "--to", f"file:{new}")
    assert done.returncode == 0, done.stderr
    ring = Keyring("csmc-ejemplo", FileKek.open(new), FileRows(config.keyring_file))
    assert load_identity(ring).root is not None
    with _store(config, FileKek.open(new)) as keys:
        assert keys.open("case_1", CELL, sealed) == b"inventado"
        assert keys.get_secret("ref_1") == b"s" * 32
    with _store(config, old) as keys:
        for owner in keys.owners():
            with pytest.raises(CannotOpen):
                keys.get_secret(owner) if owner == "ref_1" else keys.seal(owner, CELL, b"x")
    assert old.wrap(b"x", b"") not in Path(config.database.keys_url.removeprefix("sqlite:///")).read_bytes()
    assert "kek.other" in tinkuy(hub, "run").stderr


@pytest.mark.parametrize("after", [1, 4, 5, 9])
def test_a_turn_killed_in_the_middle_goes_on_where_it_stopped(hub: Path, tmp_path: Path, after: int) -> None:
    """Between any two rows, in the key store and in the keyring's file alike; the kill is a real one."""
    config, new = load(hub), tmp_path / "kek-2027"
    program = f"""
import os, signal, sys
from pathlib import Path
from hub.app.rewrap import rewrap_keys
from hub.base.config import load
left = {after}
def step(name):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
rewrap_keys(load(Path({str(hub)!r})), "file:{new}", step=step)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    assert unfinished(config).exists()
    with pytest.raises(Stopped, match=r"kek\.unfinished"):  # no hub starts on half of its keys
        open_keyring(config)
    rewrap_keys(config, f"file:{new}")
    assert not unfinished(config).exists()
    load_identity(Keyring("csmc-ejemplo", FileKek.open(new), FileRows(config.keyring_file)))
    with _store(config, FileKek.open(new)) as keys:
        assert keys.get_secret("ref_1") == b"s" * 32
        assert len(keys.owners()) == 4
        for number in range(3):
            keys.seal(f"case_{number}", CELL, b"x")


def test_a_row_that_neither_key_opens_stops_the_turn_with_nothing_lost(hub: Path, tmp_path: Path) -> None:
    config = load(hub)
    database = Database(config.database.keys_url)
    KeyTable(database).swap("case_1", b"\x01" + bytes(60))
    database.engine.dispose()
    with pytest.raises(KeysError, match="neither"):
        rewrap_keys(config, f"file:{tmp_path / 'kek-2027'}")
    database = Database(config.database.keys_url)
    assert KeyTable(database).get("case_1") == b"\x01" + bytes(60)
    database.engine.dispose()


def test_no_turn_while_a_hub_runs_on_the_database(hub: Path, tmp_path: Path) -> None:
    from hub.store.lock import DatabaseLock

    config = load(hub)
    database = Database(config.database.url)
    lock = DatabaseLock(database)
    lock.take()
    try:
        with pytest.raises(Stopped, match=r"database\.in_use"):
            rewrap_keys(config, f"file:{tmp_path / 'kek-2027'}")
    finally:
        lock.release()
        database.engine.dispose()
    assert not (tmp_path / "kek-2027").exists(), "and no key was made"
