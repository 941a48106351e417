"""A restored hub before its first word (`keys.md` §5, R14, D11): what is dead leaves the data too, and every link begins anew.

The copy is older than the peers' memory. So nothing is sent under an old number: each link gets a new epoch, what was on the road waits, and
the first thing said is `restored`, with everything this copy knows; the peer answers `standing` (`actions/standing.py`). Only then goes
anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hub.actions.common import SYSTEM, forget_reminders, intend_on, note, remind
from hub.actions.erase import shred
from hub.actions.manifest_versions import keep_version
from hub.actions.ports import Unit
from hub.actions.recall import recall
from hub.actions.replay import replay
from hub.actions.restored_rooms import end_rooms
from hub.base.ids import new_id
from hub.cases.events import Alarm, ReferralMoved
from hub.cases.lifecycle import OPEN, WORKING, Side, State
from hub.cases.records import Referral, Tombstone
from hub.exchange.records import Link
from keys.manifest import Manifest

RESTORED = "restored"
"""Why a tombstone is here whose reason only the journal's machine knew."""
NO_HEAD = b"\0" * 32
RESTORE_KINDS = ("restored", "standing")
"""What is said about a restore, ours or the peer's: before everything else, and anew when the line begins anew."""
BEFORE_STANDING = ("protocol.propose", "protocol.word", "onward.end")
"""What a peer that came back from a copy must know before its line is open again: the versions that count now, and which grants ended."""
ASKING = "asking"
"""The timer of a question that nobody answered yet (`actions/tell_standing.py`)."""
_OF_A_PART = ("part", "parts", "names")
FAR = 4
"""How many epochs a link goes ahead when nobody knows how often this copy was restored before."""


@dataclass(frozen=True, kw_only=True)
class Restart:
    """What the restore knows: who is dead, when the copy was made, until when destructions are known, and whether that is all of them."""

    buried: frozenset[str]
    made_at: datetime
    known_until: datetime
    proven: bool
    epochs: Mapping[str, int] = field(default_factory=dict)
    """By link, the largest that an earlier restore has used."""
    manifests: tuple[Manifest, ...] = ()
    """Ours: the copy's one, and those after it that were found beside the backups."""


def restart(unit: Unit, given: Restart) -> dict[str, Any]:
    """Make a copy fit to run. Returns how much was taken out and how many links begin anew."""
    for manifest in given.manifests:
        keep_version(unit, manifest)
    taken = bury(unit, given.buried)
    for lost in unit.hub_devices.all():
        unit.hub_devices.delete(lost.id)
    links = unit.links.all()
    step = 1 if given.proven else FAR
    epochs = {link.id: max(link.epoch_out, given.epochs.get(link.id, 0)) + step for link in links}  # no peer may drive another's out of reach
    for link in links:
        _begin_anew(unit, link, epochs[link.id], given)
    end_rooms(unit)
    note(unit, "hub", "administrator", "hub.restored", proven=given.proven)
    when = given.made_at.isoformat(timespec="minutes")
    unit.announce(Alarm(code="restored" if given.proven else "restored_in_doubt", params=(("number", str(len(links))), ("detail", when))))
    return {"taken_out": taken, "links": len(links), "epochs": epochs}


def bury(unit: Unit, owners: Iterable[str]) -> int:
    """Whatever dead keys had sealed leaves the tables, and what it belonged to says so. Returns how many values were taken out."""
    dead = frozenset(owners)
    replay(unit, {owner for owner in dead if unit.tombstones.get(owner) is None})
    known = {owner for owner in dead if unit.tombstones.get(owner) is not None}
    for consent in unit.consents.all(withdrawn_at=None):
        if consent.id in dead:
            unit.consents.put(replace(consent, withdrawn_at=unit.now))
    for basis in unit.bases.all(ended_at=None):
        if basis.id in dead:
            unit.bases.put(replace(basis, state="ended", ended_at=unit.now))
    _recall(unit, dead)
    _end_offers(unit, dead - known)
    for owner in dead:
        tombstone = unit.tombstones.get(owner)
        if tombstone is None:
            unit.tombstones.add(Tombstone(id=owner, why=RESTORED, at=unit.now, confirmed_at=unit.now))
        else:
            unit.tombstones.put(replace(tombstone, confirmed_at=tombstone.confirmed_at or unit.now))
    return _bury_cases(unit, dead) + _bury_disclosures(unit, dead) + _bury_words(unit, dead)


def bury_missed(unit: Unit, owners: Iterable[str]) -> int:
    """The journal knows of deaths that our tables do not: they are of before. Their keys, which came back with them, die again. Returns how many."""
    missed = sorted(owner for owner in owners if unit.tombstones.get(owner) is None)
    if missed:
        bury(unit, missed)
        note(unit, "hub", SYSTEM, "hub.rolled_back", count=len(missed))
        for owner in missed:
            shred(unit, owner, RESTORED)
    return len(missed)


