"""A consent in one line: `oral a csmc-comas para salud mental campos nombre, contacto hasta 3 meses explicado` (R12, R72).

The line is cut at its key words (`a`, `para`, `campos`, `hasta`, …). A name may contain such a word itself (`Defensa Pública
para Víctimas`), so a part that is not known is tried again together with the part that follows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hub.cases.commands import AS_ASKED, RecordConsent
from hub.chat import names
from hub.chat.context import Context
from hub.chat.fold import fold, words
from hub.chat.names import Found, Unknown
from hub.chat.when import Misread

Problem = tuple[str, str, tuple[str, ...]]
"""What was not understood (`institution`, `purpose`, `field`, `date`, `mode`), the words, what to offer."""

_KEYS = {
    "a": "to", "al": "to", "to": "to", "with": "to", "con": "to", "destinatarios": "to", "destinatario": "to", "recipients": "to",
    "para": "purpose", "for": "purpose", "finalidad": "purpose", "finalidades": "purpose", "purpose": "purpose",
    "campos": "fields", "campo": "fields", "datos": "fields", "fields": "fields", "field": "fields", "compartir": "fields",
    "hasta": "until", "until": "until", "durante": "until", "plazo": "until", "por": "until",
}  # fmt: skip
_EXPLAINED = re.compile(
    r"(?i)[,;.]?\s*(?:\by\s+)?\b(?P<no>no\s+|sin\s+|not\s+|isn't\s+)?(?:se\s+)?(?:le\s+)?(?:fue\s+)?"
    r"(?:explicad[oa]|explic[oóaeé]r?|explained)\b(?:\s+(?:la\s+)?(?:confidencialidad|confidentiality))?"
)
_AS_ASKED = frozenset(
    ["lo necesario", "todo lo necesario", "lo minimo", "lo que pide el protocolo", "what is needed", "as asked"]
)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One key word with its words: where they stand in the line."""

    key: str
    start: int
    end: int


def read_consent(line: str, case: str | None, context: Context) -> tuple[Problem | None, RecordConsent]:
    """The consent that a line states; what it does not state is `None`, to be asked. A problem ends the reading."""
    explained, line = _take_explained(line)
    mode, line = take_mode(line, context)
    problem, found = _read_parts(line, _parts(line), RecordConsent(case=case, mode=mode, explained=explained), context)
    return (problem, found) if problem is not None else _settled(found, context)


_MOST_PARTS = 24


def _read_parts(line: str, parts: list[_Part], command: RecordConsent, context: Context) -> tuple[Problem | None, RecordConsent]:
    """The first way to cut the line into parts that are all understood; else the first problem of the plain cut.

    Whether the words from some part on can be read does not depend on what came before, so dead ends are remembered.
    """
    dead: set[int] = set()
    problems: list[Problem] = []

    def onward(first: int, so_far: RecordConsent) -> RecordConsent | None:
        if first == len(parts):
            return so_far
        for last in range(first, len(parts)) if first not in dead else ():
            value = line[parts[first].start : parts[last].end].strip(" ,;.:")
            problem, with_it = _with_part(parts[first].key, value, so_far, context)
            problems.extend([problem] if problem is not None else [])
            found = onward(last + 1, with_it) if with_it is not None else None
            if found is not None:
                return found
        dead.add(first)
        return None

    found = onward(0, command)
    return (None, found) if found is not None else (next((p for p in problems if p[0] == AFTER_BUT), problems[0]), command)


def _take_explained(line: str) -> tuple[bool | None, str]:
    found = _EXPLAINED.search(line)
    return (None, line) if found is None else (found["no"] is None, line[: found.start()] + " " + line[found.end() :])


def take_mode(line: str, context: Context) -> tuple[str | None, str]:
    """The consent mode at either end of the line (`oral …`, `…, por escrito`), and the line without it."""
    found = words(line)
    for size in range(min(5, len(found)), 0, -1):
        for chosen in (found[:size], found[-size:]):
            mode = names.find(line[chosen[0].start : chosen[-1].end], context.consent_modes)
            if mode.id is not None:
                return mode.id, line[: chosen[0].start] + line[chosen[-1].end :]
    return None, line


def _parts(line: str) -> list[_Part]:
    """The line cut at its key words; what stands before the first is a mode that was not understood."""
    found = words(line)
    keyed = [(_KEYS[w.folded], w) for w in found if w.folded in _KEYS][:_MOST_PARTS]
    first = keyed[0][1].start if keyed else len(line)
    lead = [_Part(key="mode", start=0, end=first)] if fold(line[:first]) else []
    ends = [*(w.start for _, w in keyed[1:]), len(line)][: len(keyed)]
    return lead + [_Part(key=key, start=w.end, end=end) for (key, w), end in zip(keyed, ends, strict=True)]


