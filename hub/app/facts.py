"""The numbers by which this hub is judged, read together (health, metrics, `tinkuy status`)."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

from hub.actions.indicators import bases_by_code, indicators
from hub.actions.room_findings import DEVICES, STRANGERS, standing
from hub.app import backup
from hub.app.protocol_commands import protocol_counts
from hub.base import logs
from hub.base.errors import Stopped
from hub.store.unit_of_work import UnitOfWork, check_trust
from hub.web.facts import Facts
from keys.manifest import Manifest

if TYPE_CHECKING:
    from hub.app.house import House

_log = logs.get("watch")
LOCK_EVERY = 10.0
"""Seconds between two looks at the database lock."""


class Watch:
    """Measures the event loop's lag, and gathers facts on demand."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._lag = 0.0
        self._checked = 0.0

    async def run(self) -> None:
        """Sleep a little, see how late one wakes, and prune old Matrix rows now and then."""
        pruned = 0.0
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.5)
            await self._check_lock()
            self._lag = max(time.perf_counter() - before - 0.5, self._lag * 0.98)
            if time.monotonic() - pruned > 6 * 3600:
                pruned = time.monotonic()
                await self._house.rows.prune(older_than_s=30 * 86400)

    async def _check_lock(self) -> None:
        """Stop at once when the database is not ours alone any more: its lock (D12), the rows that say whom we trust (C08). Raises Stopped."""
        if time.monotonic() - self._checked > LOCK_EVERY:
            self._checked = time.monotonic()
            if not await asyncio.to_thread(self._house.lock.held):
                raise Stopped("database.lock_lost")
            await self._house.store.look(check_trust)

    async def facts(self) -> Facts:
        """One reading."""
        health = self._house.matrix.health
        servers = self._house.servers
        role = "alone" if servers is None else "leader" if servers.leads() else "standby"
        try:
            counts = await self._house.store.look(lambda unit: _counts(self._house, unit))
            guard_seen = await self._house.store.look(lambda unit: {row.id: row.seen for row in unit.guard_counts.all()})
            legal_bases = await self._house.store.look(bases_by_code)
        except Exception as error:
            _log.error("watch.database", error=error)
            return Facts(database=False, sync_age_seconds=health.sync_age_s, device_trusted=health.cross_signed, role=role)
        return Facts(
            database=True,
            sync_age_seconds=health.sync_age_s,
            device_trusted=health.cross_signed,
            undecryptable=health.waiting,
            rate_limited=health.rate_limited,
            quarantined=int(counts["quarantine"] - counts["unsigned"]),
            unsigned=int(counts["unsigned"]),
            links_stopped=int(counts["stopped"]),
            protocols_waiting=int(counts["waiting"]),
            protocols_blocked=int(counts["blocked"]),
            protocol_days_left=counts["protocol_days"] if counts["protocol_days"] < math.inf else None,
            rooms_drifted=int(counts["drifted"]),
            room_strangers=int(counts["strangers"]),
            devices_in_doubt=int(counts["doubts"]),
            one_time_keys=health.one_time_keys,
            outbox_oldest_seconds=counts["oldest"],
            outbox={"ready": int(counts["ready"]), "sent": int(counts["unacked"])},
            unacked=int(counts["unacked"]),
            overdue_checkins=int(counts["overdue"]),
            told_again=int(counts["told_again"]),
            emergencies=int(counts["emergencies"]),
            emergencies_unreviewed=int(counts["unreviewed"]),
            manifest_days_left=counts["days"],
            loop_lag_seconds=self._lag,
            role=role,
            guard_seen=guard_seen,
            legal_bases=legal_bases,
            backup_age_seconds=await asyncio.to_thread(_backup_age, self._house),
        )


def _backup_age(house: House) -> float | None:
    made = backup.newest(house.config)
    return (house.clock.now() - made).total_seconds() if made else None


def _counts(house: House, unit: UnitOfWork) -> dict[str, float]:
    oldest = unit.outbox.all(state="ready", order="made_at", limit=1)
    manifests = [unit.hand.manifest, *(Manifest.from_bytes(p.manifest) for p in unit.peers.all(state="confirmed"))]
    wrong = standing(unit)
    return {
        "drifted": len({row.purpose for row in wrong} - {DEVICES}),
        "strangers": sum(row.what in STRANGERS for row in wrong),
        "doubts": sum(row.purpose == DEVICES for row in wrong),
        "ready": unit.outbox.count(state="ready"),
        "unacked": unit.outbox.count(state="dispatched"),
        "stopped": unit.links.count(frozen__not=None),
        "oldest": (unit.now - oldest[0].made_at).total_seconds() if oldest else 0.0,
        **indicators(unit),
        "overdue": unit.timers.count(kind="checkin", done_at=None, due_at__le=unit.now),
        "days": min((m.profile.expires - unit.now).total_seconds() / 86400 for m in manifests),
        "quarantine": house.rows.counts(unit.connection).get("quarantine", 0),
        **protocol_counts(unit),
        "unsigned": sum(house.rows.unsigned_writers(unit.connection).values()),
    }
