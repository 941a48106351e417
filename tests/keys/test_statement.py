"""Signed bytes: domain, threshold, strict wrapper."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import statement, strictjson
from keys.errors import BadSignature, KeysError, Malformed, TooLarge
from keys.primitives import SigningKey

A, B, C = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3))
KINDS = st.from_regex(r"[a-z](?:[a-z0-9.-]{0,6}[a-z0-9])?", fullmatch=True)


@given(KINDS, st.binary(max_size=50), KINDS, st.binary(max_size=50))
def test_no_two_promises_share_bytes(kind_a: str, a: bytes, kind_b: str, b: bytes) -> None:
    assert (statement.message(kind_a, a) == statement.message(kind_b, b)) == ((kind_a, a) == (kind_b, b))


@given(st.binary(max_size=200))
def test_round_trip(payload: bytes) -> None:
    made = statement.sign("receipt", payload, A, B)
    read = statement.Statement.from_bytes(made.to_bytes())
    assert read == made
    assert statement.verify("receipt", read, [B.public, A.public], threshold=2) == payload


def test_one_key_counts_once_however_often_it_is_listed() -> None:
    made = statement.sign("receipt", b"x", A, A)
    assert len(made.signatures) == 1
    with pytest.raises(BadSignature):
        statement.verify("receipt", made, [A.public, A.public], threshold=2)


def test_a_signature_under_another_keys_name_does_not_count() -> None:
    (mine,) = statement.sign("receipt", b"x", A).signatures
    forged = statement.Signature(keyid=B.public.keyid, sig=mine.sig)
    with pytest.raises(BadSignature):
        statement.verify("receipt", statement.Statement(payload=b"x", signatures=(forged,)), [A.public, B.public])


def test_roots_sign_one_after_another() -> None:
    made = statement.sign("manifest", b"x", A)
    grown = statement.add_signature("manifest", statement.add_signature("manifest", made, C), C)
    assert len(grown.signatures) == 2
    assert statement.verify("manifest", grown, [A.public, B.public, C.public], threshold=2) == b"x"


def test_every_changed_byte_of_the_wrapper_is_refused_or_means_the_same() -> None:
    data = statement.sign("receipt", b"payload", A).to_bytes()
    for at in range(len(data)):
        for flip in (1, 32):
            changed = data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]
            with pytest.raises(KeysError):
                statement.verify("receipt", statement.Statement.from_bytes(changed), [A.public])


@settings(max_examples=300)
@given(st.binary(max_size=120))
def test_rubbish_raises_nothing_but_the_family(data: bytes) -> None:
    with pytest.raises(KeysError):
        statement.Statement.from_bytes(data)


@pytest.mark.parametrize("kind", ["", "A", "a b", "é", "a" * 65, "a\n"])
def test_kinds_are_plain_names(kind: str) -> None:
    with pytest.raises(Malformed):
        statement.message(kind, b"")


@pytest.mark.parametrize("sigs", [[1], ["x"], [{}], [{"keyid": 1, "sig": ""}], [{"keyid": "a", "sig": "AA=="}], {}, None, [None]])
def test_other_shapes_of_signatures_are_refused(sigs: object) -> None:
    with pytest.raises(Malformed):
        statement.Statement.from_bytes(strictjson.dumps({"payload": "", "sigs": sigs}))
    for whole in ([], ["payload", "sigs"], "x", {"payload": ""}, {"payload": 1, "sigs": []}):
        with pytest.raises(Malformed):
            statement.Statement.from_bytes(strictjson.dumps(whole))


def test_sixteen_signatures_and_no_more() -> None:
    keys = [SigningKey(bytes([n]) * 32) for n in range(17)]
    most = statement.sign("receipt", b"", *keys[:16]).to_bytes()
    assert len(statement.Statement.from_bytes(most).signatures) == 16
    with pytest.raises(TooLarge):
        statement.Statement.from_bytes(statement.sign("receipt", b"", *keys).to_bytes())
