"""Cedar as an outside referee: the benchmark's translation of a protocol must decide exactly as the engine does."""

from __future__ import annotations

import pytest

from bench import policy
from policies import packs
from policies.decision import Outcome
from policies.engine import Compiled

PACK = packs.load("pe")


@pytest.mark.parametrize("protocol_id", sorted(PACK.protocols))
def test_cedar_agrees_on_every_shipped_protocol(protocol_id: str) -> None:
    protocol = PACK.protocols[protocol_id]
    asked = policy.questions(protocol, 150, seed=11)
    cedar = policy.Cedar(protocol)
    policy.check_equal(asked, Compiled(protocol), [cedar.decide])
    # Not empty: the questions really reach every outcome.
    seen = {outcome for request in asked for outcome in cedar.decide(request)}
    assert seen == set(Outcome)


def test_a_referee_that_disagrees_is_noticed() -> None:
    protocol = PACK.protocols["emergency-centre"]
    asked = policy.questions(protocol, 20, seed=3)
    with pytest.raises(AssertionError, match="differ"):
        policy.check_equal(asked, Compiled(protocol), [lambda _: (Outcome.RELEASE,) * len(protocol.universe)])
