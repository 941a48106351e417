"""What hubs say to each other: one frozen type a kind, strict both ways (`design.md` §5).

Unknown keys of a body are tolerated and dropped, so an older hub can live with a newer one; a missing key, a wrong type or an overlong
text is refused. Case fields inside `Disclose` are another matter: undeclared ones are dropped *and reported by name* (`actions/receive`).
"""

from __future__ import annotations

import base64
import dataclasses
import typing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from hub.base.errors import PeerFault
from keys import strictjson

MAX_TEXT = 8000
MAX_SAID = 2000
"""Characters of one message between caseworkers: held to by both sides."""
MAX_ITEMS = 200
MAX_BODY = 28 * 1024
MAX_JOINED = 32 * MAX_BODY
"""A body that travelled in chunks: as many as the window holds."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """Base of every body. `sealed` kinds travel inside a box for the other side's referral key; `chore` kinds carry no person."""

    kind: ClassVar[str]
    sealed: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True)
class Profile(Body):
    """What an institution offers and who is on duty, by role only (R60)."""

    kind: ClassVar[str] = "profile"
    name: str
    territory: str
    needs: tuple[str, ...]
    languages: tuple[str, ...]
    duty: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Offer(Body):
    """A referral without any person in it, and the sender's fresh key for everything that follows."""

    kind: ClassVar[str] = "offer"
    referral: str
    code: str
    need: str
    purpose: str
    protocol: str
    version: int
    urgency: str
    territory: str
    languages: tuple[str, ...]
    accessibility: tuple[str, ...]
    opened_at: datetime
    respond_by: datetime
    key: bytes


@dataclass(frozen=True, kw_only=True)
class Cancel(Body):
    """The sender takes back an offer that was not accepted."""

    kind: ClassVar[str] = "cancel"
    referral: str


@dataclass(frozen=True, kw_only=True)
class NotTaken(Body):
    """The recipient's hub kept nothing of an offer, and its people never saw it: why, by a code of `hub.actions.not_taken.WHY`."""

    kind: ClassVar[str] = "not-taken"
    referral: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Accept(Body):
    """Somebody there takes it; the recipient's fresh referral key."""

    kind: ClassVar[str] = "accept"
    sealed: ClassVar[bool] = True
    referral: str
    by: str
    automatic: bool
    key: bytes


@dataclass(frozen=True, kw_only=True)
class Decline(Body):
    """A coded reason, never free text (R32)."""

    kind: ClassVar[str] = "decline"
    sealed: ClassVar[bool] = True
    referral: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AskField(Body):
    """One named extra field, for the purpose of the referral, and what for in words (R14, R48)."""

    kind: ClassVar[str] = "ask"
    sealed: ClassVar[bool] = True
    referral: str
    ask: str
    field: str
    purpose: str
    why: str


@dataclass(frozen=True, kw_only=True)
class AnswerAsk(Body):
    """Granted (a disclosure follows) or not, and why not: a code of `hub.cases.answers`, which never tells what is noted of her."""

    kind: ClassVar[str] = "ask.answer"
    sealed: ClassVar[bool] = True
    referral: str
    ask: str
    granted: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Disclose(Body):
    """The fields that protocol and consent allow at the moment of dispatch: name → {outcome, value}.

    `grant` is the owner's signed word when the sender is not the owner, `glass` the emergency that opened them; empty for most.
    """

    kind: ClassVar[str] = "disclose"
    sealed: ClassVar[bool] = True
    referral: str
    disclosure: str
    protocol: str
    version: int
    until: datetime
    fields: dict[str, Any]
    grant: bytes
    glass: str


