"""What is said about a restore, on both sides: the question `restored` and its answer `standing`, in bodies that are never too large (D11).

An open referral may cost 2.6 KB of an answer, for it brings a key, and a body holds what one window of chunks takes. So both are cut: the intent
becomes one row a part when it is first looked at, the line's own numbers keep the parts in order, and only the last one counts as the answer.
Until it is there the question is repeated once a day, and people hear of it: whatever was refused or dropped on the way has an end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub.actions.common import forget_reminders, remind
from hub.actions.ports import Unit
from hub.actions.restart import ASKING, intend_on, whole
from hub.base.errors import PeerFault
from hub.base.ids import new_id
from hub.cases.events import Alarm
from hub.cases.lifecycle import WORKING, Side, State
from hub.cases.records import Referral
from hub.exchange import wire
from hub.exchange.records import Early, Link, Outgoing
from keys import strictjson

RECENT = timedelta(days=60)
"""How long a referral that is over may still have to be told."""
HOLDING = ("active", "retained")
PART = 100
"""Referrals in one body, and how many bytes of them (`_BYTES`) a writer puts there."""
MAX_PARTS = 1000
"""More is an invention: a hundred thousand referrals with one peer."""
_BYTES = {"restored": 20_000, "standing": 320_000}
_PLACE = "early|sealed"


# ---- writing ----------------------------------------------------------------------------------------------------------------


def cut(unit: Unit, row: Outgoing, link: Link) -> list[Outgoing]:
    """The rows of a question or an answer, one a body. Which referrals each speaks of is settled now, what it says of them when it goes."""
    if "part" in row.ref:
        return [row]
    say = _known if row.kind == "restored" else _told
    groups = list(_groups({r.id: len(strictjson.dumps(say(unit, r))) for r in referrals_with(unit, link.peer)}, _BYTES[row.kind]))
    rows = []
    for number, names in enumerate(groups, start=1):
        part = replace(row, ref=row.ref | {"part": number, "parts": len(groups), "names": names})
        if number > 1:
            part = replace(part, id=new_id("out"), order=unit.outbox.next("order"))
        (unit.outbox.add if number > 1 else unit.outbox.put)(part)
        rows.append(part)
    return rows


def _groups(sizes: Mapping[str, int], most: int) -> Iterator[list[str]]:
    """Names in order, cut where a body is full; one empty group when there is nothing to say."""
    group: list[str] = []
    room = most
    for name, size in sizes.items():
        if group and (len(group) == PART or size > room):
            yield group
            group, room = [], most
        group.append(name)
        room -= size
    yield group


def write_restored(unit: Unit, row: Outgoing, link: Link) -> wire.Restored:
    """What our copy knows: where both lines stood, and the referrals of this part."""
    made = datetime.fromisoformat(str(row.ref["made"]))
    return wire.Restored(
        restore=str(row.ref["restore"]), made=made, epoch=link.asking, heard=link.epoch_in, upto=link.next_in - 1, part=row.ref["part"],
        parts=row.ref["parts"], known={r.id: _known(unit, r) for r in _named(unit, row)},
    )  # fmt: skip


def write_standing(unit: Unit, row: Outgoing) -> wire.Standing:
    """What we know, now: how far the old line took effect here, and the referrals of this part."""
    return wire.Standing(
        restore=str(row.ref["restore"]), epoch=int(row.ref["epoch"]), upto=int(row.ref["upto"]), part=row.ref["part"], parts=row.ref["parts"],
        referrals={r.id: _told(unit, r) for r in _named(unit, row)},
    )  # fmt: skip


def _named(unit: Unit, row: Outgoing) -> list[Referral]:
    return [referral for name in row.ref["names"] if (referral := unit.referrals.get(name)) is not None]


def _known(unit: Unit, referral: Referral) -> dict[str, Any]:
    return {"state": referral.state.value, "held": held_of(unit, referral)}


def _told(unit: Unit, referral: Referral) -> dict[str, Any]:
    held = {d.id: int(d.until.timestamp()) for d in unit.disclosures.all(referral=referral.id, state__in=HOLDING) if d.side is Side.RECIPIENT}
    key = referral.our_key.hex() if referral.side is Side.RECIPIENT and referral.state in WORKING else ""
    code = str(referral.offer.get("code", referral.code))
    return {"side": referral.side.value, "state": referral.state.value, "code": code, "held": held, "key": key}


def held_of(unit: Unit, referral: Referral) -> list[str]:
    """The disclosures that we hold as its recipient."""
    return [d.id for d in unit.disclosures.all(referral=referral.id, side=Side.RECIPIENT, state__in=HOLDING)]


def referrals_with(unit: Unit, peer: str) -> Iterator[Referral]:
    """What a peer and we may still have to tell each other of, oldest first."""
    for referral in unit.referrals.all(peer=peer, state__not=State.DRAFT, order="opened_at"):
        if referral.ended_at is None or unit.now - referral.ended_at < RECENT or held_of(unit, referral):
            yield referral


# ---- reading ----------------------------------------------------------------------------------------------------------------


def check_part(body: wire.Restored | wire.Standing, entries: Mapping[str, Any]) -> None:
    """Whether a body is a part as we would write one. Raises PeerFault `bad_body`."""
    if not 1 <= body.part <= body.parts <= MAX_PARTS or len(entries) > PART:
        raise PeerFault("bad_body", kind=body.kind, why="part")


def gather(unit: Unit, link: Link, body: wire.Restored | wire.Standing, found: Any) -> list[Any] | None:
    """What was `found` in every part, once the last one is there; None until then. The first part begins anew, whatever came before it.

    What waits is sealed and bounded: at most `MAX_PARTS` times what one envelope holds. Raises PeerFault `part_missing`, `bad_body`.
    """
    name = f"{link.id}.{body.kind}"
    kept = unit.early.all(link=name, order="seq")
    if body.part == 1:
        _drop(unit, kept)
        kept = []
    if len(kept) != body.part - 1:
        raise PeerFault("part_missing", institution=link.peer)
    data = strictjson.dumps(found)
    if len(data) > wire.MAX_BODY:
        raise PeerFault("bad_body", kind=body.kind, why="size")
    if body.part < body.parts:
        sealed = unit.vault.seal("hub", _PLACE, data)
        unit.early.add(Early(id=f"{name}.{body.part}", link=name, epoch=link.epoch_in, seq=body.part, sealed=sealed, at=unit.now))
        return None
    _drop(unit, kept)
    return [strictjson.loads(each) for each in (*(unit.vault.open("hub", _PLACE, row.sealed) for row in kept), data)]


def _drop(unit: Unit, rows: list[Early]) -> None:
    for row in rows:
        unit.early.delete(row.id)


# ---- until it is answered ---------------------------------------------------------------------------------------------------


def ask_again(unit: Unit, link_id: str) -> None:
    """A peer has not answered our restore for a day: nothing reaches it, so people are told, and it is asked once more.

    Not while the question is on its way, nor over a line that people stopped: there it waits for the thaw.
    """
    link = unit.links.get(link_id)
    if link is None or not link.asking:
        return
    if not link.frozen:
        asked = unit.outbox.one(link=link.id, kind="restored", order="-order")
        if asked and not unit.outbox.count(link=link.id, kind="restored", state__in=("ready", "dispatched")):
            intend_on(unit, link, asked.kind, **whole(asked.ref))
        unit.announce(Alarm(code="restore_unanswered", params=(("institution", link.peer),)))
    remind(unit, ASKING, link.id, unit.now + timedelta(days=1))


def answered(unit: Unit, link: Link) -> None:
    """Every part of its answer took effect here: the line is open again."""
    unit.links.put(replace(link, asking=0))
    forget_reminders(unit, link.id, (ASKING,))

