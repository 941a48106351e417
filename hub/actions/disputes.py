"""Two peers that say to speak from one Matrix device (X25). Who said it first keeps it unless the homeservers show that it has it no more; whoever
comes second is refused and named. Where both show it no hub can tell the owner from the thief: a curve key is in every homeserver's hands, and can
be copied into another account. People can, by telephone; what they decide is taken here, and can be decided anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hub.actions.claims import devices_of
from hub.actions.common import SYSTEM, note
from hub.actions.ports import Unit
from hub.base.errors import PeerFault, Refused
from hub.cases.events import Alarm
from hub.exchange.records import Peer
from keys.devices import StatedDevice, manifest_device
from keys.manifest import Manifest

_DISPUTED = "peer.devices_disputed"


def note_dispute(unit: Unit, fault: PeerFault) -> None:
    """What a refused statement was about, once: the statement itself is not kept, and people need it to decide."""
    institution, others, keys = str(fault.params["institution"]), _list(fault, "other"), _list(fault, "keys")
    told = unit.log.all(about=institution, what=_DISPUTED)
    if keys and not any(line.detail.get("keys") == keys and line.detail.get("others") == others for line in told):
        note(unit, institution, SYSTEM, _DISPUTED, others=others, keys=keys)


def decide_owner(unit: Unit, by: str, owner: str, other: str) -> tuple[str, ...]:
    """The devices in dispute between these two are `owner`'s, and nothing that `other` says of them counts any more. Returns the keys.

    A refused statement of the owner's is taken when it comes next, within minutes. Raises Refused `unknown_institution`, `no_dispute`.
    """
    winner, loser = _peer(unit, owner), _peer(unit, other)
    keys = _noted(unit, owner, other) | _noted(unit, other, owner) | (_keys(_said(winner)) & _keys(_said(loser)))
    if not keys:
        raise Refused("no_dispute", institution=other)
    unit.peers.put(replace(loser, denied=loser.denied | dict.fromkeys(keys, owner)))
    unit.peers.put(replace(winner, denied={key: whose for key, whose in winner.denied.items() if key not in keys}))
    note(unit, owner, by, "peer.devices_decided", against=other, keys=sorted(keys))
    unit.announce(Alarm(code="devices_decided", params=(("institution", owner), ("detail", other))))
    return tuple(sorted(keys))


def _noted(unit: Unit, second: str, first: str) -> set[str]:
    lines = unit.log.all(about=second, what=_DISPUTED)
    return {key for line in lines if first in line.detail["others"] for key in line.detail["keys"]}


def _said(peer: Peer) -> tuple[StatedDevice, ...]:
    return (*devices_of(peer), manifest_device(Manifest.from_bytes(peer.manifest)))


def _keys(devices: Iterable[StatedDevice]) -> set[str]:
    return {key for one in devices for key in (one.ed25519, one.curve25519)}


def _peer(unit: Unit, institution: str) -> Peer:
    peer = unit.peers.get(institution)
    if peer is None:
        raise Refused("unknown_institution", institution=institution[:60])
    return peer


def _list(fault: PeerFault, name: str) -> list[str]:
    return str(fault.params.get(name, "")).split()
