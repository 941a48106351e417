"""The errors of this room, named by where the blame lies: ours, the homeserver's, the road's.

The texts carry codes, paths without ids, and numbers; never a content, a token or a person's id.
"""

from __future__ import annotations

from hub.base.errors import TinkuyError


class MatrixError(TinkuyError):
    """something about Matrix stopped here."""

    def __init__(self, code: str, message: str, **params: str | int) -> None:
        super().__init__(code, **params)
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"


class HomeserverAway(MatrixError):
    """the homeserver did not answer, or answered with a failure of its own; the same request may be tried again."""


class HomeserverRefused(MatrixError):
    """the homeserver answered, and the answer is no. Trying the same again will not help."""

    def __init__(self, message: str, *, status: int, errcode: str) -> None:
        super().__init__("matrix.refused", message, status=status, errcode=errcode)
        self.status = status
        self.errcode = errcode


class LoginLost(MatrixError):
    """our device or its token is gone; an old Olm account is never re-used, so a new device must be minted (`tinkuy restore`)."""


class RolledBack(MatrixError):
    """the homeserver knows newer keys of this device than we do: our store is an old copy. Nothing is sent any more."""


class IdentityConflict(MatrixError):
    """the account has a cross-signing identity that is not ours, and is not replaced without an explicit command."""


class Unsuitable(MatrixError):
    """an installed library lacks a defence that we rely on; the hub must not start."""


class Held(MatrixError):
    """the message was not sent and nothing left; it may be tried again once the cause is gone."""


class RoomFrozen(Held):
    """somebody is in this room who may not be there; nothing is shared until a person has looked."""


class CannotRead(Exception):
    """an event could not be turned into an `Inbound`; `reason` is what the quarantine row says. Never leaves this package."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
