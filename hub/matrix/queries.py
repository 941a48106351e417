"""Asking the homeserver for device keys, and putting the verdicts over its answer into force."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from hub.matrix import batches, trust
from hub.matrix.client import HubClient
from hub.matrix.errors import HomeserverRefused, MatrixError
from hub.matrix.http import SendsHttp, request
from hub.matrix.machine import Machine
from hub.matrix.ports import Report, Reporter

ASK_AGAIN_S = 300.0
"""After this, users whose server did not answer are asked for again; each time may cost ten seconds."""
ROUNDS = 3
NO_PROFILE = ("M_NOT_FOUND", "M_UNKNOWN")
"""How a 404 says that there is no such account: by the specification, and as Synapse says it. Any other speaks of the road."""


async def has_account(client: SendsHttp, user_id: str) -> bool | None:
    """Whether our own homeserver has this account; None where it does not say, or is away.

    Nobody is asked about an account of another server: that server would learn whom we mean to enrol. A name that it shows is not kept.
    """
    if user_id.partition(":")[2] != client.user_id.partition(":")[2]:
        return None
    try:
        await request(client, "GET", f"/_matrix/client/v3/profile/{quote(user_id, safe='')}")
    except HomeserverRefused as refused:
        return False if refused.status == 404 and refused.errcode in NO_PROFILE else None
    except MatrixError:
        return None
    return True


class KeyQueries:
    """Keeps the trust book up to date with what is served."""

    def __init__(self, *, client: HubClient, book: trust.TrustBook, machine: Machine, report: Reporter) -> None:
        self._client, self._book, self._machine, self._report = client, book, machine, report
        self._turn = asyncio.Lock()
        self._asker: asyncio.Task[Any] | None = None
        self._unanswered: set[str] = set()
        self._asked_again = time.monotonic()

    async def ask(self, users: frozenset[str] | None = None) -> None:
        """Ask for everybody pending (or those of `users`) and decide (N27).

        One at a time: a late answer must not undo a newer one. Raises HomeserverAway; whoever was asked for stays pending then.
        """
        if self._asker is asyncio.current_task():
            return  # called back from a report of our own: what is pending is asked in the next round
        async with self._turn:
            self._asker = asyncio.current_task()
            try:
                for _ in range(ROUNDS):
                    pending = self._book.pending if users is None else self._book.pending & users
                    if not pending:
                        return
                    await self._round(sorted(pending))
            finally:
                self._asker = None

    async def ask_for_batch(self, kept: dict[str, Any]) -> None:
        """What a batch makes necessary: users whose devices changed, and pinned people who write with a key nobody knows."""
        self._book.changed(kept["changed"])
        for event in batches.timelines(kept):
            if batches.well_formed(event) and event["type"] == "m.room.encrypted":
                key = event["content"].get("sender_key")
                if isinstance(key, str) and self._is_news(event["sender"], key):
                    self._book.changed([event["sender"]])
        await self.ask()

    def ask_again(self) -> None:
        """Now and then, users whose server was away become pending again."""
        if time.monotonic() - self._asked_again > ASK_AGAIN_S:
            self._asked_again = time.monotonic()
            self._book.changed(self._unanswered)
            self._unanswered = set()

    async def tell(self, reports: Iterable[Report]) -> None:
        """Reports never stop anything: what the application fails to note, it fails to note."""
        for report in reports:
            with contextlib.suppress(Exception):
                await self._report(report)

    async def _round(self, asked: list[str]) -> None:
        self._book.pending -= set(asked)
        try:
            answer = trust.read_answer(await self._client.query_keys(asked), asked)
            # A first-sight pin is stored by the application before it counts.
            for verdict in self._book.judge(answer).values():
                if verdict.first_sight:
                    await self._report(Report(kind="first_sight", user_id=verdict.user_id, detail=verdict.first_sight))
        except BaseException:
            self._book.pending |= set(asked)
            raise
        before = {user: self._book.devices(user) for user in asked}
        news = self._book.apply(answer)
        for user, devices in before.items():
            if devices - self._book.devices(user):
                self._machine.forget_rooms_of(user)
        # The server of these was away: what we know of them stays, and we ask again later.
        self._unanswered |= set(asked) - answer.keys()
        await self.tell(news)

    def _is_news(self, user: str, key: str) -> bool:
        return self._book.standing(user) == "staff" and not self._book.knows(user, key)
