"""The unit of work: one transaction, the repositories over it, the vault, and the events that it announced.

`Store.run` gives a function a unit on the writer thread. Before the commit the announced events are told (the composition root decides
to whom: the chat turns them into posts in the same transaction); after it, condemned keys die and the listeners are poked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar, TypeVarTuple

from sqlalchemy import Connection

from hub.actions.erase import finish_shredding
from hub.actions.ports import Hand, Institution, Rules, Unit
from hub.actions.protocols_now import pack_now
from hub.base import logs
from hub.base.clock import Clock
from hub.base.errors import Forged, Stopped
from hub.cases.events import Event
from hub.store import tables as t
from hub.store.database import Database
from hub.store.repositories import Rows, VouchedRows
from hub.store.seals import HUB_OWNER, Seals
from keys.casekeys import Cell, DataKeys
from keys.dailykeys import DailyKeys
from keys.primitives import hmac_sha256
from policies.packs import Pack

_log = logs.get("store")
T = TypeVar("T")
With = TypeVarTuple("With")
_CREATING = threading.Lock()
"""Two threads that both find no key must not both make one: the second would bury what the first has sealed."""


class Vault:
    """See `hub.actions.ports.Vault`. Creating is idempotent: a crash between key and data leaves a key that the retry uses."""

    def __init__(
        self, keys: DataKeys, now: datetime, bury: Callable[[str, datetime], None] = lambda owner, at: None, fence: Fence | None = None
    ) -> None:
        self._keys = keys
        self._now = now
        self._bury = bury
        self._before_write = fence.assert_valid if fence else lambda: None  # the key store is a database apart: no rollback reaches it

    def create(self, owner: str) -> None:
        """A data key for `owner`, if it has none."""
        with _CREATING:
            self._before_write()
            if not self._keys.exists(owner):
                self._keys.create(owner, self._now)

    def exists(self, owner: str) -> bool:
        """Whether the owner's key lives."""
        return self._keys.exists(owner)

    def seal(self, owner: str, place: str, value: bytes) -> bytes:
        """AES-256-GCM under the owner's key, bound to `place` (`table|rest`)."""
        return self._keys.seal(owner, _cell(place), value)

    def open(self, owner: str, place: str, sealed: bytes) -> bytes:
        """The value. Raises `KeyDestroyed`, `CannotOpen` of `keys`."""
        return self._keys.open(owner, _cell(place), sealed)

    def keep_secret(self, owner: str, secret: bytes) -> None:
        """Keep 32 bytes as the owner's key, replacing what a crashed try left."""
        with _CREATING:
            self._before_write()
            if self._keys.exists(owner):
                self._keys.destroy(owner)
            self._keys.put_secret(owner, secret, self._now)

    def secret(self, owner: str) -> bytes:
        """The 32 bytes. Raises `KeyDestroyed` of `keys`."""
        return self._keys.get_secret(owner)

    def alias(self, subject: str) -> str:
        """32 hex digits that stand for somebody outside the databases: the same each time, and to whoever lacks the hub's key nobody."""
        return hmac_sha256(self._keys.derive(HUB_OWNER, b"aliases"), subject.encode()).hex()[:32]

    def destroy(self, owner: str) -> None:
        """Delete the key for good, once the journal outside the databases says so: no restored copy may bring it back (R14)."""
        if owner == HUB_OWNER:  # no withdrawal and no term ever condemns it: whoever asks is not the hub
            raise Forged("database.row_forged", table="tombstones", row=owner)
        self._before_write()
        self._bury(owner, self._now)
        self._keys.destroy(owner)


def _cell(place: str) -> Cell:
    table, _, rest = place.partition("|")
    return Cell(table=table, row=rest, column="sealed")


