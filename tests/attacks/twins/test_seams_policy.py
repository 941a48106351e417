"""Attacks on the seams of protocols: floods that are refused, versions that run ahead, oracles, alarms about a colleague's case."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.actions import hear_protocol, open_case
from hub.app.policy_commands import explained, simulated
from hub.base.errors import PeerFault
from hub.exchange import wire
from keys import protocolword as pw
from keys.primitives import sha256
from policies import document, engine, marked, packs
from tests.actions.road import consented, opened
from tests.attacks.twins.test_protocols import VALUES, hears, proposal, signer
from tests.governance.agreement import CEM, HOGAR, RED, fresh, propose, sign, text_of


@pytest.fixture
def net():
    return fresh()


@pytest.mark.parametrize("how", ["vocabulary", "over"])
def test_a_flood_of_proposals_that_this_hub_refuses_by_itself_ends(net, how):
    real, _, _ = proposal(net, propose(net))
    today = net.clock.now().date()
    past = {"consulted": today - timedelta(days=60), "starts": today - timedelta(days=60), "closes": today - timedelta(days=30)}
    with pytest.raises(PeerFault, match="protocol_too_many"):  # noqa: PT012  # which of them is the one too many is not the point
        for number in range(10, 10 + hear_protocol.MOST_OPEN + 1):
            data = text_of(number)
            other = replace(real, version=number, document=sha256(data).hex(), **({"vocabulary": "0" * 64} if how == "vocabulary" else past))
            hears(net, HOGAR, CEM, wire.ProposeProtocol(statement=pw.sign_proposal(other, signer(net, CEM)), document=data))


@pytest.mark.parametrize("text", ["[" * 19_990, "- " * 9_990, "? " * 9_990, "{a: " * 4_990])
def test_a_document_of_nothing_but_depth_costs_nothing(text):
    began = time.process_time()
    assert marked.read(text)[0] is None
    assert time.process_time() - began < 0.5


def learn(net, case, what):
    net[CEM].run(lambda unit: open_case.set_field(unit, net[CEM].person("ana"), case.id, "aggressor_affiliation", what))


def test_administrators_cannot_ask_simulate_for_facts(net):
    """One crafted text for each question: which open case has an aggressor in the police?"""
    a = opened(net[CEM], VALUES | {"needs": "shelter"})
    b = opened(net[CEM], VALUES | {"needs": "shelter"})
    for case in (a, b):
        consented(net[CEM], case, recipients=(HOGAR,), purposes=("shelter_protection",))
    learn(net, a, "police")
    learn(net, b, "health")
    text = text_of(2, "occupation: {share: release, when: {aggressor_affiliation: [police]}}").decode()
    told = net[CEM].run(simulated, text)
    assert {c["case"] for c in told["changed"]} in (set(), {a.code, b.code})


def test_p08_a_version_before_its_parties_names_cases_but_those_of_a_colleague(net):
    a = opened(net[CEM], VALUES | {"needs": "shelter"})
    b = opened(net[CEM], VALUES | {"needs": "shelter"})
    for case in (a, b):
        consented(net[CEM], case, recipients=(HOGAR,), purposes=("shelter_protection",), fields=tuple(VALUES))
    learn(net, b, "institution:cem-lima")
    text = text_of(2)
    assert net[CEM].run(simulated, text.decode())["changed"] == []
    propose(net, text)
    told = net[CEM].run(simulated, text.decode())
    assert [(c["case"], [f["field"] for f in c["fields"]]) for c in told["changed"]] == [(a.code, ["occupation"])]
    assert (told["count"], told["looked_at"]) == (1, 0), "and no number says that there is one more"
    assert net[CEM].run(lambda unit: [line.about for line in unit.log.all(what="read.simulated")]) == [a.id]
    assert net[CEM].run(simulated, text_of(2, "occupation: presence").decode())["changed"] == []


def test_p08_numbers_over_a_draft_tell_no_single_case(net):
    """Two drafts, one of which matches one case more: an administrator who writes both must not read off whether hers is it."""
    one = opened(net[CEM], VALUES | {"needs": "shelter", "age": "16"})
    consented(net[CEM], one, recipients=(HOGAR,), purposes=("shelter_protection",), fields=tuple(VALUES))
    drafts = [text_of(2, f"occupation: {{share: release, when: {{age_band: [{band}]}}}}").decode() for band in ("12-17", "18-29")]
    told = [net[CEM].run(simulated, draft) for draft in drafts]
    assert told[0] == told[1]
    for _ in range(5):
        other = opened(net[CEM], VALUES | {"needs": "shelter", "age": "16"})
        consented(net[CEM], other, recipients=(HOGAR,), purposes=("shelter_protection",), fields=tuple(VALUES))
    assert net[CEM].run(simulated, drafts[0])["count"] == 5, "six of them"
    assert net[CEM].run(simulated, drafts[1])["count"] == 0


def test_explaining_a_colleagues_case_does_not_tell_whose_he_is(net):
    """He works here, and in another place too, as the word of the caseworker says: the answer about that place is that of any other case."""
    told = []
    for what in ("institution:cem-lima, institution:hogar-luz", None):
        case = opened(net[CEM], VALUES | {"needs": "shelter"})
        consented(net[CEM], case, recipients=(HOGAR,), purposes=("shelter_protection",), fields=tuple(VALUES))
        if what:
            learn(net, case, what)
        (ruling,) = net[CEM].run(explained, case.code, HOGAR, None)
        told.append((ruling["excluded"], [f for f in ruling["fields"] if f["field"] in VALUES]))
    assert told[0] == told[1]
    assert told[0][0] is False


def test_simulating_one_protocol_says_nothing_of_others(net):
    """The community organisation and we signed shelter@2; the shelter did not. Proposing another protocol changes nothing for the shelter."""
    agree_two = propose(net, parties=(CEM, RED))
    sign(net, agree_two, RED, CEM)
    case = opened(net[CEM], VALUES | {"needs": "shelter"})
    consented(net[CEM], case, recipients=(HOGAR,), purposes=("shelter_protection",))
    same = packs.protocol_text("pe", "mental-health")
    told = net[CEM].run(simulated, same)
    assert told["changed"] == []


def test_a_document_of_many_conditions_on_many_fields_is_compiled_at_once():
    """Each field had a table of every state of its conditions: 4096 rows for twelve of them, in the unit of the last signature."""
    words = packs.load("pe").vocabulary
    atoms = [(d, v) for d in ("risk", "urgency", "aggressor_affiliation", "age_band") for v in sorted(marked_domain(d))][:12]
    rules = ", ".join(f"{{share: presence, when: {{{dimension}: [{value}]}}}}" for dimension, value in atoms)
    fields = [name for name in words.fields if name not in ("aggressor_affiliation", "occupation")][:30]
    head = text_of(2).decode().split("rules:")[0]
    protocol = document.parse(head + "rules:\n" + "".join(f"  {name}: [{rules}]\n" for name in fields), words)
    assert len(protocol.atoms) == 12
    began = time.process_time()
    engine.compile(protocol)
    assert time.process_time() - began < 1


def marked_domain(dimension):
    return {value for value in packs.load("pe").protocols["shelter"].domain[dimension] if value}
