"""A legal basis in place of her consent (R70, tension 8): recorded by two people or by supervision, for named recipients, until a moment.

What it covers the sharing protocol says, field by field; it lifts no conflict of interest, no word of a protocol and nothing that was held
back. Whatever left by it alone is called back when it ends, as for a consent that ran out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.actions.common import SYSTEM, find_case, forget_reminders, intend, living_referrals, note, open_case_of, remind, staff_member, values_of
from hub.actions.decide import Ruling, is_excluded, peer_kind, rule
from hub.actions.erase import shred
from hub.actions.ports import Unit
from hub.actions.reach import SAFE
from hub.actions.shrink import shrink
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.events import BasisMoved, CaseChanged
from hub.cases.lifecycle import OPEN, WORKING, Side
from hub.cases.records import Case, LegalBasis, Referral
from policies.decision import Outcome
from policies.preview import view

CONFIRM_WITHIN = timedelta(hours=1)
LONGEST = timedelta(days=366)
USUAL = {"vital_interest": timedelta(days=3)}
"""How long one holds when nobody said; others thirty days."""
MOST_RECIPIENTS = 5
LONGEST_REASON = 1000
BASIS_END, BASIS_WAIT = "basis_end", "basis_wait"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks to record: the basis by its code, for whom, why, and until when (None: the usual time)."""

    basis: str
    recipients: tuple[str, ...]
    why: str
    until: datetime | None = None


def record_basis(unit: Unit, by: str, case_code: str | None, wish: Wish) -> LegalBasis:
    """Prepare it; nothing leaves until it is confirmed. Raises Refused `basis_role`, `unknown_legal_basis`, `basis_recipients`, `basis_why`,
    `date_past`, `basis_too_long`, `basis_conflict`, `too_long`, `unknown_institution`.
    """
    case = open_case_of(unit, case_code)
    may_record(unit, by, case)
    codes = unit.pack.vocabulary.lists["legal_bases"]
    if wish.basis not in codes:
        raise Refused("unknown_legal_basis", suggestions=", ".join(codes))
    if not wish.recipients or len(wish.recipients) > MOST_RECIPIENTS:
        raise Refused("basis_recipients", limit=MOST_RECIPIENTS)
    if not wish.why.strip():
        raise Refused("basis_why", code=case.code)
    if len(wish.why) > LONGEST_REASON:
        raise Refused("too_long", limit=LONGEST_REASON)
    until = wish.until or unit.now + USUAL.get(wish.basis, timedelta(days=30))
    if not unit.now < until <= unit.now + LONGEST:
        raise Refused("date_past" if until <= unit.now else "basis_too_long")
    _no_conflict(unit, case, wish.recipients)
    name = new_id("bas")
    row = LegalBasis(
        id=name, case=case.id, basis=wish.basis, recipients=tuple(dict.fromkeys(wish.recipients)), until=until, by=by, at=unit.now, state="waiting",
        sealed=unit.vault.seal(case.id, f"legal_bases|{name}", wish.why.strip().encode()),
    )  # fmt: skip
    unit.bases.add(row)
    remind(unit, BASIS_WAIT, row.id, unit.now + CONFIRM_WITHIN)
    note(unit, case.id, by, "basis.asked", basis=row.basis, row=row.id, recipients=list(row.recipients))
    unit.announce(BasisMoved(basis=row.id, what="waiting"))
    return row


def may_record(unit: Unit, by: str, case: Case) -> None:
    """Supervision, or whoever leads the case (with a second person then); nobody whose key is in doubt. Raises Refused `basis_role`."""
    person = staff_member(unit, by)
    if person.refused_master is not None or not (person.role == "supervisor" or person.id == case.lead):
        raise Refused("basis_role", code=case.code)


def confirm_basis(unit: Unit, by: str, basis_id: str, *, agreed: bool) -> LegalBasis:
    """By number. A supervisor may confirm her own; a lead never hers. Everything is asked again: the world may have moved.

    Raises Refused `already_answered`, `second_person`, `basis_role`, `basis_conflict`, `case_closed`.
    """
    row = unit.bases.get(basis_id)
    if row is None or row.state != "waiting":
        raise Refused("already_answered")
    person = staff_member(unit, by)
    if not agreed:
        return _lapse(unit, row, by)
    case = open_case_of(unit, row.case)
    if person.refused_master is not None or (person.id == row.by and person.role != "supervisor"):
        raise Refused("second_person")
    if row.until <= unit.now:
        raise Refused("date_past")
    may_record(unit, row.by, case)
    _no_conflict(unit, case, row.recipients)
    new = {referral.id: _newly(unit, case, referral, row) for referral in _working(unit, row)}
    forget_reminders(unit, row.id)
    row = replace(row, state="active", confirmed_by=by)
    unit.bases.put(row)
    remind(unit, BASIS_END, row.id, row.until)
    note(unit, case.id, by, "basis.recorded", basis=row.basis, row=row.id, recipients=list(row.recipients))
    for referral in _working(unit, row):
        if new[referral.id]:
            intend(unit, referral.peer, "disclose", referral=referral.id, only=sorted(new[referral.id]))
    unit.announce(BasisMoved(basis=row.id, what="active"))
    unit.announce(CaseChanged(case=case.id))
    return row


