"""The sync loop: fetch, keep (T1), handle, commit (T2), and only then ask again (`design.md` §5, Delivery).

A to-device message is gone from the homeserver once we ask with the next token, so nothing may be asked before T1. What fails
between T1 and T2 is done again from the kept batch: opening a message twice is harmless, losing a room key is not.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from hub.matrix import http
from hub.matrix.backfill import Backfill
from hub.matrix.batches import TIMELINE, as_dict, is_empty, prefilter, sync_filter
from hub.matrix.chores import Chores, Heard
from hub.matrix.client import HubClient
from hub.matrix.errors import CannotRead, HomeserverAway, LoginLost, MatrixError, RolledBack
from hub.matrix.machine import Machine
from hub.matrix.persist import Persist
from hub.matrix.ports import MatrixRows, Report
from hub.matrix.queries import KeyQueries
from hub.matrix.receiving import Gathered, Receiver
from hub.matrix.roomview import Rooms

POLL_MS = 30_000
PAUSE_S, LIVELY_PAUSE_S = 0.5, 0.1
"""Between two syncs while we send and hear only ourselves; the short one when others spoke in the last `LIVELY_S`, for then more may come."""
LIVELY_S = 5.0
KNOCK_S = 0.25
"""Between two looks whether a homeserver that was away is back: a peer's homeserver sends what it kept as soon as we speak (D05)."""
POISON_TRIES = 5
"""Failures of our own code over one batch before it is set aside; a homeserver or disk that is away is waited for without end."""


class Poison(Exception):
    """our own code failed over a batch; events are isolated one by one, so this is a fault of ours."""


