"""What this hub knows of each proposal, and the stage that follows from it (`hub/cases/protocol_life.py`).

Nothing here depends on the order in which words came: the stage is read off the rows each time, and only announced when it moved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from hub.actions.common import SYSTEM, note
from hub.actions.coordination_card import LOOK
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.events import ProtocolMoved
from hub.cases.protocol_life import OPEN, WHOLE, Facts, Stage, one_name, stage_of
from hub.cases.records import Timer
from hub.exchange.records import ProtocolProposal
from keys import protocolword as pw
from policies.in_force import replaced_on
from policies.protocol import Protocol

TIMER = "protocol"
_NUMBER = re.compile(r"v?[0-9]{1,6}")
_DIGEST = re.compile(r"[0-9a-f]{8,64}")
WARN_DAYS = (30, 14, 7, 0)
"""How many days before a version ends administrators are told."""
REMIND_DAYS = 7
"""From how many days before its close a proposal that waits for us is said again, each day."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """The words on one proposal, sorted out. `seat`: the institution whose signature closes the consultation."""

    seat: str
    signatures: tuple[pw.Word, ...]
    refusals: tuple[pw.Word, ...]
    comments: tuple[pw.Word, ...]
    answers: tuple[pw.Word, ...]

    @property
    def unanswered(self) -> tuple[pw.Word, ...]:
        """Comments that wait for the proposer; what came after the consultation was closed stops nobody."""
        done = {answer.to for answer in self.answers} | {comment.id for comment in self.late}
        return tuple(comment for comment in self.comments if comment.id not in done)

    @property
    def closed(self) -> bool:
        """Whether the community seat has signed: from then on nothing is added to what it signed."""
        return any(word.institution == self.seat for word in self.signatures)

    @property
    def late(self) -> tuple[pw.Word, ...]:
        """Comments that the seat's signature does not name: the same ones at each hub, in whatever order the two came."""
        named = {each for word in self.signatures if word.institution == self.seat for each in word.heard}
        return tuple(comment for comment in self.comments if comment.id not in named) if self.closed else ()

    def admits(self, word: pw.Word) -> bool:
        """Whether a word that comes now is kept: a comment on what is closed is not, unless some party signed with it in mind."""
        return word.kind != pw.COMMENT or not self.closed or any(word.id in signature.heard for signature in self.signatures)

    @property
    def signed(self) -> frozenset[str]:
        """Who signed, as far as every comment that the signature names is here and answered."""
        settled = {c.id for c in self.comments} & {answer.to for answer in self.answers}
        return frozenset(word.institution for word in self.signatures if settled.issuperset(word.heard))


def said_of(unit: Unit, proposal: str) -> Said:
    """Every word on it, in the order in which it came here: a comment's number never moves. What is in the table was verified when it came."""
    words = [pw.claimed_word(row.kind, row.data) for row in unit.protocol_words.all(proposal=proposal)]
    row = unit.proposals.get(proposal)

    def of(kind: str) -> tuple[pw.Word, ...]:
        return tuple(word for word in words if word.kind == kind)

    return Said(seat=row.seat if row else "", signatures=of(pw.SIGNATURE), refusals=of(pw.REFUSAL), comments=of(pw.COMMENT), answers=of(pw.ANSWER))


def find_proposal(unit: Unit, name: str) -> ProtocolProposal:
    """By digest, by `shelter@2`, or by `shelter` when one is open. Raises Refused `protocol.unknown`, `protocol.several`, `protocol.two`.

    What is signed cannot be taken back: a number is that version and no other, whatever digest begins with it.
    """
    protocol, _, version = one_name(name).lower().partition("@")
    rows = [found] if (found := unit.proposals.get(name)) else unit.proposals.all(protocol=protocol, order="-version")
    if version:
        rows = [row for row in rows if _is_called(row, version)]
    living = [row for row in rows if row.stage in OPEN] or [row for row in rows if row.stage in WHOLE] or rows
    if not living:
        raise Refused("protocol.unknown", protocol=name[:60])
    if not version and len(several := {row.version for row in living if row.stage in OPEN}) > 1:
        raise Refused("protocol.several", names=", ".join(f"{protocol}@{number}" for number in sorted(several)))
    newest = [row for row in living if row.version == living[0].version]
    if len(newest) > 1:
        raise Refused("protocol.two", protocol=name[:60], names=", ".join(f"{row.protocol}@{row.id[:8]}" for row in newest))
    return newest[0]


