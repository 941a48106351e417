"""The arguments of each command: one reader per verb, from what follows the verb to a value.

A reader gets a `Rest` (the code, when one was given, is already taken out) and never raises. What it does not understand
comes back as `BadArgument` with suggestions; an institution, a field or a purpose is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hub.cases import codes
from hub.cases import commands as c
from hub.chat import names
from hub.chat.consent_line import read_consent
from hub.chat.context import Context
from hub.chat.fold import clean, fold, words
from hub.chat.names import Found, Names
from hub.chat.when import Misread

LONGEST_NAME = 80
_SHOWN = 80


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What follows the verb: `head` (its first line, without thanks) for arguments, `tail` (every line) for free text."""

    verb: str
    said: str
    """The form of the verb that was written, folded."""
    head: str
    tail: str
    code: str | None = None

    def bad(self, what: str, given: str, suggestions: tuple[str, ...] = ()) -> c.BadArgument:
        """This verb was understood, that argument was not."""
        return c.BadArgument(verb=self.verb, what=what, given=clean(given).strip()[:_SHOWN], suggestions=suggestions)


Reader = Callable[[Rest, Context], c.Command]


def read_arguments(rest: Rest, context: Context) -> c.Command:
    """The command of `rest.verb`. The code is taken out first; one that looks mistyped ends it here (`what="code"`)."""
    reader, place = _READERS[rest.verb]
    taken = _with_code(rest, place) if place else rest
    return reader(taken, context) if isinstance(taken, Rest) else taken


# --- the code


_FILLER = r"(?:(?:el|la|al|del|de|en|para|a|for|of|to|the|in|from) )*(?:(?:caso|case|derivacion|referral|codigo|code) )?"


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
        head = re.sub(r"(?i)[\s,;]*(?:\b(?:de|del|para|en|el|la|al|caso|case|for|of|code|código)\s*)*$", "", rest.head[:start])
        return replace(rest, code=code, head=head or "", tail=_trim(rest.tail))
    return replace(rest, code=code, head=_trim(rest.head[end:]), tail=_trim(_after_code(rest.tail)))


def _leading_code(head: str) -> tuple[int, int] | None:
    """Where the code stands that opens `head`, fillers such as `el caso` before it; it may be split as `C 7QK4M`."""
    found = words(head)
    for skip in range(min(4, len(found))):
        before = "".join(w.folded + " " for w in found[:skip])
        if re.fullmatch(_FILLER, before) is None:
            return None
        for size in (2, 3, 1) if found[skip].folded in ("c", "r") else (1,):
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
    span = _leading_code(_first_line(tail))
    return tail[span[1] :] if span is not None else tail


def _first_line(text: str) -> str:
    return re.split(r"[\n\r\v\f\x85\u2028\u2029]", text, maxsplit=1)[0]


def _trim(text: str) -> str:
    """Without white space around and one separator in front; nothing else of a free text is touched."""
    return re.sub(r"^\s*[:,]?\s*", "", text, count=1).rstrip()


# --- small helpers


def _cuts(text: str, joints: str) -> Iterator[tuple[str, str]]:
    """Every way to cut `text` at one of the joint words (`por|para`), leftmost first; the joint goes."""
    for match in re.finditer(rf"(?i)(?:^|(?<=[\s,;:]))(?:{joints})(?=[\s:]|$)[\s:]*", text):
        yield text[: match.start()].strip(" ,;:"), text[match.end() :].strip()


def _code_list(rest: Rest, table: Names) -> str | None:
    lead = r"^(?:(?:por|porque|motivo|razon|con|como|because|for|reason|with|as|resultado|outcome) )+"
    bare = re.sub(lead, "", fold(rest.head))
    return names.find(bare, table, forgive=True).id


def _nothing_more(rest: Rest, command: c.Command) -> c.Command:
    """`command`, unless words were left over that we would be ignoring."""
    return rest.bad("extra", rest.head) if rest.head else command


# --- readers, in the order of `commands.py`


def _help(rest: Rest, _context: Context) -> c.Command:
    return c.Help(topic=re.sub(r"^(?:(?:con|sobre|de|about|with|para) )+", "", fold(rest.head))[:_SHOWN] or None)


def _list(_rest: Rest, _context: Context) -> c.Command:
    return c.ListCases()


_BEFORE_NAME = (
    r"(?i)^(?:(?:un|una|el|a|the|nuevo|new)\s+)?(?:(?:caso|case)\b\s*)?(?:(?:de|para|for|llamada|se llama|a nombre de|named)\s+)?"
)


def _open(rest: Rest, context: Context) -> c.Command:
    head = re.sub(_BEFORE_NAME, "", rest.head)
    name, comma, time = head.partition(",")
    if not comma:
        name, time = _name_and_time(head, context)
    name = clean(name).strip(" \t\"'“”«»‘’")
    if len(name) > LONGEST_NAME:
        return rest.bad("name", name)
    at = context.when(time) if time.strip() else None
    return rest.bad(date_problem(at), time) if isinstance(at, Misread) else c.OpenCase(name=name or None, next_contact=at)


