"""From an intent (kind and references) to what is really said, at the moment of dispatch. Whatever no longer holds is dropped here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub.actions.common import find_case, remind, supervisors
from hub.actions.compose_onward import disclose_under_glass, disclose_under_grant, offer_under_grant, write_onward
from hub.actions.decide import Ruling, lasting, offer_blocked, offer_shown, rule
from hub.actions.hear_coordination import is_room, write_room
from hub.actions.letter import Dropped, Letter
from hub.actions.ports import Unit
from hub.actions.protocol_letters import PROTOCOL_WRITERS
from hub.actions.restart import RESTORE_KINDS
from hub.actions.share_list import LIST_KINDS, ListGone, write_list
from hub.actions.tell_standing import write_restored, write_standing
from hub.base.errors import Refused
from hub.base.ids import new_id
from hub.cases.events import CaseChanged, ReferralMoved
from hub.cases.lifecycle import OPEN, WORKING, Side, State
from hub.cases.records import Disclosure, Referral
from hub.exchange import wire
from hub.exchange.records import Outgoing
from policies import preview


def compose(unit: Unit, row: Outgoing) -> Letter:
    """Build the body of an intent now. Raises Dropped when it must not be sent any more."""
    if row.kind == "profile":
        return Letter(body=profile(unit))
    if row.kind in LIST_KINDS:
        try:
            return Letter(body=write_list(unit, row.kind, row.ref))
        except ListGone as gone:
            raise Dropped(gone.code) from None
    if row.kind in RESTORE_KINDS:
        link = unit.links.get(row.link)
        assert link is not None, "a link is never deleted"
        return Letter(body=write_restored(unit, row, link) if row.kind == "restored" else write_standing(unit, row))
    if row.kind in PROTOCOL_WRITERS:
        return Letter(body=PROTOCOL_WRITERS[row.kind](unit, row))
    if row.kind == wire.NotTaken.kind:  # there is no referral here: that is what it says
        return Letter(body=wire.NotTaken(referral=str(row.ref["referral"]), why=str(row.ref["why"])))
    if is_room(row.kind):
        body = write_room(unit, row)
        if body is None:
            raise Dropped("room_gone")
        return Letter(body=body)
    referral = unit.referrals.get(str(row.ref.get("referral")))
    if referral is None:
        raise Dropped("referral_gone")
    return _WRITERS[row.kind](unit, row, referral)


def profile(unit: Unit) -> wire.Profile:
    """What we tell every peer about our services and who is on duty, by role."""
    people = unit.staff.all(removed_at=None)
    on = sorted({p.role for p in people if p.on_duty})
    rung = set(supervisors(unit))  # who is rung for what arrives while nobody is on duty
    following = sorted({p.role for p in people if p.id in rung})[:1]
    duty = {"on": bool(on), "roles": on, "next": following[0] if following and not on else ""}
    languages = tuple(sorted({p.language for p in people}))
    return wire.Profile(name=unit.me.name, territory=unit.me.territory, needs=unit.me.needs, languages=languages, duty=duty)


def _offer(unit: Unit, row: Outgoing, referral: Referral) -> Letter:
    if referral.state is not State.REQUESTED:
        raise Dropped("offer_gone")
    if "onward" in referral.offer:
        return offer_under_grant(unit, referral)
    ruling = _ruling(unit, referral)
    if ruling.decision.excluded:
        raise Dropped("conflict_of_interest")
    if offer_blocked(unit, referral.peer):
        raise Dropped("manifest_expired")
    if (referral.protocol, referral.protocol_version) != (ruling.protocol.id, ruling.protocol.version):
        referral = replace(referral, protocol=ruling.protocol.id, protocol_version=ruling.protocol.version, purpose=ruling.purpose)
        unit.referrals.put(referral)  # the version in force when it leaves is the one that decides, not that of the preview
    shown = offer_shown(unit, ruling, referral)
    body = wire.Offer(
        referral=referral.id,
        code=referral.code,
        need=referral.need,
        purpose=referral.purpose,
        protocol=referral.protocol,
        version=ruling.protocol.version,
        urgency=shown["urgency"],
        territory=shown.get("territory", ""),
        languages=_list(shown, "languages"),
        accessibility=_list(shown, "accessibility"),
        opened_at=referral.opened_at,
        respond_by=referral.respond_by,
        key=referral.our_key,
    )
    return Letter(body=body, subject=ruling.case.id, ledger={"purpose": referral.purpose, "protocol": _version(ruling)})


def _disclose(unit: Unit, row: Outgoing, referral: Referral) -> Letter:
    if referral.state not in WORKING:
        raise Dropped("referral_ended")
    if "onward" in referral.offer:
        return disclose_under_grant(unit, referral)
    if glass := str(row.ref.get("glass", "")):
        return disclose_under_glass(unit, referral, glass)
    ruling = _ruling(unit, referral)
    fields = preview.view(ruling.decision, ruling.values, unit.now.date())
    wanted = row.ref.get("only")
    shown = {f: d.to_wire() for f, d in fields.items() if not wanted or f in wanted}
    if not shown:
        raise Dropped("nothing_released")
    disclosure = _record(unit, referral, ruling, {f: d["outcome"] for f, d in shown.items()})
    body = wire.Disclose(
        referral=referral.id,
        disclosure=disclosure.id,
        protocol=disclosure.protocol,
        version=disclosure.protocol_version,
        until=disclosure.until,
        fields=shown,
        grant=b"",
        glass="",
    )
    unit.announce(CaseChanged(case=ruling.case.id))
    without = tuple(row.ref.get("without", ()))
    unit.announce(ReferralMoved(referral=referral.id, what="rest" if without else "disclosed", fields=without))
    ledger = {
        "purpose": ruling.purpose,
        "protocol": _version(ruling),
        "ground": " ".join(filter(None, (disclosure.consent, *sorted(disclosure.bases)))),
        "fields": tuple(sorted(shown)),
    }
    return Letter(body=body, owner=disclosure.id, their_key=referral.their_key, subject=ruling.case.id, ledger=ledger)


def _version(ruling: Ruling) -> str:
    return f"{ruling.protocol.id} {ruling.protocol.version}"


def _until(unit: Unit, ruling: Ruling, fields: Iterable[str]) -> datetime:
    """How long it may be held: the protocol's retention, and no longer than her consent, or the legal basis, for each single field of it."""
    ends = [datetime.combine(ruling.protocol.keep_until(ruling.purpose, unit.now.date()), unit.now.timetz())]
    return min([*ends, *lasting(unit, ruling, fields)])


