"""Events on their way to our homeserver, so that a link whose room takes nothing, or takes it slowly, costs the other links nothing (T9)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable

from hub.actions.dispatch import Parcel

REST, LONGEST_REST = 1.0, 15.0
"""Seconds until a link that took no event (its peer has not joined yet, the homeserver is away) is tried again, at first and after a minute."""
PATIENCE = 0.5
"""Seconds that one turn waits for its events; who needs longer has its link for itself, and the others go on."""


class Puts:
    """What is under way now. `late` is called when the last event of a link ends and nobody waits for it any more."""

    def __init__(self, put: Callable[[Parcel], Awaitable[None]], late: Callable[[], None]) -> None:
        self._put, self._late = put, late
        self._out: dict[asyncio.Future[None], Parcel] = {}

    def busy(self) -> frozenset[str]:
        """The links with something under way."""
        return frozenset(parcel.link for parcel in self._out.values())

    async def put(self, parcels: Iterable[Parcel]) -> list[tuple[Parcel, BaseException | None]]:
        """Begin with these. Everything that has ended by now, with why the homeserver has it not (None: it has)."""
        fresh: dict[asyncio.Future[None], Parcel] = {asyncio.ensure_future(self._put(parcel)): parcel for parcel in parcels}
        self._out |= fresh
        if fresh:
            _, slow = await asyncio.wait(fresh, timeout=PATIENCE)
            for task in slow:
                task.add_done_callback(self._ended)
        ended = [task for task in self._out if task.done()]
        return [(self._out.pop(task), task.exception()) for task in ended]

    def _ended(self, task: asyncio.Future[None]) -> None:
        parcel = self._out.get(task)
        if parcel is not None and all(other.done() for other, its in self._out.items() if its.link == parcel.link):
            self._late()

    async def drop(self) -> list[Parcel]:
        """End and return what is under way; whether the homeserver has it nobody knows, and the same event may be put again."""
        dropped, self._out = self._out, {}
        for task in dropped:
            task.cancel()
        await asyncio.gather(*dropped, return_exceptions=True)
        return list(dropped.values())


class Rests:
    """The links whose rooms took nothing. Each is left alone for a while."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._until: dict[str, float] = {}

    def note(self, left_alone: Collection[str], failed: Collection[str]) -> None:
        """After a turn: whoever was not left alone in it, and did not fail, is as good as new; the others wait, longer the longer it lasts."""
        now = time.monotonic()
        for link in self._until.keys() - {*left_alone, *failed}:
            del self._since[link], self._until[link]
        for link in failed:
            since = self._since.setdefault(link, now)
            self._until[link] = now + min(max((now - since) / 5, REST), LONGEST_REST)

    def clear(self) -> None:
        """Our homeserver is back: everybody is tried."""
        self._since.clear()
        self._until.clear()

    def resting(self) -> frozenset[str]:
        """Who is left alone now."""
        now = time.monotonic()
        return frozenset(link for link, until in self._until.items() if until > now)

    def pause(self, busy: Collection[str]) -> float:
        """Seconds until the first of them is tried again; not of the `busy`, which say so themselves when they end."""
        return max(min((until for link, until in self._until.items() if link not in busy), default=float("inf")) - time.monotonic(), 0.0)
