"""Twins for tests and for integrators: whole hubs in memory that speak to each other without Matrix.

The rules, the store, the keys, the chat and the exchange are the real ones; only the road between hubs and the clients are replaced, and
the road can be told to lose, double, hold or change what it carries.
"""

from hub.testing.twin import Twin, TwinNetwork

__all__ = ["Twin", "TwinNetwork"]
