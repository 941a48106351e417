"""Verification by emoji, from her client's messages to her pin: the protocol of `hub.matrix.sas` driven by the rows of `verify_staff`.

What people decide is in the rows and survives a restart; the keys of a running exchange are in memory and do not. A restart in the middle
therefore ends it, and both sides are told. Order at the end: administrator says "same" → what is served is looked at → our MAC → hers →
served once more → pin → `done` → our signature over her master key. Whatever fails on the way leaves the pin as it was.
"""

from __future__ import annotations

import secrets
from collections import deque
from datetime import datetime
from typing import Any

from hub.actions import verify_staff
from hub.actions.ports import Unit
from hub.app.worker import Worker
from hub.base import logs
from hub.base.errors import Refused
from hub.cases.events import Alarm, DeviceNotice
from hub.cases.records import Verification
from hub.matrix import Inbound, Matrix, MatrixError
from hub.matrix.errors import HomeserverRefused
from hub.matrix.sas import PREFIX, Broken, Exchange, Said, is_verification, offers_sas, relation
from hub.store.unit_of_work import Store

_log = logs.get("verifier")
MOST_WAITING = 200
"""Messages not looked at yet; what comes beyond is dropped, and its verification runs into its time."""
STALE_MS = 10 * 60 * 1000
SOON, LATER = 1.0, 30.0
CODES = {"timeout": "m.timeout", "differs": "m.mismatched_sas", "mac": "m.key_mismatch", "served": "m.key_mismatch", "method": "m.unknown_method"}
"""What her client is told, by why it ended; `m.user` for the rest."""
HERS = {"m.mismatched_sas": "differs", "m.timeout": "timeout", "m.key_mismatch": "mac", "m.mismatched_commitment": "differs"}
"""Why it ended, by what her client says; `hers` for the rest."""
ALARMS = {"differs": "verification_differs", "mac": "verification_proof", "served": "verification_proof"}
REASONS = {"m.key_mismatch": "mac", "m.unknown_method": "method"}
"""Why it ended, by what broke; `protocol` for the rest."""


