"""One contract, every provider: memory and file today, PKCS#11 and Vault by adding a row to `PROVIDERS`."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.errors import CannotOpen, KeyExists, KeysError, ProviderError, WrongKey
from keys.kek import KekProvider, rewrap
from keys.providers.file import FileKek
from keys.providers.memory import MemoryKek

PROVIDERS: dict[str, Callable[[Path], KekProvider]] = {
    "memory": lambda folder: MemoryKek(),
    "file": lambda folder: FileKek.create(folder / f"kek-{len(list(folder.iterdir()))}"),
}


@pytest.fixture(params=sorted(PROVIDERS))
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], KekProvider]:
    return lambda: PROVIDERS[request.param](tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(plaintext=st.binary(max_size=200), aad=st.binary(max_size=40))
def test_round_trip(make: Callable[[], KekProvider], plaintext: bytes, aad: bytes) -> None:
    kek = make()
    assert kek.unwrap(kek.wrap(plaintext, aad), aad) == plaintext


def test_another_place_does_not_open(make: Callable[[], KekProvider]) -> None:
    kek = make()
    wrapped = kek.wrap(b"secret", b"a|b|1")
    for aad in (b"a|b|2", b"", b"a|b|1 "):
        with pytest.raises(CannotOpen):
            kek.unwrap(wrapped, aad)


def test_another_key_or_a_changed_byte_does_not_open(make: Callable[[], KekProvider]) -> None:
    kek, other = make(), make()
    wrapped = kek.wrap(b"secret", b"aad")
    with pytest.raises(CannotOpen):
        other.unwrap(wrapped, b"aad")
    for at in range(len(wrapped)):
        with pytest.raises(KeysError):
            kek.unwrap(wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :], b"aad")
    for cut in range(len(wrapped)):
        with pytest.raises(CannotOpen):
            kek.unwrap(wrapped[:cut], b"aad")


def test_wrapping_twice_differs(make: Callable[[], KekProvider]) -> None:
    kek = make()
    assert kek.wrap(b"secret", b"") != kek.wrap(b"secret", b"")


def test_too_much_is_refused(make: Callable[[], KekProvider]) -> None:
    with pytest.raises(KeysError):
        make().wrap(bytes(4097), b"")


def test_names_tell_keys_apart_and_show_none(make: Callable[[], KekProvider]) -> None:
    one, two = make(), make()
    assert one.name != two.name
    assert one.name in repr(one)


def test_rewrap_moves_a_secret(make: Callable[[], KekProvider]) -> None:
    old, new = make(), make()
    assert new.unwrap(rewrap(old, new, old.wrap(b"secret", b"x"), b"x"), b"x") == b"secret"


def test_r10_a_closed_provider_says_so() -> None:
    kek = MemoryKek()
    wrapped = kek.wrap(b"secret", b"")
    kek.close()
    with pytest.raises(ProviderError):
        kek.unwrap(wrapped, b"")
    with pytest.raises(ProviderError):
        kek.wrap(b"secret", b"")
    with pytest.raises(WrongKey):
        MemoryKek(b"short")


def test_file_survives_a_restart_and_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "kek"
    wrapped = FileKek.create(path).wrap(b"secret", b"")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert FileKek.open(path).unwrap(wrapped, b"") == b"secret"
    with pytest.raises(KeyExists):
        FileKek.create(path)
    with pytest.raises(ProviderError):
        FileKek.create(tmp_path / "absent" / "kek")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666, 0o700])
def test_wide_permissions_are_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "kek"
    FileKek.create(path)
    path.chmod(mode)
    with pytest.raises(ProviderError) as caught:
        FileKek.open(path)
    assert caught.value.code == "kek.unsafe"


def test_links_pipes_folders_and_absence_are_refused(tmp_path: Path) -> None:
    FileKek.create(tmp_path / "kek")
    (tmp_path / "link").symlink_to(tmp_path / "kek")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "pipe", ".", "absent"):
        with pytest.raises(ProviderError):
            FileKek.open(tmp_path / name)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"tinkuy-kek-v1 ", b"tinkuy-kek-v1 " + b"g" * 64, b"tinkuy-kek-v1 " + b"a" * 64 + b"x"]
)
def test_other_content_is_refused_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kek"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(ProviderError) as caught:
        FileKek.open(path)
    assert "aaaa" not in str(caught.value)


def test_systemd_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kek"
    made = FileKek.create(path)
    path.chmod(0o400)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ProviderError):
        FileKek.credential("kek")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert FileKek.credential("kek").name == made.name
    with pytest.raises(ProviderError):
        FileKek.credential("../kek")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that belongs to root")
def test_a_credential_behind_an_acl_shows_group_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kek"
    FileKek.create(path)
    path.chmod(0o440)
    with pytest.raises(ProviderError):
        FileKek.open(path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert FileKek.credential("kek")
