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
class OnwardMoved(Event):
    """A wish to pass something on: at the owner `asked` (a person decides; `why` goes into a sealed post and nowhere else), `forbidden` (the hub
    refused by itself), `passed`, `called_back`, `ended`, `overdue`; at the holder `asked`, `granted`, `refused`, `passed`, `stopped`, `ended`."""

    onward: str
    what: str
    why: str = ""
    ring: bool = False


@dataclass(frozen=True, kw_only=True)
class GlassMoved(Event):
    """An emergency: `waiting` for a second person, `asked`, `open`, `refused`, `lapsed`, `ended`, `review` (due), `reviewed`."""

    glass: str
    what: str
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class BasisMoved(Event):
    """A legal basis in place of her consent: `waiting` for who confirms, `active`, `lapsed`, `ended` (by people), `expired` (its time was over)."""

    basis: str
    what: str


@dataclass(frozen=True, kw_only=True)
class AskedAgain(Event):
    """She is asked again for what she had told: here, or by the institution that holds this referral."""

    about: str
    reason: str


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
class CoordinationMoved(Event):
    """Something about a coordination room: `what` is `opened`, `invited` (us), `seat` (an institution came), `person` (`user` of ours came),
    `card` (what it shows changed), `out` (an institution left or was removed), `ours` (we are out of it), `closed`, `changed` and
    `pinned` (nothing is said)."""

    coordination: str
    what: str
    institution: str = ""
    user: str = ""
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OwnHouse(Event):
    """It was noted that the aggressor of a case of ours works in this very institution."""

    case: str


@dataclass(frozen=True, kw_only=True)
class Alarm(Event):
    """Something the administrators must know. `params` are ids, names of fields and counts."""

    code: str
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProtocolMoved(Event):
    """A proposal of a protocol's version: a stage of `hub.cases.protocol_life`, a word of a party (`signature`, `comment` …), `proposed`,
    `waits` (for us), `ends` (in `days`). `text` goes into a sealed post and nowhere else; `word` names a comment or answer."""

    proposal: str
    what: str
    by: str = ""
    text: str = ""
    word: str = ""
    days: int = 0


@dataclass(frozen=True, kw_only=True)
class RoomFound(Event):
    """A room, or a device, is not as it should be (`why`: what keeps it from being mended), was mended (no `why`), or is well again (`over`)."""

    purpose: str
    what: str
    about: str
    why: str
    over: bool = False


@dataclass(frozen=True, kw_only=True)
class RepairAsked(Event):
    """An administrator asked that rooms be mended now."""


@dataclass(frozen=True, kw_only=True)
class InvitationRefused(Event):
    """Somebody invited the hub and was turned down: the first of her server for this reason in a day."""

    user: str
    why: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class DeviceNotice(Event):
    """An enrolled person wrote from, or signed in on, a device we do not trust."""

    user: str
    device: str


@dataclass(frozen=True, kw_only=True)
class VerificationMoved(Event):
    """A verification by emoji reached its next state; the person and the administrators are told what to do now."""

    verification: str
