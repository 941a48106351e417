"""The Matrix devices we and our peers speak from: what the manifest says, or a later statement under the hub signing key (`keys.md` §5).

A statement of ours exists from the first time our living devices are not the manifest's one; it travels to every confirmed peer until
the peer says in a signed envelope that it holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from hub.actions.claims import compared_device, devices_of, is_denied, pinned_devices
from hub.actions.common import SYSTEM, note
from hub.actions.ports import Rows, Unit
from hub.base.errors import PeerFault, Refused
from hub.cases.events import Alarm
from hub.exchange.pacing import DEVICES_EXTENSION
from hub.exchange.records import HubDevice, Link, OwnStatement, Peer
from keys.devices import DeviceStatement, StatedDevice, accept_devices, kept_devices, manifest_device, next_number, sign_devices
from keys.errors import KeysError
from keys.manifest import Manifest

_DEVICES = "devices"


# ---- ours


def hold_device(unit: Unit, server: str, device: StatedDevice, *, alone: bool = True) -> None:
    """From now on this server of ours speaks from this device; the one it had before is out. `alone`: there is no other server."""
    for row in unit.hub_devices.all() if alone else ():
        unit.hub_devices.delete(row.id)
    keep_device(unit.hub_devices, unit.now, server, device)
    state_devices(unit)


def keep_device(rows: Rows[HubDevice], now: datetime, server: str, device: StatedDevice) -> None:
    """Note the device of one server in place of its last one; who leads states it to the peers."""
    new = HubDevice(id=server, device_id=device.device_id, ed25519=device.ed25519, curve25519=device.curve25519, at=now)
    for row in rows.all():
        if row.id == server or row.device_id == device.device_id:
            if replace(row, at=now) == new:
                return
            rows.delete(row.id)
    rows.add(new)


def drop_device(unit: Unit, server: str) -> None:
    """This server of ours is gone for good: its device is out at once. Raises Refused `unknown_server`."""
    if unit.hub_devices.get(server) is None or unit.hub_devices.count() == 1:
        raise Refused("unknown_server")
    unit.hub_devices.delete(server)
    state_devices(unit)


def own_devices(unit: Unit) -> tuple[StatedDevice, ...]:
    """Our living devices, the longest living first; the manifest's before any was noted."""
    rows = unit.hub_devices.all(order="at")
    found = tuple(StatedDevice(device_id=row.device_id, ed25519=row.ed25519, curve25519=row.curve25519) for row in rows)
    return found or (manifest_device(unit.hand.manifest),)


def state_devices(unit: Unit) -> None:
    """Make a new statement when what peers know of our devices is not true any more, or is not signed by a key they accept."""
    if unit.hand.signer.public not in unit.hand.manifest.profile.hub_signing:
        return  # nobody would believe it: a turn of the keys comes first (`hub/actions/own_manifest.py`)
    row, devices = unit.own_statements.get(_DEVICES), own_devices(unit)
    stated = kept_devices(row.data, unit.hand.manifest) if row else None
    known = stated.devices if stated else (manifest_device(unit.hand.manifest),)
    if set(known) == set(devices) and (stated is not None or row is None):
        return
    number = next_number(unit.now, row.number if row else 0)
    user = unit.hand.manifest.profile.matrix_user
    new = DeviceStatement(institution=unit.me.id, number=number, issued=unit.now, user=user, devices=devices)
    if row:
        unit.own_statements.delete(_DEVICES)
    unit.own_statements.add(OwnStatement(id=_DEVICES, number=number, data=sign_devices(new, unit.hand.signer), at=unit.now))
    note(unit, unit.me.id, SYSTEM, "own.devices", number=number, devices=[one.device_id for one in devices])


def untold(unit: Unit) -> tuple[int, bytes, tuple[str, ...]]:
    """The number and bytes of our statement, and the Matrix users of the confirmed peers that have not said that they hold it."""
    row = unit.own_statements.get(_DEVICES)
    if row is None:
        return 0, b"", ()
    peers = unit.peers.all(state="confirmed", told__not=row.number, order="id")
    return row.number, row.data, tuple(Manifest.from_bytes(peer.manifest).profile.matrix_user for peer in peers)


def heard_devices(unit: Unit, link: Link, value: bytes | None) -> None:
    """A peer says in a signed header which statement of ours it holds; any other number than the present one proves nothing."""
    row = unit.own_statements.get(_DEVICES) if value is not None and len(value) == 8 else None
    peer = unit.peers.get(link.peer)
    if row and peer and peer.told != row.number and int.from_bytes(value or b"", "big") == row.number:
        unit.peers.put(replace(peer, told=row.number))


# ---- theirs


def held_devices(unit: Unit, link: Link) -> tuple[tuple[str, bytes], ...]:
    """The header that tells this peer which statement of its devices we hold."""
    peer = unit.peers.get(link.peer)
    stated = kept_devices(peer.devices, Manifest.from_bytes(peer.manifest)) if peer and peer.devices else None
    return ((DEVICES_EXTENSION, stated.number.to_bytes(8, "big")),) if stated else ()


Served = Mapping[str, frozenset[StatedDevice]]
"""By Matrix user, the devices that a homeserver serves for it now, each signed by itself. A user whose server did not answer is not in it."""


