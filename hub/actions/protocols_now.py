"""The protocols that count today: what parties signed, laid over the shipped pack (ADR 0022).

A version is read once in a process: its bytes never change, for its name is their digest. Before it counts here every signature is verified
once more, so that neither a defect of ours nor a row that found its way in can make an unsigned version count. A unit pays for one question.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from hub.actions.manifest_versions import keys_ever
from hub.base import logs
from keys import protocolword as pw
from keys.errors import KeysError
from keys.primitives import VerifyKey, sha256
from policies import document, engine
from policies.errors import PolicyError
from policies.in_force import SignedVersion
from policies.packs import Pack

if TYPE_CHECKING:
    from hub.actions.ports import Unit
    from hub.exchange.records import ProtocolProposal

_log = logs.get("protocols")
_KEPT = 64
_packs: OrderedDict[tuple[object, ...], tuple[Pack, Pack]] = OrderedDict()
_versions: dict[tuple[object, ...], SignedVersion | None] = {}


def forget() -> None:
    """Read everything anew: for tests, where one process is several hubs and several pasts."""
    _packs.clear()
    _versions.clear()


def pack_now(unit: Unit) -> Pack:
    """The pack as it counts at this unit's moment."""
    rows = unit.proposals.all(signed_at__not=None, order="version")
    if not rows and not unit.rules.only_signed:
        return unit.shipped
    today = unit.now.date()
    key = (unit.me.id, id(unit.shipped), today, unit.rules.only_signed, *((row.id, row.signed_at) for row in rows))
    known = _packs.get(key)
    if known is None or known[0] is not unit.shipped:  # the shipped one is kept with it, so that its address is nobody else's
        signed = [found for row in rows if (found := _version(unit, row)) is not None]
        known = unit.shipped, unit.shipped.with_signed(signed, today, only_signed=unit.rules.only_signed)
        _packs[key] = known
        while len(_packs) > _KEPT:
            _packs.popitem(last=False)
    return known[1]


def _version(unit: Unit, row: ProtocolProposal) -> SignedVersion | None:
    key = (unit.me.id, unit.shipped.id, row.id, row.signed_at)
    if key not in _versions:
        _versions[key] = _read(unit, row)
    return _versions[key]


def _read(unit: Unit, row: ProtocolProposal) -> SignedVersion | None:
    """The version, if its document is what was signed and every party signed it; else None: it counts for nothing, and the log says so."""
    paper = unit.papers.get(row.id)
    try:
        if paper is None:
            raise PolicyError("no document")
        proposal = pw.verify_proposal(paper.statement, signing_keys(unit, row.proposer))
        signers = {word.institution for word in verified_words(unit, row.id, pw.SIGNATURE)}
        if proposal.id != row.id or sha256(paper.document).hex() != proposal.document or not set(proposal.parties) <= signers:
            raise PolicyError("not signed by all")
        protocol = document.parse(paper.document.decode("utf-8"), unit.shipped.vocabulary)
        if (protocol.id, protocol.version) != (proposal.protocol, proposal.version):
            raise PolicyError("another version")
    except (KeysError, PolicyError, UnicodeDecodeError) as error:
        _log.error("protocols.not_counted", error=error)
        return None
    return SignedVersion(compiled=engine.compile(protocol), parties=frozenset(proposal.parties), starts=proposal.starts)


def verified_words(unit: Unit, proposal: str, kind: str) -> list[pw.Word]:
    """The words of a kind on a proposal, each held against its author's keys again."""
    found = []
    for row in unit.protocol_words.all(proposal=proposal, kind=kind):
        word = pw.verify_word(row.kind, row.data, signing_keys(unit, row.institution))
        if (word.institution, word.proposal) == (row.institution, proposal):
            found.append(word)
    return found


def signing_keys(unit: Unit, institution: str) -> tuple[VerifyKey, ...]:
    """Every key that ever spoke for it: what was held against the keys of its day when it came, and kept, stays signed when keys turn.

    Only for what is kept here. What is new is held against `keys_now`, or a stolen key would sign protocols for ever.
    """
    ours = unit.hand.manifest.profile.hub_signing if institution == unit.me.id else ()
    return tuple(dict.fromkeys((*ours, *keys_ever(unit, institution))))

