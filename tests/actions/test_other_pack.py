"""A second country's pack carries a whole referral between two hubs: nothing in the hub knows that a pack is Peru's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.actions import answer, decide, open_case, record_consent, refer
from hub.actions.record_consent import Terms
from hub.actions.show_value import held_values
from hub.testing import TwinNetwork
from policies import packs

OTHERS = [
    pytest.param(name, protocol, id=f"{name}-{protocol}") for name in packs.shipped() if name != "pe" for protocol in packs.load(name).protocols
]


def test_there_is_another_pack() -> None:
    assert OTHERS


@pytest.mark.parametrize(("name", "protocol_id"), OTHERS)
def test_a_referral_under_every_protocol_of_another_pack_and_its_conflict_of_interest(name: str, protocol_id: str) -> None:
    pack = packs.load(name)
    protocol = pack.protocols[protocol_id]
    need, here = sorted(protocol.needs)[0], sorted(protocol.from_kinds)[0]
    there = next(kind for kind in sorted(protocol.to_kinds) if kind != here)
    net = TwinNetwork(("casa-uno", here), ("casa-dos", there), pack=name)
    one, two = net["casa-uno"], net["casa-dos"]
    for twin in (one, two):
        twin.enrol("ana")
    ana, until = one.person("ana"), net.clock.now() + timedelta(days=30)
    known = {"aggressor_affiliation": "partner", "risk_level": "high"}
    case = one.run(lambda unit: open_case.open_case(unit, ana, "!r", "Luz Inventada", until, known))
    assert one.run(lambda unit: decide.candidates(unit, case, need)) == ["casa-dos"]
    terms = Terms(
        recipients=("casa-dos",), purposes=tuple(protocol.purposes), fields=tuple(pack.vocabulary.fields), until=until, mode="oral", explained=True
    )
    one.run(lambda unit: record_consent.record_consent(unit, ana, case.id, terms))
    draft = one.run(lambda unit: refer.draft(unit, ana, case.id, "casa-dos", need))
    referral = one.run(lambda unit: refer.refer(unit, ana, "!r", draft.referral.id))
    net.settle(2)
    two.run(lambda unit: answer.accept(unit, two.person("ana"), referral.id))
    net.settle(3)
    assert two.run(lambda unit: held_values(unit, referral.id))["social_name"][1] == "Luz Inventada"
    owner = next(code for code, kinds in pack.vocabulary.bodies.owned.items() if there in kinds)
    one.run(lambda unit: open_case.set_field(unit, ana, case.id, "aggressor_affiliation", owner))
    net.settle(3)
    assert two.run(lambda unit: held_values(unit, referral.id)) == {}
    assert one.run(lambda unit: decide.candidates(unit, case, need)) == []
