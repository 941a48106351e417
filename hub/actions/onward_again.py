"""What a peer that came back from a copy must hear about passing on: what we took back, and what the third institution signed (R14, R71).

All of it is harmless when it is known over there: a grant ends once, and a receipt counts once.
"""

from __future__ import annotations

from hub.actions.common import intend
from hub.actions.onward_receipts import receipts_for
from hub.actions.ports import Unit
from hub.cases.lifecycle import Side
from hub.cases.records import Onward, Referral


def say_again(unit: Unit, referral: Referral) -> None:
    """To the other side of a referral that its copy knows."""
    for onward in unit.onwards.all(referral=referral.id, order="at"):
        if onward.side is Side.SENDER and onward.state in ("called_back", "ended"):
            intend(unit, referral.peer, "onward.end", referral=referral.id, onward=onward.id)
        elif onward.side is Side.RECIPIENT and onward.state in ("passed", "called_back", "ended"):
            _what_went(unit, referral, onward)


def _what_went(unit: Unit, referral: Referral, onward: Onward) -> None:
    for name in onward.disclosures:
        intend(unit, referral.peer, "onward.passed", referral=referral.id, onward=onward.id, disclosure=name)
    if onward.state == "ended":
        for receipt in receipts_for(unit, onward) or [b""]:
            intend(unit, referral.peer, "onward.ended", referral=referral.id, onward=onward.id, receipt=receipt.hex())
