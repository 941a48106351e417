"""One network for the whole run, at its beginning for each test."""

from __future__ import annotations

import pytest

from tests.actions.road import Net, fresh


@pytest.fixture
def net() -> Net:
    return fresh()
