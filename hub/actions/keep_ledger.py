"""The disclosure ledger: one row in the same transaction as every dispatch; names and references, never a value (`keys.md` §4)."""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.exchange.records import LedgerRow
from keys import ledger
from keys.errors import KeyDestroyed
from keys.ledger import Checkpoint, Entry, Head
from keys.primitives import SigningKey, random_bytes

_PREFIX = "led_"


def make_ledger_key(unit: Unit, subject: str) -> None:
    """A key that makes the ledger's entries about this case (or referral) linkable; it dies with the case."""
    if not unit.vault.exists(_PREFIX + subject):
        unit.vault.keep_secret(_PREFIX + subject, random_bytes(32))


def ledger_key_owner(subject: str) -> str:
    """The key store's name of the ledger key of a case."""
    return _PREFIX + subject


def append_ledger(
    unit: Unit, subject: str, action: str, recipient: str, *, digest: bytes, purpose: str = "", protocol: str = "", ground: str = "",
    fields: tuple[str, ...] = (),
) -> None:  # fmt: skip
    """Chain one entry about `subject` (a case here, or a referral of another institution's case)."""
    try:
        if unit.tombstones.get(_PREFIX + subject) is None:
            make_ledger_key(unit, subject)
        key = unit.vault.secret(_PREFIX + subject)
    except KeyDestroyed:
        key = random_bytes(32)
    entry = Entry(
        case_ref=ledger.case_reference(key, subject),
        action=action,
        recipient=recipient,
        purpose=purpose,
        protocol=protocol,
        ground=ground,
        fields=fields,
        message=ledger.message_reference(key, digest),
        at=unit.now,
    )
    row = ledger.append(_head(unit), entry)
    unit.ledger.add(LedgerRow(id=row.seq, at=unit.now, previous=row.previous, hash=row.hash, entry=row.entry))


def checkpoint(unit: Unit, signer: SigningKey) -> bytes:
    """Our signed word on where the ledger stands, to ride in every envelope."""
    return ledger.sign_checkpoint(Checkpoint(institution=unit.me.id, head=_head(unit), at=unit.now), signer)


def verify_ledger(unit: Unit) -> Head:
    """Walk the whole chain. Raises `LedgerBroken`, which names the first row that does not hold."""
    rows = (ledger.Row(seq=r.id, previous=r.previous, entry=r.entry, hash=r.hash) for r in unit.ledger.all(order="id"))
    return ledger.verify(rows, ledger.genesis(unit.me.id))


def _head(unit: Unit) -> Head:
    last = unit.ledger.get(unit.ledger.next("id") - 1)
    return Head(size=last.id, hash=last.hash) if last else ledger.genesis(unit.me.id)

