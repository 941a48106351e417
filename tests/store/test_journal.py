"""The tombstone journal on disk: durable before the key dies, copied beside the backups, and whole after every accident (R14, R01)."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.actions.erase import shred
from hub.actions.restart import bury_missed
from hub.app import backup
from hub.app.graves import dig, say_how_far
from hub.base.errors import Stopped
from hub.store import journal_files
from hub.store.journal import FileJournal
from hub.store.journal_files import beside
from hub.store.unit_of_work import Store, Vault
from hub.testing.twin import HandClock, TwinNetwork
from keys.casekeys import DataKeys, MemoryKeyRows
from keys.journal import append, genesis, read
from keys.primitives import SigningKey
from keys.providers.memory import MemoryKek

HERE, AT = "cem-prueba", datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = SigningKey.generate()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("state", "disk"):
        (tmp_path / name).mkdir()
    return tmp_path / "state", tmp_path / "disk"


def opened(folders: tuple[Path, Path]) -> FileJournal:
    return FileJournal(HERE, *folders, KEY)


def owners(folder: Path) -> list[str]:
    (path,) = folder.glob("*.journal")
    return [one.owner for one, _ in read(path.read_bytes(), HERE, path.stem.rpartition("-")[2], KEY.public)]


def test_the_line_is_on_both_disks_before_the_key_is_gone(folders: tuple[Path, Path]) -> None:
    class Watched(MemoryKeyRows):
        def delete(self, owner: str) -> None:
            assert owners(folders[0]) == owners(folders[1]) == [owner], "written first"
            super().delete(owner)

    keys = DataKeys(MemoryKek(), Watched())
    keys.create("dis_1", AT)
    Vault(keys, AT, opened(folders).bury).destroy("dis_1")
    assert not keys.exists("dis_1")


def test_a_key_does_not_die_unwritten(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """R01: the disk is full. The tombstone row stays, and the next unit tries again."""
    keys = DataKeys(MemoryKek(), MemoryKeyRows())
    keys.create("dis_1", AT)
    journal = opened(folders)
    journal.bury("say_0", AT)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(Stopped) as stopped:
            Vault(keys, AT, journal.bury).destroy("dis_1")
    assert stopped.value.code == "journal.unwritable"
    assert keys.exists("dis_1")
    Vault(keys, AT, journal.bury).destroy("dis_1")
    assert owners(folders[0]) == owners(folders[1]) == ["say_0", "dis_1"], "no half line stands in the way"


def test_it_goes_on_after_a_line_that_a_crash_cut_short(folders: tuple[Path, Path]) -> None:
    opened(folders).bury("dis_1", AT)
    (path,) = folders[0].glob("*.journal")
    with path.open("ab") as file:
        file.write(b"2 17950000 dis_")
    journal = opened(folders)
    journal.bury("dis_3", AT)
    assert owners(folders[0]) == owners(folders[1]) == ["dis_1", "dis_3"]


def test_a_backup_disk_that_was_away_is_brought_up(folders: tuple[Path, Path]) -> None:
    _, disk = folders
    journal = opened(folders)
    journal.bury("dis_1", AT)
    away = disk.rename(disk.with_name("away"))
    journal.bury("dis_2", AT)
    assert journal.behind
    away.rename(disk)
    assert journal.behind
    journal.complete([], AT)
    journal.pulse(AT + timedelta(minutes=5))
    assert not journal.behind
    assert owners(disk) == ["dis_1", "dis_2"]
    graves = dig([disk], HERE, KEY.public, AT)
    assert (graves.owners, graves.until) == ({"dis_1", "dis_2"}, AT + timedelta(minutes=5))


def test_a_backup_from_outside_never_takes_lines_from_the_copy(folders: tuple[Path, Path]) -> None:
    """`backup create` and the running hub both bring the copy up; whoever comes second finds nothing to do, and nothing is said twice."""
    state, disk = folders
    journal = opened(folders)
    for number in range(20):
        journal.bury(f"dis_{number}", AT)
        if number % 3 == 0:
            beside(HERE, state, disk)
    assert owners(disk) == [f"dis_{number}" for number in range(20)]


def set_back(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """The state folder is one of before she took it back; only the disk knows."""
    state, _ = folders
    opened(folders).bury("dis_1", AT + timedelta(minutes=1))
    shutil.copytree(state, tmp_path / "snapshot")
    opened(folders).bury("dis_hers", AT)
    shutil.rmtree(state)
    (tmp_path / "snapshot").rename(state)


class Killed(BaseException):
    """As `kill -9`: nothing behind it runs."""


@pytest.mark.parametrize("new", ["0" * 16, "f" * 16])
@pytest.mark.parametrize("moment", ["fsync", "replace", "unlink"])
@pytest.mark.parametrize("accident", [Killed, OSError(28, "No space left on device")])
def test_r14_a_start_that_was_cut_short_while_the_journal_began_anew_hides_no_death(
    folders: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new: str, moment: str, accident: BaseException
) -> None:
    """Killed, or the disk is full, at any moment of it, and whichever name sorts first: the second start knows her, also without the disk."""
    state, disk = folders
    set_back(folders, tmp_path)

    def cut(*_: object, **__: object) -> None:
        raise accident

    def token(_: int) -> str:
        return new

    with monkeypatch.context() as patch:
        patch.setattr("hub.store.journal.secrets.token_hex", token)
        patch.setattr(os if moment == "fsync" else Path, moment, cut)
        with pytest.raises((Killed, Stopped, OSError)):
            opened(folders)
    for path in state.glob(f"*-{new}.journal"):
        assert {one.owner for one, _ in read(path.read_bytes(), HERE, new, KEY.public)} == {"dis_1", "dis_hers"}, "whole, or not there"
    assert FileJournal(HERE, state, disk, KEY).owners() == {"dis_1", "dis_hers"}
    assert [path.name for path in state.iterdir()] == [path.name for path in state.glob("*.journal")], "nothing unfinished stays"
    assert set(owners(state)) == {"dis_1", "dis_hers"}


@pytest.mark.parametrize("empty", ["0" * 16, "f" * 16])
def test_r14_whatever_lies_in_the_folder_or_on_the_disk_is_read(folders: tuple[Path, Path], tmp_path: Path, empty: str) -> None:
    """An empty journal that an accident left, with the disk and without it; and the journal of a machine before this one."""
    state, disk = folders
    opened(folders).bury("dis_1", AT)
    journal_files.append(state / journal_files.name_of(HERE, empty), b"")
    alone = FileJournal(HERE, state, None, KEY)
    assert alone.owners() == {"dis_1"}
    assert FileJournal(HERE, state, None, KEY).owners() == {"dis_1"}
    (tmp_path / "before").mkdir()
    FileJournal(HERE, tmp_path / "before", disk, KEY).bury("dis_hers", AT)
    assert opened(folders).owners() == {"dis_1", "dis_hers"}
    assert set(owners(state)) == {"dis_1", "dis_hers"}, "one file again: what the other said lies beside the backups"
    shutil.rmtree(state)
    state.mkdir()
    assert opened(folders).owners() == {"dis_1", "dis_hers"}


def test_r14_a_backup_beside_two_journals_holds_no_key_that_either_buries(tmp_path: Path) -> None:
    """`backup create` runs outside the hub, perhaps before the start that puts them together; its mark is of the one that goes on."""
    for number, stream in enumerate(("0" * 16, "f" * 16)):
        line, mark = append(HERE, genesis(HERE, stream), f"dis_{number}", AT, KEY)
        journal_files.append(tmp_path / journal_files.name_of(HERE, stream), line)
        if number == 0:
            first = mark
    config: Any = SimpleNamespace(institution=SimpleNamespace(id=HERE), paths=SimpleNamespace(state=tmp_path))
    assert backup._journal(config, KEY.public) == ({"dis_0", "dis_1"}, first)
    assert FileJournal(HERE, tmp_path, None, KEY).mark.stream == first.stream


def test_r14_what_others_wrote_on_the_disk_stops_no_start(folders: tuple[Path, Path]) -> None:
    state, disk = folders
    opened(folders).bury("dis_1", AT)
    journal_files.append(disk / journal_files.name_of(HERE, "0" * 16), b"1 17950000 dis_2 not signed\n")
    assert opened(folders).owners() == {"dis_1"}
    assert len(list(disk.glob("*.journal"))) == 2, "kept for people to look at"
    assert set(owners(state)) == {"dis_1"}


def test_r14_two_institutions_whose_names_begin_alike_on_one_disk(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Each reads its own journal alone, at a start, at a backup and at a restore; neither takes the other's away."""
    _, disk = folders
    keys = {"cem": SigningKey.generate(), "cem-lima": SigningKey.generate(), f"cem-{'0' * 16}": SigningKey.generate()}
    state = tmp_path / "shared"
    state.mkdir()
    for _ in range(2):
        for name, key in keys.items():
            journal = FileJournal(name, state, disk, key)
            journal.complete([f"dis_{name}"], AT)
            journal.pulse(AT + timedelta(hours=1))
    for name, key in keys.items():
        assert FileJournal(name, state, disk, key).owners() == {f"dis_{name}"}
        graves = dig([disk], name, key.public, AT)
        assert (graves.owners, graves.until) == ({f"dis_{name}"}, AT + timedelta(hours=1))
    assert len(list(state.glob("*.journal"))) == len(list(state.glob("*.pulse"))) == 3


