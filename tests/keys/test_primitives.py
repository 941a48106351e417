"""The arithmetic: known answers from outside, and secrets that do not spill."""

import copy
import dataclasses
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import primitives as p
from keys.errors import BadSignature, CannotOpen, UnsupportedLibrary, WrongKey


def test_self_test_passes_here() -> None:
    p.self_test()


def test_self_test_refuses_another_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(p, "HPKE_OVERHEAD", 48)
    with pytest.raises(UnsupportedLibrary):
        p.self_test()


def test_self_test_refuses_a_library_without_the_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("cryptography.hazmat.primitives.hpke.Suite")
    with pytest.raises(UnsupportedLibrary):
        p.self_test()


def test_self_test_refuses_info_that_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    real_seal, real_open = p.hpke_seal, p.hpke_open
    monkeypatch.setattr(p, "hpke_seal", lambda to, plaintext, info: real_seal(to, plaintext, b""))
    monkeypatch.setattr(p, "hpke_open", lambda key, sealed, info: real_open(key, sealed, b""))
    with pytest.raises(UnsupportedLibrary):
        p.self_test()


@pytest.mark.parametrize("name", ["_KNOWN_HINT", "hpke_open", "aead_open"])
def test_self_test_looks_at_each_part(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    wrong: object = "0" * 16 if name == "_KNOWN_HINT" else lambda *_: b"something else"
    monkeypatch.setattr(p, name, wrong)
    with pytest.raises(UnsupportedLibrary):
        p.self_test()


def test_ed25519_rfc8032_test_1() -> None:
    key = p.SigningKey(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
    assert key.public.raw.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb882")


def test_opening_key_expands_its_seed_as_x_wing_does() -> None:
    """The first bytes of the public key in draft-connolly-cfrg-xwing-kem, appendix C, vector 1."""
    key = p.OpeningKey(bytes.fromhex("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"))
    assert key.public.raw.hex().startswith("e2236b35a8c24b39b10aa1323a96a919a2ced884")


def test_hkdf_rfc5869_case_1() -> None:
    info, salt = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"), bytes.fromhex("000102030405060708090a0b0c")
    out = p.hkdf(b"\x0b" * 22, info=info, salt=salt, length=42)
    assert out.hex().startswith("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")


def test_hmac_rfc4231_case_2() -> None:
    assert p.hmac_sha256(b"Jefe", b"what do ya want for nothing?").hex().startswith("5bdcc146bf60754e6a042426089575c75a003f08")


@pytest.mark.parametrize("kind", [p.SigningKey, p.OpeningKey])
def test_private_keys_do_not_spill(kind: type[p.SigningKey] | type[p.OpeningKey]) -> None:
    key = kind(b"S" * 32)
    assert "SSSS" not in repr(key)
    assert "SSSS" not in str(key)
    assert key.reveal() == b"S" * 32
    for spill in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            spill(key)
    assert not dataclasses.is_dataclass(key)


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_keys_of_a_wrong_length_are_refused(size: int) -> None:
    for make in (p.SigningKey, p.OpeningKey, p.VerifyKey, p.SealingKey):
        with pytest.raises(WrongKey):
            make(bytes(size))
        with pytest.raises(WrongKey):
            make("x" * (1216 if make is p.SealingKey else 32))
    with pytest.raises(WrongKey):
        p.aead_seal(bytes(size), b"", b"")


def test_an_unusable_sealing_key_is_named() -> None:
    good = p.OpeningKey.generate().public.raw
    for raw in (b"\xff" * 1184 + good[1184:], good[:1184] + bytes(32)):
        with pytest.raises(WrongKey):
            p.hpke_seal(p.SealingKey(raw), b"x", b"")


@pytest.mark.parametrize("sealed", [b"", b"x", bytes(1136), bytes(2000)])
def test_rubbish_does_not_open(sealed: bytes) -> None:
    with pytest.raises(CannotOpen):
        p.hpke_open(p.OpeningKey.generate(), sealed, b"")
    with pytest.raises(CannotOpen):
        p.aead_open(bytes(32), sealed, b"")


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_rubbish_signatures_are_refused(signature: bytes) -> None:
    with pytest.raises(BadSignature):
        p.SigningKey.generate().public.verify(b"x", signature)


def test_a_small_order_public_key_verifies_nothing() -> None:
    identity = p.VerifyKey(b"\x01" + bytes(31))
    with pytest.raises(BadSignature):
        identity.verify(b"anything", b"\x01" + bytes(31) + b"\x01" + bytes(31))


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=40), st.binary(min_size=32, max_size=32))
def test_aead_round_trip_and_aad_swap(plaintext: bytes, aad: bytes, key: bytes) -> None:
    sealed = p.aead_seal(key, plaintext, aad)
    assert p.aead_open(key, sealed, aad) == plaintext
    assert p.aead_seal(key, plaintext, aad) != sealed
    with pytest.raises(CannotOpen):
        p.aead_open(key, sealed, aad + b"x")


@given(st.lists(st.binary(max_size=6), max_size=5), st.lists(st.binary(max_size=6), max_size=5))
def test_join_is_injective(a: list[bytes], b: list[bytes]) -> None:
    assert (p.join(*a) == p.join(*b)) == (a == b)


def test_key_names_are_derived_and_differ_by_use() -> None:
    signing, other = p.SigningKey(bytes(32)).public, p.SigningKey(b"1" * 32).public
    assert signing.keyid != other.keyid
    assert len(signing.keyid) == 32
    assert len({signing, other, p.SigningKey(bytes(32)).public}) == 2
    assert len({p.OpeningKey(bytes(32)).public, p.OpeningKey(bytes(32)).public}) == 1
