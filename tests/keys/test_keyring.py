"""Named secrets: bound to their place, safe through a crash at every step."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from keys.errors import CannotOpen, KeyExists, KeyMissing, KeysError, Malformed, ProviderError, WrongKey
from keys.identity import HUB_SIGNING, ROOT, create_identity, index_key, load_identity, new_device_id
from keys.keyring import FileRows, Keyring, MemoryRows, WrappedRows
from keys.matrixjson import from_unpadded
from keys.providers.memory import MemoryKek

KEK = MemoryKek(b"K" * 32)
ROWS: dict[str, Callable[[Path], WrappedRows]] = {
    "memory": lambda folder: MemoryRows(),
    "file": lambda folder: FileRows(folder / "keyring.json"),
}


@pytest.fixture(params=sorted(ROWS))
def rows(request: pytest.FixtureRequest, tmp_path: Path) -> WrappedRows:
    return ROWS[request.param](tmp_path)


def test_create_get_rotate_delete(rows: WrappedRows) -> None:
    ring = Keyring("cem-lima", KEK, rows)
    secret = ring.create("hub-signing")
    assert len(secret) == 32
    assert ring.get("hub-signing") == secret
    assert ring.version("hub-signing") == 1
    with pytest.raises(KeyExists):
        ring.create("hub-signing")
    turned = ring.rotate("hub-signing")
    assert turned != secret
    assert ring.get("hub-signing") == turned
    assert ring.version("hub-signing") == 2
    assert ring.get_or_create("index/name") == ring.get("index/name")
    assert ring.names() == ("hub-signing", "index/name")
    ring.delete("hub-signing")
    ring.delete("hub-signing")
    assert not ring.has("hub-signing")
    for missing in (ring.get, ring.version, ring.rotate):
        with pytest.raises(KeyMissing):
            missing("hub-signing")


def test_c08_a_row_opens_only_at_its_place(rows: WrappedRows) -> None:
    ring = Keyring("cem-lima", KEK, rows)
    ring.create("a")
    first = rows.get("a") or b""
    rows.put("b", first)
    with pytest.raises(CannotOpen):
        ring.get("b")
    with pytest.raises(CannotOpen):
        Keyring("csmc-comas", KEK, rows).get("a")
    rows.put("a", (9).to_bytes(4, "big") + first[4:])
    with pytest.raises(CannotOpen):
        ring.get("a")


@pytest.mark.parametrize("name", ["", "a|b", "A", "a b", "a\n", "../a", "a" * 97])
def test_names_are_plain(rows: WrappedRows, name: str) -> None:
    with pytest.raises(Malformed):
        Keyring("cem-lima", KEK, rows).create(name)


def test_only_32_bytes_enter(rows: WrappedRows) -> None:
    with pytest.raises(WrongKey):
        Keyring("cem-lima", KEK, rows).create("a", b"short")


def test_yearly_turn_can_be_interrupted_and_repeated(rows: WrappedRows) -> None:
    ring, new = Keyring("cem-lima", KEK, rows), MemoryKek()
    before = {name: ring.create(name) for name in ("a", "b", "c")}
    half = rows.get("a") or b""
    rows.put("a", half[:4] + new.wrap(KEK.unwrap(half[4:], b"cem-lima|a|1"), b"cem-lima|a|1"))
    turned = ring.rewrap(new)
    assert {name: turned.get(name) for name in ring.names()} == before
    with pytest.raises(CannotOpen):
        ring.get("a")


def test_file_keeps_rows_private_and_shows_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "keyring.json"
    secret = Keyring("cem-lima", KEK, FileRows(path)).create("a")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in path.read_bytes()
    assert secret.hex().encode() not in path.read_bytes()
    assert Keyring("cem-lima", KEK, FileRows(path)).get("a") == secret
    path.chmod(0o644)
    with pytest.raises(ProviderError):
        FileRows(path)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"version":2,"rows":{}}', b'{"version":1,"rows":[]}', b'{"version":1,"rows":{"a":"!"}}']
)
def test_a_damaged_file_is_an_error_and_never_an_empty_keyring(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keyring.json"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(KeysError):
        FileRows(path)


class Crash(Exception):
    """The power goes."""


@pytest.mark.parametrize("at", ["write", "sync", "replace", "sync folder"])
@pytest.mark.parametrize("change", ["create", "rotate", "delete"])
def test_r04_a_crash_at_any_step_leaves_the_old_or_the_new_file(tmp_path: Path, at: str, change: str) -> None:
    path = tmp_path / "keyring.json"
    ring = Keyring("cem-lima", KEK, FileRows(path))
    old = {"a": ring.create("a"), "b": ring.create("b")}

    def step(name: str) -> None:
        if name == at:
            raise Crash

    crashing = Keyring("cem-lima", KEK, FileRows(path, step=step))
    with pytest.raises(Crash):
        getattr(crashing, change)("c" if change == "create" else "a")
    json.loads(path.read_bytes())
    again = Keyring("cem-lima", KEK, FileRows(path))
    assert again.get("b") == old["b"]
    done = at == "sync folder"
    if change == "create":
        assert again.has("c") == done
    elif change == "rotate":
        assert (again.get("a") != old["a"]) == done
    else:
        assert again.has("a") != done
    again.create("after")
    assert Keyring("cem-lima", KEK, FileRows(path)).has("after")


def test_identity_is_made_once_and_never_anew(rows: WrappedRows) -> None:
    ring = Keyring("cem-lima", KEK, rows)
    with pytest.raises(KeyMissing):
        load_identity(ring)
    made = create_identity(ring)
    again = create_identity(ring)
    assert made.root is not None
    assert again.root is not None
    assert again.root.public == made.root.public
    assert again.hub_signing.public == made.hub_signing.public
    assert again.opening.public == made.opening.public
    assert from_unpadded(made.master_fingerprint) == made.cross_master.public.raw
    publics = {key.public.raw for key in (made.root, made.hub_signing, made.cross_master, made.cross_self, made.cross_user)}
    assert len(publics) == 5
    assert made.hub_signing.reveal().hex() not in repr(made)
    assert repr(made.olm_rows) not in repr(made)
    ring.delete(HUB_SIGNING)
    with pytest.raises(KeyMissing) as caught:
        load_identity(ring)
    assert HUB_SIGNING in str(caught.value)


def test_roots_may_stay_offline(rows: WrappedRows) -> None:
    ring = Keyring("cem-lima", KEK, rows)
    assert create_identity(ring, root_here=False).root is None
    assert not ring.has(ROOT)


def test_index_keys_differ_by_field(rows: WrappedRows) -> None:
    ring = Keyring("cem-lima", KEK, rows)
    assert index_key(ring, "phone") == index_key(ring, "phone") != index_key(ring, "name")


def test_n8_device_ids_are_random_base32() -> None:
    ids = {new_device_id() for _ in range(500)}
    assert len(ids) == 500
    assert all(len(each) == 10 and set(each) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for each in ids)
