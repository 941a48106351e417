"""Bringing a database to the newest schema with Alembic, and saying whether it is there."""

from __future__ import annotations

from importlib import resources

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hub.base.errors import Stopped
from hub.store.database import Database


def upgrade(database: Database) -> None:
    """Run every migration that is missing, in one transaction. Raises Stopped `database.newer` for a database of a later release."""
    config = alembic_config()

    def run(connection: Connection) -> None:
        current = MigrationContext.configure(connection).get_current_revision()
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if current is not None and current not in known:
            raise Stopped("database.newer")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    database.run_now(run)


def is_at_head(database: Database) -> bool:
    """Whether nothing is missing."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    return database.run_now(lambda connection: MigrationContext.configure(connection).get_current_revision() == head)


def alembic_config() -> Config:
    """Alembic's configuration, without a file: the scripts travel with the package."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("hub.store") / "migrations"))
    return config
