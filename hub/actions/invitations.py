"""Invitations that the hub turned down: who, from which server, and why, so that people can see who knocks (`tinkuy rooms invitations`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hub.actions.ports import Unit
from hub.cases.events import InvitationRefused
from hub.cases.records import Invitation
from keys.manifest import Manifest

MOST = 200
"""Rows that are kept, the newest: inviting costs a stranger nothing."""
QUIET = timedelta(days=1)
"""How long after one of a server was told its next ones are only counted: a hub that we do not know goes on until somebody decides."""
SHAPE = "shape"
NOT_A_PEER = "not_a_peer"


def note_invitation(unit: Unit, room: str, user: str, detail: str) -> None:
    """Keep it, and tell the administrators of the first from a server; the others are counted, and shown by the command."""
    why, rest = reason(unit, user, detail)
    server = server_of(user)
    rows = unit.invitations.all(order="last_at")
    old = unit.invitations.get(room)
    told = any(server_of(row.user) == server and row.why == why and unit.now - row.at < QUIET for row in rows)
    if old is not None:
        unit.invitations.put(replace(old, user=user, why=why, detail=rest, times=old.times + 1, last_at=unit.now))
    else:
        for row in rows[: max(0, len(rows) + 1 - MOST)]:
            unit.invitations.delete(row.id)
        unit.invitations.add(Invitation(id=room, user=user, why=why, detail=rest, times=1, at=unit.now, last_at=unit.now))
    if not told:
        unit.announce(InvitationRefused(user=user, why=why, detail=rest))


def reason(unit: Unit, user: str, detail: str) -> tuple[str, str]:
    """Why it was turned down, in a word, and what is beside it. Who the inviter is matters before what her room is like."""
    peers = {peer.id: Manifest.from_bytes(peer.manifest).profile.matrix_user for peer in unit.peers.all(order="id")}
    hub = next((name for name, account in peers.items() if account == user), None)
    if detail != NOT_A_PEER and hub:
        return (SHAPE, detail) if not detail.startswith("M_") else ("withdrawn", detail)
    person = unit.staff.get(user)
    if person is not None:
        return ("staff" if person.removed_at is None else "removed"), ""
    if hub:  # its manifest is known and it is no peer of ours now
        return "unconfirmed", hub
    if server_of(unit.hand.manifest.profile.matrix_user) == server_of(user):
        return "own_server", ""
    at = next((name for name, account in peers.items() if server_of(account) == server_of(user)), None)
    return ("peer_server", at) if at else ("unlisted", "")


def server_of(user: str) -> str:
    """The homeserver of an account."""
    return user.partition(":")[2]
