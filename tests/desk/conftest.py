"""A desk in memory for each test; and the demo's network, real homeservers, hubs and clients, started once for each file that asks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.demo.network import Network
from tests.desk.test_words import Desk, open_desk


@pytest.fixture
def desk() -> Desk:
    """A desk of one's own."""
    return open_desk()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """All three institutions, paired, their people in their rooms; the visitors are enrolled and have never logged in."""
    async with Network(tmp_path_factory.mktemp("network")) as started:
        yield started
