"""Dispatch: one transaction in which an intent becomes a signed, numbered message — or dies (`design.md` §5, Dispatch).

Policy and consent are decided again here (P04), the sequence is given, `inner` is built and signed once and kept sealed until it is
acknowledged, the ledger row is written. Retries re-seal only the outer envelope.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hub.actions.common import note, remind
from hub.actions.compose import compose
from hub.actions.devices import held_devices
from hub.actions.emergency import not_sent
from hub.actions.erase import cancel_intent
from hub.actions.keep_ledger import append_ledger, checkpoint
from hub.actions.letter import Dropped, Letter
from hub.actions.manifest_versions import full_signer, known_to, signer_for
from hub.actions.onward_holder import owner_silent
from hub.actions.onward_receipts import hand_on_receipts
from hub.actions.opening_keys import asks_due, is_fresh, key_chores, key_for, turn_keys
from hub.actions.own_manifest import lacking
from hub.actions.peers import manifest_of
from hub.actions.ports import Unit
from hub.actions.refer import offer_stopped
from hub.actions.restart import BEFORE_STANDING, RESTORE_KINDS
from hub.actions.tell_standing import cut
from hub.base.ids import new_id
from hub.cases.events import Alarm, ReferralMoved
from hub.cases.lifecycle import WORKING
from hub.exchange.pacing import (
    ACK_DELAY,
    AHEAD,
    RECORDS,
    RESEND_AFTER,
    SILENT_AFTER,
    WINDOW,
    bundles,
    due_again,
    fitting,
    owed_ack,
    room_for,
    under_way,
)
from hub.exchange.records import Link, Outgoing
from hub.exchange.wire import Ack, Resend, SkipSeq, box, encode, pack
from keys import envelope
from keys.chunks import CHUNK_KIND, CHUNK_SIZE, chunk_body
from keys.envelope import Inner, SignedInner
from keys.errors import KeyDestroyed, KeysError, ProviderError
from keys.manifest import Manifest
from keys.primitives import SealingKey, SigningKey, random_bytes

_PLACE = "outbox|sealed"


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One sealed event ready to be put into a link room. `rows` are the outbox rows in it; empty for acks and resends."""

    txn: str
    link: str
    room: str
    sealed: bytes
    rows: tuple[str, ...] = ()
    before: Link | None = None
    """Of what has no number: what the link still owed before this was written."""


@dataclass(frozen=True, kw_only=True)
class Road:
    """What is needed to speak to a peer now: its key of the day, a signing key of ours that it accepts; and whether both manifests count."""

    opening: SealingKey | None
    signer: SigningKey | None
    fresh: bool


def dispatch(unit: Unit, resting: frozenset[str] = frozenset()) -> list[Parcel]:
    """Turn due intents into numbered messages and return everything that should be put now, retries and acks included.

    Not for the links that are `resting`: their rooms took nothing just now.
    """
    parcels: list[Parcel] = []
    turn_keys(unit)
    for link in unit.links.all(room__not=None, frozen=None, id__notin=tuple(resting), order="id"):
        road = _road(unit, link)
        if road.opening and road.signer:
            link = _number_new(unit, link, road)
            parcels += _parcels(unit, link, road)
        parcels += _chores(unit, unit.links.get(link.id) or link, road)
    return parcels


def mark_sent(unit: Unit, parcel: Parcel) -> None:
    """The homeserver has the event. The rows wait for the peer's acknowledgement."""
    for row_id in parcel.rows:
        row = unit.outbox.get(row_id)
        if row and row.state == "dispatched":
            unit.outbox.put(replace(row, sent_at=unit.now, attempts=row.attempts + 1, parcel=parcel.txn))


def next_send(unit: Unit, resting: frozenset[str] = frozenset()) -> timedelta:
    """How long until something may need sending although nobody pokes: acknowledgements owed, gaps, retries, delayed intents.

    What cannot leave now, however often we look, is no moment: a full window waits for the peer, a voiceless link for a manifest, and both poke.
    """
    moments: list[datetime] = []
    for link in unit.links.all(room__not=None, frozen=None, id__notin=tuple(resting)):
        road = _road(unit, link)
        if road.opening and road.signer:
            moments += [link.ack_due_at] if link.ack_due_at else []
            moments += _ready_at(unit, link, road)
        if signer_for(unit, link):
            moments += _chores_due(unit, link)
    if any(unit.early.count(link=link.id) for link in unit.links.all(frozen=None)):
        moments.append(unit.now + RESEND_AFTER)
    if unit.outbox.count(state="dispatched"):
        moments.append(unit.now + timedelta(seconds=5))
    soonest = min(moments, default=unit.now + timedelta(seconds=60))
    return max(soonest - unit.now, timedelta(milliseconds=20))


