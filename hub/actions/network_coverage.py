"""The seats that this hub knows: those of the signed lists, the linked institutions that stand on none, and our own."""

from __future__ import annotations

from hub.actions.network import held_lists
from hub.actions.ports import Unit
from keys.manifest import Manifest
from policies.coverage import Seat, Territory, coverage


def network_coverage(unit: Unit) -> tuple[Territory, ...]:
    """What is covered where, as far as lists and manifests say. Of an institution on a list, the list's territory counts: it was signed together."""
    linked = {peer.id for peer in unit.peers.all(state="confirmed") if unit.links.one(peer=peer.id)} | {unit.me.id}
    seats = {unit.me.id: Seat(institution=unit.me.id, kind=unit.me.kind, territory=unit.me.territory, linked=True)}
    for peer in unit.peers.all(order="id"):
        if peer.id in linked:
            kind = Manifest.from_bytes(peer.manifest).profile.kind
            seats[peer.id] = Seat(institution=peer.id, kind=kind, territory=str(peer.profile.get("territory") or ""), linked=True)
    for found in held_lists(unit):
        for row in found.roll.members:
            seats[row.institution] = Seat(
                institution=row.institution, kind=row.kind, territory=row.territory, linked=row.institution in linked
            )  # fmt: skip
    return coverage(seats.values(), unit.pack)