def end_basis(unit: Unit, by: str, basis_id: str) -> LegalBasis:
    """It ends now. Less leaves by it, so whoever works here may do it. Raises Refused `already_answered`, `not_enrolled`."""
    staff_member(unit, by)
    row = unit.bases.get(basis_id)
    if row is None or row.state != "active":
        raise Refused("already_answered")
    return _end(unit, row, by, "ended")


def expire(unit: Unit, basis_id: str) -> None:
    """Its time is over. The row ceased to count at that moment; now what left by it is called back, however late we wake."""
    row = unit.bases.get(basis_id)
    if row is not None and row.state == "active":
        _end(unit, row, SYSTEM, "expired")


def lapse_basis(unit: Unit, basis_id: str) -> None:
    """Nobody confirmed in time."""
    row = unit.bases.get(basis_id)
    if row is not None and row.state == "waiting":
        _lapse(unit, row, SYSTEM)


def recorded(unit: Unit, case: str) -> list[LegalBasis]:
    """All that hold now for a case, whoever they are for."""
    return [row for row in unit.bases.all(case=case, state="active", order="at") if row.until > unit.now]


def reason_of(unit: Unit, row: LegalBasis) -> str:
    """The reason in words; for people of this desk only."""
    return unit.vault.open(row.case, f"legal_bases|{row.id}", row.sealed).decode()


def opens(unit: Unit, row: LegalBasis) -> dict[str, dict[str, Outcome]]:
    """By recipient, what would leave with this basis and does not without it: of the referrals there are or, with none, of the needs noted."""
    case = find_case(unit, row.case)
    found: dict[str, dict[str, Outcome]] = {}
    for recipient in row.recipients:
        found[recipient] = {}
        mine = [r for r in living_referrals(unit, case.id) if r.peer == recipient and r.state in OPEN]
        asked = [(r.need, tuple(r.offer.get("held_back", ()))) for r in mine] or [(need, ()) for need in _needs(unit, case, recipient)]
        for need, held_back in asked:
            found[recipient] |= _more(unit, case, recipient, need, held_back, row)
    return found


def _needs(unit: Unit, case: Case, recipient: str) -> list[str]:
    noted = [part.strip() for part in values_of(unit, case.id).get("needs", "").split(",") if part.strip()]
    pack, kind = unit.pack.between(recipient), peer_kind(unit, recipient)
    covered = [need for need in unit.pack.vocabulary.needs if pack.protocol_for(need, unit.me.kind, kind, unit.now.date())]
    return [need for need in covered if need in noted] or covered


def _more(unit: Unit, case: Case, recipient: str, need: str, held_back: tuple[str, ...], row: LegalBasis) -> dict[str, Outcome]:
    try:
        before, after = rule(unit, case, recipient, need, held_back), rule(unit, case, recipient, need, held_back, (row,))
    except Refused:
        return {}
    old, new = _shown(unit, before), _shown(unit, after)
    return {name: after.decision.field(name).outcome for name, shown in new.items() if old.get(name) != shown}


def _shown(unit: Unit, ruling: Ruling) -> dict[str, object]:
    return dict(view(ruling.decision, ruling.values, unit.now.date()))


def _working(unit: Unit, row: LegalBasis) -> list[Referral]:
    return [r for r in living_referrals(unit, row.case) if r.peer in row.recipients and r.state in WORKING and "onward" not in r.offer]


def _newly(unit: Unit, case: Case, referral: Referral, row: LegalBasis) -> dict[str, Outcome]:
    """Beside what they have already, in that way or a wider one."""
    more = _more(unit, case, referral.peer, referral.need, tuple(referral.offer.get("held_back", ())), row)
    active = unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active")
    has = {(name, word) for disclosure in active if not disclosure.glass for name, word in disclosure.fields.items()}
    return {name: outcome for name, outcome in more.items() if (name, outcome.word) not in has or outcome is Outcome.GENERALISE}


def _no_conflict(unit: Unit, case: Case, recipients: tuple[str, ...]) -> None:
    for recipient in recipients:
        peer_kind(unit, recipient)
        if is_excluded(unit, case, recipient):
            raise Refused("basis_conflict", institution=recipient)


def _end(unit: Unit, row: LegalBasis, by: str, what: str) -> LegalBasis:
    forget_reminders(unit, row.id)
    row = replace(row, state="ended", ended_at=unit.now)
    unit.bases.put(row)
    shred(unit, row.id, "withdrawn")  # it has no key: so that a restored copy hears of it (R14)
    note(unit, row.case, by, f"basis.{what}", basis=row.basis, row=row.id)
    shrink(unit, row.case, row.recipients, safe_way=_told_safe_way(unit, row))
    unit.announce(BasisMoved(basis=row.id, what=what))
    return row


def _told_safe_way(unit: Unit, row: LegalBasis) -> bool:
    """Whether the safe way might have left by it: then no way to reach her leaves without it (R29)."""
    return unit.fields.count(case=row.case, field=SAFE) > 0


def _lapse(unit: Unit, row: LegalBasis, by: str) -> LegalBasis:
    forget_reminders(unit, row.id)
    row = replace(row, state="lapsed", ended_at=unit.now)
    unit.bases.put(row)
    note(unit, row.case, by, "basis.lapsed", basis=row.basis, row=row.id)
    unit.announce(BasisMoved(basis=row.id, what="lapsed"))
    return row
