"""What is said about protocols, as it leaves: the bytes that its author signed, never changed on the way.

What is ours is signed again as it leaves, by the key that the peer accepts today: after a turn of keys nobody believes the key before any more,
and the same payload has the same name, whoever of our keys signed it.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.actions.manifest_versions import full_signer
from hub.actions.ports import Unit
from hub.exchange import wire
from hub.exchange.records import Outgoing
from keys import protocolword as pw
from keys.primitives import SigningKey


def _propose(unit: Unit, row: Outgoing) -> wire.Body:
    paper = unit.papers.get(str(row.ref["proposal"]))
    assert paper is not None, "a proposal is never deleted"
    proposal, signer = pw.claimed_proposal(paper.statement), _signer(unit, row)
    statement = pw.sign_proposal(proposal, signer) if signer and proposal.proposer == unit.me.id else paper.statement
    return wire.ProposeProtocol(statement=statement, document=paper.document)


def _word(unit: Unit, row: Outgoing) -> wire.Body:
    word = unit.protocol_words.get(str(row.ref["word"]))
    assert word is not None, "a word is never deleted"
    signer = _signer(unit, row) if word.institution == unit.me.id else None
    return wire.ProtocolSays(word=word.kind, statement=pw.sign_word(pw.claimed_word(word.kind, word.data), signer) if signer else word.data)


def _signer(unit: Unit, row: Outgoing) -> SigningKey | None:
    link = unit.links.get(row.link)
    return full_signer(unit, link) if link else None


def _ask(unit: Unit, row: Outgoing) -> wire.Body:
    """What we know is named as far as it fits; the rest comes twice, which is harmless."""
    proposal = str(row.ref["proposal"])
    known = [p.id for p in unit.proposals.all(order="-at") if proposal in ("", p.id)]
    known += [word.id for p in list(known) for word in unit.protocol_words.all(proposal=p)]
    return wire.AskProtocol(proposal=proposal, known=tuple(known[: wire.MAX_ITEMS]))


PROTOCOL_WRITERS: dict[str, Callable[[Unit, Outgoing], wire.Body]] = {
    wire.ProposeProtocol.kind: _propose,
    wire.ProtocolSays.kind: _word,
    wire.AskProtocol.kind: _ask,
}
