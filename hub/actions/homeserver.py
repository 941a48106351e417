"""What our homeserver must be told: with whom it may speak, and whose signatures its gate believes (ADR 0025)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.actions.network import held_lists
from hub.actions.peers import PEOPLE
from hub.actions.ports import Unit
from keys.codec import b64
from keys.manifest import Manifest
from keys.network import NetworkList
from keys.primitives import sha256


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """For one homeserver: `kept` are linked institutions on no list, which people have not stopped."""

    servers: tuple[str, ...]
    hubs: tuple[str, ...]
    kept: tuple[str, ...]
    lists: tuple[NetworkList, ...]

    def digests(self) -> dict[str, Any]:
        """What the gate at the homeserver should show (`tinkuy_gate.PATH`): no name in it."""
        users = {*self.hubs, *(row.matrix_user for each in self.lists for row in each.roll.members if row.matrix_user)}
        return {
            "servers": sha256(b"TINKUY-v1 allowed servers", *(name.encode() for name in self.servers)).hex(),
            "hubs": sha256(b"TINKUY-v1 hub accounts", *(user.encode() for user in sorted(users))).hex(),
            "lists": [{"table": each.table, "version": each.version, "digest": each.digest.hex()} for each in self.lists],
        }


def wanted(unit: Unit) -> Wanted:
    """Members of the lists that count, our own server, and every linked institution that people have not stopped.

    That last: a list takes nobody's withdrawals and check-ins away, by its change or by its end. Who is linked stays reachable until people
    stop the link.
    """
    lists = tuple(each for each in held_lists(unit) if not each.expired(unit.now))
    listed = {row.matrix_user for each in lists for row in each.roll.members if row.matrix_user}
    own = unit.hand.manifest.profile.matrix_user
    linked = {
        Manifest.from_bytes(peer.manifest).profile.matrix_user: peer.id
        for peer in unit.peers.all(state="confirmed")
        if (link := unit.links.one(peer=peer.id)) and link.frozen != PEOPLE
    }
    kept = {user: name for user, name in linked.items() if user not in listed}
    return Wanted(
        servers=tuple(sorted({user.partition(":")[2] for user in {own, *listed, *linked}})),
        hubs=tuple(sorted({own, *linked})), kept=tuple(sorted(kept.values())), lists=lists,
    )  # fmt: skip


def pin(found: NetworkList, file: str) -> dict[str, Any]:
    """What homeserver.yaml says about one list."""
    roll = found.roll
    stewards = [
        {"institution": each.institution, "roots": [b64(key.raw) for key in each.roots], "threshold": each.threshold, "community": each.community}
        for each in roll.stewards
    ]
    return {
        "file": file, "table": roll.table, "version": roll.version, "threshold": roll.threshold, "community_signs": roll.community_signs,
        "stewards": stewards,
    }  # fmt: skip
