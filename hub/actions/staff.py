"""Enrol, re-pin and off-board staff; who is on duty (`design.md` §4). Trust is a pinned master key, at a level that is always shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hub.actions.common import SYSTEM, note, staff_member, supervisors
from hub.actions.decide import is_ours
from hub.actions.facts import BLOCKED, REMOVED, REPINNED, SERVED, tell
from hub.actions.own_house import without_named
from hub.actions.peers import tell_profile
from hub.actions.ports import Unit
from hub.actions.rosters import restate_all
from hub.base.errors import Refused
from hub.cases.events import Alarm, CaseChanged, ReferralMoved
from hub.cases.lifecycle import Side
from hub.cases.records import Case, Referral, Staff
from keys.manifest import Manifest

ROLES = ("caseworker", "supervisor", "administrator")
LEVELS = ("seen", "given", "verified")
WARNING = "warning:"
"""What the names of messages begin with that warn a person of her own devices."""
_USER = re.compile(r"@[^:\s]{1,200}:[^\s]{1,200}")


@dataclass(frozen=True, kw_only=True)
class Departure:
    """Somebody left: the codes of what she had in hand, her cases' check-ins that are still to come, and who has all of it now.

    `to` is None when nobody is left who could: then nothing rings anybody until a person is enrolled.
    """

    person: Staff
    to: str | None
    cases: tuple[str, ...]
    referrals: tuple[str, ...]
    check_ins: int
    unnamed: int = 0
    """Cases of hers whose aggressor belongs to this institution: they moved too, and administrators are told how many (R62)."""


def add_staff(
    unit: Unit, user: str, *, display: str, role: str = "caseworker", language: str = "es", on_duty: bool = True, fingerprint: str | None = None
) -> Staff:
    """Enrol a person, or enrol her again. Without a fingerprint her key is pinned at first sight (`seen`), in the open.

    Raises Refused `bad_user`, `unknown_role`, `already_enrolled`, `account_of_hub`.
    """
    if not _USER.fullmatch(user):
        raise Refused("bad_user")
    if role not in ROLES:
        raise Refused("unknown_role", role=role[:30])
    old = unit.staff.get(user)
    if old is not None and old.removed_at is None:
        raise Refused("already_enrolled")
    _refuse_hubs(unit, user)
    person = Staff(
        id=user,
        display=display.strip()[:60] or user.split(":")[0].lstrip("@"),
        role=role,
        language=language,
        on_duty=on_duty,
        level="given" if fingerprint else "seen",
        added_at=unit.now,
        master=plain_fingerprint(fingerprint),
    )
    (unit.staff.put if old else unit.staff.add)(person)
    note(unit, user, SYSTEM, "staff.added", role=role, level=person.level)
    _take_up(unit)
    tell_profile(unit)
    return person


def _refuse_hubs(unit: Unit, user: str) -> None:
    """No hub's account is a person: as staff it would come to the desk, and what it says as a hub would be heard no more."""
    peers = [(peer.id, Manifest.from_bytes(peer.manifest)) for peer in unit.peers.all(order="id")]
    for institution, manifest in [(unit.me.id, unit.hand.manifest), *peers]:
        if manifest.profile.matrix_user == user:
            raise Refused("account_of_hub", institution=institution)


def pin_first_sight(unit: Unit, user: str, master: str) -> None:
    """Keep the master key that was seen first. A later one is never taken silently."""
    person = unit.staff.get(user)
    if person and person.removed_at is None and person.master is None:
        unit.staff.put(replace(person, master=master))
        note(unit, user, SYSTEM, "staff.pinned", level=person.level)
        restate_all(unit)


def refuse_master(unit: Unit, user: str, master: str) -> None:
    """The homeserver serves another master key than the pinned one: she is blocked until an administrator pins again (X03)."""
    person = unit.staff.get(user)
    if person and person.master in (None, master):
        return  # a report that was on its way while her key was pinned anew: this is the key that an administrator accepted
    if person and person.removed_at is None and person.refused_master != master:
        unit.staff.put(replace(person, refused_master=master))
        restate_all(unit)
        if person.refused_master is None:  # once: a homeserver may invent a new key with each answer
            tell(unit, BLOCKED, unit.vault.alias(user), SERVED)
        note(unit, user, SYSTEM, "staff.key_changed")
        unit.announce(Alarm(code="key_changed", params=(("user", user), ("detail", master))))


