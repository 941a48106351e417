"""The key store: cells bound to their place, and what destroying a key means (R13, X32)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.casekeys import Cell, DataKeys, KeyCache, MemoryKeyRows
from keys.dailykeys import DailyKeys
from keys.errors import CannotOpen, KeyDestroyed, KeyExists, KeysError, Malformed
from keys.freshness import read_opening_key
from keys.primitives import OpeningKey, SigningKey
from keys.providers.memory import MemoryKek

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CELL = Cell(table="cases", row="1", column="social_name")


class CountingKek(MemoryKek):
    """Counts what a remote provider would be asked."""

    unwrapped = 0

    def unwrap(self, wrapped: bytes, aad: bytes) -> bytes:
        self.unwrapped += 1
        return super().unwrap(wrapped, aad)


def fresh(**options: Any) -> tuple[DataKeys, MemoryKeyRows, CountingKek]:
    rows, kek = MemoryKeyRows(), CountingKek()
    return DataKeys(kek, rows, **options), rows, kek


@settings(deadline=None)
@given(st.binary(max_size=200), st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))
def test_round_trip(plaintext: bytes, table: str, row: str) -> None:
    keys, _, _ = fresh()
    keys.create("case-1", NOW)
    cell = Cell(table=table.replace("\ud800", ""), row=row, column="c")
    assert keys.open("case-1", cell, keys.seal("case-1", cell, plaintext)) == plaintext


def test_c08_a_cell_moved_anywhere_does_not_open() -> None:
    keys, rows, _ = fresh()
    keys.create("case-1", NOW)
    keys.create("case-2", NOW)
    sealed = keys.seal("case-1", CELL, b"value")
    moved = [
        ("case-2", CELL),
        ("case-1", Cell(table="other", row="1", column="social_name")),
        ("case-1", Cell(table="cases", row="2", column="social_name")),
        ("case-1", Cell(table="cases", row="1", column="need")),
        ("case-1", Cell(table="cases1", row="", column="social_name")),
    ]
    for owner, cell in moved:
        with pytest.raises(CannotOpen):
            keys.open(owner, cell, sealed)
    for at in range(len(sealed)):
        with pytest.raises(CannotOpen):
            keys.open("case-1", CELL, sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :])
        with pytest.raises(CannotOpen):
            keys.open("case-1", CELL, sealed[:at])
    rows.put("case-2", rows.get("case-1") or b"", NOW)
    with pytest.raises(CannotOpen):
        keys.open("case-2", CELL, sealed)


def test_destroyed_is_an_answer_and_stays_one() -> None:
    keys, _, _ = fresh()
    keys.create("case-1", NOW)
    sealed = keys.seal("case-1", CELL, b"value")
    assert keys.destroy("case-1")
    assert not keys.destroy("case-1")
    assert not keys.exists("case-1")
    assert keys.owners() == ()
    with pytest.raises(KeyDestroyed):
        keys.open("case-1", CELL, sealed)
    with pytest.raises(KeyDestroyed):
        keys.seal("case-1", CELL, b"")
    with pytest.raises(KeyDestroyed):
        keys.get_secret("case-1")
    keys.create("case-1", NOW)
    with pytest.raises(CannotOpen):
        keys.open("case-1", CELL, sealed)


def test_a_key_destroyed_elsewhere_opens_nothing_from_memory() -> None:
    keys, rows, _ = fresh()
    keys.create("case-1", NOW)
    sealed = keys.seal("case-1", CELL, b"value")
    assert keys.open("case-1", CELL, sealed) == b"value"
    rows.delete("case-1")
    with pytest.raises(KeyDestroyed):
        keys.open("case-1", CELL, sealed)


def test_the_cache_saves_round_trips_stays_small_and_is_cleared() -> None:
    cache = KeyCache(size=3)
    keys, _, kek = fresh(cache=cache)
    for number in range(5):
        keys.create(f"case-{number}", NOW)
        keys.seal(f"case-{number}", CELL, b"x")
    assert len(cache) == 3
    before = kek.unwrapped
    for _ in range(10):
        keys.seal("case-4", CELL, b"x")
    assert kek.unwrapped == before
    keys.destroy("case-4")
    assert len(cache) == 2
    assert cache.get("case-4", b"") is None


def test_an_owner_is_never_given_a_second_key() -> None:
    keys, _, _ = fresh()
    keys.create("case-1", NOW)
    with pytest.raises(KeyExists):
        keys.create("case-1", NOW)
    with pytest.raises(KeyExists):
        keys.put_secret("case-1", bytes(32), NOW)


def test_secrets_are_kept_and_not_confused_with_data_keys() -> None:
    keys, rows, _ = fresh()
    referral = OpeningKey.generate()
    keys.put_secret("referral/R-1/ours", referral.reveal(), NOW)
    keys.create("case-1", NOW)
    assert OpeningKey(keys.get_secret("referral/R-1/ours")).public == referral.public
    assert referral.reveal() not in (rows.get("referral/R-1/ours") or b"")
    with pytest.raises(CannotOpen):
        keys.seal("referral/R-1/ours", CELL, b"x")
    with pytest.raises(CannotOpen):
        keys.get_secret("case-1")
    with pytest.raises(Malformed):
        keys.put_secret("short", b"x", NOW)


@pytest.mark.parametrize("owner", ["", "a\n", "a" * 201])
def test_owners_are_plain(owner: str) -> None:
    keys, _, _ = fresh()
    with pytest.raises(KeysError):
        keys.create(owner, NOW)
    with pytest.raises(KeysError):
        keys.create("x", NOW.replace(tzinfo=None))


def test_daily_keys_live_a_week_and_die() -> None:
    keys, _, _ = fresh()
    long_key = OpeningKey.generate()
    daily = DailyKeys(keys, long_key)
    first = daily.today(NOW)
    assert daily.today(NOW + timedelta(hours=11)).public == first.public
    for day in range(1, 8):
        assert daily.today(NOW + timedelta(days=day)).public != first.public
    assert daily.by_hint(first.public.hint, NOW + timedelta(days=6))[0].public == first.public
    with pytest.raises(CannotOpen):
        daily.by_hint(first.public.hint, NOW + timedelta(days=7))
    assert daily.retired(NOW + timedelta(days=6)) == []
    (dead,) = daily.retired(NOW + timedelta(days=7))
    keys.destroy(dead)
    assert daily.retired(NOW + timedelta(days=7)) == []
    with pytest.raises(CannotOpen):
        daily.by_hint(first.public.hint, NOW)
    assert daily.by_hint(long_key.public.hint, NOW) == (long_key, True)
    keys.create("case-1", NOW)
    assert set(daily.retired(NOW + timedelta(days=700))) == set(keys.owners()) - {"case-1"}


def test_daily_statement_reaches_the_peer() -> None:
    keys, _, _ = fresh()
    daily, hub = DailyKeys(keys, OpeningKey.generate()), SigningKey.generate()
    stated = read_opening_key(daily.statement("cem-lima", NOW, hub), "cem-lima", [hub.public])
    assert stated.key == daily.today(NOW).public
    assert stated.starts == NOW.replace(hour=0)
