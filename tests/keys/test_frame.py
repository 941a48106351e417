"""The frame is strict both ways."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.errors import KeysError, Malformed, TooLarge
from keys.frame import MAX_FRAME, Inner, frame, parse_frame
from keys.vectors.generate import sample_inner

IDS = st.from_regex(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", fullmatch=True)
KINDS = st.from_regex(r"[a-z](?:[a-z0-9._-]{0,62}[a-z0-9])?", fullmatch=True)
LINKS = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9._~-]{0,126}[A-Za-z0-9])?", fullmatch=True)
EXTENSIONS = st.dictionaries(KINDS, st.binary(max_size=40), max_size=5).map(lambda found: tuple(sorted(found.items())))
INNERS = st.builds(
    Inner,
    message_id=st.binary(min_size=16, max_size=16),
    sender=IDS,
    recipient=IDS,
    link=LINKS,
    epoch=st.integers(0, 2**32 - 1),
    sequence=st.integers(0, 2**53 - 1),
    previous=st.binary(min_size=32, max_size=32),
    manifest_version=st.integers(0, 2**32 - 1),
    kind=KINDS,
    body=st.binary(max_size=300),
    sent_at=st.integers(0, 2**53 - 1),
    checkpoint=st.binary(max_size=60),
    extensions=EXTENSIONS,
)


@given(INNERS)
def test_round_trip(inner: Inner) -> None:
    data = frame(inner)
    assert parse_frame(data) == inner
    assert frame(parse_frame(data)) == data


@settings(max_examples=300)
@given(INNERS, st.data())
def test_a_changed_frame_is_refused_or_prints_back_identically(inner: Inner, data: st.DataObject) -> None:
    raw = bytearray(frame(inner))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.integers(0, 255))
    try:
        found = parse_frame(bytes(raw))
    except KeysError:
        return
    assert frame(found) == bytes(raw)


def test_ten_thousand_random_inputs_raise_nothing_but_the_family() -> None:
    """Half of them pure noise, half a true frame with noise in it, so that deep fields are reached too."""
    good, parsed = frame(sample_inner()), 0
    for number in range(10_000):
        noise = hashlib.shake_256(b"noise %d" % number).digest(400)
        data = noise[: noise[0] * 2] if number % 2 else _disturbed(good, noise)
        try:
            found = parse_frame(data)
        except KeysError:
            continue
        parsed += 1
        assert frame(found) == data
    assert parsed > 100


def _disturbed(good: bytes, noise: bytes) -> bytes:
    """`good` with up to three short stretches replaced by other short ones."""
    data = bytearray(good)
    for turn in range(noise[0] % 3 + 1):
        where, cut, put, *fresh = noise[1 + turn * 10 : 11 + turn * 10]
        at = where * len(data) // 256
        data[at : at + cut % 3] = bytes(fresh[: put % 3])
    return bytes(data)


def test_every_truncation_is_refused() -> None:
    data = frame(sample_inner())
    for size in range(len(data)):
        with pytest.raises(KeysError):
            parse_frame(data[:size])


def test_unknown_extensions_are_kept() -> None:
    inner = sample_inner(extensions=(("aa", b"1"), ("from-the-future", b"2")))
    assert parse_frame(frame(inner)).extension("from-the-future") == b"2"
    assert parse_frame(frame(inner)).extension("absent") is None


@pytest.mark.parametrize(
    "change",
    [
        {"sender": "CEM"},
        {"sender": ""},
        {"recipient": "a|b"},
        {"recipient": "a/b"},
        {"link": "a b"},
        {"kind": "Offer"},
        {"message_id": b"short"},
        {"previous": b""},
        {"epoch": -1},
        {"epoch": 2**32},
        {"epoch": True},
        {"sequence": 2**53},
        {"sent_at": -1},
        {"extensions": (("b", b""), ("a", b""))},
        {"extensions": (("a", b""), ("a", b""))},
        {"extensions": tuple((f"k{n:02}", b"") for n in range(17))},
        {"extensions": (("a", "text"),)},
    ],
)
def test_impossible_values_are_refused_when_made(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        replace(sample_inner(), **change)


def test_too_large_is_said_so() -> None:
    room = MAX_FRAME - len(frame(sample_inner(body=b"")))
    most = frame(sample_inner(body=bytes(room)))
    assert len(most) == MAX_FRAME
    assert frame(parse_frame(most)) == most
    with pytest.raises(TooLarge):
        frame(sample_inner(body=bytes(room + 1)))
    with pytest.raises(TooLarge):
        frame(sample_inner(body=bytes(32 * 1024)))
