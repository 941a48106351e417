"""The language guard at work (R17, R24, R31, R35, R70, R74): what of these words may not be read there, and what is done about it.

`seen_in` says what stands in a text, for the institutions that would read it: values of the case that they may not have (decided by
`decide.open_to`, the same ruling as every disclosure), identifiers by their shape, words that hurt. Nothing of the text is kept, logged or
counted but the class. Advice is private and seldom; only words that leave for another institution are asked about before they go, and never when
somebody is in danger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from hub.actions.common import value_of, values_of
from hub.actions.decide import open_to
from hub.actions.ports import Unit
from hub.actions.show_value import held_values
from hub.base.errors import Refused
from hub.cases.codes import parse_code
from hub.cases.records import Advice, Case, GuardCount, GuardMode, Referral
from policies import guard
from policies.guard import Found, Known, Verdict

ADVISE, REDACT, OFF = "advise", "redact", "off"
MODES = (ADVISE, REDACT, OFF)
DEFAULTS = {"desk": ADVISE, "coordination": ADVISE, "direct": ADVISE}
"""How each class of rooms with people begins. Words that leave for another institution are asked about whatever stands here."""
QUIET = timedelta(hours=12)
"""How long somebody is not told again about the same class or word."""
MOST_CASES = 50
_URGENT = frozenset({"urgent", "emergency", "critical", "immediate"})
_RISKS = frozenset({"critical"})


@dataclass(frozen=True, kw_only=True)
class Room:
    """A room with people as the guard sees it: its class and purpose, and what its thread is about (a case or referral id)."""

    id: str
    purpose: str
    subject: str | None = None

    @property
    def of(self) -> str:
        """Its class: the purpose up to the colon."""
        return self.purpose.partition(":")[0]


def mode_of(unit: Unit, room_class: str) -> str:
    """How the guard behaves in rooms of this class; where it has no word, it is off."""
    row = unit.guard_modes.get(room_class)
    return row.mode if row else DEFAULTS.get(room_class, OFF)


def set_mode(unit: Unit, by: str, room_class: str, mode: str) -> GuardMode:
    """Change it. Raises Refused `unknown_room_class`, `unknown_guard_mode`."""
    if room_class not in DEFAULTS:
        raise Refused("unknown_room_class", rooms=", ".join(DEFAULTS))
    if mode not in MODES:
        raise Refused("unknown_guard_mode", modes=", ".join(MODES))
    row = GuardMode(id=room_class, mode=mode, by=by, at=unit.now)
    (unit.guard_modes.put if unit.guard_modes.get(room_class) else unit.guard_modes.add)(row)
    return row


def seen_in(unit: Unit, room: Room, institutions: Iterable[str], text: str) -> Verdict:
    """What stands in `text` that people of these institutions should not read there. Never raises for anything that is written."""
    known, allowed = _values(unit, room, text, [one for one in institutions if one != unit.me.id])
    return guard.look(text, guard.load(unit.pack.id), known, allowed)


def seen_leaving(unit: Unit, referral: Referral, text: str) -> Verdict:
    """The same for words that go to the other institution of a referral."""
    room = Room(id="", purpose="link", subject=referral.case or referral.id)
    return seen_in(unit, room, (referral.peer,), text)


def is_urgent(unit: Unit, referral: Referral | None, verdict: Verdict) -> bool:
    """Whether somebody may be in danger now: by these words, by the referral, or by the case. Then nothing is kept back."""
    case = unit.cases.get(referral.case) if referral and referral.case else None
    risk = value_of(unit, case.id, "risk_level") if case else None
    return verdict.urgent or (referral is not None and referral.urgency in _URGENT) or risk in _RISKS


def count(unit: Unit, found: Sequence[Found]) -> None:
    """Count the classes for the metrics."""
    for name in {counted(one) for one in found}:
        row = unit.guard_counts.get(name)
        if row:
            unit.guard_counts.put(replace(row, seen=row.seen + 1))
        else:
            unit.guard_counts.add(GuardCount(id=name, seen=1))


def counted(one: Found) -> str:
    """Its class in the metrics; every known value is one class, for the field is the case's."""
    return "known" if one.sort == "known" else one.what


def fresh(unit: Unit, user: str, room: Room, found: Sequence[Found]) -> tuple[Found, ...]:
    """What she was not told about for a while; from now on she was."""
    for old in unit.advice.all(at__le=unit.now - QUIET):
        unit.advice.delete(old.id)
    new: list[Found] = []
    for one in found:
        alias = unit.vault.alias(f"guard|{user}|{room.of}|{one.sort}|{one.what}|{one.rule}")
        if unit.advice.get(alias) is None:
            unit.advice.add(Advice(id=alias, at=unit.now))
            new.append(one)
    return tuple(new)


def _values(unit: Unit, room: Room, text: str, others: list[str]) -> tuple[list[Known], list[Known]]:
    """The values of the cases that this is about: those that somebody there may not have, and those that everybody there may."""
    known: list[Known] = []
    allowed: list[Known] = []
    for case in _cases(unit, room, text, others):
        values = {field: value for field, value in values_of(unit, case.id).items() if value}
        may = frozenset(values)
        for other in others:
            may &= open_to(unit, case, other)
        for field, value in values.items():
            (allowed if field in may else known).append(Known(field=field, value=value))
    referral = unit.referrals.get(room.subject or "")
    if referral is not None and referral.case is None:  # it came from them: what they gave us they may read
        own = others in ([], [referral.peer])
        for field, (outcome, value) in held_values(unit, referral.id).items():
            (allowed if own and outcome == "release" else known).append(Known(field=field, value=value))
    return known, allowed


def _cases(unit: Unit, room: Room, text: str, others: list[str]) -> list[Case]:
    """The case of the thread, those named by a code, and those that somebody there works on; none twice."""
    found: dict[str, Case] = {}
    named = [unit.cases.get(room.subject or ""), *(unit.cases.one(code=parse_code(word) or "") for word in _codes(text))]
    working = [unit.cases.get(r.case) for other in others for r in unit.referrals.all(peer=other, order="-opened_at", limit=MOST_CASES) if r.case]
    for case in [*named, *(working if room.of == "coordination" else ())]:
        if case is not None and case.state == "open":
            found.setdefault(case.id, case)
    return list(found.values())[:MOST_CASES]


def _codes(text: str) -> list[str]:
    return [word.strip(".,;:()«»\"'") for word in text.split() if word[:2].upper() in ("C-", "(C", "«C")][:20]
