"""Which case or referral is meant: the code that was typed, else what the thread is about; never a guess among several."""

from __future__ import annotations

from hub.actions.common import find_referral, living_referrals
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.codes import parse_code
from hub.cases.lifecycle import Side, State
from hub.cases.records import Case, Referral
from hub.chat.here import Here


def case_code(unit: Unit, here: Here, given: str | None) -> str | None:
    """The case meant: the one named, else the one this thread is about."""
    if given:
        return given
    found = unit.cases.get(here.subject or "")
    return found.id if found else None


def about_case(unit: Unit, here: Here, command: object) -> Case | None:
    """The case of ours that a command is about: by the code in it, else by the thread it was written in; None for what is about none."""
    if not hasattr(command, "case") and not hasattr(command, "referral"):
        return None
    named = getattr(command, "case", None) or getattr(command, "referral", None)
    return case_behind(unit, named or here.subject)


def case_behind(unit: Unit, code: str | None) -> Case | None:
    """The case of ours that a code or an id leads to, by itself or by one of its referrals."""
    if not code:
        return None
    plain = parse_code(code) or code
    referral = unit.referrals.get(code) or unit.referrals.one(code=plain)
    return unit.cases.get((referral.case or "-") if referral else code) or unit.cases.one(code=plain)


def referral_code(unit: Unit, here: Here, given: str | None) -> str | None:
    """The referral meant: the one named, else this thread's, else the only open one of this thread's case."""
    if given:
        return given
    if here.replied and here.replied.key and here.replied.key.startswith("msg:"):
        return here.replied.key.split(":")[1]
    if here.subject and unit.referrals.get(here.subject):
        return here.subject
    mine = [r for r in living_referrals(unit, here.subject or "-") if r.ended_at is None]
    return mine[0].id if len(mine) == 1 else None


def received(unit: Unit, here: Here, given: str | None) -> Referral:
    """The referral meant by what only the receiving side does."""
    offered = None if given or here.subject or here.replied or here.loose else _only_offer(unit)
    referral = find_referral(unit, offered or meant(unit, here, given))
    if referral.side is not Side.RECIPIENT:
        raise Refused("theirs_to_do", code=referral.code, institution=referral.peer)
    return referral


def meant(unit: Unit, here: Here, given: str | None) -> str:
    """As `referral_code`; when there is none, or more than one, says so."""
    found = referral_code(unit, here, given)
    case = unit.cases.get(here.subject or "")
    if found is None and case is not None:
        living = [r.code for r in living_referrals(unit, case.id) if r.ended_at is None]
        raise Refused("which_referral" if living else "no_referral", code=case.code, referrals=", ".join(living))
    if found is None:
        raise Refused("no_referral_code")
    return found


def _only_offer(unit: Unit) -> str | None:
    """The one offer that waits for an answer here; with several, the code must be said."""
    waiting = unit.referrals.all(side=Side.RECIPIENT, state=State.RECEIVED, limit=2)
    return waiting[0].id if len(waiting) == 1 else None
