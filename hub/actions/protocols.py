"""What administrators do with a version of a sharing protocol: propose it, comment, answer, sign, refuse (ADR 0022, R105–R106)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from hub.actions.common import note
from hub.actions.peers import manifest_of
from hub.actions.ports import Unit
from hub.actions.protocol_guard import HOLD, may_leave
from hub.actions.protocol_spread import spread, spread_proposal
from hub.actions.protocol_state import consulted, find_proposal, said_of, settle
from hub.base.errors import Refused
from hub.cases.events import ProtocolMoved
from hub.cases.protocol_life import OPEN, Stage
from hub.exchange.records import ProtocolPaper, ProtocolProposal, ProtocolWord, VoiceCode
from keys import protocolword as pw
from keys.errors import Malformed
from keys.primitives import sha256
from policies import document, packs
from policies.findings import Finding
from policies.protocol import Protocol
from policies.validator import check

OPEN_FOR = timedelta(days=30)
"""How long after its date a version may still be signed."""
MOST_CODES = 200
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is proposed beside the document: who must sign, who of them has the community seat, from when, consulted until when, and why."""

    parties: tuple[str, ...]
    seat: str
    starts: date
    consulted: date
    why: str


def checked(unit: Unit, data: bytes) -> tuple[Protocol | None, tuple[Finding, ...]]:
    """The document, unless it has an error, and everything that is to be said about it."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("protocol.not_text") from None
    protocol, _ = document.read(text, unit.pack.vocabulary)
    return protocol, check(text, unit.pack.vocabulary)


def propose(unit: Unit, by: str, data: bytes, terms: Terms, *, guard: str = HOLD) -> ProtocolProposal:
    """Put a version before its parties. Nothing of it counts yet.

    Raises Refused `protocol.has_errors`, `protocol.too_large`, `protocol.not_newer`, `protocol.party_unknown`, `protocol.party_kind`,
    `protocol.no_seat`, `protocol.dates`, `protocol.no_reason`, `protocol.held`.
    """
    if len(data) > pw.MAX_DOCUMENT:
        raise Refused("protocol.too_large", limit=pw.MAX_DOCUMENT)
    protocol, findings = checked(unit, data)
    if protocol is None:
        first = next(f for f in findings if f.is_error)
        raise Refused("protocol.has_errors", count=sum(f.is_error for f in findings), line=first.line, what=first.message_es)
    parties = tuple(sorted({*terms.parties, unit.me.id}))
    _parties(unit, protocol, parties, terms.seat)
    _dates(unit, protocol, terms)
    known = newest_known(unit, protocol.id, parties)
    if protocol.version <= known:
        raise Refused("protocol.not_newer", protocol=protocol.id, version=protocol.version, known=known)
    why = may_leave(unit, terms.why.strip(), guard)
    try:
        proposal = pw.Proposal(
            proposer=unit.me.id, protocol=protocol.id, version=protocol.version, document=sha256(data).hex(),
            vocabulary=packs.vocabulary_digest(unit.shipped.id), parties=parties, seat=terms.seat, starts=terms.starts,
            consulted=terms.consulted, closes=terms.starts + OPEN_FOR, why=why, at=unit.now.replace(microsecond=0),
        )  # fmt: skip
    except Malformed:
        raise Refused("protocol.no_reason", limit=pw.MAX_TEXT) from None
    row = keep(unit, proposal, protocol, pw.sign_proposal(proposal, unit.hand.signer), data)
    note(unit, row.id, by, "protocol.proposed_here", protocol=row.protocol, version=row.version)
    spread_proposal(unit, row)
    unit.announce(ProtocolMoved(proposal=row.id, what="proposed", by=unit.me.id, text=proposal.why))
    return settle(unit, row.id)


def keep(unit: Unit, proposal: pw.Proposal, protocol: Protocol | None, statement: bytes, data: bytes) -> ProtocolProposal:
    """Its rows. `protocol` is None for a document that this hub cannot read: it never counts here, and people see why."""
    expires = protocol.expires.isoformat() if protocol else proposal.closes.isoformat()
    row = ProtocolProposal(
        id=proposal.id, protocol=proposal.protocol, version=proposal.version, proposer=proposal.proposer, seat=proposal.seat,
        parties=proposal.parties, starts=proposal.starts.isoformat(), consulted=proposal.consulted.isoformat(),
        closes=proposal.closes.isoformat(), expires=expires, stage=Stage.PROPOSED.value, at=unit.now,
    )  # fmt: skip
    unit.proposals.add(row)
    unit.papers.add(ProtocolPaper(id=row.id, statement=statement, document=data))
    return row


def newest_known(unit: Unit, protocol: str, parties: Iterable[str]) -> int:
    """The highest version of this id that anybody here knows of with one of these parties, refused ones too: a number is used once."""
    shipped = unit.shipped.protocols.get(protocol)
    rows = [row.version for row in unit.proposals.all(protocol=protocol) if set(row.parties) & set(parties)]
    return max([*rows, shipped.version if shipped else 0])


def sign(unit: Unit, by: str, name: str) -> ProtocolProposal:
    """This institution agrees, with every comment that it knows answered. It cannot be taken back but by a later version.

    Raises Refused `protocol.contested`, `protocol.not_open`, `protocol.signed_already`, `protocol.unanswered`, `protocol.consulting`,
    `restore_unanswered`.
    """
    row = may_sign(unit, find_proposal(unit, name))
    said = said_of(unit, row.id)
    heard = tuple(sorted(comment.id for comment in said.comments if comment not in said.late))[: pw.MAX_HEARD]
    return say_word(unit, by, row, pw.SIGNATURE, heard=heard)


def may_sign(unit: Unit, row: ProtocolProposal) -> ProtocolProposal:
    """Whether we may sign it now. Raises as `sign`."""
    row = _open(unit, row.id)
    said = said_of(unit, row.id)
    if unit.me.id in {word.institution for word in said.signatures}:
        raise Refused("protocol.signed_already", protocol=row.protocol, version=row.version)
    if any(link.awaited for link in unit.links.all()):  # what this copy has forgotten it may have signed under the same number
        raise Refused("restore_unanswered")
    if said.unanswered:
        raise Refused("protocol.unanswered", protocol=row.protocol, version=row.version, count=len(said.unanswered))
    if not consulted(unit, row, said):
        raise Refused("protocol.consulting", protocol=row.protocol, version=row.version, until=row.consulted, institution=row.seat)
    return row


def refuse(unit: Unit, by: str, name: str, reason: str, *, guard: str = HOLD) -> ProtocolProposal:
    """This institution does not agree: the version is over, for everybody.

    Raises Refused `protocol.signed_already`, `protocol.not_open`, `protocol.held`.
    """
    row = _open(unit, name, contested=True)
    if unit.me.id in {word.institution for word in said_of(unit, row.id).signatures}:
        raise Refused("protocol.signed_already", protocol=row.protocol, version=row.version)
    return say_word(unit, by, row, pw.REFUSAL, text=may_leave(unit, reason, guard))


def comment(unit: Unit, by: str, name: str, text: str, code: str = "", *, guard: str = HOLD) -> ProtocolProposal:
    """Part of the consultation, kept with the version for good. With a `code` it is the word of whoever holds it, and nobody notes who that is.

    Raises Refused `protocol.not_open`, `protocol.consulted`, `protocol.code_unknown`, `protocol.text`, `protocol.held`.
    """
    row, text = may_comment(unit, name), may_leave(unit, text, guard)
    voice = _voice(unit, row, code) if code else ""
    return say_word(unit, by if not voice else "voice", row, pw.COMMENT, text=text, voice=voice)


def answer(unit: Unit, by: str, name: str, number: int, text: str, *, guard: str = HOLD) -> ProtocolProposal:
    """The proposer's answer to the comment of this number. Raises as `may_answer`, and Refused `protocol.held`."""
    row, chosen = may_answer(unit, name, number)
    return say_word(unit, by, row, pw.ANSWER, text=may_leave(unit, text, guard), to=chosen.id)


