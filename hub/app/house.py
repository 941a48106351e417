"""Building the house from its configuration, running it until told to stop (`design.md` §9)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hub.actions.devices import hold_device
from hub.actions.erase import finish_shredding
from hub.actions.own_manifest import say_lacking
from hub.actions.ports import Unit
from hub.actions.receive import owe_acks
from hub.actions.restart import bury_missed
from hub.actions.ring import ring_due
from hub.app import backup
from hub.app.announcer import LONGEST, Announcer, stated
from hub.app.commands import handlers
from hub.app.facts import Watch
from hub.app.graves import buried_by, say_how_far
from hub.app.inbox import Inbox
from hub.app.keyturn import KeyTurner, hand_of
from hub.app.manifest import file_manifest, is_settled, manifest_path, own_manifest
from hub.app.outbox import Dispatcher
from hub.app.posts import Poster
from hub.app.reports import Reports
from hub.app.restore import UNFINISHED, read_note, write_note
from hub.app.rewrap import unfinished
from hub.app.room_news import Stir
from hub.app.rooms import RoomsKeeper
from hub.app.servers import FOLLOW_EVERY, Following, Servers, follow
from hub.app.settings import institution, rules
from hub.app.verifier import Verifier
from hub.app.worker import Worker
from hub.base import logs
from hub.base.clock import Clock, SystemClock
from hub.base.config import Config
from hub.base.errors import Stopped, TinkuyError
from hub.base.faults import Faults
from hub.base.kek import open_kek
from hub.base.packcheck import pack_of
from hub.cases.events import Event
from hub.chat.tell import tell
from hub.matrix import Account, CrossSigningSeeds, Matrix, MatrixError, TrustList
from hub.matrix.errors import HomeserverAway
from hub.schedule.ticker import Ticker
from hub.store.database import Database
from hub.store.journal import PULSE_EVERY, FileJournal
from hub.store.key_rows import KeyTable
from hub.store.lock import DatabaseLock
from hub.store.matrix_rows import SqlMatrixRows
from hub.store.migrate import upgrade
from hub.store.seals import Seals
from hub.store.unit_of_work import Collaborators, Store, check_vouched
from hub.web.app import WebServer
from hub.web.control import ControlServer
from keys.casekeys import DataKeys
from keys.identity import Identity, load_identity, new_device_id
from keys.journal import journal_key
from keys.kek import KekProvider
from keys.keyring import FileRows, Keyring
from keys.manifest import Manifest
from keys.primitives import aead_open, aead_seal, join, self_test

_log = logs.get("app")
HUB_OWNER = "hub"


@dataclass(kw_only=True)
class House:
    """Everything that one running hub consists of."""

    config: Config
    clock: Clock
    identity: Identity
    database: Database
    keys_database: Database
    rows: SqlMatrixRows
    matrix: Matrix
    store: Store
    reports: Reports
    lock: DatabaseLock
    kek: KekProvider
    keyring: Keyring
    faults: Faults
    inbox: Inbox
    dispatcher: Dispatcher
    poster: Poster
    verifier: Verifier
    keeper: RoomsKeeper
    announcer: Announcer
    ticker: Ticker
    tombstones: FileJournal
    servers: Servers | None = None
    turning: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a manifest of ours is made or taken back: each follows the one before."""

    @property
    def workers(self) -> tuple[Worker, ...]:
        """What acts; a server that stands by runs none of them."""
        return (self.inbox, self.dispatcher, self.poster, self.verifier, self.keeper, self.announcer)

    def poke(self) -> None:
        """Something was committed: look for work."""
        self.dispatcher.poke()  # first: what leaves has the longest way
        self.inbox.poke()
        self.poster.poke()
        self.announcer.poke()
        self.verifier.poke()
        self.ticker.poke()
        self.keeper.poke_if_asked()


