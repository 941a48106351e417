"""The arguments of each command: one reader per verb, from what follows the verb to a value.

A reader gets a `Rest` (the code, when one was given, is already taken out) and never raises. What it does not understand
comes back as `BadArgument` with suggestions; an institution, a field or a purpose is never guessed.
"""

from __future__ import annotations

import re
from dataclasses import replace

from hub.cases import codes
from hub.cases import commands as c
from hub.chat import arguments_case, arguments_referral, arguments_rooms
from hub.chat.context import Context
from hub.chat.fold import fold, words
from hub.chat.rest import SHOWN, Readers, Rest, alone, first_line, trim


def read_arguments(rest: Rest, context: Context) -> c.Command:
    """The command of `rest.verb`. The code is taken out first; one that looks mistyped ends it here (`what="code"`)."""
    reader, place = _READERS[rest.verb]
    taken = _with_code(rest, place) if place else rest
    return reader(taken, context) if isinstance(taken, Rest) else taken


_FILLER = r"(?:(?:el|la|al|del|de|en|para|a|for|of|to|the|in|from) )*(?:(?:caso|case|derivacion|referral|codigo|code|sala|reunion|room) )?"


def _with_code(rest: Rest, place: str) -> Rest | c.BadArgument:
    """`rest` without its code, looked for at the start and, where no free text may stand, at the end."""
    span = _leading_code(rest.head) or (_closing_code(rest.head) if place == "anywhere" else None)
    if span is None:
        return rest
    start, end = span
    code = codes.parse_code(rest.head[start:end])
    if code is None:
        return rest.bad("code", rest.head[start:end])
    if end == len(rest.head) and start:
        head = re.sub(r"(?i)[\s,;]*(?:\b(?:de|del|para|en|el|la|al|a|to|caso|case|sala|room|for|of|code|código)\s*)*$", "", rest.head[:start])
        return replace(rest, code=code, head=head or "", tail=trim(rest.tail))
    return replace(rest, code=code, head=trim(rest.head[end:]), tail=trim(_after_code(rest.tail)))


def _leading_code(head: str) -> tuple[int, int] | None:
    """Where the code stands that opens `head`, fillers such as `el caso` before it; it may be split as `C 7QK4M`."""
    found = words(head)
    for skip in range(min(4, len(found))):
        before = "".join(w.folded + " " for w in found[:skip])
        if re.fullmatch(_FILLER, before) is None:
            return None
        for size in (2, 3, 1) if found[skip].folded in ("c", "r", "s") else (1,):
            if skip + size <= len(found):
                start, end = found[skip].start, found[skip + size - 1].end
                end = start + len(head[start:end].partition(":")[0])
                if codes.looks_like_code(head[start:end]):
                    return start, end
    return None


def _closing_code(head: str) -> tuple[int, int] | None:
    found = words(head)
    last = head[found[-1].start :] if found else ""
    return (found[-1].start, len(head)) if codes.looks_like_code(last) else None


def _after_code(tail: str) -> str:
    span = _leading_code(first_line(tail))
    return tail[span[1] :] if span is not None else tail


def _help(rest: Rest, _context: Context) -> c.Command:
    return c.Help(topic=re.sub(r"^(?:(?:con|sobre|de|about|with|para) )+", "", fold(rest.head))[:SHOWN] or None)


def _list(_rest: Rest, _context: Context) -> c.Command:
    return c.ListCases()


def _cancel(rest: Rest, _context: Context) -> c.Command:
    """`cancelar` leaves what is running; `cancelar R-…` takes that referral back."""
    head = re.sub(r"^(?:(?:la|el|esa|esta|the) )?(?:derivacion|oferta|referral|offer)$", "", fold(rest.head))
    if rest.code is not None and rest.code.startswith("R-") and not head:
        return c.Withdraw(case=rest.code, recipient=None)
    return rest.bad("extra", rest.head or rest.code or "") if rest.head or rest.code else c.Cancel()


_OFF = frozenset(["no", "off", "fuera", "salgo", "termino", "libre", "apagar", "termina", "terminar", "false", "desactivar"])
_ON = frozenset(["si", "on", "entro", "yes", "estoy", "empiezo", "true", "activar", "comienzo", "inicio"])


def _duty(rest: Rest, _context: Context) -> c.Command:
    spoken = set(f"{rest.said} {fold(rest.head)}".split())
    if spoken & _OFF:
        return c.Duty(on=False)
    return c.Duty(on=True) if spoken & _ON else rest.bad("yes_no", rest.head)


_READERS: Readers = {
    **arguments_case.READERS,
    **arguments_referral.READERS,
    **arguments_rooms.READERS,
    "help": (_help, ""),
    "list": (_list, ""),
    "undo": (alone(c.Undo()), ""),
    "cancel": (_cancel, "anywhere"),
    "skip": (alone(c.Skip()), ""),
    "back": (alone(c.Back()), ""),
    "duty": (_duty, ""),
}
