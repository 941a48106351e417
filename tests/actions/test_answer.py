"""At the recipient: accept, decline, accept by itself, ask for one more field; at the sender: grant or refuse it (R32, R48)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from unittest import mock

import pytest

from hub.actions import answer, refer, staff
from hub.base.errors import Refused
from hub.cases.lifecycle import State
from hub.cases.records import Ask, Referral
from tests.actions.road import (
    CSMC,
    HOGAR,
    VALUES,
    Net,
    code_of,
    confirmed,
    consented,
    drafted,
    held,
    offered,
    opened,
    owners,
    taken,
    there,
    working,
)


def waiting(net: Net) -> Referral:
    case = opened(net.cem)
    consented(net.cem, case)
    return offered(net, case)


def asked(net: Net, referral: Referral, field: str = "phone", why: str = "para llamarla") -> Ask:
    net.csmc.run(lambda unit: answer.ask_field(unit, net.csmc.person("ana"), referral.id, field, why))
    net.settle()
    found = net.cem.run(lambda unit: unit.asks.one(state="open"))
    assert found is not None
    return found


def test_accepting_names_who_and_gives_a_key_of_its_own(net: Net) -> None:
    referral = waiting(net)
    assert there(net.cem, referral).delivered_at is not None
    accepted = taken(net, referral)
    assert (accepted.state, accepted.by) == (State.ACCEPTED, net.csmc.person("ana"))
    ours = there(net.cem, referral)
    assert ours.state is State.ACCEPTED
    assert ours.offer["accepted_by"] == "Ana Ejemplo"
    assert ours.their_key == accepted.our_key != ours.our_key
    assert net.cem.run(lambda unit: unit.cases.get(ours.case)).lead == net.cem.person("ana"), "the lead does not move by an offer"


def test_declining_needs_a_coded_reason_r32(net: Net) -> None:
    referral = waiting(net)
    with pytest.raises(Refused) as refused:
        net.csmc.run(lambda unit: answer.decline(unit, net.csmc.person("ana"), referral.id, "es de aquí no más"))
    assert code_of(refused) == "unknown_reason"
    net.csmc.run(lambda unit: answer.decline(unit, net.csmc.person("ana"), referral.id, "no_capacity"))
    net.settle()
    ours = there(net.cem, referral)
    assert (ours.state, ours.note) == (State.REJECTED, "no_capacity")
    assert referral.id not in owners(net.cem), "nothing more comes for that key"
    assert held(net.csmc, referral) == {}


@pytest.mark.parametrize("first", ["accept", "decline"])
def test_the_first_answer_counts(net: Net, first: str) -> None:
    referral = waiting(net)
    acts = {
        "accept": lambda unit: answer.accept(unit, net.csmc.person("ana"), referral.id),
        "decline": lambda unit: answer.decline(unit, net.csmc.person("ana"), referral.id, "no_capacity"),
    }
    net.csmc.run(acts[first])
    for act in acts.values():
        with pytest.raises(Refused) as refused:
            net.csmc.run(act)
        assert code_of(refused) == "move_not_allowed"


def test_only_the_recipient_answers(net: Net) -> None:
    referral = waiting(net)
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: answer.accept(unit, net.cem.person("ana"), referral.id))
    assert code_of(refused) == "unknown_code"


@pytest.mark.parametrize(("urgency", "duty", "allowed", "state"), [
    ("urgent", True, True, State.ACCEPTED),
    ("urgent", False, True, State.RECEIVED),
    ("priority", True, True, State.RECEIVED),
    ("urgent", True, False, State.RECEIVED),
])  # fmt: skip
def test_a_shelter_accepts_by_itself_when_it_is_urgent_and_somebody_is_there(
    net: Net, urgency: str, duty: bool, allowed: bool, state: State
) -> None:
    for name in ("ana", "berta", "sara"):
        net.hogar.run(partial(staff.set_duty, user=net.hogar.person(name), on=duty))
    given = net.hogar.store.given
    net.hogar.store.given = replace(given, rules=replace(given.rules, accept_automatically=allowed))
    try:
        case = opened(net.cem, VALUES | {"urgency": urgency})
        consented(net.cem, case, recipients=(HOGAR,), purposes=("shelter_protection",))
        referral = offered(net, case, HOGAR, "shelter")
    finally:
        net.hogar.store.given = given
    assert there(net.hogar, referral).state is state
    assert bool(held(net.hogar, referral)) is (state is State.ACCEPTED)


def test_the_sender_sees_who_is_on_duty_there(net: Net) -> None:
    for name in ("ana", "berta", "sara"):
        net.csmc.run(partial(staff.set_duty, user=net.csmc.person(name), on=False))
    net.settle()
    case = opened(net.cem)
    consented(net.cem, case)
    assert drafted(net.cem, case).duty["on"] is False
    net.csmc.run(lambda unit: staff.set_duty(unit, net.csmc.person("ana"), on=True))
    net.settle()
    duty = drafted(net.cem, case).duty
    assert (duty["on"], duty["roles"]) == (True, ["caseworker"])
    assert "ana" not in str(duty), "by role, not by name (R60)"


def test_a_field_is_asked_for_with_a_reason_and_granted(net: Net) -> None:
    referral = _without(net, "phone")
    assert "phone" not in held(net.csmc, referral)
    ask = asked(net, referral)
    net.cem.post()
    assert net.cem.find("para llamarla").ring == (net.cem.person("ana"),)
    case = there(net.cem, referral).case
    consented(net.cem, net.cem.run(lambda unit: unit.cases.get(case)))
    net.cem.run(lambda unit: answer.answer_ask(unit, net.cem.person("ana"), ask.id, granted=True))
    net.settle()
    assert held(net.csmc, referral)["phone"] == ("release", VALUES["phone"])
    assert net.csmc.run(lambda unit: unit.asks.get(ask.id)).state == "granted"


def _without(net: Net, field: str) -> Referral:
    _, referral = working(net, fields=tuple(f for f in VALUES if f != field))
    return referral


def test_the_reason_for_asking_is_nowhere_in_the_clear(net: Net) -> None:
    from tests.actions.road import everything

    referral = _without(net, "phone")
    asked(net, referral, why="PORQUE-SECRETO")
    assert b"PORQUE-SECRETO" not in everything(net.csmc)
    assert b"PORQUE-SECRETO" not in everything(net.cem)


def test_refusing_gives_nothing(net: Net) -> None:
    referral = _without(net, "phone")
    ask = asked(net, referral)
    net.cem.run(lambda unit: answer.answer_ask(unit, net.cem.person("ana"), ask.id, granted=False))
    net.settle()
    assert "phone" not in held(net.csmc, referral)
    assert net.csmc.run(lambda unit: unit.asks.get(ask.id)).state == "refused"
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: answer.answer_ask(unit, net.cem.person("ana"), ask.id, granted=True))
    assert code_of(refused) == "already_answered"


@pytest.mark.parametrize("field", ["legal_name", "document_number", "occupation", "hiv_status", "notes"])
def test_p02_granting_what_the_protocol_forbids_releases_nothing(net: Net, field: str) -> None:
    """A hub that asks all the same is told no by ours; and should a person of ours be asked, her yes lets nothing out."""
    _, referral = working(net)
    with pytest.raises(Refused) as refused:
        net.csmc.run(lambda unit: answer.ask_field(unit, net.csmc.person("ana"), referral.id, field, "para llamarla"))
    assert code_of(refused) == "field_never"
    with mock.patch.object(answer, "ceiling", return_value={field: 1}):
        ask = net.csmc.run(lambda unit: answer.ask_field(unit, net.csmc.person("ana"), referral.id, field, "para llamarla"))
    net.settle()
    assert net.cem.run(lambda unit: unit.asks.get(ask.id)).reason == "protocol", "refused by the hub, nobody was asked"
    net.cem.run(lambda unit: unit.asks.put(replace(unit.asks.get(ask.id), state="open")))
    net.cem.run(lambda unit: answer.answer_ask(unit, net.cem.person("ana"), ask.id, granted=True))
    net.settle()
    assert net.cem.run(lambda unit: unit.asks.get(ask.id)).state == "refused"
    assert field not in held(net.csmc, referral)


@pytest.mark.parametrize(("field", "why", "code"), [("phone", "  ", "why_missing"), ("inventado", "x", "unknown_field")])
def test_what_cannot_be_asked(net: Net, field: str, why: str, code: str) -> None:
    _, referral = working(net)
    with pytest.raises(Refused) as refused:
        net.csmc.run(lambda unit: answer.ask_field(unit, net.csmc.person("ana"), referral.id, field, why))
    assert code_of(refused) == code


def test_nothing_is_asked_before_accepting_nor_granted_after_the_end(net: Net) -> None:
    from hub.actions import work

    case = opened(net.cem)
    consented(net.cem, case)
    referral = offered(net, case)
    with pytest.raises(Refused) as refused:
        net.csmc.run(lambda unit: answer.ask_field(unit, net.csmc.person("ana"), referral.id, "phone", "x"))
    assert code_of(refused) == "not_working"
    taken(net, referral)
    ask = asked(net, referral)
    net.csmc.run(lambda unit: work.finish(unit, net.csmc.person("ana"), referral.id, "needs_met"))
    net.settle()
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: answer.answer_ask(unit, net.cem.person("ana"), ask.id, granted=True))
    assert code_of(refused) == "not_working"


def test_an_offer_nobody_answers_rings_the_supervisor_on_both_sides(net: Net) -> None:
    referral = waiting(net)
    net.wait(days=3)
    assert len(net.moved(net.cem, "overdue")) == len(net.moved(net.csmc, "overdue")) == 1
    assert any(net.cem.person("sara") in s.ring for s in net.cem.said)
    assert net.mentioned(net.csmc) == (net.csmc.person("sara"),)
    net.wait(days=0.1)
    assert len(net.moved(net.cem, "overdue")) == len(net.moved(net.csmc, "overdue")) == 1, "once"
    assert there(net.csmc, referral).state is State.RECEIVED, "late is not lost: it can still be accepted"
    taken(net, referral)
    assert held(net.csmc, referral)


def test_an_answer_in_time_rings_nobody(net: Net) -> None:
    working(net)
    net.wait(days=3)
    assert not net.moved(net.cem, "overdue") + net.moved(net.csmc, "overdue")


@pytest.mark.parametrize("order", ["cancel first", "accept first"])
def test_an_acceptance_that_crosses_with_a_cancellation_is_over_on_both_sides(net: Net, order: str) -> None:
    referral = waiting(net)
    net.cem.run(lambda unit: refer.cancel_offer(unit, net.cem.person("ana"), referral.id))
    net.csmc.run(lambda unit: answer.accept(unit, net.csmc.person("ana"), referral.id))
    for twin in (net.cem, net.csmc) if order == "cancel first" else (net.csmc, net.cem):
        net.deliver(twin)
    net.settle()
    assert there(net.cem, referral).state is State.CANCELLED
    assert there(net.csmc, referral).state is State.CANCELLED
    assert held(net.csmc, referral) == {}
    assert referral.id not in owners(net.cem) | owners(net.csmc)
    assert "record_refused" not in net.alarms(net.cem) + net.alarms(net.csmc), "crossing is nobody's fault"
    assert net.moved(net.csmc, "cancel")


def test_a_sender_that_forgot_to_say_so_tells_it_when_the_acceptance_comes(net: Net) -> None:
    """Its `cancel` never existed (a restored backup): the acceptance itself is answered."""
    referral = waiting(net)
    net.cem.run(lambda unit: refer.cancel_offer(unit, net.cem.person("ana"), referral.id))
    net.cem.run(lambda unit: [unit.outbox.delete(row.id) for row in unit.outbox.all(kind="cancel")])
    net.csmc.run(lambda unit: answer.accept(unit, net.csmc.person("ana"), referral.id))
    net.settle()
    assert there(net.csmc, referral).state is State.CANCELLED


def test_a_refusal_that_crosses_with_a_cancellation_is_quiet(net: Net) -> None:
    referral = waiting(net)
    net.cem.run(lambda unit: refer.cancel_offer(unit, net.cem.person("ana"), referral.id))
    net.csmc.run(lambda unit: answer.decline(unit, net.csmc.person("ana"), referral.id, "no_capacity"))
    net.settle()
    assert (there(net.cem, referral).state, there(net.csmc, referral).state) == (State.CANCELLED, State.REJECTED)
    assert "record_refused" not in net.alarms(net.cem) + net.alarms(net.csmc)


def test_an_offer_can_be_cancelled_before_and_after_it_left(net: Net) -> None:
    case = opened(net.cem)
    consented(net.cem, case)
    early = confirmed(net.cem, drafted(net.cem, case))
    net.cem.run(lambda unit: refer.cancel_offer(unit, net.cem.person("ana"), early.id))
    net.settle()
    assert net.csmc.run(lambda unit: unit.referrals.count()) == 0
    late = offered(net, case)
    net.cem.run(lambda unit: refer.cancel_offer(unit, net.cem.person("ana"), late.id))
    net.settle()
    assert there(net.csmc, late).state is State.CANCELLED
    net.clock.advance(timedelta(days=4))
    net.csmc.ring()
    assert not net.moved(net.csmc, "overdue")
    assert late.peer == CSMC
