"""Bodies: what is written is what is read, strictly; and no bytes a peer could send do more than be refused."""

from __future__ import annotations

import dataclasses
import json
import random
import typing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.base.errors import PeerFault
from hub.exchange import wire

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**53) + 1, 2**53 - 1),
    bool: st.booleans(),
    bytes: st.binary(max_size=200),
    datetime: st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(lambda d: d.replace(microsecond=0)),
    tuple: st.lists(TEXT, max_size=5).map(tuple),
    dict: st.dictionaries(TEXT, st.dictionaries(TEXT, TEXT, max_size=2), max_size=3),
}
KINDS = sorted(wire.KINDS)


def fields_of(kind: str) -> dict[str, Any]:
    hints = typing.get_type_hints(wire.KINDS[kind])
    return {f.name: typing.get_origin(hints[f.name]) or hints[f.name] for f in dataclasses.fields(wire.KINDS[kind])}


@st.composite
def a_body(draw: st.DrawFn) -> wire.Body:
    kind = draw(st.sampled_from(KINDS))
    return wire.KINDS[kind](**{name: draw(BY_TYPE[hint]) for name, hint in fields_of(kind).items()})


@given(body=a_body())
@settings(max_examples=400)
def test_what_is_written_is_read(body: wire.Body) -> None:
    assert wire.decode(body.kind, wire.encode(body)) == body


@given(body=a_body(), extra=st.dictionaries(TEXT.map(lambda t: f"x_{t}"), JSON, min_size=1, max_size=3))
def test_a_newer_hub_may_say_more(body: wire.Body, extra: dict[str, Any]) -> None:
    table = json.loads(wire.encode(body)) | extra
    assert wire.decode(body.kind, json.dumps(table, ensure_ascii=False).encode()) == body


@given(body=a_body(), data=st.data())
def test_a_missing_key_is_refused(body: wire.Body, data: st.DataObject) -> None:
    table = json.loads(wire.encode(body))
    del table[data.draw(st.sampled_from(sorted(table)))]
    with pytest.raises(PeerFault) as fault:
        wire.decode(body.kind, json.dumps(table).encode())
    assert fault.value.code == "bad_body"


@given(body=a_body(), data=st.data())
@settings(max_examples=300)
def test_a_wrong_type_is_refused(body: wire.Body, data: st.DataObject) -> None:
    table = json.loads(wire.encode(body))
    name = data.draw(st.sampled_from(sorted(table)))
    right = type(table[name])
    table[name] = data.draw(JSON.filter(lambda value: type(value) is not right))
    with pytest.raises(PeerFault):
        wire.decode(body.kind, json.dumps(table).encode())


@pytest.mark.parametrize("kind", KINDS)
def test_true_is_no_number_and_a_number_is_no_truth(kind: str) -> None:
    for name, hint in fields_of(kind).items():
        if hint in (int, bool):
            table = {n: ({} if h is dict else [] if h is tuple else 1 if h is int else True if h is bool else "") for n, h in fields_of(kind).items()}
            table[name] = True if hint is int else 1
            with pytest.raises(PeerFault):
                wire.decode(kind, json.dumps(table).encode())


@pytest.mark.parametrize("table", [
    {"text": "a" * (wire.MAX_TEXT + 1)}, {"by": "a" * (wire.MAX_TEXT + 1)}, {"text": "nul\0"}, {"text": "\ud800"},
])  # fmt: skip
def test_overlong_and_unstorable_text_is_refused(table: dict[str, str]) -> None:
    with pytest.raises(PeerFault):
        wire.decode("say", json.dumps({"referral": "r", "text": "t", "by": "b"} | table).encode())


def test_overlong_lists_and_bodies_are_refused() -> None:
    whole = {"referral": "r", "disclosure": "d", "dropped": ["x"] * (wire.MAX_ITEMS + 1), "why": ""}
    with pytest.raises(PeerFault):
        wire.decode("report", json.dumps(whole).encode())
    with pytest.raises(PeerFault):
        wire.decode("say", json.dumps({"referral": "r", "text": "t", "by": "b", "x": "a" * wire.MAX_BODY}).encode())


