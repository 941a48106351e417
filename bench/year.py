"""How long does a hub take to start after a year, and what does it hold in memory then?

    python -m bench.year

The year is not lived but written: a million messages' worth of rows (`Year` says how many of each) go into the database of a real hub that
has run once, in bulk, past its units of work, by the product's own mapping of records, data keys, ledger chain and Olm store. So sizes, indexes,
keys and sealed cells are those of a year; its content is not: one peer that no link leads to, one kind of record for all that were sent, no
vouched rows beyond the hub's own, and what the hub would have wiped (the text of posts that were sent, bodies that were acknowledged) is empty.
What is read at the start is there in full: open timers, data keys, handled events, the Olm rows that thirty days of pruning leave.

Then the real process is started, from the command line to its log line `app.running`: by then it has logged in, checked its cross-signing as
served, asked for keys and handled what fell due.

Beside it, each round: the same hub without a year, and plain matrix-nio with the store it would have by then, loading it and nothing else.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from nio.crypto import InboundGroupSession, OutboundGroupSession
from sqlalchemy import Connection, insert

from bench.inside import resident_mb
from bench.plain_nio import restored
from bench.rows import Row, compare, keep, show
from bench.stage import PASSWORD, account
from deploy.demo.network import PLANS, HubProcess
from deploy.demo.synapse import Homeserver, Synapses
from hub.app.house import _device_id, _matrix_rows, open_keyring
from hub.base import config
from hub.base.ids import new_id
from hub.cases.lifecycle import Side, State
from hub.cases.records import Case, CaseField, LogLine, Post, Referral, Timer
from hub.exchange.records import LedgerRow, Outgoing, Seen
from hub.matrix.olm_store import OlmStore
from hub.store import matrix_tables, tables
from hub.store.database import Database
from hub.store.key_rows import KEYS, KeyTable
from hub.store.mapping import INSERTED, Mapping
from keys import ledger
from keys.casekeys import Cell, DataKeys
from keys.identity import load_identity
from keys.primitives import random_bytes

ROUNDS = 3
START_WITHIN = 120.0
AT_ONCE = 10_000
NIO_SESSIONS = 20_000
NOW = datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Year:
    """What a year of a busy institution leaves: a million messages that came in, of which envelopes are `envelopes`."""

    sessions: int = 822
    """Megolm sessions: 10,000 at 100 messages each, of which the hub's pruning leaves thirty days."""
    events: int = 82_000
    """Ids of handled events: thirty days of the million."""
    envelopes: int = 250_000
    sent: int = 150_000
    posts: int = 250_000
    cases: int = 10_000
    referrals: int = 30_000
    lines: int = 150_000
    timers: int = 60_000
    open_timers: int = 2_000

    def scaled(self, share: float) -> Year:
        """A shorter one, for tests."""
        return Year(**{name: max(1, int(value * share)) for name, value in vars(self).items()})


# ---- the year -----------------------------------------------------------------------------------------------------------------


def fill(path: Path, year: Year) -> None:
    """Write `year` into the database of the hub with this configuration. It must have run once and have stopped."""
    settings = config.load(path)
    kek, keyring = open_keyring(settings)
    identity = load_identity(keyring)
    device = _device_id(settings.paths.state)
    database, keys_database = Database(settings.database.url), Database(settings.database.keys_url)
    rows = _matrix_rows(settings, database, identity, device, lambda: True)
    kept = _Bulk(keys_database)
    keys = DataKeys(kek, kept)
    database.run_now(lambda connection: _write(connection, year, keys, settings.institution.id))
    kept.done()
    asyncio.run(_remember(rows, year))
    for one in (database, keys_database):
        asyncio.run(one.close())


