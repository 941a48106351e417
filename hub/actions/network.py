"""The network lists that this hub holds: taken from people or from a peer, believed for their stewards' signatures alone (ADR 0025).

A list says who belongs to a table and with whom a homeserver may speak. It makes no link and ends none: that people do, comparing a code
or stopping a link. Without any list everything works as if this file did not exist.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from hub.actions.common import SYSTEM, forget_reminders, intend, note, remind
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.cases.events import Alarm
from hub.cases.lifecycle import OPEN
from hub.exchange.records import ListVersion, Peer
from keys.drafts import joined_lists
from keys.errors import KeysError, NetworkRefused
from keys.manifest import WARNING_DAYS, Manifest
from keys.network import NetworkList, accept, roots_digest
from keys.shortcode import network_code, same_code

LIST_END = "list_end"
PEOPLE = "people"
OFFERED, HELD = "offered", "held"
MAX_TABLES = 20
"""More than anybody sits at; a peer that invents tables fills nothing."""


def held_list(unit: Unit, table: str) -> NetworkList | None:
    """The version of this table's list that counts here; None when people confirmed none."""
    row = unit.lists.one(table=table, state=HELD, order="-version")
    return NetworkList.from_bytes(row.data) if row else None


def held_lists(unit: Unit) -> list[NetworkList]:
    """One for each table, in order of their ids."""
    tables = sorted({row.table for row in unit.lists.all(state=HELD)})
    return [found for table in tables if (found := held_list(unit, table))]


def offered_list(unit: Unit, table: str) -> NetworkList | None:
    """A first list that waits for people to compare its code."""
    row = unit.lists.one(table=table, state=OFFERED)
    return NetworkList.from_bytes(row.data) if row else None


def list_version(unit: Unit, table: str, version: int) -> NetworkList | None:
    """One version that we held."""
    row = unit.lists.get(_key(table, version))
    return NetworkList.from_bytes(row.data) if row and row.state == HELD else None


def import_list(unit: Unit, files: Iterable[bytes]) -> tuple[NetworkList, str]:
    """Take a list that came in files, each perhaps with other signatures. Returns it and `held`, or `offered` when people must compare its code.

    Raises Refused `network_refused`; `why` is the numbered check of `keys.network.accept`.
    """
    try:
        data = joined_lists(files)
        return take_or_offer(unit, data, PEOPLE)
    except KeysError as error:
        raise Refused("network_refused", why=error.code) from None


def take_or_offer(unit: Unit, data: bytes, source: str) -> tuple[NetworkList, str]:
    """The next version of a list that we hold is in force at once; of an unknown table it waits. Raises errors of `keys`."""
    table = NetworkList.from_bytes(data).table if _reads(data) else ""
    known = held_list(unit, table)
    found = accept(known, data, unit.now)
    if known is not None:
        if found is not known:
            _take(unit, found, source, known)
        return found, HELD
    return found, _offer(unit, found, source)


def list_code(unit: Unit, table: str) -> str:
    """The code of the list that waits, or of the one that counts: whoever holds the same reads the same. Raises Refused `no_network_list`."""
    found = offered_list(unit, table) or held_list(unit, table)
    if found is None:
        raise Refused("no_network_list", table=table[:60])
    return network_code(found)


def confirm_list(unit: Unit, by: str, table: str, code: str) -> NetworkList:
    """People compared the code with somebody who holds the list: it counts from here on. Raises Refused `no_network_list`, `wrong_list_code`."""
    found = offered_list(unit, table)
    if found is None:
        raise Refused("no_network_list", table=table[:60])
    if not same_code(network_code(found), code):
        raise Refused("wrong_list_code", table=table)
    if found.expired(unit.now):
        raise Refused("network_refused", why="network.expired")
    unit.lists.delete(_waiting(table))
    note(unit, table, by, "network.confirmed", version=found.version)
    _take(unit, found, PEOPLE, None)
    return found


def drop_list(unit: Unit, by: str, table: str) -> None:
    """People leave a table, or turn an offered list down: it counts here no more. No link is touched. Raises Refused `no_network_list`."""
    rows = unit.lists.all(table=table)
    if not rows:
        raise Refused("no_network_list", table=table[:60])
    for row in rows:
        unit.lists.delete(row.id)
    forget_reminders(unit, table, (LIST_END,))
    note(unit, table, by, "network.dropped")


def standing_on(unit: Unit, peer: Peer | None) -> str:
    """What the lists say about a peer: `none` (there are no lists), `listed`, `unlisted`, `differs` (listed with other roots or another account)."""
    lists = held_lists(unit)
    if not lists or peer is None:
        return "none"
    profile = Manifest.from_bytes(peer.manifest).profile
    rows = [row for found in lists if (row := found.roll.member(peer.id))]
    if not rows:
        return "unlisted"
    said = {(row.matrix_user, row.roots) for row in rows}
    return "listed" if said == {(profile.matrix_user, roots_digest(profile))} else "differs"


