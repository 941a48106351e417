"""A way to reach her that goes to another institution without the safe way to do it: said before it is confirmed (R29).

Whoever calls at the wrong hour, or says who is calling, may tell the one she hides from. One sentence, wherever such a field would leave: the
preview of a referral, a field that is asked for later, a number that is noted while a referral waits for it, and the safe way taken back alone.
"""

from __future__ import annotations

from hub.actions.ports import Unit
from hub.actions.reach import WAYS, calls_blindly, told, turns_blind, would_tell
from hub.actions.withdraw import Stops
from hub.base.i18n import mark
from hub.cases.lifecycle import WORKING, Side, State
from hub.cases.records import Ask, Case, Referral

WARNING = mark(
    "Atención: va cómo llegar a ella, sin la forma segura de contactarla. Quien la busque no sabrá cómo hacerlo sin ponerla en peligro."
)


def if_granted(unit: Unit, asked: Ask) -> bool:
    """Whether what is asked for would go to somebody whom the safe way was never told; noted here later, it does not follow by itself."""
    referral = unit.referrals.get(asked.referral)
    return asked.field in WAYS and referral is not None and calls_blindly({asked.field, *told(unit, referral)})


def once_noted(unit: Unit, case: Case, field: str) -> bool:
    """Whether what was just noted goes, or will once they accept, to somebody who would not have the safe way beside it."""
    return field in WAYS and any(_goes_blindly(unit, case, referral, field) for referral in unit.referrals.all(case=case.id, side=Side.SENDER))


def _goes_blindly(unit: Unit, case: Case, referral: Referral, field: str) -> bool:
    if referral.state in WORKING:
        granted = unit.asks.count(referral=referral.id, side=Side.SENDER, field=field, state="granted")
        return bool(granted) and calls_blindly({field, *told(unit, referral)})
    leaves = would_tell(unit, case, referral) if referral.state in (State.DRAFT, State.REQUESTED, State.RECEIVED) else set()
    return field in leaves and calls_blindly(leaves)


def if_withdrawn(unit: Unit, stops: Stops) -> bool:
    """Whether somebody would keep, or be sent anew, a way to reach her of which the safe way is taken back."""
    return bool(stops.fields) and any(_stays_blindly(unit, stops, referral) for referral in stops.referrals)


def _stays_blindly(unit: Unit, stops: Stops, referral: Referral) -> bool:
    anew = would_tell(unit, stops.case, referral) - set(stops.fields)
    if referral.state in (State.REQUESTED, State.RECEIVED):
        return turns_blind(would_tell(unit, stops.case, referral), anew)
    gone = {d.id for d in stops.disclosures if d.referral == referral.id}
    stays = told(unit, referral, without=gone)
    return turns_blind(told(unit, referral), stays | anew if gone and referral.state in WORKING else stays)