def may_answer(unit: Unit, name: str, number: int) -> tuple[ProtocolProposal, pw.Word]:
    """The comment of this number. Raises Refused `protocol.not_proposer`, `protocol.no_comment`, `protocol.answered`."""
    row = _open(unit, name, contested=True)
    said = said_of(unit, row.id)
    if row.proposer != unit.me.id:
        raise Refused("protocol.not_proposer", institution=row.proposer)
    if not 1 <= number <= len(said.comments):
        raise Refused("protocol.no_comment", number=number, count=len(said.comments))
    chosen = said.comments[number - 1]
    if chosen.id in {answer.to for answer in said.answers}:
        raise Refused("protocol.answered", number=number)
    return row, chosen


def hand_out(unit: Unit, by: str, name: str, count: int) -> list[str]:
    """Contribution codes, each for one comment, that the community seat gives to people whose names it does not note (R107).

    Raises Refused `protocol.not_seat`, `protocol.codes_many`, `protocol.not_open`, `protocol.consulted`.
    """
    row = may_comment(unit, name)
    if row.seat != unit.me.id:
        raise Refused("protocol.not_seat", institution=row.seat)
    if not 1 <= count <= MOST_CODES - unit.voice_codes.count(proposal=row.id):
        raise Refused("protocol.codes_many", limit=MOST_CODES)
    made = ["".join(secrets.choice(_ALPHABET) for _ in range(12)) for _ in range(count)]
    for each in made:
        unit.voice_codes.add(VoiceCode(id=_alias(unit, each), proposal=row.id, made_at=unit.now))
    note(unit, row.id, by, "protocol.codes", count=count)
    return ["-".join((each[:4], each[4:8], each[8:])) for each in made]