def test_r14_a_folder_that_was_rolled_back_takes_no_line_from_the_backup_disk(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """A snapshot of the machine comes back: the disk knows a death more. It is taken up, in a stream of its own, and the old one stays."""
    state, disk = folders
    set_back(folders, tmp_path)
    journal = opened(folders)
    assert journal.owners() == {"dis_1", "dis_hers"}
    journal.bury("dis_3", AT)
    assert dig([disk], HERE, KEY.public, AT).owners == {"dis_1", "dis_hers", "dis_3"}
    assert set(owners(state)) == {"dis_1", "dis_hers", "dis_3"}, "one file: the next start goes on with it"
    assert opened(folders).mark == journal.mark


def test_r14_a_copy_that_knows_more_is_never_cut_down(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Also while the hub runs, or when `backup create` finds it so."""
    state, disk = folders
    opened(folders).bury("dis_1", AT)
    (path,) = state.glob("*.journal")
    old = path.read_bytes()
    opened(folders).bury("dis_hers", AT)
    path.write_bytes(old)
    beside(HERE, state, disk)
    assert owners(disk) == ["dis_1", "dis_hers"]
    journal = FileJournal(HERE, state, None, KEY)
    journal.bury("dis_other", AT)
    beside(HERE, state, disk)
    assert owners(disk) == ["dis_1", "dis_hers"], "another second line: neither is taken for the other"


def test_r14_what_the_journal_knows_and_the_tables_forgot_dies_again() -> None:
    store = TwinNetwork((HERE, "emergency_centre"))[HERE].store
    store.run_now(lambda unit: (unit.vault.create("dis_hers"), unit.vault.create("dis_living")))
    assert store.run_now(bury_missed, {"dis_hers"}) == 1
    assert not store.given.keys.exists("dis_hers")
    assert store.given.keys.exists("dis_living")
    assert store.run_now(bury_missed, {"dis_hers"}) == 0


def test_a_pulse_without_its_journal_proves_nothing(folders: tuple[Path, Path]) -> None:
    state, disk = folders
    journal = opened(folders)
    journal.bury("dis_1", AT)
    journal.complete([], AT)
    journal.pulse(AT + timedelta(hours=1))
    (path,) = disk.glob("*.journal")
    path.unlink()
    assert dig([disk], HERE, KEY.public, AT).until < AT
    assert dig([disk, state], HERE, KEY.public, AT).until == AT + timedelta(hours=1)


def test_what_another_server_destroyed_is_taken_up_before_this_one_says_how_far_it_goes(folders: tuple[Path, Path], tmp_path: Path) -> None:
    """Two servers, two machines: the one that takes over writes down every death the database knows of, once."""
    (tmp_path / "other").mkdir()
    other = FileJournal(HERE, tmp_path / "other", None, KEY)
    other.bury_all(["dis_1", "dis_2"], AT)
    ours = opened(folders)
    ours.bury("dis_3", AT)
    for _ in range(2):
        ours.complete(["dis_1", "dis_2", "dis_3"], AT)
    assert owners(folders[0]) == owners(folders[1]) == ["dis_3", "dis_1", "dis_2"]


# ---- two servers: what one of them wrote on a disk that burned ---------------------------------------------------------------------


class Two:
    """Two servers of one hub on one database: `leads` is the one that may act. Only `a` has the backup disk; `b` has its own folder."""

    def __init__(self, tmp_path: Path) -> None:
        for name in ("a", "b", "disk"):
            (tmp_path / name).mkdir()
        self.clock, self.leads, self.disk = HandClock(), "", tmp_path / "disk"
        twin = TwinNetwork((HERE, "emergency_centre"))[HERE]
        self.journals = {"a": FileJournal(HERE, tmp_path / "a", self.disk, KEY), "b": FileJournal(HERE, tmp_path / "b", None, KEY)}
        self.stores = {name: self._store(twin.store, name) for name in self.journals}

    def _store(self, store: Store, name: str) -> Store:
        two = self

        class Leads:
            def check(self, _: object) -> None:
                self.assert_valid()

            def assert_valid(self) -> None:
                if two.leads != name:
                    raise Stopped("server.standby")

        fenced = replace(store.given, clock=self.clock, bury=self.journals[name].bury, fence=Leads())
        return Store(store._database, fenced)

    def take_over(self, name: str) -> None:
        """As `hub.app.house` does before it acts."""
        self.leads = name
        self.journals[name].complete(self.stores[name].run_now(lambda unit: [tombstone.id for tombstone in unit.tombstones.all()]), self.clock.now())

    def shred(self, owner: str) -> None:
        self.stores[self.leads].run_now(lambda unit: shred(unit, owner, "withdrawn"))

    async def says(self, name: str) -> datetime:
        """This server's task says how far the deaths go; what the backup disk proves then."""
        await say_how_far(self.stores[name], self.journals[name], self.clock)
        return dig([self.disk], HERE, KEY.public, AT).until


async def test_r14_a_younger_stream_never_covers_one_that_burned(tmp_path: Path) -> None:
    """She withdrew while the other server led, and its folder burned with it. The disk has our stream alone: it proves what it did before."""
    two = Two(tmp_path)
    two.take_over("a")
    two.shred("dis_before")
    proven = await two.says("a")
    assert proven == two.clock.now()
    two.clock.advance(timedelta(hours=6))
    two.take_over("b")
    two.shred("dis_hers")
    for _ in range(3):  # a leader that was stopped and wakes up, and every `backup create` on its machine
        two.clock.advance(timedelta(hours=1))
        assert await two.says("a") == proven
        beside(HERE, tmp_path / "a", two.disk)
        assert dig([two.disk], HERE, KEY.public, AT).until == proven
    assert await two.says("b") == proven, "it has no backup disk"
    assert "dis_hers" not in dig([two.disk], HERE, KEY.public, AT).owners
    two.take_over("a")
    assert await two.says("a") == two.clock.now()
    assert "dis_hers" in dig([two.disk], HERE, KEY.public, AT).owners, "whoever takes over takes up what the database knows"


async def test_r14_nothing_is_said_before_the_journal_was_completed(tmp_path: Path) -> None:
    two = Two(tmp_path)
    two.take_over("b")
    two.shred("dis_hers")
    two.leads = "a"
    never = dig([two.disk], HERE, KEY.public, AT).until
    assert await two.says("a") == never
    two.journals["a"].bury("dis_other", two.clock.now())
    assert dig([two.disk], HERE, KEY.public, AT).until == never, "a line says that one died, not that nobody else did"


async def test_r14_a_condemned_key_that_is_not_written_yet_is_written_before_the_pulse_or_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full while she withdraws: the tombstone waits in the database. A pulse now would say that nobody died."""
    two = Two(tmp_path)
    two.take_over("a")
    proven = await two.says("a")

    def full(owner: str, at: datetime) -> None:
        raise Stopped("journal.unwritable")

    whole = two.stores["a"].given
    two.stores["a"].given = replace(whole, bury=full)
    two.shred("dis_hers")
    two.clock.advance(timedelta(hours=1))
    with monkeypatch.context() as patch:
        patch.setattr(FileJournal, "bury_all", lambda self, owners, at: full("", at))
        assert await two.says("a") == proven
    assert await two.says("a") == two.clock.now()
    assert dig([two.disk], HERE, KEY.public, AT).owners == {"dis_hers"}
