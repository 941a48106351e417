"""The tombstone journal: what holds, what does not, and how far it is known to go (R14)."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import journal
from keys.errors import KeysError
from keys.primitives import SigningKey

HERE, STREAM, AT = "cem-prueba", "0123456789abcdef", datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = SigningKey.generate()


def written(*owners: str, here: str = HERE, stream: str = STREAM) -> bytes:
    data, mark = b"", journal.genesis(here, stream)
    for owner in owners:
        line, mark = journal.append(here, mark, owner, AT, KEY)
        data += line
    return data


def test_it_reads_back_as_it_was_written() -> None:
    owners = ["dis_1", "case_2", "hek/2026-11-22", "say_3"]
    found = journal.read(written(*owners), HERE, STREAM, KEY.public)
    assert [one.owner for one, _ in found] == owners
    assert {one.at for one, _ in found} == {AT}
    assert journal.end(found, HERE, STREAM).size == 4
    assert journal.read(b"", HERE, STREAM, KEY.public) == []


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_no_change_in_what_it_says_goes_unseen_but_a_cut_at_a_line(data: st.DataObject) -> None:
    whole = written("dis_1", "dis_2", "dis_3")
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    with contextlib.suppress(KeysError):
        found = journal.read(changed, HERE, STREAM, KEY.public)
        # An inner signature may be hit: the last one covers all that the lines say. Or the last line's break: then that line is none yet.
        assert [one for one, _ in found] == [one for one, _ in journal.read(whole, HERE, STREAM, KEY.public)][: len(found)]
        assert len(found) >= 2


@pytest.mark.parametrize("change", [
    lambda lines: lines[1:], lambda lines: lines[:1] + lines[2:], lambda lines: [lines[1], lines[0], lines[2]], lambda lines: [*lines, lines[2]],
])  # fmt: skip
def test_lines_are_neither_left_out_nor_moved_nor_said_twice(change: object) -> None:
    lines = written("a", "b", "c").splitlines(keepends=True)
    with pytest.raises(KeysError) as caught:
        journal.read(b"".join(change(lines)), HERE, STREAM, KEY.public)
    assert caught.value.code == "backup.journal_broken"


def test_another_institutions_streams_or_signers_lines_do_not_hold() -> None:
    for data in (written("a", here="otra"), written("a", stream="f" * 16)):
        with pytest.raises(KeysError):
            journal.read(data, HERE, STREAM, KEY.public)
    with pytest.raises(KeysError):
        journal.read(written("a"), HERE, STREAM, SigningKey.generate().public)


def test_a_pulse_says_how_far_it_goes() -> None:
    mark = journal.end(journal.read(written("a", "b"), HERE, STREAM, KEY.public), HERE, STREAM)
    told = journal.sign_pulse(HERE, mark, AT, KEY)
    assert journal.read_pulse(told, HERE, KEY.public) == (mark, AT)
    for here, key in (("otra", KEY), (HERE, SigningKey.generate())):
        with pytest.raises(KeysError):
            journal.read_pulse(told, here, key.public)


def test_an_owner_is_a_short_printable_id() -> None:
    for owner in ("", "two words", "x" * 201, "line\nbreak"):
        with pytest.raises(KeysError):
            journal.append(HERE, journal.genesis(HERE, STREAM), owner, AT, KEY)
