"""The disclosure ledger: a hash chain without values (keys.md 4).

    row hash = SHA-256(join("TINKUY-v1 ledger", previous hash, seq (8), SHA-256(join("TINKUY-v1 entry", entry))))

The entry enters the chain through its own digest, so that a hub can prove to a peer that a newer checkpoint extends an older
one by handing over digests, without showing what it disclosed to others. `seq` counts from 1; the hash before row 1 is bound
to the institution. An entry names its case by HMAC under that case's ledger key: when the key goes, the chain still verifies
and nobody can link the entry any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keys import strictjson
from keys.codec import Reader, aware, block, check_id, moment, time_text, time_value
from keys.errors import BadSignature, LedgerBroken, Malformed
from keys.primitives import KEYID_SIZE, SIGNATURE_SIZE, SigningKey, VerifyKey, hmac_sha256, sha256
from keys.statement import check_bytes, sign_bytes

CHECKPOINT: Final = "checkpoint"
_MAX_ENTRY: Final = 16 * 1024
_MAX_COUNT: Final = 2**53 - 1


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What was disclosed: to whom, for what, on which ground. **Names** of fields, never a value."""

    case_ref: str
    """`case_reference(...)`: 64 hex digits that mean nothing without the case's ledger key."""
    action: str
    """A code: disclose, withdraw, receive …"""
    recipient: str
    purpose: str
    protocol: str
    """Id and version of the sharing protocol that decided."""
    ground: str
    """Consent id or legal-basis code."""
    fields: tuple[str, ...]
    message: str
    """Keyed digest of the message, hex; or empty."""
    at: datetime

    def to_bytes(self) -> bytes:
        """Canonical bytes: what is chained and stored."""
        return strictjson.dumps(
            {
                "case": self.case_ref,
                "action": self.action,
                "recipient": self.recipient,
                "purpose": self.purpose,
                "protocol": self.protocol,
                "ground": self.ground,
                "fields": sorted(self.fields),
                "message": self.message,
                "at": time_text(self.at),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Entry:
        found: Any = strictjson.loads(data, max_bytes=_MAX_ENTRY, max_depth=3)
        try:
            texts = {name: str(found[name]) for name in ("action", "recipient", "purpose", "protocol", "ground", "message")}
            fields, at = tuple(str(each) for each in found["fields"]), time_value(found["at"], "time")
            entry = cls(case_ref=str(found["case"]), fields=fields, at=at, **texts)
        except (KeyError, TypeError):
            raise Malformed("the ledger entry lacks a field or has one of a wrong type") from None
        if entry.to_bytes() != data:
            raise Malformed("the ledger entry is not spelled as this hub spells it")
        return entry


@dataclass(frozen=True, kw_only=True)
class Head:
    """Where a chain stands: how many rows, and the last one's hash."""

    size: int
    hash: bytes


@dataclass(frozen=True, kw_only=True)
class Row:
    """One link of the chain, as stored."""

    seq: int
    previous: bytes
    entry: bytes
    hash: bytes

    @property
    def head(self) -> Head:
        return Head(size=self.seq, hash=self.hash)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """An institution's signed word on where its ledger stood; peers keep the last one (C07)."""

    institution: str
    head: Head
    at: datetime


def genesis(institution: str) -> Head:
    """The head of an empty ledger; bound to its institution, so one chain cannot be shown as another's."""
    return Head(size=0, hash=sha256(b"TINKUY-v1 ledger genesis", check_id(institution, "institution id").encode("ascii")))


def append(head: Head, entry: Entry) -> Row:
    """The row that follows `head`. Store it in the same transaction as what it tells of."""
    data = entry.to_bytes()
    return Row(seq=head.size + 1, previous=head.hash, entry=data, hash=_link(head, entry_digest(data)))


def verify(rows: Iterable[Row], start: Head) -> Head:
    """Walk `rows` from `start` (`genesis(...)` or a known head) and return the last head; `LedgerBroken` names the row."""
    head = start
    for row in rows:
        if row.seq != head.size + 1 or row.previous != head.hash or row.hash != _link(head, entry_digest(row.entry)):
            raise LedgerBroken(f"the ledger does not hold at row {head.size + 1}; compare it with the peers' checkpoints")
        head = row.head
    return head


def entry_digest(entry: bytes) -> bytes:
    """What a proof shows in place of the entry."""
    return sha256(b"TINKUY-v1 entry", entry)


def extends(old: Head, new: Head, digests: Sequence[bytes]) -> bool:
    """True when `digests`, those of the rows after `old` in order, lead exactly to `new`."""
    head = old
    for digest in digests:
        head = Head(size=head.size + 1, hash=_link(head, digest))
    return head == new


def _link(head: Head, digest: bytes) -> bytes:
    return sha256(b"TINKUY-v1 ledger", head.hash, (head.size + 1).to_bytes(8, "big"), digest)


def case_reference(ledger_key: bytes, case_id: str) -> str:
    """The pseudonym of a case: HMAC-SHA256 under its own ledger key (32 bytes), hex."""
    return hmac_sha256(ledger_key, b"TINKUY-v1 case" + case_id.encode("utf-8")).hex()


def message_reference(ledger_key: bytes, digest: bytes) -> str:
    """The keyed digest of a message, so that a peer's copy cannot be matched to the case once the key is gone."""
    return hmac_sha256(ledger_key, b"TINKUY-v1 message" + digest).hex()


def sign_checkpoint(checkpoint: Checkpoint, signer: SigningKey) -> bytes:
    """Binary, under 220 bytes, to ride in every envelope and ack.

    institution (1+n) | size (8) | head hash (32) | at, s (8) | key id (16) | signature (64)
    """
    covered = (
        block(1, check_id(checkpoint.institution, "institution id").encode("ascii"))
        + checkpoint.head.size.to_bytes(8, "big")
        + checkpoint.head.hash
        + int(aware(checkpoint.at).timestamp()).to_bytes(8, "big")
    )
    return covered + bytes.fromhex(signer.public.keyid) + sign_bytes(CHECKPOINT, covered, signer)


def verify_checkpoint(data: bytes, institution: str, keys: Iterable[VerifyKey]) -> Checkpoint:
    """The checkpoint, once one of `institution`'s hub keys signed it; raises `BadSignature` or `Malformed`."""
    reader = Reader(data, "checkpoint")
    name, size, head_hash, seconds = reader.text(1, 64), reader.number(8), reader.take(32), reader.number(8)
    keyid, signature = reader.take(KEYID_SIZE).hex(), reader.take(SIGNATURE_SIZE)
    reader.end()
    signer = next((key for key in keys if key.keyid == keyid), None)
    if signer is None:
        raise BadSignature("the checkpoint is signed by a key its institution does not list", code="keys.unknown_signer")
    check_bytes(CHECKPOINT, data[: -KEYID_SIZE - SIGNATURE_SIZE], signature, signer)
    if name != institution or size > _MAX_COUNT:
        raise Malformed("the checkpoint speaks for another institution")
    return Checkpoint(institution=name, head=Head(size=size, hash=head_hash), at=moment(seconds))
