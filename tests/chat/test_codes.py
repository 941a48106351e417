"""Codes: one slip never names somebody else's case."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cases.codes import ALPHABET, is_case, looks_like_code, new_code, parse_code

codes = st.builds(
    lambda prefix, seed: new_code(prefix, random.Random(seed).randrange), st.sampled_from("CR"), st.integers(0, 10**9)
)


def test_the_alphabet_has_31_letters_and_none_that_are_confused() -> None:
    assert len(set(ALPHABET)) == 31
    assert not set(ALPHABET) & set("01ILO")


@given(codes)
def test_a_new_code_reads_back(code: str) -> None:
    assert parse_code(code) == code
    assert looks_like_code(code)
    assert is_case(code) == (code[0] == "C")


@given(codes, st.data())
def test_every_single_error_is_caught(code: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(2, 6))
    other = data.draw(st.sampled_from([c for c in ALPHABET if c != code[place]]))
    wrong = code[:place] + other + code[place + 1 :]
    assert parse_code(wrong) is None
    assert looks_like_code(wrong)


@given(codes, st.integers(2, 6), st.integers(2, 6))
def test_every_swap_is_caught(code: str, a: int, b: int) -> None:
    letters = list(code)
    letters[a], letters[b] = letters[b], letters[a]
    if "".join(letters) != code:
        assert parse_code("".join(letters)) is None


@given(codes)
def test_a_case_code_is_never_also_a_referral_code(code: str) -> None:
    assert parse_code(("R" if code[0] == "C" else "C") + code[1:]) is None


@given(
    codes,
    st.sampled_from(
        [
            str.lower,
            lambda c: c.replace("-", ""),
            lambda c: c.replace("-", " "),
            lambda c: c.replace("-", "–"),
            lambda c: f" {c[:4]} {c[4:]} ",
            lambda c: f"«{c}».",
            lambda c: f"**{c}**",
        ]
    ),
)
def test_case_spaces_and_dashes_do_not_matter(code: str, written: object) -> None:
    assert callable(written)
    assert parse_code(written(code)) == code


@pytest.mark.parametrize(
    "text", ["cercas", "contar", "carta", "rápido", "C", "", "R-", "refiere", "casa 12", "999 111 222", "c-section"]
)
def test_ordinary_words_are_no_codes(text: str) -> None:
    assert parse_code(text) is None
    assert not looks_like_code(text)


@pytest.mark.parametrize("text", ["C-7QO4M", "C-1234", "C-12345", "c7qk4", "C-7QK4MM"])
def test_letters_that_do_not_exist_and_wrong_lengths_are_mistyped_codes(text: str) -> None:
    assert parse_code(text) is None
    assert looks_like_code(text) or text == "c7qk4"


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert parse_code(text) is None or looks_like_code(text)
