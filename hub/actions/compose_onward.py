"""Letters that carry what the protocol's rules alone would not: under the owner's grant to a third institution, or in an emergency.

Both are decided here once more, at dispatch: a grant or a glass that ended meanwhile lets nothing out.
"""

from __future__ import annotations

from datetime import timedelta

from hub.actions.common import remind
from hub.actions.emergency import opened
from hub.actions.letter import Dropped, Letter
from hub.actions.onward_holder import Passing, passed, under_grant, write_passed
from hub.actions.onward_owner import write_answer
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.events import CaseChanged, ReferralMoved
from hub.cases.records import Disclosure, Referral
from hub.exchange import wire
from hub.exchange.records import Outgoing
from policies.preview import Disclosed, offer


def offer_under_grant(unit: Unit, child: Referral) -> Letter:
    """As every offer without any person in it; of ours, so with our own place."""
    passing = _passing(unit, child)
    shown = offer(passing.protocol, {"need": child.need, "urgency": child.urgency, "territory": unit.me.territory}, unit.now.date())
    body = wire.Offer(
        referral=child.id, code=child.code, need=child.need, purpose=child.purpose, protocol=child.protocol, version=passing.protocol.version,
        urgency=child.urgency, territory=shown.get("territory", ""), languages=(), accessibility=(), opened_at=child.opened_at,
        respond_by=child.respond_by, key=child.our_key,
    )  # fmt: skip
    return Letter(body=body, subject=passing.parent.id, ledger={"purpose": child.purpose, "protocol": passing.grant.protocol})


def disclose_under_grant(unit: Unit, child: Referral) -> Letter:
    """The fields of the grant that we hold and that our protocol lets go, with the grant itself."""
    passing = _passing(unit, child)
    if not passing.fields:
        raise Dropped("nothing_released")
    disclosure = _kept(
        unit,
        Disclosure(
            id=new_id("dis"), referral=child.id, side=child.side, consent=None, protocol=child.protocol, protocol_version=passing.protocol.version,
            fields=_outcomes(passing.fields), at=unit.now, until=passing.until, grant=passing.onward.grant, owner=passing.grant.owner,
        ),
    )  # fmt: skip
    passed(unit, passing, disclosure)
    unit.announce(ReferralMoved(referral=child.id, what="disclosed"))
    body = _disclose(disclosure, passing.fields)
    ledger = {"purpose": child.purpose, "protocol": passing.grant.protocol, "ground": passing.onward.id, "fields": tuple(sorted(passing.fields))}
    return Letter(body=body, owner=disclosure.id, their_key=child.their_key, subject=passing.parent.id, ledger=ledger)


def disclose_under_glass(unit: Unit, referral: Referral, glass_id: str) -> Letter:
    """One field, for hours, because a life is at stake."""
    try:
        glass, ruling, fields = opened(unit, referral, glass_id)
    except Refused as refused:
        raise Dropped(refused.code) from None
    if not fields or glass.until is None:
        raise Dropped("nothing_released")
    disclosure = _kept(
        unit,
        Disclosure(
            id=new_id("dis"), referral=referral.id, side=referral.side, consent=None, protocol=ruling.protocol.id,
            protocol_version=ruling.protocol.version, fields=_outcomes(fields), at=unit.now, until=glass.until, glass=glass.id,
        ),
    )  # fmt: skip
    unit.announce(CaseChanged(case=ruling.case.id))
    version = f"{ruling.protocol.id} {ruling.protocol.version}"
    ledger = {"purpose": referral.purpose, "protocol": version, "ground": "vital_interest", "fields": tuple(sorted(fields))}
    return Letter(body=_disclose(disclosure, fields), owner=disclosure.id, their_key=referral.their_key, subject=ruling.case.id, ledger=ledger)


def write_onward(unit: Unit, row: Outgoing, referral: Referral) -> Letter:
    """Requests and answers about passing on, and emergencies, from what their rows say now."""
    body, owner, ground = _body(unit, row, referral)
    ledger = {"purpose": referral.purpose, "ground": ground} if ground else {}
    return Letter(body=body, owner=owner, their_key=referral.their_key, subject=referral.case or referral.id, ledger=ledger)


def _body(unit: Unit, row: Outgoing, referral: Referral) -> tuple[wire.Body, str, str]:
    if row.kind == "glass":
        return _glass(unit, row, referral)
    onward = unit.onwards.get(str(row.ref["onward"]))
    if onward is None:
        raise Dropped("grant_ended")
    if row.kind == "onward.answer":
        return write_answer(unit, onward), "hub", onward.id
    if row.kind == "onward.passed":
        body = write_passed(unit, row.ref)
        if body is None:
            raise Dropped("grant_ended")
        return body, "hub", onward.id
    if onward.state != "asked":
        raise Dropped("grant_ended")
    why = _words(unit, row)
    asked = wire.AskOnward(
        referral=referral.id, onward=onward.id, institution=onward.third, need=onward.need, fields=tuple(onward.fields), why=why
    )  # fmt: skip
    return asked, str(row.ref["owner"]), onward.id


def _glass(unit: Unit, row: Outgoing, referral: Referral) -> tuple[wire.Body, str, str]:
    glass = unit.glasses.get(str(row.ref["glass"]))
    if glass is None or glass.state != "asked":
        raise Dropped("glass_ended")
    body = wire.BreakGlass(
        referral=referral.id, glass=glass.id, field=glass.field, reason=glass.reason, role=glass.role, by=str(row.ref["by"]),
        confirmed=str(row.ref["confirmed"]), why=_words(unit, row),
    )  # fmt: skip
    return body, str(row.ref["owner"]), "vital_interest"


def _words(unit: Unit, row: Outgoing) -> str:
    return unit.vault.open(str(row.ref["owner"]), "outbox|words", bytes.fromhex(str(row.ref["words"]))).decode()


def _passing(unit: Unit, child: Referral) -> Passing:
    try:
        return under_grant(unit, child)
    except Refused as refused:
        raise Dropped(refused.code) from None


def _kept(unit: Unit, disclosure: Disclosure) -> Disclosure:
    unit.vault.create(disclosure.id)
    unit.disclosures.add(disclosure)
    remind(unit, "erasure", disclosure.id, disclosure.until + timedelta(days=unit.rules.erasure_days))
    return disclosure


def _disclose(disclosure: Disclosure, fields: dict[str, Disclosed]) -> wire.Disclose:
    return wire.Disclose(
        referral=disclosure.referral, disclosure=disclosure.id, protocol=disclosure.protocol, version=disclosure.protocol_version,
        until=disclosure.until, fields={name: item.to_wire() for name, item in fields.items()}, grant=disclosure.grant, glass=disclosure.glass,
    )  # fmt: skip


def _outcomes(fields: dict[str, Disclosed]) -> dict[str, str]:
    return {name: item.outcome.word for name, item in fields.items()}