def _recall(unit: Unit, dead: frozenset[str]) -> None:
    """What she took back after the copy was made: whether the holder ever heard of it nobody knows, so it is told again; twice does no harm.

    The referral ends with it when no permission of hers for that institution is left: whether she meant all or a part, nobody knows either.
    """
    for referral in unit.referrals.all(side=Side.SENDER):
        held = [d for d in unit.disclosures.all(referral=referral.id, side=Side.SENDER, state="active") if d.id in dead]
        if not held:
            continue
        permitted = any(referral.peer in consent.recipients for consent in unit.consents.all(case=referral.case, withdrawn_at=None))
        whole = referral.state in WORKING and not permitted
        recall(unit, referral, held, whole=whole)
        if whole:
            _end(unit, referral, "withdrawn")
        note(unit, referral.case or referral.id, SYSTEM, "disclosure.recalled_again", referral=referral.id)


def _end_offers(unit: Unit, dead: frozenset[str]) -> None:
    """Ours whose key died after the copy was made: it ended, and nothing more goes there. How it ended the peer's `standing` says, or is told."""
    for referral in unit.referrals.all(side=Side.SENDER, state__in=tuple(OPEN)):
        if referral.id in dead:
            _end(unit, referral, RESTORED)


def _end(unit: Unit, referral: Referral, why: str) -> None:
    unit.referrals.put(replace(referral, state=State.CANCELLED, ended_at=unit.now, note=why))
    forget_reminders(unit, referral.id)
    unit.announce(ReferralMoved(referral=referral.id, what="withdraw" if why == "withdrawn" else "cancel", ring=True))


def _bury_cases(unit: Unit, dead: frozenset[str]) -> int:
    taken = 0
    for case in unit.cases.all():
        if case.id in dead:
            unit.cases.put(replace(case, state="undone", closed_at=case.closed_at or unit.now))
            for value in unit.fields.all(case=case.id):
                unit.fields.delete(value.id)
                taken += 1
    return taken


def _bury_disclosures(unit: Unit, dead: frozenset[str]) -> int:
    taken = 0
    for disclosure in unit.disclosures.all():
        if disclosure.id not in dead:
            continue
        if disclosure.side is Side.RECIPIENT and disclosure.state in ("active", "retained"):
            unit.disclosures.put(replace(disclosure, state="destroyed", ended_at=unit.now))
        for value in unit.held.all(disclosure=disclosure.id):
            unit.held.delete(value.id)
            taken += 1
    return taken


def _bury_words(unit: Unit, dead: frozenset[str]) -> int:
    taken = 0
    for post in unit.posts.all():
        if post.owner in dead and (post.sealed or post.state == "ready"):
            unit.posts.put(replace(post, sealed=b"", state="dropped" if post.state == "ready" else post.state))
            taken += 1
    for row in unit.outbox.all():
        words = str(row.ref.get("owner", ""))
        if (row.owner in dead and row.sealed) or (words in dead and "words" in row.ref):
            ref = {k: v for k, v in row.ref.items() if k != "words"}
            gone = row.state in ("ready", "dispatched") and words in dead
            unit.outbox.put(replace(row, ref=ref, sealed=b"", state="cancelled" if gone else row.state))
            taken += 1
    return taken


def _begin_anew(unit: Unit, link: Link, epoch: int, given: Restart) -> None:
    old = link.epoch_out
    hold(unit, link)
    for early in unit.early.all(link=link.id):
        unit.early.delete(early.id)
    unit.links.put(
        replace(
            link, epoch_out=epoch, next_out=1, head_out=NO_HEAD, acked_out=0, acked_in=0, ack_due_at=None, resend_asked_at=None,
            asking=link.asking or old, owes_key=True,
        )
    )  # fmt: skip
    for row in unit.outbox.all(link=link.id, kind="restored", state__in=("ready", "held")):
        unit.outbox.delete(row.id)
    intend_on(unit, link, "restored", restore=new_id("rst"), made=given.made_at.isoformat())
    forget_reminders(unit, link.id, (ASKING,))
    remind(unit, ASKING, link.id, unit.now + timedelta(days=1))


def hold(unit: Unit, link: Link) -> None:
    """What is on the road under numbers that will not count any more waits. What was said about restoring is written anew and whole, however
    much of it had arrived: its rows go, and those of its later chunks, which would stand for nothing.
    """
    anew = {row.id: row for row in unit.outbox.all(link=link.id, kind__in=RESTORE_KINDS, state__in=("ready", "dispatched"), order="order")}
    for row in unit.outbox.all(state="dispatched", link=link.id):
        first = unit.outbox.get(str(row.ref["of"])) if "of" in row.ref else None
        if first is not None and first.kind in RESTORE_KINDS:
            anew.setdefault(first.id, first)
            unit.outbox.delete(row.id)
        elif row.id not in anew:
            unit.outbox.put(replace(row, state="held", sent_at=None, attempts=0))
    for row in anew.values():
        unit.outbox.delete(row.id)
    for kind, ref in {(row.kind, str(row.ref.get("restore"))): (row.kind, whole(row.ref)) for row in anew.values()}.values():
        intend_on(unit, link, kind, **ref)


def whole(ref: Mapping[str, Any]) -> dict[str, Any]:
    """The reference of a question or an answer before it was cut into parts."""
    return {name: value for name, value in ref.items() if name not in _OF_A_PART}


__all__ = ["ASKING", "NO_HEAD", "RESTORED", "RESTORE_KINDS", "Restart", "bury", "bury_missed", "hold", "intend_on", "restart", "whole"]
