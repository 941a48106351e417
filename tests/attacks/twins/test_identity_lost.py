"""R12: a root or an account over there is stolen, or an institution lost all it had: people stop the link, and pair anew."""

from __future__ import annotations

import pytest

from hub.actions.peers import short_code_with, stop_link, thaw_link
from hub.base.errors import Refused
from tests.attacks.twins.bench import CEM, CSMC, Road, alarms, link


@pytest.fixture
def road() -> Road:
    made = Road()
    made.offer()
    return made


def test_r12_people_stop_a_link_and_nothing_goes_in_or_out_until_they_open_it(road: Road) -> None:
    road.csmc.enrol("jefa", role="administrator")
    road.csmc.run(stop_link, "jefa", CEM)
    road.csmc.post()
    assert "[link_frozen]" in alarms(road.csmc)
    before = len(road.csmc.refused)
    assert "detenido" in road.csmc.type("bea", f"!tk aceptar {road.referral}")
    road.withdraw()
    road.net.settle()
    assert set(road.csmc.refused[before:]) == {"no_link"}, "what came was not read"
    assert road.csmc.run(lambda unit: unit.referrals.get(road.referral_id())).ended_at is None
    with pytest.raises(Refused, match="link_frozen"):
        road.csmc.run(stop_link, "jefa", CEM)
    with pytest.raises(Refused, match="not_paired"):
        road.csmc.run(stop_link, "jefa", "nadie")
    road.csmc.run(thaw_link, "jefa", CEM, road.csmc.run(short_code_with, CEM))
    road.net.settle(40)
    assert road.csmc.run(lambda unit: unit.referrals.get(road.referral_id())).ended_at is not None, "what waited arrives"
    assert link(road.cem, CSMC).frozen is None
