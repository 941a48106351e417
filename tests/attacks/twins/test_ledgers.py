"""X13, C07: a hub that rewrites or cuts its disclosure ledger is found out by what it signed before."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.actions import keep_ledger
from hub.actions.keep_ledger import verify_ledger
from hub.actions.ports import Unit
from hub.exchange.records import LedgerRow
from keys import ledger
from keys.errors import KeysError, LedgerBroken
from keys.ledger import Checkpoint, Head, verify_checkpoint
from tests.actions.road import CEM, CSMC, Net, fresh, raw, well, working
from tests.exchange.test_delivery import say

HUBS = ((CEM, "emergency_centre"), (CSMC, "mental_health_centre"))


@pytest.fixture
def net() -> Net:
    return fresh(*HUBS)


def sql(net: Net, statement: str) -> None:
    """What somebody with the database in hand can do at the emergency centre."""
    raw(net.cem.store._database).execute(statement)
    raw(net.cem.store._database).commit()


def rechained(net: Net) -> None:
    """The forger does it well: a shorter or changed chain that holds in itself."""
    from hub.exchange.records import LedgerRow

    def run(unit: Any) -> None:
        head = ledger.genesis(unit.me.id)
        rows = unit.ledger.all(order="id")
        for row in rows:
            unit.ledger.delete(row.id)
        for row in rows:
            entry = row.entry.replace(b"csmc-comas", b"otra-comas") if b"otra" not in row.entry else row.entry
            made = ledger.Row(seq=head.size + 1, previous=head.hash, entry=entry, hash=ledger._link(head, ledger.entry_digest(entry)))
            unit.ledger.add(LedgerRow(id=made.seq, at=row.at, previous=made.previous, hash=made.hash, entry=made.entry))
            head = made.head

    net.cem.run(run)


def put(unit: Unit, row: LedgerRow) -> None:
    unit.ledger.put(row)


def said(net: Net) -> list[str]:
    return [code for code in net.alarms(net.csmc) if code in ("ledger_rewritten", "checkpoint_refused")]


def test_an_honest_ledger_grows_and_nobody_says_anything(net: Net) -> None:
    _, referral = working(net)
    for number in range(4):
        say(net, net.cem, referral, f"mensaje-{number}")
        net.settle(2)
    link = net.csmc.run(lambda unit: unit.links.one(peer=CEM))
    size = net.cem.run(verify_ledger).size
    assert 0 < link.ledger_size <= size
    told = verify_checkpoint(link.checkpoint, CEM, (net.cem.store.given.hand.signer.public,))
    assert told.head == Head(size=link.ledger_size, hash=link.ledger_head), "the signed word is kept"
    assert said(net) == []
    well(net)


def test_c07_cut_rows_are_noticed_by_the_peer(net: Net) -> None:
    _, referral = working(net)
    say(net, net.cem, referral, "mensaje-0")
    net.settle()
    sql(net, "DELETE FROM ledger WHERE id > 1")
    assert net.cem.run(verify_ledger).size == 1, "cut at its end the chain holds in itself: only others can tell"
    say(net, net.cem, referral, "mensaje-1")
    net.settle()
    assert said(net) == ["ledger_rewritten"]
    say(net, net.cem, referral, "mensaje-2")
    net.settle()
    assert said(net) == ["ledger_rewritten"], "told once"


def test_x13_a_ledger_rewritten_from_the_first_row_is_noticed_by_the_peer(net: Net) -> None:
    _, referral = working(net)
    say(net, net.cem, referral, "mensaje-0")
    net.settle()
    last = net.cem.run(lambda unit: unit.ledger.get(unit.ledger.next("id") - 1))
    heard = net.csmc.run(lambda unit: unit.links.one(peer=CEM)).ledger_size
    sql(net, f"DELETE FROM ledger WHERE id > {heard}")
    assert last is not None
    rechained(net)
    net.cem.run(verify_ledger)
    say(net, net.cem, referral, "mensaje-1")
    net.settle()
    assert said(net) == ["ledger_rewritten"]


def test_a_checkpoint_that_another_key_signed_changes_nothing(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    _, referral = working(net)
    before = net.csmc.run(lambda unit: unit.links.one(peer=CEM))
    forger = net.csmc.store.given.hand.signer

    def forged(unit: Any, signer: Any) -> bytes:
        from keys.ledger import sign_checkpoint

        return sign_checkpoint(Checkpoint(institution=unit.me.id, head=Head(size=99, hash=b"x" * 32), at=unit.now), forger)

    monkeypatch.setattr("hub.actions.dispatch.checkpoint", forged)
    say(net, net.cem, referral, "mensaje-0")
    net.settle()
    assert said(net) == ["checkpoint_refused"]
    after = net.csmc.run(lambda unit: unit.links.one(peer=CEM))
    assert (after.ledger_size, after.checkpoint) == (before.ledger_size, before.checkpoint)


@pytest.mark.parametrize("column", ["entry", "previous", "hash"])
def test_c07_every_changed_row_is_found_at_home(net: Net, column: str) -> None:
    working(net)
    rows = net.cem.run(lambda unit: unit.ledger.all(order="id"))
    for row in rows:
        broken = bytearray(getattr(row, column))
        broken[len(broken) // 2] ^= 1
        spoilt = replace(row, **{column: bytes(broken)})
        net.cem.run(put, spoilt)
        with pytest.raises(KeysError):
            net.cem.run(keep_ledger.verify_ledger)
        net.cem.run(put, row)
    net.cem.run(verify_ledger)


def test_c07_every_byte_of_every_row_is_covered(net: Net) -> None:
    """One bit in each byte of each row, in a copy of the table as `tinkuy ledger verify` reads it."""
    working(net)
    rows = net.cem.run(lambda unit: unit.ledger.all(order="id"))
    stored = [ledger.Row(seq=row.id, previous=row.previous, entry=row.entry, hash=row.hash) for row in rows]
    start = ledger.genesis(net.cem.id)
    assert ledger.verify(stored, start).size == len(stored) > 1
    tried = 0
    for number, row in enumerate(stored):
        for column in ("entry", "previous", "hash"):
            for at in range(len(getattr(row, column))):
                broken = bytearray(getattr(row, column))
                broken[at] ^= 1 << (at % 8)
                with pytest.raises(LedgerBroken):
                    ledger.verify([*stored[:number], replace(row, **{column: bytes(broken)}), *stored[number + 1 :]], start)
                tried += 1
        with pytest.raises(LedgerBroken):
            ledger.verify([*stored[:number], replace(row, seq=row.seq + 1), *stored[number + 1 :]], start)
    assert tried > 500


def test_c07_deleted_doubled_and_reordered_rows_are_found(net: Net) -> None:
    """In the database itself, and by the command that verifies it."""
    working(net)
    size = net.cem.run(verify_ledger).size
    assert size >= 2
    for statements in (
        ("DELETE FROM ledger WHERE id = 1",),
        (f"UPDATE ledger SET id = 99 WHERE id = {size}",),
        ("UPDATE ledger SET id = 98 WHERE id = 1", "UPDATE ledger SET id = 1 WHERE id = 2", "UPDATE ledger SET id = 2 WHERE id = 98"),
        (f"INSERT INTO ledger SELECT {size + 1}, at, previous, hash, entry, inserted FROM ledger WHERE id = {size}",),
    ):
        sql(net, "CREATE TABLE kept AS SELECT * FROM ledger")
        for statement in statements:
            sql(net, statement)
        with pytest.raises(LedgerBroken):
            net.cem.run(verify_ledger)
        for statement in ("DELETE FROM ledger", "INSERT INTO ledger SELECT * FROM kept", "DROP TABLE kept"):
            sql(net, statement)
        assert net.cem.run(verify_ledger).size == size
