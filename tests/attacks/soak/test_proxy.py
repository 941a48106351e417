"""D07's tool: each thing that the line can do, it does, and `heal` ends it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Self

import pytest

from tests.attacks.soak.proxy import FaultProxy


@dataclass
class Echo:
    """A server that says back each line, and remembers what it was told."""

    told: list[bytes] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self.told.append(line)
                writer.write(line)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@dataclass
class Line:
    """A client on the proxied port."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def say(self, words: bytes) -> None:
        self.writer.write(words + b"\n")

    async def hear(self, within: float = 2.0) -> bytes:
        return await asyncio.wait_for(self.reader.readline(), within)

    async def hears_nothing(self) -> bool:
        try:
            await self.hear(0.3)
        except TimeoutError:
            return True
        return False

    async def is_broken(self) -> bool:
        try:
            return await self.hear() == b""
        except OSError:
            return True


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    async with Echo() as server:
        yield server


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(echo.port, seed=7) as line:
        yield line


async def line_to(proxy: FaultProxy) -> Line:
    return Line(*await asyncio.open_connection("127.0.0.1", proxy.port))


async def test_an_honest_line_passes_everything(proxy: FaultProxy) -> None:
    line = await line_to(proxy)
    line.say(b"x" * 300_000)
    assert len(await line.reader.readexactly(300_001)) == 300_001
    assert proxy.passed == {"up": 300_001, "down": 300_001}


async def test_cut_breaks_what_stands_and_refuses_what_comes(proxy: FaultProxy, echo: Echo) -> None:
    line = await line_to(proxy)
    line.say(b"a")
    assert await line.hear() == b"a\n"
    proxy.cut()
    assert await line.is_broken()
    late = await line_to(proxy)
    late.say(b"b")
    assert await late.is_broken()
    assert echo.told == [b"a\n"]
    proxy.heal()
    again = await line_to(proxy)
    again.say(b"c")
    assert await again.hear() == b"c\n"


async def test_hold_keeps_everything_and_lets_it_go_in_order(proxy: FaultProxy, echo: Echo) -> None:
    line = await line_to(proxy)
    proxy.hold()
    for words in (b"1", b"2", b"3"):
        line.say(words)
    assert await line.hears_nothing()
    assert echo.told == []
    proxy.heal()
    assert [await line.hear() for _ in range(3)] == [b"1\n", b"2\n", b"3\n"]


async def test_one_way_up_takes_effect_unheard(proxy: FaultProxy, echo: Echo) -> None:
    line = await line_to(proxy)
    proxy.one_way("up")
    line.say(b"a")
    assert await line.hears_nothing()
    assert echo.told == [b"a\n"]
    proxy.heal()
    assert await line.hear() == b"a\n"


async def test_one_way_down_asks_nothing(proxy: FaultProxy, echo: Echo) -> None:
    line = await line_to(proxy)
    proxy.one_way("down")
    line.say(b"a")
    assert await line.hears_nothing()
    assert echo.told == []


async def test_slow_takes_its_time_each_way(proxy: FaultProxy) -> None:
    line = await line_to(proxy)
    proxy.slow(0.1)
    began = time.monotonic()
    line.say(b"a")
    assert await line.hear() == b"a\n"
    assert time.monotonic() - began >= 0.2


async def test_loss_breaks_some_lines_and_not_all(proxy: FaultProxy) -> None:
    proxy.lose(0.3)
    whole = 0
    for _ in range(30):
        line = await line_to(proxy)
        line.say(b"a")
        whole += not await line.is_broken()
    assert 5 <= whole <= 25


async def test_double_says_everything_twice_and_answers_once(proxy: FaultProxy, echo: Echo) -> None:
    proxy.double()
    line = await line_to(proxy)
    line.say(b"a")
    assert await line.hear() == b"a\n"
    assert await line.hears_nothing()
    assert echo.told == [b"a\n", b"a\n"]
