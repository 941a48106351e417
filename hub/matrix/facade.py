"""The Matrix room as the application sees it: start, run, stop, send, rooms, trust, health. Wires the other modules together."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl as tls
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hub.matrix import crosssigning, http, recovery, trust
from hub.matrix.backfill import Backfill
from hub.matrix.batches import as_list, well_formed
from hub.matrix.carrier import Carrier
from hub.matrix.chores import Chores, Heard
from hub.matrix.client import HubClient
from hub.matrix.crosssigning import CrossSigningSeeds
from hub.matrix.drift import Action, coordination_faults, link_faults
from hub.matrix.errors import HomeserverRefused, LoginLost, MatrixError
from hub.matrix.listener import Listener
from hub.matrix.machine import Machine
from hub.matrix.old_devices import sign_out_others
from hub.matrix.olm_store import OlmStore
from hub.matrix.persist import Persist
from hub.matrix.ports import DEVICES_TYPE, Device, MatrixRows, Report, Reporter, RoomRecord, RoomSpec, TrustList
from hub.matrix.queries import KeyQueries, has_account
from hub.matrix.receiving import Receiver
from hub.matrix.rooms import RoomKeeper, Step
from hub.matrix.roomview import Rooms, RoomView
from hub.matrix.sas import Exchange, Party
from hub.matrix.trust import TrustBook


@dataclass(frozen=True, kw_only=True)
class Account:
    """Our account and device on our own homeserver."""

    homeserver: str
    """Address, e.g. https://matrix.example.org"""
    user_id: str
    device_id: str
    """Ten random base32 characters, made once per device (N8)."""
    password: str | None = field(default=None, repr=False)
    """For the first login, and when the homeserver asks for it to publish cross-signing keys."""
    device_name: str = "Tinkuy"
    tls_context: tls.SSLContext | None = None


@dataclass(frozen=True, kw_only=True)
class Health:
    """Facts for /health and /metrics."""

    running: bool
    sync_age_s: float | None
    """Since the last answered sync; None before the first."""
    failures: int
    returns: int
    """How often the homeserver came back."""
    one_time_keys: int | None
    """On the server, by its own word."""
    waiting: int
    """Events without a room key."""
    quarantined: int
    """Refused since the start."""
    sending: int
    cross_signed: bool
    """As served when last looked."""
    rate_limited: int = 0
    """Answers 429 of the homeserver since the start."""


async def _nothing() -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Server:
    """How this process stands to another server of the same hub. The defaults: it is alone."""

    acts: Callable[[], bool] = lambda: True
    """Whether it leads: answers invitations."""
    may_send: Callable[[], None] = lambda: None
    """Right before an event is put into a room: raises when another server may lead by now."""
    on_device: Callable[[Device], Awaitable[None]] = lambda _: _nothing()
    """Its device is known, and not yet shown to anybody."""
    before_batch: Callable[[], Awaitable[None]] = _nothing
    """Before events are judged: bring trust up to date with what the other server decided."""


