"""What the Matrix room reports, turned into pins, room records and alarms (`design.md` §4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from hub.actions.devices import take_devices
from hub.actions.disputes import note_dispute
from hub.actions.facts import freeze_link_of
from hub.actions.invitations import note_invitation
from hub.actions.peers import open_link_room
from hub.actions.ports import Unit
from hub.actions.room_findings import DEVICE_KINDS
from hub.actions.staff import pin_first_sight, refuse_master
from hub.app.announcer import stated
from hub.base import logs
from hub.base.errors import PeerFault
from hub.cases.events import Alarm, DeviceNotice
from hub.cases.records import Room
from hub.exchange.records import Peer
from hub.matrix import Matrix, MatrixError, Report
from hub.store.unit_of_work import Store
from keys.devices import StatedDevice
from keys.manifest import Manifest

if TYPE_CHECKING:
    from hub.app.rooms import RoomsKeeper

_log = logs.get("reports")
QUIET_SECONDS, DAY = 900.0, 86400.0
"""How long the same report is not told again; a dispute between peers is repeated for ever."""
_SILENT = frozenset({"malformed_event", "undecryptable", "replayed_event", "foreign_event", "batch_failed"})
"""Counted in metrics and kept in quarantine; they would only fill the admin room."""


class Reports:
    """Hears reports from the first moment; acts on them once it is served with a store."""

    def __init__(self, acts: Callable[[], bool] = lambda: True) -> None:
        """`acts`: false while another server of ours leads, which hears the same from the same homeserver."""
        self._acts = acts
        self._early: list[Report] = []
        self._store: Store | None = None
        self._told: dict[tuple[str, str, str], float] = {}

    def serve(self, store: Store, matrix: Matrix, keeper: RoomsKeeper) -> None:
        """From here on reports take effect."""
        self._store, self._matrix, self._keeper = store, matrix, keeper

    async def hear(self, report: Report) -> None:
        """One report. Those that come while the house is being built wait."""
        _log.info("matrix.report", kind=report.kind)
        if self._store is None:
            self._early.append(report)
            return
        for earlier in (*self._early, report) if self._acts() else ():
            await self._act(self._store, earlier)
        self._early.clear()

    async def _act(self, store: Store, report: Report) -> None:
        if report.kind == "first_sight" and report.user_id:
            await store.run(lambda unit: pin_first_sight(unit, report.user_id or "", report.detail))
        elif report.kind == "master_changed" and report.user_id:
            await store.run(refuse_master, report.user_id, report.detail)
            self._keeper.poke()
        elif report.kind == "stranger" and report.room_id:
            await store.run(freeze_link_of, report.room_id, "stranger")
            self._keeper.stirred(report.room_id)
        elif report.kind == "invite_refused" and report.room_id and report.user_id:
            await store.run(note_invitation, report.room_id, report.user_id, report.detail)
        elif report.kind in ("left_room", "room_drift") and report.room_id:
            self._keeper.stirred(report.room_id)  # a room of ours is made anew and told of; one that we turned down is nobody's news
        elif report.kind in DEVICE_KINDS:
            await self._device(store, report)
        elif report.kind == "joined_by_invite":
            await store.run(lambda unit: _link_room(unit, report))
            self._keeper.poke()
        elif report.kind == "joined_coordination":
            self._keeper.poke()
        elif report.kind == "device_statement" and report.user_id:
            await self._take_devices(store, report)
        elif report.kind in _SILENT or self._was_told(report) or self._is_over(report):
            return
        else:
            await store.run(lambda unit: _tell(unit, report))

    async def _device(self, store: Store, report: Report) -> None:
        """She is told on her good devices, the administrators by the keeper, which shows it until it is over."""
        if self._was_told(report) or self._is_over(report):
            return
        if report.kind == "unverified_device":
            await store.run(_notice, report)
        self._keeper.poke()

    def _is_over(self, report: Report) -> bool:
        """A warning about a device that is trusted by now: she was pinned anew, or verified it, while the report was on its way."""
        device = report.device_id if report.kind in ("unverified_device", "unverified_writer") else None
        return bool(device and report.user_id and self._matrix.trusts_device(report.user_id, device))

    async def _take_devices(self, store: Store, report: Report) -> None:
        """A statement that holds is in force before the next event is judged; one that does not is told, but not each time."""
        user, data, shown = report.user_id or "", report.detail.encode(), self._matrix.shown_first()
        try:
            changed = await store.run(take_devices, user, data, None, shown)
        except PeerFault as fault:
            if "users" not in fault.params:
                return await self._refused(store, report, fault)
            try:  # it stands in another's way: who has the device?
                changed = await store.run(take_devices, user, data, await self._served(str(fault.params["users"]).split()), shown)
            except PeerFault as again:
                return await self._refused(store, report, again)
        if changed:
            await self._keeper.trust()
        return None

    async def _served(self, users: Iterable[str]) -> dict[str, frozenset[StatedDevice]]:
        try:
            found = await self._matrix.served_devices(*users)
        except MatrixError:
            return {}  # nobody can say: it is stated again
        return {user: frozenset(stated(device) for device in devices) for user, devices in found.items()}

    async def _refused(self, store: Store, report: Report, fault: PeerFault) -> None:
        """A dispute is repeated with the statement, for ever: it is told once a day, and ends by what people decide (`tinkuy peer owns`)."""
        others = str(fault.params.get("other", "")).split()
        if others:
            await store.run(note_dispute, fault)
        lasting = bool(others) or fault.code == "device_denied"
        if self._was_told(replace(report, device_id=" ".join((fault.code, *others))), DAY if lasting else QUIET_SECONDS):
            return
        both = (("detail", ", ".join(others)),) if others else ()
        params = (("institution", str(fault.params["institution"])), ("why", fault.code), *both)
        await store.run(lambda unit: unit.announce(Alarm(code="devices_disputed" if both else "devices_refused", params=params)))

    def _was_told(self, report: Report, quiet: float = QUIET_SECONDS) -> bool:
        key = (report.kind, report.user_id or report.room_id or "", report.device_id or "")
        last = self._told.get(key)
        if last is not None and time.monotonic() - last < quiet:
            return True
        self._told[key] = time.monotonic()
        return False


def _link_room(unit: Unit, report: Report) -> None:
    peer = peer_of_user(unit, report.user_id or "")
    if peer and report.room_id:
        old = unit.rooms.one(purpose=f"link:{peer.id}")
        if old:
            unit.rooms.delete(old.id)
        unit.rooms.add(Room(id=report.room_id, purpose=f"link:{peer.id}", made_at=unit.now))
        open_link_room(unit, peer.id, report.room_id)


def peer_of_user(unit: Unit, user: str) -> Peer | None:
    """The confirmed peer whose hub has this Matrix user."""
    return next((p for p in unit.peers.all(state="confirmed") if Manifest.from_bytes(p.manifest).profile.matrix_user == user), None)


def _notice(unit: Unit, report: Report) -> None:
    if report.user_id and unit.staff.get(report.user_id):
        unit.announce(DeviceNotice(user=report.user_id, device=report.device_id or ""))


def _tell(unit: Unit, report: Report) -> None:
    if report.kind == "unverified_writer":
        _notice(unit, report)
    params = {"kind": report.kind, "user": report.user_id or "", "device": report.device_id or "", "room": report.room_id or ""}
    unit.announce(Alarm(code="matrix", params=tuple(params.items())))
