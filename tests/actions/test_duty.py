"""What a peer is told of our duty: roles, and who is rung next when nobody is there (R60)."""

from __future__ import annotations

from functools import partial

from hub.actions import staff
from tests.actions.road import consented, fresh, opened

HUBS = (("cem-lima", "emergency_centre"), ("csmc-comas", "mental_health_centre"))


def test_when_nobody_is_on_duty_the_preview_says_who_is_rung_next() -> None:
    net = fresh(*HUBS)
    there = net.csmc
    there.enrol("sofia", role="supervisor")
    for name in [p.id for p in there.run(lambda unit: unit.staff.all(removed_at=None))]:
        there.run(partial(staff.set_duty, user=name, on=False))
    net.settle()
    duty = net.cem.run(lambda unit: unit.peers.get("csmc-comas").profile["duty"])
    assert duty == {"on": False, "roles": [], "next": "supervisor"}
    case = opened(net.cem)
    consented(net.cem, case)
    shown = net.cem.type("ana", f"!tk derivar {case.code} a csmc-comas por salud mental")
    assert "Nadie de guardia" in shown
    assert "supervisión" in shown