class Matrix:
    """One Matrix device with its rooms. One instance per Olm account and database, ever."""

    def __init__(
        self,
        *,
        account: Account,
        seeds: CrossSigningSeeds,
        rows: MatrixRows,
        trust_list: TrustList,
        report: Reporter,
        rooms: Iterable[RoomRecord] = (),
        on_inbox: Callable[[], None] = lambda: None,
        on_return: Callable[[], None] = lambda: None,
        on_rooms: Callable[[frozenset[str]], None] = lambda rooms: None,
        reach: Callable[[str], None] = lambda point: None,
        server: Server | None = None,
    ) -> None:
        """`on_return` is called when our homeserver was away and answers again; `on_rooms` when members, state or devices changed.
        `reach` is told of named moments between two commits, at which a test may kill the process (D03).
        """
        self._server = server or Server()
        self._account, self._seeds, self._rows_store = account, seeds, rows
        self._report, self._on_inbox, self._on_return, self._on_rooms, self._reach = report, on_inbox, on_return, on_rooms, reach
        self._trust_list, self._records = trust_list, tuple(rooms)
        self._task: asyncio.Task[None] | None = None
        self._cross_signed = False

    # ---- life ------------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Log in (once), put our keys and our cross-signing in order, learn who is trusted. No event is handled before `run`.

        Raises Unsuitable, LoginLost, RolledBack, IdentityConflict, HomeserverAway, HomeserverRefused.
        """
        if any(pin.device_id == self._account.device_id for pin in self._trust_list.peers):
            raise MatrixError("matrix.device_id_taken", "a peer's device has the same id as ours; mint another (X25)")
        self._wire(OlmStore(await self._rows_store.load_olm()))
        await self._server.on_device(self.client.own_device)
        await self._log_in()
        if self.client.needs_upload:
            await self.client.upload_keys()
        await crosssigning.ensure_cross_signed(self.client, self._seeds, self._account.password)
        self._cross_signed = True
        await self._queries.ask()
        await self._persist.flush()

    async def run(self) -> None:
        """Sync and handle until `stop`. Raises LoginLost or RolledBack when nothing can mend it."""
        self._task = asyncio.current_task()
        try:
            await self._listener.run()
        except asyncio.CancelledError:
            if self._stopping:
                return
            raise

    _stopping = False

    async def stop(self) -> None:
        """End the loop between two steps, write what is changed, close connections."""
        self._stopping = True
        if self._task is not None and self._task is not asyncio.current_task() and not self._task.done():
            # A request that times out in the same moment turns its cancellation into a time-out and goes on: cancel until it ends.
            while not self._task.done():
                self._task.cancel()
                await asyncio.wait([self._task], timeout=1)
        with contextlib.suppress(Exception):
            await self._persist.flush()
        await self.client.close()

    def _wire(self, store: OlmStore) -> None:
        account = self._account
        self._persist = Persist(self._rows_store)
        self.client = HubClient(
            account.homeserver,
            account.user_id,
            account.device_id,
            store,
            before_send=self._persist.flush,
            tls_context=account.tls_context,
        )
        self._persist.serve(self.client)
        self._rooms = Rooms()
        self.book = TrustBook(self.client.own_device, self._trust_list)
        self._machine = Machine(self.client)
        self.keeper = RoomKeeper(self.client, self._rooms)
        self._queries = KeyQueries(client=self.client, book=self.book, machine=self._machine, report=self._report)
        self._carrier = Carrier(
            client=self.client,
            machine=self._machine,
            book=self.book,
            rooms=self._rooms,
            report=self._report,
            query_keys=self._queries.ask,
            may_send=self._server.may_send,
        )
        self._listener = self._wire_listener(Heard())
        for record in self._records:
            self._carrier.set_record(record)

    def _wire_listener(self, heard: Heard) -> Listener:
        self._chores = chores = Chores(
            client=self.client,
            rows=self._rows_store,
            persist=self._persist,
            machine=self._machine,
            book=self.book,
            queries=self._queries,
            heard=heard,
            on_invite=self._invited,
            acts=self._server.acts,
        )
        return Listener(
            client=self.client,
            rows=self._rows_store,
            persist=self._persist,
            machine=self._machine,
            receiver=lambda waiting: Receiver(self._machine, self.book, waiting),
            rooms=self._rooms,
            backfill=Backfill(self.client, self._rows_store),
            queries=self._queries,
            chores=chores,
            heard=heard,
            senders=lambda: self.book.trust.users,
            peers=lambda: self.book.peers,
            busy=self._carrier.idle,
            on_inbox=self._on_inbox,
            on_return=self._on_return,
            on_rooms=self._on_rooms,
            reach=self._reach,
            before_batch=self._server.before_batch,
        )

    async def _log_in(self) -> None:
        known = self.client.store.login
        if known is None:
            if self._account.password is None:
                raise LoginLost("matrix.no_password", "the first login needs the password of the hub's account")
            await self.client.log_in(self._account.password, self._account.device_name)
            await self._persist.flush()
        elif (known["user_id"], known["device_id"]) != (self._account.user_id, self._account.device_id):
            raise LoginLost("matrix.login_mismatch", "the stored Olm account belongs to another user or device")
        else:
            await self.client.who_am_i()

    # ---- sending -----------------------------------------------------------------------------------------------------------

    async def send(
        self, room_id: str, event_type: str, content: dict[str, Any], txn_id: str, relates_to: dict[str, Any] | None = None,
        clear: dict[str, str] | None = None,
    ) -> str:
        """See `Carrier.send`."""
        return await self._carrier.send(room_id, event_type, content, txn_id, relates_to, clear)

    async def redact(self, room_id: str, event_id: str, txn_id: str) -> str:
        """See `Carrier.redact`."""
        return await self._carrier.redact(room_id, event_id, txn_id)

    async def read(self, room_id: str, event_id: str) -> None:
        """Show that an event was read (never in link rooms)."""
        await self._carrier.read(room_id, event_id)

    async def typing(self, room_id: str, on: bool) -> None:
        """Show that an answer is being made (never in link rooms)."""
        await self._carrier.typing(room_id, on)

    async def renew(self, user_id: str) -> None:
        """This peer or person cannot read us: fresh Olm sessions and a fresh room key (`resend` handler, N16)."""
        self._machine.forget_rooms_of(user_id)
        for device in self.book.devices(user_id):
            await self._machine.renew(device)

    async def state_devices(self, user_id: str, statement: bytes) -> None:
        """Give a peer's hub our signed statement, in clear and to all its devices: it is public, and it knows ours only through it."""
        path = f"/_matrix/client/v3/sendToDevice/{DEVICES_TYPE}/{secrets.token_hex(16)}"
        await self.client.put(path, {"messages": {user_id: {"*": {"statement": statement.decode()}}}})

    async def sweep(self, room_id: str, *, pages: int = 20) -> int:
        """Page back through a room once more because a sequence number is missing; the number of events found."""
        return await self._listener.sweep(room_id, pages)

    # ---- trust -------------------------------------------------------------------------------------------------------------

    async def set_trust(self, trust_list: TrustList) -> None:
        """Exchange the trust list; keys of newcomers are queried before the next send."""
        self._trust_list = trust_list
        before = {user: self.book.devices(user) for user in self.book.users}
        for report in self.book.set_trust(trust_list):
            await self._report(report)
        for user, devices in before.items():
            if devices - self.book.devices(user):
                self._machine.forget_rooms_of(user)
        with contextlib.suppress(MatrixError):  # tried again with the chores of the next sync
            await self._chores.answer_invites()

    async def take_up(self) -> None:
        """We lead from now on: invitations are asked for anew, and every standing doubt about a device is told again."""
        self._chores.take_up()
        await self._queries.tell(self.book.standing_reports())

    async def own_events(self, room_id: str, field: str) -> dict[str, str]:
        """Event ids by the clear `field` of the newest events that our account put into a room: whatever device of ours it was."""
        path = f"/_matrix/client/v3/rooms/{quote(room_id)}/messages?dir=b&limit=100"
        answer = await http.request(self.client, "GET", path)
        found = {}
        for event in reversed(as_list(answer.get("chunk"))):
            if well_formed(event) and event["sender"] == self._account.user_id and isinstance(event["content"].get(field), str):
                found[event["content"][field]] = str(event.get("event_id"))
        return found

    async def forget_pin(self, user_id: str) -> None:
        """Pin this person anew, at the sight of the keys served now (`repin` without a fingerprint). Reports `first_sight`."""
        self.book.forget_pin(user_id)
        await self._queries.ask()

    async def refresh(self, *users: str) -> None:
        """Ask the homeserver for the keys of these pinned users now (all of them when none is named)."""
        self.book.changed(users or self.book.users)
        await self._queries.ask()

    async def query_master(self, user_id: str) -> str | None:
        """The master key the homeserver serves for anybody, or None. For an administrator to look at, never trusted by itself."""
        served = trust.read_answer(await self.client.query_keys([user_id]), [user_id])
        return trust.served_master(user_id, served.get(user_id))

    async def has_account(self, user_id: str) -> bool | None:
        """Whether our own homeserver has this account; None where it does not say, and for an account of another server."""
        return await has_account(self.client, user_id)

    async def served_devices(self, *user_ids: str) -> dict[str, frozenset[Device]]:
        """The devices that the homeserver serves for these users now, each signed by itself. A user whose server failed to answer is left out."""
        answer = trust.read_answer(await self.client.query_keys(list(user_ids)), user_ids)
        return {user: frozenset(trust.read_devices(user, served)) for user, served in answer.items()}

    def shown_first(self) -> dict[str, str]:
        """By curve key, the account that showed it before any other, as far as this process saw it."""
        return self.book.shown_first()

    def verification(self, transaction: str, user_id: str, device_id: str) -> Exchange | None:
        """Our side of a verification that this person asked for from this device; None when we do not trust the device or pinned no master key."""
        pin = next((one for one in self.book.trust.staff if one.user_id == user_id), None)
        device = next((one for one in self.book.devices(user_id) if one.device_id == device_id), None)
        if pin is None or pin.master_key is None or device is None:
            return None
        own = Party(user_id=self.device.user_id, device_id=self.device.device_id, ed25519=self.device.ed25519, master=self.fingerprint)
        hers = Party(user_id=user_id, device_id=device_id, ed25519=device.ed25519, master=pin.master_key)
        return Exchange(transaction=transaction, own=own, theirs=hers)

    def trusts_device(self, user_id: str, device_id: str) -> bool:
        """Whether a device of this name is one that her pinned identity signed."""
        return any(device.device_id == device_id for device in self.book.devices(user_id))

    async def serves_master(self, user_id: str, master: str) -> bool:
        """Whether the homeserver serves this very master key for her now, in two answers, and her devices still hang on it. Raises HomeserverAway."""
        await self.refresh(user_id)
        return bool(self.book.devices(user_id)) and await self.query_master(user_id) == master

    async def sign_person(self, user_id: str, master: str) -> None:
        """Let others see that we verified her: our user-signing key signs her master key. Raises MatrixError."""
        await crosssigning.sign_person(self.client, self._seeds, user_id, master)

    async def keep_recovery(self) -> str:
        """See `recovery.keep`."""
        return await recovery.keep(self.client, self._seeds)

    async def check_recovery(self, written: str) -> bool:
        """See `recovery.check`."""
        return await recovery.check(self.client, self._seeds, written)

    async def forget_recovery(self) -> None:
        """See `recovery.forget`."""
        await recovery.forget(self.client)

    @property
    def device(self) -> Device:
        """Our own device, for the manifest."""
        return self.client.own_device

    @property
    def fingerprint(self) -> str:
        """Our master key, from our seeds."""
        return crosssigning.fingerprint(self._seeds)

    # ---- rooms -------------------------------------------------------------------------------------------------------------

    async def make_room(self, spec: RoomSpec) -> RoomRecord:
        """A new room, which may be sent into. Raises HomeserverAway, HomeserverRefused."""
        record = await self.keeper.create(spec)
        self._carrier.set_record(record)
        return record

    async def mend_room(self, room_id: str, actions: Sequence[Action]) -> tuple[Step, ...]:
        """Do these steps; of each, whether it is done. Whoever had to go reads nothing that is said from now on."""
        if any(action.what == "stranger" for action in actions):
            self._machine.forget_room(room_id)
        return await self.keeper.apply(room_id, actions)

    async def retire_room(self, room_id: str) -> None:
        """Nobody needs this room any more: everybody out, we last. Raises HomeserverAway; whom the homeserver keeps in, it keeps."""
        self._carrier.drop_record(room_id)
        with contextlib.suppress(HomeserverRefused):
            others = (await self.keeper.look(room_id)).present - {self._account.user_id}
            await self.keeper.apply(room_id, [Action(kind="kick", what="departed", target=user) for user in sorted(others)])
        await self.keeper.leave(room_id)

    async def room_view(self, room_id: str) -> RoomView:
        """A room as the homeserver shows it now. Raises HomeserverAway, HomeserverRefused."""
        return await self.keeper.look(room_id)

    def doubts(self) -> list[Report]:
        """What is wrong with devices now, by the latest answers: of our people, of peers, and of our own account."""
        return self.book.standing_reports()

    def refused_devices(self, user_id: str) -> frozenset[str]:
        """Device ids that are served for this pinned account and get no key of ours."""
        return self.book.refused(user_id)

    def trusted_devices(self, user_id: str) -> frozenset[str]:
        """Device ids of this pinned account that get our room keys."""
        return frozenset(device.device_id for device in self.book.devices(user_id))

    def present(self, room_id: str) -> frozenset[str]:
        """Who is in this room or invited to it, as far as we followed it."""
        return view.present if (view := self._rooms.get(room_id)) else frozenset()

    def invited(self, room_id: str) -> frozenset[str]:
        """Who is invited to this room and has not answered, as far as we followed it."""
        return view.present - view.joined if (view := self._rooms.get(room_id)) else frozenset()

    async def invite_again(self, room_id: str, user: str) -> None:
        """Invite somebody who seems to be invited: a refusal may have been lost between the homeservers, and then the first stands for ever."""
        await self.keeper.invite(room_id, user, again=True)

    def joined(self, room_id: str) -> frozenset[str]:
        """Who is in this room as far as we followed it."""
        return view.joined if (view := self._rooms.get(room_id)) else frozenset()

    async def check_room(self, room_id: str, spec: RoomSpec) -> list[Action]:
        """Drift, as the homeserver shows the room now; nothing is repaired."""
        return await self.keeper.check(room_id, spec)

    def set_room(self, record: RoomRecord) -> None:
        """This room may be sent into under these conditions (also after a change of members)."""
        self._carrier.set_record(record)

    def drop_room(self, room_id: str) -> None:
        """Nothing is sent into this room any more."""
        self._carrier.drop_record(room_id)

    def thaw(self, room_id: str) -> None:
        """An administrator has looked at a frozen room."""
        self._carrier.thaw(room_id)

    async def leave(self, room_id: str) -> None:
        self._carrier.drop_record(room_id)
        await self.keeper.leave(room_id)

    async def _invited(self, room_id: str, inviter: str) -> None:
        """Only a pinned peer may invite us, and only into a room that is fit to be a link; all else is turned down and told."""
        if self.book.standing(inviter) != "peer":
            await self.keeper.leave(room_id)
            return await self._report(Report(kind="invite_refused", room_id=room_id, user_id=inviter, detail="not_a_peer"))
        if (room_id, inviter) in self.book.trust.expected:
            return await self._invited_to_coordinate(room_id, inviter)
        await self.keeper.join(room_id)
        faults = link_faults(RoomSpec(purpose="link", members=frozenset({inviter})), await self.keeper.look(room_id), self._account.user_id)
        if faults:
            await self.keeper.leave(room_id)
            return await self._report(Report(kind="invite_refused", room_id=room_id, user_id=inviter, detail=faults[0]))
        await self._report(Report(kind="joined_by_invite", room_id=room_id, user_id=inviter))

    async def _invited_to_coordinate(self, room_id: str, inviter: str) -> None:
        """A coordination room that this peer's hub announced: taken when it is as such a room must be."""
        await self.keeper.join(room_id)
        faults = coordination_faults(await self.keeper.look(room_id), inviter)
        if faults:
            await self.keeper.leave(room_id)
            return await self._report(Report(kind="invite_refused", room_id=room_id, user_id=inviter, detail=faults[0]))
        await self._report(Report(kind="joined_coordination", room_id=room_id, user_id=inviter))

    async def name_us(self, name: str) -> None:
        """What people see instead of our account's name: neutral, for it is clear text to every homeserver. Failing is no harm."""
        path = f"/_matrix/client/v3/profile/{quote(self._account.user_id)}/displayname"
        with contextlib.suppress(MatrixError):
            await http.request(self.client, "PUT", path, {"displayname": name})

    async def sign_out_others(self) -> int:
        """See `old_devices`; only after a restore, when every other device is a dead machine's."""
        return await sign_out_others(self.client, self._account.password)

    # ---- facts -------------------------------------------------------------------------------------------------------------

    async def whoami(self) -> dict[str, Any]:
        """The homeserver's idea of us."""
        return await self.client.who_am_i()

    async def look_at_cross_signing(self) -> bool:
        """Whether others are served our chain right now; a signature that vanished is put back."""
        outcome = await crosssigning.ensure_cross_signed(self.client, self._seeds, self._account.password)
        self._cross_signed = True
        return outcome == "kept"

    async def first_sync(self) -> None:
        """Return when the first sync was handled."""
        await self._listener.first_sync.wait()

    @property
    def health(self) -> Health:
        heard = self._listener.heard
        return Health(
            running=self._task is not None and not self._task.done(),
            sync_age_s=time.time() - heard.synced_at if heard.synced_at else None,
            failures=heard.failures,
            returns=heard.returns,
            one_time_keys=self.client.olm.uploaded_key_count,
            waiting=heard.waiting,
            quarantined=heard.quarantined,
            sending=self._carrier.under_way,
            cross_signed=self._cross_signed,
            rate_limited=http.limited["count"],
        )
