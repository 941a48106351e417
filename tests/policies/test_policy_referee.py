"""Cedar as an outside referee of every protocol of every pack: its translation must decide exactly as the engine and as the meaning do."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench import policy
from policies import meaning, packs
from policies.decision import CONSENT_STATES, Facts, Outcome, Request
from policies.engine import Compiled
from policies.protocol import Protocol

PROTOCOLS = [
    pytest.param(protocol, id=f"{name}-{protocol.id}") for name in packs.shipped() for _, protocol in sorted(packs.load(name).protocols.items())
]
CEDARS: dict[int, policy.Cedar] = {}
COMPILED: dict[int, Compiled] = {}


def cedar_of(protocol: Protocol) -> policy.Cedar:
    return CEDARS.setdefault(id(protocol), policy.Cedar(protocol))


def compiled_of(protocol: Protocol) -> Compiled:
    return COMPILED.setdefault(id(protocol), Compiled(protocol))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cedar_agrees_on_every_shipped_protocol(protocol: Protocol) -> None:
    asked = policy.questions(protocol, 60, seed=11)
    cedar = cedar_of(protocol)
    policy.check_equal(asked, compiled_of(protocol), [cedar.decide])
    # Not empty: the questions really reach every outcome.
    seen = {outcome for request in asked for outcome in cedar.decide(request)}
    assert seen == set(Outcome)


def requests(protocol: Protocol) -> st.SearchStrategy[Request]:
    """Any question, also with facts nobody knows, several affiliations and legal bases, and an institution named by its id."""
    words = {dimension: sorted(values - {"unknown"}) for dimension, values in protocol.domain.items()}
    maybe = {name: st.none() | st.sampled_from(words[name]) for name in ("risk", "urgency", "age_band")}
    affiliations = st.sampled_from([*words["aggressor_affiliation"], "unknown", "institution:ejemplo-1", "institution:otra"])
    facts = st.builds(
        Facts,
        need=st.sampled_from(sorted(protocol.needs)),
        aggressor_affiliation=st.frozensets(affiliations, max_size=3),
        legal_basis=st.frozensets(st.sampled_from(words["legal_basis"]), max_size=2),
        **maybe,
    )
    return st.builds(
        Request,
        purpose=st.sampled_from(sorted(protocol.purposes)),
        recipient_kind=st.sampled_from(sorted(protocol.to_kinds)),
        recipient_id=st.just("ejemplo-1"),
        facts=facts,
        consented=st.frozensets(st.sampled_from(protocol.universe)) | st.just(frozenset(protocol.universe)),
        consent_state=st.sampled_from(CONSENT_STATES),
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_engine_meaning_and_cedar_are_one_over_generated_questions(protocol: Protocol, data: st.DataObject) -> None:
    request = data.draw(requests(protocol))
    expected = meaning.decide(protocol, request)
    assert compiled_of(protocol).decide_afresh(request) == expected
    assert cedar_of(protocol).decide(request) == policy.outcomes(expected)


def test_a_referee_that_disagrees_is_noticed() -> None:
    protocol = packs.load("pe").protocols["emergency-centre"]
    asked = policy.questions(protocol, 20, seed=3)
    with pytest.raises(AssertionError, match="differ"):
        policy.check_equal(asked, Compiled(protocol), [lambda _: (Outcome.RELEASE,) * len(protocol.universe)])