AFTER_BUT = "after_but"
"""`todo menos X a Y`: whether Y may have everything but X, or X is what Y may not have, she alone can say."""


def _with_part(key: str, value: str, command: RecordConsent, context: Context) -> tuple[Problem | None, RecordConsent | None]:
    if key in ("to", "purpose") and any(name.startswith("-") for name in command.fields or ()):
        return (AFTER_BUT, value, ()), None
    if key == "to":
        ids, unknown = names.find_all(value, context.institutions)
        return _listed("institution", unknown, replace(command, recipients=_joined(command.recipients, ids)))
    if key == "purpose":
        ids, unknown = names.find_all(value, context.purposes or context.needs)
        return _listed("purpose", unknown, replace(command, purposes=_joined(command.purposes, ids)))
    if key == "fields":
        ids, unknown = read_fields(value, context)
        return _listed("field", unknown, replace(command, fields=_joined(command.fields, ids)))
    if key == "until":
        until = context.until(value)
        if isinstance(until, Misread):
            return ("date" if until is Misread.UNKNOWN else f"date_{until.value}", value, ()), None
        return None, replace(command, until=until)
    return ("mode", value, names.suggest(value, context.consent_modes)), None


def _joined(before: tuple[str, ...] | None, ids: tuple[str, ...]) -> tuple[str, ...]:
    """`a X … a Y` names both."""
    return tuple(dict.fromkeys((*(before or ()), *ids)))


def read_fields(value: str, context: Context) -> tuple[tuple[str, ...], Unknown | None]:
    """A list of fields, or `lo necesario` (`AS_ASKED`); `todo menos X` is that, and each thing that is left out behind a minus sign."""
    if fold(value) in _AS_ASKED:
        return AS_ASKED, None
    but = all_but(value)
    if but is None:
        return names.find_all(value, context.fields)
    ids, unknown = names.find_all(re.sub(r"(?i)\s+(?:ni|nor|or)\s+", ", ", but), context.fields)
    return (*AS_ASKED, *(f"-{i}" for i in ids)), unknown if ids or unknown else (value, Found())


_BUT = re.compile(r"(?i)[\s,]+(?:menos|salvo|excepto|(?:pero\s+)?sin|pero\s+no|except(?:\s+for)?|but(?:\s+not)?)(?:[\s:]+|$)")
_ALL = _AS_ASKED | {"todo", "todos", "todos los datos", "todos los campos", "everything", "all", "all of it", "all fields", "all data"}


def all_but(value: str) -> str | None:
    """What is left out by `todo menos X`, as it was typed; None when nothing is said so."""
    head, *rest = _BUT.split(value.strip(), maxsplit=1)
    return rest[0] if rest and fold(head) in _ALL else None


def leaves_out(value: str) -> bool:
    """Whether it says «todo menos …» in some way that may not be understood."""
    return _BUT.search(value) is not None and any(word.folded in _ALL for word in words(value))


def less(fields: Sequence[str], holds: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """The fields of `todo menos X`, when every X stands in what the protocol asks and something is left. Else None: never more than she said."""
    without = [name.removeprefix("-") for name in fields if name.startswith("-")]
    if not set(without) <= set(holds) or set(fields) != {*AS_ASKED, *(f"-{name}" for name in without)}:
        return None
    gone = {field for name in without for field in holds.get(name, ())}
    return tuple(field for name, (field, *_) in holds.items() if name == field and field not in gone) or None


def _settled(command: RecordConsent, context: Context) -> tuple[Problem | None, RecordConsent]:
    """`todo menos X` as the fields that it means. While it is not said for whom and what for, it is asked at its own step."""
    if not any(name.startswith("-") for name in command.fields or ()):
        return None, command
    if not command.recipients or not command.purposes:
        return None, replace(command, fields=None)
    holds = context.as_asked(command.recipients, command.purposes)
    fields = less(command.fields or (), holds)
    if fields is None:
        return ("all_but", ", ".join(_labels(command.fields or (), context)), tuple(name for name in holds if name in holds[name])), command
    return None, replace(command, fields=fields)


def _labels(fields: Sequence[str], context: Context) -> list[str]:
    without = [name.removeprefix("-") for name in fields if name not in AS_ASKED]
    return [context.fields[name][0] if context.fields.get(name) else name for name in without]


def _listed(what: str, unknown: Unknown | None, command: RecordConsent) -> tuple[Problem | None, RecordConsent | None]:
    return (None, command) if unknown is None else ((what, unknown[0], unknown[1].suggestions), None)