async def run(config: Config) -> None:
    """Run one hub until SIGTERM or SIGINT. Raises Stopped, MatrixError and errors of `keys` when it cannot start."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    house = await open_house(config, stopping)
    if house is None:
        return
    try:
        await _serve(house, stopping)
    except BaseExceptionGroup as group:
        ours = group.subgroup(TinkuyError)
        raise (ours.exceptions[0] if ours else group) from None
    finally:
        await _close(house)


async def open_house(config: Config, stopping: asyncio.Event) -> House | None:
    """Open keys and databases, log in, sign the device, learn whom to trust. Nothing is handled yet. None when told to stop meanwhile."""
    self_test()
    if (config.paths.state / UNFINISHED).exists():
        raise Stopped("backup.unfinished")
    clock = SystemClock()
    kek, keyring = await asyncio.to_thread(open_keyring, config)  # a token or a vault may take its time
    identity = await asyncio.to_thread(load_identity, keyring)
    servers = Servers(config) if config.database.server else None
    name = servers.connections if servers else ""
    database, keys_database = Database(config.database.url, name=name), Database(config.database.keys_url, name=name)
    lock = DatabaseLock(database, config.database.server)
    lock.take()
    upgrade(database)
    keys = DataKeys(kek, KeyTable(keys_database))
    if servers:
        servers.over(database, keys)
        await asyncio.to_thread(servers.once, lambda: _own_data_key(config, keys, clock))
    else:
        await asyncio.to_thread(_own_data_key, config, keys, clock)
    faults = Faults(config.faults.kill_at)
    device = _device_id(config.paths.state)
    acts = servers.leads if servers else lambda: True
    rows = _matrix_rows(config, database, identity, device, acts)
    reports = Reports(acts)
    following = Following(servers, clock)
    inbox_waiting, dispatch_waiting, stir = asyncio.Event(), asyncio.Event(), Stir()
    matrix = Matrix(
        account=_account(config, device),
        seeds=CrossSigningSeeds(
            master=identity.cross_master.reveal(), self_signing=identity.cross_self.reveal(), user_signing=identity.cross_user.reveal()
        ),
        rows=rows,
        trust_list=TrustList(own=servers.devices(config.matrix.user_id) if servers else frozenset()),
        report=reports.hear,
        on_inbox=inbox_waiting.set,
        on_return=dispatch_waiting.set,
        on_rooms=stir.changed,
        reach=faults.reach,
        server=following.for_matrix(),
    )
    if not await _started(matrix, stopping):
        return None
    await matrix.name_us(config.matrix.device_name)
    await _leave_old_devices(config, matrix)
    tombstones = FileJournal(config.institution.id, config.paths.state, config.paths.backups, journal_key(identity))
    if servers:
        servers.fetch_manifest(manifest_path(config), keyring)
    manifest = await asyncio.to_thread(_manifest, config, database, keys, identity, keyring, matrix, clock.now())
    identity = await asyncio.to_thread(load_identity, keyring)  # a turn that was signed while the hub was down is in force now
    if servers:
        servers.share_manifest(manifest, clock.now(), keyring)
    given = Collaborators(
        me=institution(config), rules=rules(config), pack=pack_of(config),
        hand=await asyncio.to_thread(hand_of, identity, keyring, manifest), keys=keys, clock=clock, fence=servers.lease if servers else None,
        bury=tombstones.bury,
    )  # fmt: skip

    def heard(unit: Unit, event: Event) -> None:
        stir.heard(event)
        tell(unit, event)

    store = Store(database, given, heard)
    keeper = RoomsKeeper(store, matrix, stir, repairs=config.rooms.repair == "auto")
    verifier = Verifier(store, matrix)
    house = House(
        config=config, clock=clock, identity=identity, database=database, keys_database=keys_database, rows=rows, matrix=matrix, store=store,
        reports=reports, lock=lock, kek=kek, keyring=keyring, faults=faults,
        inbox=Inbox(store, rows, matrix, faults, inbox_waiting, keeper.trust, verifier, lambda: KeyTurner(house).take_back()),
        dispatcher=Dispatcher(store, matrix, faults, dispatch_waiting),
        poster=Poster(store, matrix, faults, took_over=servers is not None), verifier=verifier, keeper=keeper,
        announcer=Announcer(store, matrix, idle=FOLLOW_EVERY if servers else LONGEST), ticker=_ticker(store, faults, clock), servers=servers,
        tombstones=tombstones,
    )  # fmt: skip
    following.serve(keeper)
    reports.serve(store, matrix, keeper)
    return house


def _manifest(
    config: Config, database: Database, keys: DataKeys, identity: Identity, keyring: Keyring, matrix: Matrix, now: datetime
) -> Manifest:
    known, seals = file_manifest(manifest_path(config)), Seals(keys)
    settled = database.run_now(lambda connection: is_settled(connection, seals, config.institution.id, known))
    return own_manifest(config, identity, keyring, matrix.device, matrix.fingerprint, now, settled=settled)


async def _started(matrix: Matrix, stopping: asyncio.Event) -> bool:
    """Log in; a homeserver that is not there yet (both start with the machine) is waited for, 1 → 30 s at a time. False: told to stop."""
    pause = 1.0
    while not stopping.is_set():
        try:
            await matrix.start()
        except HomeserverAway as error:
            _log.warning("app.homeserver_away", error=error)
            await matrix.client.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await stopping.wait()
            pause = min(pause * 2, 30.0)
        else:
            return True
    return False


async def _serve(house: House, stopping: asyncio.Event) -> None:
    control = ControlServer(house.config.socket, handlers(house))
    watch = Watch(house)
    web = WebServer(house.config.web, watch.facts, address_file=house.config.paths.state / "web.address")
    if house.servers:
        await house.keeper.trust()
    else:
        await _take_up(house)
        await house.store.run(lambda unit: hold_device(unit, "", stated(house.matrix.device)), quiet=True)
        await house.keeper.trust()
    house.store.on_commit(house.poke)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(house.matrix.run(), name="matrix"), group.create_task(watch.run(), name="watch")]
        if house.servers:
            tasks.append(group.create_task(follow(house, house.servers), name="follow"))
            await house.servers.try_to_lead()
            await web.start()
            await control.start()
            if await house.servers.wait_to_lead(stopping):
                await house.store.look(house.servers.check_manifest)  # its keys may have turned a moment before the other one fell
                tasks.append(group.create_task(house.servers.keep_leading(), name="lease"))
                await _take_up(house)
                await house.keeper.trust()
                await house.matrix.take_up()
        if not stopping.is_set():
            tasks += [group.create_task(worker.run(), name=worker.name) for worker in house.workers]
            tasks.append(group.create_task(_pulse(house), name="tombstones"))
            house.ticker.start()
        if not house.servers:
            await web.start()
            await control.start()
        _log.info("app.running", institution=house.config.institution.id)
        await stopping.wait()
        _log.info("app.stopping")
        await control.stop()
        await web.stop()
        await house.ticker.stop()
        for task in tasks[1:]:
            task.cancel()
        await house.matrix.stop()
    if house.servers:
        await house.servers.give()


async def _take_up(house: House) -> None:
    """What comes before anything else is heard or shown: keys that must die, what fell due while nobody acted (P13), receipts that are owed."""
    await house.store.run(check_vouched, quiet=True)
    dead = await house.store.run(lambda unit: [tombstone.id for tombstone in unit.tombstones.all()], quiet=True)
    await asyncio.to_thread(house.tombstones.complete, dead, house.clock.now())
    if missed := await house.store.run(bury_missed, buried_by(house.tombstones), quiet=True):
        _log.error("app.rolled_back", count=missed)
    await house.store.run(finish_shredding, quiet=True)
    if not await KeyTurner(house).take_back():
        await house.store.run(say_lacking, quiet=True)
    while (due := await house.store.run(ring_due, quiet=True)) is not None and due <= house.clock.now():
        pass
    await house.store.run(owe_acks, quiet=True)


def _own_data_key(config: Config, keys: DataKeys, clock: Clock) -> None:
    """Made once. Raises Stopped `keys.store_gone` when it is missing later: a new key would bury what the old one sealed (R10)."""
    if keys.exists(HUB_OWNER):
        return
    if manifest_path(config).exists():
        raise Stopped("keys.store_gone")
    keys.create(HUB_OWNER, clock.now())


async def _leave_old_devices(config: Config, matrix: Matrix) -> None:
    """Once after a restore: the lost machine's devices are signed out. Peers believe only ours anyway; without it staff's clients would not."""
    try:
        told = read_note(config)
        if told is not None and not told.get("old_devices_out"):
            count = await matrix.sign_out_others()
            write_note(config, told | {"old_devices_out": True})
            _log.info("app.old_devices_out", count=count)
    except (MatrixError, OSError) as error:
        _log.warning("app.old_devices_stay", error=error)


async def _pulse(house: House) -> None:
    """Say every few minutes how far the tombstone journal goes, so that a restore can prove that it has the newest one; drop old key parts."""
    while True:
        await say_how_far(house.store, house.tombstones, house.clock)
        await asyncio.to_thread(backup.prune_keys, house.config, house.clock.now())
        await asyncio.sleep(PULSE_EVERY)


async def _close(house: House) -> None:
    with contextlib.suppress(Exception):
        await house.matrix.client.close()
    await house.database.close()
    await house.keys_database.close()
    house.lock.release()


def open_keyring(config: Config) -> tuple[KekProvider, Keyring]:
    """The key-encryption key and what it opens. Raises Stopped `kek.unfinished` in the middle of a re-wrap, and errors of `keys`."""
    if unfinished(config).exists():
        raise Stopped("kek.unfinished")
    kek = open_kek(config.keys)
    return kek, Keyring(config.institution.id, kek, FileRows(config.keyring_file))


def _matrix_rows(config: Config, database: Database, identity: Identity, device: str, decides: Callable[[], bool]) -> SqlMatrixRows:
    bound = (config.institution.id.encode(),)

    def seal(row: str, body: bytes) -> bytes:
        return aead_seal(identity.olm_rows, body, join(*bound, row.encode()))

    def unseal(row: str, sealed: bytes) -> bytes:
        return aead_open(identity.olm_rows, sealed, join(*bound, row.encode()))

    return SqlMatrixRows(database, seal=seal, unseal=unseal, device=device, decides=decides)


def _account(config: Config, device: str) -> Account:
    context = ssl.create_default_context(cafile=str(config.matrix.ca_file)) if config.matrix.ca_file else None
    return Account(
        homeserver=config.matrix.homeserver_url, user_id=config.matrix.user_id, device_id=device, password=config.matrix.first_password(),
        device_name=config.matrix.device_name, tls_context=context,
    )  # fmt: skip


def _device_id(state: Path) -> str:
    """The Matrix device id of this hub, made once; a restore removes the file and so mints a new one."""
    path = state / "device_id"
    if not path.exists():
        path.write_text(new_device_id())
    return path.read_text().strip()


def _ticker(store: Store, faults: Faults, clock: Clock) -> Ticker:
    async def wake() -> datetime | None:
        count = await store.run(lambda unit: unit.timers.count(done_at=None, due_at__le=unit.now), quiet=True)
        due = await store.run(ring_due, quiet=not count)
        faults.reach("timer.rung")
        return due

    return Ticker(wake, at_least_every=timedelta(seconds=30), clock=clock)
