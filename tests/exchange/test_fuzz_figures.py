"""T3, T4, T5 on hubs in memory, played small: `python -m bench.attacks envelopes tampering` is the same a hundred times over (P01, X15, D08)."""

from __future__ import annotations

from bench import fuzzing


def test_p01_x15_hostile_envelopes_crash_nothing_lose_nothing_leave_nothing() -> None:
    assert [one.name for one in fuzzing.envelopes(1500) if not one.kept] == []


def test_d08_changed_replayed_and_reordered_envelopes_have_no_effect() -> None:
    found = fuzzing.tampering(500)
    assert {one.tried for one in found} >= {100, 200}
    assert [one.name for one in found if not one.kept] == []
