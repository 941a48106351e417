"""Under which version of a protocol something arrives, and whether that version binds us (ADR 0022).

What is in force here between us and the sender counts. A version that another one replaced lately still does, for what its sender decided under
it may have waited on the road (`GRACE`); of a disclosure we then hold only what both versions let us hold. Everything else keeps nothing:
a version that we do not know, or that is not signed by all here yet, is asked for; an old one is said to be over.
"""

from __future__ import annotations

from datetime import timedelta

from hub.actions.ports import Unit
from hub.base.errors import PeerFault
from policies.in_force import replaced_on
from policies.protocol import Protocol

GRACE = timedelta(days=14)
"""How long after it was replaced a version still covers what arrives: an outage of two weeks loses nothing, and nobody lives on an old one."""
AHEAD, OVER = "version_ahead", "version_over"


def agreed(unit: Unit, peer: str, protocol_id: str, version: int) -> Protocol:
    """The version that binds us with this peer. Raises PeerFault `no_protocol`, `version_ahead`, `version_over`."""
    today, between = unit.now.date(), unit.pack.between(peer)
    current = between.protocols.get(protocol_id)
    if current is not None and current.version == version:
        if not current.in_force(today):
            raise PeerFault("no_protocol", institution=peer)
        return current
    if current is not None and version < current.version:
        older = unit.pack.version(protocol_id, version)
        replaced = replaced_on(unit.pack.signed, protocol_id, version, peer)
        was_ours = older is not None and (_shipped(unit, older) or _signed_with(unit, older, peer))
        if was_ours and replaced is not None and today - replaced <= GRACE and older is not None and older.in_force(min(replaced, today)):
            return older
        raise PeerFault(OVER, institution=peer)
    if current is None and unit.pack.version(protocol_id, version) is None and not unit.proposals.count(protocol=protocol_id):
        raise PeerFault("no_protocol", institution=peer)
    raise PeerFault(AHEAD, institution=peer)


def _shipped(unit: Unit, protocol: Protocol) -> bool:
    return not unit.rules.only_signed and unit.shipped.protocols.get(protocol.id) is protocol


def _signed_with(unit: Unit, protocol: Protocol, peer: str) -> bool:
    return any(each.protocol is protocol and peer in each.parties for each in unit.pack.signed)


def respond_time(unit: Unit, protocol_id: str, version: int, urgency: str) -> timedelta:
    """The answer time of a version, also of one that is over; a day where nothing is known of it any more."""
    protocol = unit.pack.version(protocol_id, version)
    return protocol.respond_within[urgency] if protocol else timedelta(days=1)
