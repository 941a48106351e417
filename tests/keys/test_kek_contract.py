"""One contract, every provider: memory, file, a PKCS#11 token (SoftHSM2), and Vault's transit engine (a small server of its API)."""

import itertools
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keys.errors import CannotOpen, KeyExists, KeysError, ProviderError, WrongKey
from keys.kek import KekProvider, rewrap
from keys.providers.file import FileKek
from keys.providers.memory import MemoryKek
from keys.providers.vault import VaultKek
from tests.keys.transit import Transit

SOFTHSM = next((p for p in (Path("/usr/lib/softhsm/libsofthsm2.so"), Path("/usr/lib64/pkcs11/libsofthsm2.so")) if p.exists()), None)
PIN = "1234"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A software token of its own. The library reads its configuration once a process, so this lives as long as the process."""
    if SOFTHSM is None:
        if os.environ.get("CI"):
            pytest.fail("SoftHSM2 is not installed: make browser")
        pytest.skip("SoftHSM2 is not installed here (Debian: softhsm2, or `make browser`); in CI this test runs")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    command = ["softhsm2-util", "--init-token", "--free", "--label", "tinkuy", "--pin", PIN, "--so-pin", "5678"]
    subprocess.run(command, check=True, capture_output=True)
    yield SOFTHSM
    del os.environ["SOFTHSM2_CONF"]


@pytest.fixture(scope="session")
def transit() -> Iterator[Transit]:
    with Transit() as server:
        yield server


@pytest.fixture(params=["file", "memory", "pkcs11", "vault"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], KekProvider]:
    """A provider with a key of its own at each call."""

    def made() -> KekProvider:
        number = next(_numbers)
        if request.param == "pkcs11":
            from keys.providers.pkcs11 import Pkcs11Kek

            return Pkcs11Kek.create(request.getfixturevalue("token"), token="tinkuy", key=f"kek-{number}", pin=PIN)
        if request.param == "vault":
            server: Transit = request.getfixturevalue("transit")
            server.make(f"kek-{number}")
            return VaultKek.open(server.url, mount="transit", key=f"kek-{number}", token=server.token)
        return MemoryKek() if request.param == "memory" else FileKek.create(tmp_path / f"kek-{number}")

    return made


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


def test_r10_a_token_without_the_key_or_with_another_pin_says_so(token: Path) -> None:
    from keys.providers.pkcs11 import Pkcs11Kek

    given = {"token": "tinkuy", "key": f"kek-{next(_numbers)}", "pin": PIN}
    with pytest.raises(ProviderError) as absent:
        Pkcs11Kek.open(token, **given)
    assert absent.value.code == "kek.absent", "asking for a key makes none"
    made = Pkcs11Kek.create(token, **given)
    wrapped = made.wrap(b"secret", b"")
    assert Pkcs11Kek.open(token, **given).unwrap(wrapped, b"") == b"secret"
    with pytest.raises(ProviderError) as refused:
        Pkcs11Kek.open(token, **(given | {"token": "otro"}))
    assert refused.value.code == "kek.unavailable"
    assert _elsewhere(token, given | {"pin": "0000"}) == "kek.pin"
    assert _elsewhere(token, given) == made.name, "a restart finds it"
    with pytest.raises(ProviderError):
        Pkcs11Kek.open(token.with_name("absent.so"), **given)
    with pytest.raises(KeyExists):
        Pkcs11Kek.create(token, **given)
    made.close()
    for call in (lambda: made.wrap(b"x", b""), lambda: made.unwrap(wrapped, b"")):
        with pytest.raises(ProviderError):
            call()


def _elsewhere(token: Path, given: dict[str, str]) -> str:
    """Opened by a process of its own (a login holds for a whole process): the provider's name, or the code of its refusal."""
    program = f"""
from pathlib import Path
from keys.errors import ProviderError
from keys.providers.pkcs11 import Pkcs11Kek
try:
    print(Pkcs11Kek.open(Path({str(token)!r}), **{given!r}).name)
except ProviderError as error:
    print(error.code)
"""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_r10_a_sealed_vault_says_so(transit: Transit) -> None:
    transit.make("kek-sealed")
    kek = VaultKek.open(transit.url, mount="transit", key="kek-sealed", token=transit.token)
    wrapped = kek.wrap(b"secret", b"x")
    transit.sealed = True
    try:
        for call in (lambda: kek.wrap(b"x", b""), lambda: kek.unwrap(wrapped, b"x")):
            with pytest.raises(ProviderError):
                call()
    finally:
        transit.sealed = False
    transit.rotate("kek-sealed")
    assert kek.unwrap(wrapped, b"x") == b"secret", "a turn inside Vault keeps what was wrapped before"
    assert kek.unwrap(kek.wrap(b"new", b"x"), b"x") == b"new"
    for url, key, shown, code in (
        (transit.url, "absent", transit.token, "kek.absent"), (transit.url, "kek-sealed", "stolen", "kek.unavailable"),
        ("http://vault.example", "kek-sealed", transit.token, "kek.unsafe"), ("http://127.0.0.1:9", "kek-sealed", transit.token, "kek.unavailable"),
    ):  # fmt: skip
        with pytest.raises(ProviderError) as refused:
            VaultKek.open(url, mount="transit", key=key, token=shown)
        assert refused.value.code == code
    assert "absent" not in transit.names(), "asking for a key makes none"


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
