"""A database as lines of JSON and back: how backups hold tables, so that they fit SQLite and PostgreSQL alike.

Read in one snapshot while the hub goes on: on SQLite a deferred read transaction on the write-ahead log, on PostgreSQL REPEATABLE READ. The
tables of the Matrix room are left out: an Olm account and its sessions are never used again (N12).

    first line   the names of the columns
    then         one row a line; bytes as {"b": base64}
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, create_engine, event, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from hub.base.errors import Stopped
from hub.store import key_rows, matrix_tables  # noqa: F401  # their tables join the metadata that is gone through here
from hub.store.database import Database
from hub.store.migrate import alembic_config
from hub.store.tables import metadata

MATRIX, LEASES = "matrix_", "leases"
_AT_ONCE = 500


def tables() -> list[str]:
    """The tables of the data database that a backup holds: who leads now, and the Matrix room's own, mean nothing on another machine."""
    return sorted(name for name in metadata.tables if not name.startswith(MATRIX) and name != LEASES)


def read_data(url: str, keep: Callable[[str, Iterator[bytes]], None]) -> str:
    """Hand every table's lines to `keep(name, lines)`, all of one moment. Returns the schema's revision. Raises Stopped `database.not_ours`."""
    engine = create_engine(url, poolclass=NullPool, **({} if _sqlite(url) else {"isolation_level": "REPEATABLE READ"}))
    if _sqlite(url):
        event.listen(engine, "connect", lambda connection, _record: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.connection.execute("BEGIN").close())
    try:
        with engine.connect() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
            if revision != head():
                raise Stopped("backup.schema_behind" if revision is None or known(revision) else "database.newer")
            for name in tables():
                keep(name, _lines(connection, metadata.tables[name]))
            return str(revision)
    finally:
        engine.dispose()


def read_keys(url: str) -> Iterator[bytes]:
    """The key store's rows, read in one statement: a reader that stayed would hold up the erasing of keys."""
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            rows = connection.execute(select(key_rows.KEYS).order_by(key_rows.KEYS.c.owner)).all()
    finally:
        engine.dispose()
    yield _line([column.name for column in key_rows.KEYS.columns])
    yield from (_line(list(row)) for row in rows)


def rows_of(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of a table's lines. Raises ValueError for what is none."""
    names: list[str] | None = None
    for line in lines:
        values = [_back(value) for value in json.loads(line)]
        if names is None:
            names = [str(value) for value in values]
        else:
            yield dict(zip(names, values, strict=True))


def is_empty(url: str) -> bool:
    """Whether a database holds no table at all, or its file is not there yet; none is made by looking."""
    file = make_url(url).database if _sqlite(url) else None
    if _sqlite(url) and (not file or not os.path.exists(file) or not os.path.getsize(file)):
        return True
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return not inspect(connection).get_table_names()
    finally:
        engine.dispose()


def wipe(database: Database) -> None:
    """Drop every table: what a restore that was interrupted had begun."""

    def run(connection: Connection) -> None:
        found = MetaData()
        found.reflect(connection)
        found.drop_all(connection)

    database.run_now(run)


def fill(connection: Connection, revision: str, given: Iterable[tuple[str, Iterable[dict[str, Any]]]]) -> None:
    """Lay the schema of `revision`, put the rows in, bring it to the newest: all in this transaction."""
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    for name, rows in given:
        _insert(connection, Table(name, MetaData(), autoload_with=connection), rows)
    command.upgrade(config, "head")


def fill_keys(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """The key store's table with these rows."""
    key_rows.metadata.create_all(connection)
    _insert(connection, key_rows.KEYS, rows)


def head() -> str:
    """The schema this program knows."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head() or ""


def known(revision: str) -> bool:
    """Whether this program can bring a database of this revision to its own."""
    return revision in {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}


def copy_lines(lines: Iterable[bytes], out: IO[bytes]) -> int:
    """Write lines; the number of rows, which is one less than lines."""
    written = 0
    for line in lines:
        out.write(line + b"\n")
        written += 1
    return max(written - 1, 0)


def _lines(connection: Connection, table: Table) -> Iterator[bytes]:
    yield _line([column.name for column in table.columns])
    result = connection.execution_options(yield_per=_AT_ONCE).execute(select(table).order_by(*table.primary_key.columns))
    yield from (_line(list(row)) for row in result)


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    waiting: list[dict[str, Any]] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == _AT_ONCE:
            connection.execute(table.insert(), waiting)
            waiting = []
    if waiting:
        connection.execute(table.insert(), waiting)


def _sqlite(url: str) -> bool:
    return url.startswith("sqlite")


def _line(values: list[Any]) -> bytes:
    return json.dumps([_out(value) for value in values], ensure_ascii=False, separators=(",", ":")).encode()


def _out(value: Any) -> Any:
    return {"b": base64.b64encode(value).decode("ascii")} if isinstance(value, bytes | memoryview) else value


def _back(value: Any) -> Any:
    return base64.b64decode(value["b"], validate=True) if isinstance(value, dict) else value
