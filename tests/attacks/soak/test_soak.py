"""T1, short: 300 referrals in both directions under 30 faults and more, the first hub on PostgreSQL, the second on SQLite.

D01–D03 (kills at named points and at any moment), D05 (homeservers), D07 (lines cut, held, one-way, slow, lossy), R02 (the database).
`make soak` is the long one. `TINKUY_SOAK_SEED` plays another.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.attacks.soak.audit import Verdict, audit
from tests.attacks.soak.campaign import Campaign
from tests.attacks.soak.stage import Stage, staged

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(600)]
SEED = int(os.environ.get("TINKUY_SOAK_SEED", "7"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("soak"), postgres=True) as built:
        yield built


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def figures(stage: Stage) -> dict[str, Any]:
    """The campaign, played once; every test below looks at what it left."""
    return await Campaign(stage=stage, referrals=300, faults=31, seed=SEED).play()


async def test_t1_nothing_lost_and_nothing_doubled_under_thirty_faults(figures: dict[str, Any]) -> None:
    told = f"seed {SEED}: {figures['verdict']}"
    assert [figures[name] for name in ("lost", "doubled", "unacked", "wrong")] == [0, 0, 0, 0], told
    assert figures["referrals"] == 300
    assert figures["faults"] >= 30


async def test_every_kind_of_fault_bit(figures: dict[str, Any]) -> None:
    """Hub, homeserver, database and lines; most of the named points were really reached."""
    bitten = figures["faults_by_kind"]
    assert {"hub", "synapse", "postgres", "cut", "hold", "one_way", "slow", "loss", "client_cut", "client_one_way", "client_double"} <= set(bitten)
    assert sum(kind.startswith("at ") for kind in bitten) >= 6, bitten


async def test_r02_postgresql_restarted_again_and_again_under_traffic(stage: Stage, figures: dict[str, Any]) -> None:
    """Killed and restarted, after both in the first campaign, while referrals go both ways: each has exactly one effect all the same."""
    del figures
    told = await Campaign(stage=stage, referrals=20, faults=2, seed=SEED, only=("postgres", "postgres, restarted")).play()
    assert [told[name] for name in ("lost", "doubled", "unacked", "wrong")] == [0, 0, 0, 0], f"seed {SEED}: {told['verdict']}"
    assert told["faults_by_kind"] == {"postgres": 1, "postgres, restarted": 1}


FORGERIES = {
    "lost": ("DELETE FROM seen_messages WHERE seq = 2", "never taken"),
    "lost effect": ("DELETE FROM referrals WHERE side = 'recipient' AND inserted = (SELECT max(inserted) FROM referrals)", "never"),
    "lost values": ("DELETE FROM held_values", "held 0 times"),
    "doubled": ("INSERT INTO log_lines SELECT id || 'x', about, at, actor, what, detail, inserted FROM log_lines", "2 times"),
    "doubled disclosure": ("INSERT INTO disclosures SELECT id || 'x', {columns} FROM disclosures", "2 disclosures"),
    "another message": ("UPDATE seen_messages SET digest = x'00' WHERE seq = 2", "another message"),
    "unacked": ("UPDATE outbox SET state = 'dispatched' WHERE seq = 3", "unacked"),
    "ledger": ("UPDATE ledger SET entry = CAST(entry || x'20' AS BLOB) WHERE id = 3", "does not hold at row 3"),
    "shorter ledger": ("DELETE FROM ledger WHERE id = (SELECT max(id) FROM ledger)", "less than it sent"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_the_auditor_sees_what_is_wrong(stage: Stage, figures: dict[str, Any], forgery: str, tmp_path: Path) -> None:
    """An auditor that always says yes would prove nothing: each forgery in a copy of the second hub's database is named."""
    del figures
    change, said = FORGERIES[forgery]
    verdict = await _audited(stage, change, tmp_path)
    assert said in verdict.say(), verdict.say()


async def _audited(stage: Stage, change: str, folder: Path) -> Verdict:
    first, second = stage.kept
    copy = _Copy(second, folder)
    source = sqlite3.connect(f"file:{second.folder / 's' / 'hub.db'}?mode=ro", uri=True)
    with sqlite3.connect(copy.folder / "s" / "hub.db") as target:
        source.backup(target)
        columns = ", ".join(f'"{row[1]}"' for row in target.execute("PRAGMA table_info(disclosures)") if row[1] != "id")
        changed = target.execute(change.format(columns=columns)).rowcount
    assert changed > 0, "the forgery forged nothing"
    target.close()
    source.close()
    return audit([first, copy], {})


class _Copy:
    """A hub's papers with another database."""

    def __init__(self, hub: Any, folder: Path) -> None:
        self.plan, self.folder = hub.plan, folder
        (folder / "s").mkdir()
        self.config = folder / "tinkuy.toml"
        self.config.write_text(hub.config.read_text())
        (folder / "kek").touch()
