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
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from hub.matrix import http, trust
from hub.matrix.backfill import Backfill
from hub.matrix.client import HubClient
from hub.matrix.errors import CannotRead, HomeserverAway, HomeserverRefused, LoginLost, MatrixError, RolledBack
from hub.matrix.machine import Machine, well_formed
from hub.matrix.persist import Persist
from hub.matrix.ports import ENVELOPE_TYPE, MatrixRows, Report, Reporter
from hub.matrix.receiving import Gathered, Receiver
from hub.matrix.roomview import STATE_TYPES, Rooms

POLL_MS = 30_000
TIMELINE = 100
"""Synapse gives no more than this per room and sync."""
PAUSE_S = 0.5
DRAIN_ALARM = 20
DRAIN_WINDOW_S = 600.0
ASK_AGAIN_S = 300.0
"""After this, users whose server did not answer are asked for again; each time may cost ten seconds."""
PRUNE_EVERY_S = 3600.0
KEEP_S = 30 * 86400.0


def sync_filter(limit: int = TIMELINE) -> dict[str, Any]:
    """No presence, receipts, typing or account data (N41); of the timeline what can mean something, in clear too."""
    none: dict[str, list[str]] = {"types": []}
    kinds = ["m.room.encrypted", "m.room.message", ENVELOPE_TYPE, *STATE_TYPES]
    room = {
        "timeline": {"limit": limit, "types": kinds},
        "state": {"types": list(STATE_TYPES)},
        "ephemeral": none,
        "account_data": none,
    }
    return {"presence": none, "account_data": none, "room": room}


def prefilter(raw: dict[str, Any], senders: frozenset[str], own: str) -> dict[str, Any]:
    """The part of a sync answer that is kept: no to-device message of strangers, nothing of our own (N1, rule 4)."""
    messages = _events(raw.get("to_device"))
    kept = [one for one in messages if well_formed(one) and one["type"] == "m.room.encrypted" and one["sender"] in senders]
    rooms = _dict(raw.get("rooms"))
    return {
        "next_batch": raw["next_batch"],
        "to_device": {"events": kept},
        "device_lists": raw.get("device_lists") or {},
        "rooms": {kind: _rooms(rooms.get(kind), own) for kind in ("join", "leave", "invite")},
    }


def _rooms(value: Any, own: str) -> dict[str, Any]:
    return {
        room_id: {**room, "timeline": _theirs(room.get("timeline"), own)}
        for room_id, room in _dict(value).items()
        if isinstance(room, dict)
    }


def _theirs(timeline: Any, own: str) -> dict[str, Any]:
    found = _dict(timeline)
    events = [
        one for one in _events(found) if not (isinstance(one, dict) and one.get("sender") == own and "state_key" not in one)
    ]
    return {"events": events, "limited": found.get("limited") is True, "prev_batch": found.get("prev_batch")}


def is_empty(kept: dict[str, Any]) -> bool:
    """Nothing in it that handling would change: such a batch costs no transaction, its token need not be kept either."""
    lists = _dict(kept["device_lists"])
    rooms = [room for kind in kept["rooms"].values() for room in kind.values()]
    quiet = all(
        not _events(room["timeline"]) and not room["timeline"]["limited"] and not _events(room.get("state")) for room in rooms
    )
    moves = kept["rooms"]["leave"] or kept["rooms"]["invite"]
    return not kept["to_device"]["events"] and not lists.get("changed") and not moves and quiet


@dataclass(kw_only=True)
class Heard:
    """Facts for health and metrics."""

    synced_at: float = 0.0
    batches: int = 0
    quarantined: int = 0
    waiting: int = 0
    failures: int = 0
    """Syncs that failed in a row."""
    chore_failures: int = 0
    """Rounds in a row in which something beside the sync failed (key upload, invitations)."""
    last_error: str = ""
    """Code or class name of the latest failure."""