_TIME_STARTS = frozenset(
    {"el", "la", "las", "a", "en", "manana", "hoy", "pasado", "dentro", "proximo", "proxima", "este", "esta"}
    | {"next", "tomorrow", "in", "on", "at"}
)


def _name_and_time(head: str, context: Context) -> tuple[str, str]:
    """Without a comma, a time counts only as a whole suffix that begins like one: `María Domingo` is a name."""
    found = words(head)
    for word in found[1:]:
        begins = word.folded in _TIME_STARTS or word.folded[:1].isdigit()
        if begins and not isinstance(context.when(head[word.start :]), Misread):
            return head[: word.start], head[word.start :]
    return head, ""


def date_problem(reading: Misread) -> str:
    """The `what` of a time that gave no instant: `date`, `date_past` or `date_far`."""
    return "date" if reading is Misread.UNKNOWN else f"date_{reading.value}"


def _set(rest: Rest, context: Context) -> c.Command:
    name, separator, value = _field_and_value(rest.tail, context)
    found = names.find(name, _single(context), forgive=True)
    if found.id is None:
        return rest.bad("field", name, found.suggestions)
    value = _trim(value) if separator else value.strip()
    if not value:
        return rest.bad("value", name)
    kept, unknown = context.coded(found.id, value)
    if unknown is not None:
        return rest.bad("value", unknown[0], unknown[1].suggestions)
    return c.SetField(case=rest.code, field=found.id, value=kept)


def _single(context: Context) -> Names:
    """The fields without the groups of fields: a group can be agreed to or withdrawn, but not written, asked for or shown."""
    return {name: known for name, known in context.fields.items() if not name.startswith("group:")}


def _field_and_value(text: str, context: Context) -> tuple[str, str, str]:
    line = _first_line(text)
    match = re.search(r"[:=]", line)
    if match is not None:
        return line[: match.start()], match[0], text[match.end() :]
    found = words(line)
    for word in reversed(found[1:]):
        if names.find(text[: word.start], _single(context)).id is not None:
            return text[: word.start], "", text[word.start :]
    return line, "", ""


def _consent(rest: Rest, context: Context) -> c.Command:
    problem, command = read_consent(rest.head, rest.code, context)
    return rest.bad(*problem) if problem is not None else command


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

    for to, need in _cuts(head, _FOR):
        yield pair(to, need)
        for need_first, to_after in _cuts(need, _TO) if not to else ():
            yield pair(to_after, need_first)
    yield pair(head, "")
    if names.find(head, context.needs).id is not None and names.find(head, context.institutions).id is None:
        yield pair("", head)


def _bare(command: c.Command) -> Reader:
    return lambda rest, _context: _nothing_more(rest, command)


def _cancel(rest: Rest, _context: Context) -> c.Command:
    """`cancelar` leaves what is running; `cancelar R-…` takes that referral back."""
    head = re.sub(r"^(?:(?:la|el|esa|esta|the) )?(?:derivacion|oferta|referral|offer)$", "", fold(rest.head))
    if rest.code is not None and rest.code.startswith("R-") and not head:
        return c.Withdraw(case=rest.code, recipient=None)
    return rest.bad("extra", rest.head or rest.code or "") if rest.head or rest.code else c.Cancel()


def _accept(rest: Rest, _context: Context) -> c.Command:
    return _nothing_more(rest, c.Accept(referral=rest.code))


def _decline(rest: Rest, context: Context) -> c.Command:
    return c.Decline(referral=rest.code, reason=_code_list(rest, context.decline_reasons))


def _ask(rest: Rest, context: Context) -> c.Command:
    """`campo para motivo`; the cut that leaves the longest known field wins, else the first."""
    if not rest.head:
        return c.AskField(referral=rest.code, field=None, why=None)
    cuts = [*_cuts(rest.head, r"para|porque|por|for|because|motivo"), (rest.head, "")]
    field, why = next((cut for cut in reversed(cuts) if names.find(cut[0], _single(context)).id is not None), cuts[0])
    found = names.find(field, _single(context), forgive=True)
    if found.id is None:
        return rest.bad("field", field, found.suggestions)
    return c.AskField(referral=rest.code, field=found.id, why=why or None)


def _say(rest: Rest, _context: Context) -> c.Command:
    return c.Say(referral=rest.code, text=rest.tail) if rest.tail else rest.bad("text", "")


def _progress(rest: Rest, context: Context) -> c.Command:
    return c.Progress(referral=rest.code, status=_code_list(rest, context.progress))


def _finish(rest: Rest, context: Context) -> c.Command:
    return c.Finish(referral=rest.code, outcome=_code_list(rest, context.outcomes))


def _give_back(rest: Rest, context: Context) -> c.Command:
    return c.GiveBack(referral=rest.code, reason=_code_list(rest, context.giveback_reasons))


