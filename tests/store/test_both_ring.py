"""Two servers of one hub on one PostgreSQL, and what the day brings: a version begins, an emergency ends, a time to keep is over. Once each.

No homeserver: only who may do it, and how often it is done (`docs/adr/0014-…`). The roads over real servers are in `test_standby.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hub.actions import emergency, open_case
from hub.actions.peers import link_id
from hub.actions.ring import ring_due
from hub.base.errors import Stopped
from hub.chat.tell import tell
from hub.store.database import Database
from hub.store.lease import Lease, new_holder
from hub.store.unit_of_work import Store
from hub.testing import Twin, TwinNetwork
from policies import packs
from tests.attacks.twins.bench import CEM, COL, CSMC, HUBS, Road
from tests.fields.road import give, pack
from tests.governance.agreement import propose, sign, stage, text_of

MENTAL = packs.protocol_text("pe", "mental-health")


def server(twin: Twin, url: str, name: str) -> tuple[Store, Lease]:
    """Another process of the same hub."""
    database = Database(url)
    lease = Lease(database, twin.id, new_holder(name))
    return Store(database, replace(twin.store.given, fence=lease), tell), lease


def states(twin: Twin) -> tuple[list[str], list[str]]:
    """Of the disclosures held here: what an emergency opened, and the rest."""
    held = twin.run(lambda unit: unit.disclosures.all())
    return [d.state for d in held if d.glass], [d.state for d in held if not d.glass]


def receipts(twin: Twin) -> int:
    return twin.run(lambda unit: unit.outbox.count(link=link_id(CEM, CSMC), kind="erased"))


def rings(*stores: Store) -> list[str]:
    """What each server gets to do now."""
    done = []
    for store in stores:
        try:
            while (following := store.run_now(ring_due)) is not None and following <= store.given.clock.now():
                pass
            done.append("rang")
        except Stopped as stopped:
            done.append(stopped.code)
    return done


def test_what_the_day_brings_happens_once_and_at_the_server_that_leads(new_postgres_url: Callable[[], str]) -> None:
    url = new_postgres_url()
    net: Any = TwinNetwork(*HUBS, url=lambda name: url if name == CSMC else "sqlite://")
    road = Road(net=net)
    for twin in (road.cem, road.csmc):
        give(twin, pack())
    road.open()
    case = road.cem.run(lambda unit: unit.cases.all()[0])
    for field, value in (("address", "Calle Inventada 5"), ("risk_level", "high")):
        road.cem.run(lambda unit, field=field, value=value: open_case.set_field(unit, road.cem.person("ana"), case.id, field, value))
    road.referral = road.cem.type("ana", road.preview()[0]).partition("R-")[2][:5]
    road.referral = f"R-{road.referral}"
    net.settle()
    road.accept()
    road.csmc.enrol("sara", role="supervisor")
    asked = road.csmc.run(lambda unit: emergency.break_glass(unit, road.csmc.person("bea"), road.referral, "address", "life_in_danger", "x"))
    road.csmc.run(lambda unit: emergency.confirm_glass(unit, road.csmc.person("sara"), asked.id, agreed=True))
    name = propose(net, text_of(2, "social_name: presence", MENTAL), parties=(CEM, CSMC, COL), seat=COL, starts=1)
    sign(net, name, COL, CEM, CSMC)
    assert states(road.csmc) == (["active"], ["active"])
    assert stage(road.csmc, name) == "signed"
    (one, first), (two, second) = server(road.csmc, url, "uno"), server(road.csmc, url, "dos")
    assert first.take()
    net.clock.advance(timedelta(days=1))
    assert rings(two, one, two) == ["server.standby", "rang", "server.standby"]
    assert states(road.csmc) == (["destroyed"], ["active"])
    assert stage(road.csmc, name) == "active"
    assert receipts(road.csmc) == 1
    first.give()
    assert second.take()
    assert rings(one, two) == ["server.standby", "rang"]
    net.clock.advance(timedelta(days=120))
    assert rings(one, two, one, two) == ["server.standby", "rang"] * 2
    assert states(road.csmc) == (["destroyed"], ["destroyed"])
    assert receipts(road.csmc) == 2, "each is signed for once, whoever leads"
    began = road.csmc.run(lambda unit: unit.log.count(about=name, what="protocol.active"))
    assert began == 1

