"""Where a message stands in its line, how much may be under way, and when it is sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.base.errors import PeerFault
from hub.exchange.intake import Place, place
from hub.exchange.pacing import AHEAD, MAX_BUNDLE, RECORDS, bundles, due_again, owed_ack, read_ack, room_for
from hub.exchange.records import Link, Outgoing
from keys import envelope
from keys.envelope import Inner, SignedInner
from keys.primitives import SigningKey

SIGNER = SigningKey.generate()
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def record(epoch: int, sequence: int, kind: str = "say") -> SignedInner:
    inner = Inner(
        message_id=b"0" * 16, sender="csmc-comas", recipient="cem-lima", link="lnk-1", epoch=epoch, sequence=sequence, previous=b"\0" * 32,
        manifest_version=1, kind=kind, body=b"{}", sent_at=0,
    )  # fmt: skip
    return envelope.sign_inner(inner, SIGNER)


def link(**more: int) -> Link:
    return Link(id="lnk-1", peer="csmc-comas", **more)


@given(epoch=st.integers(1, 5), next_in=st.integers(1, 500), ahead=st.integers(-400, 400), newer=st.integers(0, 3))
def test_place_is_exact(epoch: int, next_in: int, ahead: int, newer: int) -> None:
    expected = next_in if newer == 0 else 1
    sequence = max(0, expected + ahead)
    def placed() -> Place:
        return place(link(epoch_in=epoch, next_in=next_in), record(epoch + newer, sequence))

    if sequence > expected + AHEAD:
        with pytest.raises(PeerFault, match="far_ahead"):
            placed()
        return
    found = placed()
    wanted = Place.OLD if sequence < expected else Place.NEXT if sequence == expected else Place.EARLY
    assert found is wanted


def test_an_older_epoch_is_refused() -> None:
    with pytest.raises(PeerFault) as fault:
        place(link(epoch_in=3, next_in=9), record(2, 9))
    assert fault.value.code == "epoch_back"


@pytest.mark.parametrize("kind", ["ack", "resend"])
def test_chores_stand_apart_whatever_their_number(kind: str) -> None:
    assert place(link(epoch_in=3, next_in=9), record(1, 0, kind)) is Place.APART


@given(sent=st.integers(0, 200), acked=st.integers(0, 200))
def test_the_window_never_grows(sent: int, acked: int) -> None:
    acked = min(sent, acked)
    free = room_for(link(next_out=sent + 1, acked_out=acked))
    assert 0 <= free <= RECORDS
    assert free == max(0, RECORDS - (sent - acked))


@given(sizes=st.lists(st.integers(1, 30_000), max_size=60))
def test_bundles_keep_order_lose_nothing_and_fit(sizes: list[int]) -> None:
    rows = [(row(attempts=0), b"x" * size) for size in sizes]
    made = bundles(rows)
    assert [one for bundle in made for one in bundle] == rows
    for bundle in made:
        assert len(bundle) == 1 or sum(len(signed) + 4 for _, signed in bundle) <= MAX_BUNDLE


def row(*, attempts: int, sent: timedelta | None = None) -> Outgoing:
    at = None if sent is None else NOW - sent
    return Outgoing(
        id="out_1", order=1, link="lnk-1", kind="say", ref={}, state="dispatched", not_before=NOW, made_at=NOW, attempts=attempts, sent_at=at
    )  # fmt: skip


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 20), (2, 60), (3, 300), (4, 1800), (50, 1800)])
def test_retries_slow_down(attempts: int, seconds: int) -> None:
    assert not due_again(row(attempts=attempts, sent=timedelta(seconds=seconds - 1)), NOW)
    assert due_again(row(attempts=attempts, sent=timedelta(seconds=seconds)), NOW)


def test_what_was_never_sent_is_due() -> None:
    assert due_again(row(attempts=0), NOW)


def test_an_acknowledgement_rides_and_is_read_back() -> None:
    ((name, value),) = owed_ack(link(epoch_in=2, next_in=8))
    found = read_ack(value)
    assert name == "ack"
    assert found is not None
    assert (found.epoch, found.upto, found.digest) == (2, 7, b"\0" * 32)
    assert owed_ack(link()) == ()
    assert read_ack(None) is None
    assert read_ack(b"otra forma") is None
