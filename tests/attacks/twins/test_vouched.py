"""C08: whoever can write to the database flips trust flags, roles, manifests, consents: the hub does not go on with such a row."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hub.actions.devices import untold
from hub.actions.erase import shred
from hub.actions.guard import set_mode
from hub.app.servers import Servers
from hub.app.worker import Worker
from hub.base.errors import Forged
from hub.store import tables
from hub.store.unit_of_work import check_vouched
from keys.identity import HUB_SIGNING, OPENING
from keys.manifest import make_manifest
from keys.primitives import SigningKey
from keys.succession import successor
from tests.actions.road import CSMC, Net, fresh, raw, working

CHANGES = {
    "pin": "UPDATE staff SET master = 'AttackerAttackerAttackerAttackerAttackerAtt'",
    "pin level": "UPDATE staff SET level = 'verified'",
    "role": "UPDATE staff SET role = 'administrator'",
    "name": "UPDATE staff SET display = 'Otra Persona'",
    "moved to another user": "UPDATE staff SET id = '@mallory:' || substr(id, instr(id, ':') + 1) WHERE id LIKE '@ana:%'",
    "confirmed peer": "UPDATE peers SET state = 'confirmed', confirmed_by = 'nadie'",
    "manifest": "UPDATE peers SET manifest = replace(manifest, 'a', 'b')",
    "manifests exchanged": "UPDATE peers SET manifest = (SELECT manifest FROM peers p WHERE p.id <> peers.id LIMIT 1)",
    "frozen": "UPDATE links SET frozen = 'x'",
    "sequence": "UPDATE links SET next_in = next_in + 1",
    "head": "UPDATE links SET head_in = zeroblob(32)",
    "consent for more": "UPDATE consents SET fields = '[\"legal_name\"]'",
    "consent for others": "UPDATE consents SET recipients = '[\"colectiva-miluska\"]'",
    "consent for longer": "UPDATE consents SET until = until + 1",
    "room": "UPDATE rooms SET purpose = purpose || 'x'",
    "seal": "UPDATE staff SET seal = zeroblob(32)",
    "no seal": "UPDATE consents SET seal = x''",
    "seal of another row": "UPDATE staff SET seal = (SELECT seal FROM staff s WHERE s.id <> staff.id LIMIT 1)",
}


@pytest.fixture
def net() -> Net:
    made = fresh()
    working(made, {"social_name": "Luz Inventada"})
    made.settle()
    return made


def sql(net: Net, statement: str) -> int:
    """What somebody with the database in hand can do at the emergency centre; how many rows changed."""
    driver: sqlite3.Connection = raw(net.cem.store._database)
    changed = driver.execute(statement).rowcount
    driver.commit()
    return changed


@pytest.mark.parametrize("change", CHANGES)
def test_c08_a_row_that_somebody_else_wrote_is_never_used(net: Net, change: str) -> None:
    net.cem.run(check_vouched)
    assert sql(net, CHANGES[change]), "the attack changed something"
    with pytest.raises(Forged) as refused:
        net.cem.run(check_vouched)
    assert refused.value.code == "database.row_forged"
    assert refused.value.params["table"] == CHANGES[change].split()[1]


def test_c08_rows_that_were_added_are_never_used(net: Net) -> None:
    """A whole new person, peer or consent: copied from a good row under another name, seal and all."""
    for table, key in (("staff", "'@mallory:x'"), ("peers", "'hogar-x'"), ("consents", "'con_forged'")):
        names = [column.name for column in tables.metadata.tables[table].columns]
        columns = ", ".join(f'"{name}"' for name in names)
        values = ", ".join([key, *(f'"{name}"' for name in names[1:])])
        assert sql(net, f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} LIMIT 1") == 1
        with pytest.raises(Forged):
            net.cem.run(check_vouched)
        sql(net, f"DELETE FROM {table} WHERE id = {key}")
        net.cem.run(check_vouched)


def test_c08_a_setting_of_the_guard_made_in_the_database_is_never_used(net: Net) -> None:
    """An insider silences the language guard by an edit: noticed like every row of trust."""
    net.cem.run(set_mode, "administrator", "desk", "advise")
    net.cem.run(check_vouched)
    assert sql(net, "UPDATE guard_modes SET mode = 'off'") == 1
    with pytest.raises(Forged) as refused:
        net.cem.run(check_vouched)
    assert refused.value.params["table"] == "guard_modes"
    sql(net, "DELETE FROM guard_modes")


def test_c08_every_column_of_every_vouched_row_is_covered(net: Net) -> None:
    """Column by column, by whatever differs from what stands there."""
    tried = 0
    for mapping in (tables.STAFF, tables.PEERS, tables.LINKS, tables.ROOMS, tables.CONSENTS):
        name = mapping.table.name
        for column in mapping.names:
            sql(net, f"CREATE TABLE kept AS SELECT * FROM {name}")
            kind = str(mapping.table.c[column].type)
            value = {"TEXT": "'x'", "BIGINT": "99", "BLOB": "x'01'", "BOOLEAN": f"1 - \"{column}\""}[kind]
            assert sql(net, f'UPDATE {name} SET "{column}" = {value} WHERE rowid = (SELECT min(rowid) FROM {name})') == 1
            with pytest.raises(Forged):
                net.cem.run(check_vouched)
            sql(net, f"DELETE FROM {name}")
            sql(net, f"INSERT INTO {name} SELECT * FROM kept")
            sql(net, "DROP TABLE kept")
            net.cem.run(check_vouched)
            tried += 1
    assert tried > 40


def test_c08_no_disclosure_leaves_on_a_consent_that_was_made_in_the_database() -> None:
    """The consent ended; an insider with the database wakes it up, while the intent to disclose waits: nothing leaves."""
    from tests.attacks.twins.bench import CEM as centre
    from tests.attacks.twins.bench import Road
    from tests.attacks.twins.test_promises import accepted_but_not_dispatched

    road = Road()
    accepted_but_not_dispatched(road)
    assert road.cem.id == centre
    driver: Any = raw(road.cem.store._database)
    driver.execute("UPDATE consents SET recipients = ?, until = until + 1", (json.dumps([CSMC, "hogar-luz"]),))
    driver.commit()
    with pytest.raises(Forged):
        road.net.settle()
    assert road.holds() == 0


def test_c08_a_tombstone_that_was_made_in_the_database_buries_nobody(net: Net) -> None:
    """One row each, in the data database alone: no key of ours was needed for it. The very next unit would shred them."""
    keys = net.cem.store.given.keys
    owners = net.cem.run(lambda unit: [case.id for case in unit.cases.all()])
    assert owners
    assert all(keys.exists(owner) for owner in owners)
    for owner in owners:
        sql(net, f"INSERT INTO tombstones (id, why, at, inserted, seal) VALUES ('{owner}', 'x', 0, 1, zeroblob(32))")
    for _ in range(2):
        with pytest.raises(Forged):
            net.cem.run(lambda unit: None)
    assert all(keys.exists(owner) for owner in owners)


def test_c08_whatever_says_so_the_hubs_own_key_is_never_buried(net: Net) -> None:
    """A sealed row too: with that key every seal, and so every backup's next start, would be gone."""
    with pytest.raises(Forged):
        net.cem.run(lambda unit: shred(unit, "hub", "x"))
    assert net.cem.store.given.keys.exists("hub")


