"""A version of a protocol as files for `tinkuy protocol verify`; what they are and what they prove stands in `keys.protocolproof`."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.exchange.records import ProtocolProposal
from keys import protocolword as pw
from keys.protocolproof import DOCUMENT, MANIFESTS, PROPOSAL, WORDS


def bundle(unit: Unit, row: ProtocolProposal) -> dict[str, bytes]:
    """The files of one version, by name."""
    paper = unit.papers.get(row.id)
    assert paper is not None, "a proposal is never deleted"
    files = {DOCUMENT: paper.document, PROPOSAL: paper.statement}
    said = [(pw.claimed_word(word.kind, word.data), word) for word in unit.protocol_words.all(proposal=row.id)]
    for number, (_, word) in enumerate(sorted(said, key=lambda pair: (pair[0].at, pair[0].id)), start=1):
        files[f"{WORDS}{number:02}-{word.kind}.json"] = word.data
    for name in row.parties:
        versions = [(m.version, m.data) for m in unit.manifests.all(institution=name, order="version")]
        if name == unit.me.id:
            versions = versions or [(unit.hand.manifest.version, unit.hand.manifest.raw)]
        files |= {f"{MANIFESTS}{name}.{version}.json": data for version, data in versions}
    return files
