"""What `tinkuy network` may ask of the running hub: lists to draft, take, compare and show, and what the homeserver must be told."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from hub.actions import draft_list, homeserver, network
from hub.actions.network_coverage import network_coverage
from hub.actions.ports import Unit
from hub.base.errors import Refused
from hub.exchange.records import Peer
from keys.drafts import awaited, read_list_draft
from keys.errors import KeysError
from keys.network import Member, NetworkList, gatekeepers
from policies.vocabulary import Term

if TYPE_CHECKING:
    from hub.app.house import House

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]
BY = "administrator"


def network_handlers(house: House) -> dict[str, Handler]:
    """Every command by name."""
    commands = _Commands(house)
    return {
        "network.show": commands.show,
        "network.coverage": commands.coverage,
        "network.make": commands.make,
        "network.add": commands.add,
        "network.remove": commands.remove,
        "network.renew": commands.renew,
        "network.missing": commands.missing,
        "network.import": commands.import_,
        "network.code": commands.code,
        "network.confirm": commands.confirm,
        "network.drop": commands.drop,
        "network.export": commands.export,
        "network.homeserver": commands.homeserver,
    }


def _coverage(unit: Unit) -> list[dict[str, Any]]:
    kinds, needs = unit.pack.vocabulary.kinds, unit.pack.vocabulary.needs

    def named(terms: Mapping[str, Term], code: str) -> dict[str, str]:
        term = terms.get(code)
        return {"id": code, "es": term.label.es if term else code, "en": term.label.en if term else code}

    return [
        {
            "territory": each.name,
            "seats": [{"institution": s.institution, "kind": named(kinds, s.kind), "linked": s.linked} for s in each.seats],
            "needs": [{"need": named(needs, n.need), "missing": [named(kinds, k) for k in n.missing], "nobody": n.wholly} for n in each.needs],
            "community": list(each.community),
            "one_voice": each.one_voice,
        }
        for each in network_coverage(unit)
    ]


class _Commands:
    def __init__(self, house: House) -> None:
        self._store = house.store

    async def show(self, args: Mapping[str, Any]) -> Any:
        """One table, or all."""
        wanted = args.get("table")
        found = await self._store.look(_tables)
        return [each for each in found if not wanted or each["table"] == wanted]

    async def coverage(self, _: Mapping[str, Any]) -> Any:
        """What is covered where."""
        return await self._store.look(_coverage)

    async def make(self, args: Mapping[str, Any]) -> Any:
        """The first list of a table, to be signed."""
        wanted = draft_list.Founding(
            table=str(args["table"]), name=str(args["name"]), members=_names(args, "members"), stewards=_names(args, "stewards"),
            threshold=int(args["threshold"]), community_signs=args.get("community_signs") is True,
        )  # fmt: skip
        return _drafted(await self._store.look(lambda unit: draft_list.found_table(unit, wanted)), None)

    async def add(self, args: Mapping[str, Any]) -> Any:
        """The next list with somebody more, or with what her manifest says now."""
        name, outside = str(args["institution"]), None
        if args.get("kind"):
            outside = draft_list.Outside(kind=str(args["kind"]), name=str(args.get("name") or name), territory=str(args.get("territory") or ""))
        steward = args.get("steward") is True
        return await self._next(args, lambda unit, table: draft_list.with_member(unit, table, name, outside, steward=steward))

    async def remove(self, args: Mapping[str, Any]) -> Any:
        """The next list with somebody less."""
        return await self._next(args, lambda unit, table: draft_list.without_member(unit, table, str(args["institution"])))

    async def renew(self, args: Mapping[str, Any]) -> Any:
        """The next list with another year, or another rule of signing."""
        threshold = int(args["threshold"]) if args.get("threshold") else None
        seat = args.get("community_signs") if isinstance(args.get("community_signs"), bool) else None
        return await self._next(args, lambda unit, table: draft_list.renewed(unit, table, threshold=threshold, community_signs=seat))

    async def _next(self, args: Mapping[str, Any], draft: Callable[[Unit, str], bytes]) -> Any:
        def work(unit: Unit) -> tuple[bytes, NetworkList | None]:
            table = _table(unit, args)
            return draft(unit, table), network.held_list(unit, table)

        return _drafted(*await self._store.look(work))

    async def missing(self, args: Mapping[str, Any]) -> Any:
        """Who still has to sign a draft."""
        data = _files(args)[0]
        try:
            table = read_list_draft(data)[1].table
        except KeysError as error:
            raise Refused("network_refused", why=error.code) from None
        return _drafted(data, await self._store.look(lambda unit: network.held_list(unit, table)))

    async def import_(self, args: Mapping[str, Any]) -> Any:
        """Take a list that came in files."""
        files = _files(args)
        found, state = await self._store.run(network.import_list, files)
        return {"table": found.table, "version": found.version, "state": state}

    async def code(self, args: Mapping[str, Any]) -> Any:
        """The code of the list that waits, or of the one that counts."""
        return await self._store.look(lambda unit: {"table": (table := _table(unit, args)), "code": network.list_code(unit, table)})

    async def confirm(self, args: Mapping[str, Any]) -> Any:
        """People compared it."""
        found = await self._store.run(lambda unit: network.confirm_list(unit, BY, _table(unit, args), str(args["code"])))
        return {"table": found.table, "version": found.version, "state": network.HELD}

    async def drop(self, args: Mapping[str, Any]) -> Any:
        """Leave a table, or turn an offered list down."""
        table = str(args["table"])
        await self._store.run(network.drop_list, BY, table)
        return {"table": table}

    async def export(self, args: Mapping[str, Any]) -> Any:
        """The signed file of a table."""

        def work(unit: Unit) -> dict[str, Any]:
            table = _table(unit, args)
            found = network.held_list(unit, table) or network.offered_list(unit, table)
            if found is None:
                raise Refused("no_network_list", table=table[:60])
            return {"table": table, "version": found.version, "list": base64.b64encode(found.raw).decode()}

        return await self._store.look(work)

    async def homeserver(self, args: Mapping[str, Any]) -> Any:
        """Whom our homeserver may speak with, and what its gate needs. `folder`: where it will find the lists."""
        folder = str(args["folder"]).rstrip("/")
        wanted = await self._store.look(homeserver.wanted)
        lists = [
            {"name": name, "data": base64.b64encode(each.raw).decode(), "pin": homeserver.pin(each, f"{folder}/{name}")}
            for each in wanted.lists
            if (name := f"network-{each.table}.json")
        ]
        return {"servers": wanted.servers, "hubs": wanted.hubs, "kept": wanted.kept, "lists": lists, "digests": wanted.digests()}


def _tables(unit: Unit) -> list[dict[str, Any]]:
    tables = sorted({row.table for row in unit.lists.all()})
    return [_shown(unit, found, state) for table in tables for found, state in _of(unit, table)]


def _of(unit: Unit, table: str) -> list[tuple[NetworkList, str]]:
    pairs = ((network.held_list(unit, table), network.HELD), (network.offered_list(unit, table), network.OFFERED))
    return [(found, state) for found, state in pairs if found is not None]


def _shown(unit: Unit, found: NetworkList, state: str) -> dict[str, Any]:
    roll = found.roll
    return {
        "table": roll.table, "name": roll.name, "version": roll.version, "state": "expired" if found.expired(unit.now) else state,
        "expires": roll.expires.date().isoformat(), "threshold": f"{roll.threshold}/{len(roll.stewards)}",
        "community_signs": roll.community_signs, "stewards": [each.institution for each in roll.stewards],
        "community": [each.institution for each in roll.stewards if each.community], "gatekeepers": list(gatekeepers(roll)),
        "members": [_seat(unit, member) for member in roll.members],
    }  # fmt: skip


def _seat(unit: Unit, member: Member) -> dict[str, Any]:
    """A member as people read it: `link` says how we stand with it."""
    peer = unit.peers.get(member.institution)
    return {
        "institution": member.institution, "name": member.display_name, "kind": member.kind, "territory": member.territory,
        "server": member.server, "link": "us" if member.institution == unit.me.id else _link(unit, member, peer),
    }  # fmt: skip


def _link(unit: Unit, member: Member, peer: Peer | None) -> str:
    if not member.server:
        return "no_hub"
    if peer is None or peer.confirmed_at is None:
        return "unknown"
    if network.standing_on(unit, peer) == "differs":
        return "differs"
    link = unit.links.one(peer=peer.id)
    return "stopped" if link and link.frozen else "linked"


def _table(unit: Unit, args: Mapping[str, Any]) -> str:
    """The table that was named; the only one where none was. Raises Refused `no_network_list`, `which_table`."""
    if args.get("table"):
        return str(args["table"])
    tables = sorted({row.table for row in unit.lists.all()})
    if len(tables) > 1:
        raise Refused("which_table", tables=", ".join(tables))
    if not tables:
        raise Refused("no_network_list", table="")
    return tables[0]


def _drafted(data: bytes, previous: NetworkList | None) -> dict[str, Any]:
    statement, roll = read_list_draft(data)
    gaps = [{"whose": each.whose, "count": each.count, "of": list(each.of), "seat": each.seat} for each in awaited(previous, statement)]
    return {
        "table": roll.table, "version": roll.version, "members": [each.institution for each in roll.members],
        "draft": base64.b64encode(data).decode(),
        "missing": gaps, "gatekeepers": list(gatekeepers(roll)),
    }  # fmt: skip


def _names(args: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = args.get(key)
    return tuple(str(each) for each in found) if isinstance(found, list) else ()


def _files(args: Mapping[str, Any]) -> list[bytes]:
    found = args.get("files")
    try:
        files = [base64.b64decode(str(each), validate=True) for each in found] if isinstance(found, list) else []
    except binascii.Error:
        files = []
    if not files:
        raise Refused("network_refused", why="base64")
    return files