@pytest.mark.parametrize("when", ["2026-11-23T10:00:00", "ayer", "", "0001-01-01T00:00:00+14:00", "2026-13-01T00:00:00+00:00"])
def test_a_time_has_a_zone_and_exists(when: str) -> None:
    table = json.loads(wire.encode(_offer())) | {"respond_by": when}
    with pytest.raises(PeerFault):
        wire.decode("offer", json.dumps(table).encode())


def test_twice_the_same_key_is_refused() -> None:
    with pytest.raises(PeerFault):
        wire.decode("cancel", b'{"referral":"a","referral":"b"}')


def test_a_kind_nobody_knows() -> None:
    with pytest.raises(PeerFault) as fault:
        wire.decode("abracadabra" * 10, b"{}")
    assert fault.value.code == "unknown_kind"
    assert len(str(fault.value.params["kind"])) <= 20


@given(parts=st.lists(st.binary(min_size=1, max_size=50), max_size=6))
def test_a_bundle_comes_apart_as_it_was_packed(parts: list[bytes]) -> None:
    assert wire.unpack(wire.pack(parts)) == parts


@given(data=st.binary(max_size=60))
def test_a_broken_bundle_is_refused_whole(data: bytes) -> None:
    try:
        parts = wire.unpack(data)
    except PeerFault as fault:
        parts, code = [], fault.code
    else:
        code = "whole"
    assert code == "bad_bundle" or (code == "whole" and wire.pack(parts) == data)


@given(name=st.text(st.characters(codec="ascii"), max_size=100), sealed=st.binary(max_size=80))
def test_a_box_names_whose_key_opens_it(name: str, sealed: bytes) -> None:
    assert wire.unbox(wire.box(name, sealed)) == (name, sealed)


def test_20_000_mutated_bodies_are_refused_or_well_formed() -> None:
    rand = random.Random(20261123)
    whole = {kind: wire.encode(_some(kind)) for kind in KINDS}
    read = 0
    for _ in range(20_000):
        kind = rand.choice(KINDS)
        data = mutated(rand, whole[rand.choice((kind, kind, rand.choice(KINDS)))])
        try:
            body = wire.decode(kind, data)
        except PeerFault:
            continue
        read += 1
        assert wire.decode(kind, wire.encode(body)) == _to_seconds(body)
    assert 0 < read < 20_000


def mutated(rand: random.Random, data: bytes) -> bytes:
    """Some of its bytes changed, cut out, doubled or replaced by what breaks parsers."""
    found = bytearray(data)
    for _ in range(rand.randint(1, 4)):
        at = rand.randrange(len(found) + 1)
        how = rand.randrange(6)
        if how == 0 and found:
            found[min(at, len(found) - 1)] ^= 1 << rand.randrange(8)
        elif how == 1:
            del found[at : at + rand.randint(1, 20)]
        elif how == 2:
            found[at:at] = found[at : at + rand.randint(1, 30)]
        elif how == 3:
            found[at:at] = rand.choice((b"null", b'"', b"{", b"[", b"1e999", b"\xff", b"\\ud800", b"-0", b"9" * 25, "ñ".encode(), b"\0"))
        elif how == 4:
            found = found[:at]
        else:
            found[at:at] = rand.randbytes(rand.randint(1, 8))
    return bytes(found)


def _to_seconds(body: wire.Body) -> wire.Body:
    changes = {f.name: v.replace(microsecond=0) for f in dataclasses.fields(body) if isinstance(v := getattr(body, f.name), datetime)}
    return replace(body, **changes) if changes else body


def _some(kind: str) -> wire.Body:
    sample: dict[Any, Any] = {
        str: "ref_" + "0" * 24, int: 7, bool: True, bytes: b"llave", datetime: datetime(2026, 11, 23, tzinfo=UTC), tuple: ("es", "qu"),
        dict: {"phone": {"outcome": "release", "value": "999"}},
    }  # fmt: skip
    return wire.KINDS[kind](**{name: sample[hint] for name, hint in fields_of(kind).items()})


def _offer() -> wire.Body:
    return _some("offer")
