"""Network lists on the road between linked hubs: a newer one is passed on, a gap is asked for. Nothing is believed for who sends it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from hub.actions.common import intend, note
from hub.actions.network import HELD, held_list, held_lists, list_version, take_or_offer
from hub.actions.ports import Unit
from hub.base.errors import PeerFault, TinkuyError
from hub.cases.events import Alarm
from hub.exchange import wire
from hub.exchange.records import Link
from keys.errors import KeysError
from keys.statement import MAX_BYTES

LIST_KINDS = (wire.NewList.kind, wire.WantList.kind)
PIECE = 6000
CHAIN = 20
"""Versions that one question is answered with: years of absence."""
_NO_NEWS = frozenset({"network.rollback", "network.expired"})
"""An old one that came late. Not worth an alarm, and no harm."""


class ListGone(TinkuyError):
    """The version that was to be passed on is not held any more: people left the table."""


def write_list(unit: Unit, kind: str, ref: Mapping[str, Any]) -> wire.Body:
    """The body of an intent. Raises ListGone."""
    table = str(ref["table"])
    if kind == wire.WantList.kind:
        known = held_list(unit, table)
        return wire.WantList(table=table, holds=known.version if known else 0)
    found = list_version(unit, table, int(ref["version"]))
    if found is None:
        raise ListGone("list_gone")
    text = base64.b64encode(found.raw).decode()
    return wire.NewList(table=table, version=found.version, parts=tuple(text[at : at + PIECE] for at in range(0, len(text), PIECE)))


def share_with(unit: Unit, institution: str) -> None:
    """A new link: it hears of the tables that both sit at."""
    for found in held_lists(unit):
        if found.roll.member(institution):
            intend(unit, institution, wire.NewList.kind, table=found.table, version=found.version)


def hear_list(unit: Unit, link: Link, body: wire.NewList) -> None:
    """Take the next version; of an unknown table it waits for people. A gap is asked for; a refused one is told and changes nothing."""
    try:
        data = base64.b64decode("".join(body.parts), validate=True)
        if len(data) > MAX_BYTES:
            raise PeerFault("bad_body", kind=body.kind, why="size")
        take_or_offer(unit, data, link.peer)
    except binascii.Error:
        raise PeerFault("bad_body", kind=body.kind, why="base64") from None
    except KeysError as error:
        _not_taken(unit, link, body, error.code)


def send_wanted(unit: Unit, link: Link, body: wire.WantList) -> None:
    """What comes after the version they hold, in order. Only to a member, now or in the version before: the list names who else sits there."""
    found = held_list(unit, body.table)
    if found is None or not _concerns(unit, found.table, found.version, link.peer):
        raise PeerFault("unknown_table", institution=link.peer)
    rows = unit.lists.all(table=found.table, state=HELD, version__ge=max(body.holds, 0) + 1, order="version", limit=CHAIN)
    ready = unit.outbox.all(link=link.id, kind=wire.NewList.kind, state="ready")
    waiting = {(row.ref["table"], row.ref["version"]) for row in ready}
    for row in rows:
        if (row.table, row.version) not in waiting:
            intend(unit, link.peer, wire.NewList.kind, table=row.table, version=row.version)


def _concerns(unit: Unit, table: str, version: int, institution: str) -> bool:
    return any(each.roll.member(institution) for number in (version, version - 1) if (each := list_version(unit, table, number)))


def _not_taken(unit: Unit, link: Link, body: wire.NewList, why: str) -> None:
    if why == "network.gap":
        if not unit.outbox.count(link=link.id, kind=wire.WantList.kind, state__in=("ready", "dispatched")):
            intend(unit, link.peer, wire.WantList.kind, table=body.table)
        return
    note(unit, link.id, link.peer, "network.refused", why=why)
    if why not in _NO_NEWS:
        unit.announce(Alarm(code="network_refused", params=(("institution", link.peer), ("detail", body.table[:64]), ("why", why))))