class Verifier(Worker):
    """Runs every verification, one message after the other."""

    name = "verifier"

    def __init__(self, store: Store, matrix: Matrix) -> None:
        super().__init__()
        self._store, self._matrix = store, matrix
        self._live: dict[str, Exchange] = {}
        self._heard: deque[Inbound] = deque(maxlen=MOST_WAITING)
        self._concluded: set[str] = set()
        self._awake = False

    # ---- from the inbox --------------------------------------------------------------------------------------------------

    def note(self, unit: Unit, inbound: Inbound) -> bool:
        """Inside the inbox's unit: whether this is a message of a verification. What asks for one becomes a row at once."""
        if not is_verification(inbound.type, inbound.content):
            return False
        if inbound.type == "m.room.message" and inbound.content.get("to") == self._matrix.device.user_id:
            self._asked(unit, inbound)
        return True

    def hear(self, inbound: Inbound) -> None:
        """After that unit: go on with it, if it belongs to one that runs. Of the rest a homeserver could make up any number."""
        if is_verification(inbound.type, inbound.content):
            if inbound.refers in self._live:
                self._heard.append(inbound)
            self.poke()

    def _asked(self, unit: Unit, inbound: Inbound) -> None:
        age = unit.now.timestamp() * 1000 - inbound.ts_ms
        device = inbound.content.get("from_device")
        if age > STALE_MS or not isinstance(device, str):
            return  # her client has given up long ago
        trusted = self._matrix.trusts_device(inbound.sender, device)
        row = verify_staff.ask_verification(
            unit, id=inbound.event_id, user=inbound.sender, room=inbound.room_id, device=device, trusted=trusted
        )
        if row and row.why == "device":
            unit.announce(DeviceNotice(user=row.user, device=row.device))
        elif row and row.state == "asked" and not offers_sas(inbound.content):
            verify_staff.break_off(unit, row.id, "method")

    # ---- the worker ------------------------------------------------------------------------------------------------------

    async def turn(self) -> float:
        """Take what came, then bring every open verification one step on."""
        if not self._awake:
            await self._store.run(_end_what_ran_before)
            self._awake = True
        while self._heard:
            await self._take(self._heard.popleft())
        rows: list[Verification] = await self._store.run(_open, quiet=True)
        for row in rows:
            await self._advance(row)
        return SOON if rows else LATER

    async def _take(self, inbound: Inbound) -> None:
        """A message of a running exchange. Whoever is not its other side, or in another room, is not listened to."""
        exchange = self._live.get(inbound.refers or "")
        row = await self._row(exchange.transaction) if exchange else None
        if exchange is None or row is None or (inbound.sender, inbound.room_id) != (row.user, row.room):
            return
        kind = inbound.type.removeprefix(PREFIX)
        if kind == "cancel":
            return await self._break(row, HERS.get(str(inbound.content.get("code")), "hers"), told=True)
        try:
            await self._say(row, exchange.take(kind, inbound.content))
        except Broken as broken:
            return await self._break(row, REASONS.get(broken.code, "protocol"))
        except MatrixError:
            return await self._break(row, "away")
        if row.state == "ready" and exchange.emoji is not None:
            emoji = exchange.emoji
            await self._store.run(lambda unit: verify_staff.show_emoji(unit, row.id, emoji))

    async def _advance(self, row: Verification) -> None:
        try:
            await self._step(row)
        except (Broken, Refused) as error:
            _log.info("verifier.stopped", error=error)
            await self._break(row, "served" if isinstance(error, Refused) else "protocol")
        except MatrixError as error:
            _log.info("verifier.away", error=error)
            if row.state in verify_staff.LIVE:
                await self._break(row, "away")
            elif isinstance(error, HomeserverRefused) or row.expires_at <= self._now():
                await self._close(row)  # the row says what is true; nobody waits any more for what could not be said

    async def _step(self, row: Verification) -> None:
        exchange = self._live.get(row.id)
        if row.state == "broken":
            await self._cancel(row)
        elif row.state == "verified":
            await self._conclude(row)
        elif row.expires_at <= self._now():
            await self._break(row, "timeout")
        elif row.state == "ready" and exchange is None:
            await self._begin(row)
        elif row.state == "same" and exchange is not None:
            await self._prove(row, exchange)

    async def _begin(self, row: Verification) -> None:
        exchange = self._matrix.verification(row.id, row.user, row.device)
        if exchange is None or exchange.theirs.master != row.master:
            return await self._break(row, "served")
        self._live[row.id] = exchange
        await self._say(row, [exchange.ready()])

    async def _prove(self, row: Verification, exchange: Exchange) -> None:
        """The emoji are the same: our MAC, and when hers is there too, the pin."""
        if exchange.confirmed and not exchange.proven:
            return
        if not await self._matrix.serves_master(row.user, row.master):
            return await self._break(row, "served")
        await self._say(row, exchange.confirm())
        if exchange.proven:
            await self._store.run(lambda unit: verify_staff.keep_verified(unit, row.id, exchange.theirs.master))

    async def _conclude(self, row: Verification) -> None:
        """Tried again until the homeserver takes it, or her time is over: that the pin rose stands already."""
        if row.id not in self._concluded:
            await self._say(row, [("done", {})])
            self._concluded.add(row.id)
        await self._matrix.sign_person(row.user, row.master)
        await self._close(row)

    async def _break(self, row: Verification, why: str, *, told: bool = False) -> None:
        """End it; `told`: her client ended it itself."""

        def end(unit: Unit) -> None:
            if verify_staff.break_off(unit, row.id, why).why == why and why in ALARMS:
                unit.announce(Alarm(code=ALARMS[why], params=(("user", row.user), ("why", why))))

        await self._store.run(end)
        if told:
            await self._close(row)

    async def _cancel(self, row: Verification) -> None:
        code = CODES.get(row.why or "", "m.user")
        await self._say(row, [("cancel", {"code": code, "reason": row.why or ""})])
        await self._close(row)

    async def _close(self, row: Verification) -> None:
        self._live.pop(row.id, None)
        self._concluded.discard(row.id)
        await self._store.run(lambda unit: verify_staff.close_verification(unit, row.id))

    async def _say(self, row: Verification, messages: list[Said]) -> None:
        for kind, content in messages:
            await self._matrix.send(row.room, PREFIX + kind, content, secrets.token_hex(12), dict(relation(row.id)))

    def _now(self) -> datetime:
        return self._store.given.clock.now()

    async def _row(self, id: str) -> Any:
        return await self._store.run(lambda unit: unit.verifications.get(id), quiet=True)


def _open(unit: Unit) -> list[Verification]:
    return unit.verifications.all(state__in=(*verify_staff.LIVE, "verified", "broken"), order="asked_at")


def _end_what_ran_before(unit: Unit) -> None:
    """The keys of these were in a memory that is gone."""
    for row in unit.verifications.all(state__in=("ready", "shown", "same")):
        verify_staff.break_off(unit, row.id, "restart")