class _Bulk(KeyTable):
    """The key store's own table, its rows kept until all are written in one transaction."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._kept: dict[str, tuple[bytes, int]] = {}

    def get(self, owner: str) -> bytes | None:
        return self._kept[owner][0] if owner in self._kept else None

    def put(self, owner: str, wrapped: bytes, created: datetime) -> None:
        self._kept[owner] = (wrapped, int(created.timestamp()))

    def done(self) -> None:
        """Write them."""
        values = [{"owner": owner, "wrapped": wrapped, "created": created} for owner, (wrapped, created) in self._kept.items()]
        self._database.run_now(lambda connection: connection.execute(insert(KEYS), values))


def _write(connection: Connection, year: Year, keys: DataKeys, me: str) -> None:
    for mapping, records in (
        (tables.CASES, (_case(number, year, keys) for number in range(year.cases))),
        (tables.FIELDS, (field for number in range(year.cases) for field in _fields(number, keys))),
        (tables.REFERRALS, (_referral(number, year) for number in range(year.referrals))),
        (tables.SEEN, (_seen(number) for number in range(year.envelopes))),
        (tables.OUTBOX, (_outgoing(number) for number in range(year.sent))),
        (tables.LEDGER, _ledger(year.sent, me)),
        (tables.POSTS, (_post(number) for number in range(year.posts))),
        (tables.LOG, (_line(number, year) for number in range(year.lines))),
        (tables.TIMERS, (_timer(number, year) for number in range(year.timers))),
    ):
        _bulk(connection, mapping, records)
    for numbers in _parts(range(year.events)):
        connection.execute(insert(matrix_tables.events), [_event(number) for number in numbers])


def _bulk(connection: Connection, mapping: Mapping[Any], records: Iterable[Any]) -> None:
    names = [*mapping.names, INSERTED]
    quoted = ", ".join(f'"{name}"' for name in names)
    sql = f'INSERT INTO {mapping.table.name} ({quoted}) VALUES ({", ".join("?" * len(names))})'
    for part in _parts(records):
        connection.exec_driver_sql(sql, [tuple(mapping.new_row(record).values()) for record in part])


def _parts(items: Iterable[Any]) -> Iterator[list[Any]]:
    waiting = iter(items)
    while part := list(itertools.islice(waiting, AT_ONCE)):
        yield part


def _ago(number: int, of: int) -> datetime:
    return NOW - timedelta(days=365) * (1 - number / of)


def _case(number: int, year: Year, keys: DataKeys) -> Case:
    keys.create(f"case_{number:024x}", NOW)
    opened = _ago(number, year.cases)
    return Case(
        id=f"case_{number:024x}", code=f"C-{number}", lead="@ana:example", state="closed", opened_at=opened,
        next_contact_at=opened, closed_at=opened + timedelta(days=20), outcome="completed",
    )  # fmt: skip


def _fields(number: int, keys: DataKeys) -> Iterator[CaseField]:
    case = f"case_{number:024x}"
    for field in ("social_name", "risk_level", "mental_health_summary"):
        id = new_id("fld")
        sealed = keys.seal(case, Cell(table="case_fields", row=id, column="sealed"), b"inventado")
        yield CaseField(id=id, case=case, field=field, sealed=sealed, by="@ana:example", at=NOW)


def _referral(number: int, year: Year) -> Referral:
    at = _ago(number, year.referrals)
    return Referral(
        id=f"ref_{number:024x}", code=f"R-{number}", side=Side.SENDER if number % 2 else Side.RECIPIENT, peer="csmc-comas",
        case=f"case_{number % year.cases:024x}", need="mental_health", purpose="mental_health_care", protocol="inventado", protocol_version=1,
        urgency="routine", state=State.COMPLETED, opened_at=at, respond_by=at, delivered_at=at, answered_at=at, ended_at=at,
    )  # fmt: skip


def _seen(number: int) -> Seen:
    return Seen(id=f"lnk-x.1.{number}", link="lnk-x", epoch=1, seq=number, digest=random_bytes(32), at=NOW)


def _outgoing(number: int) -> Outgoing:
    return Outgoing(
        id=new_id("out"), order=number + 1, link="lnk-x", kind="offer", ref={"referral": f"ref_{number:024x}"}, state="acked", not_before=NOW,
        made_at=NOW, epoch=1, seq=number + 1, message=random_bytes(16).hex(), digest=random_bytes(32), attempts=1, sent_at=NOW, acked_at=NOW,
    )  # fmt: skip


def _ledger(count: int, me: str) -> Iterator[LedgerRow]:
    head, key = ledger.genesis(me), random_bytes(32)
    for number in range(count):
        entry = ledger.Entry(
            case_ref=ledger.case_reference(key, str(number)), action="offer", recipient="csmc-comas", purpose="mental_health_care",
            protocol="inventado 1", ground="", fields=(), message="", at=NOW,
        )  # fmt: skip
        row = ledger.append(head, entry)
        head = row.head
        yield LedgerRow(id=row.seq, at=NOW, previous=row.previous, hash=row.hash, entry=row.entry)


def _post(number: int) -> Post:
    return Post(
        id=new_id("post"), order=number + 1, purpose="desk", key=f"case:{number}" if number % 4 == 0 else None, thread=None, edits=None,
        redacts=None, ring=(), owner="hub", sealed=b"", state="sent", event=f"${number:043x}", room="!desk", at=NOW,
    )  # fmt: skip


def _line(number: int, year: Year) -> LogLine:
    about = f"case_{number % year.cases:024x}"
    return LogLine(id=new_id("log"), about=about, at=_ago(number, year.lines), actor="@ana:example", what="field.written")


def _timer(number: int, year: Year) -> Timer:
    ahead = number < year.open_timers
    due = NOW + timedelta(days=1 + number % 90) if ahead else _ago(number, year.timers)
    return Timer(id=new_id("tmr"), kind="respond_by", ref=f"ref_{number:024x}", due_at=due, done_at=None if ahead else due)


def _event(number: int) -> dict[str, Any]:
    at = time.time() - 86400 * (number % 29)
    return {"event_id": f"${number:043x}", "room_id": "!desk", "session_id": f"s{number // 100}", "message_index": number % 100, "at": at}


async def _remember(rows: Any, year: Year) -> None:
    """The Megolm sessions that the hub would have, through its own store, used over the last thirty days."""
    store = OlmStore(await rows.load_olm())
    for number, session in enumerate(_sessions(year.sessions)):
        store._now = partial(_moment, time.time() - 86400 * (number % 29))
        store.load_inbound_group_sessions().add(session)
        store.save_inbound_group_session(session)
        if number % 1000 == 999:
            await rows.save_olm(store.take())
    await rows.save_olm(store.take())


def _moment(at: float) -> float:
    return at


def _sessions(count: int) -> Iterator[InboundGroupSession]:
    for number in range(count):
        made = OutboundGroupSession()
        yield InboundGroupSession(made.session_key, "e" * 43, f"{number % 50:043d}", f"!room{number % 20}:example")


# ---- starting ---------------------------------------------------------------------------------------------------------------------


async def started(hub: HubProcess) -> tuple[float, float]:
    """Seconds from the command to `app.running`, MB resident then; the hub is stopped again."""
    size = hub.log.stat().st_size if hub.log.exists() else 0
    start = time.perf_counter()
    with (hub.folder / "output.txt").open("ab") as out:
        hub.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub", "--config", str(hub.config), "run", stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        while True:
            if hub.log.exists():
                with hub.log.open("rb") as log:
                    log.seek(size)
                    if b'"app.running"' in log.read():
                        return time.perf_counter() - start, resident_mb(hub.process.pid)
            if hub.process.returncode is not None or time.perf_counter() - start > START_WITHIN:
                raise AssertionError(f"the hub did not start: {(hub.folder / 'output.txt').read_text()[-500:]}")
            await asyncio.sleep(0.005)
    finally:
        await hub.stop()


def make_nio_store(folder: Path, sessions: int) -> None:
    """Plain nio's own store, filled in one transaction."""
    folder.mkdir(parents=True)
    client = restored(folder)
    assert client.store is not None
    with closing(client.store.database), client.store.database.atomic():
        for session in _sessions(sessions):
            client.store.save_inbound_group_session(session)


