"""When changed Olm rows reach the disk: before every request that shows them to the server, and with every handled batch.

One lock orders the commits: a row taken earlier must not be written over a row taken later. If a commit fails, memory is ahead
of the disk and is thrown away; the batch is handled again from what was committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from hub.matrix.client import HubClient
from hub.matrix.errors import MatrixError
from hub.matrix.olm_store import OlmStore
from hub.matrix.ports import BatchResult, MatrixRows

T = TypeVar("T")


async def _to_the_end(commit: Coroutine[Any, Any, T]) -> T:
    """Await a commit; when we are cancelled meanwhile, wait for its end all the same, so that no later one can overtake it."""
    task = asyncio.ensure_future(commit)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


class Persist:
    """Commits of the Olm machine's rows."""

    def __init__(self, rows: MatrixRows) -> None:
        self._rows = rows
        self._turn = asyncio.Lock()
        self._client: HubClient | None = None

    def serve(self, client: HubClient) -> None:
        """From now on the rows of this client's store are meant."""
        self._client = client

    @property
    def _served(self) -> HubClient:
        if self._client is None:
            raise MatrixError("matrix.not_wired", "no client is served yet")
        return self._client

    async def flush(self) -> None:
        """Commit what changed; returns at once when nothing did."""
        if self._client is None or not self._client.store.is_dirty:
            return
        store = self._client.store
        async with self._turn:
            changes = store.take()
            try:
                await _to_the_end(self._rows.save_olm(changes))
            except BaseException:
                store.put_back(changes)
                raise

    async def finish(self, batch: int | None, result: BatchResult) -> Sequence[str]:
        """T2: changed Olm rows and everything the batch came to, in one transaction."""
        store = self._served.store
        async with self._turn:
            changes = store.take()
            try:
                return await _to_the_end(self._rows.finish_batch(batch, changes, result))
            except BaseException:
                store.put_back(changes)
                raise

    async def reload(self, exclusive: asyncio.Lock) -> None:
        """Throw the machine in memory away and start from the committed rows; not while a ratchet step is on its way out."""
        async with exclusive, self._turn:
            self._served.replace_store(OlmStore(await self._rows.load_olm()))
