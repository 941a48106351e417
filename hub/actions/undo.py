"""`deshacer`: take back the last thing one did in this room, for 60 s, wherever nothing has left."""

from __future__ import annotations

from hub.actions.close_case import reopen
from hub.actions.open_case import undo_open
from hub.actions.plan_check_in import drop_check_in
from hub.actions.ports import Unit
from hub.actions.refer import cancel_offer
from hub.base.errors import Refused
from hub.cases.records import Undoable


def undo(unit: Unit, by: str, room: str) -> Undoable:
    """Undo the newest undoable of this person in this room. Raises Refused `nothing_to_undo`, `already_left`."""
    mine = [u for u in unit.undoables.all(user=by, room=room, order="-until") if u.until >= unit.now]
    if not mine:
        raise Refused("nothing_to_undo")
    last = mine[0]
    if last.kind == "open_case":
        undo_open(unit, by, last.ref)
    elif last.kind == "close_case":
        reopen(unit, by, last.ref)
    elif last.kind == "check_in":
        drop_check_in(unit, by, last.ref)
    else:
        _undo_referral(unit, by, last)
    unit.undoables.delete(last.id)
    return last


def _undo_referral(unit: Unit, by: str, last: Undoable) -> None:
    referral_id, intent = last.ref.split()
    row = unit.outbox.get(intent)
    referral = unit.referrals.get(referral_id)
    if row is None or referral is None or row.state != "ready":
        raise Refused("already_left", code=referral.code if referral else "")
    cancel_offer(unit, by, referral_id)
