"""Check-ins ring when they are due, again, and then somebody else; nothing is skipped and nothing doubled (R05, R07, R29, R51, R83)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.actions import open_case, plan_check_in
from hub.actions.ports import Unit
from hub.actions.ring import ring_due
from hub.base.errors import Refused
from hub.cases.records import Case, CheckIn
from tests.actions.road import Net, code_of, consented, fresh, offered, opened

LIMA = ZoneInfo("America/Lima")


def planned(net: Net, case: Case, **ahead: float) -> CheckIn:
    due = net.clock.now() + timedelta(**ahead)
    return net.cem.run(lambda unit: plan_check_in.plan_check_in(unit, net.cem.person("ana"), case.id, due))


def answered(net: Net, checkin: CheckIn, answer: str) -> CheckIn:
    return net.cem.run(lambda unit: plan_check_in.answer_check_in(unit, net.cem.person("ana"), checkin.id, answer))


def now_of(net: Net, checkin: CheckIn) -> CheckIn:
    found = net.cem.run(lambda unit: unit.checkins.get(checkin.id))
    assert found is not None
    return found


def case_of(net: Net, case: Case) -> Case:
    found = net.cem.run(lambda unit: unit.cases.get(case.id))
    assert found is not None
    return found


def levels(net: Net, checkin: CheckIn) -> list[int]:
    return [e.level for e in net.rung(net.cem) if e.checkin == checkin.id]


def usual(net: Net) -> Case:
    return opened(net.cem, {"social_name": "Marisol"}, days=30)


def test_it_rings_the_lead_then_again_then_the_supervisor_again_and_again(net: Net) -> None:
    checkin = planned(net, usual(net), hours=3)
    lead, boss = net.cem.person("ana"), net.cem.person("sara")
    net.wait(hours=2.9)
    assert levels(net, checkin) == []
    net.wait(hours=0.2)
    assert levels(net, checkin) == [0]
    assert net.mentioned(net.cem) == (lead,)
    net.wait(hours=1)
    assert levels(net, checkin) == [0, 1]
    net.wait(hours=1)
    assert levels(net, checkin) == [0, 1, 2]
    assert net.mentioned(net.cem) == (boss, lead)
    net.wait(hours=1)
    assert levels(net, checkin) == [0, 1, 2, 2], "until somebody answers"


@pytest.mark.parametrize(("answer", "ahead"), [
    ("postpone", timedelta(days=1)), ("not_reached", timedelta(hours=4)), ("risk_rose", timedelta(hours=4)),
])  # fmt: skip
def test_an_answer_that_leaves_a_doubt_plans_the_next_one(net: Net, answer: str, ahead: timedelta) -> None:
    case = usual(net)
    checkin = planned(net, case, hours=3)
    net.wait(hours=3)
    answered(net, checkin, answer)
    assert (now_of(net, checkin).state, now_of(net, checkin).answer) == ("answered", answer)
    assert case_of(net, case).next_contact_at == net.clock.now() + ahead
    net.clock.advance(ahead)
    net.cem.ring()
    assert len({e.checkin for e in net.rung(net.cem)}) == 2


def test_risk_that_rose_rings_the_supervisor_at_once(net: Net) -> None:
    checkin = planned(net, usual(net), hours=3)
    net.wait(hours=3)
    answered(net, checkin, "risk_rose")
    assert levels(net, checkin)[-1] == 3
    assert net.mentioned(net.cem) == (net.cem.person("sara"),)


def _check_ins(unit: Unit, case: str) -> list[CheckIn]:
    return unit.checkins.all(case=case)


def test_safe_without_another_date_plans_one_by_risk_r33(net: Net) -> None:
    for risk, days in (("critical", 1), ("high", 2), ("medium", 3), ("low", 7), (None, 3)):
        net.again()
        case = opened(net.cem, {"social_name": "Marisol"} | ({"risk_level": risk} if risk else {}), days=0.2)
        net.wait(days=0.21)
        (checkin,) = net.cem.run(partial(_check_ins, case=case.id))
        answered(net, checkin, "safe")
        assert timedelta(0) <= case_of(net, case).next_contact_at - net.clock.now() - timedelta(days=days) < timedelta(hours=13)


def test_safe_with_another_date_moves_on_to_that_one(net: Net) -> None:
    case = usual(net)
    first, second = planned(net, case, hours=3), planned(net, case, days=5)
    assert case_of(net, case).next_contact_at == first.due_at
    net.wait(hours=3)
    answered(net, first, "safe")
    assert case_of(net, case).next_contact_at == second.due_at
    assert net.cem.run(lambda unit: unit.checkins.count(case=case.id, state__in=("planned", "ringing"))) == 2, "and the one of opening"


def test_the_first_answer_counts_and_stops_the_ringing(net: Net) -> None:
    checkin = planned(net, usual(net), hours=3)
    net.wait(hours=3)
    answered(net, checkin, "safe")
    with pytest.raises(Refused) as refused:
        answered(net, checkin, "risk_rose")
    assert code_of(refused) == "already_answered"
    net.wait(hours=5)
    assert levels(net, checkin) == [0]


def test_an_answer_is_one_of_four(net: Net) -> None:
    checkin = planned(net, usual(net), hours=3)
    with pytest.raises(Refused) as refused:
        answered(net, checkin, "más o menos")
    assert code_of(refused) == "unknown_answer"


def test_it_can_be_answered_before_it_rings(net: Net) -> None:
    checkin = planned(net, usual(net), hours=3)
    answered(net, checkin, "safe")
    net.wait(hours=4)
    assert levels(net, checkin) == []


def test_twice_the_same_time_is_one(net: Net) -> None:
    case = usual(net)
    assert planned(net, case, hours=3).id == planned(net, case, hours=3).id


@pytest.mark.parametrize("hours", [0, -1])
def test_a_past_date_is_refused(net: Net, hours: float) -> None:
    with pytest.raises(Refused) as refused:
        planned(net, usual(net), hours=hours)
    assert code_of(refused) == "date_past"


@pytest.mark.parametrize(("down", "level"), [(timedelta(seconds=1), 0), (timedelta(hours=1), 0), (timedelta(days=3), 2)])
def test_r05_r07_after_downtime_it_rings_once_late_or_escalated(net: Net, down: timedelta, level: int) -> None:
    """Late within two hours: rung once as usual. Later: the supervisor hears of it at once."""
    checkin = planned(net, usual(net), hours=3)
    net.clock.advance(timedelta(hours=3) + down)
    for _ in range(3):
        net.cem.run(ring_due)
    assert levels(net, checkin) == [level]


def test_r07_a_clock_that_goes_back_neither_skips_nor_doubles(net: Net) -> None:
    checkin = planned(net, usual(net), hours=3)
    net.clock.advance(timedelta(hours=3))
    net.cem.ring()
    net.clock.advance(timedelta(hours=-2))
    net.cem.ring()
    assert levels(net, checkin) == [0]
    net.clock.advance(timedelta(hours=2, minutes=59))
    net.cem.ring()
    assert levels(net, checkin) == [0]
    net.clock.advance(timedelta(minutes=2))
    net.cem.ring()
    assert levels(net, checkin) == [0, 1]


@given(steps=st.lists(st.tuples(st.integers(-90, 600), st.integers(1, 3)), max_size=25))
@settings(max_examples=40, deadline=None)
def test_r07_however_the_clock_jumps_each_ring_is_one_step(steps: list[tuple[int, int]]) -> None:
    """Any jumps, any number of wake-ups: the levels never fall, never repeat 0 or 1, and never stop while nobody answers."""
    net = fresh()
    checkin = planned(net, usual(net), hours=1)
    for minutes, wakes in steps:
        net.clock.advance(timedelta(minutes=minutes))
        for _ in range(wakes):
            net.cem.run(ring_due)
    rang = levels(net, checkin)
    assert rang == sorted(rang)
    assert rang.count(0) <= 1
    assert rang.count(1) <= 1
    row = now_of(net, checkin)
    assert row.rings >= len(rang)
    assert net.cem.run(lambda unit: unit.timers.count(ref=checkin.id, done_at=None)) == 1


def test_one_that_fails_keeps_nobody_else_from_ringing(net: Net) -> None:
    from hub.actions.common import remind

    checkin = planned(net, usual(net), hours=3)
    net.cem.run(lambda unit: remind(unit, "retention", "dis_" + "0" * 24, unit.now))
    from unittest import mock

    from hub.actions import ring

    def broken(unit: object, ref: str) -> None:
        raise Refused("link_frozen", institution="x")

    with mock.patch.dict(ring._RUN, {"retention": broken}):
        net.wait(hours=3)
    assert levels(net, checkin) == [0]
    assert "timer_failed" in net.alarms(net.cem)


def test_a_referral_plans_a_check_in(net: Net) -> None:
    case = usual(net)
    consented(net.cem, case)
    before = net.cem.run(lambda unit: unit.checkins.count(case=case.id))
    offered(net, case)
    assert net.cem.run(lambda unit: unit.checkins.count(case=case.id)) == before + 1
    assert case_of(net, case).next_contact_at < net.clock.now() + timedelta(days=4)


# Her window (R29). The network's Monday begins at 09:00 in Lima.


def local(at: datetime) -> tuple[int, int]:
    there = at.astimezone(LIMA)
    return there.hour, there.minute


def test_a_prompt_waits_for_her_window(net: Net) -> None:
    case = opened(net.cem, {"social_name": "Marisol", "safe_contact": "de 9 a 13, puede contestar su hermana"}, days=30)
    checkin = planned(net, case, hours=32)  # Tuesday 17:00
    assert local(checkin.due_at) == (9, 0)
    assert checkin.due_at > net.clock.now() + timedelta(hours=32)
    assert case_of(net, case).next_contact_at == checkin.due_at


def test_what_a_person_asks_for_in_the_next_hours_is_kept_as_asked(net: Net) -> None:
    case = opened(net.cem, {"social_name": "Marisol", "safe_contact": "de 9 a 13"}, days=30)
    assert planned(net, case, hours=10).due_at == net.clock.now() + timedelta(hours=10)


def test_a_rule_that_comes_later_moves_what_is_planned(net: Net) -> None:
    case = usual(net)
    checkin = planned(net, case, hours=32)
    net.cem.run(lambda unit: open_case.set_field(unit, net.cem.person("ana"), case.id, "safe_contact", "solo por la mañana"))
    moved = now_of(net, checkin)
    assert local(moved.due_at) == (8, 0)
    net.wait(hours=33)
    assert levels(net, checkin) == []
    net.wait(hours=15)
    assert levels(net, checkin) == [0], "once, at its new time"


def test_what_nobody_chose_falls_into_the_institutions_hours(net: Net) -> None:
    """Not reached at 18:00: in four hours it would be 22:00, so it is the next morning; risk that rose does not wait."""
    for answer, wanted in (("not_reached", (8, 0)), ("risk_rose", (22, 0))):
        net.again()
        checkin = planned(net, usual(net), hours=8)
        net.clock.advance(timedelta(hours=9) - timedelta(seconds=net.clock.now().second % 60))
        net.cem.ring()
        answered(net, checkin, answer)
        following = net.cem.run(lambda unit: unit.checkins.all(state="planned", order="due_at"))[0]
        assert local(following.due_at)[0] == wanted[0]


def test_escalation_never_waits(net: Net) -> None:
    """Rung in her window's last minutes, unanswered: again and to the supervisor outside of it."""
    case = opened(net.cem, {"social_name": "Marisol", "safe_contact": "de 9 a 13"}, days=30)
    checkin = planned(net, case, hours=27.9)  # Tuesday, minutes before 13:00
    net.wait(hours=27.95)
    for _ in range(3):
        net.wait(hours=1.01)
    assert levels(net, checkin) == [0, 1, 2, 2]
