"""What a proposed version changes against the one that counts now, exactly and in plain lines, for whoever signs (R55, idea 10)."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.exchange.records import ProtocolProposal
from policies import document
from policies.diff import diff
from policies.protocol import Protocol
from policies.readable import Reader
from policies.summary import lines
from policies.vocabulary import Vocabulary, Words


def changes(unit: Unit, row: ProtocolProposal) -> list[Words]:
    """The lines; one that says so when nothing changes, or when nothing counted before."""
    paper = unit.papers.get(row.id)
    fresh = document.read(paper.document.decode("utf-8", "replace"), unit.pack.vocabulary)[0] if paper else None
    if fresh is None:
        return []
    return compare(unit.pack.protocols.get(row.protocol), fresh, unit.pack.vocabulary)


def compare(old: Protocol | None, new: Protocol, words: Vocabulary) -> list[Words]:
    """Newly visible first, then what is hidden, then times and names."""
    if old is None:
        return [Words(es="Hasta hoy no rige aquí ningún protocolo con ese nombre.", en="No protocol of this name counts here until now.")]
    found = diff(old, new)
    both = zip(lines(found, Reader(words, "es")), lines(found, Reader(words, "en")), strict=True)
    return [Words(es=es, en=en) for es, en in both]
