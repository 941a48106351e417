"""Three hubs that agree on a changed protocol: the emergency centre proposes, the shelter and the community organisation sign."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

from hub.actions import protocols
from hub.actions.ports import Unit
from hub.actions.protocol_state import find_proposal, said_of
from hub.actions.protocols import Terms
from hub.actions.protocols_now import forget
from hub.testing import Twin
from policies import packs
from tests.actions.road import Net

CEM, HOGAR, RED = "cem-lima", "hogar-luz", "red-apoyo"
HUBS = ((CEM, "emergency_centre"), (HOGAR, "shelter"), (RED, "community_organisation"))
PARTIES = (CEM, HOGAR, RED)
SHELTER = packs.protocol_text("pe", "shelter")


@cache
def _built() -> Net:
    return Net(*HUBS)


def fresh() -> Net:
    """The network at its beginning, administrators enrolled."""
    net = _built().again()
    forget()
    for twin in net.twins.values():
        twin.enrol("ada", role="administrator")
    return net


def text_of(version: int, change: str = "occupation: release", protocol: str = SHELTER) -> bytes:
    """The shelter's protocol under another number, with one rule changed."""
    name = change.split(":")[0].strip()
    lines = [f"  {change}" if line.startswith(f"  {name}:") else line for line in protocol.splitlines()]
    return "\n".join(lines).replace("version: 1", f"version: {version}").encode() + b"\n"


def terms(net: Net, *, parties: tuple[str, ...] = PARTIES, seat: str = RED, starts: int = 0, consulted: int = 0) -> Terms:
    """Dates are days from now."""
    today = net.clock.now().date()
    return Terms(
        parties=parties, seat=seat, starts=today + timedelta(days=starts), consulted=today + timedelta(days=min(consulted, starts)),
        why="La red pide que el refugio sepa su oficio.",
    )  # fmt: skip


def propose(net: Net, data: bytes | None = None, by: str = CEM, **more: Any) -> str:
    """Put before the parties, and heard by all. Returns its name."""
    row = net[by].run(protocols.propose, "admin", data or text_of(2), terms(net, **more))
    net.settle(3)
    return row.id


def sign(net: Net, name: str, *who: str) -> None:
    """These institutions sign, one after the other, and everybody hears of it."""
    for each in who:
        net[each].run(protocols.sign, "admin", name)
        net.settle(3)


def agree(net: Net, data: bytes | None = None, **more: Any) -> str:
    """The whole road: proposed, signed by the seat first, then by the others."""
    name = propose(net, data, **more)
    sign(net, name, RED, CEM, HOGAR)
    return name


def stage(twin: Twin, name: str) -> str:
    """Where it stands at this hub."""
    return str(twin.run(lambda unit: find_proposal(unit, name).stage))


def stages(net: Net, name: str) -> set[str]:
    """Everywhere."""
    return {stage(twin, name) for twin in net.twins.values()}


def signed_at(twin: Twin, name: str) -> frozenset[str]:
    """Whose signatures count at this hub."""
    return twin.run(lambda unit: said_of(unit, name).signed)


def version_here(unit: Unit, peer: str, protocol: str = "shelter") -> int:
    """Which version counts between this hub and a peer; 0: none."""
    found = unit.pack.between(peer).protocols.get(protocol)
    return found.version if found and found.in_force(unit.now.date()) else 0


def days(net: Net, count: int) -> None:
    """Midnights pass, and what is due rings."""
    for _ in range(count):
        net.clock.advance(timedelta(days=1))
        for twin in net.twins.values():
            twin.ring()
        net.settle(2)


__all__ = ["CEM", "HOGAR", "HUBS", "PARTIES", "RED", "agree", "date", "days", "fresh", "propose", "sign", "stage", "stages", "terms", "text_of"]