class Fence(Protocol):
    """What keeps a server that does not lead (any more) from acting. Both raise Stopped `server.standby`."""

    def check(self, connection: Connection) -> None: ...
    def assert_valid(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Collaborators:
    """What every unit gets from the composition root."""

    me: Institution
    rules: Rules
    pack: Pack
    hand: Hand
    keys: DataKeys
    clock: Clock
    bury: Callable[[str, datetime], None] = lambda owner, at: None
    """Writes the tombstone journal (`hub.store.journal`)."""
    fence: Fence | None = None
    """Of a server that is not alone: whether it may act. None: it may."""


class UnitOfWork(Unit):
    """See `hub.actions.ports.Unit`."""

    def __init__(self, connection: Connection, given: Collaborators, seals: Seals) -> None:
        self.connection = connection
        self.now = given.clock.now()
        self.me, self.rules, self.shipped, self.hand = given.me, given.rules, given.pack, given.hand
        self._pack: Pack | None = None
        self.vault = Vault(given.keys, self.now, given.bury, given.fence)
        self.cases, self.fields, self.consents = Rows(connection, t.CASES), Rows(connection, t.FIELDS), VouchedRows(connection, t.CONSENTS, seals)
        self.referrals, self.disclosures = Rows(connection, t.REFERRALS), Rows(connection, t.DISCLOSURES)
        self.held, self.asks, self.checkins = Rows(connection, t.HELD), Rows(connection, t.ASKS), Rows(connection, t.CHECKINS)
        self.holds, self.bases = VouchedRows(connection, t.HOLDS, seals), VouchedRows(connection, t.BASES, seals)
        self.onwards, self.glasses = VouchedRows(connection, t.ONWARDS, seals), VouchedRows(connection, t.GLASSES, seals)
        self.accounts = Rows(connection, t.ACCOUNTS)
        self.staff, self.rooms = VouchedRows(connection, t.STAFF, seals), VouchedRows(connection, t.ROOMS, seals)
        self.timers = Rows(connection, t.TIMERS)
        self.verifications = VouchedRows(connection, t.VERIFICATIONS, seals)
        self.coordinations, self.seats = VouchedRows(connection, t.COORDINATIONS, seals), VouchedRows(connection, t.SEATS, seals)
        self.room_findings, self.invitations = Rows(connection, t.ROOM_FINDINGS), Rows(connection, t.INVITATIONS)
        self.questions, self.dialogues = Rows(connection, t.QUESTIONS), Rows(connection, t.DIALOGUES)
        self.posts, self.log, self.undoables = Rows(connection, t.POSTS), Rows(connection, t.LOG), Rows(connection, t.UNDOABLES)
        self.tombstones, self.handled = VouchedRows(connection, t.TOMBSTONES, seals), Rows(connection, t.HANDLED)
        self.guard_modes = VouchedRows(connection, t.GUARD_MODES, seals)
        self.advice, self.guard_counts = Rows(connection, t.ADVICE), Rows(connection, t.GUARD_COUNTS)
        self.peers, self.links = VouchedRows(connection, t.PEERS, seals), VouchedRows(connection, t.LINKS, seals)
        self.outbox = Rows(connection, t.OUTBOX)
        self.seen, self.early, self.ledger = Rows(connection, t.SEEN), Rows(connection, t.EARLY), Rows(connection, t.LEDGER)
        self.hub_devices, self.own_statements = VouchedRows(connection, t.HUB_DEVICES, seals), VouchedRows(connection, t.OWN_STATEMENTS, seals)
        self.manifests = VouchedRows(connection, t.MANIFESTS, seals)
        self.lists = VouchedRows(connection, t.NETWORK_LISTS, seals)
        self.proposals, self.papers = VouchedRows(connection, t.PROPOSALS, seals), VouchedRows(connection, t.PAPERS, seals)
        self.protocol_words, self.voice_codes = VouchedRows(connection, t.PROTOCOL_WORDS, seals), VouchedRows(connection, t.VOICE_CODES, seals)
        fenced = given.fence.assert_valid if given.fence else lambda: None
        self.daily = DailyKeys(given.keys, given.hand.opening, *given.hand.older_openings, before_write=fenced)
        self.events: list[Event] = []

    @property
    def pack(self) -> Pack:
        """The words, and the protocols that count today: what parties signed over what is shipped. Read once a unit, when first asked for."""
        if self._pack is None:
            self._pack = pack_now(self)
        return self._pack

    def protocols_changed(self) -> None:
        """A version was signed by all in this very unit: what counts is read anew."""
        self._pack = None

    def announce(self, event: Event) -> None:
        """Remember that something happened, once; it is told before the commit."""
        if event not in self.events:
            self.events.append(event)

    def attempt(self, fn: Callable[[], T]) -> T:
        """Run `fn` inside a savepoint: when it raises, its rows and events are as if it had never run, and the unit goes on."""
        kept = list(self.events)
        try:
            with self.connection.begin_nested():
                return fn()
        except BaseException:
            self.events = kept
            raise


def check_trust(unit: UnitOfWork) -> None:
    """Read every row that says whom we trust. Raises Forged when somebody else wrote one (C08)."""
    for rows in (unit.staff, unit.peers, unit.hub_devices, unit.links, unit.rooms, unit.lists, unit.coordinations, unit.seats):
        rows.all()


def check_vouched(unit: UnitOfWork) -> None:
    """The same for every vouched row there is, consents, legal bases and legal holds too."""
    check_trust(unit)
    unit.consents.all()
    unit.bases.all()
    unit.holds.all()
    unit.onwards.all()
    unit.glasses.all()
    for rows in (unit.proposals, unit.papers, unit.protocol_words, unit.voice_codes):
        rows.all()
    unit.guard_modes.all()


class Store:
    """Runs units of work. `tell(unit, event)` is called for each announced event inside the transaction."""

    def __init__(self, database: Database, given: Collaborators, tell: Callable[[Unit, Event], None] = lambda unit, event: None) -> None:
        self._database = database
        self.given = given
        self._seals = Seals(given.keys)
        self._tell = tell
        self._listeners: list[Callable[[], None]] = []

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` on the event loop after every unit that committed."""
        self._listeners.append(listener)

    async def look(self, fn: Callable[[Any], T]) -> T:
        """A unit that only reads: also a server that stands by may have it."""
        return await self._database.run(lambda c: self._look(c, fn))

    async def run(self, fn: Callable[[Any, *With], T], *given: *With, quiet: bool = False) -> T:
        """One unit of work, `fn(unit, *given)`. What `fn` raises rolls everything back and is raised here. `quiet` units wake nobody."""
        result, condemned = await self._database.run(lambda c: self._one(c, lambda unit: fn(unit, *given)))
        try:
            if condemned:
                await self._database.run(self._shred)
        finally:
            if not quiet:
                self.wake()
        return result

    def wake(self) -> None:
        """Poke the listeners, for a quiet unit that turned out to have done something."""
        for listener in self._listeners:
            listener()

    def run_now(self, fn: Callable[[Any, *With], T], *given: *With) -> T:
        """The same on the calling thread, for offline commands and tests."""
        result, condemned = self._database.run_now(lambda c: self._one(c, lambda unit: fn(unit, *given)))
        if condemned:
            self._database.run_now(self._shred)
        return result

    def _shred(self, connection: Connection) -> None:
        """Delete condemned keys. What cannot die yet (a full disk) is tried again after the next unit; the one before is committed and counts."""
        try:
            with connection.begin_nested():
                self._one(connection, finish_shredding)
        except Forged:
            raise
        except Stopped as error:
            _log.error("store.shredding_waits", error=error)

    def _look(self, connection: Connection, fn: Callable[[Any], T]) -> T:
        if self.given.fence:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        return fn(UnitOfWork(connection, self.given, self._seals))

    def _one(self, connection: Connection, fn: Callable[[Any], T]) -> tuple[T, bool]:
        if self.given.fence:
            self.given.fence.check(connection)
        unit = UnitOfWork(connection, self.given, self._seals)
        try:
            result = fn(unit)
        except StopIteration as error:  # an asyncio future cannot carry it: whoever waits would wait for ever
            raise RuntimeError("a unit of work raised StopIteration") from error
        told = 0
        while told < len(unit.events):
            self._tell(unit, unit.events[told])
            told += 1
        return result, bool(unit.tombstones.count(confirmed_at=None))
