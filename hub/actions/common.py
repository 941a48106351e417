"""What several actions need: finding things by the code a person typed, opening values, writing the log and intents."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.codes import parse_code
from hub.cases.lifecycle import Side, State
from hub.cases.records import Case, CaseField, LogLine, Referral, Staff, Timer
from hub.exchange.pacing import SILENT_AFTER
from hub.exchange.records import Link, Outgoing

SYSTEM = "hub"
"""The actor of what the hub does by itself."""


def find_case(unit: Unit, code: str | None) -> Case:
    """The case with this code or id. Raises Refused `no_code`, `unknown_code`, `case_undone`."""
    if not code:
        raise Refused("no_code")
    case = unit.cases.get(code) or unit.cases.one(code=parse_code(code) or "")
    if case is None:
        raise Refused("unknown_code", code=code[:12])
    if case.state == "undone":
        raise Refused("case_undone", code=case.code)
    return case


def open_case_of(unit: Unit, code: str | None) -> Case:
    """As `find_case`, and the case is open. Raises Refused `case_closed` too."""
    case = find_case(unit, code)
    if case.state != "open":
        raise Refused("case_closed", code=case.code)
    return case


def find_referral(unit: Unit, code: str | None, side: Side | None = None) -> Referral:
    """The referral with this code or id, on `side` when one is given. Raises Refused `no_code`, `unknown_code`."""
    if not code:
        raise Refused("no_code")
    referral = unit.referrals.get(code) or unit.referrals.one(code=parse_code(code) or "")
    if referral is None or (side is not None and referral.side is not side):
        raise Refused("unknown_code", code=code[:12])
    return referral


def staff_member(unit: Unit, user: str) -> Staff:
    """The enrolled person behind a Matrix user id. Raises Refused `not_enrolled`."""
    person = unit.staff.get(user)
    if person is None or person.removed_at is not None:
        raise Refused("not_enrolled")
    return person


def supervisors(unit: Unit, *, without: str = "") -> tuple[str, ...]:
    """Who is rung when nobody answers: supervisors, then administrators, then everybody on duty, then everybody.

    Whoever is blocked, because her key changed, reads nothing and is counted only where nobody else is left. `without` asks who it would be
    if that person left.
    """
    enrolled = [person for person in unit.staff.all(removed_at=None, order="added_at") if person.id != without]
    people = [person for person in enrolled if person.refused_master is None] or enrolled
    for wanted in ("supervisor", "administrator"):
        found = tuple(p.id for p in people if p.role == wanted)
        if found:
            return found
    return tuple(p.id for p in people if p.on_duty) or tuple(p.id for p in people)


def keeper(unit: Unit, lead: str) -> str:
    """Who leads: she who did or, once she left, whoever supervises here (R51)."""
    person = unit.staff.get(lead)
    heirs = supervisors(unit)
    return lead if (person and person.removed_at is None) or not heirs else heirs[0]


def on_duty(unit: Unit) -> tuple[str, ...]:
    """Who is rung for something new: everybody on duty, or the supervisors when nobody is."""
    people = tuple(p.id for p in unit.staff.all(removed_at=None, on_duty=True, refused_master=None, order="added_at"))
    return people or supervisors(unit)


def seal_field(unit: Unit, case: str, field: str, value: str) -> bytes:
    """A case value as the table keeps it: AES-256-GCM under the case key, bound to its place."""
    return unit.vault.seal(case, f"case_fields|{field}", value.encode())


def values_of(unit: Unit, case: str) -> dict[str, str]:
    """Every field of a case, opened. For policies and for rendering inside this unit only."""
    return {f.field: _open(unit, f) for f in unit.fields.all(case=case)}


def value_of(unit: Unit, case: str, field: str) -> str | None:
    """One field of a case, opened."""
    row = unit.fields.one(case=case, field=field)
    return None if row is None else _open(unit, row)


def _open(unit: Unit, row: CaseField) -> str:
    return unit.vault.open(row.case, f"case_fields|{row.field}", row.sealed).decode()


def write_field(unit: Unit, case: str, field: str, value: str, by: str) -> None:
    """Keep one value of a case, replacing an older one."""
    row = unit.fields.one(case=case, field=field)
    sealed = seal_field(unit, case, field, value)
    fresh = CaseField(id=row.id if row else new_id("fld"), case=case, field=field, sealed=sealed, by=by, at=unit.now)
    (unit.fields.put if row else unit.fields.add)(fresh)


def note(unit: Unit, about: str, actor: str, what: str, **detail: Any) -> None:
    """A line in the log of a case or referral. `detail` holds ids, codes and names of fields only."""
    unit.log.add(LogLine(id=new_id("log"), about=about, at=unit.now, actor=actor, what=what, detail=detail))


def remind(unit: Unit, kind: str, ref: str, due: datetime) -> None:
    """A timer row: `actions/ring.py` runs the kind when it is due."""
    unit.timers.add(Timer(id=new_id("tmr"), kind=kind, ref=ref, due_at=due))


def forget_reminders(unit: Unit, ref: str, kinds: Iterable[str] = ()) -> None:
    """Timers about `ref` (of these kinds, or all) will not ring any more."""
    wanted = set(kinds)
    for timer in unit.timers.all(ref=ref, done_at=None):
        if not wanted or timer.kind in wanted:
            unit.timers.delete(timer.id)


def link_to(unit: Unit, peer: str) -> Link:
    """The link to a confirmed peer. Raises Refused `not_paired`, `link_frozen`."""
    link = unit.links.one(peer=peer)
    if link is None:
        raise Refused("not_paired", institution=peer)
    if link.frozen:
        raise Refused("link_frozen", institution=peer)
    return link


def is_stopped(unit: Unit, peer: str) -> bool:
    """Whether people, or the hub, stopped the link to this peer: what is written now waits until administration opens it."""
    link = unit.links.one(peer=peer)
    return link is not None and link.frozen is not None


_WAITS_FOR_A_THAW = frozenset(
    {"profile", "network", "network.want", "disclose", "cancel", "withdraw", "erased", "report", "give-back"}
    | {"onward.answer", "onward.passed", "onward.end", "onward.ended", "glass.answer", "glass.reviewed"}
    | {"room.invite", "room.roster", "room.out", "room.closed"}
)
"""What is written although the link is frozen, and leaves when it is opened again: what a person asks for by `retirar`, what time brings,
and what the hub owes by itself. Everything else is refused, so that whoever asks knows that it does not go."""


AWAITED = frozenset({"say", "ask", "accept", "disclose", "withdraw", "cancel", "finish", "give-back"})
"""What somebody believes to be heard over there, so that her thread is told when it is not (`unheard.py`)."""
UNHEARD = "unheard"


def intend(unit: Unit, peer: str, kind: str, *, delay: timedelta = timedelta(0), **ref: Any) -> str:
    """Write the intent to send `kind` to `peer`: kind and references only. What it says is decided at dispatch. Returns its id.

    Raises Refused `not_paired`, and `link_frozen` for what must not wait unseen.
    """
    link = unit.links.one(peer=peer) if kind in _WAITS_FOR_A_THAW else None
    row = Outgoing(
        id=new_id("out"),
        order=unit.outbox.next("order"),
        link=(link or link_to(unit, peer)).id,
        kind=kind,
        ref=ref,
        state="ready",
        not_before=unit.now + delay,
        made_at=unit.now,
    )
    unit.outbox.add(row)
    if kind in AWAITED and not unit.timers.count(kind=UNHEARD, ref=row.link, done_at=None):
        remind(unit, UNHEARD, row.link, unit.now + SILENT_AFTER)
    return row.id


def intend_on(unit: Unit, link: Link, kind: str, **ref: object) -> None:
    """An intent of the link's own, also on one that is frozen: it waits there for the thaw."""
    unit.outbox.add(
        Outgoing(
            id=new_id("out"), order=unit.outbox.next("order"), link=link.id, kind=kind, ref=dict(ref), state="ready", not_before=unit.now,
            made_at=unit.now,
        )
    )  # fmt: skip


def living_referrals(unit: Unit, case: str) -> list[Referral]:
    """The referrals of a case that are not drafts, oldest first."""
    found = unit.referrals.all(case=case, side=Side.SENDER, order="opened_at")
    return [r for r in found if r.state is not State.DRAFT]
