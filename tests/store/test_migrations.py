"""Migrations: what they make is what the models say; a newer database is left alone; the SQL can be read beforehand."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, text

from hub.app.offline import db_check, db_upgrade
from hub.base.config import Config
from hub.base.errors import Stopped
from hub.store import matrix_tables  # noqa: F401  # its tables join the metadata
from hub.store.database import Database
from hub.store.migrate import alembic_config, is_at_head, upgrade
from hub.store.tables import metadata
from tests.store.conftest import Server

SCRIPTS = ScriptDirectory.from_config(alembic_config())


def test_there_is_one_line_of_migrations_from_one_base() -> None:
    assert len(SCRIPTS.get_heads()) == len(SCRIPTS.get_bases()) == 1
    assert len(list(SCRIPTS.walk_revisions())) >= 1


def test_models_equal_migrations(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, metadata))

    assert database.run_now(differences) == []


def test_migrations_equal_models_to_the_last_detail(new_url: Callable[[], str], open_database: Callable[[str], Database]) -> None:
    """Two ways to an empty schema, described by the database itself: columns, types, keys, indexes."""
    migrated, made = open_database(new_url()), open_database(new_url())
    upgrade(migrated)
    made.run_now(metadata.create_all)
    assert _described(migrated) == _described(made)
    assert len(_described(made)) > 25


def _described(database: Database) -> dict[str, Any]:
    def read(connection: Connection) -> dict[str, Any]:
        found = inspect(connection)
        return {
            name: {
                "columns": sorted((c["name"], str(c["type"]), c["nullable"], str(c["default"])) for c in found.get_columns(name)),
                "key": found.get_pk_constraint(name)["constrained_columns"],
                "indexes": sorted((i["name"] or "", tuple(map(str, i["column_names"])), bool(i["unique"])) for i in found.get_indexes(name)),
                "unique": sorted(tuple(u["column_names"]) for u in found.get_unique_constraints(name)),
            }
            for name in found.get_table_names()
            if name != "alembic_version"
        }

    return database.run_now(read)


def test_from_empty_and_again(database_url: str, open_database: Callable[[str], Database]) -> None:
    database = open_database(database_url)
    assert not is_at_head(database)
    upgrade(database)
    assert is_at_head(database)
    upgrade(database)
    assert is_at_head(database)


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    database_url: str, open_database: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = open_database(database_url)

    def breaking(config: Any, revision: str, **_: Any) -> None:
        real(config, revision)
        raise OSError("invented: the disk is full")

    real = command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(command, "upgrade", breaking)
        with pytest.raises(OSError, match="full"):
            upgrade(database)
    assert database.run_now(lambda connection: inspect(connection).get_table_names()) == []
    upgrade(database)
    assert is_at_head(database)


def test_the_database_of_a_later_release_is_refused(database: Database) -> None:
    database.run_now(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    before = _described(database)
    with pytest.raises(Stopped, match=r"database\.newer"):
        upgrade(database)
    assert not is_at_head(database)
    assert _described(database) == before


def _config(url: str, tmp_path: Path) -> Config:
    return Config.model_construct(database=type(Config.model_fields["database"].default)(url=url, keys_url="sqlite://"))


def test_the_sql_can_be_read_and_run_beforehand(new_url: Callable[[], str], open_database: Callable[[str], Database], tmp_path: Path) -> None:
    """`tinkuy db upgrade --sql`: run by hand it gives the same schema, at the same revision, and writing it touches nothing."""
    by_hand, by_us = new_url(), new_url()
    sql = db_upgrade(_config(by_hand, tmp_path), sql=True)
    assert "CREATE TABLE cases" in sql
    assert db_check(_config(by_hand, tmp_path))[0] is None, "nothing was done yet"
    if by_hand.startswith("sqlite"):
        with sqlite3.connect(by_hand.removeprefix("sqlite:///")) as connection:
            connection.executescript(sql)
    else:
        with psycopg.connect(by_hand.replace("+psycopg", ""), autocommit=True) as server:
            server.execute(sql.encode())
    assert db_upgrade(_config(by_us, tmp_path)) == ""
    assert db_check(_config(by_hand, tmp_path)) == db_check(_config(by_us, tmp_path)) == (SCRIPTS.get_current_head(),) * 2
    assert _described(open_database(by_hand)) == _described(open_database(by_us))


def test_no_table_of_persons_lacks_its_seal() -> None:
    """Every column that holds what a person said is called `sealed` and is bytes; all other text is ids, codes and times."""
    sealed = {table.name for table in metadata.tables.values() if "sealed" in table.c}
    assert {"case_fields", "held_values", "posts", "dialogues", "outbox", "early_messages", "matrix_inbox"} <= sealed
    for table in metadata.tables.values():
        if "sealed" in table.c:
            assert "BLOB" in str(table.c.sealed.type).upper() or "BYTEA" in str(table.c.sealed.type).upper()


def test_the_scripts_travel_with_the_package(postgres: Server) -> None:
    assert isinstance(metadata, MetaData)
    assert (Path(SCRIPTS.dir) / "env.py").is_file()
    assert (Path(SCRIPTS.dir) / "script.py.mako").is_file()
