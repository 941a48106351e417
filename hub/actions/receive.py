"""Receive an envelope from a peer: the numbered steps of `design.md` §5, in one unit of work (steps 0–4 stand in `exchange/intake.py`)."""

from __future__ import annotations

from dataclasses import replace

from hub.actions import handle
from hub.actions.answer import drop_words
from hub.actions.common import note
from hub.actions.peers import manifest_of
from hub.actions.ports import Unit
from hub.base.errors import PeerFault, TinkuyError
from hub.cases.events import Alarm
from hub.exchange.intake import Place, open_envelope, place
from hub.exchange.pacing import ACK_DELAY, ACK_EXTENSION, WINDOW, read_ack
from hub.exchange.records import Early, Link, Seen
from hub.exchange.wire import Ack, Resend, decode, unbox
from keys import envelope
from keys.envelope import SignedInner
from keys.errors import KeysError
from keys.primitives import OpeningKey

_PLACE = "early|sealed"


def receive(unit: Unit, room: str, sender: str, sealed: bytes) -> int:
    """Accept one event of a link room. Returns how many records took effect. Raises PeerFault; then nothing of it was kept."""
    link = unit.links.one(room=room)
    if link is None or link.frozen:
        raise PeerFault("no_link")
    manifest = manifest_of(unit, link.peer)
    if sender != manifest.profile.matrix_user:  # (1) the device was checked by the room's guard
        raise PeerFault("wrong_sender", institution=link.peer)
    done = 0
    for record in open_envelope(sealed, me=unit.me.id, link=link, manifest=manifest, key=unit.hand.opening):  # (0) (2) (3) (4)
        done += _take(unit, link.id, record)
    return done


def _take(unit: Unit, link_id: str, record: SignedInner) -> int:
    link = _link(unit, link_id)
    ridden = read_ack(record.inner.extension(ACK_EXTENSION))
    if ridden is not None:
        _acked(unit, link, ridden)
        link = _link(unit, link_id)
    where = place(link, record, WINDOW)  # (6)
    if where is Place.APART:
        _apart(unit, link, record)
        return 0
    seen = unit.seen.get(_key(link, record))
    if seen is not None or where is Place.OLD:  # (5)
        if seen is None or (seen.digest != record.digest and record.inner.kind != "skip"):
            _freeze(unit, link, "changed_twin" if seen else "behind_unseen")
            return 0
        _owe_ack(unit, link)
        return 0
    if where is Place.EARLY:
        _hold(unit, link, record)
        return 0
    done = _apply(unit, link, record)
    while (following := _next_held(unit, _link(unit, link_id))) is not None:
        done += _apply(unit, _link(unit, link_id), following)
    return done


def _apply(unit: Unit, link: Link, record: SignedInner) -> int:
    """Steps 7 to 9 for a record whose turn it is."""
    inner = record.inner
    fresh = inner.epoch != link.epoch_in
    unit.seen.add(Seen(id=_key(link, record), link=link.id, epoch=inner.epoch, seq=inner.sequence, digest=record.digest, at=unit.now))
    unit.links.put(
        replace(link, epoch_in=inner.epoch, next_in=inner.sequence + 1, head_in=record.digest, ack_due_at=unit.now + ACK_DELAY)
    )
    if fresh and link.epoch_in:
        note(unit, link.id, link.peer, "link.epoch", epoch=inner.epoch)
    if inner.kind == "skip":
        unit.announce(Alarm(code="peer_skipped", params=(("institution", link.peer), ("number", str(inner.sequence)))))
        return 0
    try:
        unit.attempt(lambda: handle.handle(unit, link, decode(inner.kind, _opened(unit, link, record))))  # (7) (8) (9)
    except (TinkuyError, KeysError) as error:
        unit.announce(Alarm(code="record_refused", params=(("institution", link.peer), ("kind", inner.kind), ("why", error.code))))
        note(unit, link.id, link.peer, "record.refused", kind=inner.kind, why=error.code)
    return 1


def _opened(unit: Unit, link: Link, record: SignedInner) -> bytes:
    """The body's bytes; boxed bodies open with the private referral key, which is gone after a withdrawal."""
    inner = record.inner
    if not handle.is_boxed(inner.kind):
        return inner.body
    referral, sealed = unbox(inner.body)
    key = OpeningKey(unit.vault.secret(referral))
    return envelope.open_body(key, (referral, link.peer, inner.kind), sealed)


def _apart(unit: Unit, link: Link, record: SignedInner) -> None:
    body = decode(record.inner.kind, record.inner.body)
    if isinstance(body, Ack):
        _acked(unit, link, body)
    elif isinstance(body, Resend) and body.epoch == link.epoch_out:
        for row in unit.outbox.all(state="dispatched", link=link.id, seq__ge=body.first, seq__le=body.last):
            unit.outbox.put(replace(row, sent_at=None))


def _acked(unit: Unit, link: Link, ack: Ack) -> None:
    """Believe an acknowledgement only when it names the digest we really sent under that number (D09)."""
    if ack.epoch != link.epoch_out or ack.upto <= link.acked_out:
        return
    last = unit.outbox.one(link=link.id, epoch=ack.epoch, seq=ack.upto)
    if ack.upto >= link.next_out or (last is not None and last.digest != ack.digest and last.sealed):
        unit.announce(Alarm(code="false_ack", params=(("institution", link.peer),)))
        return
    for row in unit.outbox.all(state="dispatched", link=link.id, epoch=ack.epoch, seq__le=ack.upto):
        unit.outbox.put(replace(row, state="acked", acked_at=unit.now, sealed=b""))
        drop_words(unit, row.owner)
        handle.delivered(unit, row)
    unit.links.put(replace(_link(unit, link.id), acked_out=ack.upto))


def _hold(unit: Unit, link: Link, record: SignedInner) -> None:
    key = _key(link, record)
    if unit.early.get(key) is None:
        row = Early(
            id=key, link=link.id, epoch=record.inner.epoch, seq=record.inner.sequence,
            sealed=unit.vault.seal("hub", _PLACE, record.data), at=unit.now,
        )  # fmt: skip
        unit.early.add(row)


def _next_held(unit: Unit, link: Link) -> SignedInner | None:
    row = unit.early.one(link=link.id, epoch=link.epoch_in, seq=link.next_in)
    if row is None:
        return None
    unit.early.delete(row.id)
    return envelope.read_signed(unit.vault.open("hub", _PLACE, row.sealed), manifest_of(unit, link.peer).profile.hub_signing)


def _owe_ack(unit: Unit, link: Link) -> None:
    if link.ack_due_at is None:
        unit.links.put(replace(link, ack_due_at=unit.now + ACK_DELAY))


def _freeze(unit: Unit, link: Link, why: str) -> None:
    unit.links.put(replace(link, frozen=why))
    unit.announce(Alarm(code="link_frozen", params=(("institution", link.peer), ("why", why))))


def _link(unit: Unit, link_id: str) -> Link:
    link = unit.links.get(link_id)
    assert link is not None, "a link is never deleted"
    return link


def _key(link: Link, record: SignedInner) -> str:
    return f"{link.id}.{record.inner.epoch}.{record.inner.sequence}"


