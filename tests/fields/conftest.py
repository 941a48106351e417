"""Three hubs at their beginning for each test."""

from __future__ import annotations

import pytest

from tests.actions.road import Net
from tests.fields.road import fresh


@pytest.fixture
def net() -> Net:
    return fresh()
