"""Record informed consent, and find the living one for a recipient and a purpose (R12, R72, R73)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.actions.common import note, open_case_of, remind
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.events import CaseChanged
from hub.cases.records import Consent


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What she agreed to. `fields` are vocabulary ids, groups already expanded; `until` is aware."""

    recipients: tuple[str, ...]
    purposes: tuple[str, ...]
    fields: tuple[str, ...]
    until: datetime
    mode: str
    explained: bool
    language: str = "es"
    notice: str = "1"


def record_consent(unit: Unit, by: str, case_code: str | None, terms: Terms) -> Consent:
    """A new consent beside the older ones. Without "confidentiality was explained" it is refused: consent needs it (R12).

    Raises Refused `not_explained`, `consent_empty`, `date_past`, `unknown_field`, `unknown_purpose`, `unknown_mode`.
    """
    case = open_case_of(unit, case_code)
    _check(unit, terms)
    consent = Consent(
        id=new_id("con"),
        case=case.id,
        recipients=terms.recipients,
        purposes=terms.purposes,
        fields=terms.fields,
        until=terms.until,
        mode=terms.mode,
        explained=terms.explained,
        explained_by=by,
        language=terms.language,
        notice=terms.notice,
        at=unit.now,
    )
    unit.consents.add(consent)
    remind(unit, "consent_end", consent.id, consent.until)
    note(unit, case.id, by, "consent.recorded", consent=consent.id, recipients=list(terms.recipients), fields=list(terms.fields))
    unit.announce(CaseChanged(case=case.id))
    return consent


def _check(unit: Unit, terms: Terms) -> None:
    vocabulary = unit.pack.vocabulary
    if not terms.explained:
        raise Refused("not_explained")
    if not (terms.recipients and terms.purposes and terms.fields):
        raise Refused("consent_empty")
    if terms.until <= unit.now:
        raise Refused("date_past")
    if terms.mode not in vocabulary.lists["consent_modes"]:
        raise Refused("unknown_mode")
    if not set(terms.purposes) <= set(vocabulary.lists["purposes"]):
        raise Refused("unknown_purpose")
    for field in terms.fields:
        if field not in vocabulary.fields:
            raise Refused("unknown_field", field=field[:40])


def living_consents(unit: Unit, case: str, recipient: str, purpose: str) -> list[Consent]:
    """The consents of this very case that hold now for this very recipient and purpose (P03), newest first."""
    found = unit.consents.all(case=case, withdrawn_at=None, order="-at")
    return [c for c in found if c.until > unit.now and recipient in c.recipients and purpose in c.purposes and c.explained]


def consented_fields(unit: Unit, case: str, recipient: str, purpose: str) -> tuple[frozenset[str], str, Consent | None]:
    """Field ids agreed to now, the state of consent (`active|expired|withdrawn|none`) and the newest living consent."""
    living = living_consents(unit, case, recipient, purpose)
    if living:
        return frozenset(f for c in living for f in c.fields), "active", living[0]
    past = [c for c in unit.consents.all(case=case, order="-at") if recipient in c.recipients and purpose in c.purposes]
    if not past:
        return frozenset(), "none", None
    return frozenset(), "withdrawn" if past[0].withdrawn_at else "expired", None
