"""What peers say about protocols: a proposal, a word on one, a question. Each hub verifies everything by itself (ADR 0022).

Refused are: what its author did not sign, what names other bytes or other parties, and whatever comes from somebody who is no party. Words that
come before their proposal, and words of institutions that we are not paired with, are not kept: we ask again once they could be believed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hub.actions.common import note
from hub.actions.manifest_versions import keys_ever, keys_now
from hub.actions.peers import manifest_of
from hub.actions.ports import Unit
from hub.actions.protocol_spread import ask_again, spread, spread_proposal, tell_all
from hub.actions.protocol_state import REMIND_DAYS, TIMER, WARN_DAYS, Said, said_of, settle, waits_for_us, watch
from hub.actions.protocols import checked, keep, say_word
from hub.base.errors import PeerFault, Refused
from hub.cases.events import Alarm, ProtocolMoved
from hub.cases.protocol_life import OPEN, Stage
from hub.exchange import wire
from hub.exchange.records import Link, ProtocolProposal, ProtocolWord
from keys import protocolword as pw
from keys.errors import KeysError
from keys.primitives import VerifyKey, sha256
from policies import packs
from policies.protocol import Protocol

MOST_OPEN = 40
"""Open proposals of one proposer: more would bury the administrators."""
MOST_SAID = 120
"""Words of one institution on one proposal."""
MOST_ASKED = 20
"""Questions of one peer that are answered in a minute."""
LONGEST_AHEAD = 800
"""Days: dates of a peer stay near ours, whatever it writes."""
UNREAD = {"vocabulary": "[otro vocabulario]", "document": "[documento con errores]", "version": "[versión ya usada aquí]", "kind": "[clase]"}
"""Why this hub refuses by itself, in the words of its refusal."""


def hear_proposal(unit: Unit, link: Link, body: wire.ProposeProtocol) -> None:
    """A version is put before us. Raises PeerFault; then nothing is kept. What we cannot read is kept, and refused in our name with the reason."""
    try:
        claimed = pw.claimed_proposal(body.statement)
        _party(unit, link, claimed.parties)
        if unit.proposals.get(claimed.id) is not None:
            return
        proposal = pw.verify_proposal(body.statement, _keys(unit, claimed.proposer))
    except KeysError as error:
        raise PeerFault("protocol_unsigned", institution=link.peer, why=error.code) from None
    if sha256(body.document).hex() != proposal.document or len(body.document) > pw.MAX_DOCUMENT:
        raise PeerFault("protocol_other_document", institution=link.peer)
    mine = [row for row in unit.proposals.all(proposer=proposal.proposer) if row.stage in OPEN]
    lately = unit.proposals.count(proposer=proposal.proposer, at__ge=unit.now - timedelta(days=1))  # refused and lapsed ones too: each costs as much
    if max(len(mine), lately) >= MOST_OPEN or (proposal.closes - unit.now.date()).days > LONGEST_AHEAD:
        raise PeerFault("protocol_too_many", institution=link.peer)
    protocol, why = _readable(unit, proposal, body.document)
    row = keep(unit, proposal, protocol, body.statement, body.document)
    note(unit, row.id, proposal.proposer, "protocol.proposed", protocol=row.protocol, version=row.version)
    unit.announce(ProtocolMoved(proposal=row.id, what="proposed", by=proposal.proposer, text=proposal.why))
    row = settle(unit, row.id)
    if why and row.stage in OPEN:
        say_word(unit, "hub", row, pw.REFUSAL, text=UNREAD[why])
    elif row.stage == Stage.CONTESTED:
        unit.announce(Alarm(code="protocol_contested", params=(("institution", proposal.proposer), ("detail", f"{row.protocol}@{row.version}"))))
    ask_again(unit, link, row.id)


def _readable(unit: Unit, proposal: pw.Proposal, data: bytes) -> tuple[Protocol | None, str]:
    """The document as we read it, or why it can never count here."""
    try:
        protocol, _ = checked(unit, data)
    except Refused:
        protocol = None
    if proposal.vocabulary != packs.vocabulary_digest(unit.shipped.id):
        return protocol, "vocabulary"
    if protocol is None or (protocol.id, protocol.version) != (proposal.protocol, proposal.version):
        return None, "document"
    shipped = unit.shipped.protocols.get(proposal.protocol)
    if shipped is not None and proposal.version <= shipped.version:
        return protocol, "version"
    kinds = {name: _kind(unit, name) for name in proposal.parties}
    fitting = all(kind is None or kind in protocol.parties for kind in kinds.values())
    if not fitting or kinds[proposal.seat] not in (None, protocol.community_seat):
        return protocol, "kind"
    inside = protocol.effective <= proposal.starts < protocol.expires
    return protocol, "" if inside else "document"


def hear_word(unit: Unit, link: Link, body: wire.ProtocolSays) -> None:
    """A party's word, from it or passed on. Raises PeerFault when it is not its author's, or not for this proposal."""
    try:
        claimed = pw.claimed_word(body.word, body.statement)
    except KeysError as error:
        raise PeerFault("protocol_unsigned", institution=link.peer, why=error.code) from None
    row = unit.proposals.get(claimed.proposal)
    if row is None:
        ask_again(unit, link, claimed.proposal)
        return
    _party(unit, link, row.parties)
    if claimed.institution not in row.parties or (claimed.kind == pw.ANSWER and claimed.institution != row.proposer):
        raise PeerFault("protocol_not_party", institution=link.peer)
    if unit.protocol_words.get(claimed.id) is not None or not _known(unit, claimed.institution):
        return
    try:
        word = pw.verify_word(body.word, body.statement, _keys(unit, claimed.institution))
    except KeysError as error:
        if _under_an_old_key(unit, link, claimed, body.statement):
            return
        raise PeerFault("protocol_unsigned", institution=link.peer, why=error.code) from None
    if unit.protocol_words.count(proposal=row.id, institution=word.institution) >= MOST_SAID:
        raise PeerFault("protocol_too_many", institution=link.peer)
    before = said_of(unit, row.id)
    if not before.admits(word):
        note(unit, row.id, word.institution, "protocol.comment_late", protocol=row.protocol, version=row.version)
        return
    said = ProtocolWord(id=word.id, proposal=row.id, institution=word.institution, kind=word.kind, data=body.statement, at=unit.now)
    unit.protocol_words.add(said)
    note(unit, row.id, word.institution, f"protocol.{word.kind}", protocol=row.protocol, version=row.version)
    if row.proposer == unit.me.id:
        spread(unit, row, said, but=(link.peer,))
    unit.announce(ProtocolMoved(proposal=row.id, what=word.kind, by=word.institution, text=word.text, word=word.id))
    settle(unit, row.id)
    if word.kind == pw.SIGNATURE:
        _signature_came(unit, link, row, before, word)


def _signature_came(unit: Unit, link: Link, row: ProtocolProposal, before: Said, signature: pw.Word) -> None:
    """What it names and we lack is asked for; and if it closed the consultation while a comment of ours was on the road, we are told."""
    if not {comment.id for comment in before.comments}.issuperset(signature.heard):
        ask_again(unit, link, row.id)
    late = [comment for comment in said_of(unit, row.id).late if comment.institution == unit.me.id]
    if late and not before.closed:
        unit.announce(ProtocolMoved(proposal=row.id, what="late", by=row.seat))


def hear_question(unit: Unit, link: Link, body: wire.AskProtocol) -> None:
    """A party missed something: it is told what it may know, and only that; so often a minute, for a question costs nothing."""
    if unit.log.count(about=link.id, what="protocol.asked", at__ge=unit.now - timedelta(minutes=1)) < MOST_ASKED:
        note(unit, link.id, link.peer, "protocol.asked")
        tell_all(unit, link, body.proposal, body.known)


def day_turns(unit: Unit, proposal: str) -> None:
    """Midnight, or whenever the hub is up again: what the day changes, what it warns of, and what is still missing is asked for."""
    before = unit.proposals.get(proposal)
    if before is None:
        return
    row = settle(unit, proposal)
    if row.stage in OPEN:
        if row.proposer == unit.me.id:
            spread_proposal(unit, row)
        for link in unit.links.all():
            if link.peer in row.parties:
                ask_again(unit, link, row.id)
        left = (date.fromisoformat(row.closes) - unit.now.date()).days
        said = said_of(unit, row.id)
        if waits_for_us(unit, row, said) == "sign" and (left <= REMIND_DAYS or before.stage != row.stage or _just_over(unit, row)):
            unit.announce(ProtocolMoved(proposal=row.id, what="waits", days=left))
    if row.stage == Stage.ACTIVE or (row.stage == Stage.EXPIRED and row.warned > 0):
        _warn(unit, row)
    watch(unit, unit.proposals.get(proposal) or row)


def _just_over(unit: Unit, row: ProtocolProposal) -> bool:
    """The consultation ended yesterday: now is the day to sign."""
    return (unit.now.date() - date.fromisoformat(row.consulted)).days == 1


def _warn(unit: Unit, row: ProtocolProposal) -> None:
    left = max((date.fromisoformat(row.expires) - unit.now.date()).days, 0)
    step = min((days for days in WARN_DAYS if left <= days), default=None)
    if step is not None and step < row.warned:
        unit.proposals.put(replace(row, warned=step))
        unit.announce(ProtocolMoved(proposal=row.id, what="ends", days=left))


def _party(unit: Unit, link: Link, parties: tuple[str, ...]) -> None:
    if link.peer not in parties or unit.me.id not in parties:
        raise PeerFault("protocol_not_party", institution=link.peer)


def _known(unit: Unit, institution: str) -> bool:
    peer = unit.peers.get(institution)
    return institution == unit.me.id or (peer is not None and peer.state == "confirmed")


def _under_an_old_key(unit: Unit, link: Link, claimed: pw.Word, data: bytes) -> bool:
    """Passed on in good faith, or made by a thief: its author alone can tell, and is asked. What it said itself comes signed by its key of today."""
    author = unit.links.one(peer=claimed.institution)
    if author is None or author.id == link.id:
        return False
    try:
        pw.verify_word(claimed.kind, data, keys_ever(unit, claimed.institution))
    except KeysError:
        return False
    ask_again(unit, author, claimed.proposal)
    return True


def _kind(unit: Unit, institution: str) -> str | None:
    if institution == unit.me.id:
        return unit.me.kind
    return manifest_of(unit, institution).profile.kind if _known(unit, institution) else None


def _keys(unit: Unit, institution: str) -> tuple[VerifyKey, ...]:
    """Raises PeerFault `unknown_institution`: nobody compared a code with it, so nothing can be held against its keys."""
    if not _known(unit, institution):
        raise PeerFault("unknown_institution", institution=institution[:60])
    return keys_now(unit, institution)


__all__ = ["TIMER", "day_turns", "hear_proposal", "hear_question", "hear_word"]