def test_c08_a_statement_of_our_devices_that_was_made_in_the_database_is_not_told(net: Net) -> None:
    """It is signed by nobody the peers know; but it would also never be replaced by a true one (its number stands above)."""
    sql(net, "INSERT INTO own_statements (id, number, data, at, inserted, seal) VALUES ('devices', 1 << 60, x'00', 0, 1, zeroblob(32))")
    with pytest.raises(Forged):
        net.cem.run(untold)


def test_c08_a_manifest_of_our_own_that_was_made_in_the_database_never_takes_force(net: Net, tmp_path: Path) -> None:
    """The other server would fetch it at its next start: version 40, signed by the forger's root, with his signing key beside ours."""
    hand, database = net.cem.store.given.hand, net.cem.store._database
    servers = Servers(SimpleNamespace(database=SimpleNamespace(server="b"), institution=SimpleNamespace(id=net.cem.id)))
    servers.over(database, net.cem.store.given.keys)
    root, signer = SigningKey.generate(), SigningKey.generate()
    profile = successor(hand.manifest, net.clock.now(), roots=(root.public,), hub_signing=(hand.signer.public, signer.public))
    forged = make_manifest(replace(profile, version=40), [root])
    secrets = {HUB_SIGNING: hand.signer.reveal(), OPENING: hand.opening.reveal()}
    keyring: Any = SimpleNamespace(has=secrets.__contains__, get=secrets.__getitem__)
    servers.share_manifest(hand.manifest, net.clock.now())
    servers.fetch_manifest(tmp_path / "manifest.json", keyring)
    assert (tmp_path / "manifest.json").read_bytes() == hand.manifest.raw, "ours is taken"
    driver = raw(database)
    driver.execute("UPDATE own_statements SET number = 40, data = ? WHERE id = 'manifest'", (forged,))
    driver.commit()
    with pytest.raises(Forged):
        servers.fetch_manifest(tmp_path / "manifest.json", keyring)
    assert (tmp_path / "manifest.json").read_bytes() == hand.manifest.raw
    with pytest.raises(Forged):
        net.cem.run(servers.check_manifest)


async def test_c08_a_worker_that_meets_such_a_row_stops_and_does_not_try_again() -> None:
    class Meets(Worker):
        turns = 0

        async def turn(self) -> float:
            self.turns += 1
            raise Forged("database.row_forged", table="staff", row="x")

    worker = Meets()
    with pytest.raises(Forged):
        await asyncio.wait_for(worker.run(), timeout=10)
    assert worker.turns == 1