def _ready_at(unit: Unit, link: Link, road: Road) -> list[datetime]:
    """When the first intent may be numbered, of those that may be; none while the window is full."""
    if not room_for(link):
        return []
    which: dict[str, Any] = {"kind__in": RESTORE_KINDS} if link.asking else {"kind__notin": () if road.fresh else ("offer",)}
    return [row.not_before for row in unit.outbox.all(state="ready", link=link.id, order="not_before", limit=1, **which)]


def _chores_due(unit: Unit, link: Link) -> list[datetime]:
    asks, asked = asks_due(unit, link), link.resend_asked_at
    moments = [asks] if asks else []
    moments += [unit.now] if link.owes_key else []
    return moments + ([asked + RESEND_AFTER if asked else unit.now] if link.gone else [])


def troubles(unit: Unit) -> tuple[list[str], list[str]]:
    """Rooms with a gap (something came early, so something is missing: page back), and peers' Matrix users who seem not to read us.

    A record that was put three times without an acknowledgement may mean that its room key never arrived.
    """
    links = {link.id: link for link in unit.links.all(frozen=None)}
    gaps = {link.room for link in links.values() if unit.early.count(link=link.id)}
    unread = {links[row.link].peer for row in unit.outbox.all(state="dispatched", attempts__ge=3) if row.link in links}
    peers = [unit.peers.get(peer) for peer in sorted(unread)]
    return sorted(room for room in gaps if room), [Manifest.from_bytes(p.manifest).profile.matrix_user for p in peers if p]


def _road(unit: Unit, link: Link) -> Road:
    peer = unit.peers.get(link.peer)
    assert peer is not None, "a link has a peer"
    return Road(opening=key_for(unit, peer), signer=full_signer(unit, link), fresh=is_fresh(unit, peer) and not lacking(unit.hand))


def _number_new(unit: Unit, link: Link, road: Road) -> Link:
    """Number what is due, in order, while the window has room. A body in chunks needs room for all of them, or an empty window.

    New offers wait for a peer that confirmed its manifest lately, and until we have the keys that ours names. After a restore: first what is
    said about it, and nothing else until the peer has answered; then what was on the road, then what is new.
    """
    about = unit.outbox.all(state="ready", link=link.id, kind__in=RESTORE_KINDS, order="order")
    if not link.asking and any(row.kind == "standing" for row in about):
        for row in unit.outbox.all(state="ready", link=link.id, kind__in=BEFORE_STANDING, order="order"):
            if not room_for(link):
                return link
            link = _number(unit, link, row, road)
    for row in [part for each in about for part in cut(unit, each, link)]:
        if not room_for(link):
            return link
        link = _number(unit, link, row, road)
    if link.asking:
        return link
    for row in unit.outbox.all(state="held", link=link.id, order="seq", limit=RECORDS):
        if room_for(link) and not owner_silent(unit, row):
            link = _number_again(unit, link, row, road)
    held = () if road.fresh else ("offer",)
    for row in unit.outbox.all(state="ready", link=link.id, not_before__le=unit.now, kind__notin=held, order="order", limit=RECORDS):
        if not room_for(link):
            break
        if owner_silent(unit, row):
            unit.outbox.put(replace(row, not_before=unit.now + timedelta(minutes=1)))
        else:
            link = _number(unit, link, row, road)
    return link


def _number(unit: Unit, link: Link, row: Outgoing, road: Road) -> Link:
    try:
        letter, pieces = unit.attempt(lambda: _written(unit, row))
    except ProviderError:  # the key-encryption key is away: the intent waits for it (R10)
        raise
    except (Dropped, KeysError) as reason:
        cancel_intent(unit, row)
        note(unit, str(row.ref.get("referral", link.id)), "hub", "dispatch.dropped", kind=row.kind, why=reason.code)
        _tell_dropped(unit, row, reason.code)
        return link
    kind = letter.body.kind if len(pieces) == 1 else CHUNK_KIND
    for index, piece in enumerate(pieces):
        record = _sign(unit, link, road, link.next_out, kind, piece, owed_ack(link))
        link = _keep(unit, link, row if index == 0 else _part(unit, row), letter.owner, record)
        if index == 0:
            append_ledger(unit, letter.subject or link.id, letter.body.kind, link.peer, digest=record.digest, **letter.ledger)
    return link


