"""One running network for every module here: each test opens cases and accounts of its own in it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.demo.network import Network

HERE = pytest.mark.asyncio(loop_scope="session")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The network and its people live in the session's event loop, so these tests must run in it too."""
    for item in items:
        if "attacks/road" in item.path.as_posix() and inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(HERE, append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    """Two Synapses, three hubs, their people, all paired."""
    async with Network(tmp_path_factory.mktemp("road"), gated=False) as running:
        yield running
