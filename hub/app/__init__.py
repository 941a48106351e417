"""The composition root: the only room that knows all others. Builds the house once, runs its workers, stops it gracefully."""

from hub.app.house import House, open_house, run
from hub.app.offline import db_check, db_upgrade, ledger_verify
from hub.app.rewrap import rewrap_keys

__all__ = ["House", "db_check", "db_upgrade", "ledger_verify", "open_house", "rewrap_keys", "run"]
