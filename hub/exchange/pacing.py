"""How much may be under way: a window per link, because a homeserver prunes a room's inbound queue at 100 staged events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from hub.exchange.records import Link, Outgoing
from hub.exchange.wire import Ack

WINDOW = 32
"""Events under way on a link."""
RECORDS = 4 * WINDOW
"""Records under way on a link, several in an event."""
AHEAD = RECORDS + WINDOW
"""How far before its turn a record may come, and how many such are kept: the last that has room may be a body in chunks."""
MAX_BUNDLE = 24 * 1024
"""Bytes of signed records in one event: with framing they stay under the 32 KiB padded limit."""
ACK_DELAY = timedelta(milliseconds=200)
RESEND_AFTER = timedelta(seconds=2)
SILENT_AFTER = timedelta(minutes=15)
"""Unacknowledged for so long, a message is worth an alarm (X12); said again only after `SILENT_AGAIN`."""
SILENT_AGAIN = timedelta(hours=6)
_RETRY = (timedelta(seconds=20), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))


def room_for(link: Link) -> int:
    """How many more records may be numbered before the peer acknowledges some."""
    return max(0, RECORDS - (link.next_out - 1 - link.acked_out))


def under_way(rows: Iterable[Outgoing]) -> int:
    """In how many events these rows, put and not acknowledged, are on their way. A row that was put again counts where it was put last."""
    return len({row.parcel for row in rows if row.sent_at is not None})


def pause_before(attempt: int) -> timedelta:
    """How long to wait after the `attempt`-th try: 20 s, 1 min, 5 min, then 30 min each."""
    return _RETRY[min(max(attempt - 1, 0), len(_RETRY) - 1)]


def due_again(row: Outgoing, now: datetime) -> bool:
    """Whether a sent but unacknowledged record should be sent once more: 20 s, 1 min, 5 min, then every 30 min."""
    return row.sent_at is None or now - row.sent_at >= pause_before(row.attempts)


def bundles(rows: list[tuple[Outgoing, bytes]]) -> list[list[tuple[Outgoing, bytes]]]:
    """Rows in order, cut into bundles that fit one event."""
    result: list[list[tuple[Outgoing, bytes]]] = []
    size = MAX_BUNDLE
    for row, signed in rows:
        if size + len(signed) + 4 > MAX_BUNDLE:
            result.append([])
            size = 0
        result[-1].append((row, signed))
        size += len(signed) + 4
    return result


DEVICES_EXTENSION = "devices"
"""The header key under which a hub says which device statement of the other one it holds: its number (8)."""


def fitting(signed: list[bytes]) -> list[list[bytes]]:
    """Unnumbered records, cut into groups that fit one event."""
    groups: list[list[bytes]] = []
    for one in signed:
        if not groups or sum(len(each) + 4 for each in groups[-1]) + len(one) + 4 > MAX_BUNDLE:
            groups.append([])
        groups[-1].append(one)
    return groups


ACK_EXTENSION = "ack"
"""The header key under which an acknowledgement rides in a numbered message: epoch (4) | up to (8) | digest (32)."""


def owed_ack(link: Link) -> tuple[tuple[str, bytes], ...]:
    """The acknowledgement that rides along: everything of the peer's that has taken effect here."""
    if not link.epoch_in or link.next_in <= 1:
        return ()
    return ((ACK_EXTENSION, link.epoch_in.to_bytes(4, "big") + (link.next_in - 1).to_bytes(8, "big") + link.head_in),)


def read_ack(value: bytes | None) -> Ack | None:
    """The acknowledgement in an extension; None for none, or for a layout of a later release."""
    if value is None or len(value) != 44:
        return None
    return Ack(epoch=int.from_bytes(value[:4], "big"), upto=int.from_bytes(value[4:12], "big"), digest=value[12:])
