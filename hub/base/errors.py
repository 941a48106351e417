"""One family of errors. A sentence for the person, a code for the administrator, never a value of a case.

Every refusal says four things: what failed, why, what to do, and a code (`matrix-facts.md` 3.10).
"""

from __future__ import annotations


class TinkuyError(Exception):
    """Something could not be done. `code` is stable; `params` are ids, names of fields or counts, never values."""

    def __init__(self, code: str, /, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Refused(TinkuyError):
    """The person asked for something that the rules do not allow, or that makes no sense now. Nothing was changed."""


class PeerFault(TinkuyError):
    """A peer hub sent something that we may not accept. Nothing of it was stored."""


class Stopped(TinkuyError):
    """Something we depend on is absent or in doubt, so we stopped before any effect."""


class Forged(Stopped):
    """A row that decides over trust was written by somebody else than the hub. No waiting mends it: the hub stops."""
