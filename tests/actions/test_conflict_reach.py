"""What an excluded institution and its people are still sent, shown or told, at whatever moment the affiliation comes to light (R61–R63).

Whatever stands on the road, waits in the outbox or is offered in chat: nothing of her, and nothing but the taking back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.actions import answer, decide, handle, open_case, refer, staff, work
from hub.base.errors import Refused
from hub.cases.events import Alarm
from hub.cases.lifecycle import State
from hub.exchange import wire
from policies import conflict
from tests.actions.road import (
    CSMC,
    HUBS,
    NEED,
    PACK,
    Net,
    confirmed,
    consented,
    drafted,
    everything,
    fresh,
    held,
    offered,
    opened,
    taken,
    there,
    working,
)

BODIES = PACK.vocabulary.bodies
SECRET = "MARCADOR-ESCONDIDA"
TAKING_BACK = {"cancel", "withdraw"}


def learn(net: Net, case: Any, affiliation: str = "health") -> None:
    net.cem.run(lambda unit: open_case.set_field(unit, net.cem.person("ana"), case.id, "aggressor_affiliation", affiliation))


def _drafted(net: Net, case: Any) -> None:
    drafted(net.cem, case)


def _confirmed(net: Net, case: Any) -> None:
    confirmed(net.cem, drafted(net.cem, case))


def _offered(net: Net, case: Any) -> None:
    offered(net, case)


def _accepted_there(net: Net, case: Any) -> None:
    """They accepted, and we have not heard it."""
    referral = offered(net, case)
    net.mute = {CSMC}
    net.csmc.run(lambda unit: answer.accept(unit, net.csmc.person("ana"), referral.id))
    net.settle(2)


def _working(net: Net, case: Any) -> None:
    taken(net, offered(net, case))


def _said(net: Net, case: Any) -> None:
    referral = taken(net, offered(net, case))
    net.cem.run(lambda unit: work.say(unit, net.cem.person("ana"), referral.id, SECRET))


def _said_on_the_road(net: Net, case: Any) -> None:
    """Numbered and put, and lost on the way: it will be said again."""
    _said(net, case)
    net.mute = {net.cem.id}
    net.settle(2)


def _disclosure_on_the_road(net: Net, case: Any) -> None:
    referral = offered(net, case)
    net.csmc.run(lambda unit: answer.accept(unit, net.csmc.person("ana"), referral.id))
    net.deliver(net.csmc)
    net.mute = {net.cem.id}
    net.settle(2)


def _asked(net: Net, case: Any) -> None:
    referral = taken(net, offered(net, case))
    net.csmc.run(lambda unit: answer.ask_field(unit, net.csmc.person("ana"), referral.id, "district", "para ubicarla"))
    net.settle(2)


STAGES = (_drafted, _confirmed, _offered, _accepted_there, _working, _said, _said_on_the_road, _disclosure_on_the_road, _asked)


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__.strip("_"))
def test_r62_after_it_is_known_nothing_leaves_but_the_taking_back(stage: Callable[[Net, Any], None]) -> None:
    net = fresh(*HUBS[:2])
    case = opened(net.cem)
    consented(net.cem, case)
    stage(net, case)
    before = {row.id for row in net.cem.run(lambda unit: unit.outbox.all(state__in=("dispatched", "acked")))}
    learn(net, case)
    net.mute = set()
    net.settle(4)
    net.wait(minutes=2)
    net.wait(hours=1)
    left = [row for row in net.cem.run(lambda unit: unit.outbox.all(state__in=("dispatched", "acked"))) if row.id not in before]
    assert {row.kind for row in left if "referral" in row.ref} <= TAKING_BACK
    for referral in net.cem.run(lambda unit: unit.referrals.all(case=case.id)):
        assert referral.state in (State.DRAFT, State.CANCELLED)
        if referral.state is not State.DRAFT and net.csmc.run(lambda unit, name=referral.id: unit.referrals.get(name)):
            assert held(net.csmc, referral) == {}
    assert not [said for said in net.csmc.said if SECRET in said.body]
    assert SECRET.encode() not in everything(net.csmc)


def test_a_draft_made_before_is_not_confirmed_after() -> None:
    net = fresh(*HUBS[:2])
    case = opened(net.cem)
    consented(net.cem, case)
    draft = drafted(net.cem, case)
    learn(net, case)
    with pytest.raises(Refused) as refused:
        net.cem.run(lambda unit: refer.refer(unit, net.cem.person("ana"), "!r", draft.referral.id))
    assert refused.value.code == "conflict_of_interest"


def test_the_excluded_hub_is_not_told_why() -> None:
    """Its administrators may be the aggressor's colleagues: what takes back says that, and no reason."""
    assert {f for f in wire.Withdraw.__dataclass_fields__ if f not in ("kind", "sealed")} == {"referral", "disclosures", "whole"}
    assert {f for f in wire.Cancel.__dataclass_fields__ if f not in ("kind", "sealed")} == {"referral"}
    net = fresh(*HUBS[:2])
    case, _ = working(net)
    learn(net, case)
    net.settle(4)
    told = "\n".join(said.body for said in net.csmc.said)
    assert "retirad" in told
    assert not any(word in told.casefold() for word in ("conflicto", "agresor", "pertenece"))