async def nio_started(folder: Path) -> tuple[float, float]:
    """Seconds from the command until plain nio has its store loaded, MB resident then."""
    start = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.plain_nio", str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = await process.stdout.readline()
    seconds = time.perf_counter() - start
    await process.wait()
    return seconds, float(line)


async def run(server: Homeserver, folder: Path, *, year: Year | None = None, sessions: int = NIO_SESSIONS, rounds: int = ROUNDS) -> list[Row]:
    """Start all of them in turn."""
    year = year or Year()
    # A fresh hub, one after a year, and one that never pruned and so has as many sessions as nio.
    hubs = {name: await _hub(server, folder / name) for name in ("fresh", "year", "unpruned")}
    await asyncio.to_thread(fill, hubs["year"].config, year)
    await asyncio.to_thread(fill, hubs["unpruned"].config, replace(year.scaled(0), sessions=sessions))
    await asyncio.to_thread(make_nio_store, folder / "nio", sessions)
    seconds: dict[str, list[float]] = {}
    memory: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name in (*hubs, "nio"):
            took, held = await (nio_started(folder / "nio") if name == "nio" else started(hubs[name]))
            seconds.setdefault(name, []).append(took * 1000)
            memory.setdefault(name, []).append(held)
    same = f"{sessions:,} sessions"
    return [
        compare("start after a year, beside the same hub's first day", "ms", seconds["year"], seconds["fresh"], peers=seconds["nio"]),
        compare("memory after a year, beside the same hub's first day", "MB", memory["year"], memory["fresh"], peers=memory["nio"]),
        compare(f"start after a year, beside plain nio with {same}", "ms", seconds["year"], seconds["nio"]),
        compare(f"memory after a year, beside plain nio with {same}", "MB", memory["year"], memory["nio"]),
        compare(f"start of a hub that holds {same} too, beside plain nio", "ms", seconds["unpruned"], seconds["nio"]),
        compare(f"memory of a hub that holds {same} too, beside plain nio", "MB", memory["unpruned"], memory["nio"]),
    ]


async def _hub(server: Homeserver, folder: Path) -> HubProcess:
    """A hub that has run once: logged in, keys published."""
    plan = next(plan for plan in PLANS if plan.id == "cem-lima")
    hub = HubProcess(plan=plan, folder=folder, user_id=await account(server, folder.name), password=PASSWORD, server=server)
    await hub.init()
    await started(hub)
    return hub


async def main() -> None:
    """Measure alone."""
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        async with Synapses(Path(folder) / "servers", count=1) as servers:
            rows = await run(servers[0], Path(folder) / "hubs")
    keep("year", rows)
    show(rows)


if __name__ == "__main__":
    asyncio.run(main())
