"""The arguments of the commands about one referral, the sender's and the recipient's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from hub.cases import commands as c
from hub.chat import names
from hub.chat.context import Context
from hub.chat.names import Found
from hub.chat.rest import Readers, Rest, chosen, cuts, nothing_more, single

_TO = r"al?|hacia|hasta|to"
_FOR = r"por|para|for|porque\s+necesita|necesita|motivo|con\s+motivo\s+de"


def _refer(rest: Rest, context: Context) -> c.Command:
    """`a institución por necesidad`, in either order; both names may contain the joint words themselves."""
    head = re.sub(rf"(?i)^(?:el\s+caso\s+|la\s+|lo\s+)?(?:{_TO})\s+(?:la\s+|el\s+|los\s+|las\s+|the\s+)?", "", rest.head)
    if not head:
        return c.Refer(case=rest.code, to=None, need=None)
    best = max(_refer_readings(head, context), key=_clarity)
    to, need = best
    if to[1].id is None and to[0]:
        return rest.bad("institution", to[0], to[1].suggestions)
    if need[1].id is None and need[0]:
        return rest.bad("need", need[0], need[1].suggestions)
    return c.Refer(case=rest.code, to=to[1].id, need=need[1].id)


_Part = tuple[str, Found]


def _clarity(reading: tuple[_Part, _Part]) -> tuple[int, int]:
    """Prefer readings where all that was written is known, then where the institution is."""
    to, need = reading
    known = [part[1].id is not None or not part[0] for part in (to, need)]
    return sum(known), to[1].id is not None


def _refer_readings(head: str, context: Context) -> Iterator[tuple[_Part, _Part]]:
    def pair(to: str, need: str) -> tuple[_Part, _Part]:
        return (to, names.find(to, context.institutions)), (need, names.find(need, context.needs, forgive=True))

    for to, need in cuts(head, _FOR):
        yield pair(to, need)
        for need_first, to_after in cuts(need, _TO) if not to else ():
            yield pair(to_after, need_first)
    yield pair(head, "")
    if names.find(head, context.needs).id is not None and names.find(head, context.institutions).id is None:
        yield pair("", head)


def _accept(rest: Rest, _context: Context) -> c.Command:
    return nothing_more(rest, c.Accept(referral=rest.code))


def _decline(rest: Rest, context: Context) -> c.Command:
    return c.Decline(referral=rest.code, reason=chosen(rest, context.decline_reasons))


def _ask(rest: Rest, context: Context) -> c.Command:
    """`campo para motivo`; the cut that leaves the longest known field wins, else the first."""
    if not rest.head:
        return c.AskField(referral=rest.code, field=None, why=None)
    ways = [*cuts(rest.head, r"para|porque|por|for|because|motivo"), (rest.head, "")]
    field, why = next((cut for cut in reversed(ways) if names.find(cut[0], single(context)).id is not None), ways[0])
    found = names.find(field, single(context), forgive=True)
    if found.id is None:
        return rest.bad("field", field, found.suggestions)
    return c.AskField(referral=rest.code, field=found.id, why=why or None)


def _share(rest: Rest, context: Context) -> c.Command:
    """`a institución por necesidad: campo, campo porque motivo`. Without its parts it is asked back whole: nothing here is guessed."""
    head, why = next(cuts(rest.head, r"porque|because|motivo"), (rest.head, ""))
    where, _, listed = head.partition(":")
    if not listed:
        where, listed = next(cuts(where, r"campos?|datos?|fields?"), (where, ""))
    read = _refer(replace(rest, head=where), context)
    if not isinstance(read, c.Refer):
        return read
    fields, unknown = names.find_all(listed, context.fields)
    if unknown is not None:
        return rest.bad("field", unknown[0], unknown[1].suggestions)
    if not (read.to and read.need and fields and why):
        return rest.bad("share", "")
    return c.Share(referral=rest.code, to=read.to, need=read.need, fields=fields, why=why)


def _emergency(rest: Rest, context: Context) -> c.Command:
    asked = _ask(rest, context)
    return c.Emergency(referral=asked.referral, field=asked.field, why=asked.why) if isinstance(asked, c.AskField) else asked


def _say(rest: Rest, _context: Context) -> c.Command:
    return c.Say(referral=rest.code, text=rest.tail) if rest.tail else rest.bad("text", "")


def _progress(rest: Rest, context: Context) -> c.Command:
    return c.Progress(referral=rest.code, status=chosen(rest, context.progress))


def _finish(rest: Rest, context: Context) -> c.Command:
    return c.Finish(referral=rest.code, outcome=chosen(rest, context.outcomes))


def _give_back(rest: Rest, context: Context) -> c.Command:
    return c.GiveBack(referral=rest.code, reason=chosen(rest, context.giveback_reasons))


READERS: Readers = {
    "refer": (_refer, "anywhere"),
    "accept": (_accept, "anywhere"),
    "decline": (_decline, "anywhere"),
    "ask": (_ask, "first"),
    "share": (_share, "first"),
    "emergency": (_emergency, "first"),
    "say": (_say, "first"),
    "progress": (_progress, "anywhere"),
    "finish": (_finish, "anywhere"),
    "giveback": (_give_back, "anywhere"),
}
