"""What happened, as values with references only. Actions announce them inside their unit; `hub/chat` turns them into posts in the same unit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of every event."""


@dataclass(frozen=True, kw_only=True)
class CaseChanged(Event):
    """The case card must be drawn (first time: as thread root) or redrawn. `line` is a transition to tell in the thread."""

    case: str


@dataclass(frozen=True, kw_only=True)
class ReferralMoved(Event):
    """A referral changed state or was delivered; `what` is the move or `delivered`, `asked`, `refused`, `overdue`, `disclosed`,
    `unheard`, `withdraw_part` and `rest` (some fields are taken back, the others go on),
    `handed_over` (nothing is said of it, but its card names somebody else)."""

    referral: str
    what: str
    by: str | None = None
    ring: bool = False
    fields: tuple[str, ...] = ()
    """The names of what is not shared any more, when the rest goes on."""
    removed: int = 0
    """How many messages of theirs were taken out of the thread with it."""


@dataclass(frozen=True, kw_only=True)
class FieldAsked(Event):
    """The recipient asks for one extra field; the sender's desk decides by number. `why` goes into a sealed post and nowhere else."""

    ask: str
    why: str


@dataclass(frozen=True, kw_only=True)
class FieldAnswered(Event):
    """Our desk granted or refused the field that was asked for; `by` is who did."""

    ask: str
    by: str


@dataclass(frozen=True, kw_only=True)
class MessageArrived(Event):
    """A caseworker of the other institution said something; `text` goes straight into a sealed post and nowhere else."""

    referral: str
    text: str
    by: str


@dataclass(frozen=True, kw_only=True)
class CheckInRang(Event):
    """A check-in is due (`level` 0), due again (1) or goes to the supervisor (2)."""

    checkin: str
    level: int


@dataclass(frozen=True, kw_only=True)
class HolderAnswered(Event):
    """A holder destroyed, or retained on a legal basis, what it held; or is overdue. `fields`: all that it lost, while it holds the rest."""

    disclosure: str
    what: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Shown(Event):
    """Values shown in a direct chat must be redacted now."""

    key: str


@dataclass(frozen=True, kw_only=True)
class Restored(Event):
    """We came back from a copy and a peer answered: `codes` are referrals of ours that it works on and the copy does not know."""

    institution: str
    codes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Alarm(Event):
    """Something the administrators must know. `params` are ids, names of fields and counts."""

    code: str
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class DeviceNotice(Event):
    """An enrolled person wrote from, or signed in on, a device we do not trust."""

    user: str
    device: str


@dataclass(frozen=True, kw_only=True)
class VerificationMoved(Event):
    """A verification by emoji reached its next state; the person and the administrators are told what to do now."""

    verification: str