def _is_called(row: ProtocolProposal, version: str) -> bool:
    """Whether a number, or the beginning of a digest as `protocol.two` shows it, means this one."""
    if _NUMBER.fullmatch(version):
        return row.version == int(version.removeprefix("v"))
    return _DIGEST.fullmatch(version) is not None and row.id.startswith(version)


def shipped_of(unit: Unit, name: str) -> Protocol | None:
    """The pack's own version by this name, where no proposal has it: `shelter`, `shelter@1`."""
    protocol, _, version = one_name(name).lower().partition("@")
    found = unit.shipped.protocols.get(protocol)
    proposed = unit.proposals.count(protocol=protocol, **({"version": int(version)} if version.isdecimal() else {}))
    fits = found is not None and version.removeprefix("v") in ("", str(found.version)) and not proposed
    return found if fits else None


def facts_of(unit: Unit, row: ProtocolProposal, said: Said) -> Facts:
    """What the stage is read off."""
    same = [other for other in unit.proposals.all(protocol=row.protocol) if other.id != row.id]
    living = [other for other in same if other.version == row.version and other.stage in OPEN]
    later = [other for other in same if other.version >= row.version and other.signed_at is not None and set(other.parties) & set(row.parties)]
    today, others = unit.now.date(), set(row.parties) - {unit.me.id}
    signed = unit.pack.signed if row.signed_at else ()
    ends = [replaced_on(signed, row.protocol, row.version, peer) for peer in others]
    return Facts(
        parties=frozenset(row.parties), signed=said.signed, refused=frozenset(word.institution for word in said.refusals),
        starts=date.fromisoformat(row.starts), closes=date.fromisoformat(row.closes), expires=date.fromisoformat(row.expires),
        rival=bool(living), overtaken=bool(later), replaced=all(day is not None and day <= today for day in ends),
    )  # fmt: skip


def settle(unit: Unit, proposal: str) -> ProtocolProposal:
    """Read the stage of a proposal, and of those it touches; tell what moved."""
    row = _settle_one(unit, proposal)
    for other in unit.proposals.all(protocol=row.protocol):
        if other.id != row.id:
            _settle_one(unit, other.id)
    return _settle_one(unit, proposal)


def _settle_one(unit: Unit, proposal: str) -> ProtocolProposal:
    row = unit.proposals.get(proposal)
    assert row is not None, "a proposal is never deleted"
    said = said_of(unit, row.id)
    if row.signed_at is None and frozenset(row.parties) <= said.signed:
        row = replace(row, signed_at=unit.now)
        unit.proposals.put(row)
        unit.protocols_changed()
    stage = stage_of(facts_of(unit, row, said), unit.now.date())
    if stage.value != row.stage:
        was, row = row.stage, replace(row, stage=stage.value)
        unit.proposals.put(row)
        note(unit, row.id, SYSTEM, f"protocol.{stage.value}", protocol=row.protocol, version=row.version, was=was)
        unit.announce(ProtocolMoved(proposal=row.id, what=stage.value))
        for timer in unit.timers.all(kind=LOOK, done_at=None):  # what coordination rooms show may follow another version from now on
            unit.timers.put(replace(timer, due_at=unit.now))
    watch(unit, row)
    return row


def watch(unit: Unit, row: ProtocolProposal) -> None:
    """One timer a proposal, at the next midnight (UTC, as `Protocol.in_force` counts days), while a day may still change something."""
    over = row.stage in (Stage.REFUSED, Stage.LAPSED, Stage.EXPIRED)
    if not over and not unit.timers.count(kind=TIMER, ref=row.id, done_at=None):
        midnight = datetime.combine(unit.now.date() + timedelta(days=1), time(), UTC)
        unit.timers.add(Timer(id=new_id("tmr"), kind=TIMER, ref=row.id, due_at=midnight))


def waits_for_us(unit: Unit, row: ProtocolProposal, said: Said) -> str:
    """What this institution has to do now: `answer`, `sign`, `comment` (or let the time pass), or nothing."""
    if row.stage != Stage.PROPOSED:
        return ""
    mine = unit.me.id
    if row.proposer == mine and said.unanswered:
        return "answer"
    if mine in {word.institution for word in said.signatures}:
        return ""
    return "comment" if said.unanswered or not consulted(unit, row, said) else "sign"


def consulted(unit: Unit, row: ProtocolProposal, said: Said) -> bool:
    """Whether we may sign: the consultation is over by its date, or the community seat, whose word it is for, has signed; the seat may at once."""
    seat_signed = row.seat in {word.institution for word in said.signatures}
    return unit.me.id == row.seat or seat_signed or unit.now.date() > date.fromisoformat(row.consulted)
