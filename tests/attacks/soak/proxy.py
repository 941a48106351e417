"""A TCP line that fails on demand, in front of any port of 127.0.0.1: federation, a homeserver's clients, a database.

It passes bytes and knows no protocol, so it can also stand before TLS. Whatever it does ends with `heal`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Literal, Self

CHUNK = 64 * 1024
Way = Literal["up", "down"]
"""`up`: what the client says; `down`: what the server answers."""


class FaultProxy:
    """Listens on `port` (0: any) and passes everything on to `upstream` on the same address, unless told otherwise.

    A connection that is broken is reset, as by a router that forgot it. `seed` makes losses repeatable.
    """

    def __init__(self, upstream: int, *, port: int = 0, seed: int = 0) -> None:
        self.upstream, self.port = upstream, port
        self.passed = {"up": 0, "down": 0}
        """Bytes that were handed on."""
        self._dice = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: dict[str, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        self.heal()

    # ---- what it can do ------------------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """An honest line again; what was held goes on, in its order."""
        self._refusing, self._doubling, self._latency, self._loss = False, False, 0.0, 0.0
        for way in self._open.values():
            way.set()

    def cut(self) -> None:
        """Every connection breaks, and every new one at once."""
        self._refusing = True
        self.drop()

    def drop(self) -> None:
        """Every connection that stands breaks; new ones are welcome."""
        for writer in list(self._lines):
            writer.transport.abort()

    def hold(self) -> None:
        """Connections stand and new ones are taken, but nothing passes: silence, no error."""
        for way in self._open.values():
            way.clear()

    def one_way(self, way: Way = "up") -> None:
        """Only this way passes. `up`: requests take effect and nobody hears the answer. `down`: nothing is asked any more."""
        self._open["down" if way == "up" else "up"].clear()

    def slow(self, seconds: float) -> None:
        """Each piece of up to 64 KiB takes so much longer, each way."""
        self._latency = seconds

    def lose(self, share: float) -> None:
        """Each piece breaks its connection with this probability: what packet loss comes to once TCP gives up."""
        self._loss = share

    def double(self) -> None:
        """Whatever a client says on a new connection is said twice: to a second connection too, whose answers nobody hears."""
        self._doubling = True

    # ---- life ----------------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server:
            self._server.close()
        self.heal()
        self.drop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if self._refusing:
            return writer.transport.abort()
        writers = [writer]
        try:
            ahead = [await self._ahead() for _ in range(2 if self._doubling else 1)]
            writers += [to for _, to in ahead]
            self._lines.update(writers)
            up = self._pump("up", reader, [to for _, to in ahead])
            # Answers of the second connection are read, so that the server can go on, and thrown away.
            downs = [self._pump("down", back, [writer] if number == 0 else []) for number, (back, _) in enumerate(ahead)]
            await asyncio.gather(up, *downs)
        except (OSError, asyncio.CancelledError):
            pass  # the line broke, or the proxy ends: nobody else cancels this task
        finally:
            self._lines.difference_update(writers)
            for each in writers:
                each.transport.abort()

    async def _ahead(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.upstream)

    async def _pump(self, way: Way, reader: asyncio.StreamReader, writers: list[asyncio.StreamWriter]) -> None:
        """Until one side ends; raises OSError when the line breaks, which ends both ways."""
        while data := await reader.read(CHUNK):
            await self._open[way].wait()
            if self._latency:
                await asyncio.sleep(self._latency)
            if self._loss and self._dice.random() < self._loss:
                raise ConnectionResetError
            for writer in writers:
                writer.write(data)
                await writer.drain()
                self.passed[way] += len(data)
        await self._open[way].wait()  # an end is not passed through a line that is held
        for writer in writers:
            with contextlib.suppress(OSError):
                if writer.can_write_eof():
                    writer.write_eof()
