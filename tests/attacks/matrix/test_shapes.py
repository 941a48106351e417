"""X33: what a homeserver writes around an event, outside of every signature, may have any shape."""

from __future__ import annotations

from typing import Any, cast

import pytest

from hub.matrix.ports import TrustList
from hub.matrix.receiving import Gathered, Receiver
from hub.matrix.trust import TrustBook
from tests.homeserver.test_trust import OWN, ROSA


@pytest.mark.parametrize("unsigned", [5, 1.5, True, "redacted", ["redacted_becaus"], None, {}], ids=repr)
def test_x33_no_shape_of_unsigned_stops_a_batch(unsigned: Any) -> None:
    """One event that raises would set a whole batch aside, and the good ones in it."""
    receiver = Receiver(cast(Any, None), TrustBook(OWN, TrustList()))
    into = Gathered()
    receiver.judge_event("!r:a", {"type": "m.room.message", "sender": ROSA, "content": {}, "event_id": "$e", "unsigned": unsigned}, into)
    assert [row.reason for row in into.quarantine] == ["NotPinned"]
