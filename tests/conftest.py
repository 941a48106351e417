"""What tests in more than one room share: real homeservers, real people, free ports.

Everything here is started only when a test asks for it, and what cannot be started fails that test loudly.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from deploy.demo import synapse
from deploy.demo.person import Person
from deploy.demo.synapse import Synapses
from tests.jsclient.js_person import JsPerson

settings.register_profile("tinkuy", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # how busy a machine is proves nothing
settings.register_profile("same", settings.get_profile("tinkuy"), derandomize=True)  # a refusal is of the code, never of a day's dice
settings.load_profile("tinkuy" if "TINKUY_DICE" in os.environ else "same")
_numbers = itertools.count(1)
PASSWORD = "una contraseña inventada"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: needs Debian's chromium, which a target of its own installs")


LONGEST = (
    "attacks/road/test_crash", "attacks/soak/test_soak", "attacks/road/test_keys_turn", "bench/", "operation/test_r10", "attacks/road/",
    "verifying/test_emoji", "store/test_hub_on", "store/test_standby", "attacks/soak/", "desk/", "verifying/", "attacks/backups/",
)  # fmt: skip
"""Files that play real roads for minutes: first, so that no worker begins one when the others are done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((place for place, part in enumerate(LONGEST) if f"tests/{part}" in item.path.as_posix()), len(LONGEST)))


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Keep pytest-alembic from hanging its ready-made tests onto this file: under pytest 9 that stops every collection.

    Its fixtures and its test functions stay usable by import, which is how the storage tests take them.
    """
    plugin = session.config.pluginmanager.get_plugin("pytest-alembic")
    if plugin is not None:
        session.config.pluginmanager.unregister(plugin)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def synapses(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Synapses]:
    """Two homeservers that federate, on SQLite, for the whole run; tests take accounts of their own on them.

    A test that stops, pauses or damages a homeserver starts its own `Synapses`.
    """
    async with Synapses(tmp_path_factory.mktemp("synapses"), count=2) as pair:
        yield pair


@pytest.fixture
def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    return synapse.free_port()


class NewAccount(Protocol):
    """Register an account that no other test has; returns the full user id. The password is `PASSWORD`."""

    async def __call__(self, name: str = "persona", *, server: int = 0, admin: bool = False) -> str: ...


class NewPerson(Protocol):
    """A started `Person` with an account of her own (or `user_id`); stopped when the test ends."""

    async def __call__(
        self, name: str = "persona", *, server: int = 0, user_id: str | None = None, hubs: Iterable[str] = (), **more: Any
    ) -> Person: ...


class NewJsPerson(Protocol):
    """A started strict matrix-js-sdk person; stopped when the test ends."""

    async def __call__(
        self, name: str = "persona", *, server: int = 0, user_id: str | None = None, hubs: Iterable[str] = (), **more: Any
    ) -> JsPerson: ...


@pytest.fixture
def new_account(synapses: Synapses) -> NewAccount:
    async def make(name: str = "persona", *, server: int = 0, admin: bool = False) -> str:
        return await synapses[server].register(f"{name}-{next(_numbers)}", PASSWORD, admin=admin)

    return make


@pytest.fixture
async def new_person(synapses: Synapses, new_account: NewAccount) -> AsyncIterator[NewPerson]:
    async with AsyncExitStack() as stack:
        yield _maker(Person, synapses, new_account, stack)


@pytest.fixture
async def new_js_person(synapses: Synapses, new_account: NewAccount) -> AsyncIterator[NewJsPerson]:
    async with AsyncExitStack() as stack:
        yield _maker(JsPerson, synapses, new_account, stack)


def _maker(kind: Any, synapses: Synapses, new_account: NewAccount, stack: AsyncExitStack) -> Any:
    async def make(name: str = "persona", *, server: int = 0, user_id: str | None = None, **more: Any) -> Any:
        user_id = user_id or await new_account(name, server=server)
        url = synapses.of(user_id).url
        return await stack.enter_async_context(kind(**({"password": PASSWORD} | more), url=url, user_id=user_id))

    return make