def pass_on(unit: Unit, found: NetworkList, before: NetworkList | None, source: str) -> None:
    """To every linked institution that is on it, or was until now: who is taken off hears it from the list itself."""
    names = {row.institution for each in (found, before) if each for row in each.roll.members}
    for peer in unit.peers.all(state="confirmed", order="id"):
        if peer.id in names and peer.id != source and unit.links.one(peer=peer.id):
            intend(unit, peer.id, "network", table=found.table, version=found.version)


def warn_list(unit: Unit, table: str) -> None:
    """30, 14 and 7 days before a list ends, and at its end."""
    found = held_list(unit, table)
    if found is None:
        return
    step, ends = found.warning(unit.now), found.roll.expires
    if step is not None:
        days = max(0, (ends - unit.now).days)
        unit.announce(Alarm(code="network_expired" if step == 0 else "network_ends", params=(("detail", table), ("number", str(days)))))
    ahead = [moment for moment in (ends - timedelta(days=days) for days in (*WARNING_DAYS, 0)) if moment > unit.now]
    for moment in ahead[:1]:
        remind(unit, LIST_END, table, moment)


def _take(unit: Unit, found: NetworkList, source: str, known: NetworkList | None) -> None:
    row = ListVersion(
        id=_key(found.table, found.version), table=found.table, version=found.version, state=HELD, source=source, data=found.raw, at=unit.now,
    )  # fmt: skip
    if unit.lists.get(row.id) is None:
        unit.lists.add(row)
    forget_reminders(unit, found.table, (LIST_END,))
    remind(unit, LIST_END, found.table, found.roll.expires - timedelta(days=max(WARNING_DAYS)))
    note(unit, found.table, SYSTEM, "network.taken", version=found.version, source=source)
    _tell_taken(unit, found, known)
    pass_on(unit, found, known, source)


def _tell_taken(unit: Unit, found: NetworkList, known: NetworkList | None) -> None:
    """What changed, and for each linked institution that is off the list what that means: the link stands until people decide."""
    old = {row.institution: row for row in known.roll.members} if known else {}
    new = {row.institution: row for row in found.roll.members}
    changes = [f"+{name}" for name in sorted(new.keys() - old.keys())] + [f"-{name}" for name in sorted(old.keys() - new.keys())]
    changes += [f"~{name}" for name in sorted(new.keys() & old.keys()) if new[name] != old[name]]
    number = str(found.version)
    unit.announce(Alarm(code="network_list", params=(("detail", found.table), ("number", number), ("fields", ", ".join(changes) or "="))))
    elsewhere = {row.institution for each in held_lists(unit) for row in each.roll.members}
    for name in sorted(old.keys() - new.keys() - elsewhere):
        if name == unit.me.id:
            unit.announce(Alarm(code="network_removed_us", params=(("detail", found.table), ("number", number))))
        elif unit.links.one(peer=name):
            count = str(unit.referrals.count(peer=name, state__in=tuple(OPEN)))
            unit.announce(Alarm(code="network_removed", params=(("institution", name), ("detail", found.table), ("number", count))))


def _offer(unit: Unit, found: NetworkList, source: str) -> str:
    """One slot for each table: what people brought is never replaced by what a peer sends."""
    slot = unit.lists.get(_waiting(found.table))
    if slot is None and len({row.table for row in unit.lists.all()}) >= MAX_TABLES:
        raise NetworkRefused("so many tables are no honest list", code="network.too_many")
    if slot is not None and slot.source == PEOPLE and source != PEOPLE:
        return OFFERED
    row = ListVersion(id=_waiting(found.table), table=found.table, version=found.version, state=OFFERED, source=source, data=found.raw, at=unit.now)
    if slot is None:
        unit.lists.add(row)
    else:
        unit.lists.put(replace(row, at=unit.now))
    note(unit, found.table, SYSTEM, "network.offered", version=found.version, source=source)
    if source != PEOPLE and (slot is None or slot.data != found.raw):
        unit.announce(Alarm(code="network_offered", params=(("institution", source), ("detail", found.table))))
    return OFFERED


def _reads(data: bytes) -> bool:
    try:
        NetworkList.from_bytes(data)
    except KeysError:
        return False  # `accept` says what is wrong with it
    return True


def _key(table: str, version: int) -> str:
    return f"{table}.{version:010d}"


def _waiting(table: str) -> str:
    return f"{table}.offered"
