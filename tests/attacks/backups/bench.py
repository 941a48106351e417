"""Hubs in memory whose databases, keys and journal are real files (or PostgreSQL), so that they can be backed up, lost and restored."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage

from hub.actions.erase import condemned
from hub.actions.ports import Hand
from hub.app import backup, restore
from hub.app.offline import open_identity
from hub.app.settings import institution, rules
from hub.base.config import Config, from_mapping
from hub.chat.tell import tell
from hub.store.cells import cells_of
from hub.store.database import Database
from hub.store.journal import FileJournal
from hub.store.key_rows import KeyTable
from hub.store.migrate import upgrade
from hub.store.snapshot import read_data, rows_of
from hub.store.unit_of_work import Collaborators, Store, Vault
from hub.testing import Twin, TwinNetwork
from keys.casekeys import DataKeys
from keys.errors import KeysError
from keys.identity import create_identity
from keys.journal import journal_key
from keys.keyring import FileRows, Keyring
from keys.manifest import Manifest, make_manifest
from keys.providers.file import FileKek
from policies import packs
from tests.attacks.twins.bench import CEM, CSMC, HUBS

_numbers = itertools.count(1)
Urls = Callable[[Path], tuple[str, str]]
"""Makes the two database URLs of a machine from its folder."""


def in_files(folder: Path) -> tuple[str, str]:
    return f"sqlite:///{folder}/s/hub.db", f"sqlite:///{folder}/s/keys.db"


@dataclass(kw_only=True)
class Machine:
    """One machine of an institution: its configuration and its folder. The backup disk and the KEK's safe are elsewhere."""

    config: Config
    folder: Path
    database: Database | None = None
    keys: KeyTable | None = None
    journal: FileJournal | None = None

    def close(self) -> None:
        """The machine stops."""
        for each in (self.database, self.keys._database if self.keys else None):
            if each:
                each.engine.dispose()

    def lose(self) -> None:
        """The machine burns."""
        self.close()
        shutil.rmtree(self.folder)

    def start(self, clock: Any) -> tuple[Store, Manifest]:
        """Open what is on the disk, as `hub.app.house` does."""
        identity, kek = open_identity(self.config)
        self.database = Database(self.config.database.url)
        upgrade(self.database)
        self.keys = KeyTable(Database(self.config.database.keys_url))
        data_keys = DataKeys(kek, self.keys)
        if not data_keys.exists("hub"):
            data_keys.create("hub", clock.now())
        self.journal = FileJournal(self.config.institution.id, self.config.paths.state, self.config.paths.backups, journal_key(identity))
        manifest = Manifest.from_bytes((self.config.paths.state / "manifest.json").read_bytes())
        given = Collaborators(
            me=institution(self.config), rules=rules(self.config), pack=packs.load("pe"),
            hand=Hand(signer=identity.hub_signing, opening=identity.opening, manifest=manifest), keys=data_keys, clock=clock, bury=self.journal.bury,
        )  # fmt: skip
        store = Store(self.database, given, tell)
        self.journal.complete(store.run_now(lambda unit: [tombstone.id for tombstone in unit.tombstones.all()]), clock.now())
        return store, manifest


