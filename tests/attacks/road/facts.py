"""What the hubs' databases say at the end of a road: read from outside, beside the running processes."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

from deploy.demo.network import HubProcess, Network
from hub.app.offline import ledger_verify
from hub.base.config import load
from tests.attacks.soak.audit import Reader, owed

QUIET = 60.0
"""Seconds in which everything under way must have come to rest."""


@contextlib.contextmanager
def opened(hub: HubProcess) -> Iterator[sqlite3.Connection]:
    """The hub's database, read only."""
    connection = sqlite3.connect(f"file:{hub.folder / 's' / 'hub.db'}?mode=ro", uri=True, timeout=30)
    connection.row_factory = sqlite3.Row
    try:
        yield connection
    finally:
        connection.close()


def rows(hub: HubProcess, query: str, *values: Any) -> list[sqlite3.Row]:
    """The rows of one query."""
    with opened(hub) as database:
        return database.execute(query, values).fetchall()


def value(hub: HubProcess, query: str, *values: Any) -> Any:
    """The first column of the only row."""
    (found,) = rows(hub, query, *values)
    return found[0]


async def at_rest(network: Network, within: float = QUIET) -> None:
    """Wait until no hub owes anybody anything: no intent, no unacknowledged message, no post, no event unhandled."""
    async with asyncio.timeout(within):
        while True:
            if not any(owed(hub) for hub in network.hubs.values()):
                return
            await asyncio.sleep(0.2)


async def acquainted(network: Network, within: float = QUIET) -> None:
    """Wait until every hub knows what its peers are called: only then do two roads read alike."""
    async with asyncio.timeout(within):
        while True:
            if all(_named(hub) for hub in network.hubs.values()):
                return
            await asyncio.sleep(0.2)


def _named(hub: HubProcess) -> bool:
    reader = Reader(hub)  # on either database
    try:
        return all("name" in row["profile"] for row in reader.all("SELECT profile FROM peers"))
    finally:
        reader.close()


def assert_lines_whole(network: Network) -> None:
    """Every link, both directions: numbers without a gap, nothing unacknowledged, both sides at the same place with the same digest."""
    for name, hub in network.hubs.items():
        for link in rows(hub, "SELECT * FROM links"):
            sent = [r["seq"] for r in rows(hub, "SELECT seq FROM outbox WHERE link = ? AND seq > 0 ORDER BY seq", link["id"])]
            assert sent == list(range(1, link["next_out"])), (name, link["peer"], sent)
            assert link["acked_out"] == link["next_out"] - 1
            assert link["frozen"] is None
            (there,) = rows(network.hubs[link["peer"]], "SELECT * FROM links WHERE id = ?", link["id"])
            assert (there["next_in"], bytes(there["head_in"])) == (link["next_out"], bytes(link["head_out"]))
            seen = [r["seq"] for r in rows(network.hubs[link["peer"]], "SELECT seq FROM seen_messages WHERE link = ? ORDER BY seq", link["id"])]
            assert seen == sent, (name, link["peer"])


def assert_ledgers_hold(network: Network) -> None:
    """The chain of every hub verifies, and it has one row for each numbered message and no other."""
    for hub in network.hubs.values():
        told = ledger_verify(load(hub.config))
        assert told["ok"], told
        assert told["rows"] == value(hub, "SELECT count(*) FROM outbox WHERE seq > 0")


def assert_one_of_everything(network: Network, referral: str) -> None:
    """One referral, one disclosure, one withdrawal, one receipt at both hubs, and nothing held any more."""
    cem, csmc = network.hubs["cem-lima"], network.hubs["csmc-comas"]
    (ours,) = rows(cem, "SELECT * FROM referrals WHERE code = ?", referral)
    (theirs,) = rows(csmc, "SELECT * FROM referrals WHERE code = ?", referral)
    assert ours["id"] == theirs["id"]
    assert (ours["state"], ours["note"]) == (theirs["state"], theirs["note"]) == ("cancelled", "withdrawn")
    for hub in (cem, csmc):
        (disclosure,) = rows(hub, "SELECT * FROM disclosures WHERE referral = ?", ours["id"])
        assert disclosure["state"] == "destroyed"
    assert value(csmc, "SELECT count(*) FROM held_values WHERE referral = ?", ours["id"]) == 0
    assert _kinds(cem, ours["id"]) == ["disclose", "offer", "say", "withdraw"]
    assert _kinds(csmc, ours["id"]) == ["accept", "erased", "say"]
    assert len(rows(cem, "SELECT id FROM consents WHERE \"case\" = ?", ours["case"])) == 1


def _kinds(hub: HubProcess, referral: str) -> list[str]:
    found = rows(hub, "SELECT kind, state FROM outbox WHERE json_extract(ref, '$.referral') = ?", referral)
    assert {row["state"] for row in found} == {"acked"}
    return sorted(row["kind"] for row in found)
