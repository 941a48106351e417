"""The aggressor works here, in this very institution (R62, R118): who may still read of the case, and who is asked to move it outside.

The case stays with whoever leads it until another institution leads: nobody may be left without accompaniment (R51). But the desk, which the
whole staff reads, shows its code and no more, its values are read by its lead and by supervision alone, and whoever bears the aggressor's name
neither reads it nor is asked about it.
"""

from __future__ import annotations

from collections.abc import Iterable

from hub.actions.common import staff_member, supervisors, value_of
from hub.actions.decide import is_ours
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.records import Case
from policies.places import plain


def is_named(unit: Unit, case: Case, user: str) -> bool:
    """Whether somebody of our staff bears the aggressor's name, as far as it was noted: one of the two names holds the other one whole."""
    named = set(plain(value_of(unit, case.id, "aggressor_name") or "").split())
    enrolled = unit.staff.get(user)
    person = set(plain(enrolled.display).split()) if enrolled else set()
    return bool(named and person) and (person <= named or (named <= person and len(named) > 1))


def shut_out(unit: Unit, case: Case, user: str) -> bool:
    """Whether this person bears the name of the aggressor of a case whose aggressor works here."""
    return is_ours(unit, case) and is_named(unit, case, user)


def may_read(unit: Unit, case: Case, by: str) -> None:
    """Raises Refused `unknown_code` for whoever bears his name, as if there were no such case, and `own_house` for who has no part in it:
    whoever neither leads it nor supervises. Where nobody supervises, the lead alone reads it.
    """
    if not is_ours(unit, case):
        return
    not_his(unit, case, by)
    if by != case.lead and staff_member(unit, by).role != "supervisor":
        raise Refused("own_house", code=case.code)


def not_his(unit: Unit, case: Case, by: str) -> None:
    """Raises Refused `unknown_code` for whoever bears the aggressor's name: what anybody may say of a case (she answers, she is safe) he may not."""
    if shut_out(unit, case, by):
        raise Refused("unknown_code", code=case.code)


def asked_to_move_it(unit: Unit, case: Case) -> tuple[str, ...]:
    """Who leads and who supervises, without whoever bears his name."""
    return without_named(unit, case, (case.lead, *supervisors(unit)))


def without_named(unit: Unit, case: Case, users: Iterable[str]) -> tuple[str, ...]:
    """These people once each, without whoever bears his name where he works here."""
    return tuple(user for user in dict.fromkeys(users) if not shut_out(unit, case, user))
