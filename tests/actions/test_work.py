"""Working on a referral: talk, progress, outcome, give back; and which keys are dead afterwards (R50)."""

from __future__ import annotations

import pytest

from hub.actions import answer, withdraw, work
from hub.base.errors import Refused
from hub.cases.lifecycle import Move, State
from tests.actions.road import (
    CANARY,
    CSMC,
    Net,
    code_of,
    consented,
    everything,
    held,
    offered,
    opened,
    owners,
    there,
    well,
    working,
)


def test_words_go_both_ways_sealed_and_in_the_thread(net: Net) -> None:
    case, referral = working(net)
    net.cem.run(lambda unit: work.say(unit, net.cem.person("ana"), referral.id, f"{CANARY} ¿pudo ir?"))
    net.csmc.run(lambda unit: work.say(unit, net.csmc.person("ana"), referral.id, f"{CANARY} sí, fue"))
    net.settle()
    here, there_ = net.cem.find("sí, fue"), net.csmc.find("¿pudo ir?")
    assert here.thread is not None
    assert there_.thread is not None
    assert here.ring == (net.cem.person("ana"),)
    assert there_.ring == (net.csmc.person("ana"),)
    for twin in (net.cem, net.csmc):
        assert f"{CANARY} ¿pudo ir?".encode() not in everything(twin)
    assert case.id in owners(net.cem)


@pytest.mark.parametrize(("text", "code"), [("  ", "nothing_said"), ("a" * 2001, "too_long")])
def test_what_cannot_be_said(net: Net, text: str, code: str) -> None:
    _, referral = working(net)
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: work.say(unit, net.cem.person("ana"), referral.id, text))
    assert code_of(refused) == code


def test_nothing_is_said_before_acceptance(net: Net) -> None:
    case = opened(net.cem)
    consented(net.cem, case)
    referral = offered(net, case)
    for twin in (net.cem, net.csmc):
        with pytest.raises(Refused) as refused:
            twin.run(work.say, twin.person("ana"), referral.id, "hola")
        assert code_of(refused) == "not_working"


def test_progress_and_outcome_come_back(net: Net) -> None:
    _, referral = working(net)
    ana = net.csmc.person("ana")
    for move, state in ((Move.START, State.IN_PROGRESS), (Move.HOLD, State.ON_HOLD), (Move.START, State.IN_PROGRESS)):
        net.csmc.run(work.progress, ana, referral.id, move)
        net.settle()
        assert there(net.cem, referral).state is there(net.csmc, referral).state is state
    net.csmc.run(lambda unit: work.finish(unit, ana, referral.id, "partly_met"))
    net.settle()
    ours = there(net.cem, referral)
    assert (ours.state, ours.outcome) == (State.COMPLETED, "partly_met")
    assert net.moved(net.cem, "complete")[-1].ring
    assert net.mentioned(net.cem) == (net.cem.person("ana"),)


def test_an_outcome_is_coded(net: Net) -> None:
    _, referral = working(net)
    with pytest.raises(Refused) as refused:
        net.csmc.run(lambda unit: work.finish(unit, net.csmc.person("ana"), referral.id, "bien"))
    assert code_of(refused) == "unknown_outcome"


def test_after_an_outcome_the_record_stays_and_both_referral_keys_are_dead(net: Net) -> None:
    _, referral = working(net)
    net.csmc.run(lambda unit: work.finish(unit, net.csmc.person("ana"), referral.id, "needs_met"))
    net.settle()
    assert held(net.csmc, referral), "what she agreed that they keep, they keep until its term"
    assert referral.id not in owners(net.cem)
    assert referral.id not in owners(net.csmc)
    well(net)


