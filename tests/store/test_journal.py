"""The tombstone journal on disk: durable before the key dies, copied beside the backups, and whole after every accident (R14, R01)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.app.graves import dig
from hub.base.errors import Stopped
from hub.store.journal import FileJournal, beside
from hub.store.unit_of_work import Vault
from keys.casekeys import DataKeys, MemoryKeyRows
from keys.journal import read
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
    journal.pulse(AT + timedelta(minutes=5))
    assert not journal.behind
    assert owners(disk) == ["dis_1", "dis_2"]
    graves = dig([disk], HERE, KEY.public)
    assert (graves.owners, graves.until) == ({"dis_1", "dis_2"}, AT + timedelta(minutes=5))


def test_a_backup_from_outside_never_takes_lines_from_the_copy(folders: tuple[Path, Path]) -> None:
    """`backup create` and the running hub both bring the copy up; whoever comes second finds nothing to do, and nothing is said twice."""
    state, disk = folders
    journal = opened(folders)
    for number in range(20):
        journal.bury(f"dis_{number}", AT)
        if number % 3 == 0:
            beside(HERE, state, disk, AT, KEY)
    assert owners(disk) == [f"dis_{number}" for number in range(20)]


def test_a_pulse_without_its_journal_proves_nothing(folders: tuple[Path, Path]) -> None:
    state, disk = folders
    journal = opened(folders)
    journal.bury("dis_1", AT)
    journal.pulse(AT + timedelta(hours=1))
    (path,) = disk.glob("*.journal")
    path.unlink()
    assert dig([disk], HERE, KEY.public).until < AT
    assert dig([disk, state], HERE, KEY.public).until == AT + timedelta(hours=1)


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
