"""C07: every change of the ledger shows, without showing what it tells of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import ledger
from keys.errors import BadSignature, KeysError, LedgerBroken, Malformed
from keys.primitives import SigningKey
from keys.vectors.generate import sample_entry

START = ledger.genesis("cem-lima")
HUB = SigningKey(b"h" * 32)
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def chain(size: int) -> list[ledger.Row]:
    rows, head = [], START
    for number in range(size):
        rows.append(ledger.append(head, sample_entry(number)))
        head = rows[-1].head
    return rows


@given(st.integers(0, 12))
def test_a_whole_chain_holds(size: int) -> None:
    assert ledger.verify(chain(size), START).size == size


@settings(max_examples=200)
@given(st.integers(1, 6), st.data())
def test_c07_one_changed_byte_anywhere_breaks_it(size: int, data: st.DataObject) -> None:
    rows = chain(size)
    at = data.draw(st.integers(0, size - 1))
    name = data.draw(st.sampled_from(["entry", "hash", "previous"]))
    value = bytearray(getattr(rows[at], name))
    value[data.draw(st.integers(0, len(value) - 1))] ^= data.draw(st.integers(1, 255))
    changed: dict[str, Any] = {name: bytes(value)}
    rows[at] = replace(rows[at], **changed)
    with pytest.raises(LedgerBroken):
        ledger.verify(rows, START)


def test_c07_a_truncated_chain_is_caught_by_the_peers_checkpoint() -> None:
    rows = chain(5)
    held = rows[4].head
    assert ledger.verify(rows[:3], START) != held
    digests = [ledger.entry_digest(row.entry) for row in rows]
    assert ledger.extends(rows[1].head, held, digests[2:])
    assert ledger.extends(held, held, [])
    assert not ledger.extends(rows[1].head, held, digests[3:])
    assert not ledger.extends(rows[1].head, held, [*digests[2:], digests[0]])
    assert not ledger.extends(held, rows[1].head, [])


def test_a_rewritten_chain_does_not_extend_the_old_one() -> None:
    old, head, new = chain(4), START, []
    for number in (0, 7, 2, 3, 4):
        new.append(ledger.append(head, sample_entry(number)))
        head = new[-1].head
    digests = [ledger.entry_digest(row.entry) for row in new]
    assert ledger.verify(new, START) == head
    assert not ledger.extends(old[3].head, head, digests[4:])


def test_chains_of_two_institutions_differ_from_the_start() -> None:
    assert ledger.genesis("csmc-comas") != START
    with pytest.raises(LedgerBroken):
        ledger.verify(chain(1), ledger.genesis("csmc-comas"))


def test_entries_round_trip_and_refuse_other_spellings() -> None:
    entry = sample_entry(1)
    assert ledger.Entry.from_bytes(entry.to_bytes()) == replace(entry, fields=("need", "social_name"))
    for bad in (b"{}", b"[]", b"1", entry.to_bytes() + b" ", entry.to_bytes().replace(b'"disclose"', b"1")):
        with pytest.raises(KeysError):
            ledger.Entry.from_bytes(bad)


def test_without_its_key_a_reference_tells_nothing() -> None:
    one, two = ledger.case_reference(b"1" * 32, "C-7QK4"), ledger.case_reference(b"2" * 32, "C-7QK4")
    assert one != two
    assert one == ledger.case_reference(b"1" * 32, "C-7QK4")
    assert ledger.message_reference(b"1" * 32, b"C-7QK4") != one
    assert b"7QK4" not in sample_entry(0).to_bytes()


def test_checkpoints_round_trip_and_refuse_every_changed_byte() -> None:
    point = ledger.Checkpoint(institution="cem-lima", head=chain(3)[-1].head, at=NOW)
    data = ledger.sign_checkpoint(point, HUB)
    assert len(data) < 220
    assert ledger.verify_checkpoint(data, "cem-lima", [HUB.public]) == point
    for at in range(len(data)):
        with pytest.raises(KeysError):
            ledger.verify_checkpoint(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :], "cem-lima", [HUB.public])
        with pytest.raises(KeysError):
            ledger.verify_checkpoint(data[:at], "cem-lima", [HUB.public])
    with pytest.raises(Malformed):
        ledger.verify_checkpoint(data, "csmc-comas", [HUB.public])
    with pytest.raises(BadSignature):
        ledger.verify_checkpoint(data, "cem-lima", [SigningKey.generate().public])


def test_a_signed_impossible_time_stays_in_the_family() -> None:
    far = ledger.Checkpoint(institution="cem-lima", head=START, at=datetime.max.replace(tzinfo=UTC) - timedelta(days=1))
    assert ledger.verify_checkpoint(ledger.sign_checkpoint(far, HUB), "cem-lima", [HUB.public])
