"""A disclosure arrives: sealed under a key of its own, held only as far as our own policy allows (intake step 8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hub.actions.agreed import AHEAD, agreed
from hub.actions.common import intend, note, remind
from hub.actions.emergency import arrived
from hub.actions.manifest_versions import keys_now
from hub.actions.peer_words import DISCLOSURE_ID
from hub.actions.ports import Unit
from hub.actions.protocol_spread import ask_again
from hub.actions.receipts import confirm, make_receipt
from hub.base.errors import PeerFault
from hub.base.ids import new_id
from hub.cases.events import Alarm, GlassMoved, ReferralMoved
from hub.cases.lifecycle import OPEN, WORKING, Side
from hub.cases.records import Disclosure, HeldValue, Referral
from hub.exchange import wire
from keys.grant import claimed_owner, verify_grant
from policies.decision import Outcome
from policies.holding import may_hold
from policies.preview import Disclosed, Passage
from policies.protocol import Protocol
from policies.spelling import as_agreed, plain


def receive_disclosure(unit: Unit, referral: Referral, body: wire.Disclose) -> None:
    """Step 8: what our own policy lets us hold is kept, the rest is dropped before storage and reported by name (P01)."""
    if not DISCLOSURE_ID.fullmatch(body.disclosure) or unit.disclosures.get(body.disclosure) is not None:
        raise PeerFault("bad_body", kind="disclose", why="id")
    if referral.state not in OPEN or unit.tombstones.get(body.disclosure) is not None:
        # it crossed with our outcome, or was destroyed here before a restore: nothing of it is kept, and we sign for that
        confirm(unit, referral, [body.disclosure], make_receipt(unit, referral, [body.disclosure]))
        return
    if referral.state not in WORKING:
        raise PeerFault("not_working")
    given = {name: Disclosed.from_wire(item) for name, item in body.fields.items()}
    try:
        protocol = agreed(unit, referral.peer, body.protocol, body.version)
    except PeerFault as fault:
        _keep_nothing(unit, referral, body, fault.code)
        return
    whole = {n: d for n, d in given.items() if d is not None}
    until = max(unit.now, min(body.until, _last_day(unit, referral, protocol)))
    owner = ""
    if body.glass:
        kept, until = _under_glass(unit, referral, body, whole, protocol)
    else:
        kept = whole
        for each in (protocol, unit.pack.between(referral.peer).protocols.get(body.protocol, protocol)):  # of two versions, what both let us hold
            kept, _ = may_hold(each, unit.me.kind, kept, purpose=referral.purpose)
    if body.grant:
        owner, kept, until = _under_grant(unit, referral, body, kept, until)
    kept = {name: written for name, item in kept.items() if (written := _written(unit, name, item)) is not None}
    dropped = tuple(sorted(set(given) - set(kept)))
    unit.vault.create(body.disclosure)
    unit.disclosures.add(
        Disclosure(
            id=body.disclosure,
            referral=referral.id,
            side=Side.RECIPIENT,
            consent=None,
            protocol=body.protocol,
            protocol_version=body.version,
            fields={name: item.outcome.word for name, item in kept.items()},
            at=unit.now,
            until=until,
            grant=body.grant,
            owner=owner,
            glass=body.glass,
        )
    )
    for name, item in kept.items():
        place = f"held_values|{referral.id}|{name}"
        sealed = unit.vault.seal(body.disclosure, place, (item.value or "").encode())
        outcome = item.outcome.word
        unit.held.add(HeldValue(id=new_id("val"), disclosure=body.disclosure, referral=referral.id, field=name, outcome=outcome, sealed=sealed))
    remind(unit, "retention", body.disclosure, until)
    gone = _replaced(unit, referral)
    note(unit, referral.id, referral.peer, "disclosure.received", fields=sorted(kept), dropped=len(dropped))
    if dropped:
        names = [name[:40] for name in dropped][:50]
        intend(unit, referral.peer, "report", referral=referral.id, disclosure=body.disclosure, dropped=names, why="")
    if body.glass:
        unit.announce(GlassMoved(glass=body.glass, what="open"))
    else:
        unit.announce(ReferralMoved(referral=referral.id, what="rest" if gone else "disclosed", ring=True, fields=gone))


def _under_glass(
    unit: Unit, referral: Referral, body: wire.Disclose, given: dict[str, Disclosed], protocol: Protocol
) -> tuple[dict[str, Disclosed], datetime]:
    """The one field that somebody here broke the glass for, and no longer than our own protocol lets it live."""
    glass = arrived(unit, referral, body.glass, protocol)
    lasts = protocol.break_glass.lasts if protocol.break_glass else timedelta(0)
    until = max(unit.now, min(body.until, unit.now + lasts))
    unit.glasses.put(replace(glass, state="open", until=until))
    return {name: item for name, item in given.items() if name == glass.field}, until


def _under_grant(
    unit: Unit, referral: Referral, body: wire.Disclose, kept: dict[str, Disclosed], until: datetime
) -> tuple[str, dict[str, Disclosed], datetime]:
    """Somebody else's data, passed on: kept only as far as the owner's own signature reaches, which is checked here (R71)."""
    owner = claimed_owner(body.grant)
    peer = unit.peers.get(owner)
    if peer is None or peer.state != "confirmed":
        raise PeerFault("grant_unknown_owner")
    grant = verify_grant(body.grant, owner, keys_now(unit, owner))
    if (grant.holder, grant.third, grant.need) != (referral.peer, unit.me.id, referral.need) or not unit.now < grant.use_by:
        raise PeerFault("grant_not_ours")
    fitting = {}
    for name, item in kept.items():
        passage = Passage.of(grant.fields.get(name, ""))
        if passage is not None and item.outcome <= passage.outcome:
            fitting[name] = item
    return owner, fitting, min(until, grant.until)


def _replaced(unit: Unit, referral: Referral) -> tuple[str, ...]:
    """What was taken back, when this disclosure brings the rest again: what died here since the one before, and did not come back."""
    lost: set[str] = set()
    for line in unit.log.all(about=referral.id, what__in=("disclosure.withdrawn", "disclosure.received"), order="at"):
        lost = lost | set(line.detail.get("fields", ())) if line.what == "disclosure.withdrawn" else set()
    active = unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT, state="active")
    return tuple(sorted(lost - {f for d in active for f in d.fields}))


def _written(unit: Unit, name: str, item: Disclosed) -> Disclosed | None:
    """A released value as it is kept; None when it hides something where only a code may stand (P05)."""
    if item.outcome is not Outcome.RELEASE or item.value is None:
        return item if item.value is None else replace(item, value=plain(item.value))
    value = as_agreed(unit.pack.vocabulary, name, item.value)
    return None if value is None else replace(item, value=value)


def _keep_nothing(unit: Unit, referral: Referral, body: wire.Disclose, why: str) -> None:
    """It was decided under a version that does not bind us: we sign that nothing of it is here, and both sides' people read why."""
    names = [name[:40] for name in sorted(body.fields)][:50]
    # The report goes first: it says what the receipt after it means.
    intend(unit, referral.peer, "report", referral=referral.id, disclosure=body.disclosure, dropped=names, why=why)
    confirm(unit, referral, [body.disclosure], make_receipt(unit, referral, [body.disclosure]))
    note(unit, referral.id, referral.peer, "disclosure.refused", why=why, version=body.version)
    named = f"{body.protocol[:60]}@{body.version}"
    unit.announce(Alarm(code=why, params=(("institution", referral.peer), ("code", referral.code), ("detail", named))))
    link = unit.links.one(peer=referral.peer)
    if link is not None and why == AHEAD:
        ask_again(unit, link)


def _last_day(unit: Unit, referral: Referral, protocol: Protocol) -> datetime:
    if referral.purpose not in protocol.purposes:
        return unit.now
    return datetime.combine(protocol.keep_until(referral.purpose, unit.now.date()), unit.now.timetz())
