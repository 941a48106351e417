"""Signed words about destruction: the tombstone before it and the receipt after it (keys.md 3, design.md 5.8).

Shred = signed tombstone -> delete the wrapped key -> mark confirmed. The tombstone is what start-up and a restored backup
replay; the receipt is what the institution that sent the data gets back. Both hold ids, never a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from keys import strictjson
from keys.codec import check_id, time_text, time_value
from keys.errors import Malformed
from keys.primitives import SigningKey, VerifyKey
from keys.statement import Statement, sign, verify

RECEIPT: Final = "erasure-receipt"
TOMBSTONE: Final = "tombstone"
_MAX_BYTES: Final = 16 * 1024


class Outcome(StrEnum):
    """What the holder did."""

    DESTROYED = "destroyed"
    RETAINED = "retained"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One holder's word on one referral's data."""

    institution: str
    """The holder, who signs."""
    referral: str
    disclosures: tuple[str, ...]
    """Ids of the disclosures covered; their order carries nothing and is kept sorted."""
    outcome: Outcome
    at: datetime
    legal_basis: str = ""
    """Only and always for `retained`: a code of the policy vocabulary."""
    until: date | None = None
    """Only and always for `retained`: the day after which it will be destroyed."""

    def __post_init__(self) -> None:
        check_id(self.institution, "institution id")
        for value in (self.referral, *self.disclosures):
            _check_ref(value)
        if tuple(sorted(set(self.disclosures))) != self.disclosures:
            raise Malformed("a receipt lists its disclosures sorted, each once")
        if not isinstance(self.outcome, Outcome):
            raise Malformed("a receipt says `destroyed` or `retained`")
        retained = self.outcome is Outcome.RETAINED
        if retained != bool(self.legal_basis) or retained != (self.until is not None):
            raise Malformed("exactly a retained record names a legal basis and a last day")
        if len(self.legal_basis) > 200 or not self.legal_basis.isprintable():
            raise Malformed("a legal basis is a short code")


@dataclass(frozen=True, kw_only=True)
class Tombstone:
    """The decision to destroy the keys of `owners`, written and signed before the first is deleted."""

    institution: str
    owners: tuple[str, ...]
    reason: str
    at: datetime

    def __post_init__(self) -> None:
        check_id(self.institution, "institution id")
        for value in (self.reason, *self.owners):
            _check_ref(value)
        if not self.owners:
            raise Malformed("a tombstone names what it destroys")


def sign_receipt(receipt: Receipt, signer: SigningKey) -> bytes:
    """The signed statement, for a message body and for the referral's record."""
    payload = {
        "institution": receipt.institution,
        "referral": receipt.referral,
        "disclosures": list(receipt.disclosures),
        "outcome": receipt.outcome.value,
        "at": time_text(receipt.at),
        "legal_basis": receipt.legal_basis,
        "until": None if receipt.until is None else receipt.until.isoformat(),
    }
    return sign(RECEIPT, strictjson.dumps(payload), signer).to_bytes()


def verify_receipt(data: bytes, institution: str, keys: Iterable[VerifyKey]) -> Receipt:
    """The receipt, once one of `institution`'s hub keys signed it; raises `BadSignature` or `Malformed`."""
    found = _verified(RECEIPT, data, keys)
    try:
        receipt = Receipt(
            institution=found["institution"],
            referral=found["referral"],
            disclosures=_texts(found["disclosures"]),
            outcome=Outcome(found["outcome"]),
            at=time_value(found["at"], "time"),
            legal_basis=found["legal_basis"],
            until=None if found["until"] is None else _day(found["until"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Malformed("the receipt lacks a field or has one of a wrong type") from None
    if receipt.institution != institution:
        raise Malformed("the receipt speaks for another institution")
    return receipt


def sign_tombstone(tombstone: Tombstone, signer: SigningKey) -> bytes:
    payload = {
        "institution": tombstone.institution,
        "owners": list(tombstone.owners),
        "reason": tombstone.reason,
        "at": time_text(tombstone.at),
    }
    return sign(TOMBSTONE, strictjson.dumps(payload), signer).to_bytes()


def verify_tombstone(data: bytes, institution: str, keys: Iterable[VerifyKey]) -> Tombstone:
    """The tombstone, once one of our hub keys, past or present, signed it; raises `BadSignature` or `Malformed`."""
    found = _verified(TOMBSTONE, data, keys)
    try:
        tombstone = Tombstone(
            institution=found["institution"],
            owners=_texts(found["owners"]),
            reason=found["reason"],
            at=time_value(found["at"], "time"),
        )
    except (KeyError, TypeError):
        raise Malformed("the tombstone lacks a field or has one of a wrong type") from None
    if tombstone.institution != institution:
        raise Malformed("the tombstone speaks for another institution")
    return tombstone


def _verified(kind: str, data: bytes, keys: Iterable[VerifyKey]) -> Any:
    payload = verify(kind, Statement.from_bytes(data, max_bytes=_MAX_BYTES), keys)
    return strictjson.loads(payload, max_bytes=_MAX_BYTES, max_depth=3)


def _texts(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list):
        raise Malformed("ids come as a list")
    return tuple(found)


def _check_ref(value: Any) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= 128 or not value.isascii() or not value.isprintable():
        raise Malformed("an id is 1 to 128 printable ASCII characters")


def _day(text: Any) -> date:
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError
    return day
