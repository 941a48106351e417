"""From the inbox (decrypted, verified events, sealed at rest) to their effect: each in one unit of work, once (D03)."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import Counter
from collections.abc import Awaitable, Callable

from hub.actions.ports import Unit
from hub.actions.receive import receive
from hub.app.verifier import Verifier
from hub.app.worker import Worker
from hub.base import logs
from hub.base.errors import Forged, PeerFault
from hub.base.faults import Faults
from hub.cases.events import Alarm, CoordinationMoved
from hub.chat.desk import hear
from hub.chat.heard import Heard
from hub.matrix import Inbound, Matrix
from hub.matrix.ports import ENVELOPE_TYPE
from hub.store.database import is_passing
from hub.store.matrix_rows import SqlMatrixRows
from hub.store.unit_of_work import Store, UnitOfWork
from keys.envelope import MAX_SEALED
from keys.errors import ProviderError

_log = logs.get("inbox")
TRIES = 3
NO_KEK = 2.0
"""Seconds between two tries while the key-encryption key is away."""
TOGETHER = 8
"""Events of peers that are handled in one unit, when so many wait: a commit costs more than what an envelope does."""
MOST_WAITS = 100
"""Tenths of a second that an answer to an unknown message waits while messages of ours are on their way."""


class Inbox(Worker):
    """Handles inbox rows oldest first. What fails three times for a reason of ours is set aside with an alarm: it may not stop the rest."""

    name = "inbox"

    def __init__(
        self, store: Store, rows: SqlMatrixRows, matrix: Matrix, faults: Faults, waiting: asyncio.Event, trust: Callable[[], Awaitable[None]],
        verifier: Verifier, take_back: Callable[[], Awaitable[object]] | None = None,
    ) -> None:  # fmt: skip
        """`take_back` puts a manifest of ours in force that a peer gave back."""
        super().__init__(waiting)
        self._trust, self._verifier = trust, verifier
        self._renewed = self._given_back = False
        self._take_back = take_back
        self._store, self._rows, self._matrix, self._faults = store, rows, matrix, faults
        self._event: str | None = None
        self._failed: Counter[str] = Counter()
        self._waited: Counter[str] = Counter()
        self._receipts: set[asyncio.Task[None]] = set()

    async def turn(self) -> float:
        """Handle everything that waits."""
        most = TOGETHER
        while True:
            try:
                self._event = None
                done, too_early = await self._store.run(self._take, most, quiet=True)
            except Exception as error:
                if self._event is None or is_passing(error) or isinstance(error, Forged):
                    raise  # no event is to blame: all wait until the database is back, or less busy (R02); a forged row stops the hub (C08)
                if most == 1:
                    await self._set_aside(self._event, error)
                most = 1  # one by one, until the inbox is empty: whoever failed fails alone
                continue
            if not done and not too_early:
                return 30.0
            if self._renewed:  # a peer's newer manifest, or who is in which room: judged by it before the next event is, and before anything is sent
                self._renewed = False
                await self._trust()
            if done:
                self._store.wake()
            for _ in done:
                self._faults.reach("inbox.handled")
            if self._given_back and self._take_back:
                self._given_back = False
                await self._take_back()
            for inbound in done:
                if inbound.standing == "staff":
                    self._verifier.hear(inbound)
                    self._show_read(inbound)
            if too_early:
                await asyncio.sleep(0.1)

    def _take(self, unit: UnitOfWork, most: int) -> tuple[list[Inbound], bool]:
        """Handle the oldest in this very unit: one of a person, or several of peers. Whether the next must wait."""
        done: list[Inbound] = []
        for event, body in self._rows.inbox_next(unit.connection, most):
            inbound = Inbound.from_bytes(body)
            if done and inbound.standing != "peer":
                break
            self._event = event
            if self._too_early(unit, event, inbound):
                return done, True
            self._handle(unit, event, inbound)
            done.append(inbound)
            if inbound.standing != "peer" or self._renewed:
                break
        return done, False

    def _too_early(self, unit: UnitOfWork, event: str, inbound: Inbound) -> bool:
        """Whether this answers a message that may be ours though we do not know its event yet: put, and the process died before noting it."""
        target = (inbound.thread_root or inbound.reply_to) if inbound.standing == "staff" else None
        if target is None or unit.posts.one(event=target) is not None:
            return False
        self._waited[event] += 1
        return self._waited[event] <= MOST_WAITS and unit.posts.count(state="sending") > 0

    def _handle(self, unit: UnitOfWork, event: str, inbound: Inbound) -> None:
        self._rows.inbox_done(unit.connection, event)
        place = unit.rooms.get(inbound.room_id)
        in_company = place is not None and place.purpose.startswith("coordination:")
        if inbound.standing == "peer" and in_company:
            return  # what another institution's hub says to its people
        if inbound.standing == "peer":
            _from_peer(unit, inbound)
            told = {event.code for event in unit.events if isinstance(event, Alarm)}
            self._renewed |= "peer_manifest" in told
            self._given_back |= "own_manifest_back" in told
        elif in_company or not self._verifier.note(unit, inbound):
            hear(unit, _heard(inbound), self._matrix.device.user_id)
        self._renewed |= any(isinstance(event, CoordinationMoved) for event in unit.events)  # who is trusted where, before the next event

    async def _set_aside(self, event: str, error: Exception) -> None:
        if isinstance(error, ProviderError):  # the key-encryption key is away: nothing is taken and nothing set aside until it is back (R10)
            _log.error("inbox.no_kek", error=error)
            await asyncio.sleep(NO_KEK)
            return
        self._failed[event] += 1
        _log.error("inbox.failed", event_id=event, error=error, count=self._failed[event])
        if self._failed[event] < TRIES:
            await asyncio.sleep(0.2)
            return

        def give_up(unit: UnitOfWork) -> None:
            self._rows.inbox_done(unit.connection, event)
            unit.announce(Alarm(code="event_failed", params=(("why", type(error).__name__),)))

        await self._store.run(give_up)

    def _show_read(self, inbound: Inbound) -> None:
        task = asyncio.create_task(self._read(inbound))
        self._receipts.add(task)
        task.add_done_callback(self._receipts.discard)

    async def _read(self, inbound: Inbound) -> None:
        try:
            await self._matrix.read(inbound.room_id, inbound.event_id)
        except Exception as error:
            _log.debug("inbox.no_receipt", error=error)


def _from_peer(unit: Unit, inbound: Inbound) -> None:
    """An envelope takes effect, or is refused as a whole with an alarm: the road goes on either way."""
    try:
        if inbound.type != ENVELOPE_TYPE:
            raise PeerFault("not_an_envelope")
        sealed = base64.b64decode(str(inbound.content.get("sealed", ""))[: 2 * MAX_SEALED], validate=True)
        unit.attempt(lambda: receive(unit, inbound.room_id, inbound.sender, sealed))
    except (PeerFault, binascii.Error) as error:
        params = {k: str(v) for k, v in getattr(error, "params", {}).items()}
        unit.announce(Alarm(code="envelope_refused", params=tuple({"why": getattr(error, "code", "base64"), **params}.items())))


def _heard(inbound: Inbound) -> Heard:
    return Heard(
        room=inbound.room_id, event=inbound.event_id, sender=inbound.sender, type=inbound.type, content=inbound.content,
        thread=inbound.thread_root, reply=inbound.reply_to, edits=inbound.edits, firm=inbound.firm,
    )  # fmt: skip
