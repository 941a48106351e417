"""How words about a protocol travel: each party tells every other that it has a link with, and the proposer passes on what it hears.

Two roads for each word, so that no party, the proposer neither, can keep one from another unseen; and whoever missed something asks. What is
said twice is the same word by the same name.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.actions.common import intend_on
from hub.actions.ports import Unit
from hub.cases.protocol_life import OPEN
from hub.exchange import wire
from hub.exchange.records import Link, ProtocolProposal, ProtocolWord

_LEAVING = ("ready", "dispatched")
MOST_WAITING = 400
"""Words that wait on one link: a peer that asks without end is not answered without end."""


def spread_proposal(unit: Unit, row: ProtocolProposal, but: Iterable[str] = ()) -> None:
    """Put it before the parties that we reach."""
    for link in _links(unit, row, but):
        send_proposal(unit, link, row.id)


def spread(unit: Unit, row: ProtocolProposal, word: ProtocolWord, but: Iterable[str] = ()) -> None:
    """Tell a word to the parties that we reach."""
    for link in _links(unit, row, {word.institution, *but}):
        send_word(unit, link, word.id)


def send_proposal(unit: Unit, link: Link, proposal: str) -> None:
    """The proposal as its proposer signed it, with its document."""
    _intend(unit, link, wire.ProposeProtocol.kind, proposal=proposal)


def send_word(unit: Unit, link: Link, word: str) -> None:
    """One word as its author signed it."""
    _intend(unit, link, wire.ProtocolSays.kind, word=word)


def ask_again(unit: Unit, link: Link, proposal: str = "") -> None:
    """Ask a party what it knows of a proposal, or of all; once, while the question is on its way."""
    waiting = unit.outbox.all(link=link.id, kind=wire.AskProtocol.kind, state__in=_LEAVING)
    if not any(row.ref.get("proposal") == proposal for row in waiting):
        _intend(unit, link, wire.AskProtocol.kind, proposal=proposal)


def tell_all(unit: Unit, link: Link, proposal: str = "", known: Iterable[str] = ()) -> None:
    """Everything that we know of one proposal, or of all that we share with this peer, but for what it has."""
    rows = [row for row in unit.proposals.all(order="at") if link.peer in row.parties and proposal in ("", row.id)]
    has = frozenset(known)
    for row in rows:
        if row.id not in has:
            send_proposal(unit, link, row.id)
        for word in unit.protocol_words.all(proposal=row.id, order="at"):
            if word.id not in has:
                send_word(unit, link, word.id)


def peer_confirmed(unit: Unit, institution: str) -> None:
    """From now on its words can be believed: ask everybody for what was not kept."""
    for row in unit.proposals.all(stage__in=tuple(OPEN)):
        if institution in row.parties:
            for link in unit.links.all():
                if link.peer in row.parties:
                    ask_again(unit, link, row.id)


def _links(unit: Unit, row: ProtocolProposal, but: Iterable[str]) -> list[Link]:
    names = set(row.parties) - {unit.me.id, *but}
    return [link for link in unit.links.all(order="id") if link.peer in names]


def _intend(unit: Unit, link: Link, kind: str, **ref: str) -> None:
    waiting = unit.outbox.all(link=link.id, kind=kind, state="ready")
    if len(waiting) < MOST_WAITING and not any(row.ref == ref for row in waiting):
        intend_on(unit, link, kind, **ref)