def test_a_peer_whose_confirmation_is_gone_does_not_keep_the_affiliation_from_being_noted() -> None:
    """Its manifest is paired anew just then: what it holds is called back all the same, and doubt excludes."""
    net = fresh(*HUBS[:2])
    case, referral = working(net)
    net.cem.run(lambda unit: unit.peers.put(replace(unit.peers.get(CSMC), state="added")))
    learn(net, case)
    assert there(net.cem, referral).state is State.CANCELLED
    net.cem.run(lambda unit: unit.peers.put(replace(unit.peers.get(CSMC), state="confirmed")))
    net.settle(4)
    assert held(net.csmc, referral) == {}


def test_a_kind_that_the_pack_does_not_know_is_excluded_in_doubt() -> None:
    """A hub of another country's pack: nobody here can say whose it is."""
    assert conflict.excluded("rights_board", "junta-ejemplo", {"police"}, BODIES)
    assert not conflict.excluded("rights_board", "junta-ejemplo", {"partner"}, BODIES)


@given(affiliations=st.frozensets(st.sampled_from([*sorted(BODIES.affiliations), f"institution:{CSMC}", "¿?"]), min_size=1, max_size=3))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_r62_chat_offers_no_excluded_institution(affiliations: frozenset[str]) -> None:
    """`derivar` without a place: every institution that is named in the answer may receive her."""
    net = fresh()
    case = opened(net.cem, {"social_name": "Marisol", "aggressor_affiliation": ", ".join(sorted(affiliations))})
    shown = net.cem.type("ana", f"!tk derivar {case.code}")
    for peer, kind in HUBS[1:]:
        if conflict.excluded(kind, peer, affiliations, BODIES):
            assert peer.replace("-", " ").title() not in shown
            assert peer not in net.cem.run(lambda unit: decide.candidates(unit, case, NEED))


OWN = ["women_ministry", "emergency_centre", "institution:cem-lima"]


@pytest.mark.parametrize("affiliation", OWN)
def test_r62_the_admin_room_does_not_name_a_case_whose_aggressor_is_one_of_us(affiliation: str) -> None:
    """Administrators may be his colleagues, or he himself: an off-boarding names the other cases, and says that there are more."""
    net = fresh(*HUBS[:2])
    hidden, other = opened(net.cem, {"social_name": "Uno"}), opened(net.cem, {"social_name": "Dos"})
    learn(net, hidden, affiliation)
    left = net.cem.run(lambda unit: staff.remove_staff(unit, net.cem.person("ana")))
    net.cem.post()
    told = "\n".join(said.body for said in net.cem.said if said.room == "!cem-lima.admin")
    assert other.code in told
    assert hidden.code not in told
    assert "y 1 más" in told
    assert left.cases == (other.code,), "the terminal names it as little"
    assert net.cem.run(lambda unit: unit.cases.get(hidden.id)).lead != net.cem.person("ana"), "somebody holds it all the same"


@pytest.mark.parametrize("affiliation", OWN)
def test_r62_fields_that_a_peer_dropped_are_told_without_the_code_of_such_a_case(affiliation: str) -> None:
    net = fresh(*HUBS[:2])
    case, referral = working(net)
    learn(net, case, affiliation)
    code = there(net.cem, referral).code

    def report(unit: Any) -> None:
        disclosure = unit.disclosures.one(referral=referral.id)
        handle.handle(unit, unit.links.one(peer=CSMC), wire.Report(referral=referral.id, disclosure=disclosure.id, dropped=("district",), why=""))

    net.cem.run(report)
    alarms = [e for e in net.events["cem-lima"] if isinstance(e, Alarm) and e.code == "fields_dropped"]
    assert alarms
    assert code not in str(alarms[-1].params)


def test_her_caseworker_is_told_that_it_is_one_of_us() -> None:
    net = fresh(*HUBS[:2])
    case = opened(net.cem, {"social_name": "Marisol"})
    told = net.cem.type("ana", f"!tk anotar {case.code} agresor: centro emergencia mujer")
    assert "de nuestra institución" in told
    assert "de nuestra institución" not in net.cem.type("ana", f"!tk anotar {case.code} agresor: policía")
