"""Two servers of one hub on one PostgreSQL: one leads and acts, the other follows and stands by (`docs/adr/0014-…`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.actions.devices import keep_device, state_devices
from hub.actions.ports import Unit
from hub.app.announcer import stated
from hub.app.manifest import file_manifest, names_ours, write
from hub.base import logs
from hub.base.clock import Clock
from hub.base.config import Config
from hub.base.errors import Stopped
from hub.exchange.records import HubDevice, OwnStatement
from hub.matrix.facade import Server
from hub.matrix.ports import Device
from hub.store.database import Database
from hub.store.lease import Lease, connection_name, new_holder
from hub.store.repositories import VouchedRows
from hub.store.seals import Seals
from hub.store.tables import HUB_DEVICES, OWN_STATEMENTS
from keys.casekeys import DataKeys
from keys.keyring import Keyring
from keys.manifest import Manifest

if TYPE_CHECKING:
    from hub.app.house import House
    from hub.app.rooms import RoomsKeeper

PULSE_EVERY, LOOK_EVERY, FOLLOW_EVERY = 1.0, 0.5, 2.0
"""Seconds between two renewals of the lease, two looks whether it ran out, two looks at what the other server changed."""
_MANIFEST, _HELD = "manifest", "manifest_keys"
_log = logs.get("servers")


class Servers:
    """This server's place beside the other one."""

    def __init__(self, config: Config) -> None:
        self.name = config.database.server
        self._institution = config.institution.id
        self._holder = new_holder(self.name)

    @property
    def connections(self) -> str:
        """What our connections call themselves."""
        return connection_name(self._institution, self._holder)

    def over(self, database: Database, keys: DataKeys) -> None:
        """The database that holds the lease, and the keys that seal our rows in it."""
        self._database, self._seals = database, Seals(keys)
        self.lease = Lease(database, self._institution, self._holder)

    def once(self, make: Callable[[], None]) -> None:
        """Do what two servers must not do at the same moment: make the first key of an empty key store."""

        def alone(connection: Any) -> None:
            self.lease.alone(connection)
            make()

        self._database.run_now(alone)

    def leads(self) -> bool:
        """Whether we took the lease. Once lost, this process ends, so it never changes back."""
        return self.lease.token is not None

    async def note_device(self, device: Device, now: datetime) -> None:
        """Our own device, before anybody is shown it: the server that leads states it to the peers, and takes it for no ghost."""
        await self._database.run(lambda c: keep_device(VouchedRows(c, HUB_DEVICES, self._seals), now, self.name, stated(device)))

    def devices(self, user: str) -> frozenset[Device]:
        """The devices of all servers of this hub as noted until now."""
        rows = self._database.run_now(lambda c: VouchedRows(c, HUB_DEVICES, self._seals).all())
        return frozenset(Device(user_id=user, device_id=row.device_id, ed25519=row.ed25519, curve25519=row.curve25519) for row in rows)

    # ---- the one manifest ----------------------------------------------------------------------------------------------

    def fetch_manifest(self, path: Path, keyring: Keyring) -> None:
        """Take over the institution's manifest from the other server. Raises Stopped `server.other_keys` when our keyring is older than it:

        with keys of before we would be mute in the place of a server that has them.
        """
        ours, shared = file_manifest(path), self._database.run_now(lambda c: shared_manifest(c, self._seals))
        if shared is None or (ours and ours.version > shared.manifest.version):  # a turn that ended here before it was shared: it is shared next
            return
        if not shared.fits(ours, keyring):
            raise Stopped("server.other_keys")
        if ours is None or ours.version < shared.manifest.version:
            write(path, shared.manifest.raw)

    def share_manifest(self, manifest: Manifest, now: datetime, keyring: Keyring | None = None) -> None:
        """Keep ours for the other server when it is the newer one, and whether its keys are in our keyring.

        Raises Stopped `server.other_keys` when two were made at once.
        """
        held = keyring is not None and names_ours(keyring, manifest.profile)

        def keep(rows: VouchedRows[OwnStatement]) -> None:
            kept = rows.get(_MANIFEST)
            if kept and kept.number == manifest.version and kept.data != manifest.raw:
                raise Stopped("server.other_keys")
            if kept is None or kept.number < manifest.version:
                rows.delete(_MANIFEST)
                rows.add(OwnStatement(id=_MANIFEST, number=manifest.version, data=manifest.raw, at=now))
            if held and _held(rows) < manifest.version:
                rows.delete(_HELD)
                rows.add(OwnStatement(id=_HELD, number=manifest.version, data=b"", at=now))

        self._database.run_now(lambda c: keep(VouchedRows(c, OWN_STATEMENTS, self._seals)))

    def check_manifest(self, unit: Unit) -> None:
        """Raises Stopped `server.newer_manifest` when the other server has a newer one: the next start takes it over."""
        kept = unit.own_statements.get(_MANIFEST)
        if kept and kept.number > unit.hand.manifest.version:
            raise Stopped("server.newer_manifest")

    # ---- leading -------------------------------------------------------------------------------------------------------

    async def wait_to_lead(self, stopping: asyncio.Event) -> bool:
        """Return when we lead, or with False when told to stop meanwhile."""
        _log.info("servers.standing_by")
        while not stopping.is_set():
            if await self.try_to_lead():
                return True
            await asyncio.sleep(LOOK_EVERY)
        return False

    async def try_to_lead(self) -> bool:
        """Whether we lead, now or already."""
        if not self.leads() and await asyncio.to_thread(self.lease.take):
            _log.info("servers.leading", count=self.lease.token)
        return self.leads()

    async def keep_leading(self) -> None:
        """Renew the lease as long as this process lives. Raises Stopped `server.lost_lead` when that did not work in time."""
        while True:
            if not await asyncio.to_thread(self.lease.pulse) or not self.lease.valid:
                raise Stopped("server.lost_lead")
            await asyncio.sleep(PULSE_EVERY)

    async def shown(self, rows: list[HubDevice]) -> list[dict[str, object]]:
        """Each server by name: its device, whether it runs, and what it does."""
        running = await asyncio.to_thread(self.lease.connected)
        holder = await asyncio.to_thread(self.lease.holder)
        return [
            {"server": row.id, "device_id": row.device_id, "running": row.id in running, "role": _role(row.id, holder, running)} for row in rows
        ]

    async def give(self) -> None:
        """Our work has ended: the other one may begin."""
        if self.leads():
            await asyncio.to_thread(self.lease.give)


