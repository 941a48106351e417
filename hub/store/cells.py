"""Every place of the data database in which something lies sealed, and under whose key: for verifying a backup and for attacking one.

A sealed column that is not named here is a defect that `tests/store/test_cells.py` finds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SealedCell:
    """One sealed value: its owner's key opens it at this place (`table|rest`, see `unit_of_work.Vault`)."""

    owner: str
    place: str
    sealed: bytes


def cells_of(table: str, row: dict[str, Any]) -> Iterator[SealedCell]:
    """The sealed values of one row, as its columns say."""
    sealed = bytes(row.get("sealed") or b"")
    if sealed:
        owner, place = _where(table, row)
        yield SealedCell(owner=owner, place=place, sealed=sealed)
    if table == "outbox":
        ref = json.loads(row["ref"])
        if "words" in ref:
            yield SealedCell(owner=str(ref["owner"]), place="outbox|words", sealed=bytes.fromhex(str(ref["words"])))


def _where(table: str, row: dict[str, Any]) -> tuple[str, str]:
    places: dict[str, tuple[str, str]] = {
        "case_fields": (str(row.get("case")), f"case_fields|{row.get('field')}"),
        "held_values": (str(row.get("disclosure")), f"held_values|{row.get('referral')}|{row.get('field')}"),
        "posts": (str(row.get("owner")), f"posts|sealed|{row.get('id')}"),
        "outbox": (str(row.get("owner")), "outbox|sealed"),
        "legal_bases": (str(row.get("case")), f"legal_bases|{row.get('id')}"),
        "early_messages": ("hub", "early|sealed"),
        "dialogues": ("hub", f"dialogues|sealed|{row.get('id')}"),
    }
    return places[table]