def take_devices(unit: Unit, user: str, data: bytes, served: Served | None = None, shown: Mapping[str, str] | None = None) -> bool:
    """Keep the statement that came from the Matrix user of a confirmed peer; whether it changed anything. `shown`: by curve key, whose account
    showed it first.

    Raises PeerFault with the code of the check that refused it; then nothing changed. One that is in the way of another peer's statement
    is refused until `served` says who has the device: the fault then names the `other` institutions, the `users` to ask for, the `keys`.
    """
    peer = next((p for p in unit.peers.all(state="confirmed") if Manifest.from_bytes(p.manifest).profile.matrix_user == user), None)
    if peer is None:
        return False
    try:
        stated = accept_devices(peer.devices, data, Manifest.from_bytes(peer.manifest), unit.now)
    except KeysError as error:
        raise PeerFault(error.code, institution=peer.id) from None
    if data == peer.devices:  # before anything is compared or told: the same may come fifty times
        _answer(unit, peer)
        return False
    _check_unclaimed(unit, peer, stated)
    _check_first(unit, peer, stated, shown or {})
    _settle_claims(unit, peer, stated, served)
    _answer(unit, peer)
    unit.peers.put(replace(peer, devices=data))
    names = [one.device_id for one in stated.devices]
    note(unit, peer.id, SYSTEM, "peer.devices", number=stated.number, devices=names)
    unit.announce(Alarm(code="devices_stated", params=(("institution", peer.id), ("detail", ", ".join(names)))))
    return True


def _check_unclaimed(unit: Unit, peer: Peer, stated: DeviceStatement) -> None:
    """A device id or key of ours (N8), or a key of what another peer was paired by, is never taken again (X25); nor what people decided is another's.

    Two accounts may have devices of one id: only our own device does nio know by its id alone. Raises PeerFault `device_taken`, `device_denied`.
    """
    if any(is_denied(peer, one) for one in stated.devices):
        raise PeerFault("device_denied", institution=peer.id)
    compared = (compared_device(unit, other) for other in unit.peers.all(state="confirmed", id__not=peer.id))
    if _names(stated.devices) & _names(own_devices(unit)) or _keys(stated.devices) & _keys(one for one in compared if one):
        raise PeerFault("device_taken", institution=peer.id)


def _check_first(unit: Unit, peer: Peer, stated: DeviceStatement, shown: Mapping[str, str]) -> None:
    """A key that is new of this peer and that another peer's account showed before: to say it first is not to have it first.

    Against what was stated long ago it counts nothing: after a start of ours the accounts are seen in any order. Raises PeerFault `device_taken`.
    """
    had = _keys(devices_of(peer))
    users = {Manifest.from_bytes(other.manifest).profile.matrix_user: other for other in unit.peers.all(state="confirmed", id__not=peer.id)}
    first = {one.curve25519: users[shown[one.curve25519]] for one in stated.devices if shown.get(one.curve25519) in users}
    copied = {key: other.id for key, other in first.items() if key not in had and key not in other.denied}
    if copied:
        others = " ".join(sorted(set(copied.values())))
        raise PeerFault("device_taken", institution=peer.id, other=others, keys=" ".join(sorted(copied)))


def _settle_claims(unit: Unit, peer: Peer, stated: DeviceStatement, served: Served | None) -> None:
    """Who states first what another peer has is not believed for being first: a claim counts when its device is served under its own user.

    Two accounts may have devices of one name, which are told apart by account and keys. A key belongs to one: Olm sessions are found by it.
    Raises PeerFault `device_taken`.
    """
    user = stated.user
    rivals = [other for other in unit.peers.all(state="confirmed", id__not=peer.id) if _keys(_claimed(unit, other)) & _keys(stated.devices)]
    if not rivals:
        return
    users = [Manifest.from_bytes(other.manifest).profile.matrix_user for other in rivals]
    claimed = [one for other in rivals for one in _claimed(unit, other)]
    contested, names = _keys(claimed), " ".join(other.id for other in rivals)
    keys = " ".join(sorted(_keys(claimed) & _keys(stated.devices)))
    fault = PeerFault("device_taken", institution=peer.id, other=names, users=" ".join((user, *users)), keys=keys)
    if served is None or not {one for one in stated.devices if _keys([one]) & contested} <= served.get(user, frozenset()):
        raise fault
    for other, whose in zip(rivals, users, strict=True):
        shared = [one for one in _claimed(unit, other) if _keys([one]) & _keys(stated.devices)]
        if shared and (whose not in served or served[whose] & set(shared)):  # it has it, or nobody can say
            raise fault
        if shared:
            unit.peers.put(replace(other, devices=b""))
            note(unit, other.id, SYSTEM, "peer.devices_set_aside", devices=[one.device_id for one in shared])
    unit.announce(Alarm(code="devices_contested", params=(("institution", peer.id), ("detail", _and(names)))))


def _and(names: str) -> str:
    return ", ".join(names.split())


def _claimed(unit: Unit, peer: Peer) -> tuple[StatedDevice, ...]:
    """The devices that stand on its word alone: in its statement, or in a manifest later than the one people compared."""
    compared = compared_device(unit, peer)
    return tuple(one for one in pinned_devices(unit, peer) if one != compared)


def _names(devices: Iterable[StatedDevice]) -> set[str]:
    return {name for one in devices for name in (one.device_id, one.ed25519, one.curve25519)}


def _keys(devices: Iterable[StatedDevice]) -> set[str]:
    return {key for one in devices for key in (one.ed25519, one.curve25519)}


def _answer(unit: Unit, peer: Peer) -> None:
    """An acknowledgement is due: its header says which statement we hold, and the sender stops repeating it."""
    link = unit.links.one(peer=peer.id)
    if link and link.ack_due_at is None:
        unit.links.put(replace(link, ack_due_at=unit.now))
