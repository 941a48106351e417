"""What is done between syncs: keys that ran low, Olm sessions that broke, open invitations, rows nobody needs any more."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from hub.matrix import http
from hub.matrix.batches import as_dict, has_name, inviter, invites_filter
from hub.matrix.client import HubClient
from hub.matrix.errors import HomeserverRefused, MatrixError, RolledBack
from hub.matrix.machine import Machine
from hub.matrix.persist import Persist
from hub.matrix.ports import MatrixRows, Report
from hub.matrix.queries import KeyQueries
from hub.matrix.trust import TrustBook

DRAIN_ALARM = 20
DRAIN_WINDOW_S = 600.0
PRUNE_EVERY_S = 3600.0
KEEP_S = 30 * 86400.0
REFUSALS = 5
MOST_INVITES = 3
ANNOUNCED_WITHIN = 10.0
"""Seconds that an invitation may come before the words that announce it."""


@dataclass(kw_only=True)
class Heard:
    """Facts for health and metrics."""

    synced_at: float = 0.0
    batches: int = 0
    quarantined: int = 0
    waiting: int = 0
    failures: int = 0
    """Syncs that failed in a row."""
    returns: int = 0
    """How often a sync was answered after some that were not."""
    chore_failures: int = 0
    """Rounds in a row in which a chore failed."""
    last_error: str = ""
    """Code or class name of the latest failure."""


class Chores:
    """Runs after each handled sync answer; what fails is done in the next round, which then comes sooner."""

    def __init__(
        self,
        *,
        client: HubClient,
        rows: MatrixRows,
        persist: Persist,
        machine: Machine,
        book: TrustBook,
        queries: KeyQueries,
        heard: Heard,
        on_invite: Callable[[str, str], Awaitable[None]],
        acts: Callable[[], bool] = lambda: True,
    ) -> None:
        self._client, self._rows, self._persist, self._machine = client, rows, persist, machine
        self._book, self._queries, self._heard, self._on_invite = book, queries, heard, on_invite
        self._counts: list[tuple[float, int]] = []
        self._broken: set[tuple[str, str]] = set()
        self._invites: dict[str, str] = {}
        self._named: dict[str, float] = {}
        self._invites_recalled = False
        self._answering = asyncio.Lock()
        self._refusals: dict[str, int] = {}
        self._pruned = 0.0
        self._acts = acts

    def take_up(self) -> None:
        """We act from now on. What we were invited to before, another server of ours may have answered: ask anew."""
        self._invites.clear()
        self._invites_recalled = False

    def note_keys(self, raw: dict[str, Any]) -> None:
        """What a sync answer says of our keys on the server (N9)."""
        self._client.note_key_counts(raw.get("device_one_time_keys_count"), raw.get("device_unused_fallback_key_types"))
        now = time.monotonic()
        self._counts = [(at, count) for at, count in self._counts if now - at < DRAIN_WINDOW_S]
        self._counts.append((now, self._client.olm.uploaded_key_count))

    def note_broken(self, user: str, key: str) -> None:
        """A message of this device key did not open."""
        self._broken.add((user, key))

    def note_invites(self, invites: dict[str, Any]) -> None:
        """Keep what we were invited to, of each inviter the newest few: who invites us by the thousand wants something else than a link."""
        for room_id, room in invites.items():
            who = inviter(room, self._book.own.user_id)
            self._invites.pop(room_id, None)
            self._invites[room_id] = who
            if has_name(room):
                self._named.setdefault(room_id, time.monotonic())
            older = [known for known, other in self._invites.items() if other == who][:-MOST_INVITES]
            for known in older:
                del self._invites[known]
                self._named.pop(known, None)

    async def run(self) -> None:
        """One round. Raises RolledBack only."""
        await self._look_for_drain()
        try:
            await self._with_the_server()
        except RolledBack:
            await self._queries.tell([Report(kind="rolled_back")])
            raise
        except MatrixError as error:
            self._heard.chore_failures += 1
            self._heard.last_error = error.code
            return
        self._heard.chore_failures = 0
        if not self._pruned or time.monotonic() - self._pruned > PRUNE_EVERY_S:
            self._pruned = time.monotonic()
            self._client.store.prune(self._book.own.curve25519)
            await self._rows.prune(older_than_s=KEEP_S)
        await self._persist.flush()

    async def _with_the_server(self) -> None:
        if self._client.needs_upload:
            await self._client.upload_keys()
        for user, key in list(self._broken):
            self._broken.discard((user, key))
            device = self._book.device(user, key)
            if device is not None:
                await self._machine.renew(device)
        if not self._invites_recalled and self._acts():
            await self._recall_invites()
        await self.answer_invites()
        self._queries.ask_again()

    async def answer_invites(self) -> None:
        """Join or turn down every invitation, the newest last, but those of hubs that are awaited.

        Raises MatrixError, after all were tried; what was not answered is kept.
        """
        if not self._acts():
            return
        failed: MatrixError | None = None
        async with self._answering:
            for room_id, who in list(self._invites.items()):
                try:
                    if who not in self._book.trust.awaited and not self._is_early(room_id, who):
                        await self._answer(room_id, who)
                except MatrixError as error:
                    failed = error
        if failed is not None:
            raise failed

    def _is_early(self, room_id: str, who: str) -> bool:
        """A room with a name is no link. Where a peer's hub invites us to one, the sealed word that announces it may still be on its way."""
        known = self._book.standing(who) == "peer" and (room_id, who) not in self._book.trust.expected
        return known and time.monotonic() - self._named.get(room_id, 0.0) < ANNOUNCED_WITHIN

    async def _answer(self, room_id: str, who: str) -> None:
        try:
            await self._on_invite(room_id, who)
        except HomeserverRefused as error:
            # Withdrawn, or the inviting server is out of reach: tried a few times, then the peer must invite again.
            self._refusals[room_id] = self._refusals.get(room_id, 0) + 1
            if self._refusals[room_id] < REFUSALS:
                raise
            await self._queries.tell([Report(kind="invite_refused", room_id=room_id, user_id=who, detail=error.errcode)])
        self._invites.pop(room_id, None)
        self._named.pop(room_id, None)
        self._refusals.pop(room_id, None)

    async def _recall_invites(self) -> None:
        """An invitation comes down the sync once; one that a crash swallowed is still in a sync that starts from nothing."""
        query = f"timeout=0&set_presence=offline&filter={quote(json.dumps(invites_filter()))}"
        raw = await http.request(self._client, "GET", f"/_matrix/client/v3/sync?{query}")
        for room_id, invite in as_dict(as_dict(raw.get("rooms")).get("invite")).items():
            self._invites.setdefault(room_id, inviter(as_dict(invite), self._book.own.user_id))
        self._invites_recalled = True

    async def _look_for_drain(self) -> None:
        drop = sum(max(0, before - after) for (_, before), (_, after) in pairwise(self._counts))
        if drop > DRAIN_ALARM:
            self._counts.clear()
            await self._queries.tell([Report(kind="keys_drained", detail=str(drop))])
