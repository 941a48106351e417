"""Receive an envelope from a peer: the numbered steps of `design.md` §5, in one unit of work (steps 0–4 stand in `exchange/intake.py`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hub.actions import handle
from hub.actions.common import note, remind
from hub.actions.devices import heard_devices
from hub.actions.erase import drop_words
from hub.actions.facts import freeze
from hub.actions.hear_manifest import hear_manifest
from hub.actions.manifest_versions import keys_ever
from hub.actions.not_taken import say_not_taken
from hub.actions.opening_keys import hear_key, key_gone
from hub.actions.peers import manifest_of
from hub.actions.ports import Unit
from hub.actions.watch_ledger import heard_checkpoint
from hub.base.errors import PeerFault, TinkuyError
from hub.cases.events import Alarm
from hub.exchange.intake import Place, open_envelope, place
from hub.exchange.pacing import ACK_DELAY, ACK_EXTENSION, AHEAD, DEVICES_EXTENSION, RESEND_AFTER, SILENT_AFTER, WINDOW, read_ack
from hub.exchange.records import Early, Link, Seen
from hub.exchange.wire import MAX_JOINED, Ack, Body, Hek, NewManifest, Offer, Resend, SkipSeq, decode, unbox
from keys import envelope
from keys.chunks import CHUNK_KIND, Chunk, join_chunks
from keys.envelope import SignedInner
from keys.errors import KeyDestroyed, KeysError, ProviderError
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
    try:
        records = open_envelope(
            sealed, me=unit.me.id, link=link, manifest=manifest, find=lambda hint: unit.daily.by_hint(hint, unit.now)
        )  # (0) (2) (3) (4)
    except PeerFault as fault:
        if fault.params.get("why") != "hek.gone":
            raise
        key_gone(unit, link)
        return 0
    done = 0
    for record in records:
        done += _take(unit, link.id, record)
        if _link(unit, link.id).frozen:  # nothing behind it is looked at: a fault there would take the freeze back with the rest of the event
            break
    return done


def _take(unit: Unit, link_id: str, record: SignedInner) -> int:
    link = _link(unit, link_id)
    heard_devices(unit, link, record.inner.extension(DEVICES_EXTENSION))
    ridden = read_ack(record.inner.extension(ACK_EXTENSION))
    if ridden is not None:
        _acked(unit, link, ridden)
        link = _link(unit, link_id)
    if record.inner.manifest_version > manifest_of(unit, link.peer).version and not link.behind:
        link = replace(link, behind=True)
        unit.links.put(link)
    where = place(link, record)  # (6)
    if where is Place.APART:
        _apart(unit, link, record)
        return 0
    seen = unit.seen.get(_key(link, record))
    if seen is not None or where is Place.OLD:  # (5)
        if seen is None or not _same(seen, record):
            freeze(unit, link, "changed_twin" if seen else "behind_unseen")
            return 0
        _owe_ack(unit, link)
        return 0
    if where is Place.EARLY:
        _hold(unit, link, record)
        return 0
    done = _apply(unit, link, record)
    while not _link(unit, link_id).frozen and (following := _next_held(unit, _link(unit, link_id))) is not None:
        done += _apply(unit, _link(unit, link_id), following)
    return done


def _apply(unit: Unit, link: Link, record: SignedInner) -> int:
    """Steps 7 to 9 for a record whose turn it is."""
    inner = record.inner
    fresh = inner.epoch != link.epoch_in
    if not fresh and not _continues(unit, link, record):
        freeze(unit, link, "chain_broken")
        return 0
    digest = b"" if inner.kind == SkipSeq.kind else record.digest
    unit.seen.add(Seen(id=_key(link, record), link=link.id, epoch=inner.epoch, seq=inner.sequence, digest=digest, at=unit.now))
    heard = heard_checkpoint(unit, link, inner.checkpoint)
    unit.links.put(
        replace(heard, epoch_in=inner.epoch, next_in=inner.sequence + 1, head_in=record.digest, ack_due_at=_ack_due(unit, link))
    )
    for row in unit.early.all(link=link.id, epoch__lt=inner.epoch) if fresh else ():
        unit.early.delete(row.id)
    if fresh and link.epoch_in:
        note(unit, link.id, link.peer, "link.epoch", epoch=inner.epoch)
    if inner.kind == SkipSeq.kind:
        _drop_pieces(unit, link)
        unit.announce(Alarm(code="peer_skipped", params=(("institution", link.peer), ("number", str(inner.sequence)))))
        return 0
    whole = None
    try:
        whole = _whole(unit, link, record)
        if whole is not None:
            unit.attempt(lambda: _effect(unit, link, *whole))  # (7) (8) (9)
    except ProviderError:  # the key-encryption key is away, no fault of the record's: nothing of it is taken (R10)
        raise
    except (TinkuyError, KeysError) as error:
        _refuse(unit, link, inner.kind, error.code, whole)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        # A defect of ours that a peer's bytes reached. The same bytes would reach it for ever: the record is refused, the line goes on.
        _refuse(unit, link, inner.kind, type(error).__name__, whole)
    return 1


def _continues(unit: Unit, link: Link, record: SignedInner) -> bool:
    """Whether a record names the one before it as we have it. A skip stood in for a message that others still name, so it breaks no chain."""
    before = unit.seen.get(f"{link.id}.{link.epoch_in}.{link.next_in - 1}")
    return before is None or not before.digest or SkipSeq.kind == record.inner.kind or record.inner.previous == before.digest


def _refuse(unit: Unit, link: Link, kind: str, why: str, whole: tuple[str, bytes] | None = None) -> None:
    if whole and whole[0] == Offer.kind:  # somebody there waits for an answer of people who never saw it
        say_not_taken(unit, link, whole[1], why)
    unit.announce(Alarm(code="record_refused", params=(("institution", link.peer), ("kind", kind[:20]), ("why", why))))
    note(unit, link.id, link.peer, "record.refused", kind=kind[:20], why=why)


def _effect(unit: Unit, link: Link, kind: str, body: bytes) -> None:
    if not handle.is_boxed(kind):
        handle.handle(unit, link, decode(kind, body, MAX_JOINED))
        return
    referral, sealed = unbox(body)
    try:
        key = OpeningKey(unit.vault.secret(referral))  # gone once the referral is over
    except KeyDestroyed:
        if handle.too_late(unit, link, referral, kind):
            return
        raise
    opened = decode(kind, envelope.open_body(key, (referral, link.peer, kind), sealed), MAX_JOINED)
    if getattr(opened, "referral", None) != referral:
        raise PeerFault("wrong_address", institution=link.peer)
    handle.handle(unit, link, opened)


def _whole(unit: Unit, link: Link, record: SignedInner) -> tuple[str, bytes] | None:
    """Kind and body of a record, or of the body in chunks that it completes; None while pieces are missing.

    Pieces have numbers next to each other, so whatever comes between them ends their group. Raises `Malformed` of `keys`.
    """
    inner = record.inner
    if inner.kind != CHUNK_KIND:
        _drop_pieces(unit, link)
        return inner.kind, inner.body
    piece = Chunk.from_bytes(inner.body)
    if piece.index == 0:
        _drop_pieces(unit, link)
    kept = unit.early.all(link=_pieces(link), order="seq")
    if len(kept) != piece.index:
        raise PeerFault("chunk_missing", institution=link.peer)
    if piece.index + 1 < piece.count:
        unit.early.add(
            Early(id=f"{_key(link, record)}.piece", link=_pieces(link), epoch=inner.epoch, seq=inner.sequence,
                  sealed=unit.vault.seal("hub", _PLACE, inner.body), at=unit.now)
        )  # fmt: skip
        return None
    _drop_pieces(unit, link)
    return join_chunks([*(unit.vault.open("hub", _PLACE, row.sealed) for row in kept), inner.body])


def _drop_pieces(unit: Unit, link: Link) -> None:
    for row in unit.early.all(link=_pieces(link)):
        unit.early.delete(row.id)


def _pieces(link: Link) -> str:
    """Under which name the pieces of a body wait: they are in their turn, unlike what waits under the link's own name."""
    return f"{link.id}.pieces"


