"""The arguments of the commands about her case at home."""

from __future__ import annotations

import re

from hub.cases import commands as c
from hub.chat import names
from hub.chat.consent_line import read_consent
from hub.chat.context import Context
from hub.chat.fold import clean, fold, words
from hub.chat.rest import Readers, Rest, chosen, cuts, date_problem, first_line, nothing_more, single, trim
from hub.chat.when import Misread

LONGEST_NAME = 80
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


def _set(rest: Rest, context: Context) -> c.Command:
    name, separator, value = _field_and_value(rest.tail, context)
    found = names.find(name, single(context), forgive=True)
    if found.id is None:
        return rest.bad("field", name, found.suggestions)
    value = trim(value) if separator else value.strip()
    if not value:
        return rest.bad("value", name)
    kept, unknown = context.coded(found.id, value)
    if unknown is not None:
        return rest.bad("value", unknown[0], unknown[1].suggestions)
    return c.SetField(case=rest.code, field=found.id, value=kept)


def _field_and_value(text: str, context: Context) -> tuple[str, str, str]:
    line = first_line(text)
    match = re.search(r"[:=]", line)
    if match is not None:
        return line[: match.start()], match[0], text[match.end() :]
    found = words(line)
    for word in reversed(found[1:]):
        if names.find(text[: word.start], single(context)).id is not None:
            return text[: word.start], "", text[word.start :]
    return line, "", ""


def _consent(rest: Rest, context: Context) -> c.Command:
    problem, command = read_consent(rest.head, rest.code, context)
    return rest.bad(*problem) if problem is not None else command


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
    for before, after in cuts(head, r"del?|al?|from"):
        found = words(after)
        for size in range(len(found), 0, -1):
            if names.find(after[: found[size - 1].end], context.institutions).id is not None:
                return after[: found[size - 1].end], f"{before} {after[found[size - 1].end :]}".strip(" ,;:")
        if not before or names.find_all(before, context.fields)[1] is None:
            return after, before
    return ("", head) if names.find(head, context.institutions).id is None else (head, "")


def _show(rest: Rest, context: Context) -> c.Command:
    ways = [*cuts(rest.head, r"porque|por|because|motivo|para|for"), (rest.head, "")]
    field, reason = next((cut for cut in ways if not cut[0] or names.find(cut[0], single(context)).id is not None), ways[0])
    bare = re.sub(r"(?i)^(?:el\s+)?(?:campo|dato|field)\s+", "", field)
    if fold(bare) in ("", "todo", "all", "everything", "caso", "ficha", "el caso"):
        return c.Show(code=rest.code, field=None, reason=reason or None)
    found = names.find(bare, single(context), forgive=True)
    if found.id is None:
        return rest.bad("field", bare, found.suggestions)
    return c.Show(code=rest.code, field=found.id, reason=reason or None)


def _account(rest: Rest, _context: Context) -> c.Command:
    return c.TellAccount(case=rest.code, words=trim(rest.tail))


def _again(rest: Rest, context: Context) -> c.Command:
    return c.AskAgain(code=rest.code, reason=chosen(rest, context.again_reasons))


def _basis(rest: Rest, context: Context) -> c.Command:
    """`[cuál] [para institución, …] [hasta cuándo] [porque motivo [hasta cuándo]]`. What is missing is asked for; what is unclear, too."""
    head, why = next(cuts(rest.head, r"porque|because|motivo"), (rest.head, ""))
    until = None
    for part in (head, why):
        for before, after in cuts(part, r"hasta|until"):
            at = context.until(after)
            if isinstance(at, Misread):
                if part is head or at is not Misread.UNKNOWN:
                    return rest.bad(date_problem(at), after)
                continue
            until, head, why = at, before if part is head else head, before if part is why else why
    which, where = next(cuts(head, r"para|for"), (head, ""))
    basis = names.find(which, context.legal_bases, forgive=True)
    if which and basis.id is None:
        return rest.bad("legal_basis", which, basis.suggestions)
    recipients, unknown = names.find_all(where, context.institutions)
    if where and unknown is not None:
        return rest.bad("institution", unknown[0], unknown[1].suggestions)
    return c.RecordBasis(case=rest.code, basis=basis.id, recipients=recipients if where else (), why=why, until=until)


def _end_basis(rest: Rest, _context: Context) -> c.Command:
    return nothing_more(rest, c.EndBasis(case=rest.code))


def _close(rest: Rest, context: Context) -> c.Command:
    return c.CloseCase(case=rest.code, outcome=chosen(rest, context.case_outcomes or context.outcomes))


READERS: Readers = {
    "open": (_open, ""),
    "set": (_set, "first"),
    "consent": (_consent, "anywhere"),
    "checkin": (_check_in, "anywhere"),
    "whoknows": (_who_knows, "anywhere"),
    "withdraw": (_withdraw, "anywhere"),
    "show": (_show, "first"),
    "account": (_account, "first"),
    "again": (_again, "anywhere"),
    "close": (_close, "anywhere"),
    "basis": (_basis, "first"),
    "endbasis": (_end_basis, "anywhere"),
}