@dataclass(frozen=True, kw_only=True)
class AskOnward(Body):
    """May we pass these fields, which you own, to a third institution, for this need of hers (R71)?"""

    kind: ClassVar[str] = "onward.ask"
    sealed: ClassVar[bool] = True
    referral: str
    onward: str
    institution: str
    need: str
    fields: tuple[str, ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class AnswerOnward(Body):
    """The owner's word: a signed grant (`keys.grant`), or why not."""

    kind: ClassVar[str] = "onward.answer"
    sealed: ClassVar[bool] = True
    referral: str
    onward: str
    granted: bool
    reason: str
    grant: bytes


@dataclass(frozen=True, kw_only=True)
class PassedOn(Body):
    """What went to the third institution under a grant, and until when: the owner knows who has what."""

    kind: ClassVar[str] = "onward.passed"
    sealed: ClassVar[bool] = True
    referral: str
    onward: str
    child: str
    disclosures: tuple[str, ...]
    fields: dict[str, Any]
    until: datetime


@dataclass(frozen=True, kw_only=True)
class EndOnward(Body):
    """The owner takes a grant back: nothing more goes, and what went is to be destroyed there."""

    kind: ClassVar[str] = "onward.end"
    referral: str
    onward: str


@dataclass(frozen=True, kw_only=True)
class OnwardEnded(Body):
    """The third institution's own signed receipt, handed on to the owner; empty when nothing ever went there."""

    kind: ClassVar[str] = "onward.ended"
    referral: str
    onward: str
    receipt: bytes


@dataclass(frozen=True, kw_only=True)
class BreakGlass(Body):
    """An emergency asks for one withheld field (R76): who, in which role, for which coded reason, and who confirmed it (empty: reviewed later)."""

    kind: ClassVar[str] = "glass"
    sealed: ClassVar[bool] = True
    referral: str
    glass: str
    field: str
    reason: str
    role: str
    by: str
    confirmed: str
    why: str


@dataclass(frozen=True, kw_only=True)
class AnswerGlass(Body):
    """The owner's hub says no, by itself; a yes is the disclosure."""

    kind: ClassVar[str] = "glass.answer"
    sealed: ClassVar[bool] = True
    referral: str
    glass: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class GlassReviewed(Body):
    """What supervision there found, looking at it afterwards."""

    kind: ClassVar[str] = "glass.reviewed"
    sealed: ClassVar[bool] = True
    referral: str
    glass: str
    verdict: str


@dataclass(frozen=True, kw_only=True)
class AskedAgain(Body):
    """She was asked again for what she had told once, and for which coded reason (R23)."""

    kind: ClassVar[str] = "told.again"
    sealed: ClassVar[bool] = True
    referral: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Say(Body):
    """A caseworker's words to the caseworkers of the other side."""

    kind: ClassVar[str] = "say"
    sealed: ClassVar[bool] = True
    referral: str
    text: str
    by: str


@dataclass(frozen=True, kw_only=True)
class Progress(Body):
    """The recipient starts or pauses."""

    kind: ClassVar[str] = "progress"
    sealed: ClassVar[bool] = True
    referral: str
    move: str


@dataclass(frozen=True, kw_only=True)
class Finish(Body):
    """The outcome, back to the sender (R50). `disclosures` is what stays held: one that crossed with this on the road does not."""

    kind: ClassVar[str] = "finish"
    sealed: ClassVar[bool] = True
    referral: str
    outcome: str
    disclosures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class GiveBack(Body):
    """`devolver`: the recipient cannot go on; its keys are destroyed, the lead never moved."""

    kind: ClassVar[str] = "give-back"
    sealed: ClassVar[bool] = True
    referral: str
    reason: str
    disclosures: tuple[str, ...]
    receipt: bytes


@dataclass(frozen=True, kw_only=True)
class Withdraw(Body):
    """She takes it back: these disclosures must become unreadable. `whole` ends the referral, else a smaller disclosure follows."""

    kind: ClassVar[str] = "withdraw"
    referral: str
    disclosures: tuple[str, ...]
    whole: bool


@dataclass(frozen=True, kw_only=True)
class Erased(Body):
    """The holder's signed receipt: destroyed, or retained on a legal basis until a date."""

    kind: ClassVar[str] = "erased"
    referral: str
    disclosures: tuple[str, ...]
    receipt: bytes


@dataclass(frozen=True, kw_only=True)
class Report(Body):
    """Names of fields that the receiver may not hold and dropped before storage. Names only. `why`: nothing was kept, for the version that
    decided it does not bind the receiver (`hub.actions.agreed`)."""

    kind: ClassVar[str] = "report"
    referral: str
    disclosure: str
    dropped: tuple[str, ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class RoomInvite(Body):
    """The owner of a coordination room asks an institution in, or says what of it changed. `referrals`: what the two of them share in it.

    `shown` names what the card shows everybody there, and how; no value, and nothing of what the others have of her.
    """

    kind: ClassVar[str] = "room.invite"
    room: str
    code: str
    sort: str
    label: str
    matrix: str
    purposes: tuple[str, ...]
    protocols: tuple[str, ...]
    referrals: tuple[str, ...]
    institutions: dict[str, Any]
    """Institution → the Matrix account of its hub: who is to be expected there, and believed for nothing else."""
    shown: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RoomRoster(Body):
    """Who of `institution` takes part, in its own signed statement (`keys.roster`); the owner hands on those of the others."""

    kind: ClassVar[str] = "room.roster"
    room: str
    institution: str
    statement: bytes


@dataclass(frozen=True, kw_only=True)
class RoomOut(Body):
    """This institution is not in the room any more: another one, or the addressee itself. Never why."""

    kind: ClassVar[str] = "room.out"
    room: str
    institution: str


@dataclass(frozen=True, kw_only=True)
class RoomClosed(Body):
    """The room is over for everybody."""

    kind: ClassVar[str] = "room.closed"
    room: str


@dataclass(frozen=True, kw_only=True)
class Ack(Body):
    """Everything up to `upto` of `epoch` has taken effect; `digest` is that of the last one. Unsequenced, never acknowledged."""

    kind: ClassVar[str] = "ack"
    epoch: int
    upto: int
    digest: bytes


@dataclass(frozen=True, kw_only=True)
class Resend(Body):
    """A gap: please send `first`…`last` of your `epoch` again. Unsequenced."""

    kind: ClassVar[str] = "resend"
    epoch: int
    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class SkipSeq(Body):
    """This number is empty: the message no longer exists at the sender."""

    kind: ClassVar[str] = "skip"
    reason: str


@dataclass(frozen=True, kw_only=True)
class Restored(Body):
    """The sender came back from a copy made at `made`: its `epoch` ended there, it has heard `upto` of `heard`, and knows these referrals.

    `part` of `parts`, in the line's order: it takes effect with the last one.
    """

    kind: ClassVar[str] = "restored"
    restore: str
    made: datetime
    epoch: int
    heard: int
    upto: int
    part: int
    parts: int
    known: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Standing(Body):
    """The answer: `upto` of that `epoch` took effect here, and this is where our referrals stand. Ids, codes and states, no person.

    `part` of `parts`, in the line's order: the question is answered with the last one.
    """

    kind: ClassVar[str] = "standing"
    restore: str
    epoch: int
    upto: int
    part: int
    parts: int
    referrals: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Hek(Body):
    """Our key of the day and our word on which manifest is current, both signed; which manifest of the peer's we hold. `want`: answer, please.

    Unsequenced, and readable under the long key: it is what ends an absence.
    """

    kind: ClassVar[str] = "hek"
    statement: bytes
    fresh: bytes
    holds: int
    want: bool


@dataclass(frozen=True, kw_only=True)
class NewManifest(Body):
    """The version after the one that the peer holds: a public file, believed for its roots' signatures alone. Unsequenced."""

    kind: ClassVar[str] = "manifest"
    data: bytes


@dataclass(frozen=True, kw_only=True)
class NewList(Body):
    """A version of a network list: a public file, in base64 pieces, believed for its stewards' signatures alone."""

    kind: ClassVar[str] = "network"
    table: str
    version: int
    parts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WantList(Body):
    """We hold `holds` of that table (0: nothing that people confirmed), and hear of one further on: send what comes between."""

    kind: ClassVar[str] = "network.want"
    table: str
    holds: int


@dataclass(frozen=True, kw_only=True)
class ProposeProtocol(Body):
    """A version of a sharing protocol before its parties: the proposer's signed statement, and the document that it names by its digest."""

    kind: ClassVar[str] = "protocol.propose"
    statement: bytes
    document: bytes


@dataclass(frozen=True, kw_only=True)
class ProtocolSays(Body):
    """One party's signed word on a proposal (`word` is its kind): its own, or passed on. Whoever hears it verifies it by itself."""

    kind: ClassVar[str] = "protocol.word"
    word: str
    statement: bytes


@dataclass(frozen=True, kw_only=True)
class AskProtocol(Body):
    """Say me again what you know of this proposal, or of all that we share when it is empty, but for these words."""

    kind: ClassVar[str] = "protocol.ask"
    proposal: str
    known: tuple[str, ...]


KINDS: dict[str, type[Body]] = {
    t.kind: t
    for t in (
        Profile, Offer, Cancel, NotTaken, Accept, Decline, AskField, AnswerAsk, Disclose, Say, Progress, Finish, GiveBack, Withdraw,
        NewList, WantList, RoomInvite, RoomRoster, RoomOut, RoomClosed, ProposeProtocol, ProtocolSays, AskProtocol,
        Erased, Report, AskOnward, AnswerOnward, PassedOn, EndOnward, OnwardEnded, BreakGlass, AnswerGlass, GlassReviewed, AskedAgain,
        Ack, Resend, SkipSeq, Hek, NewManifest, Restored, Standing,
    )
}  # fmt: skip
UNSEQUENCED = frozenset({Ack.kind, Resend.kind, Hek.kind, NewManifest.kind})


def encode(body: Body) -> bytes:
    """The JSON bytes of a body."""
    data = {f.name: _out(getattr(body, f.name)) for f in dataclasses.fields(body)}
    return strictjson.dumps(data)


def decode(kind: str, data: bytes, max_bytes: int = MAX_BODY) -> Body:
    """Strictly read a body of `kind`. Raises PeerFault `unknown_kind`, `bad_body`."""
    body = KINDS.get(kind)
    if body is None:
        raise PeerFault("unknown_kind", kind=kind[:20])
    try:
        table = strictjson.loads(data, max_bytes=max_bytes, max_depth=6)
        hints = typing.get_type_hints(body)
        values = {f.name: _in(hints[f.name], table[f.name]) for f in dataclasses.fields(body)}
    except Exception as error:
        raise PeerFault("bad_body", kind=kind, why=type(error).__name__) from None
    return body(**values)


def box(referral: str, sealed: bytes) -> bytes:
    """A sealed body behind the id of the referral whose key opens it."""
    name = referral.encode("ascii")
    return bytes([len(name)]) + name + sealed


def unbox(data: bytes) -> tuple[str, bytes]:
    """The inverse of `box`. Raises PeerFault `bad_body`."""
    size = data[0] if data else 0
    try:
        return data[1 : 1 + size].decode("ascii"), data[1 + size :]
    except UnicodeDecodeError:
        raise PeerFault("bad_body", kind="box", why="UnicodeDecodeError") from None


def pack(signed: list[bytes]) -> bytes:
    """Several signed records in one envelope."""
    return b"".join(len(one).to_bytes(4, "big") + one for one in signed)


def unpack(data: bytes) -> list[bytes]:
    """The inverse of `pack`. Raises PeerFault `bad_bundle`."""
    parts = []
    while data:
        size = int.from_bytes(data[:4], "big")
        if len(data) < 4 + size or not size:
            raise PeerFault("bad_bundle")
        parts.append(data[4 : 4 + size])
        data = data[4 + size :]
    return parts


def _out(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    return list(value) if isinstance(value, tuple) else value


def _in(hint: Any, value: Any) -> Any:
    plain = typing.get_origin(hint) or hint
    if plain is bytes:
        return base64.b64decode(_text(value, MAX_BODY), validate=True)
    if plain is datetime:
        moment = datetime.fromisoformat(_text(value))
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment.astimezone(UTC)
    if plain is tuple:
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            raise TypeError("list")
        return tuple(_text(item) for item in value)
    if plain is str:
        return _text(value)
    if type(value) is not plain:
        raise TypeError(str(plain))
    return value


def _text(value: Any, most: int = MAX_TEXT) -> str:
    if not isinstance(value, str) or len(value) > most:
        raise TypeError("text")
    return value