def _same(seen: Seen, record: SignedInner) -> bool:
    """Whether a number seen before carries what it carried then. A skip stands for a message that died, and either may come first."""
    return record.inner.kind == SkipSeq.kind or seen.digest in (b"", record.digest)


def _apart(unit: Unit, link: Link, record: SignedInner) -> None:
    body = decode(record.inner.kind, record.inner.body)
    if isinstance(body, Ack):
        _acked(unit, link, body)
    elif isinstance(body, Resend) and body.epoch == link.epoch_out:
        _say_again(unit, link, body)
    else:
        try:
            unit.attempt(lambda: _renew(unit, link, body))
        except ProviderError:
            raise
        except (TinkuyError, KeysError) as error:
            _refuse(unit, link, record.inner.kind, error.code)


def _say_again(unit: Unit, link: Link, asked: Resend) -> None:
    """What is asked for leaves once more, as far as it is under way, and no more often than an honest peer asks: each answer seals and
    puts up to a whole window, and a question costs nothing. Who loses it twice asks again.
    """
    if link.resent_at is not None and timedelta(0) <= unit.now - link.resent_at < RESEND_AFTER:
        return
    rows = unit.outbox.all(state="dispatched", link=link.id, seq__ge=asked.first, seq__le=asked.last, sent_at__not=None)
    for row in rows:
        unit.outbox.put(replace(row, sent_at=None))
    if rows:
        unit.links.put(replace(link, resent_at=unit.now))


