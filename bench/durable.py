"""What does a durable referral cost beside the bare writes that it comes to?

One referral: the units of `refer`, `dispatch` and `mark_sent` (policy and consent decided twice, body built, signed, sealed to the
peer, ledger chained, card and lines for the desk), on files with `synchronous=FULL`, the key store included.

The limit replays, with `sqlite3` alone on a copy of both databases, exactly the rows that those units wrote, in as many commits.
Afterwards the two pairs of databases must be equal row by row.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bench.rows import Row, compare
from hub.actions.dispatch import Parcel, dispatch, mark_sent
from hub.actions.open_case import open_case
from hub.actions.record_consent import Terms, record_consent
from hub.actions.refer import draft, refer
from hub.store.database import Database
from hub.testing.twin import TwinNetwork

SENDER, RECIPIENT = "cem-lima", "csmc-comas"
NEED = "mental_health"
ROUNDS, REFERRALS = 7, 16
_WRITES = ("INSERT", "UPDATE", "DELETE")
Step = tuple[int, str, Any]
"""Which database, the statement, its parameters."""


class Recorder:
    """Every write of some databases, with the commits that make writes durable; a transaction that only read leaves nothing."""

    def __init__(self, *databases: Database) -> None:
        self.steps: list[Step] = []
        self._began: set[int] = set()
        for number, database in enumerate(databases):
            event.listen(database.engine, "before_cursor_execute", self._noting(number))
            event.listen(database.engine, "commit", partial(self._ended, number))

    def _noting(self, number: int) -> Callable[..., None]:
        def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
            if statement.lstrip()[:6].upper() in _WRITES:
                if number not in self._began:
                    self._began.add(number)
                    self.steps.append((number, "BEGIN IMMEDIATE", ()))
                self.steps.append((number, statement, parameters))

        return note

    def _ended(self, number: int, _connection: Any) -> None:
        if number in self._began:
            self._began.discard(number)
            self.steps.append((number, "COMMIT", ()))


class Desk:
    """A sending hub on two files in `folder`, paired with a recipient in memory."""

    def __init__(self, folder: Path) -> None:
        self.paths = (folder / "hub.db", folder / "keys.db")
        self.network = TwinNetwork(
            (SENDER, "emergency_centre"), (RECIPIENT, "mental_health_centre"),
            url=lambda name: f"sqlite:///{self.paths[0]}" if name == SENDER else "sqlite://",
            keys_url=lambda name: f"sqlite:///{self.paths[1]}" if name == SENDER else "sqlite://",
        )  # fmt: skip
        self.twin = self.network[SENDER]
        assert self.twin.keys_database is not None
        self.keys = self.twin.keys_database
        self._sent: list[Parcel] = []
        self.twin.enrol("ana")
        self.network[RECIPIENT].enrol("bea")
        self.network.settle()

    @property
    def databases(self) -> tuple[Database, Database]:
        return self.twin.store._database, self.keys

    def draft(self) -> str:
        """A case with consent and a draft of its referral; the draft's id."""
        user, clock = self.twin.person("ana"), self.twin.clock
        soon, later = clock.now() + timedelta(days=1), clock.now() + timedelta(days=90)
        values = {"risk_level": "high", "mental_health_summary": "insomnio (inventado)", "phone": "900 000 001", "languages": "es"}
        fields = ("social_name", "risk_level", "mental_health_summary", "phone", "languages")
        case = self.twin.run(lambda unit: open_case(unit, user, "!desk", "Luz Inventada", soon, values))
        terms = Terms(recipients=(RECIPIENT,), purposes=(self.purpose,), fields=fields, until=later, mode="oral", explained=True)
        self.twin.run(lambda unit: record_consent(unit, user, case.id, terms))
        made = self.twin.run(lambda unit: draft(unit, user, case.id, RECIPIENT, NEED))
        if not made.ready:
            raise AssertionError("the protocol would release nothing: this would measure a refusal")
        return made.referral.id

    @property
    def purpose(self) -> str:
        given = self.twin.store.given
        protocol = given.pack.protocol_for(NEED, "emergency_centre", "mental_health_centre")
        assert protocol is not None
        return protocol.purpose_of(NEED)

    def send(self, referral: str) -> None:
        """The measured thing: offered, dispatched as a signed and sealed envelope, and marked as sent."""
        user = self.twin.person("ana")
        self.twin.run(lambda unit: refer(unit, user, "!desk", referral))
        parcels = self.twin.run(dispatch)
        if len(parcels) != 1 or len(parcels[0].rows) != 1:
            raise AssertionError("one referral must come to one envelope")
        self.twin.run(lambda unit: mark_sent(unit, parcels[0]))
        self._sent += parcels

    def deliver(self) -> None:
        """Hand over what was sent, until it is acknowledged. Raises AssertionError when the recipient took less than all of it."""
        for parcel in self._sent:
            self.network.hand(self.twin, parcel)
        self._sent.clear()
        self.network.settle(2)
        if self.twin.run(lambda unit: unit.outbox.count(state__in=("ready", "dispatched"))) or self.network[RECIPIENT].refused:
            raise AssertionError("the recipient did not take every referral")

    def close(self) -> None:
        for twin in self.network.twins.values():
            twin.store._database.engine.dispose()
        self.keys.engine.dispose()


def run(rounds: int = ROUNDS, referrals: int = REFERRALS) -> list[Row]:
    """Referrals a second, beside the replay of their writes."""
    ours, limits = [], []
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        recorder = Recorder(*desk.databases)
        for number in range(rounds):
            drafts = [desk.draft() for _ in range(referrals)]
            copies = [_copy(path, Path(folder) / f"{number}-{path.name}") for path in desk.paths]
            recorder.steps.clear()
            ours.append(referrals / _timed(partial(_send_all, desk, drafts)))
            steps = list(recorder.steps)
            limits.append(referrals / _timed(partial(replay, steps, copies)))
            for path, copy in zip(desk.paths, copies, strict=True):
                same_rows(path, copy)
            desk.deliver()
        desk.close()
    commits = sum(sql == "COMMIT" for _, sql, _ in steps) / referrals
    name = f"durable referral: {len(steps) / referrals - 2 * commits:.0f} rows in {commits:.0f} commits, beside sqlite3 alone"
    return [compare(name, "referrals/s", ours, limits)]


def replay(steps: list[Step], copies: list[Path]) -> None:
    """The same writes with nothing around them."""
    connections = [_open(path) for path in copies]
    for number, statement, parameters in steps:
        connections[number].execute(statement, parameters)
    for connection in connections:
        connection.close()


def same_rows(one: Path, other: Path) -> None:
    """Raise AssertionError unless two databases hold the same rows in every table."""
    with closing(sqlite3.connect(one)) as left, closing(sqlite3.connect(other)) as right:
        tables = [name for (name,) in left.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        if not tables:
            raise AssertionError("nothing to compare")
        for table in tables:
            if _content(left, table) != _content(right, table):
                raise AssertionError(f"the replay left other rows in `{table}`")


def _content(connection: sqlite3.Connection, table: str) -> list[str]:
    return sorted(map(repr, connection.execute(f'SELECT * FROM "{table}"')))


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection


def _copy(source: Path, target: Path) -> Path:
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
    return target


def _send_all(desk: Desk, drafts: Iterable[str]) -> None:
    for draft_id in drafts:
        desk.send(draft_id)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
