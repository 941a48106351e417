"""Keys that turned on the server that leads: the other one, with the keys of before, neither starts nor takes the turn back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hub import doctor
from hub.app.manifest import adopt, manifest_path, own_manifest
from hub.app.servers import Servers
from hub.base.config import Config, from_mapping
from hub.base.errors import Stopped
from hub.matrix.ports import Device
from hub.store.database import Database
from hub.store.key_rows import KeyTable
from hub.store.migrate import upgrade
from keys.casekeys import DataKeys
from keys.identity import HUB_SIGNING, OPENING, create_identity, load_identity, successor_of
from keys.keyring import FileRows, Keyring
from keys.manifest import Manifest
from keys.primitives import OpeningKey, SigningKey
from keys.providers.file import FileKek
from keys.succession import draft, successor
from tests.store.conftest import Server
from tests.store.samples import START

DEVICE = Device(user_id="@tinkuy:prueba.example", device_id="AAAAAAAAAA", ed25519="A" * 43, curve25519="B" * 43)


@dataclass(kw_only=True)
class One:
    """One of the two, as far as its keys go: `start` is what `open_house` does with them."""

    config: Config
    kek: FileKek
    database: Database
    keys_database: Database

    def __post_init__(self) -> None:
        self.servers = Servers(self.config)
        self.data_keys = DataKeys(self.kek, KeyTable(self.keys_database))
        self.servers.over(self.database, self.data_keys)

    @property
    def keyring(self) -> Keyring:
        return Keyring(self.config.institution.id, self.kek, FileRows(self.config.keyring_file))

    def start(self, now: datetime = START) -> Manifest:
        self.servers.fetch_manifest(manifest_path(self.config), self.keyring)
        identity = load_identity(self.keyring)
        found = own_manifest(self.config, identity, self.keyring, DEVICE, identity.master_fingerprint, now, settled=True)
        self.servers.share_manifest(found, now, self.keyring)
        return found

    def turn(self, name: str) -> Manifest:
        """As `KeyTurner` does, until the moment before the other server is told."""
        previous, keyring = Manifest.from_bytes(manifest_path(self.config).read_bytes()), self.keyring
        if name == HUB_SIGNING:
            changes: dict[str, Any] = {"hub_signing": (SigningKey(successor_of(keyring, name)).public, previous.profile.hub_signing[0])}
        else:
            changes = {"opening": OpeningKey(successor_of(keyring, name)).public}
        root = load_identity(keyring).root
        assert root is not None
        return adopt(self.config, keyring, previous, draft(successor(previous, START, **changes), [root]).to_bytes(), START)

    def doctor(self) -> doctor.Level:
        return {check.id: check.level for check in doctor.check_files(self.config)}["server_keys"]


@pytest.fixture
def two(postgres: Server, tmp_path: Path) -> Iterator[tuple[One, One]]:
    """Both have started once with the same keyring."""
    urls = [postgres.new_database() for _ in range(2)]
    opened = [Database(url) for url in urls]
    upgrade(opened[0])
    kek = FileKek.create(tmp_path / "kek")
    made = []
    for name in ("uno", "dos"):
        told = {
            "institution": {"id": "csmc-prueba", "name": "CSMC Prueba", "kind": "mental_health_centre", "territory": "Comas"},
            "matrix": {"homeserver_url": "http://127.0.0.1:1", "user_id": DEVICE.user_id}, "keys": {"kek_file": str(tmp_path / "kek")},
            "paths": {"state": name}, "database": {"url": urls[0], "keys_url": urls[1], "server": name},
        }  # fmt: skip
        made.append(One(config=from_mapping(told, folder=tmp_path), kek=kek, database=opened[0], keys_database=opened[1]))
        made[-1].config.paths.state.mkdir(mode=0o700)
    one, two = made
    create_identity(one.keyring)
    one.data_keys.create("hub", START)
    copy_keyring(one, two)
    assert one.start().raw == two.start().raw
    yield one, two
    for database, url in zip(opened, urls, strict=True):
        database._pool.shutdown(wait=True)
        database.engine.dispose()
        postgres.give_back(url)


def copy_keyring(source: One, target: One) -> None:
    """What the runbook asks for."""
    shutil.copy2(source.config.keyring_file, target.config.keyring_file)


@pytest.mark.parametrize("name", [HUB_SIGNING, OPENING])
def test_an_older_keyring_stops_and_a_copied_one_follows(two: tuple[One, One], name: str) -> None:
    """With a root in each keyring it could sign the turn away: a version on, with the key of before."""
    one, other = two
    turned = one.turn(name)
    one.servers.share_manifest(turned, START, one.keyring)
    assert one.doctor() is doctor.Level.OK
    for _ in range(2):
        with pytest.raises(Stopped, match=r"server\.other_keys"):
            other.start()
    assert other.doctor() is doctor.Level.FAIL
    assert one.start().raw == turned.raw, "nothing was stated meanwhile"
    copy_keyring(one, other)
    assert other.doctor() is doctor.Level.OK
    assert other.start().raw == turned.raw


@pytest.mark.parametrize("name", [HUB_SIGNING, OPENING])
def test_a_turn_that_ended_here_before_it_was_shared_goes_on(two: tuple[One, One], name: str) -> None:
    one, other = two
    turned = one.turn(name)
    assert one.start().raw == turned.raw
    with pytest.raises(Stopped, match=r"server\.other_keys"):
        other.start()


def test_r11_a_manifest_that_was_copied_without_its_keys_does_not_start(two: tuple[One, One]) -> None:
    one, other = two
    turned = one.turn(HUB_SIGNING)
    one.servers.share_manifest(turned, START, one.keyring)
    shutil.copy2(manifest_path(one.config), manifest_path(other.config))
    with pytest.raises(Stopped, match=r"server\.other_keys"):
        other.start()
    assert other.doctor() is doctor.Level.FAIL
    copy_keyring(one, other)
    assert other.start().raw == turned.raw


def test_d11_keys_that_nobody_has_any_more_stop_only_who_has_not_even_the_manifest(two: tuple[One, One]) -> None:
    """Restored from before a turn: the manifest came back, its keys did not. The one where it is in force starts, to order new ones."""
    one, other = two
    before = one.config.keyring_file.read_bytes()
    turned = one.turn(HUB_SIGNING)
    found = one.config.keyring_file.read_bytes()
    one.config.keyring_file.write_bytes(before)
    for _ in range(3):
        assert one.start().raw == turned.raw
        assert one.doctor() is doctor.Level.OK
    with pytest.raises(Stopped, match=r"server\.other_keys"):
        other.start()
    other.config.keyring_file.write_bytes(found)
    assert other.start().raw == turned.raw, "a machine that has them after all"
    with pytest.raises(Stopped, match=r"server\.other_keys"):
        one.start()
    copy_keyring(other, one)
    assert one.start().raw == turned.raw


def test_keys_that_cannot_be_compared_are_not_fine(two: tuple[One, One]) -> None:
    one, _ = two
    one.keys_database.run_now(lambda connection: connection.exec_driver_sql("DELETE FROM wrapped_keys"))
    found = {check.id: check.level for check in doctor.check_files(one.config)}
    assert found["server_keys_unread"] is doctor.Level.FAIL
    assert "server_keys" not in found