def _role(server: str, leader: str, running: frozenset[str]) -> str:
    return "leader" if server == leader else "standby" if server in running else "away"


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The institution's manifest as the servers share it, and whether any of them has shown to have its keys."""

    manifest: Manifest
    held: bool

    def fits(self, ours: Manifest | None, keyring: Keyring) -> bool:
        """Whether a server with this keyring may run under it. Without its keys only where it is in force already and no server has them:

        a restore lost them, and the manifest came back (`hub/actions/own_manifest.py`). This start is then the way to new ones, and to refuse
        it would be for ever.
        """
        back = ours is not None and ours.raw == self.manifest.raw and not self.held
        return back or names_ours(keyring, self.manifest.profile)


def shared_manifest(connection: Any, seals: Seals) -> Shared | None:
    """What the servers share; None before the first start."""
    rows = VouchedRows(connection, OWN_STATEMENTS, seals)
    kept = rows.get(_MANIFEST)
    return Shared(manifest=Manifest.from_bytes(kept.data), held=_held(rows) >= kept.number) if kept else None


def _held(rows: VouchedRows[OwnStatement]) -> int:
    """Of which version a server has had the keys."""
    row = rows.get(_HELD)
    return row.number if row else 0


class Following:
    """How the Matrix room is tied to another server of ours. A hub that is alone has none of it."""

    def __init__(self, servers: Servers | None, clock: Clock) -> None:
        self._servers, self._clock = servers, clock
        self._keeper: RoomsKeeper | None = None

    def serve(self, keeper: RoomsKeeper) -> None:
        """From here on the trust list can be read."""
        self._keeper = keeper

    def for_matrix(self) -> Server:
        """What the Matrix room asks of us."""
        servers = self._servers
        if servers is None:
            return Server()
        return Server(
            acts=servers.leads,
            may_send=lambda: servers.lease.assert_valid(),
            on_device=lambda device: servers.note_device(device, self._clock.now()),
            before_batch=self._before_batch,
        )

    async def _before_batch(self) -> None:
        if self._keeper:
            await self._keeper.follow()


async def follow(house: House, servers: Servers) -> None:
    """See every two seconds what the other server did: its device, its manifest, events that only it could read."""
    while True:
        await asyncio.sleep(FOLLOW_EVERY)
        await house.store.look(servers.check_manifest)
        await house.keeper.follow()
        if servers.leads():
            await house.store.run(state_devices, quiet=True)
            house.inbox.poke()
