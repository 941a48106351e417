"""A disclosure arrives: sealed under a key of its own, held only as far as our own policy allows (intake step 8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hub.actions.common import intend, note, remind
from hub.actions.peer_words import DISCLOSURE_ID, MAX_VERSION
from hub.actions.ports import Unit
from hub.actions.receipts import confirm, make_receipt
from hub.base.errors import PeerFault
from hub.base.ids import new_id
from hub.cases.events import ReferralMoved
from hub.cases.lifecycle import OPEN, WORKING, Side
from hub.cases.records import Disclosure, HeldValue, Referral
from hub.exchange import wire
from policies.decision import Outcome
from policies.holding import may_hold
from policies.preview import Disclosed
from policies.spelling import as_agreed, plain


def receive_disclosure(unit: Unit, referral: Referral, body: wire.Disclose) -> None:
    """Step 8: what our own policy lets us hold is kept, the rest is dropped before storage and reported by name (P01)."""
    if not DISCLOSURE_ID.fullmatch(body.disclosure) or unit.disclosures.get(body.disclosure) is not None:
        raise PeerFault("bad_body", kind="disclose", why="id")
    if referral.state not in OPEN or unit.tombstones.get(body.disclosure) is not None:
        # it crossed with our outcome, or was destroyed here before a restore: nothing of it is kept, and we sign for that
        confirm(unit, referral, [body.disclosure], make_receipt(unit, referral, [body.disclosure]))
        return
    if referral.state not in WORKING or not 0 < body.version <= MAX_VERSION:
        raise PeerFault("not_working")
    given = {name: Disclosed.from_wire(item) for name, item in body.fields.items()}
    protocol = unit.pack.protocols[referral.protocol]
    kept, _ = may_hold(protocol, unit.me.kind, {n: d for n, d in given.items() if d is not None}, purpose=referral.purpose)
    kept = {name: written for name, item in kept.items() if (written := _written(unit, name, item)) is not None}
    dropped = tuple(sorted(set(given) - set(kept)))
    unit.vault.create(body.disclosure)
    until = max(unit.now, min(body.until, _last_day(unit, referral)))
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
        intend(unit, referral.peer, "report", referral=referral.id, disclosure=body.disclosure, dropped=names)
    unit.announce(ReferralMoved(referral=referral.id, what="rest" if gone else "disclosed", ring=True, fields=gone))


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


def _last_day(unit: Unit, referral: Referral) -> datetime:
    protocol = unit.pack.protocols[referral.protocol]
    return datetime.combine(protocol.keep_until(referral.purpose, unit.now.date()), unit.now.timetz())
