"""The arguments of the commands about coordination rooms: a code, and institutions by the names that people say."""

from __future__ import annotations

import re
from collections.abc import Callable

from hub.cases import commands as c
from hub.chat import names
from hub.chat.context import Context
from hub.chat.rest import Readers, Rest, nothing_more

_LEAD = r"(?i)^(?:(?:el|la|los|las)\s+(?:caso|sala|reuni[oó]n)\s+)?(?:con|a|al|de|del|with|to|from)\s+(?:la\s+|el\s+|los\s+|las\s+|the\s+)?"
_JOINTS = r"(?i)(\by\b|,|\band\b|\be\b)\s+(?:con|a|al|to|with)\s+(?:la\s+|el\s+|the\s+)?"
_TAIL = r"(?i)\s+(?:a|en|de|to|in|from)(?:\s+la)?(?:\s+(?:sala|reuni[oó]n|room))?\s*$"


def _meet(rest: Rest, context: Context) -> c.Command:
    """`reunir C-… a csmc-comas y hogar-luz`"""
    found, unknown = _institutions(rest, context)
    return unknown or c.Meet(case=rest.code, institutions=found)


def _institutions(rest: Rest, context: Context) -> tuple[tuple[str, ...], c.BadArgument | None]:
    head = re.sub(_TAIL, "", re.sub(_JOINTS, r"\1 ", re.sub(_LEAD, "", rest.head.strip())))
    if not head.strip():
        return (), None
    ids, unknown = names.find_all(head, context.institutions)
    return (ids, None) if unknown is None else ((), rest.bad("institution", unknown[0], unknown[1].suggestions))


def _with_one(make: Callable[[str | None, str | None], c.Command]) -> Callable[[Rest, Context], c.Command]:
    """`sumar csmc-comas a S-…`, `sacar hogar-luz de S-…`"""

    def read(rest: Rest, context: Context) -> c.Command:
        found, unknown = _institutions(rest, context)
        if len(found) > 1:
            return rest.bad("institution", rest.head)
        return unknown or make(rest.code, found[0] if found else None)

    return read


def _plain(make: Callable[[str | None], c.Command]) -> Callable[[Rest, Context], c.Command]:
    return lambda rest, _context: nothing_more(rest, make(rest.code))


READERS: Readers = {
    "meet": (_meet, "anywhere"),
    "addto": (_with_one(lambda room, name: c.AddToRoom(room=room, institution=name)), "anywhere"),
    "takeout": (_with_one(lambda room, name: c.TakeOut(room=room, institution=name)), "anywhere"),
    "join": (_plain(lambda room: c.JoinRoom(room=room)), "anywhere"),
    "leave": (_plain(lambda room: c.LeaveRoom(room=room)), "anywhere"),
    "whosees": (_plain(lambda room: c.WhoSees(room=room)), "anywhere"),
    "whoacts": (_plain(lambda room: c.WhoActs(room=room)), "anywhere"),
    "endmeeting": (_plain(lambda room: c.EndMeeting(room=room)), "anywhere"),
}