class Listener:
    """The one task that syncs and decrypts."""

    def __init__(
        self,
        *,
        client: HubClient,
        rows: MatrixRows,
        persist: Persist,
        machine: Machine,
        book: trust.TrustBook,
        rooms: Rooms,
        backfill: Backfill,
        report: Reporter,
        busy: Callable[[float], Awaitable[None]],
        on_inbox: Callable[[], None],
        on_invite: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._client, self._rows, self._persist, self._machine = client, rows, persist, machine
        self._book, self._rooms, self._backfill, self._report = book, rooms, backfill, report
        self._busy, self._on_inbox, self._on_invite = busy, on_inbox, on_invite
        self._receiver = Receiver(machine, book, lambda: len(self._waiting))
        self._waiting: dict[str, tuple[str, str]] = {}
        self._since: str | None = None
        self._whole_state = True
        self._limit = TIMELINE
        self._key_counts: list[tuple[float, int]] = []
        self._pruned = 0.0
        self._broken: set[tuple[str, str]] = set()
        self._unanswered: set[str] = set()
        self._invites: dict[str, str] = {}
        self._invites_known = False
        self._refusals: dict[str, int] = {}
        self._asked_again = time.monotonic()
        self._asking = asyncio.Lock()
        self.heard = Heard()
        self.first_sync = asyncio.Event()

    # ---- the loop --------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled. Raises LoginLost or RolledBack, which no waiting mends."""
        await self._resume()
        while True:
            try:
                only_ours = await self.once()
            except (LoginLost, RolledBack, asyncio.CancelledError):
                raise
            except Exception as error:
                await self._back_off(error)
            else:
                self.heard.failures = 0
                if only_ours:
                    # A sync per event of our own is what halves sending (`performance.md` §2); a blind pause would delay others'.
                    await self._busy(PAUSE_S)

    async def _resume(self) -> None:
        """What a crash left: the token, events without a key, and batches between T1 and T2."""
        self._since = await self._rows.sync_token()
        self._waiting = {event_id: (room_id, session_id) for event_id, room_id, session_id in await self._rows.waiting()}
        self.heard.waiting = len(self._waiting)
        for number, body in await self._rows.pending_batches():
            await self._handle_until_done(number, json.loads(body))
        self._invites_known = False

    async def once(self) -> bool:
        """One round. True when the answer held nothing but our own events."""
        raw = await self._fetch()
        kept = prefilter(raw, self._book.trust.users, self._book.own.user_id)
        self._note_keys(raw)
        empty = is_empty(kept) and not self._whole_state
        kept["first"] = self._since is None
        if not empty:
            number = await self._rows.save_batch(json.dumps(kept).encode(), kept["next_batch"])  # T1
            await self._handle_until_done(number, kept)
        self._since, self._whole_state = kept["next_batch"], False
        self.heard.synced_at = time.time()
        self.first_sync.set()
        await self._chores()
        return empty and bool(_dict(raw.get("rooms")).get("join"))

    async def _fetch(self) -> dict[str, Any]:
        timeout = 0 if self._whole_state else self._patience()
        query = f"timeout={timeout}&set_presence=offline&filter={quote(json.dumps(sync_filter(self._limit)))}"
        query += f"&since={quote(self._since)}" if self._since else ""
        query += "&full_state=true" if self._whole_state else ""
        try:
            raw = await http.request(
                self._client, "GET", f"/_matrix/client/v3/sync?{query}", seconds=timeout / 1000 + http.TIMEOUT
            )
        except http.TooMuch:
            self._limit = max(1, self._limit // 10)  # ask for less; what is cut off is paged back
            raise
        except HomeserverRefused as error:
            if error.status == 401:
                raise LoginLost("matrix.token_dead", "the homeserver does not accept our login any more") from error
            raise
        if not isinstance(raw.get("next_batch"), str):
            raise HomeserverAway("matrix.bad_sync", "the homeserver's sync answer has no token")
        self._limit = TIMELINE
        return raw

    def _patience(self) -> int:
        """Milliseconds the server may hold the answer: not long while chores are undone."""
        failures = self.heard.chore_failures
        return min(POLL_MS, 500 * 2 ** min(failures, 10)) if failures else POLL_MS

    async def _back_off(self, error: Exception) -> None:
        """1 to 60 s with jitter (N13). Nothing is lost meanwhile: the token stands still."""
        self.heard.failures += 1
        self.heard.last_error = error.code if isinstance(error, MatrixError) else type(error).__name__
        if self.heard.failures in (3, 30):
            await self._report(Report(kind="batch_failed", detail=type(error).__name__))
        await asyncio.sleep(min(60.0, 2.0 ** (self.heard.failures - 1)) * random.uniform(0.5, 1.0))

    # ---- one batch -------------------------------------------------------------------------------------------------------

    async def _handle_until_done(self, number: int, kept: dict[str, Any]) -> None:
        """Handle and commit; on failure start again from the committed rows, because memory may be ahead of them."""
        tries = 0
        while True:
            try:
                return await self._handle(number, kept)
            except (LoginLost, RolledBack, asyncio.CancelledError):
                raise
            except Exception as error:
                tries += 1
                if tries in (3, 30):
                    await self._report(Report(kind="batch_failed", detail=type(error).__name__))
                await asyncio.sleep(min(60.0, 2.0 ** (tries - 1)) * random.uniform(0.5, 1.0))
                await self._persist.reload(self._machine.exclusive)

    async def _handle(self, number: int, kept: dict[str, Any]) -> None:
        into = Gathered()
        # 1. Room keys first: the events of this very batch may need them.
        arrived = self._open_to_device(kept, into)
        # 2. Who is trusted, as of this batch: changed users, and pinned users who write with a key that nobody knows.
        self._book.changed(_strings(_dict(kept["device_lists"]).get("changed")))
        self._book.pending |= self._unknown_writers(kept)
        await self.query_keys()
        # 3. Room by room: state, then events, oldest first, holes filled.
        for kind in ("join", "leave"):
            for room_id, room in kept["rooms"][kind].items():
                self._follow_state(room_id, room)
                await self._handle_events(room_id, room["timeline"], into, first=kept.get("first", False))
        for room_id in kept["rooms"]["leave"]:
            self._leave(room_id, into)
        # 4. Events that waited for the keys of step 1.
        await self._retry(arrived, into)
        # 5. T2.
        replays = await self._persist.finish(number, into.result())
        self._after(into, replays)
        await self._tell(into.reports)
        self._invites |= {room_id: _inviter(room, self._book.own.user_id) for room_id, room in kept["rooms"]["invite"].items()}

    def _open_to_device(self, kept: dict[str, Any], into: Gathered) -> set[tuple[str, str]]:
        arrived = set()
        for raw in kept["to_device"]["events"]:
            try:
                key = self._machine.open_to_device(raw)
            except CannotRead as error:
                # To-device messages have no id; the sender's own words are not kept.
                into.reports.append(Report(kind="malformed_event", user_id=raw["sender"], detail=error.reason))
                self._broken.add((raw["sender"], str(_dict(raw["content"]).get("sender_key"))))
                self.heard.quarantined += 1
                continue
            if key is not None:
                arrived.add(key)
        return arrived

    def _follow_state(self, room_id: str, room: dict[str, Any]) -> None:
        view = self._rooms.view(room_id)
        for event in [*_events(room.get("state")), *room["timeline"]["events"]]:
            if isinstance(event, dict):
                view.take(event)

    async def _handle_events(self, room_id: str, timeline: dict[str, Any], into: Gathered, *, first: bool) -> None:
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

    async def sweep(self, room_id: str, pages: int) -> int:
        """Page back once more from the newest event, for an application that misses a number; how many events were new."""
        older, _ = await self._backfill.before(room_id, None, pages=pages, stop_when_known=False)
        into = Gathered()
        for event in older:
            self._receiver.judge_event(room_id, event, into)
        replays = await self._persist.finish(None, into.result())
        self._after(into, replays)
        await self._tell(into.reports)
        return len(older)

    async def _tell(self, reports: Iterable[Report]) -> None:
        """Reports never stop the loop: what the application fails to note, it fails to note."""
        for report in reports:
            with contextlib.suppress(Exception):
                await self._report(report)

    async def _retry(self, arrived: set[tuple[str, str]], into: Gathered) -> None:
        ready = [event_id for event_id, where in self._waiting.items() if where in arrived]
        bodies = await self._rows.waiting_bodies(ready) if ready else {}
        for event_id, body in sorted(bodies.items(), key=lambda pair: ready.index(pair[0])):
            self._receiver.retry(event_id, self._waiting[event_id][0], json.loads(body), into)

    def _after(self, into: Gathered, replays: Any) -> None:
        """Memory follows the commit."""
        for row in into.waiting:
            self._waiting[row.event_id] = (row.room_id, row.session_id)
        for event_id in into.resolved:
            self._waiting.pop(event_id, None)
        into.reports.extend(Report(kind="replayed_event", event_id=event_id) for event_id in replays)
        self.heard.batches += 1
        self.heard.quarantined += len(into.quarantine) + len(replays)
        self.heard.waiting = len(self._waiting)
        if into.inbox:
            self._on_inbox()

    # ---- keys ------------------------------------------------------------------------------------------------------------

    async def query_keys(self, users: frozenset[str] | None = None) -> None:
        """Ask for everybody pending (or those of `users`) and put the verdicts into force (N27).

        One at a time: a late answer must not undo a newer one. Raises HomeserverAway; whoever was asked for stays pending then.
        """
        async with self._asking:
            for _ in range(3):
                pending = self._book.pending if users is None else self._book.pending & users
                if not pending:
                    return
                await self._query(sorted(pending))

    async def _query(self, asked: list[str]) -> None:
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
        await self._tell(news)

    def _unknown_writers(self, kept: dict[str, Any]) -> set[str]:
        """Pinned users with an event whose device key was never served: their keys are asked for before we decide."""
        found = set()
        for kind in ("join", "leave"):
            for room in kept["rooms"][kind].values():
                for event in room["timeline"]["events"]:
                    if not well_formed(event) or event["type"] != "m.room.encrypted":
                        continue
                    key = event["content"].get("sender_key")
                    if (
                        self._book.standing(event["sender"]) == "staff"
                        and isinstance(key, str)
                        and not self._book.knows(event["sender"], key)
                    ):
                        found.add(event["sender"])
        return found

    def _note_keys(self, raw: dict[str, Any]) -> None:
        self._client.note_key_counts(raw.get("device_one_time_keys_count"), raw.get("device_unused_fallback_key_types"))
        now = time.monotonic()
        self._key_counts = [(at, count) for at, count in self._key_counts if now - at < DRAIN_WINDOW_S]
        self._key_counts.append((now, self._client.olm.uploaded_key_count))

    async def _chores(self) -> None:
        """Between syncs: keys that ran low, Olm sessions that broke, rows nobody needs, users whose server was away."""
        drop = sum(max(0, before - after) for (_, before), (_, after) in pairwise(self._key_counts))
        if drop > DRAIN_ALARM:
            self._key_counts.clear()
            await self._tell([Report(kind="keys_drained", detail=str(drop))])
        try:
            await self._network_chores()
        except RolledBack:
            await self._tell([Report(kind="rolled_back")])
            raise
        except MatrixError as error:
            # The homeserver is away or slow: the next round, which comes soon, tries again.
            self.heard.chore_failures += 1
            self.heard.last_error = error.code
            return
        self.heard.chore_failures = 0
        if time.monotonic() - self._pruned > PRUNE_EVERY_S or not self._pruned:
            self._pruned = time.monotonic()
            self._client.store.prune(self._book.own.curve25519)
            await self._rows.prune(older_than_s=KEEP_S)
        if self._client.store.is_dirty:
            await self._persist.flush()

    async def _recall_invites(self) -> None:
        """An invitation comes down the sync once; one that a crash swallowed is still in a sync that starts from nothing."""
        none: dict[str, list[str]] = {"types": []}
        room = {"timeline": {"limit": 1, **none}, "state": none, "ephemeral": none, "account_data": none}
        query = quote(json.dumps({"presence": none, "account_data": none, "room": room}))
        raw = await http.request(self._client, "GET", f"/_matrix/client/v3/sync?timeout=0&set_presence=offline&filter={query}")
        for room_id, invite in _dict(_dict(raw.get("rooms")).get("invite")).items():
            self._invites.setdefault(room_id, _inviter(_dict(invite), self._book.own.user_id))
        self._invites_known = True

    async def _network_chores(self) -> None:
        if self._client.needs_upload:
            await self._client.upload_keys()
        if not self._invites_known:
            await self._recall_invites()
        for user, key in list(self._broken):
            self._broken.discard((user, key))
            device = self._book.device(user, key)
            if device is not None:
                await self._machine.renew(device)
        for room_id, inviter in list(self._invites.items()):
            try:
                await self._on_invite(room_id, inviter)
            except HomeserverRefused as error:
                # Withdrawn, or the inviting server is out of reach: tried five times, then the peer must invite again.
                self._refusals[room_id] = self._refusals.get(room_id, 0) + 1
                if self._refusals[room_id] < 5:
                    raise
                await self._tell([Report(kind="invite_refused", room_id=room_id, user_id=inviter, detail=error.errcode)])
            self._invites.pop(room_id, None)
            self._refusals.pop(room_id, None)
        if time.monotonic() - self._asked_again > ASK_AGAIN_S:
            self._asked_again = time.monotonic()
            self._book.pending |= self._unanswered
            self._unanswered = set()


def _inviter(room: dict[str, Any], own: str) -> str:
    """Who invited us, by the stripped state; empty when it does not say."""
    for event in _events(room.get("invite_state")):
        if isinstance(event, dict) and event.get("type") == "m.room.member" and event.get("state_key") == own:
            return str(event.get("sender", ""))
    return ""


def _events(value: Any) -> list[Any]:
    found = value.get("events") if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _strings(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
