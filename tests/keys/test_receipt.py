"""Signed words about destruction (P12, P14, R14)."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from keys import statement, strictjson
from keys.errors import BadSignature, KeysError, Malformed
from keys.primitives import SigningKey
from keys.receipt import (
    Outcome,
    Receipt,
    Tombstone,
    sign_receipt,
    sign_tombstone,
    verify_receipt,
    verify_tombstone,
)

HUB = SigningKey(b"h" * 32)
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
DESTROYED = Receipt(institution="csmc-comas", referral="R-4F2K", disclosures=("d1", "d2"), outcome=Outcome.DESTROYED, at=NOW)
RETAINED = replace(DESTROYED, outcome=Outcome.RETAINED, legal_basis="pe-ley-30364", until=date(2031, 1, 1))
STONE = Tombstone(institution="csmc-comas", owners=("disclosure/d1", "referral/R-4F2K"), reason="withdrawal", at=NOW)


@pytest.mark.parametrize("receipt", [DESTROYED, RETAINED, replace(DESTROYED, disclosures=())])
def test_receipts_round_trip(receipt: Receipt) -> None:
    assert verify_receipt(sign_receipt(receipt, HUB), "csmc-comas", [HUB.public]) == receipt


def test_a_receipt_speaks_only_for_its_signer() -> None:
    data = sign_receipt(DESTROYED, HUB)
    with pytest.raises(Malformed):
        verify_receipt(data, "cem-lima", [HUB.public])
    with pytest.raises(BadSignature):
        verify_receipt(data, "csmc-comas", [SigningKey.generate().public])


def test_retained_cannot_be_read_as_destroyed() -> None:
    signed = statement.Statement.from_bytes(sign_receipt(RETAINED, HUB))
    other = statement.Statement(payload=signed.payload.replace(b"retained", b"destroyed"), signatures=signed.signatures)
    with pytest.raises(BadSignature):
        verify_receipt(other.to_bytes(), "csmc-comas", [HUB.public])


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": Outcome.RETAINED},
        {"outcome": Outcome.RETAINED, "legal_basis": "x"},
        {"outcome": Outcome.RETAINED, "until": date(2031, 1, 1)},
        {"legal_basis": "x"},
        {"until": date(2031, 1, 1)},
        {"disclosures": ("b", "a")},
        {"disclosures": ("a", "a")},
        {"disclosures": ("",)},
        {"referral": "ñ"},
        {"institution": "X"},
        {"outcome": "destroyed?"},
    ],
)
def test_contradicting_receipts_cannot_be_made(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        replace(DESTROYED, **change)


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [1], "2031-1-1", "20310101"])
@pytest.mark.parametrize("name", ["institution", "referral", "disclosures", "outcome", "at", "legal_basis", "until"])
def test_signed_nonsense_stays_in_the_family(name: str, value: Any) -> None:
    payload = strictjson.loads(statement.Statement.from_bytes(sign_receipt(RETAINED, HUB)).payload)
    data = statement.sign("erasure-receipt", strictjson.dumps({**payload, name: value}), HUB).to_bytes()
    try:
        found = verify_receipt(data, "csmc-comas", [HUB.public])
    except KeysError:
        return
    assert name != "disclosures" or isinstance(value, list), "text was read as a list of letters"
    assert verify_receipt(sign_receipt(found, HUB), "csmc-comas", [HUB.public]) == found


def test_tombstones_round_trip_and_are_no_receipts() -> None:
    data = sign_tombstone(STONE, HUB)
    assert verify_tombstone(data, "csmc-comas", [HUB.public]) == STONE
    with pytest.raises(BadSignature):
        verify_receipt(data, "csmc-comas", [HUB.public])
    with pytest.raises(BadSignature):
        verify_tombstone(sign_receipt(DESTROYED, HUB), "csmc-comas", [HUB.public])
    with pytest.raises(Malformed):
        verify_tombstone(data, "other", [HUB.public])
    with pytest.raises(Malformed):
        replace(STONE, owners=())