def _voice(unit: Unit, row: ProtocolProposal, code: str) -> str:
    plain = code.upper().replace("-", "").replace(" ", "").replace("O", "0").replace("I", "1").replace("L", "1")
    found = unit.voice_codes.get(_alias(unit, plain))
    if found is None or found.proposal != row.id or found.used_at is not None:
        raise Refused("protocol.code_unknown")
    unit.voice_codes.delete(found.id)
    unit.voice_codes.add(VoiceCode(id=f"used-{secrets.token_hex(12)}", proposal=row.id, made_at=row.at, used_at=row.at))
    return "V-" + "".join(secrets.choice(_ALPHABET) for _ in range(6))


def _alias(unit: Unit, code: str) -> str:
    return unit.vault.alias(f"protocol-voice|{code}")


def say_word(
    unit: Unit, by: str, row: ProtocolProposal, kind: str, *, text: str = "", to: str = "", voice: str = "", heard: tuple[str, ...] = ()
) -> ProtocolProposal:
    """Sign a word of ours, keep it, and tell it to every party. Raises Refused `protocol.text`, `protocol.said_already`."""
    try:
        word = pw.Word(
            institution=unit.me.id, kind=kind, proposal=row.id, at=unit.now.replace(microsecond=0), text=text, to=to, voice=voice, heard=heard
        )
    except Malformed:
        raise Refused("protocol.text", limit=pw.MAX_TEXT) from None
    if unit.protocol_words.get(word.id) is not None:
        raise Refused("protocol.said_already")
    said = ProtocolWord(id=word.id, proposal=row.id, institution=unit.me.id, kind=kind, data=pw.sign_word(word, unit.hand.signer), at=unit.now)
    unit.protocol_words.add(said)
    note(unit, row.id, by, f"protocol.{kind}_here", protocol=row.protocol, version=row.version)
    spread(unit, row, said)
    unit.announce(ProtocolMoved(proposal=row.id, what=kind, by=unit.me.id, text=word.text, word=word.id))
    return settle(unit, row.id)


def _open(unit: Unit, name: str, *, contested: bool = False) -> ProtocolProposal:
    row = find_proposal(unit, name)
    if row.stage == Stage.CONTESTED and not contested:
        raise Refused("protocol.contested", protocol=row.protocol, version=row.version)
    if row.stage not in OPEN:
        raise Refused("protocol.not_open", protocol=row.protocol, version=row.version, stage=row.stage)
    return row


def may_comment(unit: Unit, name: str) -> ProtocolProposal:
    """The proposal, while the community seat has not signed: whoever signed must not find other words beside it afterwards."""
    row = _open(unit, name, contested=True)
    if said_of(unit, row.id).closed:
        raise Refused("protocol.consulted", protocol=row.protocol, version=row.version, institution=row.seat)
    return row


def _parties(unit: Unit, protocol: Protocol, parties: tuple[str, ...], seat: str) -> None:
    kinds = {}
    for name in parties:
        peer = unit.peers.get(name)
        if name != unit.me.id and (peer is None or peer.state != "confirmed"):
            raise Refused("protocol.party_unknown", institution=name[:60])
        kinds[name] = unit.me.kind if name == unit.me.id else manifest_of(unit, name).profile.kind
        if kinds[name] not in protocol.parties:
            raise Refused("protocol.party_kind", institution=name, kind=kinds[name])
    if len(parties) < 2:
        raise Refused("protocol.alone")
    if kinds.get(seat) != protocol.community_seat:
        raise Refused("protocol.no_seat", institution=seat[:60], kind=protocol.community_seat)


def _dates(unit: Unit, protocol: Protocol, terms: Terms) -> None:
    today = unit.now.date()
    if not max(today, protocol.effective) <= terms.starts < protocol.expires:
        raise Refused("protocol.dates", starts=terms.starts.isoformat(), first=max(today, protocol.effective).isoformat(),
                      last=protocol.expires.isoformat())  # fmt: skip
    if not today <= terms.consulted <= terms.starts:
        raise Refused("protocol.consultation", until=terms.consulted.isoformat(), starts=terms.starts.isoformat())