class Filed(TwinNetwork):
    """A network of twins in which some live on machines. `disk` outlives every machine."""

    def __init__(self, disk: Path, *filed: str, urls: Urls = in_files) -> None:
        self.disk, self._filed, self._urls = disk, filed, urls
        self.machines: dict[str, Machine] = {}
        self.identity = pyrage.x25519.Identity.generate()
        (disk / "identity").write_text(f"{self.identity}\n")
        (disk / "identity").chmod(0o600)
        super().__init__(*HUBS)

    def machine(self, name: str, kind: str, disk: Path | None = None) -> Machine:
        """A new, empty machine of an institution, with the usual backup disk or another."""
        folder = self.disk / f"machine-{next(_numbers)}"
        (folder / "s").mkdir(parents=True, mode=0o700)
        backups = disk or self.disk / f"backups-{name}"
        backups.mkdir(exist_ok=True)
        data, keys = self._urls(folder)
        table = {
            "institution": {"id": name, "name": name.replace("-", " ").title(), "kind": kind, "territory": "Comas"},
            "matrix": {"homeserver_url": "http://127.0.0.1:1", "user_id": f"@hub:{name}.example"},
            "database": {"url": data, "keys_url": keys},
            "paths": {"state": "s", "backups": str(backups)},
            "keys": {"kek_file": str(self.disk / f"kek-{name}")},
            "backup": {"recipients": [str(self.identity.to_public())]},
        }
        return Machine(config=from_mapping(table, folder=folder), folder=folder)

    def _twin(self, name: str, kind: str, url: Callable[[str], str]) -> Twin:
        if name not in self._filed:
            return super()._twin(name, kind, url)
        machine = self.machine(name, kind)
        config = machine.config
        kek = FileKek.create(config.keys.kek_file)
        identity = create_identity(Keyring(name, kek, FileRows(config.keyring_file)))
        user = f"@hub:{name}.example"
        assert identity.root is not None
        profile = self._profile(name, kind, user, identity.root, identity.hub_signing, identity.opening)
        (config.paths.state / "manifest.json").write_bytes(make_manifest(profile, [identity.root]))
        return self._started(name, machine)

    def _started(self, name: str, machine: Machine) -> Twin:
        store, manifest = machine.start(self.clock)
        self.machines[name] = machine
        root = open_identity(machine.config)[0].root
        assert root is not None
        return Twin(id=name, store=store, manifest=manifest.raw, user=f"@hub:{name}.example", clock=self.clock, root=root)

    def back_up(self, name: str) -> tuple[Path, Path]:
        """A backup now; its two parts."""
        config = self.machines[name].config
        assert config.paths.backups
        done = backup.create(config, config.backup.recipients, config.paths.backups, config.paths.backups / "keys", self.clock.now())
        return Path(str(done["data"])), Path(str(done["keys"]))

    def pulse(self, name: str) -> None:
        """What the running hub does every few minutes."""
        journal = self.machines[name].journal
        assert journal
        journal.pulse(self.clock.now(), self[name].run(condemned))

    def wanted(self, parts: tuple[Path, Path], **more: Any) -> restore.Wanted:
        return restore.Wanted(data=parts[0], keys=parts[1], identity=self.disk / "identity", **more)

    def restore(self, name: str, parts: tuple[Path, Path], *, disk: Path | None = None, **more: Any) -> dict[str, Any]:
        """Another machine takes over from a backup; the twin goes on with it, with what was said in its rooms."""
        old, kind = self.twins[name], dict(HUBS)[name]
        fresh = self.machine(name, kind, disk)
        done = restore.restore(fresh.config, self.wanted(parts, **more), self.clock.now())
        twin = self._started(name, fresh)
        twin.said = old.said
        self.twins[name] = twin
        return done


def readable(machine: Machine) -> str:
    """Everything that somebody with a machine's databases, keys and KEK can read: each stored ciphertext tried with every key."""
    config = machine.config
    _, kek = open_identity(config)
    table = KeyTable(Database(config.database.keys_url))
    keys = DataKeys(kek, table)
    vault = Vault(keys, datetime.now().astimezone())
    owners = sorted(table.owners())
    found: list[str] = []

    def keep(name: str, lines: Iterator[bytes]) -> None:
        for row in rows_of(lines):
            found.append(repr(row))
            for cell in cells_of(name, row):
                found.extend(_tries(vault, [cell.owner, *owners], cell.place, cell.sealed))

    read_data(config.database.url, keep)
    table._database.engine.dispose()
    return "\n".join(found)


def _tries(vault: Vault, owners: list[str], place: str, sealed: bytes) -> Iterator[str]:
    for owner in owners:
        try:
            yield vault.open(owner, place, sealed).decode(errors="replace")
            return
        except KeysError:
            continue


def days(count: int) -> timedelta:
    return timedelta(days=count)


__all__ = ["CEM", "CSMC", "Filed", "Machine", "days", "in_files", "readable"]
