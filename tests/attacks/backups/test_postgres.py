"""The same on PostgreSQL, and from one database to the other: backup of a hub at work, shredding, restore (R14, D11)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attacks.backups.bench import CEM, CSMC, Filed, in_files, readable
from tests.attacks.canaries import hits, marker
from tests.attacks.twins.bench import Road, found
from tests.store.conftest import new_postgres_url, postgres  # noqa: F401  # fixtures

pytestmark = pytest.mark.timeout(400)


@pytest.mark.parametrize("way", ["postgres to postgres", "sqlite to postgres", "postgres to sqlite"])
def test_r14_d11_on_postgresql(new_postgres_url: Callable[[], str], tmp_path: Path, way: str) -> None:  # noqa: F811  # the fixture
    before, after = ([in_files, lambda folder: (new_postgres_url(), new_postgres_url())][word == "postgres"] for word in way.split(" to "))
    net = Filed(tmp_path, CSMC, urls=before)
    road = Road(net=net)
    names = {"stays": marker(), "goes": marker()}
    codes = {}
    for who, name in names.items():
        codes[who] = road.open(name)
        road.referral = found(r"R-\w{5}", road.cem.type("ana", road.preview()[0]))
        net.settle()
        road.accept()
    parts = net.back_up(CSMC)
    road.code = codes["goes"]
    road.withdraw()
    net.settle(10)
    net.pulse(CSMC)
    net.machines[CSMC].close()
    net._urls = after
    done = net.restore(CSMC, parts)
    assert done["proven"]
    assert done["buried"] >= 1
    assert hits(readable(net.machines[CSMC]).encode(), names) == ["stays"]
    net.settle(20)
    assert net[CSMC].run(lambda unit: unit.disclosures.count(state="active")) == 1
    road.csmc = net[CSMC]
    road.csmc.type("bea", f"!tk decir {road.csmc.run(lambda unit: unit.referrals.one(state='accepted')).code}: aquí seguimos")
    net.settle(5)
    assert sum("aquí seguimos" in said.body for said in net[CEM].said) == 1
    assert [link.frozen for hub in (net[CEM], net[CSMC]) for link in hub.run(lambda unit: unit.links.all())] == [None] * 4