def _check_in(rest: Rest, context: Context) -> c.Command:
    if not rest.head:
        return c.PlanCheckIn(case=rest.code, when=None)
    lead = r"(?i)^(?:(?:para|a|llamarla|llamar|contactarla|contacto|to call|control)\s+)+(?=\S)"
    at = context.when(re.sub(lead, "", rest.head))
    at = context.when(rest.head) if isinstance(at, Misread) else at
    return rest.bad(date_problem(at), rest.head) if isinstance(at, Misread) else c.PlanCheckIn(case=rest.code, when=at)


def _who_knows(rest: Rest, _context: Context) -> c.Command:
    said, for_her = re.subn(r"\b(?:para ella|para darle|para imprimir|for her|to print)$", "", fold(rest.head))
    bare = re.sub(r"^(?:que|de|del|esto|ella|su|caso|sobre|datos|what|about|this|of|the|case|\s)+$", "", said.strip())
    return rest.bad("extra", rest.head) if bare else c.WhoKnows(case=rest.code, for_her=bool(for_her))


def _withdraw(rest: Rest, context: Context) -> c.Command:
    """`[de institución] [campo, …]` in either order; `todo` or nothing means everything."""
    head = re.sub(r"(?i)^(?:el\s+|the\s+)?(?:consentimiento|consent|permiso)\b\s*", "", rest.head)
    recipient, fields = _recipient_and_fields(head, context)
    found = names.find(recipient, context.institutions)
    if recipient and found.id is None:
        return rest.bad("institution", recipient, found.suggestions)
    if fold(fields) in ("", "todo", "todos", "todo lo", "all", "everything", "todos los datos", "todos los campos"):
        return c.Withdraw(case=rest.code, recipient=found.id)
    ids, unknown = names.find_all(re.sub(r"(?i)^(?:los?|las?|el|the|campos?|datos?|fields?)\s+", "", fields), context.fields)
    if unknown is not None:
        return rest.bad("field", unknown[0], unknown[1].suggestions)
    return c.Withdraw(case=rest.code, recipient=found.id, fields=ids)


def _recipient_and_fields(head: str, context: Context) -> tuple[str, str]:
    for before, after in _cuts(head, r"del?|al?|from"):
        found = words(after)
        for size in range(len(found), 0, -1):
            if names.find(after[: found[size - 1].end], context.institutions).id is not None:
                return after[: found[size - 1].end], f"{before} {after[found[size - 1].end :]}".strip(" ,;:")
        if not before or names.find_all(before, context.fields)[1] is None:
            return after, before
    return ("", head) if names.find(head, context.institutions).id is None else (head, "")


def _show(rest: Rest, context: Context) -> c.Command:
    cuts = [*_cuts(rest.head, r"porque|por|because|motivo|para|for"), (rest.head, "")]
    field, reason = next((cut for cut in cuts if not cut[0] or names.find(cut[0], _single(context)).id is not None), cuts[0])
    bare = re.sub(r"(?i)^(?:el\s+)?(?:campo|dato|field)\s+", "", field)
    if fold(bare) in ("", "todo", "all", "everything", "caso", "ficha", "el caso"):
        return c.Show(code=rest.code, field=None, reason=reason or None)
    found = names.find(bare, _single(context), forgive=True)
    if found.id is None:
        return rest.bad("field", bare, found.suggestions)
    return c.Show(code=rest.code, field=found.id, reason=reason or None)


def _close(rest: Rest, context: Context) -> c.Command:
    return c.CloseCase(case=rest.code, outcome=_code_list(rest, context.case_outcomes or context.outcomes))


_OFF = frozenset(["no", "off", "fuera", "salgo", "termino", "libre", "apagar", "termina", "terminar", "false", "desactivar"])
_ON = frozenset(["si", "on", "entro", "yes", "estoy", "empiezo", "true", "activar", "comienzo", "inicio"])


def _duty(rest: Rest, _context: Context) -> c.Command:
    spoken = set(f"{rest.said} {fold(rest.head)}".split())
    if spoken & _OFF:
        return c.Duty(on=False)
    return c.Duty(on=True) if spoken & _ON else rest.bad("yes_no", rest.head)


_READERS: dict[str, tuple[Reader, str]] = {
    "help": (_help, ""),
    "list": (_list, ""),
    "open": (_open, ""),
    "set": (_set, "first"),
    "consent": (_consent, "anywhere"),
    "refer": (_refer, "anywhere"),
    "undo": (_bare(c.Undo()), ""),
    "cancel": (_cancel, "anywhere"),
    "skip": (_bare(c.Skip()), ""),
    "back": (_bare(c.Back()), ""),
    "accept": (_accept, "anywhere"),
    "decline": (_decline, "anywhere"),
    "ask": (_ask, "first"),
    "say": (_say, "first"),
    "progress": (_progress, "anywhere"),
    "finish": (_finish, "anywhere"),
    "giveback": (_give_back, "anywhere"),
    "checkin": (_check_in, "anywhere"),
    "whoknows": (_who_knows, "anywhere"),
    "withdraw": (_withdraw, "anywhere"),
    "show": (_show, "first"),
    "close": (_close, "anywhere"),
    "duty": (_duty, ""),
}
"""Verb key → its reader, and where its code may stand: `first`, `anywhere` or nowhere."""