def test_giving_back_destroys_there_and_moves_no_lead(net: Net) -> None:
    case, referral = working(net)
    with pytest.raises(Refused) as refused:
        net.csmc.run(lambda unit: work.give_back(unit, net.csmc.person("ana"), referral.id, "porque sí"))
    assert code_of(refused) == "unknown_reason"
    net.csmc.run(lambda unit: work.give_back(unit, net.csmc.person("ana"), referral.id, "moved_away"))
    disclosure = net.csmc.run(lambda unit: unit.disclosures.one(referral=referral.id))
    assert disclosure.state == "destroyed"
    assert not owners(net.csmc) & {disclosure.id, referral.id}
    assert net.csmc.run(lambda unit: unit.held.count()) == 0
    net.settle()
    ours = there(net.cem, referral)
    assert (ours.state, ours.note) == (State.FAILED, "moved_away")
    mine = net.cem.run(lambda unit: unit.disclosures.one(referral=referral.id))
    assert mine.state == "destroyed"
    assert mine.receipt, "their signature is kept"
    assert net.cem.run(lambda unit: unit.cases.get(case.id)).lead == net.cem.person("ana")
    assert referral.id not in owners(net.cem)
    assert not any(CANARY in s.body for s in net.csmc.said), "what showed her there is redacted"
    well(net)


@pytest.mark.parametrize("end", ["finish", "give-back"])
def test_a_disclosure_that_crosses_with_the_end_is_held_by_nobody(net: Net, end: str) -> None:
    """She is asked for one more field, it leaves, and on the road meets the outcome: it is not kept, and the list says so."""
    _, referral = working(net, fields=("social_name",))
    net.csmc.run(lambda unit: answer.ask_field(unit, net.csmc.person("ana"), referral.id, "phone", "para llamarla"))
    net.settle()
    case = net.cem.run(lambda unit: unit.cases.get(unit.referrals.get(referral.id).case))
    consented(net.cem, case)
    ask = net.cem.run(lambda unit: unit.asks.one(state="open"))
    net.cem.run(lambda unit: answer.answer_ask(unit, net.cem.person("ana"), ask.id, granted=True))
    ana = net.csmc.person("ana")
    if end == "finish":
        net.csmc.run(lambda unit: work.finish(unit, ana, referral.id, "needs_met"))
    else:
        net.csmc.run(lambda unit: work.give_back(unit, ana, referral.id, "she_asked"))
    net.settle(12)
    assert "phone" not in held(net.csmc, referral)
    states = net.cem.run(lambda unit: {tuple(d.fields): d.state for d in unit.disclosures.all(referral=referral.id)})
    assert states[("phone",)] == "destroyed"
    assert states[("social_name",)] == ("active" if end == "finish" else "destroyed")
    assert "record_refused" not in net.alarms(net.cem) + net.alarms(net.csmc)
    well(net)


def test_words_that_cross_with_the_outcome_are_read(net: Net) -> None:
    _, referral = working(net)
    net.csmc.run(lambda unit: work.finish(unit, net.csmc.person("ana"), referral.id, "needs_met"))
    net.cem.run(lambda unit: work.say(unit, net.cem.person("ana"), referral.id, "cuidado con el primo"))
    net.deliver(net.cem)
    net.settle()
    assert net.csmc.find("cuidado con el primo")


def test_progress_that_crosses_with_a_withdrawal_is_quiet(net: Net) -> None:
    case, referral = working(net)
    net.csmc.run(lambda unit: work.progress(unit, net.csmc.person("ana"), referral.id, Move.START))
    net.cem.run(lambda unit: withdraw.withdraw(unit, net.cem.person("ana"), case.id, CSMC))
    net.settle()
    assert there(net.cem, referral).state is there(net.csmc, referral).state is State.CANCELLED
    assert "record_refused" not in net.alarms(net.cem) + net.alarms(net.csmc)
    well(net)


@pytest.mark.parametrize("act", ["start", "finish", "give-back"])
def test_only_the_recipient_works(net: Net, act: str) -> None:
    _, referral = working(net)
    acts = {
        "start": lambda unit: work.progress(unit, net.cem.person("ana"), referral.id, Move.START),
        "finish": lambda unit: work.finish(unit, net.cem.person("ana"), referral.id, "needs_met"),
        "give-back": lambda unit: work.give_back(unit, net.cem.person("ana"), referral.id, "she_asked"),
    }
    with pytest.raises(Refused) as refused:
        net.cem.run(acts[act])
    assert code_of(refused) == "unknown_code"