def _record(unit: Unit, referral: Referral, ruling: Ruling, fields: dict[str, str]) -> Disclosure:
    until = _until(unit, ruling, fields)
    disclosure = Disclosure(
        id=new_id("dis"),
        referral=referral.id,
        side=referral.side,
        consent=ruling.consent.id if ruling.consent else None,
        protocol=ruling.protocol.id,
        protocol_version=ruling.protocol.version,
        fields=fields,
        at=unit.now,
        until=until,
        by_law={name: " ".join(ruling.by_law[name]) for name in fields if name in ruling.by_law},
    )
    unit.vault.create(disclosure.id)
    unit.disclosures.add(disclosure)
    remind(unit, "erasure", disclosure.id, until + timedelta(days=unit.rules.erasure_days))
    return disclosure


def _ruling(unit: Unit, referral: Referral) -> Ruling:
    held_back = tuple(referral.offer.get("held_back", ()))
    try:
        return rule(unit, find_case(unit, referral.case), referral.peer, referral.need, held_back)
    except Refused as error:
        raise Dropped(error.code) from None


def _list(shown: dict[str, str], name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in shown.get(name, "").split(",") if part.strip())


def _simple(unit: Unit, row: Outgoing, referral: Referral) -> Letter:
    """Bodies made of references alone. What is sealed to their key waits for nobody once they took it back."""
    _still_open(row, referral)
    body = wire.KINDS[row.kind](**_typed(row.ref))
    return Letter(body=body, their_key=referral.their_key, subject=referral.case or referral.id)


def _accept(unit: Unit, row: Outgoing, referral: Referral) -> Letter:
    _still_open(row, referral)
    body = wire.Accept(referral=referral.id, by=str(row.ref["by"]), automatic=bool(row.ref["automatic"]), key=referral.our_key)
    return Letter(body=body, their_key=referral.their_key, subject=referral.case or referral.id)


def _sealed_text(unit: Unit, row: Outgoing, referral: Referral) -> Letter:
    """Words that a person wrote: they were sealed under a key of their own when she said them."""
    _still_open(row, referral)
    words = unit.vault.open(str(row.ref["owner"]), "outbox|words", bytes.fromhex(str(row.ref["words"]))).decode()
    if row.kind == "say":
        body: wire.Body = wire.Say(referral=referral.id, text=words, by=str(row.ref["by"]))
    else:
        body = wire.AskField(referral=referral.id, ask=str(row.ref["ask"]), field=str(row.ref["field"]), purpose=referral.purpose, why=words)
    return Letter(body=body, owner=str(row.ref["owner"]), their_key=referral.their_key, subject=referral.case or referral.id)


def _onward(unit: Unit, row: Outgoing, referral: Referral) -> Letter:
    """What moves beside the referral's own road: requests to pass on, emergencies."""
    _still_open(row, referral)
    return write_onward(unit, row, referral)


def _with_receipt(unit: Unit, row: Outgoing, referral: Referral) -> Letter:
    values = _typed({k: v for k, v in row.ref.items() if k != "receipt"})
    values["receipt"] = bytes.fromhex(str(row.ref["receipt"]))
    body = wire.KINDS[row.kind](**values)
    return Letter(body=body, their_key=referral.their_key, subject=referral.case or referral.id)


def _still_open(row: Outgoing, referral: Referral) -> None:
    """Once a referral is cancelled, or over for us as its sender, the other side's key is gone: what is sealed to it is not sent."""
    over = referral.state is State.CANCELLED or (referral.side is Side.SENDER and referral.state not in OPEN)
    if wire.KINDS[row.kind].sealed and over:
        raise Dropped("referral_ended")


def _typed(ref: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in ref.items()}


_WRITERS = {
    "offer": _offer,
    "disclose": _disclose,
    "accept": _accept,
    "say": _sealed_text,
    "ask": _sealed_text,
    "onward.ask": _onward,
    "onward.answer": _onward,
    "onward.passed": _onward,
    "onward.end": _simple,
    "onward.ended": _with_receipt,
    "glass": _onward,
    "glass.answer": _simple,
    "glass.reviewed": _simple,
    "told.again": _simple,
    "erased": _with_receipt,
    "give-back": _with_receipt,
    "cancel": _simple,
    "decline": _simple,
    "ask.answer": _simple,
    "progress": _simple,
    "finish": _simple,
    "withdraw": _simple,
    "report": _simple,
}