def repin_staff(unit: Unit, user: str, fingerprint: str | None) -> Staff:
    """An administrator accepts a new master key: a given one, or the next that is seen. Raises Refused `not_enrolled`.

    The warnings about her devices that could not reach her while she was blocked are over: they speak of the identity that she left.
    """
    person = staff_member(unit, user)
    level = "given" if fingerprint else "seen"
    person = replace(person, master=plain_fingerprint(fingerprint), level=level, refused_master=None)
    unit.staff.put(person)
    tell(unit, BLOCKED, unit.vault.alias(user), REPINNED)
    note(unit, user, SYSTEM, "staff.repinned", level=level)
    for post in unit.posts.all(purpose=f"direct:{user}", state="ready"):
        if (post.key or "").startswith(WARNING):
            unit.posts.put(replace(post, state="dropped", sealed=b""))
    unit.announce(Alarm(code="staff_repinned", params=(("user", user),)))
    restate_all(unit)
    return person


def remove_staff(unit: Unit, user: str) -> Departure:
    """Off-board: her pin, her rooms and her share in every next key are gone; what she had in hand is somebody else's. Raises `not_enrolled`."""
    person = replace(staff_member(unit, user), removed_at=unit.now, on_duty=False, master=None)
    unit.staff.put(person)
    tell(unit, REMOVED, unit.vault.alias(user))
    note(unit, user, SYSTEM, "staff.removed")
    left = _hand_over(unit, person)
    for dialogue in unit.dialogues.all(user=user):
        unit.dialogues.delete(dialogue.id)
    tell_profile(unit)
    restate_all(unit)
    return left


def foresee_departure(unit: Unit, user: str) -> Departure:
    """What `remove_staff` would move now, and to whom; nothing changes. Raises Refused `not_enrolled`."""
    return _in_hand(unit, staff_member(unit, user))


def _in_hand(unit: Unit, person: Staff) -> Departure:
    """What is in her name, and who would have it: whoever supervises once she is not here (R51)."""
    heirs = supervisors(unit, without=person.id)
    cases, referrals = _hers(unit, person.id)
    return Departure(
        person=person,
        to=heirs[0] if heirs else None,
        cases=tuple(case.code for case in cases if not is_ours(unit, case)),
        referrals=tuple(referral.code for referral in referrals),
        unnamed=sum(is_ours(unit, case) for case in cases),
        check_ins=sum(unit.checkins.count(case=case.id, state__in=("planned", "ringing")) for case in cases),
    )


def _hers(unit: Unit, user: str) -> tuple[list[Case], list[Referral]]:
    return (
        list(unit.cases.all(lead=user, state="open", order="code")),
        list(unit.referrals.all(by=user, side=Side.RECIPIENT, ended_at=None, order="code")),
    )


def _hand_over(unit: Unit, person: Staff) -> Departure:
    """Every open case keeps an accountable lead (R51): whoever supervises holds hers, and the admin room is told what moved to whom.

    Where nobody is left it stays in her name, which the alarm says; the next person who is enrolled takes it (`_take_up`).
    """
    user, left = person.id, _in_hand(unit, person)
    cases, referrals = _hers(unit, user)
    for case in cases if left.to else ():
        heir = next(iter(without_named(unit, case, _heirs(unit, user))), left.to)
        unit.cases.put(replace(case, lead=heir or user))
        note(unit, case.id, SYSTEM, "lead.moved", since=user, to=heir)
        unit.announce(CaseChanged(case=case.id))
    for referral in referrals if left.to else ():
        unit.referrals.put(replace(referral, by=left.to or user))
        unit.announce(ReferralMoved(referral=referral.id, what="handed_over"))
    if cases or referrals:
        told = (("user", user), ("detail", left.to or user), ("codes", ", ".join((*left.cases, *left.referrals))), ("number", str(left.check_ins)))
        more = (("more", str(left.unnamed)),) if left.unnamed else ()
        unit.announce(Alarm(code="lead_moved" if left.to else "lead_nobody", params=(*told, *more)))
    return left


def _heirs(unit: Unit, user: str) -> Iterator[str]:
    """Who could lead after her, whoever supervises first: where he who does bears the aggressor's name, anybody else rather than him."""
    yield from supervisors(unit, without=user)
    yield from (person.id for person in unit.staff.all(removed_at=None, order="added_at") if person.id != user)


def _take_up(unit: Unit) -> None:
    """Somebody is here again: what the last one who left had in hand waits for nobody any more."""
    for gone in unit.staff.all(removed_at__not=None, order="id"):
        _hand_over(unit, gone)


def set_duty(unit: Unit, user: str, *, on: bool) -> Staff:
    """On or off duty; the peers are told that somebody of this role is there, not who. Raises Refused `not_enrolled`."""
    person = replace(staff_member(unit, user), on_duty=on)
    unit.staff.put(person)
    note(unit, user, user, "staff.duty", on=on)
    tell_profile(unit)
    return person


def plain_fingerprint(text: str | None) -> str | None:
    """A typed fingerprint without the spaces people add; None for nothing."""
    joined = re.sub(r"\s+", "", text or "")
    return joined.rstrip("=") or None