class Listener:
    """The one task that syncs and decrypts."""

    def __init__(
        self,
        *,
        client: HubClient,
        rows: MatrixRows,
        persist: Persist,
        machine: Machine,
        receiver: Callable[[Callable[[], int]], Receiver],
        rooms: Rooms,
        backfill: Backfill,
        queries: KeyQueries,
        chores: Chores,
        heard: Heard,
        senders: Callable[[], frozenset[str]],
        peers: Callable[[], frozenset[str]],
        busy: Callable[[float], Awaitable[None]],
        on_inbox: Callable[[], None],
        on_return: Callable[[], None] = lambda: None,
        on_rooms: Callable[[frozenset[str]], None] = lambda rooms: None,
        reach: Callable[[str], None] = lambda point: None,
        before_batch: Callable[[], Awaitable[None]],
    ) -> None:
        """`on_return` is called when a sync is answered after one that was not; `on_rooms` after a batch in which the state or the members of
        these rooms changed, or (with no room) devices of somebody whom we follow.
        """
        self._on_return, self._on_rooms = on_return, on_rooms
        self._before_batch = before_batch
        self._client, self._rows, self._persist, self._machine = client, rows, persist, machine
        self._rooms, self._backfill, self._queries, self._chores = rooms, backfill, queries, chores
        self._peers = peers
        self._senders, self._busy, self._on_inbox, self.heard = senders, busy, on_inbox, heard
        self._receiver = receiver(lambda: len(self._waiting))
        self._reach = reach
        self._waiting: dict[str, tuple[str, str]] = {}
        self._since: str | None = None
        self._whole_state = True
        self._limit = TIMELINE
        self._others_spoke = -LIVELY_S
        self.first_sync = asyncio.Event()

    # ---- the loop --------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. Raises LoginLost or RolledBack, which no waiting mends."""
        await self._resume()
        while True:
            try:
                only_ours = await self.once()
            except (LoginLost, RolledBack):
                raise
            except Exception as error:
                self.heard.failures += 1
                await self._back_off(self.heard.failures, error)
            else:
                if self.heard.failures:
                    self.heard.failures = 0
                    self.heard.returns += 1
                    self._on_return()
                if only_ours:
                    # A sync per event of our own is what halves sending (`performance.md` §2); a blind pause would delay others'.
                    lively = time.monotonic() - self._others_spoke < LIVELY_S
                    await self._busy(LIVELY_PAUSE_S if lively else PAUSE_S)

    async def once(self) -> bool:
        """One round. True when the answer held nothing but our own events."""
        raw = await self._fetch()
        kept = prefilter(raw, self._senders(), self._client.user_id)
        kept["first"] = self._since is None
        self._chores.note_keys(raw)
        empty = is_empty(kept) and not self._whole_state
        if not empty:
            self._others_spoke = time.monotonic()
            number = await self._rows.save_batch(json.dumps(kept).encode(), kept["next_batch"])  # T1
            self._reach("batch.saved")
            await self._handle_until_done(number, kept)
        self._since, self._whole_state = kept["next_batch"], False
        self.heard.synced_at = time.time()
        self.first_sync.set()
        await self._chores.run()
        return empty and bool(as_dict(raw.get("rooms")).get("join"))

    async def sweep(self, room_id: str, pages: int) -> int:
        """Page back once more from the newest event, for an application that misses a number; how many events were new."""
        older, _ = await self._backfill.before(room_id, None, pages=pages, stop_when_known=False)
        into = Gathered()
        for event in older:
            self._receiver.judge_event(room_id, event, into)
        await self._commit(None, into)
        return len(older)

    async def _resume(self) -> None:
        """What a crash left: the token, events without a key, and batches between T1 and T2."""
        self._since = await self._rows.sync_token()
        self._waiting = {event_id: (room_id, session_id) for event_id, room_id, session_id in await self._rows.waiting()}
        self.heard.waiting = len(self._waiting)
        for number, body in await self._rows.pending_batches():
            await self._handle_until_done(number, json.loads(body))

    async def _fetch(self) -> dict[str, Any]:
        # After a failure the server is not to hold its answer: that it answers is the news.
        timeout = 0 if self._whole_state or self.heard.failures else self._patience()
        query = f"timeout={timeout}&set_presence=offline&filter={quote(json.dumps(sync_filter(self._limit)))}"
        query += f"&since={quote(self._since)}" if self._since else ""
        query += "&full_state=true" if self._whole_state else ""
        path, seconds = f"/_matrix/client/v3/sync?{query}", timeout / 1000 + http.TIMEOUT
        try:
            raw = await http.request(self._client, "GET", path, seconds=seconds)
        except http.TooMuch:
            self._limit = max(1, self._limit // 10)  # ask for less; what is cut off is paged back
            raise
        if not isinstance(raw.get("next_batch"), str) or not raw["next_batch"].isprintable():
            raise HomeserverAway("matrix.bad_sync", "the homeserver's sync answer has no token")
        self._limit = TIMELINE
        return raw

    def _patience(self) -> int:
        """Milliseconds the server may hold the answer: not long while chores are undone."""
        failures = self.heard.chore_failures
        return min(POLL_MS, 500 * 2 ** min(failures, 10)) if failures else POLL_MS

    async def _back_off(self, failures: int, error: Exception) -> None:
        """1 to 60 s with jitter (N13), less when the homeserver comes back. Nothing is lost meanwhile: token and batch stand still."""
        self.heard.last_error = error.code if isinstance(error, MatrixError) else type(error).__name__
        if failures in (3, 30):
            await self._queries.tell([Report(kind="batch_failed", detail=self.heard.last_error)])
        pause = min(60.0, 2.0 ** min(failures - 1, 6)) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret
        if not isinstance(error, HomeserverAway):
            return await asyncio.sleep(pause)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._comes_back()

    async def _comes_back(self) -> None:
        """Return when a homeserver that answered nobody answers again. One that answers, but not what we ask, is left its whole pause."""
        silent = False
        while True:
            answers = await http.answers(self._client)
            if answers and silent:
                return
            silent = silent or not answers
            await asyncio.sleep(KNOCK_S)

    # ---- one batch -------------------------------------------------------------------------------------------------------

    async def _handle_until_done(self, number: int, kept: dict[str, Any]) -> None:
        """Handle and commit; on failure start again from the committed rows, because memory may be ahead of them."""
        tries = 0
        while True:
            try:
                return await self._commit(number, await self._gather(kept))
            except (LoginLost, RolledBack):
                raise
            except Exception as error:
                tries += 1
                if isinstance(error, Poison) and tries >= POISON_TRIES:
                    # The row stays as it is, for a person and for the next start; the events after it go on (N41).
                    return await self._queries.tell([Report(kind="batch_failed", detail=f"set_aside:{number}")])
                await self._back_off(tries, error)
                await self._persist.reload(self._machine.exclusive)

    async def _gather(self, kept: dict[str, Any]) -> Gathered:
        """Steps 1 to 4 of a batch. Raises HomeserverAway, or Poison for what should not happen."""
        into, stirred = Gathered(), set()
        try:
            await self._before_batch()
            # 0. Who says in a signed statement that it speaks from other devices now: its room keys and events may stand in this very batch.
            await self._queries.tell(self._statements(kept))
            # 1. Room keys first: the events of this very batch may need them.
            arrived = self._open_to_device(kept, into)
            # 2. Who is trusted, as of this batch.
            await self._queries.ask_for_batch(kept)
            # 3. Room by room: state, then events, oldest first, holes filled.
            for kind in ("join", "leave"):
                for room_id, room in kept["rooms"][kind].items():
                    stirred |= {room_id} if self._follow_state(room_id, room, inside=kind == "join") else set()
                    await self._judge_events(room_id, room["timeline"], into, first=kept["first"])
            for room_id in kept["rooms"]["leave"]:
                self._leave(room_id, into)
            # 4. Events that waited for the keys of step 1.
            await self._retry(arrived, into)
        except (MatrixError, OSError):
            raise
        except Exception as error:
            raise Poison(type(error).__name__) from error
        self._chores.note_invites(kept["rooms"]["invite"])
        if stirred or kept["changed"]:
            self._on_rooms(frozenset(stirred))
        return into

    async def _commit(self, number: int | None, into: Gathered) -> None:
        """5. T2; then memory follows the disk, and the application is told."""
        replays = await self._persist.finish(number, into.result())
        self._reach("batch.done")
        self._waiting |= {row.event_id: (row.room_id, row.session_id) for row in into.waiting}
        for event_id in into.resolved:
            self._waiting.pop(event_id, None)
        self.heard.batches += 1
        self.heard.quarantined += len(into.quarantine) + len(replays)
        self.heard.waiting = len(self._waiting)
        if into.inbox:
            self._on_inbox()
        await self._queries.tell([*into.reports, *(Report(kind="replayed_event", event_id=event_id) for event_id in replays)])

    def _statements(self, kept: dict[str, Any]) -> list[Report]:
        return [Report(kind="device_statement", user_id=user, detail=data) for user, data in kept.get("statements", ()) if user in self._peers()]

    def _open_to_device(self, kept: dict[str, Any], into: Gathered) -> set[tuple[str, str]]:
        arrived = set()
        for raw in kept["to_device"]["events"]:
            try:
                key = self._machine.open_to_device(raw)
            except CannotRead as error:
                # To-device messages have no id; the sender's own words are not kept.
                into.reports.append(Report(kind="malformed_event", user_id=raw["sender"], detail=error.reason))
                self._chores.note_broken(raw["sender"], str(raw["content"].get("sender_key")))
                self.heard.quarantined += 1
                continue
            if key is not None:
                arrived.add(key)
        return arrived

    def _follow_state(self, room_id: str, room: dict[str, Any], *, inside: bool) -> bool:
        """Whether anything about the room is other than we knew."""
        view = self._rooms.view(room_id)
        news = [view.take(event) for event in (*room["state"]["events"], *room["timeline"]["events"]) if isinstance(event, dict)]
        if inside:
            view.enter(self._client.user_id)
        return any(news)

    async def _judge_events(self, room_id: str, timeline: dict[str, Any], into: Gathered, *, first: bool) -> None:
        if first:
            return  # a device that was never here before does not replay what was said before it came
        events = timeline["events"]
        if timeline["limited"]:
            older, whole = await self._backfill.before(room_id, timeline["prev_batch"])
            events = [*older, *events]
            if not whole:
                into.reports.append(Report(kind="history_gap", room_id=room_id))
        for event in events:
            self._receiver.judge_event(room_id, event, into)

    def _leave(self, room_id: str, into: Gathered) -> None:
        self._rooms.drop(room_id)
        self._machine.forget_room(room_id)
        into.reports.append(Report(kind="left_room", room_id=room_id))

    async def _retry(self, arrived: set[tuple[str, str]], into: Gathered) -> None:
        ready = [event_id for event_id, where in self._waiting.items() if where in arrived]
        bodies = await self._rows.waiting_bodies(ready) if ready else {}
        for event_id in ready:
            if event_id in bodies:
                self._receiver.retry(event_id, self._waiting[event_id][0], json.loads(bodies[event_id]), into)
