"""A conflict of interest that comes to light later stops what is under way and calls back what is held (R61–R62)."""

from __future__ import annotations

from hub.actions import open_case, work
from hub.cases.lifecycle import State
from tests.actions.road import fresh, held, owners, there, working

HUBS = (("cem-lima", "emergency_centre"), ("csmc-comas", "mental_health_centre"))


def _found_out(net: object, case: object) -> None:
    net.cem.run(lambda unit: open_case.set_field(unit, net.cem.person("ana"), case.id, "aggressor_affiliation", "health"))


def test_what_the_excluded_sector_holds_is_called_back_and_the_lead_is_rung() -> None:
    net = fresh(*HUBS)
    case, referral = working(net)
    assert held(net.csmc, referral)
    _found_out(net, case)
    net.settle()
    assert there(net.cem, referral).state is State.CANCELLED
    assert held(net.csmc, referral) == {}
    assert net.moved(net.cem, "conflict")[-1].ring
    disclosures = net.cem.run(lambda unit: unit.disclosures.all(referral=referral.id))
    assert {d.state for d in disclosures} == {"destroyed"}


def test_words_that_wait_for_the_excluded_sector_never_leave() -> None:
    net = fresh(*HUBS)
    case, referral = working(net)
    net.cem.run(lambda unit: work.say(unit, net.cem.person("ana"), referral.id, "MARCADOR-ESCONDIDA"))
    _found_out(net, case)
    net.settle()
    assert not [s for s in net.csmc.said if "MARCADOR-ESCONDIDA" in s.body]
    rows = net.cem.run(lambda unit: unit.outbox.all(kind="say"))
    assert [row.state for row in rows] == ["cancelled"]
    assert not any("words" in row.ref for row in rows), "what she wrote died with the intent"
    assert not [name for name in owners(net.cem) if name.startswith("say_")], "and so did its key"