def _renew(unit: Unit, link: Link, body: Body) -> None:
    if isinstance(body, Hek):
        hear_key(unit, link, body)
    elif isinstance(body, NewManifest):
        hear_manifest(unit, link, body)


def _acked(unit: Unit, link: Link, ack: Ack) -> None:
    """Believe an acknowledgement only when it names the digest we really sent under that number (D09)."""
    if ack.epoch != link.epoch_out or ack.upto <= link.acked_out:
        return
    last = unit.outbox.one(link=link.id, epoch=ack.epoch, seq=ack.upto) if ack.upto < link.next_out else None
    if last is None or ack.digest.hex() not in (last.digest.hex(), last.ref.get("was")):
        unit.announce(Alarm(code="false_ack", params=(("institution", link.peer),)))
        return
    for row in unit.outbox.all(state="dispatched", link=link.id, epoch=ack.epoch, seq__le=ack.upto):
        unit.outbox.put(replace(row, state="acked", acked_at=unit.now, sealed=b""))
        drop_words(unit, row.owner)
        handle.delivered(unit, row)
    unit.links.put(replace(_link(unit, link.id), acked_out=ack.upto))


def _hold(unit: Unit, link: Link, record: SignedInner) -> None:
    key = _key(link, record)
    held = unit.early.get(key)
    if held is None:
        if unit.early.count(link=link.id) >= AHEAD:
            raise PeerFault("too_many_early", institution=link.peer)
        row = Early(
            id=key, link=link.id, epoch=record.inner.epoch, seq=record.inner.sequence,
            sealed=unit.vault.seal("hub", _PLACE, record.data), at=unit.now,
        )  # fmt: skip
        unit.early.add(row)
        if not unit.timers.count(kind="gap", ref=link.id, done_at=None):
            remind(unit, "gap", link.id, unit.now + SILENT_AFTER)
    elif record.inner.kind != SkipSeq.kind:
        kept = _held(unit, link, held)
        if kept.inner.kind != SkipSeq.kind and kept.digest != record.digest:  # (5) for what waits for its turn
            freeze(unit, link, "changed_twin")


def _next_held(unit: Unit, link: Link) -> SignedInner | None:
    row = unit.early.one(link=link.id, epoch=link.epoch_in, seq=link.next_in)
    if row is None:
        return None
    unit.early.delete(row.id)
    return _held(unit, link, row)


def _held(unit: Unit, link: Link, row: Early) -> SignedInner:
    return envelope.read_signed(unit.vault.open("hub", _PLACE, row.sealed), keys_ever(unit, link.peer))


def owe_acks(unit: Unit, delay: timedelta = ACK_DELAY) -> None:
    """Acknowledge everything once more: after a start. Acks are not kept in the outbox, and one that died with its process would be
    missed until the peer's next try; said twice it is harmless (D01). After an outage it is also the sign of life at which the peers'
    homeservers send what they kept back for ours (D05).
    """
    for link in unit.links.all(frozen=None):
        owe_ack(unit, link, delay)


def owe_ack(unit: Unit, link: Link, delay: timedelta = ACK_DELAY) -> None:
    """To this peer alone, if anything ever came from it."""
    if link.epoch_in and link.next_in > 1:
        _owe_ack(unit, link, delay)


def _owe_ack(unit: Unit, link: Link, delay: timedelta = ACK_DELAY) -> None:
    if link.ack_due_at is None:
        unit.links.put(replace(link, ack_due_at=unit.now + delay))


def _ack_due(unit: Unit, link: Link) -> datetime:
    """At once when the line was quiet, for somebody waits for the receipt; in a stream after `ACK_DELAY`, so that one speaks for many.

    At once too when half the window waits for our word: the sender will soon have to stand still. Else a date that stands is not moved:
    a stream without pauses would never be acknowledged.
    """
    if link.next_in - link.acked_in > WINDOW // 2:
        return unit.now
    if link.ack_due_at is not None:
        return link.ack_due_at
    before = unit.seen.get(f"{link.id}.{link.epoch_in}.{link.next_in - 1}")
    quiet = before is None or unit.now - before.at >= ACK_DELAY
    return unit.now if quiet else unit.now + ACK_DELAY


def _link(unit: Unit, link_id: str) -> Link:
    link = unit.links.get(link_id)
    assert link is not None, "a link is never deleted"
    return link


def _key(link: Link, record: SignedInner) -> str:
    return f"{link.id}.{record.inner.epoch}.{record.inner.sequence}"


