"""Alembic's entry: runs on the connection that `hub.store.migrate` hands over, or writes SQL only."""

from __future__ import annotations

from alembic import context

from hub.store import lease, matrix_tables  # noqa: F401  # their tables join the same metadata
from hub.store.tables import metadata

if context.is_offline_mode():
    context.configure(url=context.config.attributes["url"], target_metadata=metadata, literal_binds=True)
else:
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False)
context.run_migrations()
