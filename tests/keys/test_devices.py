"""Device statements under attack (N12). Accept and refuse rows stand in vectors/devices.json."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import devices
from keys.errors import DevicesRefused, KeysError, Malformed
from keys.manifest import Manifest, make_manifest
from keys.primitives import SigningKey
from keys.vectors.generate import NOW, sample_devices, sample_profile, signer, stated_device

ROOT, HUB = signer("cem-lima root"), signer("cem-lima hub")
FIRST = Manifest.from_bytes(make_manifest(sample_profile(), [ROOT]))
KEPT = devices.sign_devices(sample_devices("one"), HUB)


def test_n12_a_restored_hub_states_its_new_device() -> None:
    found = devices.accept_devices(b"", KEPT, FIRST, NOW)
    assert found == sample_devices("one")
    assert found.devices != (devices.manifest_device(FIRST),)
    assert len(KEPT) < devices.MAX_BYTES
    assert len(devices.sign_devices(sample_devices("a", "b", "c", "d"), HUB)) < devices.MAX_BYTES


def test_what_a_key_stated_falls_with_the_key() -> None:
    """HSK stolen: the thief's statement counts until the manifest that leaves the key out, and then not even its number stands in the way."""
    thief = devices.sign_devices(sample_devices("thief", number=devices.next_number(NOW + timedelta(hours=20))), HUB)
    assert devices.kept_devices(thief, FIRST) is not None
    fresh = SigningKey.generate()
    two = replace(sample_profile(), version=2, previous=FIRST.digest, hub_signing=(fresh.public,))
    second = Manifest.from_bytes(make_manifest(two, [ROOT]))
    assert devices.kept_devices(thief, second) is None
    ours = devices.sign_devices(sample_devices("ours"), fresh)
    assert devices.accept_devices(thief, ours, second, NOW) == sample_devices("ours")
    with pytest.raises(DevicesRefused) as refused:
        devices.accept_devices(ours, thief, second, NOW)
    assert refused.value.code == "devices.signature"


def test_numbers_grow_also_when_the_clock_went_back() -> None:
    assert devices.next_number(NOW) < devices.next_number(NOW + timedelta(milliseconds=1))
    late = devices.next_number(NOW + timedelta(days=1))
    assert devices.next_number(NOW, late) == late + 1


@pytest.mark.parametrize(
    "change",
    [
        {"device_id": "short"},
        {"device_id": "ABCDEFGHI1"},
        {"ed25519": "="},
        {"curve25519": "B" * 44},
    ],
)
def test_malformed_devices_are_never_made(change: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        replace(stated_device("one"), **change)


def test_each_device_once_and_four_at_most() -> None:
    one = stated_device("one")
    for listed in ((), (one, one), (one, replace(one, device_id="ABCDEFGHIJ")), tuple(stated_device(name) for name in "abcde")):
        with pytest.raises(Malformed):
            replace(sample_devices(), devices=listed)
    for number in (0, -1, 2**53, True, 1.0):
        with pytest.raises(Malformed):
            replace(sample_devices(), number=number)


@given(st.integers(0, len(KEPT) - 1), st.integers(1, 255))
def test_no_changed_byte_is_accepted(at: int, by: int) -> None:
    changed = KEPT[:at] + bytes([KEPT[at] ^ by]) + KEPT[at + 1 :]
    with pytest.raises(KeysError):
        devices.accept_devices(b"", changed, FIRST, NOW)
