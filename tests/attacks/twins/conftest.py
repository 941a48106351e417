"""What makes hubs in memory quick to build."""

from __future__ import annotations

import hashlib

import pytest

from keys import shortcode


@pytest.fixture(autouse=True)
def _cheap_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairing derives its short code slowly on purpose; here nobody guesses codes, and every test pairs three hubs."""
    monkeypatch.setattr(shortcode, "argon2id", lambda *given, **more: hashlib.sha512(repr((given, more)).encode()).digest()[:32])
