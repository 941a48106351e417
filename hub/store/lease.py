"""Who of a hub's servers acts: a lease with a fencing token, on PostgreSQL (`docs/adr/0014-…`).

Two rows. `pulse` is renewed every second and says until when the lease runs, by the database's own clock. `leader` changes only when the
leadership does; every acting transaction locks it FOR SHARE and finds its own token there, or does not happen. A leader that was stopped
and wakes up finds another token, and before that its connections gone: whoever takes over ends them, so that no lock of a frozen
process stands in the way.
"""

from __future__ import annotations

import contextlib
import secrets
import time

from sqlalchemy import BigInteger, Column, Connection, Float, String, Table, TextClause, text
from sqlalchemy.exc import DBAPIError

from hub.base.errors import Stopped
from hub.store.database import Database
from hub.store.tables import metadata

LASTS = 6.0
"""Seconds without a pulse until another server may take over."""
MARGIN = 1.0
"""Seconds before its end from which on the holder itself does not trust its lease any more."""

leases = Table(
    "leases",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("holder", String(40), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("until", Float, nullable=False),
)

_HURRY = text("SET LOCAL lock_timeout = '2s'")
_MAKE = text("INSERT INTO leases (name, holder, token, until) VALUES ('pulse', '', 0, 0), ('leader', '', 0, 0) ON CONFLICT DO NOTHING")
_LOOK = text("SELECT holder, token FROM leases WHERE name = 'pulse' AND until < extract(epoch from clock_timestamp()) FOR UPDATE")
_END_CONNECTIONS = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name AND usename = current_user")
_TAKE = text("UPDATE leases SET holder = :holder, token = :token WHERE name = 'leader'")
_TAKE_PULSE = text(
    "UPDATE leases SET holder = :holder, token = :token, until = extract(epoch from clock_timestamp()) + :lasts WHERE name = 'pulse'"
)
_PULSE = text(
    "UPDATE leases SET until = extract(epoch from clock_timestamp()) + :lasts WHERE name = 'pulse' AND holder = :holder AND token = :token"
)
_GIVE = text("UPDATE leases SET until = 0, holder = '' WHERE name = 'pulse' AND holder = :holder AND token = :token")
_HOLDER = text("SELECT holder FROM leases WHERE name = 'pulse' AND until >= extract(epoch from clock_timestamp())")
_CONNECTED = text("SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name LIKE :prefix")
_ALONE = text("SELECT pg_advisory_xact_lock(30571, 1)")
_OURS = text("SELECT 1 FROM leases WHERE name = 'leader' AND holder = :holder AND token = :token FOR SHARE")


def new_holder(server: str) -> str:
    """A name for one process of a server: the same server, started again, is somebody else."""
    return f"{server}#{secrets.token_hex(4)}"


def connection_name(institution: str, holder: str) -> str:
    """What a process's connections call themselves, so that the other server can end them. PostgreSQL keeps 63 bytes."""
    return f"tinkuy {institution[:24]} {holder}"


class Lease:
    """One server's view of it. Plain calls: run them off the event loop."""

    def __init__(self, database: Database, institution: str, holder: str) -> None:
        self._database, self._institution, self._holder = database, institution, holder
        self.token: int | None = None
        self._valid_until = 0.0

    def take(self) -> bool:
        """Take the lease when nobody holds it (any more). False: another server does, or was faster."""
        began = _now()
        try:
            with self._database.engine.connect().execution_options(isolation_level="READ COMMITTED") as connection, connection.begin():
                connection.execute(_HURRY)
                connection.execute(_MAKE)
                found = connection.execute(_LOOK).first()
                if found is None:
                    return False
                if found.holder and found.holder != self._holder:
                    connection.execute(_END_CONNECTIONS, {"name": connection_name(self._institution, found.holder)})
                given = {"holder": self._holder, "token": found.token + 1}
                connection.execute(_TAKE, given)
                connection.execute(_TAKE_PULSE, {**given, "lasts": LASTS})
        except DBAPIError:
            return False  # the database is away, or somebody holds the row: tried again
        self.token, self._valid_until = found.token + 1, began + LASTS - MARGIN
        return True

    def pulse(self) -> bool:
        """Renew it. False when it is another server's now. A database that does not answer renews nothing: see `valid`."""
        began = _now()
        try:
            renewed = self._change(_PULSE, lasts=LASTS)
        except DBAPIError:
            return True
        self._valid_until = began + LASTS - MARGIN if renewed else 0.0
        return renewed

    def give(self) -> None:
        """Let another server take over at once; the work here has ended."""
        self._valid_until = 0.0
        with contextlib.suppress(DBAPIError):  # then it runs out by itself
            self._change(_GIVE)

    def _change(self, statement: TextClause, **given: float) -> bool:
        with self._database.engine.connect().execution_options(isolation_level="READ COMMITTED") as connection, connection.begin():
            connection.execute(_HURRY)
            return connection.execute(statement, {"holder": self._holder, "token": self.token, **given}).rowcount == 1

    def holder(self) -> str:
        """The name of the server that leads now; empty when none does."""
        with self._database.engine.connect() as connection:
            return str(connection.execute(_HOLDER).scalar() or "").partition("#")[0]

    def connected(self) -> frozenset[str]:
        """Names of the servers whose processes are connected now, ours included."""
        prefix = connection_name(self._institution, "")
        with self._database.engine.connect() as connection:
            names = connection.execute(_CONNECTED, {"prefix": f"{prefix}%"}).scalars()
            return frozenset(name.removeprefix(prefix).partition("#")[0] for name in names)

    def alone(self, connection: Connection) -> None:
        """Wait until no other server is inside a transaction that asked the same."""
        connection.execute(_ALONE)

    def check(self, connection: Connection) -> None:
        """Inside an acting transaction: the token is still ours, and stays so until this transaction ends. Raises Stopped `server.standby`."""
        if self.token is None or connection.execute(_OURS, {"holder": self._holder, "token": self.token}).first() is None:
            raise Stopped("server.standby")

    def assert_valid(self) -> None:
        """Outside a transaction, right before an effect that cannot be rolled back. Raises Stopped `server.standby`."""
        if not self.valid:
            raise Stopped("server.standby")

    @property
    def valid(self) -> bool:
        """Whether nobody else can have taken it, by a clock that also runs while this process or machine sleeps."""
        return self.token is not None and _now() < self._valid_until


def _now() -> float:
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
