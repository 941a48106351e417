"""What makes hubs in memory quick to build."""

from __future__ import annotations

import hashlib

import pytest

from hub.testing.twin import TwinNetwork
from keys import shortcode
from tests.attacks.twins.bench import CEM, CSMC, OTRA


@pytest.fixture(autouse=True)
def _cheap_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairing derives its short code slowly on purpose; here nobody guesses codes, and every test pairs three hubs."""
    monkeypatch.setattr(shortcode, "argon2id", lambda *given, **more: hashlib.sha512(repr((given, more)).encode()).digest()[:32])


@pytest.fixture
def net() -> TwinNetwork:
    """Three institutions that are paired; the second has an administrator, who hears its alarms."""
    made = TwinNetwork((CEM, "emergency_centre"), (CSMC, "mental_health_centre"), (OTRA, "community_organisation"))
    made.settle()
    made[CSMC].enrol("jefa", role="administrator")
    return made