def _number_again(unit: Unit, link: Link, row: Outgoing, road: Road) -> Link:
    """The same body under the next number of a new epoch; it was entered in the ledger when it was first said."""
    ours = [key.public for key in (unit.hand.signer, *unit.hand.older)]
    try:
        old = envelope.read_signed(unit.vault.open(row.owner, _PLACE, row.sealed), ours).inner
    except ProviderError:
        raise
    except KeysError as reason:
        cancel_intent(unit, row)
        note(unit, str(row.ref.get("referral", link.id)), "hub", "dispatch.dropped", kind=row.kind, why=reason.code)
        return link
    return _keep(unit, link, row, row.owner, _sign(unit, link, road, link.next_out, old.kind, old.body, owed_ack(link)))


def _written(unit: Unit, row: Outgoing) -> tuple[Letter, tuple[bytes, ...]]:
    """The letter and its bytes, cut into chunks when they are more than one envelope holds. Raises Dropped, errors of `keys`."""
    letter = compose(unit, row)
    closed = _closed(unit, row, letter)
    if len(closed) <= CHUNK_SIZE:
        return letter, (closed,)
    pieces = chunk_body(letter.body.kind, closed)
    if len(pieces) > WINDOW:
        raise Dropped("too_large")
    return letter, pieces


def _tell_dropped(unit: Unit, row: Outgoing, why: str) -> None:
    """Somebody waits for what will not go: the lead hears of it in her case's thread, or the administrators do."""
    referral = unit.referrals.get(str(row.ref.get("referral")))
    if row.kind == "offer":
        offer_stopped(unit, str(row.ref["referral"]), why)
    elif row.kind == "disclose" and referral and referral.state in WORKING and row.ref.get("glass"):
        not_sent(unit, referral, str(row.ref["glass"]))
    elif row.kind == "disclose" and referral and referral.state in WORKING:
        what = "nothing_left" if row.ref.get("without") else "nothing_disclosed"
        unit.announce(ReferralMoved(referral=referral.id, what=what, ring=what == "nothing_disclosed"))
    if row.kind == "disclose" and referral:
        hand_on_receipts(unit, referral)
    if why == "too_large" or why.startswith("keys."):
        unit.announce(Alarm(code="dispatch_failed", params=(("kind", row.kind), ("why", why))))


def _part(unit: Unit, row: Outgoing) -> Outgoing:
    """The row of a later chunk. Its kind is none that anything waits for: the first row stands for the whole."""
    part = replace(row, id=new_id("out"), order=unit.outbox.next("order"), kind=CHUNK_KIND, ref={"of": row.id})
    unit.outbox.add(part)
    return part


def _keep(unit: Unit, link: Link, row: Outgoing, owner: str, record: SignedInner) -> Link:
    sealed = unit.vault.seal(owner, _PLACE, record.data)
    unit.outbox.put(
        replace(
            row, state="dispatched", owner=owner, epoch=link.epoch_out, seq=link.next_out, digest=record.digest,
            message=record.inner.message_id.hex(), sealed=sealed,
        )
    )  # fmt: skip
    if not unit.timers.count(kind="silent", ref=link.id, done_at=None):
        remind(unit, "silent", link.id, unit.now + SILENT_AFTER)
    link = replace(link, next_out=link.next_out + 1, head_out=record.digest, ack_due_at=None, acked_in=link.next_in - 1)
    unit.links.put(link)
    return link


def _closed(unit: Unit, row: Outgoing, letter: Letter) -> bytes:
    """The body's bytes, inside the other side's referral key where the kind asks for it."""
    plain = encode(letter.body)
    if not letter.body.sealed:
        return plain
    referral = str(row.ref["referral"])
    parts = (referral, unit.me.id, letter.body.kind)
    return box(referral, envelope.seal_body(SealingKey(letter.their_key), parts, plain))


def _sign(
    unit: Unit, link: Link, road: Road, sequence: int, kind: str, body: bytes, extensions: tuple[tuple[str, bytes], ...] = ()
) -> SignedInner:
    assert road.signer is not None, "nothing is written without a key that the peer accepts"
    inner = Inner(
        message_id=random_bytes(16),
        sender=unit.me.id,
        recipient=link.peer,
        link=link.id,
        epoch=link.epoch_out,
        sequence=sequence,
        previous=link.head_out,
        manifest_version=unit.hand.manifest.version,
        kind=kind,
        body=body,
        sent_at=int(unit.now.timestamp() * 1000),
        checkpoint=checkpoint(unit, road.signer),
        extensions=(*extensions, *held_devices(unit, link)),
    )
    return envelope.sign_inner(inner, road.signer)


