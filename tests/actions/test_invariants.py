"""Whatever people do, in whatever order: every open case has a lead and a next date, nobody holds what was taken back, the lists are true."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from hub.actions import answer, close_case, open_case, plan_check_in, refer, staff, undo, withdraw, work
from hub.actions.decide import is_excluded
from hub.actions.ports import Unit
from hub.actions.record_consent import living_consents
from hub.base.errors import Refused
from hub.cases.lifecycle import WORKING, Move, Side
from hub.cases.records import Case, Referral
from tests.actions.road import CANARY, CSMC, HOGAR, Net, consented, drafted, everything, fresh, held, opened, well

WHERE = st.sampled_from(((CSMC, "mental_health", "mental_health_care"), (HOGAR, "shelter", "shelter_protection")))
ACTS = ("accept", "accept", "decline", "start", "hold", "finish", "give-back", "ask", "say")
VALUES = st.sampled_from((("safe_contact", "de 9 a 13"), ("aggressor_affiliation", "health"), ("aggressor_affiliation", "shelter")))
NAMES = st.sampled_from(("ana", "berta", "sara"))


class People(RuleBasedStateMachine):
    """Three institutions and what their people may type, refusals included: a refusal changes nothing and is not an error."""

    cases = Bundle("cases")

    @initialize()
    def begin(self) -> None:
        self.net: Net = fresh()

    def try_(self, twin: str, act: Any) -> Any:
        try:
            return self.net[twin].run(act)
        except Refused:
            return None

    def ana(self, twin: str = "cem-lima") -> str:
        return self.net[twin].person("ana")

    @rule(target=cases, risk=st.sampled_from((None, "low", "high", "critical")), days=st.sampled_from((0.01, 1, 9)))
    def opens(self, risk: str | None, days: float) -> Case:
        return opened(self.net.cem, {"social_name": f"{CANARY} nombre", "phone": f"{CANARY} 9"} | ({"risk_level": risk} if risk else {}), days=days)

    @rule(case=cases, where=WHERE, days=st.sampled_from((1, 40)), fields=st.sampled_from((("phone",), ("social_name",), ("phone", "social_name"))))
    def consents(self, case: Case, where: tuple[str, str, str], days: int, fields: tuple[str, ...]) -> None:
        until = self.net.clock.now() + timedelta(days=days)
        with contextlib.suppress(Refused):
            consented(self.net.cem, case, recipients=(where[0],), purposes=(where[2],), fields=fields, until=until)

    @rule(case=cases, where=WHERE)
    def refers(self, case: Case, where: tuple[str, str, str]) -> None:
        try:
            draft = drafted(self.net.cem, case, where[0], where[1])
        except Refused:
            return
        self.try_("cem-lima", lambda unit: refer.refer(unit, self.ana(), "!cem-lima.desk", draft.referral.id))

    @rule(at=st.sampled_from((CSMC, HOGAR)), how=st.sampled_from(ACTS))
    def answers(self, at: str, how: str) -> None:
        found = self.net[at].run(lambda unit: unit.referrals.all(side=Side.RECIPIENT, ended_at=None, order="opened_at"))
        for referral in found[:1]:
            self.try_(at, self._act(how, self.ana(at), referral.id))

    @staticmethod
    def _act(how: str, by: str, code: str) -> Any:
        acts = {
            "accept": lambda unit: answer.accept(unit, by, code),
            "decline": lambda unit: answer.decline(unit, by, code, "no_capacity"),
            "start": lambda unit: work.progress(unit, by, code, Move.START),
            "hold": lambda unit: work.progress(unit, by, code, Move.HOLD),
            "finish": lambda unit: work.finish(unit, by, code, "needs_met"),
            "give-back": lambda unit: work.give_back(unit, by, code, "she_asked"),
            "ask": lambda unit: answer.ask_field(unit, by, code, "phone", "para llamarla"),
            "say": lambda unit: work.say(unit, by, code, "hola"),
        }
        return acts[how]

    @rule(granted=st.booleans())
    def grants(self, granted: bool) -> None:
        for ask in self.net.cem.run(lambda unit: unit.asks.all(side=Side.SENDER, state="open")):
            self.try_("cem-lima", partial(answer.answer_ask, by=self.ana(), ask_id=ask.id, granted=granted))

    @rule(case=cases, recipient=st.sampled_from((None, CSMC, HOGAR)), fields=st.sampled_from(((), ("phone",), ("social_name",))))
    def takes_back(self, case: Case, recipient: str | None, fields: tuple[str, ...]) -> None:
        self.try_("cem-lima", lambda unit: withdraw.withdraw(unit, self.ana(), case.id, recipient, fields))

    @rule(case=cases, written=VALUES)
    def writes(self, case: Case, written: tuple[str, str]) -> None:
        self.try_("cem-lima", lambda unit: open_case.set_field(unit, self.ana(), case.id, *written))

    @rule(case=cases, hours=st.sampled_from((-1, 1, 50)))
    def plans(self, case: Case, hours: float) -> None:
        self.try_("cem-lima", lambda unit: plan_check_in.plan_check_in(unit, self.ana(), case.id, unit.now + timedelta(hours=hours)))

    @rule(how=st.sampled_from(plan_check_in.ANSWERS))
    def answers_check_in(self, how: str) -> None:
        for checkin in self.net.cem.run(lambda unit: unit.checkins.all(state="ringing"))[:1]:
            self.try_("cem-lima", partial(plan_check_in.answer_check_in, by=self.ana(), checkin_id=checkin.id, answer=how))

    @rule(case=cases)
    def closes(self, case: Case) -> None:
        self.try_("cem-lima", lambda unit: close_case.close_case(unit, self.ana(), case.id, "needs_met"))

    @rule()
    def undoes(self) -> None:
        self.try_("cem-lima", lambda unit: undo.undo(unit, self.ana(), "!cem-lima.desk"))

    @rule(name=NAMES)
    def leaves_and_returns(self, name: str) -> None:
        user = self.net.cem.person(name)
        self.try_("cem-lima", lambda unit: staff.remove_staff(unit, user))
        role = "supervisor" if name == "sara" else "caseworker"
        self.try_("cem-lima", lambda unit: staff.add_staff(unit, user, display=name, role=role))

    @rule(seconds=st.sampled_from((1, 100, 4000, 90_000, 2_000_000)))
    def time_passes(self, seconds: int) -> None:
        self.net.clock.advance(timedelta(seconds=seconds))
        for twin in self.net.twins.values():
            twin.ring()

    @rule(turns=st.integers(1, 3))
    def travels(self, turns: int) -> None:
        self.net.settle(turns)

    @invariant()
    def every_open_case_has_a_lead_and_a_next_date_r51(self) -> None:
        if hasattr(self, "net"):
            self.net.cem.ring()
            self.net.cem.run(_nobody_is_left)

    def teardown(self) -> None:
        if not hasattr(self, "net"):
            return
        self.net.settle(12)
        for twin in self.net.twins.values():
            twin.ring()
        self.net.settle(12)
        well(self.net)
        self.net.cem.run(lambda unit: _what_they_hold_is_what_we_know(unit, self.net))
        for at in (CSMC, HOGAR):
            assert f"{CANARY} nombre".encode() not in everything(self.net[at])
            assert "record_refused" not in self.net.alarms(self.net[at])
        assert "record_refused" not in self.net.alarms(self.net.cem)


def _nobody_is_left(unit: Unit) -> None:
    for case in unit.cases.all(state="open"):
        lead = unit.staff.get(case.lead)
        assert lead is not None
        assert lead.removed_at is None, "the lead is somebody who is here"
        assert case.next_contact_at > unit.now, "the next date is to come"
        pending = unit.checkins.all(case=case.id, state__in=("planned", "ringing"))
        assert pending
        for checkin in pending:
            assert unit.timers.count(ref=checkin.id, kind="checkin", done_at=None) == 1, "and one timer rings it"


def _referral(unit: Unit, id: str) -> Referral | None:
    return unit.referrals.get(id)


def _what_they_hold_is_what_we_know(unit: Unit, net: Net) -> None:
    """R75: the list of who knows what is true, and consent and conflict of interest hold for all of it."""
    for referral in unit.referrals.all(side=Side.SENDER, state__not="draft"):
        if net[referral.peer].run(_referral, referral.id) is None:
            continue
        there = set(held(net[referral.peer], referral))
        known = {f for d in unit.disclosures.all(referral=referral.id, state="active") for f in d.fields}
        assert there == known, (referral.state, there, known)
        agreed = {f for c in living_consents(unit, referral.case or "", referral.peer, referral.purpose) for f in c.fields}
        assert there <= agreed
        theirs = net[referral.peer].run(_referral, referral.id)
        assert theirs.state is referral.state or {theirs.state.value, referral.state.value} == {"received", "requested"}
        if referral.state not in WORKING and not there:
            assert referral.ended_at is not None or referral.state.value == "requested"
        case = unit.cases.get(referral.case or "")
        assert case is not None
        assert is_excluded(unit, case, referral.peer) in (True, False)


def test_whatever_people_do() -> None:
    run_state_machine_as_test(People, settings=settings(max_examples=40, stateful_step_count=30, deadline=None))
