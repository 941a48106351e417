"""The same alarm about the same institution again: the first is told at once, those of the next quarter of an hour together (T9).

A peer makes as many as it likes, at its own price of a few bytes each, and people must still find the one that matters.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hub.actions.common import remind
from hub.actions.ports import Unit
from hub.cases.events import Alarm

AGAIN = "again"
TOGETHER = timedelta(minutes=15)
_EACH = frozenset({"alarms_again", "link_frozen", "devices_decided"})
"""Told each time: people made it happen, or must act before it can happen again."""
_NAMES = frozenset({"devices_contested", "devices_disputed", "manifest_contested"})
"""Their `detail` names other institutions."""


def was_told(unit: Unit, alarm: Alarm) -> bool:
    """Whether its like was told a short while ago: same institution, code, reason and referral. Then it is counted here instead."""
    params = dict(alarm.params)
    if "institution" not in params or alarm.code in _EACH:
        return False
    others = params["detail"] if alarm.code in _NAMES else ""
    like = "|".join((alarm.code, params["institution"], params.get("why", ""), params.get("code", ""), others))
    for timer in unit.timers.all(kind=AGAIN, done_at=None, due_at__gt=unit.now):  # one that is due and was not run yet holds nothing back
        group, _, count = timer.ref.rpartition("|")
        if group == like:
            unit.timers.put(replace(timer, ref=f"{like}|{int(count) + 1}"))
            return True
    remind(unit, AGAIN, f"{like}|0", unit.now + TOGETHER)
    return False


def tell_together(unit: Unit, ref: str) -> None:
    """The time is over: how many there were meanwhile is told, and the next ones wait for as long again."""
    like, _, count = ref.rpartition("|")
    if int(count):
        code, institution, *_ = like.split("|")
        unit.announce(Alarm(code="alarms_again", params=(("institution", institution), ("kind", code), ("number", count))))
        remind(unit, AGAIN, f"{like}|0", unit.now + TOGETHER)
