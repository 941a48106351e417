"""Every row of the catalogue of attacks that this house answers for, and those whose defence is no line of ours that could be taken away.

`test_mutations.py` holds that each row has a test that carries its id, and a mutation or a reason here.
"""

from __future__ import annotations


def _rows(letter: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number:02}" for number in numbers)


CATALOGUE: tuple[str, ...] = (
    *_rows("X", *range(1, 35)), *_rows("D", *range(1, 16)), *_rows("P", 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14), *_rows("R", *range(1, 17)),
    "C07", "C08",
)  # fmt: skip

NOTHING_TO_TAKE_AWAY: dict[str, str] = {
    "X23": "a property of the layers: without its HPKE layer an envelope is none, and the peer refuses it. The test opens real Megolm plaintext.",
    "X31": "no line of ours acts on a redaction, so there is none to disable. The test redacts, and what was said stands.",
    "P11": "no line of ours compares anything: a code of somebody else's is simply not found, and the same words are said of it.",
    "R09": "an absence: nothing of ours unpickles. The tests read every file, and plant a pickle in every column.",
    "R02": "the driver's and PostgreSQL's work around one retry; played by the soak, which kills the database server.",
}
"""Id → why no mutation stands in `mutations.py`."""

PLAYED_ELSEWHERE = frozenset({"R02"})
"""Rows whose tests live with the campaign that they are about (the soak), under names of their own."""
