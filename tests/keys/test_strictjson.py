"""I08: one parser, strict."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import strictjson
from keys.errors import KeysError, Malformed, TooLarge

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
LEAF = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUES = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=20)


@given(VALUES)
def test_what_prints_parses_back(value: Any) -> None:
    data = strictjson.dumps(value)
    assert strictjson.loads(data) == value
    assert strictjson.dumps(strictjson.loads(data)) == data
    assert json.loads(data) == value


@settings(max_examples=500)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0dc8e1-+.NaI \n', max_size=40).map(str.encode))
def test_rubbish_raises_nothing_but_the_family(data: bytes) -> None:
    try:
        value = strictjson.loads(data)
    except KeysError:
        return
    assert json.loads(data) == value


def test_depth_of_a_hundred_thousand_is_refused_before_the_parser_recurses() -> None:
    for text in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 100_000 + b"]" * 100_000):
        assert len(text) > sys.getrecursionlimit()
        with pytest.raises(Malformed) as caught:
            strictjson.loads(text)
        assert caught.value.code == "json.depth"


def test_the_deepest_allowed_container_may_hold_values() -> None:
    text = b"[" * 32 + b'1,"[["' + b"]" * 32
    assert strictjson.dumps(strictjson.loads(text)) == text
    with pytest.raises(Malformed):
        strictjson.dumps([strictjson.loads(text)])


def test_size_is_checked_first() -> None:
    with pytest.raises(TooLarge):
        strictjson.loads(b"[" * 101, max_bytes=100)
    assert strictjson.loads(b"1" * 10, max_bytes=10) == 1_111_111_111


@pytest.mark.parametrize("number", [2**53 - 1, -(2**53) + 1])
def test_the_outermost_integers_are_read(number: int) -> None:
    assert strictjson.loads(str(number).encode()) == number
    beyond = number + (1 if number > 0 else -1)
    with pytest.raises(Malformed):
        strictjson.loads(str(beyond).encode())


def test_a_million_digits_cost_nothing() -> None:
    with pytest.raises(Malformed):
        strictjson.loads(b"9" * 1_000_000)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800", "\0", {1: 2}, {"a": b""}, {("a",): 1}, {1, 2}])
def test_dumps_refuses_what_loads_would(value: Any) -> None:
    with pytest.raises(Malformed):
        strictjson.dumps(value)


def test_dumps_refuses_a_circle() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(Malformed):
        strictjson.dumps(circle)


def test_messages_do_not_repeat_the_content() -> None:
    for text in (b'{"canary":1,"canary":2}', b'{"canary"}', b'"canary\xff"'):
        with pytest.raises(Malformed) as caught:
            strictjson.loads(text)
        assert "canary" not in str(caught.value)


@pytest.mark.parametrize("unit", [b'\\"', b'"\\', b'"', b'"\\"[', b"[]", b'"[",'])
def test_scanning_takes_steps_in_proportion_to_length(unit: bytes) -> None:
    """Half a megabyte of each: what scans in the square of the length would not end within the test's time limit."""
    try:
        strictjson.loads(unit * (500_000 // len(unit)))
    except Malformed:
        return
    pytest.fail("this is not JSON")
