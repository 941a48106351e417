"""A person is verified by emoji: who may say that they are the same, and when a pin rises to `verified` (`design.md` §4, ADR 0017).

The steps of one verification are the states of its row; each function here is one step. The messages between the clients are the
concern of `hub/app/verifier.py`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hub.actions.common import SYSTEM, note, staff_member
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.events import Alarm, VerificationMoved
from hub.cases.records import Verification

LIFE = timedelta(minutes=10)
"""As long as the Matrix specification lets a request live."""
KEPT = timedelta(days=30)
MOST_EACH, MOST_LIVE = 5, 8
"""Requests of one person in `LIFE`, and verifications at a time: a homeserver can invent requests in anybody's name."""
LIVE = ("asked", "ready", "shown", "same")
TERMINAL = "administrator"
"""Who answers at the command line."""
VOUCHERS = ("given", "verified")
"""Levels of a pin that somebody else's may rest on. One made at first sight is the homeserver's word, and so would her answer be."""


def ask_verification(unit: Unit, *, id: str, user: str, room: str, device: str, trusted: bool) -> Verification | None:
    """A person asks to be verified, from this device, in this room. None when that is not looked at: not enrolled, a foreign room, too many.

    What is wrong with her asking is told to her: the row is then `broken` from the beginning.
    """
    person, place = unit.staff.get(user), unit.rooms.get(room)
    if person is None or person.removed_at is not None or place is None or unit.verifications.get(id):
        return None
    if place.purpose not in ("desk", f"direct:{user}"):
        return None
    if unit.verifications.count(user=user, asked_at__ge=unit.now - LIFE) >= MOST_EACH:
        return None
    for old in unit.verifications.all(asked_at__lt=unit.now - KEPT):
        unit.verifications.delete(old.id)
    for older in unit.verifications.all(user=user, state__in=LIVE):
        break_off(unit, older.id, "superseded")
    row = Verification(
        id=id, user=user, room=room, device=device[:255], state="asked", asked_at=unit.now, expires_at=unit.now + LIFE, master=person.master or ""
    )
    unit.verifications.add(row)
    busy = unit.verifications.count(state__in=LIVE) > MOST_LIVE
    why = "device" if not trusted else "blocked" if person.refused_master or not person.master else "busy" if busy else None
    if why:
        return break_off(unit, id, why)
    note(unit, user, user, "staff.verification_asked")
    unit.announce(VerificationMoved(verification=id))
    return row


def begin_verification(unit: Unit, by: str, id: str) -> Verification:
    """An administrator is with her, in person or by telephone: go on. Raises Refused `verification_over`, `own_verification`, `voucher_unproven`."""
    row = _living(unit, by, id, "asked")
    return _move(unit, replace(row, state="ready", by=by))


def show_emoji(unit: Unit, id: str, emoji: tuple[int, ...]) -> None:
    """Both sides can compare now."""
    row = unit.verifications.get(id)
    if row and row.state == "ready":
        _move(unit, replace(row, state="shown", emoji=emoji))


def compare_emoji(unit: Unit, by: str, id: str, *, same: bool) -> Verification:
    """What an administrator saw. Raises Refused `verification_over`, `own_verification`, `voucher_unproven`."""
    row = _living(unit, by, id, "shown")
    note(unit, row.user, by, "staff.emoji_compared", same=same)
    if same:
        return _move(unit, replace(row, state="same", by=by))
    broken = break_off(unit, id, "differs")
    unit.announce(Alarm(code="verification_differs", params=(("user", row.user),)))
    return broken


def keep_verified(unit: Unit, id: str, master: str) -> Verification:
    """She proved to hold exactly this master key, and it is served: her pin rises, if it is still the pinned one and no other was served.

    Raises Refused `verification_over`, `key_changed_meanwhile`.
    """
    row = unit.verifications.get(id)
    if row is None or row.state != "same":
        raise Refused("verification_over")
    person = staff_member(unit, row.user)
    if not master or person.master != master or row.master != master or person.refused_master is not None:
        raise Refused("key_changed_meanwhile")
    unit.staff.put(replace(person, level="verified"))
    note(unit, row.user, row.by or SYSTEM, "staff.verified", by=row.by or "")
    return _move(unit, replace(row, state="verified"))


def break_off(unit: Unit, id: str, why: str) -> Verification:
    """It ends without effect; her client is still to be told. What is over already stays as it is."""
    row = unit.verifications.get(id)
    if row is None:
        raise Refused("verification_over")
    if row.state not in LIVE:
        return row
    note(unit, row.user, SYSTEM, "staff.verification_broken", why=why)
    return _move(unit, replace(row, state="broken", why=why))


def close_verification(unit: Unit, id: str) -> None:
    """Her client was told, or told us."""
    row = unit.verifications.get(id)
    if row and row.state in ("verified", "broken"):
        unit.verifications.put(replace(row, state="done" if row.state == "verified" else "ended"))


def latest_of(unit: Unit, user: str) -> Verification | None:
    """The newest verification of a person."""
    found = unit.verifications.all(user=user, order="-asked_at", limit=1)
    return found[0] if found else None


def _living(unit: Unit, by: str, id: str, state: str) -> Verification:
    row = unit.verifications.get(id)
    if row is None or row.state != state or row.expires_at <= unit.now:
        raise Refused("verification_over")
    if by == TERMINAL:
        return row
    if by == row.user:
        raise Refused("own_verification")
    voucher = staff_member(unit, by)
    if voucher.role != "administrator" or voucher.level not in VOUCHERS or voucher.refused_master is not None:
        raise Refused("voucher_unproven")
    return row


def _move(unit: Unit, row: Verification) -> Verification:
    unit.verifications.put(row)
    unit.announce(VerificationMoved(verification=row.id))
    return row