def _parcels(unit: Unit, link: Link, road: Road) -> list[Parcel]:
    """What is due, oldest first, in as many events as the window has room for; what is said again takes the room that it had."""
    rows = unit.outbox.all(state="dispatched", link=link.id, order="seq")
    due = [row for row in rows if due_again(row, unit.now)]
    room = WINDOW - under_way(row for row in rows if not due_again(row, unit.now))
    groups = bundles([(row, _kept(unit, link, road, row)) for row in due])[: max(room, 0)]
    return [_seal(unit, link, [s for _, s in group], [r for r, _ in group], road.opening) for group in groups]


def _kept(unit: Unit, link: Link, road: Road, row: Outgoing) -> bytes:
    """The signed bytes as first made; when their key was destroyed meanwhile, a signed skip of the same number.

    The skip is made once and kept like any message. The peer may have had the message and acknowledge that one: its digest stays too.
    What a signing key signed that the peer no longer accepts is signed again: the same frame, so the same digest (R11).
    """
    try:
        data = unit.vault.open(row.owner, _PLACE, row.sealed)
        assert road.signer is not None, "nothing is sent without a key that the peer accepts"
        return data if envelope.signed_by(data) in {key.keyid for key in known_to(unit, link)} else envelope.sign_again(data, road.signer)
    except KeyDestroyed:
        skip = _sign(unit, replace(link, epoch_out=row.epoch), road, row.seq, SkipSeq.kind, encode(SkipSeq(reason="erased")))
        sealed = unit.vault.seal("hub", _PLACE, skip.data)
        ref = row.ref | {"was": row.digest.hex()}
        unit.outbox.put(replace(row, owner="hub", ref=ref, digest=skip.digest, message=skip.inner.message_id.hex(), sealed=sealed))
        return skip.data


def _chores(unit: Unit, link: Link, road: Road) -> list[Parcel]:
    """What has no number. Without the peer's key of the day only what its long key may open; the acknowledgement waits for it."""
    before = link
    found = key_chores(unit, link)
    link = unit.links.get(link.id) or link
    if road.opening and road.signer and link.ack_due_at and link.ack_due_at <= unit.now:
        found.append(Ack(epoch=link.epoch_in, upto=link.next_in - 1, digest=link.head_in))
        unit.links.put(replace(link, ack_due_at=None, acked_in=link.next_in - 1))
    found += [gap] if (gap := _gap(unit, link)) else []
    voice = road if road.signer else replace(road, signer=signer_for(unit, link))
    if not found or voice.signer is None:
        return []
    signed = [_sign(unit, link, voice, 0, body.kind, encode(body)).data for body in found]
    opening = road.opening or manifest_of(unit, link.peer).profile.opening
    return [replace(_seal(unit, link, group, [], opening), before=before) for group in fitting(signed)]


def _gap(unit: Unit, link: Link) -> Resend | None:
    held = unit.early.all(link=link.id, epoch=link.epoch_in, order="seq", limit=1)
    recently = link.resend_asked_at and unit.now - link.resend_asked_at < RESEND_AFTER
    if recently or not (link.gone or (held and unit.now - held[0].at >= ACK_DELAY)):
        return None
    current = unit.links.get(link.id) or link
    unit.links.put(replace(current, resend_asked_at=unit.now, gone=False))
    if link.gone:  # what could not be opened has no number here: everything from the next on may have been in it
        return Resend(epoch=max(link.epoch_in, 1), first=link.next_in, last=link.next_in + AHEAD)
    return Resend(epoch=link.epoch_in, first=link.next_in, last=held[0].seq - 1)


def _seal(unit: Unit, link: Link, signed: list[bytes], rows: list[Outgoing], opening: SealingKey | None) -> Parcel:
    assert opening is not None, "nothing is sealed without a living key of the peer's"
    sealed = envelope.seal(pack(signed), opening, envelope.info_bytes(unit.me.id, link.peer, link.id))
    first = f"{rows[0].id}.{rows[0].attempts}" if rows else random_bytes(12).hex()
    return Parcel(txn=f"tk-{first}-{len(rows)}", link=link.id, room=link.room or "", sealed=sealed, rows=tuple(r.id for r in rows))
