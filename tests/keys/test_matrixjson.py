"""Matrix canonical JSON and signatures, against the specification's own vectors (appendices, Cryptographic test vectors)."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import matrixjson as m
from keys.errors import BadSignature, KeysError, Malformed
from keys.primitives import SigningKey

SPEC = SigningKey(base64.b64decode("YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1="))


@pytest.mark.parametrize(
    ("obj", "signature"),
    [
        ({}, "K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ"),
        ({"one": 1, "two": "Two"}, "KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"),
    ],
)
def test_specification_vectors(obj: dict[str, Any], signature: str) -> None:
    signed = m.sign_json(obj, "domain", "ed25519:1", SPEC)
    assert signed == {**obj, "signatures": {"domain": {"ed25519:1": signature}}}
    m.verify_json(signed, "domain", "ed25519:1", SPEC.public)


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        ({}, b"{}"),
        ({"two": "Two", "one": 1}, b'{"one":1,"two":"Two"}'),
        ({"b": "2", "a": "1"}, b'{"a":"1","b":"2"}'),
        ({"a": "日本語"}, '{"a":"日本語"}'.encode()),
        ({"本": 2, "日": 1}, '{"日":1,"本":2}'.encode()),
        ({"a": None, "b": False}, b'{"a":null,"b":false}'),
    ],
)
def test_specification_canonical_examples(obj: dict[str, Any], text: bytes) -> None:
    assert m.canonical(obj) == text


def test_unsigned_and_signatures_are_left_out_and_others_kept() -> None:
    device = {
        "user_id": "@hub:sample.invalid",
        "unsigned": {"x": 1},
        "signatures": {"@hub:sample.invalid": {"ed25519:DEV": "other"}},
    }
    signed = m.sign_json(device, "@hub:sample.invalid", "ed25519:S", SPEC)
    assert signed["signatures"]["@hub:sample.invalid"]["ed25519:DEV"] == "other"
    assert "ed25519:S" not in device["signatures"]["@hub:sample.invalid"]
    m.verify_json({**signed, "unsigned": {"y": 2}}, "@hub:sample.invalid", "ed25519:S", m.unpadded(SPEC.public.raw))
    with pytest.raises(BadSignature):
        m.verify_json({**signed, "user_id": "@x:sample.invalid"}, "@hub:sample.invalid", "ed25519:S", SPEC.public)


def test_padded_signatures_and_keys_are_refused() -> None:
    signed = m.sign_json({}, "u", "ed25519:1", SPEC)
    signed["signatures"]["u"]["ed25519:1"] += "=="
    with pytest.raises(Malformed):
        m.verify_json(signed, "u", "ed25519:1", SPEC.public)
    with pytest.raises(Malformed):
        m.as_key(m.unpadded(SPEC.public.raw) + "=")


@pytest.mark.parametrize(
    "signatures", [None, [], "x", {}, {"u": None}, {"u": []}, {"u": {"ed25519:1": 7}}, {"u": {"ed25519:1": ""}}]
)
def test_forged_shapes_are_a_plain_no(signatures: Any) -> None:
    assert not m.is_signed({"signatures": signatures}, "u", "ed25519:1", SPEC.public)
    assert not m.is_signed({}, "u", "ed25519:1", b"short")


@pytest.mark.parametrize("value", [1.5, float("nan"), 2**53, b"", "\ud800"])
def test_values_canonical_json_does_not_have(value: Any) -> None:
    with pytest.raises(KeysError):
        m.canonical({"a": [value]})


@given(st.binary(max_size=80))
def test_unpadded_round_trip(data: bytes) -> None:
    assert m.from_unpadded(m.unpadded(data)) == data


@pytest.mark.parametrize("text", ["A", "AB", "AA==", "A-A_", "A A", "ñ", 7, None, "AAAA\n"])
def test_other_spellings_are_refused(text: Any) -> None:
    with pytest.raises(Malformed):
        m.from_unpadded(text)
